"""Constraints: what a weight is brought back to after each step, as part of the update graph; Keras 3's formulas."""

from __future__ import annotations

from typing import Any

from graphdl.errors import GraphError
from graphdl.ir.node import Node
from graphdl.keras.checks import number
from graphdl.keras.lookup import Configured, Kind, serialize
from graphdl.ops.arithmetic import clip, maximum, sqrt, square
from graphdl.ops.reduce import sum

EPSILON = 1e-7

Axis = int | tuple[int, ...]


class Constraint(Configured):
    """Maps the new value of a weight to one that is allowed. Subclasses write it in `__call__`."""

    def __call__(self, w: Node) -> Node:
        """The allowed value nearest in kind to `w`."""
        raise NotImplementedError


class MaxNorm(Constraint):
    """Norms along `axis` of at most `max_value`; for a Dense kernel axis 0 is what enters one unit."""

    def __init__(self, max_value: float = 2, axis: Axis = 0) -> None:
        self.max_value, self.axis = number("max_value", max_value), _axis(axis)

    def __call__(self, w: Node) -> Node:
        """``w min(norm, max_value) / (norm + epsilon)``"""
        norms = _norms(w, self.axis)
        return w * (clip(norms, 0, self.max_value) / (EPSILON + norms))


class NonNeg(Constraint):
    """No element below 0."""

    def __call__(self, w: Node) -> Node:
        """``max(w, 0)``"""
        return maximum(w, 0)


class UnitNorm(Constraint):
    """Norms along `axis` of 1."""

    def __init__(self, axis: Axis = 0) -> None:
        self.axis = _axis(axis)

    def __call__(self, w: Node) -> Node:
        """``w / (norm + epsilon)``"""
        return w / (EPSILON + _norms(w, self.axis))


class MinMaxNorm(Constraint):
    """Norms along `axis` between `min_value` and `max_value`, of the way to which `rate` is gone in each step."""

    def __init__(self, min_value: float = 0.0, max_value: float = 1.0, rate: float = 1.0, axis: Axis = 0) -> None:
        self.min_value, self.max_value = number("min_value", min_value), number("max_value", max_value)
        if min_value > max_value:
            raise GraphError(f"MinMaxNorm: min_value {min_value} is above max_value {max_value}")
        self.rate, self.axis = rate, _axis(axis)

    def __call__(self, w: Node) -> Node:
        """``w (rate clip(norm) + (1 - rate) norm) / (norm + epsilon)``"""
        norms = _norms(w, self.axis)
        inside = clip(norms, self.min_value, self.max_value)
        wanted = inside if self.rate == 1 else self.rate * inside + (1 - self.rate) * norms
        return w * (wanted / (EPSILON + norms))


_KNOWN: dict[str, type[Constraint]] = {
    "max_norm": MaxNorm,
    "maxnorm": MaxNorm,
    "non_neg": NonNeg,
    "nonneg": NonNeg,
    "unit_norm": UnitNorm,
    "unitnorm": UnitNorm,
    "min_max_norm": MinMaxNorm,
    "minmaxnorm": MinMaxNorm,
}
max_norm, non_neg, unit_norm, min_max_norm = MaxNorm, NonNeg, UnitNorm, MinMaxNorm


_KIND = Kind("a constraint", Constraint, _KNOWN, "a name such as 'max_norm', or an object")
deserialize = _KIND.deserialize


def get(identifier: Any) -> Constraint | None:
    """The constraint of that name, or the one given, or a function of a node as one; None for None."""
    return None if identifier is None else _KIND.get(identifier, _OfFunction)


class _OfFunction(Constraint):
    """A function of a node as a constraint."""

    def __init__(self, function: Any) -> None:
        self.function = function

    def __call__(self, w: Node) -> Node:
        """What the function gives."""
        found = self.function(w)
        if not isinstance(found, Node) or found.type != w.type:
            raise GraphError(f"a constraint of {w.label} gives {found!r:.60}, expected a node of type {w.type}")
        return found


def _norms(w: Node, axis: Axis) -> Node:
    return sqrt(sum(square(w), axis=axis, keepdims=True))


def _axis(axis: Any) -> Axis:
    return tuple(axis) if isinstance(axis, list | tuple) else axis


__all__ = [
    "Constraint",
    "MaxNorm",
    "MinMaxNorm",
    "NonNeg",
    "UnitNorm",
    "deserialize",
    "get",
    "max_norm",
    "min_max_norm",
    "non_neg",
    "serialize",
    "unit_norm",
]
