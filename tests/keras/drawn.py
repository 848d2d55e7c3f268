"""Targets and predictions of `n` examples, drawn for the tests that compare losses and metrics with Keras itself."""

from __future__ import annotations

import numpy as np

C = 4


def softmax(z):
    return np.exp(z) / np.exp(z).sum(-1, keepdims=True)


def numbers(rng, n):
    return tuple(rng.normal(size=(2, n, C)).astype("f"))


def positive(rng, n):
    return tuple(rng.uniform(0.1, 3, size=(2, n, C)).astype("f"))


def bits(rng, n):
    return rng.integers(0, 2, size=(n, C)).astype("f"), rng.uniform(0.01, 0.99, size=(n, C)).astype("f")


def bit_logits(rng, n):
    return bits(rng, n)[0], (3 * rng.normal(size=(n, C))).astype("f")


def hot(rng, n):
    return np.eye(C, dtype="f")[rng.integers(0, C, n)], softmax(rng.normal(size=(n, C))).astype("f")


def hot_logits(rng, n):
    return hot(rng, n)[0], (3 * rng.normal(size=(n, C))).astype("f")


def rows(rng, n):
    return hot(rng, n)[1], hot(rng, n)[1]


def classes(rng, n):
    return rng.integers(0, C, n), hot(rng, n)[1]


def class_logits(rng, n):
    return rng.integers(0, C, n), hot_logits(rng, n)[1]


def pixels(rng, n):
    """Class numbers of a row of three each, one of them 255, which is no class."""
    labels = rng.integers(0, C, (n, 3))
    labels[0, 1] = 255
    return labels, softmax(rng.normal(size=(n, 3, C))).astype("f")


def ranked(rng, n):
    """Class numbers, and for each all of them in some order."""
    return rng.integers(0, C, n), np.array([rng.permutation(C) for _ in range(n)]).astype("f")


def embeddings(rng, n):
    """Two classes of unit vectors."""
    x = rng.normal(size=(n, C))
    return np.arange(n) % 2, (x / np.linalg.norm(x, axis=1, keepdims=True)).astype("f")


def sequences(rng, n):
    """Labels of up to three symbols, 0 behind them, and logits of nine steps."""
    labels = rng.integers(1, C, (n, 3)) * (np.arange(3) < rng.integers(0, 4, (n, 1)))
    return labels, (2 * rng.normal(size=(n, 9, C))).astype("f")
