"""Random graphs, each built twice: of nodes, and as a NumPy closure written out beside them.

A drawn tuple of numbers picks an op and operands among the values so far. The closure is evaluated while the graph
grows, so that a step is left out where it would leave its domain, overflow, or come near a kink.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from hypothesis import strategies as st

import graphdl as gd
from graphdl.ir.node import Node

LARGEST, MOST_ELEMENTS = 30.0, 120
# How far from a kink or from a pole values must stay, so that differences see a smooth function.
MARGIN = 0.02
ROWS = 4

INPUT_SHAPES = [(3,), (2, 3), (1, 3), (2, 1), (), (4, 3), (3, 2), (2, 2, 3)]
Closure = Callable[[list[np.ndarray]], np.ndarray]


class Skipped(Exception):
    """The step does not apply to these operands."""


@dataclass
class Grown:
    """A graph and its closure: `nodes[i]` has the value that `steps[i]` computes from the values before it."""

    inputs: list[Node] = field(default_factory=list)
    arrays: list[np.ndarray] = field(default_factory=list)
    nodes: list[Node] = field(default_factory=list)
    steps: list[Closure] = field(default_factory=list)
    values: list[np.ndarray] = field(default_factory=list)
    names: list[str] = field(default_factory=list)

    def put(self, node: Node, step: Closure, name: str) -> None:
        with np.errstate(all="ignore"):
            value = np.asarray(step(self.values))
        if not np.isfinite(value).all() or np.abs(value).max(initial=0) > LARGEST or value.size > MOST_ELEMENTS:
            raise Skipped
        self.nodes.append(node)
        self.steps.append(step)
        self.values.append(value)
        self.names.append(name)

    def recomputed(self, arrays: list[np.ndarray]) -> list[np.ndarray]:
        """All values at other inputs."""
        values = list(arrays)
        with np.errstate(all="ignore"):
            for step in self.steps[len(arrays) :]:
                values.append(np.asarray(step(values)))
        return values


def _need(condition: Any) -> None:
    if not np.all(condition):
        raise Skipped


def _erf(v):
    return np.vectorize(math.erf, otypes=[float])(v)


def _softmax(v, axis):
    e = np.exp(v - v.max(axis=axis, keepdims=True))
    return e / e.sum(axis=axis, keepdims=True)


# name: (node, NumPy, where it is smooth)
UNARY: dict[str, tuple[Callable, Callable, Callable | None]] = {
    "exp": (gd.exp, np.exp, None),
    "log": (gd.log, np.log, lambda v: v > 0.1),
    "log1p": (gd.log1p, np.log1p, lambda v: v > -0.8),
    "expm1": (gd.expm1, np.expm1, None),
    "sqrt": (gd.sqrt, np.sqrt, lambda v: v > 0.1),
    "square": (gd.square, np.square, None),
    "negative": (lambda a: -a, lambda v: -v, None),
    "reciprocal": (gd.reciprocal, lambda v: 1 / v, lambda v: np.abs(v) > 0.3),
    "sin": (gd.sin, np.sin, None),
    "cos": (gd.cos, np.cos, None),
    "tanh": (gd.tanh, np.tanh, None),
    "sigmoid": (gd.sigmoid, lambda v: 1 / (1 + np.exp(-v)), None),
    "softplus": (gd.softplus, lambda v: np.log1p(np.exp(v)), None),
    "silu": (gd.silu, lambda v: v / (1 + np.exp(-v)), None),
    "erf": (gd.erf, _erf, None),
    "gelu": (gd.gelu, lambda v: v * (1 + _erf(v / math.sqrt(2))) / 2, None),
    "relu": (gd.relu, lambda v: np.maximum(v, 0), lambda v: np.abs(v) > MARGIN),
    "leaky_relu": (
        lambda a: gd.leaky_relu(a, 0.2),
        lambda v: np.where(v > 0, v, 0.2 * v),
        lambda v: np.abs(v) > MARGIN,
    ),
    "elu": (lambda a: gd.elu(a, 1.5), lambda v: np.where(v > 0, v, 1.5 * np.expm1(v)), lambda v: np.abs(v) > MARGIN),
    "abs": (abs, np.abs, lambda v: np.abs(v) > MARGIN),
    "clip": (
        lambda a: gd.clip(a, -1, 1),
        lambda v: np.clip(v, -1, 1),
        lambda v: (np.abs(v - 1) > MARGIN) & (np.abs(v + 1) > MARGIN),
    ),
    "times": (lambda a: a * -1.5, lambda v: v * -1.5, None),
    "one_minus": (lambda a: 1 - a, lambda v: 1 - v, None),
    "plus_half": (lambda a: 0.5 + a, lambda v: v + 0.5, None),
    "two_over": (lambda a: 2 / a, lambda v: 2 / v, lambda v: np.abs(v) > 0.3),
    "cube": (lambda a: a**3, lambda v: v**3, None),
    "ones": (lambda a: a * 1 + 0, lambda v: v, None),
    # As a student types them.
    "log(1+exp)": (lambda a: gd.log(1 + gd.exp(a)), lambda v: np.log1p(np.exp(v)), None),
    "1/(1+exp(-a))": (lambda a: 1 / (1 + gd.exp(-a)), lambda v: 1 / (1 + np.exp(-v)), None),
    "tanh typed": (lambda a: (gd.exp(a) - gd.exp(-a)) / (gd.exp(a) + gd.exp(-a)), np.tanh, None),
    "sqrt(a a)": (lambda a: gd.sqrt(a * a), np.abs, lambda v: np.abs(v) > MARGIN),
    "where(a > 0, log, 0)": (
        lambda a: gd.where(a > 0, gd.log(a), 0) * a,
        lambda v: np.where(v > 0, np.log(np.where(v > 0, v, 1)), 0) * v,
        lambda v: np.abs(v) > 0.1,
    ),
}
BINARY: dict[str, tuple[Callable, Callable, Callable | None]] = {
    "add": (lambda a, b: a + b, np.add, None),
    "subtract": (lambda a, b: a - b, np.subtract, None),
    "multiply": (lambda a, b: a * b, np.multiply, None),
    "divide": (lambda a, b: a / b, np.divide, lambda v, w: np.abs(w) > 0.3),
    "maximum": (gd.maximum, np.maximum, lambda v, w: np.abs(v - w) > MARGIN),
    "minimum": (gd.minimum, np.minimum, lambda v, w: np.abs(v - w) > MARGIN),
    "power": (gd.power, np.power, lambda v, w: (v > 0.2) & (np.abs(w) < 3)),
    "xlogy": (gd.xlogy, lambda v, w: v * np.log(w), lambda v, w: w > 0.1),
    "a log b": (lambda a, b: a * gd.log(b), lambda v, w: v * np.log(w), lambda v, w: w > 0.1),
    "log(exp+exp)": (lambda a, b: gd.log(gd.exp(a) + gd.exp(b)), np.logaddexp, None),
    "where": (
        lambda a, b: gd.where(a > b, a, b * 2),
        lambda v, w: np.where(v > w, v, w * 2),
        lambda v, w: np.abs(v - w) > MARGIN,
    ),
    "bce": (
        lambda z, t: gd.sigmoid_cross_entropy(z, gd.sigmoid(t)),
        lambda v, w: np.log1p(np.exp(v)) - v / (1 + np.exp(-w)),
        None,
    ),
}


def _unary(g: Grown, n: list[int]) -> None:
    name, (node, function, smooth) = _pick(list(UNARY.items()), n[0])
    i = n[1] % len(g.nodes)
    _need(smooth is None or smooth(g.values[i]))
    g.put(node(g.nodes[i]), lambda vs: function(vs[i]), name)


def _binary(g: Grown, n: list[int]) -> None:
    name, (node, function, smooth) = _pick(list(BINARY.items()), n[0])
    i, j = n[1] % len(g.nodes), n[2] % len(g.nodes)
    v, w = g.values[i], g.values[j]
    _need(_broadcasts(g.nodes[i], g.nodes[j]))
    _need(smooth is None or smooth(*np.broadcast_arrays(v, w)))
    g.put(node(g.nodes[i], g.nodes[j]), lambda vs: function(vs[i], vs[j]), name)


def _broadcasts(a: Node, b: Node) -> bool:
    """By NumPy's rule, a symbolic size going with itself and with 1."""
    pairs = zip(a.shape[::-1], b.shape[::-1], strict=False)
    return all(p == q or p == 1 or q == 1 for p, q in pairs)


REDUCTIONS: dict[str, tuple[Callable, Callable]] = {
    "sum": (gd.sum, np.sum),
    "mean": (gd.mean, np.mean),
    "max": (gd.max, np.max),
    "min": (gd.min, np.min),
    "prod": (gd.prod, np.prod),
    "var": (gd.var, np.var),
    "logsumexp": (gd.logsumexp, lambda v, **k: np.log(np.sum(np.exp(v), **k))),
    "log(sum(exp))": (
        lambda a, **k: gd.log(gd.sum(gd.exp(a), **k)),
        lambda v, **k: np.log(np.sum(np.exp(v), **k)),
    ),
}


def _reduce(g: Grown, n: list[int]) -> None:
    name, (node, function) = _pick(list(REDUCTIONS.items()), n[0])
    i = n[1] % len(g.nodes)
    v = g.values[i]
    axis = [None, *range(v.ndim), *([(0, v.ndim - 1)] if v.ndim > 1 else [])][n[2] % (v.ndim + 1 + (v.ndim > 1))]
    keep = bool(n[3] % 2)
    if name in ("max", "min"):
        gaps = np.sort(v, axis=None) if axis is None else np.sort(v, axis=axis if isinstance(axis, int) else None)
        _need(np.diff(gaps, axis=-1 if axis is None or not isinstance(axis, int) else axis) > MARGIN)
    g.put(node(g.nodes[i], axis=axis, keepdims=keep), lambda vs: function(vs[i], axis=axis, keepdims=keep), name)


def _softmaxes(g: Grown, n: list[int]) -> None:
    i = n[1] % len(g.nodes)
    v = g.values[i]
    _need(v.ndim > 0)
    axis = n[2] % v.ndim
    kind = ("softmax", "log_softmax", "softmax typed", "log softmax typed")[n[0] % 4]
    a = g.nodes[i]
    typed = gd.exp(a) / gd.sum(gd.exp(a), axis=axis, keepdims=True)
    node = {
        "softmax": lambda: gd.softmax(a, axis),
        "log_softmax": lambda: gd.log_softmax(a, axis),
        "softmax typed": lambda: typed,
        "log softmax typed": lambda: gd.log(typed),
    }[kind]()
    logs = kind.startswith("log")
    g.put(node, lambda vs: np.log(_softmax(vs[i], axis)) if logs else _softmax(vs[i], axis), kind)


def _cross_entropy(g: Grown, n: list[int]) -> None:
    i = n[1] % len(g.nodes)
    v = g.values[i]
    _need(v.ndim == 2 and v.shape[1] > 1)
    classes = v.shape[1]
    labels = np.arange(n[2], n[2] + v.shape[0]) % classes
    a = g.nodes[i]
    _need(all(isinstance(d, int) for d in a.shape))
    node = [
        lambda: gd.cross_entropy(a, gd.constant(labels)),
        lambda: gd.cross_entropy(a, gd.constant(np.eye(classes)[labels])),
        lambda: -gd.sum(gd.constant(np.eye(classes)[labels]) * gd.log(gd.softmax(a)), axis=-1),
        lambda: -gd.log(gd.take_along(gd.softmax(a), labels)),
    ][n[0] % 4]()
    g.put(node, lambda vs: -np.log(_softmax(vs[i], -1))[np.arange(len(labels)), labels], "cross_entropy")


def _matmul(g: Grown, n: list[int]) -> None:
    i, j = n[1] % len(g.nodes), n[2] % len(g.nodes)
    a, b = g.nodes[i], g.nodes[j]
    if n[0] % 2 and b.ndim == 2:
        _need(a.ndim >= 1 and b.ndim == 2 and a.shape[-1] == b.shape[1])
        g.put(a @ b.T, lambda vs: vs[i] @ vs[j].T, "matmul with transpose")
        return
    _need(a.ndim >= 1 and b.ndim >= 1 and a.shape[-1] == b.shape[-2 if b.ndim > 1 else 0])
    _need(a.ndim <= 2 or b.ndim <= 2 or a.shape[:-2] == b.shape[:-2])
    g.put(a @ b, lambda vs: vs[i] @ vs[j], "matmul")


def _rearrange(g: Grown, n: list[int]) -> None:
    i = n[1] % len(g.nodes)
    a, v = g.nodes[i], g.values[i]
    fixed = all(isinstance(d, int) for d in a.shape)
    choices: list[tuple[str, Callable[[], Node], Callable]] = [
        (
            "expand_dims",
            lambda: gd.expand_dims(a, n[2] % (v.ndim + 1)),
            lambda u: np.expand_dims(u, n[2] % (v.ndim + 1)),
        ),
        ("ravel", lambda: gd.reshape(a, (-1,)), lambda u: u.reshape(-1)),
    ]
    if v.ndim > 1:
        order = np.roll(range(v.ndim), n[2])
        choices.append(("transpose", lambda: gd.transpose(a, [int(k) for k in order]), lambda u: u.transpose(order)))
    if v.ndim > 0:
        axis, size = n[2] % v.ndim, v.shape[n[2] % v.ndim]
        widths = [(n[3] % 2, n[2] % 3) if k == axis else (0, 0) for k in range(v.ndim)]
        choices.append(("pad", lambda: gd.pad(a, widths, 0.5), lambda u: np.pad(u, widths, constant_values=0.5)))
        if isinstance(a.shape[axis], int) and size > 0:
            indices = np.arange(n[3], n[3] + 3) * 2 % size
            whole = (slice(None),) * axis
            choices += [
                ("take", lambda: gd.take(a, indices, axis=axis), lambda u: np.take(u, indices, axis=axis)),
                ("first", lambda: a[(*whole, 0)], lambda u: u[(*whole, 0)]),
                ("last", lambda: a[(*whole, -1)], lambda u: u[(*whole, -1)]),
                ("every other", lambda: a[(*whole, slice(0, size, 2))], lambda u: u[(*whole, slice(0, size, 2))]),
            ]
            if size > 1:
                choices.append(
                    (
                        "split",
                        lambda: gd.split(a, [1, size - 1], axis=axis)[n[3] % 2],
                        lambda u: np.split(u, [1], axis=axis)[n[3] % 2],
                    )
                )
        else:
            choices.append(("tail", lambda: a[-1:], lambda u: u[-1:]))
    if fixed:
        choices.append(
            ("copies", lambda: gd.broadcast_to(a, (2, *v.shape)), lambda u: np.broadcast_to(u, (2, *v.shape)))
        )
        if v.ndim > 1:
            choices.append(("sum_to", lambda: gd.sum_to(a, v.shape[1:]), lambda u: u.sum(0)))
    name, node, function = _pick(choices, n[0])
    g.put(node(), lambda vs: function(vs[i]), name)


def _together(g: Grown, n: list[int]) -> None:
    i, j = n[1] % len(g.nodes), n[2] % len(g.nodes)
    a, b = g.nodes[i], g.nodes[j]
    if n[0] % 3 == 0:
        _need(a.shape == b.shape)
        g.put(gd.stack([a, b], axis=0), lambda vs: np.stack([vs[i], vs[j]]), "stack")
    elif n[0] % 3 == 1:
        _need(a.ndim == b.ndim > 0)
        axis = n[3] % a.ndim
        _need(all(p == q for k, (p, q) in enumerate(zip(a.shape, b.shape, strict=True)) if k != axis))
        g.put(gd.concat([a, b, a], axis), lambda vs: np.concatenate([vs[i], vs[j], vs[i]], axis), "concat")
    else:
        _need(a.shape == b.shape)
        g.put(gd.add_n(a, b, a), lambda vs: vs[i] + vs[j] + vs[i], "add_n")


KINDS = [_unary, _unary, _unary, _binary, _binary, _reduce, _softmaxes, _cross_entropy, _matmul, _rearrange, _rearrange]
KINDS.append(_together)


def _pick(choices: list, number: int) -> Any:
    return choices[number % len(choices)]


_NUMBER = st.integers(0, 59)
plans = st.tuples(
    st.lists(st.sampled_from(INPUT_SHAPES), min_size=1, max_size=3),
    st.booleans(),
    st.integers(0, 2**32 - 1),
    st.lists(st.tuples(st.integers(0, len(KINDS) - 1), _NUMBER, _NUMBER, _NUMBER, _NUMBER), min_size=3, max_size=14),
)


def grow(plan: Any) -> Grown:
    """The graph and the closure that a drawn plan describes; in a batch, the first input has N rows."""
    shapes, batched, seed, steps = plan
    random = np.random.default_rng(seed)
    g = Grown()
    for k, shape in enumerate(shapes):
        rows = batched and k == 0 and len(shape) == 2
        known = ("N", *shape[1:]) if rows else shape
        array = random.uniform(-1.5, 1.5, (ROWS, *shape[1:]) if rows else shape)
        node = gd.placeholder(known, "float64", name=f"x{k}")
        g.inputs.append(node)
        g.arrays.append(array)
        g.put(node, lambda vs, k=k, array=array: vs[k] if k < len(vs) else array, "input")
    for kind, *numbers in steps:
        try:
            KINDS[kind](g, numbers)
        except Skipped:
            continue
    return g
