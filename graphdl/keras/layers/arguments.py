"""Checks of what layers are made with and called on, and older names of their arguments."""

from __future__ import annotations

from typing import Any

import numpy as np

from graphdl.errors import GraphError, ShapeError, did_you_mean, listed
from graphdl.ir.node import Node
from graphdl.ir.text import plain
from graphdl.ir.types import FLOATS
from graphdl.keras import constraints, initializers, regularizers
from graphdl.keras.checks import integer
from graphdl.keras.layer import Layer
from graphdl.keras.shapes import Shape

# Spellings of Keras 1 and 2, as older notes have them.
OLD_NAMES = {
    "init": "kernel_initializer",
    "bias": "use_bias",
    "W_regularizer": "kernel_regularizer",
    "b_regularizer": "bias_regularizer",
    "W_constraint": "kernel_constraint",
    "b_constraint": "bias_constraint",
    "border_mode": "padding",
    "subsample": "strides",
    "dim_ordering": "data_format",
    "atrous_rate": "dilation_rate",
}


def positive(layer: Layer, name: str, value: Any) -> int:
    """`value`, an integer from 1."""
    return integer(f"{type(layer).__name__}: {name}", value)


def sizes(layer: Layer, name: str, value: Any, rank: int) -> tuple[int, ...]:
    """One integer from 1 for each of `rank` directions; a single one holds for all."""
    found = (value,) * rank if isinstance(value, int | np.integer) else value
    right = isinstance(found, tuple | list) and len(found) == rank
    if not right or any(isinstance(v, bool) or not isinstance(v, int | np.integer) or v < 1 for v in found):
        many = "" if rank == 1 else f" or {rank} of them"
        raise GraphError(f"{type(layer).__name__}: {name} is {value!r:.40}, expected an integer from 1{many}")
    return tuple(int(v) for v in found)


def around(layer: Layer, name: str, value: Any, rank: int) -> tuple[tuple[int, int], ...]:
    """Counts before and behind, for each of `rank` directions: one for all, one each, or a pair each."""
    given = (value,) * rank if isinstance(value, int) else value
    if rank == 1 and isinstance(given, tuple | list) and len(given) == 2:
        given = (given,)
    pairs = [(v, v) if isinstance(v, int) else v for v in given] if isinstance(given, tuple | list) else []
    if len(pairs) != rank or not all(_is_pair(p) for p in pairs):
        each = "a pair of counts" if rank == 1 else f"{rank} counts, or {rank} pairs of them"
        raise GraphError(f"{type(layer).__name__}: {name} is {value!r:.40}, expected a count from 0, or {each}")
    return tuple((int(p[0]), int(p[1])) for p in pairs)


def one_of(layer: Layer, name: str, value: Any, known: tuple[str, ...]) -> str:
    """`value` in lower case, one of `known`."""
    found = value.lower() if isinstance(value, str) else value
    if found not in known:
        suggestion = did_you_mean(str(value), known)
        raise GraphError(
            f"{type(layer).__name__}: {name} is {value!r:.40}.{suggestion} There is {listed(map(repr, known))}"
        )
    return str(found)


def channels_last(layer: Layer, data_format: Any) -> str:
    """The one order of axes there is: examples, places, channels."""
    if data_format not in (None, "channels_last", "tf"):
        raise GraphError(
            f"{type(layer).__name__}: data_format is {data_format!r:.40}, expected 'channels_last': channels are the "
            "last axis here; move them there first, as in x.transpose(0, 2, 3, 1)"
        )
    return "channels_last"


def check_rank(layer: Layer, x: Node, rank: int, expected: str) -> None:
    """ShapeError where `x` has another number of axes."""
    if x.ndim != rank:
        raise ShapeError(f"{layer.name}: found {plain(x.label)}: {x.type}, expected {expected}")


def check_floats(layer: Layer, x: Node) -> None:
    """ShapeError where `x` is of integers or truth values."""
    if x.dtype not in FLOATS:
        raise ShapeError(f"{layer.name}: found {x.type}, expected floats")


def known_size(layer: Layer, shape: Shape, axis: int) -> int:
    """The size along an axis, on which the shape of a weight depends."""
    if not -len(shape) <= axis < len(shape):
        raise ShapeError(f"{layer.name}: there is no axis {axis} in inputs of shape {shape}")
    size = shape[axis]
    if size is None:
        raise ShapeError(
            f"{layer.name}: axis {axis} of the inputs, {shape}, has no known size; weights have fixed sizes"
        )
    return size


def describe_weight(layer: Layer, role: str, initializer: Any, regularizer: Any = None, constraint: Any = None) -> None:
    """Keep how the weight `role` begins, what its size costs and what bounds it; `add_weight` makes it so."""
    vars(layer)[f"{role}_initializer"] = initializers.get(initializer)
    vars(layer)[f"{role}_regularizer"] = regularizers.get(regularizer)
    vars(layer)[f"{role}_constraint"] = constraints.get(constraint)


def add_weight(layer: Layer, role: str, shape: tuple[int, ...], name: str | None = None) -> Node:
    """The weight `role`, as `describe_weight` was told."""
    kept = vars(layer)
    return layer.add_weight(
        shape,
        kept[f"{role}_initializer"],
        regularizer=kept[f"{role}_regularizer"],
        constraint=kept[f"{role}_constraint"],
        name=name or role,
    )


def _is_pair(value: Any) -> bool:
    return (
        isinstance(value, tuple | list)
        and len(value) == 2
        and all(isinstance(v, int | np.integer) and not isinstance(v, bool) and v >= 0 for v in value)
    )
