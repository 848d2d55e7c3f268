"""Where examples come in, layers of units that see everything, and functions as layers."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from graphdl.errors import GraphError, ShapeError
from graphdl.ir.leaves import Placeholder, size
from graphdl.ir.node import Node
from graphdl.ir.op import build
from graphdl.ir.origin import at_scope, current_origin, origin
from graphdl.ir.text import plain
from graphdl.ir.types import BATCH, TensorType, as_shape
from graphdl.keras import activations
from graphdl.keras.calls import Call, LayerOutput
from graphdl.keras.family import Family, open_family
from graphdl.keras.layer import Layer
from graphdl.keras.layers.arguments import OLD_NAMES, add_weight, describe_weight, known_size, positive
from graphdl.keras.shapes import Shape, as_example_shape
from graphdl.ops.arithmetic import abs, square
from graphdl.ops.linalg import matmul
from graphdl.ops.reduce import sum
from graphdl.ops.shape import reshape


class InputLayer(Layer):
    """Where examples come in: a placeholder for a batch of them."""

    def __init__(
        self,
        shape: Any = None,
        batch_size: int | None = None,
        dtype: Any = None,
        sparse: Any = None,
        ragged: Any = None,
        *,
        name: str | None = None,
        input_tensor: Any = None,
        optional: bool = False,
        **arguments: Any,
    ) -> None:
        super().__init__(name=name, dtype=dtype, **arguments)
        _refuse(sparse=sparse, ragged=ragged, input_tensor=input_tensor, optional=optional)
        hint = self.input_shape_hint
        if (shape is None) == (hint is None):
            raise ShapeError(
                "InputLayer needs the shape of one example, as in InputLayer((784,))"
                + ("" if shape is None else f"; found two, {shape!r:.40} and {hint}")
            )
        self.shape = as_example_shape(shape, "shape") if shape is not None else hint
        self.batch_size = batch_size or self.batch_size_hint

    def placeholder(self, family: Family, name: str | None = None) -> LayerOutput:
        """The node to feed, of type ``f32[N, ...]``."""
        if self.given_name is None:
            self.name = family.fresh(name or self.name)
        self.family = family
        assert self.shape is not None
        # Each unknown size is one of its own: a text and a question about it need not be equally long.
        unknown = (family.fresh(f"D{axis}") if size is None else None for axis, size in enumerate(self.shape, start=1))
        sizes = tuple(size or name for size, name in zip(self.shape, unknown, strict=True))
        kind = TensorType(self.dtype, as_shape((self.batch_size or BATCH, *sizes)))
        with at_scope(""), origin(self.written):
            return LayerOutput.of(build(Placeholder(kind), name=self.name), Call(self, (), family))


def Input(
    shape: Any = None,
    batch_size: int | None = None,
    dtype: Any = None,
    name: str | None = None,
    batch_shape: Any = None,
    sparse: Any = None,
    ragged: Any = None,
    tensor: Any = None,
    optional: bool = False,
) -> Node:
    """A placeholder for a batch of examples of the given shape, where a functional model begins.

    `batch_shape` says shape and batch size at once, (None, 784) or (32, 784). Without a batch size any will do.
    """
    _refuse(sparse=sparse, ragged=ragged, tensor=tensor, optional=optional)
    whole = {} if batch_shape is None else {"batch_shape": batch_shape}
    with origin(current_origin()):
        return InputLayer(shape, batch_size, dtype, name=name, **whole).placeholder(open_family())


class Dense(Layer):
    """``activation(x @ kernel + bias)``: every unit sees every input."""

    supports_masking = True
    old_names: Mapping[str, str] = {**OLD_NAMES, "output_dim": "units"}

    def __init__(
        self,
        units: int,
        activation: Any = None,
        use_bias: bool = True,
        kernel_initializer: Any = "glorot_uniform",
        bias_initializer: Any = "zeros",
        kernel_regularizer: Any = None,
        bias_regularizer: Any = None,
        activity_regularizer: Any = None,
        kernel_constraint: Any = None,
        bias_constraint: Any = None,
        **arguments: Any,
    ) -> None:
        super().__init__(activity_regularizer=activity_regularizer, **arguments)
        self.units = positive(self, "units", units)
        self.activation = activations.get(activation)
        self.use_bias = use_bias
        describe_weight(self, "kernel", kernel_initializer, kernel_regularizer, kernel_constraint)
        describe_weight(self, "bias", bias_initializer, bias_regularizer, bias_constraint)
        self.kernel: Node | None = None
        self.bias: Node | None = None

    def build(self, input_shape: Shape) -> None:
        """A kernel of (inputs, units), and a bias for each unit."""
        if not input_shape:
            raise ShapeError(f"{self.name}: found one number, expected a batch of examples")
        self.kernel = add_weight(self, "kernel", (known_size(self, input_shape, -1), self.units))
        if self.use_bias:
            self.bias = add_weight(self, "bias", (self.units,))

    def call(self, x: Node) -> Node:
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

    supports_masking = True

    def __init__(self, activation: Any, **arguments: Any) -> None:
        super().__init__(**arguments)
        self.activation = activations.get(activation)

    def call(self, x: Node) -> Node:
        """The function of `x`."""
        return self.activation(x)


class Identity(Layer):
    """What it was called on."""

    supports_masking = True

    def call(self, x: Node) -> Node:
        """`x`."""
        return x


class Lambda(Layer):
    """A function of nodes as a layer, such as ``Lambda(lambda x: x * 2)``; further `arguments` are given by name.

    The function builds nodes and is called once for each use of the layer; variables it makes are not the layer's.
    """

    def __init__(
        self,
        function: Callable[..., Any],
        output_shape: Any = None,
        mask: Any = None,
        arguments: Mapping[str, Any] | None = None,
        **others: Any,
    ) -> None:
        super().__init__(**others)
        if not callable(function):
            raise GraphError(f"Lambda: function is {function!r:.40}, expected a function of nodes")
        self.function = function
        self.output_shape = output_shape
        self.mask = mask
        self.arguments = dict(arguments or {})
        self.supports_masking = mask is not None

    def compute_mask(self, inputs: Any, mask: Any = None) -> Any:
        """The mask of the result: `mask`, or what the function `mask` makes of the inputs and theirs; else none."""
        return self.mask(inputs, mask) if callable(self.mask) else self.mask

    def call(self, x: Any) -> Any:
        """The function of `x`."""
        y = self.function(x, **self.arguments)
        if not isinstance(y, Node | list | tuple | dict):
            raise GraphError(
                f"{self.name}: the function returns {y!r:.40}, expected a node made of graphdl's functions"
            )
        return y


class ActivityRegularization(Layer):
    """What it was called on, and a term of the loss: for each example `l1` |x| and `l2` x², summed."""

    supports_masking = True

    def __init__(self, l1: float = 0.0, l2: float = 0.0, **arguments: Any) -> None:
        super().__init__(**arguments)
        self.l1, self.l2 = l1, l2

    def call(self, x: Node) -> Node:
        """`x`."""
        for factor, amount in ((self.l1, abs(x)), (self.l2, square(x))):
            if factor:
                self.add_loss(sum(amount) * factor / size(x.shape[0], x.dtype))
        return x


def _refuse(**arguments: Any) -> None:
    for name, value in arguments.items():
        if value:
            raise GraphError(f"keras.Input: {name} is {value!r:.40}; inputs here are whole arrays, fed in every run")


def _check_width(layer: Layer, x: Node, kernel: Node) -> None:
    if x.shape[-1] != kernel.shape[0]:
        raise ShapeError(
            f"{layer.name}: found {plain(x.label)}: {x.type}, expected width {kernel.shape[0]}, "
            f"for which its kernel {kernel.type} was made"
        )
