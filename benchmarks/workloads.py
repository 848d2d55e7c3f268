"""The workloads as graphdl graphs: the updates of one training step, and what is fed."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np

import graphdl as gd

SIZES = (784, 1024, 512, 256, 128, 64, 10)


@dataclass(frozen=True)
class Workload:
    """Placeholders, updates and first values of the parameters."""

    feeds: tuple[gd.Node, gd.Node]
    updates: gd.Updates
    weights: list[Any]
    biases: list[Any]


def linear() -> Workload:
    """W1a: one Dense(1), mean squared error, SGD."""
    x, y = gd.placeholder((None, 1), name="x"), gd.placeholder((None, 1), name="y")
    weights, biases = [np.full((1, 1), 0.3, "f")], [np.zeros(1, "f")]
    W, b = gd.Variable(weights[0], name="W"), gd.Variable(biases[0], name="b")
    loss = gd.mean(gd.square(x @ W + b - y))
    updates = [gd.assign(p, p - 0.01 * g) for p, g in zip((W, b), gd.gradients(loss, [W, b]), strict=True)]
    return Workload((x, y), gd.group(*updates), weights, biases)


def xor() -> Workload:
    """W1b: 2-8-1, sigmoid, binary cross-entropy, Adam."""
    x, y = gd.placeholder((None, 2), name="x"), gd.placeholder((None, 1), name="y")
    weights, biases, parameters = _parameters((2, 8, 1))
    h = gd.sigmoid(x @ parameters[0] + parameters[1])
    loss = gd.mean(gd.sigmoid_cross_entropy(h @ parameters[2] + parameters[3], y))
    return Workload((x, y), adam(loss, parameters), weights, biases)


def classifier() -> Workload:
    """W2: 784-1024-512-256-128-64-10, ReLU, softmax, sparse cross-entropy, Adam."""
    x, labels = gd.placeholder((None, SIZES[0]), name="x"), gd.placeholder((None,), "int64", name="labels")
    weights, biases, parameters = _parameters(SIZES)
    h = x
    for i in range(0, len(parameters), 2):
        h = h @ parameters[i] + parameters[i + 1]
        h = gd.relu(h) if i < len(parameters) - 2 else h
    return Workload((x, labels), adam(gd.mean(gd.cross_entropy(h, labels)), parameters), weights, biases)


def adam(loss: gd.Node, parameters: list[gd.Node], rate: float = 1e-3) -> gd.Updates:
    """Keras' Adam, as a graph."""
    t = gd.Variable(0.0, trainable=False, name="t")
    now = t + 1
    alpha = rate * gd.sqrt(1 - gd.power(0.999, now)) / (1 - gd.power(0.9, now))
    updates = [gd.assign(t, now)]
    for p, g in zip(parameters, gd.gradients(loss, parameters), strict=True):
        m = gd.Variable(np.zeros(p.shape, "f"), trainable=False, name="m")
        v = gd.Variable(np.zeros(p.shape, "f"), trainable=False, name="v")
        m1, v1 = m + (g - m) * 0.1, v + (gd.square(g) - v) * 0.001
        new = p - m1 * alpha / (gd.sqrt(v1) + 1e-7)
        updates += [gd.assign(m, m1), gd.assign(v, v1), gd.assign(p, new)]
    return gd.group(*updates)


def chain(length: int) -> tuple[gd.Node, gd.Node]:
    """A chain of ops on elements over one placeholder and one variable: the loss and its gradient."""
    x, w = gd.placeholder((None,), name="x"), gd.Variable(1.0, name="w")
    h = x
    for i in range(length):
        h = _link(i % 5, h, x, w)
    loss = gd.mean(h)
    return loss, gd.gradients(loss, w)


def _link(kind: int, h: gd.Node, x: gd.Node, w: gd.Node) -> gd.Node:
    if kind == 0:
        return h * w
    if kind == 1:
        return gd.tanh(h)
    if kind == 2:
        return h + x
    return gd.sigmoid(h) if kind == 3 else h * 0.5


def _parameters(sizes: tuple[int, ...]) -> tuple[list[Any], list[Any], list[gd.Node]]:
    rng = np.random.default_rng(0)
    weights = [(rng.standard_normal(s) * np.sqrt(2 / s[0])).astype("f") for s in pairwise(sizes)]
    biases = [np.zeros(w.shape[1], "f") for w in weights]
    pairs = zip(weights, biases, strict=True)
    return weights, biases, [gd.Variable(array) for pair in pairs for array in pair]
