"""Vectors for words: rows of a table, chosen by number."""

from __future__ import annotations

from typing import Any

import numpy as np

from graphdl.errors import ShapeError
from graphdl.ir.node import Node
from graphdl.ir.types import FLOATS, INTS
from graphdl.keras.initializers import Constant
from graphdl.keras.layer import Layer
from graphdl.keras.layers.arguments import add_weight, describe_weight, positive
from graphdl.ops.arithmetic import not_equal
from graphdl.ops.indexing import take
from graphdl.ops.shape import cast


class Embedding(Layer):
    """Row `i` of a table of `input_dim` rows of width `output_dim`, for each number i from 0 to ``input_dim - 1``.

    inputs          integers [N, T]
    result          [N, T, output_dim]
    `mask_zero`     0 stands for no word: layers behind it that know masks leave such steps out
    `weights`       a table to begin with
    `input_length`  T, as older notes give it; a Sequential model that begins here then knows its input
    """

    def __init__(
        self,
        input_dim: int,
        output_dim: int,
        embeddings_initializer: Any = "uniform",
        embeddings_regularizer: Any = None,
        embeddings_constraint: Any = None,
        mask_zero: bool = False,
        weights: Any = None,
        input_length: int | None = None,
        **arguments: Any,
    ) -> None:
        if input_length is not None:
            arguments.setdefault("input_shape", (input_length,))
        super().__init__(**arguments)
        self.input_dim, self.output_dim = (
            positive(self, "input_dim", input_dim),
            positive(self, "output_dim", output_dim),
        )
        self.mask_zero = mask_zero
        start = embeddings_initializer if weights is None else Constant(self._checked(weights))
        describe_weight(self, "embeddings", start, embeddings_regularizer, embeddings_constraint)

    def build(self, input_shape: Any) -> None:
        """The table."""
        self.embeddings = add_weight(self, "embeddings", (self.input_dim, self.output_dim))

    def compute_mask(self, inputs: Any, mask: Any = None) -> Node | None:
        """Where a number is not 0."""
        return not_equal(inputs, 0, name="mask") if self.mask_zero else None

    def call(self, x: Node) -> Node:
        """The rows; numbers that come as floats are cut off to integers."""
        if x.dtype not in (*INTS, *FLOATS):
            raise ShapeError(f"{self.name}: found {x.type}, expected integers")
        return take(self.embeddings, x if x.dtype in INTS else cast(x, "int32"), axis=0)

    def _checked(self, weights: Any) -> np.ndarray[Any, Any]:
        """The table given, also as a list of one array, as older notes write."""
        table = np.asarray(weights[0] if isinstance(weights, list | tuple) else weights, "float64")
        if table.shape != (self.input_dim, self.output_dim):
            raise ShapeError(
                f"Embedding: weights have shape {table.shape}, expected {(self.input_dim, self.output_dim)}"
            )
        return table


__all__ = ["Embedding"]
