"""Preparation of numbers as part of a model: what was learnt from the data is kept with the weights."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np

from graphdl.errors import DataError, GraphError, ShapeError
from graphdl.ir.leaves import constant
from graphdl.ir.node import Node
from graphdl.ir.types import FLOATS, INTS, normalise_axis
from graphdl.keras.layer import Layer
from graphdl.keras.layers.arguments import known_size, one_of, positive
from graphdl.keras.shapes import Shape
from graphdl.ops.arithmetic import maximum, sqrt
from graphdl.ops.indexing import one_hot
from graphdl.ops.reduce import max, sum
from graphdl.ops.shape import cast, reshape

# Keras' backend.epsilon(): no standard deviation counts as smaller.
_SMALLEST = 1e-7


class Rescaling(Layer):
    """``scale x + offset``, as in Rescaling(1 / 255) for pixels; integers become floats."""

    supports_masking = True

    def __init__(self, scale: Any, offset: Any = 0.0, **arguments: Any) -> None:
        super().__init__(**arguments)
        self.scale, self.offset = scale, offset

    def call(self, x: Node) -> Node:
        """`x` on another scale."""
        y: Node = cast(x, self.dtype) * _factor(self.scale, self.dtype)
        if np.any(self.offset):
            y = y + _factor(self.offset, self.dtype)
        return y


class Normalization(Layer):
    """``(x - mean) / sqrt(variance)``, with the mean and variance of the data that `adapt` has seen, or given ones.

    Each place along `axis` has its own; None stands for one pair for all. After `adapt` they are weights that are not
    trained, so they are saved with the model and written into its script. `invert` undoes it.
    """

    supports_masking = True
    old_names: Mapping[str, str] = {}

    def __init__(
        self, axis: Any = -1, mean: Any = None, variance: Any = None, invert: bool = False, **arguments: Any
    ) -> None:
        super().__init__(**arguments)
        if (mean is None) != (variance is None):
            raise GraphError("Normalization: mean and variance are given together, or learnt with adapt(...)")
        if mean is not None and np.shape(mean) != np.shape(variance):
            raise ShapeError(
                f"Normalization: mean has shape {np.shape(mean)} and variance {np.shape(variance)}, expected one shape"
            )
        self.axis = () if axis is None else (axis,) if isinstance(axis, int) else tuple(axis)
        self.mean, self.variance, self.invert = mean, variance, invert
        self.learnt: tuple[np.ndarray[Any, Any], np.ndarray[Any, Any]] | None = None

    def adapt(self, data: Any) -> None:
        """Take mean and variance from `data`, an array of examples or batches of them, as of now."""
        if self.mean is not None:
            raise GraphError(f"{self.name}: mean and variance were given; there is nothing to adapt")
        batches = (
            [np.asarray(data)] if hasattr(data, "shape") or not _holds_batches(data) else list(map(np.asarray, data))
        )
        if not batches or not all(batch.size for batch in batches):
            raise DataError(f"{self.name}.adapt: the data hold no examples")
        self.learnt = moments([batch.astype(float) for batch in batches], self._reduced(batches[0].ndim))
        if self.built:
            self._set_learnt()

    def build(self, input_shape: Shape) -> None:
        """Mean, variance and a count, unless they were given."""
        if self.mean is not None:
            return
        kept = [axis for axis in range(len(input_shape)) if axis not in self._reduced(len(input_shape))]
        shape = tuple(known_size(self, input_shape, axis) for axis in kept)
        first, second = self.learnt or (np.zeros(shape), np.ones(shape))
        if first.shape != shape:
            raise ShapeError(f"{self.name}: was adapted to data of {first.shape} and is called on inputs of {shape}")
        self.learnt_mean = self.add_weight(shape, _start(first), trainable=False, name="mean")
        self.learnt_variance = self.add_weight(shape, _start(second), trainable=False, name="variance")
        self.count = self.add_weight((), "zeros", dtype="int32", trainable=False, name="count")

    def call(self, x: Node) -> Node:
        """`x` brought to mean 0 and variance 1, or back."""
        x = cast(x, self.dtype)
        reduced = self._reduced(x.ndim)
        wide = tuple(1 if axis in reduced else size for axis, size in enumerate(x.shape))
        if self.mean is None:
            mean, variance = reshape(self.learnt_mean, wide), reshape(self.learnt_variance, wide)
        else:
            mean, variance = (constant(_aligned(part, wide), self.dtype) for part in (self.mean, self.variance))
        deviation = maximum(sqrt(variance), _SMALLEST)
        return mean + x * deviation if self.invert else (x - mean) / deviation

    def _reduced(self, rank: int) -> tuple[int, ...]:
        kept = [normalise_axis(axis, rank) for axis in self.axis]
        return tuple(axis for axis in range(rank) if axis not in kept)

    def _set_learnt(self) -> None:
        assert self.learnt is not None
        first, second = self.learnt
        self.set_weights([first, second, np.zeros((), "int32")])


def moments(
    batches: list[np.ndarray[Any, Any]], axes: tuple[int, ...]
) -> tuple[np.ndarray[Any, Any], np.ndarray[Any, Any]]:
    """Mean and variance of all batches together along `axes`; variances of parts add with those of their means."""
    counts = np.array([np.prod([batch.shape[axis] for axis in axes]) for batch in batches], float)
    shares = counts / counts.sum()
    means = np.stack([batch.mean(axes) for batch in batches])
    variances = np.stack([batch.var(axes) for batch in batches])
    centre = np.tensordot(shares, means, 1)
    return centre, np.tensordot(shares, variances + (means - centre) ** 2, 1)


class CategoryEncoding(Layer):
    """Class numbers as rows of `num_tokens` numbers: "one_hot", "multi_hot" (which occur) or "count" (how often)."""

    def __init__(
        self, num_tokens: int | None = None, output_mode: str = "multi_hot", sparse: bool = False, **arguments: Any
    ) -> None:
        super().__init__(**arguments)
        self.output_mode = one_of(self, "output_mode", output_mode, ("one_hot", "multi_hot", "count"))
        self.num_tokens = positive(self, "num_tokens", num_tokens)
        if sparse:
            raise GraphError("CategoryEncoding: sparse=True: there are no sparse arrays here; leave it out")
        self.sparse = sparse

    def call(self, x: Node) -> Node:
        """The rows; "multi_hot" and "count" take the last axis together."""
        if x.dtype not in INTS and x.dtype not in FLOATS:
            raise ShapeError(f"{self.name}: found {x.type}, expected class numbers")
        numbers = cast(x, "int32") if x.dtype in FLOATS else x
        if self.output_mode == "one_hot":
            if numbers.ndim > 1 and numbers.shape[-1] == 1:
                numbers = reshape(numbers, numbers.shape[:-1])
            return one_hot(numbers, self.num_tokens, self.dtype)
        rows = one_hot(reshape(numbers, (-1, 1)) if numbers.ndim == 1 else numbers, self.num_tokens, self.dtype)
        return max(rows, axis=-2) if self.output_mode == "multi_hot" else sum(rows, axis=-2)


def _factor(value: Any, dtype: str) -> Any:
    return constant(np.asarray(value), dtype) if np.ndim(value) else float(value)


def _start(value: np.ndarray[Any, Any]) -> Any:
    from graphdl.keras.initializers import Constant

    return Constant(value)


def _holds_batches(data: Any) -> bool:
    """Whether `data` gives arrays of examples one after another, as a generator or a list of arrays does."""
    if not isinstance(data, Iterable):
        raise DataError(f"adapt takes an array of examples, or batches of them; found a {type(data).__name__}")
    return not isinstance(data, list | tuple) or bool(data and hasattr(data[0], "shape") and data[0].ndim)


def _aligned(value: Any, wide: tuple[Any, ...]) -> np.ndarray[Any, Any]:
    """Given means in the shape that broadcasts over the inputs: their axes are the last of those that are kept."""
    array = np.asarray(value, float)
    if not array.ndim:
        return array
    kept = [axis for axis, size in enumerate(wide) if size != 1 or axis == len(wide) - 1]
    shape = [1] * len(wide)
    for axis, size in zip(kept[-array.ndim :], array.shape, strict=True):
        shape[axis] = size
    return array.reshape(shape)
