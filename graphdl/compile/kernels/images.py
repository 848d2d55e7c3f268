"""Convolution and pooling of images [N, H, W, C], a few at a time where that keeps what is read in the cache."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as xp

Array = Any


def padded(x: Array, pads: tuple[tuple[int, int], tuple[int, int]], value: float) -> Array:
    """Images with `value` put around; the same array where nothing is."""
    (top, bottom), (left, right) = pads
    if top == bottom == left == right == 0:
        return x
    n, height, width, channels = x.shape
    whole = xp.full((n, top + height + bottom, left + width + right, channels), value, x.dtype)
    whole[:, top : top + height, left : left + width] = x
    return whole


def inner(whole: Array, pads: tuple[tuple[int, int], tuple[int, int]], lengths: Sequence[int]) -> Array:
    """Images without what was put around."""
    (top, _), (left, _) = pads
    return whole[:, top : top + lengths[0], left : left + lengths[1]]


def places(image: Sequence[int], window: Any, strides: Any, pads: Any, dilation: Any) -> list[int]:
    """At how many places the window fits, over the height and over the width of an image with what is put around."""
    return [
        (length + before + behind - (size - 1) * d - 1) // step + 1
        for length, size, step, (before, behind), d in zip(image, window, strides, pads, dilation, strict=True)
    ]


def at(i: int, j: int, places: Sequence[int], strides: tuple[int, int], dilation: tuple[int, int]) -> Any:
    """Where element (i, j) of every window lies: an index of images."""
    rows = slice(i * dilation[0], i * dilation[0] + strides[0] * (places[0] - 1) + 1, strides[0])
    columns = slice(j * dilation[1], j * dilation[1] + strides[1] * (places[1] - 1) + 1, strides[1])
    return (slice(None), rows, columns)


def elements(image: Sequence[int], window: Any, strides: Any, pads: Any, dilation: Any = (1, 1)) -> list[Any]:
    """For each element of a window, where it lies in images with what is put around."""
    fits = places(image, window, strides, pads, dilation)
    return [at(i, j, fits, strides, dilation) for i in range(window[0]) for j in range(window[1])]


def windows(x: Array, size: tuple[int, int], strides: tuple[int, int], dilation: tuple[int, int]) -> Array:
    """Every window of the images as a view [N, H', W', h, w, C]."""
    n, height, width, channels = x.shape
    down, right = places((height, width), size, strides, ((0, 0), (0, 0)), dilation)
    i, j, k, c = x.strides
    steps = (i, j * strides[0], k * strides[1], j * dilation[0], k * dilation[1], c)
    return xp.lib.stride_tricks.as_strided(x, (n, down, right, *size, channels), steps)


def seen(view: Array, group: int, depth: int) -> Array:
    """What each window sees of a group of channels, a row for each (im2col).

    Rows of few channels are put together as columns: runs of neighbours are copied faster than single elements.
    """
    part = view[..., group * depth : (group + 1) * depth]
    length = part.shape[3] * part.shape[4] * depth
    if depth <= 4:
        return part.transpose((3, 4, 5, 0, 1, 2)).reshape((length, -1)).T
    return part.reshape((-1, length))


def conv2d(x: Array, kernel: Array, strides: Any, pads: Any, dilation: Any, groups: int, out: Array = None) -> Array:
    """Convolution, as one product of matrices for a few images at a time: their windows stay in the cache."""
    height, width, depth, filters = kernel.shape
    down, right = places(x.shape[1:3], (height, width), strides, pads, dilation)
    y = xp.empty((x.shape[0], down, right, filters), x.dtype) if out is None else out
    share = filters // groups
    for start in range(0, x.shape[0], 4):
        view = windows(padded(x[start : start + 4], pads, 0), (height, width), strides, dilation)
        block = y[start : start + 4]
        for g in range(groups):
            matrix = kernel[..., g * share : (g + 1) * share].reshape((-1, share))
            if groups == 1:
                xp.dot(seen(view, 0, depth), matrix, out=block.reshape((-1, share)))
            else:
                part = xp.dot(seen(view, g, depth), matrix)
                block[..., g * share : (g + 1) * share] = part.reshape((-1, down, right, share))
    return y


def turned(kernel: Array, groups: int) -> Array:
    """The kernel with which a convolution that went a step at a time is gone back: turned around, channels swapped."""
    height, width, depth, filters = kernel.shape
    share = filters // groups
    parts = kernel[::-1, ::-1].reshape((height, width, depth, groups, share))
    return parts.transpose((0, 1, 4, 3, 2)).reshape((height, width, share, groups * depth))


def conv2d_transpose(
    dy: Array, kernel: Array, lengths: Any, strides: Any, pads: Any, dilation: Any, groups: int, out: Array = None
) -> Array:
    """What the convolution read is added to, an element of the window at a time, for a few images at a time."""
    height, width, depth, filters = kernel.shape
    n, down, right = dy.shape[:3]
    share = filters // groups
    y = xp.empty((n, *lengths, depth * groups), dy.dtype) if out is None else out
    for start in range(0, n, 4):
        slopes, block = dy[start : start + 4], y[start : start + 4]
        block[...] = 0
        whole = padded(block, pads, 0)
        for g in range(groups):
            matrix = kernel[..., g * share : (g + 1) * share].reshape((-1, share)).T
            parts = xp.dot(slopes[..., g * share : (g + 1) * share].reshape((-1, share)), matrix)
            parts = parts.reshape((-1, down, right, height, width, depth))
            images = whole[..., g * depth : (g + 1) * depth]
            for i in range(height):
                for j in range(width):
                    images[at(i, j, (down, right), strides, dilation)] += parts[:, :, :, i, j]
        if whole is not block:
            block[...] = inner(whole, pads, lengths)
    return y


def conv2d_kernel(
    x: Array, dy: Array, window: tuple[int, int], strides: Any, pads: Any, dilation: Any, groups: int
) -> Array:
    """What every window saw times the gradient there, summed over windows and images."""
    depth, share = x.shape[3] // groups, dy.shape[3] // groups
    total = xp.zeros((*window, depth, groups * share), x.dtype)
    for start in range(0, x.shape[0], 4):
        view = windows(padded(x[start : start + 4], pads, 0), window, strides, dilation)
        for g in range(groups):
            slopes = dy[start : start + 4, ..., g * share : (g + 1) * share].reshape((-1, share))
            part = xp.dot(seen(view, g, depth).T, slopes)
            total[..., g * share : (g + 1) * share] += part.reshape((*window, depth, share))
    return total


def depthwise(x: Array, kernel: Array, strides: Any, pads: Any, dilation: Any, out: Array = None) -> Array:
    """Convolution of each channel by itself, an element of the window at a time."""
    height, width, _, filters = kernel.shape
    down, right = places(x.shape[1:3], (height, width), strides, pads, dilation)
    y = xp.empty((x.shape[0], down, right, filters), x.dtype) if out is None else out
    y[...] = 0
    whole, each = padded(x, pads, 0), y.reshape((-1, down, right, x.shape[3], filters // x.shape[3]))
    weights = kernel.reshape((height * width, x.shape[3], -1))
    for where, weight in zip(elements(x.shape[1:3], (height, width), strides, pads, dilation), weights, strict=True):
        each += whole[where][..., None] * weight
    return y


def depthwise_transpose(
    dy: Array, kernel: Array, lengths: Any, strides: Any, pads: Any, dilation: Any, groups: int
) -> Array:
    """What the convolution of each channel read is added to."""
    height, width, _, filters = kernel.shape
    each = dy.reshape((*dy.shape[:3], groups, filters // groups))
    weights = kernel.reshape((height * width, groups, -1))
    whole = padded(xp.zeros((dy.shape[0], *lengths, groups), dy.dtype), pads, 0)
    for where, weight in zip(elements(lengths, (height, width), strides, pads, dilation), weights, strict=True):
        whole[where] += xp.sum(each * weight, axis=-1)
    return xp.ascontiguousarray(inner(whole, pads, lengths))


def depthwise_kernel(x: Array, dy: Array, window: tuple[int, int], strides: Any, pads: Any, dilation: Any) -> Array:
    """What every window saw of each channel times the gradients there, summed over windows and images."""
    whole, each = padded(x, pads, 0), dy.reshape((*dy.shape[:3], x.shape[3], -1))
    total = xp.empty((window[0] * window[1], *each.shape[3:]), x.dtype)
    for row, where in zip(total, elements(x.shape[1:3], window, strides, pads, dilation), strict=True):
        xp.sum(whole[where][..., None] * each, axis=(0, 1, 2), out=row)
    return total.reshape((*window, 1, dy.shape[3]))


def max_pool2d(x: Array, window: tuple[int, int], strides: tuple[int, int], pads: Any, out: Array = None) -> Array:
    """The largest element of each window."""
    whole = padded(x, pads, -xp.inf)
    first, *others = [whole[where] for where in elements(x.shape[1:3], window, strides, pads)]
    y = xp.empty(first.shape, x.dtype) if out is None else out
    y[...] = first
    for other in others:
        xp.maximum(y, other, out=y)
    return y


def largest_first(
    x: Array, window: tuple[int, int], strides: tuple[int, int], pads: Any
) -> Iterator[tuple[Any, Array]]:
    """For each element of a window, where it lies in padded images, and whether it is the first largest one."""
    whole, y = padded(x, pads, -xp.inf), max_pool2d(x, window, strides, pads)
    left = xp.ones(y.shape, "bool")
    for where in elements(x.shape[1:3], window, strides, pads):
        here = whole[where] == y
        here &= left
        left ^= here
        yield where, here


def max_pool2d_place(g: Array, x: Array, window: tuple[int, int], strides: Any, pads: Any, out: Array = None) -> Array:
    """Each gradient at the first place where its window has the largest element, for a few images at a time."""
    apart = strides[0] >= window[0] and strides[1] >= window[1]
    y = xp.empty(x.shape, g.dtype) if out is None else out
    for start in range(0, x.shape[0], 4):
        block, parts = y[start : start + 4], g[start : start + 4]
        block[...] = 0
        whole = padded(block, pads, 0)
        for where, here in largest_first(x[start : start + 4], window, strides, pads):
            if apart:
                xp.multiply(parts, here, out=whole[where])
            else:
                whole[where] += parts * here
        if whole is not block:
            block[...] = inner(whole, pads, x.shape[1:3])
    return y


def max_pool2d_take(z: Array, x: Array, window: tuple[int, int], strides: Any, pads: Any) -> Array:
    """The element of z at the first place where each window of x has its largest one."""
    whole = padded(z, pads, 0)
    taken: Array = 0
    for where, here in largest_first(x, window, strides, pads):
        taken = taken + whole[where] * here
    return taken


def sum_pool2d(x: Array, window: tuple[int, int], strides: tuple[int, int], pads: Any, out: Array = None) -> Array:
    """The sum of each window."""
    whole = padded(x, pads, 0)
    first, *others = [whole[where] for where in elements(x.shape[1:3], window, strides, pads)]
    y = xp.empty(first.shape, x.dtype) if out is None else out
    y[...] = first
    for other in others:
        y += other
    return y


def sum_pool2d_spread(g: Array, lengths: Any, window: tuple[int, int], strides: Any, pads: Any) -> Array:
    """Each element at every place of its window."""
    whole = padded(xp.zeros((g.shape[0], *lengths, g.shape[3]), g.dtype), pads, 0)
    for where in elements(lengths, window, strides, pads):
        whole[where] += g
    return xp.ascontiguousarray(inner(whole, pads, lengths))
