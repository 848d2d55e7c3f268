"""What every op means, written out in NumPy by its definition; nothing here is taken from graphdl."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np

Oracle = Callable[..., Any]


def _erf(a):
    return np.vectorize(math.erf, otypes=[float])(a).astype(a.dtype)


def _sigmoid(a):
    return np.where(a >= 0, 1 / (1 + np.exp(-np.abs(a))), np.exp(-np.abs(a)) / (1 + np.exp(-np.abs(a))))


def _softplus(a):
    return np.logaddexp(np.zeros_like(a), a)


def _elu(a, alpha):
    return np.where(a > 0, a, alpha * (np.exp(np.minimum(a, 0)) - 1))


def _selu(a):
    # Klambauer et al. 2017, to the digits printed there.
    alpha, scale = 1.6732632423543772, 1.0507009873554805
    return (scale * _elu(a, alpha)).astype(a.dtype)


def _log_softmax(x, axis=-1):
    shifted = x - x.max(axis=axis, keepdims=True)
    return shifted - np.log(np.exp(shifted).sum(axis=axis, keepdims=True))


def _logsumexp(x, axis, keepdims=False):
    top = x.max(axis=axis, keepdims=True)
    total = top + np.log(np.exp(x - top).sum(axis=axis, keepdims=True))
    return total if keepdims else total.squeeze(axis=axis)


def _prod(x, axis, keepdims=False):
    return np.multiply.reduce(x, axis=axis, keepdims=keepdims)


def _slices(bounds):
    return tuple(slice(*b) for b in bounds)


def _place(x, shape, bounds):
    whole = np.zeros(shape, x.dtype)
    whole[_slices(bounds)] = x
    return whole


def _pad(x, widths, value=0.0):
    whole = np.full([d + a + b for d, (a, b) in zip(x.shape, widths, strict=True)], value, x.dtype)
    whole[tuple(slice(a, a + d) for d, (a, _) in zip(x.shape, widths, strict=True))] = x
    return whole


def _sum_to(x, shape):
    lead = x.ndim - len(shape)
    total = x.sum(axis=tuple(range(lead)), dtype=x.dtype)
    kept = tuple(i for i, d in enumerate(shape) if d == 1 and total.shape[i] != 1)
    return total.sum(axis=kept, keepdims=True, dtype=x.dtype)


def _scatter_add(values, indices, shape, axis):
    whole = np.zeros(shape, values.dtype)
    flat = values.reshape(*values.shape[:axis], -1, *values.shape[axis + indices.ndim :])
    for place, index in enumerate(indices.ravel()):
        target = (slice(None),) * axis
        whole[(*target, index)] += flat[(*target, place)]
    return whole


def _split(x, axis, sizes):
    ends = np.cumsum(sizes)
    return [np.take(x, range(end - size, end), axis=axis) for size, end in zip(sizes, ends, strict=True)]


def _seen(x, window, strides, pads, dilation=(1, 1), fill=0.0):
    """What each window sees, (N, H', W', h, w, C), one element after the other."""
    x = np.pad(x, ((0, 0), *pads, (0, 0)), constant_values=fill)
    n, rows, columns, channels = x.shape
    down, right = (
        (size - (k - 1) * d - 1) // s + 1
        for size, k, s, d in zip((rows, columns), window, strides, dilation, strict=True)
    )
    seen = np.empty((n, down, right, *window, channels), x.dtype)
    for a, b, i, j in np.ndindex(down, right, *window):
        seen[:, a, b, i, j] = x[:, a * strides[0] + i * dilation[0], b * strides[1] + j * dilation[1]]
    return seen


def _conv2d(x, kernel, strides=(1, 1), pads=((0, 0), (0, 0)), dilation=(1, 1), groups=1):
    seen = _seen(x, kernel.shape[:2], strides, pads, dilation)
    parts = zip(np.split(seen, groups, axis=-1), np.split(kernel, groups, axis=-1), strict=True)
    return np.concatenate([np.einsum("nabijc,ijcf->nabf", s, k) for s, k in parts], axis=-1)


def _adjoint(linear, shape, dy):
    """The transpose of a linear function, from what it makes of each unit array."""
    found = np.zeros(shape, dy.dtype)
    for place in np.ndindex(*shape):
        unit = np.zeros(shape, dy.dtype)
        unit[place] = 1
        found[place] = (linear(unit) * dy).sum()
    return found


def _conv2d_transpose(dy, kernel, lengths, **geometry):
    shape = (dy.shape[0], *lengths, kernel.shape[2] * geometry.get("groups", 1))
    return _adjoint(lambda x: _conv2d(x, kernel, **geometry), shape, dy)


def _conv2d_kernel(x, dy, window, **geometry):
    shape = (*window, x.shape[3] // geometry.get("groups", 1), dy.shape[3])
    return _adjoint(lambda kernel: _conv2d(x, kernel, **geometry), shape, dy)


def _flat_windows(x, window, strides, pads, fill=0.0):
    seen = _seen(x, window, strides, pads, fill=fill)
    return np.moveaxis(seen, -1, 3).reshape(*seen.shape[:3], seen.shape[-1], -1)


def _max_pool_take(z, x, **geometry):
    first = _flat_windows(x, **geometry, fill=-np.inf).argmax(axis=-1)
    return np.take_along_axis(_flat_windows(z, **geometry), first[..., None], axis=-1)[..., 0]


def _max_pool_place(g, x, **geometry):
    return _adjoint(lambda z: _max_pool_take(z, x, **geometry), x.shape, g)


def _einsum(xs, axes, result):
    """Products of single elements, one index after the other."""
    sizes = {axis: size for x, names in zip(xs, axes, strict=True) for axis, size in zip(names, x.shape, strict=True)}
    total = np.zeros([sizes[axis] for axis in result], xs[0].dtype)
    for place in np.ndindex(*sizes.values()):
        at = dict(zip(sizes, place, strict=True))
        term = np.prod([x[tuple(at[axis] for axis in names)] for x, names in zip(xs, axes, strict=True)])
        total[tuple(at[axis] for axis in result)] += term
    return total


def _scan(h, x, k, body, length, reverse=False):
    """The sample's own step, h = tanh(k h + x) and y = h x."""
    states, given = np.empty_like(x), np.empty_like(x)
    for t in list(range(length))[:: -1 if reverse else 1]:
        h = np.tanh(k * h + x[t])
        states[t], given[t] = h, h * x[t]
    return [states, given]


def _one_hot(indices, depth, dtype):
    return np.eye(depth, dtype=dtype)[indices]


def _rows(x, indices):
    return np.array([x[(*at, index)] for at, index in np.ndenumerate(indices)], x.dtype).reshape(indices.shape)


ORACLES: dict[str, Oracle] = {
    "abs": lambda a: np.where(a < 0, -a, a),
    "add": lambda a, b: np.add(a, b),
    "add_n": lambda *terms: np.sum(np.stack(terms), axis=0),
    "affine": lambda x, W, b: np.einsum("ij,jk->ik", x, W) + b,
    "argmax": lambda x, axis: np.argmax(x, axis),
    "broadcast_to": lambda x, shape: x + np.zeros(shape, x.dtype),
    "cast": lambda x, dtype: np.array(x, dtype),
    "clip": lambda a, low, high: np.clip(a, low, high),
    "concat": lambda *xs, axis: np.concatenate(xs, axis),
    "conv2d": _conv2d,
    "conv2d_kernel": _conv2d_kernel,
    "conv2d_transpose": _conv2d_transpose,
    "cos": lambda a: np.cos(a),
    "divide": lambda a, b: np.divide(a, b),
    "einsum": lambda *xs, axes, result: _einsum(xs, axes, result),
    "elu": _elu,
    "equal": lambda a, b: ~((a < b) | (a > b)),
    "erf": _erf,
    "exp": lambda a: np.power(np.asarray(np.e, a.dtype), a),
    "expm1": lambda a: np.expm1(a),
    "floor": lambda a: a - np.mod(a, 1),
    "gelu": lambda a: a * (1 + _erf(a / np.sqrt(np.asarray(2, a.dtype)))) / 2,
    "greater": lambda a, b: np.less(b, a),
    "greater_equal": lambda a, b: ~np.less(a, b),
    "isfinite": lambda a: ~(np.isnan(a) | np.isinf(a)),
    "leaky_relu": lambda a, slope: np.maximum(a, 0) + slope * np.minimum(a, 0),
    "less": lambda a, b: np.less(a, b),
    "less_equal": lambda a, b: ~np.less(b, a),
    "log": lambda a: np.log(a),
    "log1p": lambda a: np.log1p(a),
    "log_softmax": _log_softmax,
    "logical_and": lambda a, b: a & b,
    "logical_not": lambda a: ~a,
    "logical_or": lambda a, b: a | b,
    "logsumexp": _logsumexp,
    "mask_positive": lambda a, b: np.where(b > 0, a, 0).astype(a.dtype),
    "matmul": lambda a, b: np.einsum("...ij,...jk->...ik", a, b),
    "max": lambda x, axis, keepdims=False: np.amax(x, axis=axis, keepdims=keepdims),
    "max_pool2d": lambda x, **geometry: _flat_windows(x, **geometry, fill=-np.inf).max(axis=-1),
    "max_pool2d_place": _max_pool_place,
    "max_pool2d_take": _max_pool_take,
    "maximum": lambda a, b: np.where(a > b, a, b),
    "mean": lambda x, axis, keepdims=False: np.mean(x, axis=axis, keepdims=keepdims),
    "min": lambda x, axis, keepdims=False: np.amin(x, axis=axis, keepdims=keepdims),
    "minimum": lambda a, b: np.where(a < b, a, b),
    "multiply": lambda a, b: np.multiply(a, b),
    "negative": lambda a: 0 - a,
    "not_equal": lambda a, b: (a < b) | (a > b),
    "one_hot": _one_hot,
    "pad": _pad,
    "place": _place,
    "power": lambda a, b: np.exp(b * np.log(a)),
    "prod": _prod,
    "reciprocal": lambda a: np.reciprocal(a),
    "relu": lambda a: np.where(a > 0, a, 0).astype(a.dtype),
    "reshape": lambda x, shape: np.reshape(x, shape),
    "scan": _scan,
    "scatter_add": _scatter_add,
    "selu": _selu,
    "sigmoid": _sigmoid,
    "sigmoid_cross_entropy": lambda z, t: -(t * -_softplus(-z) + (1 - t) * -_softplus(z)),
    "sign": lambda a: (a > 0).astype(a.dtype) - (a < 0).astype(a.dtype),
    "silu": lambda a: a * _sigmoid(a),
    "sin": lambda a: np.sin(a),
    "slice": lambda x, bounds: x[_slices(bounds)],
    "softmax": lambda x, axis=-1: np.exp(_log_softmax(x, axis)),
    "softmax_cross_entropy": lambda z, t: -np.einsum("ij,ij->i", t, _log_softmax(z)),
    "softplus": _softplus,
    "sparse_softmax_cross_entropy": lambda z, labels: -_rows(_log_softmax(z), labels),
    "split": _split,
    "sqrt": lambda a: np.sqrt(a),
    "square": lambda a: a * a,
    "stop_gradient": lambda x: np.array(x),
    "subtract": lambda a, b: np.subtract(a, b),
    "sum": lambda x, axis, keepdims=False: np.add.reduce(x, axis=axis, keepdims=keepdims),
    "sum_pool2d": lambda x, **geometry: _flat_windows(x, **geometry).sum(axis=-1),
    "sum_pool2d_spread": lambda g, lengths, **geometry: _adjoint(
        lambda x: _flat_windows(x, **geometry).sum(axis=-1), (g.shape[0], *lengths, g.shape[3]), g
    ),
    "sum_to": _sum_to,
    "take": lambda x, indices, axis: x[(*(slice(None),) * axis, indices)],
    "take_along": _rows,
    "tanh": lambda a: np.tanh(a),
    "transpose": lambda x, perm: np.einsum(x, list(range(x.ndim)), list(perm)),
    "var": lambda x, axis, keepdims=False: np.var(x, axis=axis, keepdims=keepdims),
    "where": lambda c, a, b: np.where(c, a, b),
    "xdivy": lambda a, b: np.where(a == 0, 0, a / b).astype(a.dtype),
    "xlogy": lambda a, b: np.where(a == 0, 0, a * np.log(b)).astype(a.dtype),
}
