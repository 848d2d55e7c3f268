"""Activation functions that are layers, because they have weights or settings."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from graphdl.errors import GraphError, ShapeError
from graphdl.ir.node import Node
from graphdl.keras import activations
from graphdl.keras.layer import Layer
from graphdl.keras.layers.arguments import OLD_NAMES, add_weight, describe_weight, known_size, positive
from graphdl.keras.shapes import Shape
from graphdl.ops.arithmetic import greater_equal, maximum, minimum, where
from graphdl.ops.linalg import matmul
from graphdl.ops.nn import softmax
from graphdl.ops.reduce import max
from graphdl.ops.shape import reshape
from graphdl.ops.transcendental import elu, relu


class ReLU(Layer):
    """``max(x, 0)``; with a slope below `threshold` and a largest value where asked for."""

    supports_masking = True

    def __init__(
        self, max_value: float | None = None, negative_slope: float = 0.0, threshold: float = 0.0, **arguments: Any
    ) -> None:
        super().__init__(**arguments)
        for name, value in (("max_value", max_value), ("negative_slope", negative_slope), ("threshold", threshold)):
            if value is not None and value < 0:
                raise GraphError(f"ReLU: {name} is {value}, expected 0 or more")
        self.max_value, self.negative_slope, self.threshold = max_value, negative_slope, threshold

    def call(self, x: Node) -> Node:
        """The rectified `x`."""
        if self.threshold:
            y = where(greater_equal(x, self.threshold), x, (x - self.threshold) * self.negative_slope)
        elif self.negative_slope:
            y = activations.leaky_relu(x, self.negative_slope)
        else:
            y = relu(x)
        return y if self.max_value is None else minimum(y, self.max_value)


class LeakyReLU(Layer):
    """`x` above 0, ``negative_slope x`` below."""

    supports_masking = True
    old_names: Mapping[str, str] = {"alpha": "negative_slope"}

    def __init__(self, negative_slope: float = 0.3, **arguments: Any) -> None:
        super().__init__(**arguments)
        if negative_slope is None or negative_slope < 0:
            raise GraphError(f"LeakyReLU: negative_slope is {negative_slope}, expected 0 or more")
        self.negative_slope = negative_slope

    def call(self, x: Node) -> Node:
        """The function of `x`."""
        return activations.leaky_relu(x, self.negative_slope)


class PReLU(Layer):
    """`x` above 0, ``alpha x`` below, where `alpha` is learnt: one for each place of an example.

    Along the `shared_axes`, counted from 1, all places have one; for images, (1, 2) leaves one for each channel.
    """

    supports_masking = True

    def __init__(
        self,
        alpha_initializer: Any = "zeros",
        alpha_regularizer: Any = None,
        alpha_constraint: Any = None,
        shared_axes: Any = None,
        **arguments: Any,
    ) -> None:
        super().__init__(**arguments)
        describe_weight(self, "alpha", alpha_initializer, alpha_regularizer, alpha_constraint)
        self.shared_axes = [shared_axes] if isinstance(shared_axes, int) else list(shared_axes or ())

    def build(self, input_shape: Shape) -> None:
        """A slope for each place."""
        axes = range(1, len(input_shape))
        if any(axis not in axes for axis in self.shared_axes):
            raise GraphError(f"{self.name}: shared_axes is {self.shared_axes}, expected axes of {input_shape} from 1")
        shape = [1 if axis in self.shared_axes else known_size(self, input_shape, axis) for axis in axes]
        self.alpha = add_weight(self, "alpha", tuple(shape))

    def call(self, x: Node) -> Node:
        """The function of `x`."""
        return relu(x) - self.alpha * relu(-x)


class ELU(Layer):
    """`x` above 0, ``alpha (exp x - 1)`` below."""

    supports_masking = True

    def __init__(self, alpha: float = 1.0, **arguments: Any) -> None:
        super().__init__(**arguments)
        self.alpha = alpha

    def call(self, x: Node) -> Node:
        """The function of `x`."""
        return elu(x, self.alpha)


class Softmax(Layer):
    """Probabilities along `axis`, or over several axes together."""

    supports_masking = True

    def __init__(self, axis: Any = -1, **arguments: Any) -> None:
        super().__init__(**arguments)
        self.axis = axis

    def call(self, x: Node) -> Node:
        """``exp x / sum(exp x)``."""
        if isinstance(self.axis, int):
            return softmax(x, axis=self.axis)
        axes = sorted(axis % x.ndim for axis in self.axis)
        if len(axes) == 1:
            return softmax(x, axis=axes[0])
        if axes != list(range(axes[0], x.ndim)):
            raise GraphError(f"{self.name}: axis is {self.axis}, expected one axis, or the last axes of {x.type}")
        return reshape(softmax(reshape(x, (*x.shape[: axes[0]], -1))), x.shape)


class Maxout(Layer):
    """The largest of `pieces` linear functions, ``max(W1 x + b1, W2 x + b2, ...)`` (Goodfellow et al. 2013).

    The kernel is (inputs, units * pieces), the pieces of a unit side by side.
    """

    supports_masking = True
    old_names: Mapping[str, str] = {**OLD_NAMES, "output_dim": "units", "nb_feature": "pieces"}

    def __init__(
        self,
        units: int,
        pieces: int = 2,
        use_bias: bool = True,
        kernel_initializer: Any = "glorot_uniform",
        bias_initializer: Any = "zeros",
        kernel_regularizer: Any = None,
        bias_regularizer: Any = None,
        kernel_constraint: Any = None,
        bias_constraint: Any = None,
        **arguments: Any,
    ) -> None:
        super().__init__(**arguments)
        self.units = positive(self, "units", units)
        self.pieces = positive(self, "pieces", pieces)
        self.use_bias = use_bias
        describe_weight(self, "kernel", kernel_initializer, kernel_regularizer, kernel_constraint)
        describe_weight(self, "bias", bias_initializer, bias_regularizer, bias_constraint)
        self.bias: Node | None = None

    def build(self, input_shape: Shape) -> None:
        """A kernel and a bias for each piece of each unit."""
        self.kernel = add_weight(self, "kernel", (known_size(self, input_shape, -1), self.units * self.pieces))
        if self.use_bias:
            self.bias = add_weight(self, "bias", (self.units * self.pieces,))

    def call(self, x: Node) -> Node:
        """The largest piece of each unit."""
        if x.shape[-1] != self.kernel.shape[0]:
            raise ShapeError(f"{self.name}: found {x.type}, expected width {self.kernel.shape[0]}")
        y = matmul(x, self.kernel)
        if self.bias is not None:
            y = y + self.bias
        if self.pieces == 2:
            pairs = reshape(y, (*x.shape[:-1], self.units, 2))
            return maximum(pairs[..., 0], pairs[..., 1])
        return max(reshape(y, (*x.shape[:-1], self.units, self.pieces)), axis=-1)
