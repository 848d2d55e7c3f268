"""Networks with scopes, repeats, forks and wide ops, to be drawn."""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise

import numpy as np

import graphdl as gd
from tests.draw.stories import Story


def _weights(seed: int, *shape: int) -> np.ndarray:
    return np.random.default_rng(seed).normal(0, 0.5, shape).astype("float32")


def dense(sizes: list[int], activation: Callable[[gd.Node], gd.Node] = gd.sigmoid) -> Story:
    """Layers in scopes dense_0, dense_1, …, and a loss in a scope of its own."""
    x, labels = gd.placeholder((None, sizes[0]), name="X"), gd.placeholder((None,), "int64", name="labels")
    h = x
    for i, (rows, columns) in enumerate(pairwise(sizes)):
        with gd.name_scope(f"dense_{i}"):
            kernel = gd.Variable(_weights(i, rows, columns), name="kernel")
            bias = gd.Variable(np.zeros(columns, "float32"), name="bias")
            h = activation(h @ kernel + bias)
    with gd.name_scope("loss"):
        loss = gd.mean(gd.cross_entropy(h, labels), name="loss")
    return Story(loss, {"X": _weights(99, 4, sizes[0]), "labels": np.arange(4) % sizes[-1]})


def digits() -> Story:
    return dense([64, 32, 16, 10], gd.relu)


def deep() -> Story:
    return dense([8] * 11)


def residual(blocks: int = 3) -> Story:
    x, y = gd.placeholder((None, 4), name="X"), gd.placeholder((None, 4), name="y")
    h = x
    for i in range(blocks):
        with gd.name_scope(f"block_{i + 1}"):
            first, second = (gd.Variable(_weights(2 * i + k, 4, 4), name=f"W{k + 1}") for k in range(2))
            h = h + gd.relu(h @ first) @ second
    with gd.name_scope("loss"):
        loss = gd.mean(gd.square(h - y), name="loss")
    return Story(loss, {"X": _weights(50, 3, 4), "y": _weights(51, 3, 4)})


def recurrent(steps: int) -> Story:
    """One cell applied again and again: all steps share their parameters."""
    w, u = gd.Variable(_weights(0, 3, 4), name="W"), gd.Variable(_weights(1, 4, 4), name="U")
    h = gd.placeholder((None, 4), name="h0")
    feeds = {"h0": np.zeros((2, 4), "float32")}
    for t in range(1, steps + 1):
        x = gd.placeholder((None, 3), name=f"x{t}")
        feeds[f"x{t}"] = _weights(t, 2, 3)
        with gd.name_scope(f"step_{t}"):
            h = gd.tanh(x @ w + h @ u)
    return Story(gd.mean(gd.square(h), name="loss"), feeds)


def lstm() -> Story:
    """One step of a long short-term memory, unrolled by hand."""
    weights = {gate: gd.Variable(_weights(i, 7, 4), name=f"W{gate}") for i, gate in enumerate("ifog")}
    bias = {gate: gd.Variable(np.zeros(4, "float32"), name=f"b{gate}") for gate in "ifog"}
    x, h, c = (gd.placeholder((None, n), name=name) for name, n in (("x", 3), ("h0", 4), ("c0", 4)))
    with gd.name_scope("step"):
        both = gd.concat([x, h], -1)
        i, f, o = (gd.sigmoid(both @ weights[g] + bias[g], name=g) for g in "ifo")
        c = gd.add(f * c, i * gd.tanh(both @ weights["g"] + bias["g"], name="g"), name="c")
        h = gd.multiply(o, gd.tanh(c), name="h")
    feeds = {"x": _weights(60, 2, 3), "h0": _weights(61, 2, 4), "c0": _weights(62, 2, 4)}
    return Story(gd.mean(gd.square(h), name="loss"), feeds)


def twelve_inputs() -> Story:
    a = gd.placeholder((), "float64", name="a")
    parts = [gd.Variable(float(i), "float64", name=f"w{i}") * a for i in range(12)]
    return Story(gd.square(gd.add_n(*parts), name="L"), {"a": 2.0})


def nested() -> Story:
    """Scopes in scopes."""
    x = gd.placeholder((None, 4), name="X")
    h = x
    for part in ("encoder", "decoder"):
        for i in range(2):
            with gd.name_scope(f"{part}/layer_{i}"):
                h = gd.tanh(h @ gd.Variable(_weights(i, 4, 4), name="W"))
    return Story(gd.mean(gd.square(h - x), name="loss"), {"X": _weights(70, 3, 4)})


NETWORKS: list[Callable[[], Story]] = [digits, deep, residual, lstm, twelve_inputs, nested]
