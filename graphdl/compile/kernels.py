"""Array functions that generated code calls, over ``xp``. Their text is copied into the programs that use them.

Each is self-contained: it may use ``xp``, Python's builtins and kernels above it, nothing else. A kernel with
an ``out`` parameter writes its result there when given one, with the same bits.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as xp

Array = Any


def add_n(*terms: Array) -> Array:
    """The sum of the terms, from left to right."""
    total = terms[0] + terms[1]
    for term in terms[2:]:
        total = total + term
    return total


def horner(u: Array, coefficients: tuple[float, ...]) -> Array:
    """The polynomial with these coefficients, the highest power first, at `u`."""
    total = u * coefficients[0] + coefficients[1]
    for coefficient in coefficients[2:]:
        total = total * u + coefficient
    return total


def erf(x: Array) -> Array:
    """The error function, within 2 units in the last place of float64.

    Both polynomials interpolate at Chebyshev points, computed with 40 digits: erf(x) / x in x^2 up to 1,
    exp(x^2) erfc(x) in 1 / (1 + x / 2) from 1 to 6, beyond which erf is 1.
    """
    near = (
        1.4543887079465116e-14, -3.8078824063194953e-13, 9.167619596865806e-12, -2.035228405815769e-10,
        4.115800583208149e-09, -7.511569286591727e-08, 1.223382738359897e-06, -1.7537169441124866e-05,
        0.00021751715604159932, -0.0022854855611441132, 0.019852496688983708, -0.1405360890227171, 0.9654687386698673,
    )  # fmt: skip
    far = (
        1.4495643113419578e-13, -9.321424201169892e-13, -1.3919347826387398e-13, 2.2116545307548472e-11,
        -7.360635504868664e-11, -2.6866737279095447e-10, 2.6240024103160866e-09, -5.886316438866986e-10,
        -7.005318546704507e-08, 1.6349938614647468e-07, 1.9795618158539775e-06, -7.340517941415228e-06,
        -8.079220426243645e-05, 0.0001971391777283487, 0.005588816281839573, 0.038560570425182406,
        0.16189356804102498, 0.2214295402299318,
    )  # fmt: skip
    size = xp.minimum(xp.abs(x), 6)
    small = size * horner(2 * xp.minimum(size, 1) * xp.minimum(size, 1) - 1, near)
    t = 1 / (1 + size / 2)
    large = 1 - xp.exp(-size * size) * horner((2 * t - 11 / 12) / (5 / 12), far)
    return xp.sign(x) * xp.where(size < 1, small, large)


def xlogy(a: Array, b: Array) -> Array:
    """a log b, and 0 where a is 0."""
    return xp.where(a == 0, a * 0, a * xp.log(xp.where(a == 0, xp.ones_like(b), b)))


def xdivy(a: Array, b: Array) -> Array:
    """a / b, and 0 where a is 0."""
    return xp.where(a == 0, a * 0, a / xp.where(a == 0, xp.ones_like(b), b))


def var(x: Array, axis: Any, keepdims: bool) -> Array:
    """Mean squared distance from the mean."""
    centred = x - xp.mean(x, axis=axis, keepdims=True)
    return xp.mean(xp.square(centred), axis=axis, keepdims=keepdims)


def logsumexp(x: Array, axis: Any, keepdims: bool) -> Array:
    """log(sum(exp(x))), shifted by the largest element where that is finite."""
    top = xp.max(x, axis=axis, keepdims=True)
    top = xp.where(xp.isfinite(top), top, xp.zeros_like(top))
    total = xp.log(xp.sum(xp.exp(x - top), axis=axis, keepdims=True)) + top
    return total if keepdims else xp.squeeze(total, axis=axis)


def softmax(x: Array, axis: int, out: Array = None) -> Array:
    """exp(x) / sum(exp(x)), shifted by the largest element."""
    y = xp.subtract(x, xp.max(x, axis=axis, keepdims=True), out=out)
    xp.exp(y, out=y)
    y /= xp.sum(y, axis=axis, keepdims=True)
    return y


def log_softmax(x: Array, axis: int, out: Array = None) -> Array:
    """x - log(sum(exp(x))), shifted by the largest element."""
    y = xp.subtract(x, xp.max(x, axis=axis, keepdims=True), out=out)
    y -= xp.log(xp.sum(xp.exp(y), axis=axis, keepdims=True))
    return y


def take_along(x: Array, indices: Array) -> Array:
    """x[n, indices[n]] for each row n."""
    return xp.take_along_axis(x, indices[..., None], axis=-1)[..., 0]


def softmax_cross_entropy(logits: Array, targets: Array) -> Array:
    """-sum(targets * log_softmax(logits)) over the last axis."""
    return -xp.sum(targets * log_softmax(logits, axis=-1), axis=-1)


def sparse_softmax_cross_entropy(logits: Array, labels: Array) -> Array:
    """-log_softmax(logits)[labels] for each row."""
    return -take_along(log_softmax(logits, axis=-1), labels)


def one_hot(indices: Array, depth: int, dtype: str) -> Array:
    """A row of zeros with a one at the index."""
    return (indices[..., None] == xp.arange(depth)).astype(dtype)


def place(values: Array, shape: tuple[int, ...], where: tuple[slice, ...]) -> Array:
    """Zeros with the values put at the slices."""
    whole = xp.zeros(shape, values.dtype)
    whole[where] = values
    return whole


def scatter_add(values: Array, indices: Array, shape: tuple[int, ...], axis: int) -> Array:
    """Zeros with each value added at its index along the axis; repeated indices add up, from left to right."""
    whole = xp.zeros(shape, values.dtype)
    if axis or not indices.size or values.ndim == indices.ndim:
        where: Any = (*(slice(None),) * axis, indices)
        xp.add.at(whole, where, values)
        return whole
    # Where an index comes for the first or second time, whole rows are added: add.at takes five times as long.
    rows = indices.reshape(-1) % shape[0]
    parts, table = values.reshape((rows.size, -1)), whole.reshape((shape[0], -1))
    order = xp.argsort(rows, kind="stable")
    rows = rows[order]
    again, third = rows[1:] == rows[:-1], rows[2:] == rows[:-2]
    first = xp.flatnonzero(xp.concatenate((xp.ones(1, "bool"), ~again)))
    second = xp.flatnonzero(xp.concatenate((again[:1], again[1:] & ~third))) + 1
    for step in (first, second):
        table[rows[step]] += parts[order[step]]
    rest = xp.flatnonzero(third) + 2
    places = rows[rest].astype("int64")[:, None] * table.shape[1] + xp.arange(table.shape[1])
    xp.add.at(table.reshape(-1), places.reshape(-1), parts[order[rest]].reshape(-1))
    return whole


def padded(x: Array, pads: tuple[tuple[int, int], tuple[int, int]], value: float) -> Array:
    """Images with `value` put around; the same array where nothing is."""
    (top, bottom), (left, right) = pads
    if top == bottom == left == right == 0:
        return x
    n, height, width, channels = x.shape
    whole = xp.full((n, top + height + bottom, left + width + right, channels), value, x.dtype)
    whole[:, top : top + height, left : left + width] = x
    return whole


def windows(x: Array, size: tuple[int, int], strides: tuple[int, int], dilation: tuple[int, int]) -> Array:
    """Every window of the images as a view [N, H', W', h, w, C]."""
    n, height, width, channels = x.shape
    down, right = [
        (a - (k - 1) * d - 1) // s + 1 for a, k, s, d in zip((height, width), size, strides, dilation, strict=True)
    ]
    i, j, k, c = x.strides
    steps = (i, j * strides[0], k * strides[1], j * dilation[0], k * dilation[1], c)
    return xp.lib.stride_tricks.as_strided(x, (n, down, right, *size, channels), steps)


def at(i: int, j: int, places: Sequence[int], strides: tuple[int, int], dilation: tuple[int, int]) -> Any:
    """Where element (i, j) of every window lies: an index of images."""
    rows = slice(i * dilation[0], i * dilation[0] + strides[0] * (places[0] - 1) + 1, strides[0])
    columns = slice(j * dilation[1], j * dilation[1] + strides[1] * (places[1] - 1) + 1, strides[1])
    return (slice(None), rows, columns)


def conv2d(x: Array, kernel: Array, strides: Any, pads: Any, dilation: Any, groups: int) -> Array:
    """Convolution, as one product of matrices for a few images at a time: their windows stay in the cache."""
    height, width, depth, filters = kernel.shape
    whole = padded(x, pads, 0)
    view = windows(whole, (height, width), strides, dilation)
    n, down, right = view.shape[:3]
    y = xp.empty((n, down, right, filters), x.dtype)
    if depth == 1 and groups > 1:
        each = y.reshape((n, down, right, groups, filters // groups))
        each[...] = 0
        for i in range(height):
            for j in range(width):
                part = whole[at(i, j, (down, right), strides, dilation)]
                each += part[..., None] * kernel[i, j].reshape((groups, filters // groups))
        return y
    share = filters // groups
    for g in range(groups):
        matrix = kernel[..., g * share : (g + 1) * share].reshape((-1, share))
        for start in range(0, n, 8):
            rows = view[start : start + 8, ..., g * depth : (g + 1) * depth].reshape((-1, height * width * depth))
            block = xp.dot(rows, matrix)
            y[start : start + 8, ..., g * share : (g + 1) * share] = block.reshape((-1, down, right, share))
    return y


def conv2d_transpose(
    dy: Array, kernel: Array, lengths: Any, strides: Any, pads: Any, dilation: Any, groups: int
) -> Array:
    """What the convolution read is added to, an element of the window at a time.

    Where the window went a step at a time, that is a convolution with the kernel turned around.
    """
    height, width, depth, filters = kernel.shape
    n, down, right = dy.shape[:3]
    (top, bottom), (left, behind) = pads
    share = filters // groups
    around = [(k - 1) * d - p for k, d, ps in zip((height, width), dilation, pads, strict=True) for p in ps]
    if strides == (1, 1) and depth > 1 and min(around) >= 0:
        turned = xp.empty((height, width, share, depth * groups), kernel.dtype)
        for g in range(groups):
            part = kernel[::-1, ::-1, :, g * share : (g + 1) * share]
            turned[..., g * depth : (g + 1) * depth] = part.transpose((0, 1, 3, 2))
        whole_pads = ((around[0], around[1]), (around[2], around[3]))
        return conv2d(dy, turned, strides, whole_pads, dilation, groups)
    whole = xp.zeros((n, top + lengths[0] + bottom, left + lengths[1] + behind, depth * groups), dy.dtype)
    if depth == 1 and groups > 1:
        each = dy.reshape((n, down, right, groups, share))
        for i in range(height):
            for j in range(width):
                weights = kernel[i, j].reshape((groups, share))
                whole[at(i, j, (down, right), strides, dilation)] += xp.sum(each * weights, axis=-1)
    else:
        for g in range(groups):
            matrix = kernel[..., g * share : (g + 1) * share].reshape((-1, share)).T
            for start in range(0, n, 8):
                rows = dy[start : start + 8, ..., g * share : (g + 1) * share].reshape((-1, share))
                parts = xp.dot(rows, matrix).reshape((-1, down, right, height, width, depth))
                images = whole[start : start + 8, ..., g * depth : (g + 1) * depth]
                for i in range(height):
                    for j in range(width):
                        images[at(i, j, (down, right), strides, dilation)] += parts[:, :, :, i, j]
    return xp.ascontiguousarray(whole[:, top : top + lengths[0], left : left + lengths[1]])


def conv2d_kernel(
    x: Array, dy: Array, window: tuple[int, int], strides: Any, pads: Any, dilation: Any, groups: int
) -> Array:
    """What every window saw times the gradient there, summed over windows and images."""
    height, width = window
    channels, filters = x.shape[3], dy.shape[3]
    n, down, right = dy.shape[:3]
    depth, share = channels // groups, filters // groups
    whole = padded(x, pads, 0)
    total = xp.zeros((height, width, depth, filters), x.dtype)
    if depth == 1 and groups > 1:
        each = dy.reshape((n, down, right, groups, share))
        for i in range(height):
            for j in range(width):
                part = whole[at(i, j, (down, right), strides, dilation)]
                total[i, j, 0] = xp.sum(part[..., None] * each, axis=(0, 1, 2)).reshape(-1)
        return total
    view = windows(whole, window, strides, dilation)
    for g in range(groups):
        for start in range(0, n, 8):
            rows = view[start : start + 8, ..., g * depth : (g + 1) * depth].reshape((-1, height * width * depth))
            slopes = dy[start : start + 8, ..., g * share : (g + 1) * share].reshape((-1, share))
            part = xp.dot(rows.T, slopes).reshape((height, width, depth, share))
            total[..., g * share : (g + 1) * share] += part
    return total


def max_pool2d(x: Array, window: tuple[int, int], strides: tuple[int, int], pads: Any) -> Array:
    """The largest element of each window."""
    whole = padded(x, pads, -xp.inf)
    places = [(a - k) // s + 1 for a, k, s in zip(whole.shape[1:3], window, strides, strict=True)]
    y = whole[at(0, 0, places, strides, (1, 1))].copy()
    for i in range(window[0]):
        for j in range(window[1]):
            if i + j:
                xp.maximum(y, whole[at(i, j, places, strides, (1, 1))], out=y)
    return y


def largest_first(x: Array, window: tuple[int, int], strides: tuple[int, int], pads: Any) -> list[tuple[Any, Array]]:
    """For each element of a window, where it lies in padded images, and whether it is the first largest one."""
    whole, y = padded(x, pads, -xp.inf), max_pool2d(x, window, strides, pads)
    left = xp.ones(y.shape, "bool")
    found = []
    for i in range(window[0]):
        for j in range(window[1]):
            where = at(i, j, y.shape[1:3], strides, (1, 1))
            here = left & (whole[where] == y)
            left &= ~here
            found.append((where, here))
    return found


def max_pool2d_place(g: Array, x: Array, window: tuple[int, int], strides: Any, pads: Any) -> Array:
    """Each gradient at the first place where its window has the largest element."""
    (top, bottom), (left, right) = pads
    n, height, width, channels = x.shape
    whole = xp.zeros((n, top + height + bottom, left + width + right, channels), g.dtype)
    for where, here in largest_first(x, window, strides, pads):
        whole[where] += g * here
    return xp.ascontiguousarray(whole[:, top : top + height, left : left + width])


def max_pool2d_take(z: Array, x: Array, window: tuple[int, int], strides: Any, pads: Any) -> Array:
    """The element of z at the first place where each window of x has its largest one."""
    whole = padded(z, pads, 0)
    taken: Array = 0
    for where, here in largest_first(x, window, strides, pads):
        taken = taken + whole[where] * here
    return taken


def sum_pool2d(x: Array, window: tuple[int, int], strides: tuple[int, int], pads: Any) -> Array:
    """The sum of each window."""
    whole = padded(x, pads, 0)
    places = [(a - k) // s + 1 for a, k, s in zip(whole.shape[1:3], window, strides, strict=True)]
    y = whole[at(0, 0, places, strides, (1, 1))].copy()
    for i in range(window[0]):
        for j in range(window[1]):
            if i + j:
                y += whole[at(i, j, places, strides, (1, 1))]
    return y


def sum_pool2d_spread(g: Array, lengths: Any, window: tuple[int, int], strides: Any, pads: Any) -> Array:
    """Each element at every place of its window."""
    (top, bottom), (left, right) = pads
    whole = xp.zeros((g.shape[0], top + lengths[0] + bottom, left + lengths[1] + right, g.shape[3]), g.dtype)
    for i in range(window[0]):
        for j in range(window[1]):
            whole[at(i, j, g.shape[1:3], strides, (1, 1))] += g
    return xp.ascontiguousarray(whole[:, top : top + lengths[0], left : left + lengths[1]])


def packed(variables: dict[str, Array], name: str, parts: tuple[tuple[str, tuple[int, ...]], ...]) -> Array:
    """One flat array that holds the variables `parts` (name, shape) side by side; they become views of it."""
    whole = variables.get(name)
    if whole is None or any(variables[part].base is not whole for part, _ in parts):
        whole = xp.concatenate([variables[part].reshape(-1) for part, _ in parts])
        variables[name] = whole
        start = 0
        for part, shape in parts:
            stop = start + variables[part].size
            variables[part] = whole[start:stop].reshape(shape)
            start = stop
    return whole


def uniform(key: tuple[int, int], stream: int, shape: tuple[int, ...], dtype: Any) -> Array:
    """Numbers on [0, 1) that depend on the seed, the step and the stream alone (Philox, Salmon et al. 2011)."""
    import numpy

    seed, step = key
    philox = numpy.random.Philox(key=[seed, stream], counter=[0, 0, step, 0])
    return xp.asarray(numpy.random.Generator(philox).random(shape, dtype))


def normal(key: tuple[int, int], stream: int, shape: tuple[int, ...], dtype: Any) -> Array:
    """Standard normal numbers that depend on the seed, the step and the stream alone."""
    import numpy

    seed, step = key
    philox = numpy.random.Philox(key=[seed, stream], counter=[0, 0, step, 0])
    return xp.asarray(numpy.random.Generator(philox).standard_normal(shape, dtype))


def truncated_normal(key: tuple[int, int], stream: int, shape: tuple[int, ...], dtype: Any) -> Array:
    """Standard normal numbers, each drawn again until it lies within 2 of 0."""
    import numpy

    seed, step = key
    generator = numpy.random.Generator(numpy.random.Philox(key=[seed, stream], counter=[0, 0, step, 0]))
    numbers = numpy.asarray(generator.standard_normal(shape, dtype))
    far = numpy.abs(numbers) > 2
    while far.any():
        numbers[far] = generator.standard_normal(int(far.sum()), dtype)
        far = numpy.abs(numbers) > 2
    return xp.asarray(numbers)


def permutation(key: tuple[int, int], n: int) -> Array:
    """The order of `n` examples in an epoch; depends on the seed and the epoch alone."""
    import numpy

    seed, epoch = key
    # Below 2**63, so that NumPy reads the key as integers.
    philox = numpy.random.Philox(key=[seed, 2**63 - 1], counter=[0, 0, epoch, 1])
    return numpy.random.Generator(philox).permutation(n)
