"""The networks that sheets are tried on, with their gradients written out in NumPy."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

import graphdl as gd

W1 = np.array([[0.2, -0.4, 0.1], [0.5, 0.3, -0.2], [-0.3, 0.1, 0.4], [0.1, 0.2, -0.5]])
W2 = np.array([[0.6], [-0.3], [0.8]])
X = np.array([[1.0, 0.5, -1.5, 2.0]])
Y = np.array([[1.0]])


@dataclass(frozen=True)
class Case:
    """A loss, its leaves by name, what it is fed."""

    loss: gd.Node
    leaves: dict[str, gd.Node]
    feeds: dict[Any, Any]


def course(activation: str = "sigmoid", examples: int = 1, dtype: str = "float64", bias: bool = False) -> Case:
    """4 inputs, 3 hidden units, 1 output; the first example is always the same."""
    x = gd.placeholder((None, 4), dtype, name="x")
    y = gd.placeholder((None, 1), dtype, name="y")
    leaves = {"x": x, "y": y}
    leaves["W1"] = gd.Variable(W1.astype(dtype), name="W1")
    leaves["W2"] = gd.Variable(W2.astype(dtype), name="W2")
    z1 = gd.matmul(x, leaves["W1"], name=None if bias else "z1")
    if bias:
        leaves["b1"] = gd.Variable(np.array([0.1, -0.2, 0.3], dtype), name="b1")
        z1 = gd.add(z1, leaves["b1"], name="z1")
    hidden = {"linear": lambda z: z, "sigmoid": gd.sigmoid, "tanh": gd.tanh, "relu": gd.relu}[activation](z1)
    loss = gd.mean(gd.square(y - gd.matmul(hidden, leaves["W2"], name="a2")), name="L")
    return Case(loss, leaves, data(x, y, examples, dtype))


def data(x: gd.Node, y: gd.Node, examples: int, dtype: str) -> dict[Any, Any]:
    random = np.random.default_rng(1)
    more = random.normal(size=(examples - 1, 4)), random.normal(size=(examples - 1, 1))
    return {x: np.vstack([X, more[0]]).astype(dtype), y: np.vstack([Y, more[1]]).astype(dtype)}


def by_hand(activation: str, x: Any, y: Any) -> tuple[Any, Any]:
    """Gradients for W1 and W2: the chain rule as the course writes it."""
    z1 = x @ W1
    if activation == "linear":
        a1, slope = z1, np.ones_like(z1)
    elif activation == "sigmoid":
        a1 = 1 / (1 + np.exp(-z1))
        slope = a1 * (1 - a1)
    elif activation == "tanh":
        a1 = np.tanh(z1)
        slope = 1 - a1**2
    else:
        a1, slope = np.maximum(z1, 0), (z1 > 0).astype(float)
    delta2 = -2 * (y - a1 @ W2) / len(x)
    delta1 = (delta2 @ W2.T) * slope
    return x.T @ delta1, a1.T @ delta2


def scalars(*names: str) -> list[gd.Node]:
    return [gd.placeholder((), "float64", name=name) for name in names]
