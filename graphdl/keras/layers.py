"""Layers, with the names, arguments and defaults of Keras 3."""

from __future__ import annotations

from typing import Any

from graphdl.errors import GraphError, ShapeError
from graphdl.ir.dim import numel
from graphdl.ir.leaves import Placeholder
from graphdl.ir.node import Node
from graphdl.ir.op import build
from graphdl.ir.origin import at_scope, current_origin, origin
from graphdl.ir.text import plain
from graphdl.ir.types import BATCH, FLOATS, TensorType, as_shape
from graphdl.keras import activations
from graphdl.keras.family import Family, open_family
from graphdl.keras.layer import Call, Layer, LayerOutput, as_example_shape
from graphdl.ops.arithmetic import greater_equal, minimum, where
from graphdl.ops.linalg import matmul
from graphdl.ops.nn import softmax
from graphdl.ops.random import dropout
from graphdl.ops.shape import expand_dims, reshape
from graphdl.ops.transcendental import relu


class InputLayer(Layer):
    """Where examples come in: a placeholder for a batch of them."""

    def __init__(
        self,
        shape: Any = None,
        batch_size: int | None = None,
        dtype: Any = None,
        *,
        name: str | None = None,
        **arguments: Any,
    ) -> None:
        super().__init__(name=name, dtype=dtype, **arguments)
        if shape is None and self.input_shape_hint is None:
            raise ShapeError("InputLayer needs the shape of one example, as in InputLayer((784,))")
        self.shape = as_example_shape(shape, "shape") if shape is not None else self.input_shape_hint
        self.batch_size = batch_size

    def placeholder(self, family: Family, name: str | None = None) -> LayerOutput:
        """The node to feed, of type ``f32[N, ...]``."""
        if self.given_name is None:
            self.name = family.fresh(name or self.name)
        self.family = family
        assert self.shape is not None
        sizes = tuple(f"D{axis}" if size is None else size for axis, size in enumerate(self.shape, start=1))
        kind = TensorType(self.dtype, as_shape((self.batch_size or BATCH, *sizes)))
        with at_scope(""), origin(self.written):
            return LayerOutput.of(build(Placeholder(kind), name=self.name), Call(self, (), family))


def Input(shape: Any = None, batch_size: int | None = None, dtype: Any = None, name: str | None = None) -> Node:
    """A placeholder for a batch of examples of the given shape, where a functional model begins."""
    with origin(current_origin()):
        return InputLayer(shape, batch_size, dtype, name=name).placeholder(open_family())


class Dense(Layer):
    """``activation(x @ kernel + bias)``: every unit sees every input."""

    def __init__(
        self,
        units: int,
        activation: Any = None,
        use_bias: bool = True,
        kernel_initializer: Any = "glorot_uniform",
        bias_initializer: Any = "zeros",
        **arguments: Any,
    ) -> None:
        super().__init__(**arguments)
        if isinstance(units, bool) or not isinstance(units, int) or units < 1:
            raise GraphError(f"Dense: units is {units!r:.40}, expected an integer from 1")
        self.units = units
        self.activation = activations.get(activation)
        self.use_bias = use_bias
        self.kernel_initializer = kernel_initializer
        self.bias_initializer = bias_initializer
        self.kernel: Node | None = None
        self.bias: Node | None = None

    def build(self, x: Node) -> None:
        """A kernel of (inputs, units), and a bias for each unit."""
        if not x.ndim:
            raise ShapeError(f"{self.name}: found {x.type}, expected a batch of examples")
        width = x.shape[-1]
        if not isinstance(width, int):
            raise ShapeError(
                f"{self.name}: the width of {plain(x.label)}, {x.type}, is not known; kernels have fixed sizes"
            )
        self.kernel = self.add_weight((width, self.units), self.kernel_initializer, "kernel")
        if self.use_bias:
            self.bias = self.add_weight((self.units,), self.bias_initializer, "bias")

    def call(self, x: Node, training: bool = False) -> Node:
        """A product of matrices; leading axes beyond two are examples as well."""
        assert self.kernel is not None
        _check_width(self, x, self.kernel)
        rows = x if x.ndim == 2 else reshape(x, (-1, x.shape[-1]))
        y = matmul(rows, self.kernel)
        if self.bias is not None:
            y = y + self.bias
        if x.ndim != 2:
            y = reshape(y, (*x.shape[:-1], self.units))
        return self.activation(y)


class Activation(Layer):
    """An activation function as a layer."""

    def __init__(self, activation: Any, **arguments: Any) -> None:
        super().__init__(**arguments)
        self.activation = activations.get(activation)

    def call(self, x: Node, training: bool = False) -> Node:
        """The function of `x`."""
        return self.activation(x)


class ReLU(Layer):
    """``max(x, 0)``; with a slope below `threshold` and a largest value where asked for."""

    def __init__(
        self, max_value: float | None = None, negative_slope: float = 0.0, threshold: float = 0.0, **arguments: Any
    ) -> None:
        super().__init__(**arguments)
        for name, value in (("max_value", max_value), ("negative_slope", negative_slope), ("threshold", threshold)):
            if value is not None and value < 0:
                raise GraphError(f"ReLU: {name} is {value}, expected 0 or more")
        self.max_value, self.negative_slope, self.threshold = max_value, negative_slope, threshold

    def call(self, x: Node, training: bool = False) -> Node:
        """The rectified `x`."""
        if self.threshold:
            y = where(greater_equal(x, self.threshold), x, (x - self.threshold) * self.negative_slope)
        elif self.negative_slope:
            y = activations.leaky_relu(x, self.negative_slope)
        else:
            y = relu(x)
        return y if self.max_value is None else minimum(y, self.max_value)


class Softmax(Layer):
    """Probabilities along `axis`."""

    def __init__(self, axis: int = -1, **arguments: Any) -> None:
        super().__init__(**arguments)
        self.axis = axis

    def call(self, x: Node, training: bool = False) -> Node:
        """``exp x / sum(exp x)``."""
        return softmax(x, axis=self.axis)


class Flatten(Layer):
    """Each example as one row."""

    def call(self, x: Node, training: bool = False) -> Node:
        """The same elements in the same order."""
        if x.ndim == 1:
            return expand_dims(x, 1)
        return reshape(x, (x.shape[0], numel(x.shape[1:])))


class Dropout(Layer):
    """In training, zeros with probability `rate`, and what is kept divided by ``1 - rate``; otherwise nothing."""

    def __init__(self, rate: float, seed: None = None, **arguments: Any) -> None:
        super().__init__(**arguments)
        if isinstance(rate, bool) or not isinstance(rate, int | float) or not 0 <= rate < 1:
            raise GraphError(f"Dropout: rate is {rate!r:.40}, expected at least 0 and below 1")
        if seed is not None:
            raise GraphError(
                f"Dropout: seed={seed!r}: masks come from the one seed of the session; "
                "set it with keras.utils.set_random_seed(...) before the model is built"
            )
        self.rate = rate

    @property
    def differs_in_training(self) -> bool:
        """A mask is drawn in training only."""
        return self.rate > 0

    def call(self, x: Node, training: bool = False) -> Node:
        """`x` with a new mask in every step of training."""
        if x.dtype not in FLOATS:
            raise ShapeError(f"{self.name}: found {x.type}, expected floats")
        return dropout(x, self.rate) if training else x


def _check_width(layer: Layer, x: Node, kernel: Node) -> None:
    if x.shape[-1] != kernel.shape[0]:
        raise ShapeError(
            f"{layer.name}: found {plain(x.label)}: {x.type}, expected width {kernel.shape[0]}, "
            f"for which its kernel {kernel.type} was made"
        )


__all__ = ["Activation", "Dense", "Dropout", "Flatten", "Input", "InputLayer", "Layer", "ReLU", "Softmax"]
