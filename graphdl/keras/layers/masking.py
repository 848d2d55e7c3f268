"""Steps of sequences that are left out."""

from __future__ import annotations

from typing import Any

from graphdl.ir.node import Node
from graphdl.keras.layer import Layer
from graphdl.ops.arithmetic import greater, not_equal
from graphdl.ops.reduce import sum
from graphdl.ops.shape import cast, expand_dims


class Masking(Layer):
    """Marks steps whose every entry is `mask_value` as not there; layers behind that know masks leave them out.

    inputs  [N, T, D]
    result  the same with zeros at those steps
    """

    supports_masking = True

    def __init__(self, mask_value: float = 0.0, **arguments: Any) -> None:
        super().__init__(**arguments)
        self.mask_value = mask_value

    def compute_mask(self, inputs: Any, mask: Any = None) -> Node:
        """Where some entry differs from `mask_value`."""
        return greater(sum(cast(not_equal(inputs, self.mask_value), inputs.dtype), axis=-1), 0.0, name="mask")

    def call(self, x: Node) -> Node:
        """`x`, and zeros where a step is not there."""
        return x * cast(expand_dims(self.compute_mask(x), -1), x.dtype)


__all__ = ["Masking"]
