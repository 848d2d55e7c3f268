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
    "cos": lambda a: np.cos(a),
    "divide": lambda a, b: np.divide(a, b),
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
