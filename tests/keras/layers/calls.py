"""Layers called on arrays: alone in a model, or with the nodes of training."""

from __future__ import annotations

from typing import Any

import numpy as np

import graphdl as gd
from graphdl import keras

RNG = np.random.default_rng(7)


def normal(*shape: int) -> np.ndarray[Any, Any]:
    """Standard normal numbers, float32."""
    return RNG.normal(size=shape).astype("float32")


def outputs_of(layer: Any, *xs: np.ndarray[Any, Any]) -> tuple[keras.Model, np.ndarray[Any, Any]]:
    """A model of the layer alone, and what it gives for one array or a list of them."""
    inputs = [keras.Input(x.shape[1:], dtype=x.dtype.name, name=f"x{i}") for i, x in enumerate(xs)]
    model = keras.Model(inputs, layer(inputs if len(inputs) > 1 else inputs[0]))
    return model, model.predict(list(xs) if len(xs) > 1 else xs[0], verbose=0)


def with_weights(layer: Any, x: np.ndarray[Any, Any]) -> tuple[list[np.ndarray[Any, Any]], np.ndarray[Any, Any]]:
    """Normal weights for the layer, and what it gives with them."""
    model, _ = outputs_of(layer, x)
    weights = [RNG.normal(size=w.shape).astype("float32") for w in layer.weights]
    model.set_weights(weights)
    return weights, model.predict(x, verbose=0)


def in_training(layer: Any, x: np.ndarray[Any, Any], seed: int = 3) -> np.ndarray[Any, Any]:
    """What the layer gives in training."""
    fed = gd.placeholder((None, *x.shape[1:]), x.dtype.name, name="x")
    found: np.ndarray[Any, Any] = gd.Session(seed=seed).run(layer(fed, training=True), {fed: x})
    return found


def check_gradients(layer: Any, *shapes: tuple[int, ...], weights_of: Any = None) -> None:
    """The gradients of the layer for its inputs and weights, against differences, in float64."""
    fed = [gd.placeholder((2, *shape), "float64", name=f"x{i}") for i, shape in enumerate(shapes)]
    y = layer(fed if len(fed) > 1 else fed[0])
    weights = gd.constant(RNG.normal(size=y.shape), "float64")
    values = {x: RNG.normal(size=x.shape) for x in fed}
    trained = (weights_of or layer).trainable_weights
    checks = gd.check_gradients(gd.sum(y * weights), [*fed, *trained], values)
    assert len(checks) == len(fed) + len(trained)
    assert all(check.ok for check in checks), checks


def named(layer: Any) -> list[tuple[str, tuple[int, ...]]]:
    """Names and shapes of the weights, in the order of `get_weights`."""
    return [(w.name, tuple(w.shape)) for w in layer.weights]
