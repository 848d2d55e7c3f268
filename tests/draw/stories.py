"""The golden examples: a loss, its feeds, and gradients by hand or from a book."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np

import graphdl as gd


@dataclass(frozen=True)
class Story:
    """A loss with what it is fed, what it is worth, and its gradients by the names of the leaves."""

    loss: gd.Node
    feeds: dict[str, Any] = field(default_factory=dict)
    value: float | None = None
    gradients: dict[str, float] = field(default_factory=dict)
    wrt: Any = None


def _given(*names: str) -> list[gd.Node]:
    return [gd.placeholder((), "float64", name=name) for name in names]


def apple_shop() -> Story:
    apple, count, tax = _given("apple", "count", "tax")
    price = gd.multiply(apple * count, tax, name="price")
    feeds = {"apple": 100.0, "count": 2.0, "tax": 1.1}
    return Story(price, feeds, 220.0, {"apple": 2.2, "count": 110.0, "tax": 200.0})


def apples_and_oranges() -> Story:
    a, n, o, m, tax = _given("apple", "apples", "orange", "oranges", "tax")
    price = gd.multiply(a * n + o * m, tax, name="price")
    feeds = {"apple": 100.0, "apples": 2.0, "orange": 150.0, "oranges": 3.0, "tax": 1.1}
    slopes = {"apple": 2.2, "apples": 110.0, "orange": 3.3, "oranges": 165.0, "tax": 650.0}
    return Story(price, feeds, 715.0, slopes)


def square_of_sum() -> Story:
    x, y = _given("x", "y")
    return Story(gd.square(gd.add(x, y, name="t"), name="z"), {"x": 1.0, "y": 2.0}, 9.0, {"x": 6.0, "y": 6.0})


def cs231n() -> Story:
    x, y, z = _given("x", "y", "z")
    f = gd.multiply(gd.add(x, y, name="q"), z, name="f")
    return Story(f, {"x": -2.0, "y": 5.0, "z": -4.0}, -12.0, {"x": -4.0, "y": -4.0, "z": 3.0})


def fan_out() -> Story:
    (x,) = _given("x")
    return Story(x * x + x, {"x": 3.0}, 12.0, {"x": 7.0})


def neuron() -> Story:
    """The sigmoid neuron of the CS231n notes: 0.73, and the gradients of its two weights and bias."""
    w0, x0, w1, x1, w2 = _given("w0", "x0", "w1", "x1", "w2")
    s = gd.sigmoid(w0 * x0 + w1 * x1 + w2, name="s")
    feeds = {"w0": 2.0, "x0": -1.0, "w1": -3.0, "x1": -2.0, "w2": -3.0}
    slope = 0.19661193324148185
    return Story(
        s, feeds, 0.7310585786300049, {"w0": -slope, "x0": 2 * slope, "w1": -2 * slope, "x1": -3 * slope, "w2": slope}
    )


def squared_neuron() -> Story:
    """Trained weights, fixed data: the data has no gradients."""
    x, y = _given("x", "y")
    w, b = gd.Variable(0.8, "float64", name="w"), gd.Variable(-0.2, "float64", name="b")
    return Story(gd.square(gd.sigmoid(gd.add(w * x, b, name="z"), name="a") - y, name="loss"), {"x": 1.5, "y": 1.0})


def xor() -> Story:
    """The network of the course with fixed weights."""
    X, Y = gd.placeholder((None, 2), name="X"), gd.placeholder((None, 1), name="Y")
    W1 = gd.Variable(np.array([[5, -7], [5, -7]], "float32"), name="W1")
    b1 = gd.Variable(np.array([-8, 3], "float32"), name="b1")
    W2 = gd.Variable(np.array([[-11], [-11]], "float32"), name="W2")
    b2 = gd.Variable(np.array([6], "float32"), name="b2")
    p = gd.sigmoid(gd.sigmoid(X @ W1 + b1, name="h") @ W2 + b2, name="p")
    feeds = {"X": np.array([[0, 0], [0, 1], [1, 0], [1, 1]], "float32"), "Y": np.array([[0], [1], [1], [0]], "float32")}
    return Story(gd.mean(gd.square(p - Y), name="loss"), feeds)


def cross_entropy() -> Story:
    z, y = gd.placeholder((None, 3), "float64", name="z"), gd.placeholder((None,), "int64", name="y")
    return Story(
        gd.mean(gd.cross_entropy(z, y), name="loss"), {"z": np.array([[2.0, 1, -1], [0, 3, 0.5]]), "y": [0, 2]}
    )


def layers(depth: int = 2, width: int = 8) -> Story:
    """A network in scopes, as the layers of a model make it."""
    X, labels = gd.placeholder((None, width), name="X"), gd.placeholder((None,), "int64", name="labels")
    random = np.random.default_rng(0)
    h = X
    for i in range(depth):
        with gd.name_scope(f"dense_{i}"):
            W = gd.Variable(random.normal(0, 0.3, (width, width)).astype("float32"), name="kernel")
            b = gd.Variable(np.zeros(width, "float32"), name="bias")
            h = gd.relu(h @ W + b)
    with gd.name_scope("loss"):
        loss = gd.mean(gd.cross_entropy(h, labels), name="loss")
    feeds = {"X": random.random((4, width)).astype("float32"), "labels": random.integers(0, width, 4)}
    return Story(loss, feeds)


def chain(length: int) -> Story:
    """A long line of products and sums over one input: its backward pass makes the graph U-shaped."""
    (x,) = _given("x")
    y = x
    for i in range(length):
        y = y * x if i % 2 else y + x
    return Story(y, {"x": 0.5})


SCALARS: list[Callable[[], Story]] = [
    apple_shop,
    apples_and_oranges,
    square_of_sum,
    cs231n,
    fan_out,
    neuron,
    squared_neuron,
]
ALL: list[Callable[[], Story]] = [*SCALARS, xor, cross_entropy, layers]
