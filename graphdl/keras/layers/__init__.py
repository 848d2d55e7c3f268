"""Layers, with the names, arguments and defaults of Keras 3."""

from graphdl.keras.layer import Layer
from graphdl.keras.layers.core import Activation, Dense, Dropout, Flatten, Input, InputLayer, ReLU, Softmax

__all__ = [
    "Activation",
    "Dense",
    "Dropout",
    "Flatten",
    "Input",
    "InputLayer",
    "Layer",
    "ReLU",
    "Softmax",
]
