"""Recurrent networks written out in NumPy, and recurrent layers with their gradients in float64."""

from __future__ import annotations

from typing import Any

import numpy as np

import graphdl as gd
from graphdl import keras

N, T, D, H = 3, 5, 4, 6
COLUMNS = {"SimpleRNN": 1, "LSTM": 4, "GRU": 3}


def normal(*shape: int, seed: int = 0) -> np.ndarray[Any, Any]:
    return np.random.default_rng(seed).normal(0, 0.7, shape)


def sigmoid(x):
    return 1 / (1 + np.exp(-x))


def layer(kind: str, units: int = H, **options: Any) -> Any:
    """A layer in float64; its weights begin as what `weights_of` gives."""
    return getattr(keras.layers, kind)(units, dtype="float64", **options)


def weights_of(kind: str, width: int = D, units: int = H) -> list[np.ndarray[Any, Any]]:
    """Kernel, recurrent kernel and bias, in the layout of Keras."""
    columns = COLUMNS[kind] * units
    shape = (2, columns) if kind == "GRU" else (columns,)
    return [normal(width, columns, seed=1), normal(units, columns, seed=2), normal(*shape, seed=3)]


def step(kind: str, weights: Any, x: Any, states: list[Any]) -> list[Any]:
    """The states after one step, as the papers write it."""
    W, U, b = weights
    h = states[0]
    if kind == "SimpleRNN":
        return [np.tanh(x @ W + h @ U + b)]
    if kind == "LSTM":
        i, f, g, o = np.split(x @ W + h @ U + b, 4, axis=1)
        c = sigmoid(f) * states[1] + sigmoid(i) * np.tanh(g)
        return [sigmoid(o) * np.tanh(c), c]
    (x_z, x_r, x_h), (h_z, h_r, h_h) = np.split(x @ W + b[0], 3, axis=1), np.split(h @ U + b[1], 3, axis=1)
    z, r = sigmoid(x_z + h_z), sigmoid(x_r + h_r)
    return [z * h + (1 - z) * np.tanh(x_h + r * h_h)]


def written_out(kind, weights, x, states=None, mask=None, backwards=False):
    """The results of all steps in the order of the sequence, and the last states."""
    count = 2 if kind == "LSTM" else 1
    states = [np.zeros((len(x), weights[1].shape[0])) for _ in range(count)] if states is None else list(states)
    before, ys = np.zeros((len(x), weights[1].shape[0])), {}
    for t in reversed(range(x.shape[1])) if backwards else range(x.shape[1]):
        new = step(kind, weights, x[:, t], states)
        is_there = np.ones((len(x), 1), bool) if mask is None else mask[:, t, None]
        states = [np.where(is_there, a, b) for a, b in zip(new, states, strict=True)]
        before = ys[t] = np.where(is_there, new[0], before)
    return np.stack([ys[t] for t in range(x.shape[1])], axis=1), states


def run(made: Any, *arrays: Any, weights: Any = None, call: Any = None, gradients: bool = False) -> list[Any]:
    """What the layer gives for the arrays; with `gradients` those of a weighted sum, for weights and float inputs.

    The weighted sum of result number k takes the normal numbers of seed ``10 + k``.
    """
    nodes = [keras.Input(a.shape[1:], batch_size=len(a), dtype=a.dtype.name) for a in arrays]
    results = (call or (lambda layer, x: layer(x[0])))(made, nodes)
    results = results if isinstance(results, list) else [results]
    model = keras.Model(nodes, results)
    if weights is not None:
        made.set_weights(weights)
    fetches = list(results)
    if gradients:
        wanted = [*made.trainable_weights, *(n for n in nodes if n.dtype == "float64")]
        terms = [gd.sum(y * normal(*y.shape, seed=10 + k)) for k, y in enumerate(results)]
        fetches += gd.gradients(sum(terms[1:], terms[0]), wanted)
    return model.start().run(fetches, dict(zip(nodes, arrays, strict=True)))


def same(found: Any, expected: Any, rtol: float = 1e-10) -> None:
    """Arrays that agree, one by one."""
    for a, b in zip(found, expected, strict=True):
        np.testing.assert_allclose(a, b, rtol=rtol, atol=1e-12)
