"""Sums, probabilities, rows and what is put side by side."""

from __future__ import annotations

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
