"""Shapes as Keras writes them: tuples, with None for sizes that are known at run time only."""

from __future__ import annotations

from typing import Any

import numpy as np

from graphdl.errors import ShapeError
from graphdl.ir.leaves import Placeholder
from graphdl.ir.op import build
from graphdl.ir.types import TensorType, as_shape
from graphdl.keras.calls import mapped

Shape = tuple[int | None, ...]


def as_example_shape(shape: Any, what: str) -> Shape:
    """The shape of one example, a tuple of integers."""
    if isinstance(shape, int | np.integer):
        raise ShapeError(f"{what}={shape!r} is a number, expected a tuple; write {what}=({shape},)")
    if not isinstance(shape, tuple | list):
        raise ShapeError(f"{what}={shape!r:.40} is a {type(shape).__name__}, expected a tuple such as (784,)")
    for size in shape:
        if size is not None and (isinstance(size, bool) or not isinstance(size, int | np.integer) or size < 1):
            raise ShapeError(f"{what}={tuple(shape)!r}: {size!r} is no size, expected integers from 1")
    return tuple(size if size is None else int(size) for size in shape)


def shape_hint(layer: str, arguments: dict[str, Any]) -> tuple[Shape | None, int | None]:
    """The shape of an example and the batch size that older notes write on the first layer, where they do.

    They stand in `input_shape=`, `input_dim=` or `batch_input_shape=`; `batch_shape=` is a newer name for the last.
    """
    if "input_dim" in arguments:
        width = arguments.pop("input_dim")
        return as_example_shape((width,), f"{layer}: input_dim"), None
    if "input_shape" in arguments:
        return as_example_shape(arguments.pop("input_shape"), "input_shape"), None
    for name in ("batch_input_shape", "batch_shape"):
        if name in arguments:
            batch_size, *shape = as_example_shape(arguments.pop(name), name)
            return tuple(shape), batch_size
    return None, None


def shapes_of(structure: Any) -> Any:
    """Shapes of nodes as tuples, None for what is known at run time only."""
    return mapped(lambda node: tuple(size if isinstance(size, int) else None for size in node.shape), structure)


def placeholders_of(shape: Any, dtype: str) -> Any:
    """A placeholder of that shape, or a list of them."""
    if shape and not isinstance(shape[0], int | np.integer | None):
        return [placeholders_of(each, dtype) for each in shape]
    sizes = [f"D{axis}" if axis and size is None else size for axis, size in enumerate(shape)]
    return build(Placeholder(TensorType(dtype, as_shape(tuple(sizes)))), name="x")
