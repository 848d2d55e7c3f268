"""Activation functions by name; any function from node to node will do."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from graphdl.errors import GraphError
from graphdl.ir.node import Node
from graphdl.keras.lookup import by_name
from graphdl.ops.nn import log_softmax, softmax
from graphdl.ops.transcendental import elu as _elu
from graphdl.ops.transcendental import exp as exponential
from graphdl.ops.transcendental import gelu, relu, selu, sigmoid, silu, softplus, tanh
from graphdl.ops.transcendental import leaky_relu as _leaky_relu

Activation = Callable[[Node], Node]

swish = silu


def linear(x: Node) -> Node:
    """`x` itself."""
    return x


def elu(x: Node, alpha: float = 1.0) -> Node:
    """`x` above 0, ``alpha (exp x - 1)`` below."""
    return _elu(x, alpha)


def leaky_relu(x: Node, negative_slope: float = 0.2) -> Node:
    """`x` above 0, ``negative_slope x`` below."""
    return _leaky_relu(x, negative_slope)


_KNOWN: dict[str, Activation] = {
    "linear": linear,
    "relu": relu,
    "sigmoid": sigmoid,
    "tanh": tanh,
    "softmax": softmax,
    "log_softmax": log_softmax,
    "softplus": softplus,
    "elu": elu,
    "selu": selu,
    "gelu": gelu,
    "silu": silu,
    "swish": swish,
    "leaky_relu": leaky_relu,
    "exponential": exponential,
}


def get(identifier: Any) -> Activation:
    """The activation of that name, or the function given; None is linear."""
    if identifier is None:
        return linear
    if isinstance(identifier, str):
        return by_name("activation", identifier, _KNOWN)
    if callable(identifier):
        found: Activation = identifier
        return found
    raise GraphError(f"an activation is {identifier!r:.60}, expected a name such as 'relu', or a function of a node")


__all__ = [
    "elu",
    "exponential",
    "gelu",
    "get",
    "leaky_relu",
    "linear",
    "log_softmax",
    "relu",
    "selu",
    "sigmoid",
    "silu",
    "softmax",
    "softplus",
    "swish",
    "tanh",
]
