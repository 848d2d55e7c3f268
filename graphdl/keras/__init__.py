"""Keras' high-level interface over graphdl's graphs: names, arguments, defaults and formulas of Keras 3.

Layers, losses, metrics and optimizers only build graph nodes; a model trains in a session.
"""

from graphdl.keras import (
    activations,
    callbacks,
    constraints,
    datasets,
    initializers,
    layers,
    losses,
    metrics,
    models,
    optimizers,
    preprocessing,
    random,
    regularizers,
    saving,
    utils,
    wrappers,
)
from graphdl.keras.layers import Input
from graphdl.keras.models import Model, Sequential
from graphdl.keras.recording import Recorder

__all__ = [
    "Input",
    "Model",
    "Recorder",
    "Sequential",
    "activations",
    "callbacks",
    "constraints",
    "datasets",
    "initializers",
    "layers",
    "losses",
    "metrics",
    "models",
    "optimizers",
    "preprocessing",
    "random",
    "regularizers",
    "saving",
    "utils",
    "wrappers",
]
