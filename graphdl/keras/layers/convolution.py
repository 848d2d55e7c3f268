"""Convolution of series and images: windows with the same weights everywhere."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from graphdl.errors import GraphError, ShapeError
from graphdl.ir.dim import Dim
from graphdl.ir.node import Node
from graphdl.ir.op import build, refusing
from graphdl.ir.text import plain
from graphdl.keras import activations
from graphdl.keras.layer import Layer
from graphdl.keras.layers.arguments import (
    OLD_NAMES,
    add_weight,
    channels_last,
    check_rank,
    describe_weight,
    known_size,
    one_of,
    positive,
    sizes,
)
from graphdl.keras.shapes import Shape
from graphdl.ops.conv import Conv2DTranspose as TransposeOp
from graphdl.ops.conv import conv2d
from graphdl.ops.shape import expand_dims, squeeze
from graphdl.ops.window import Pads, lengths_of, pads_for, reach

IMAGES, SERIES = "images [N, H, W, C]", "series [N, T, C]"
OLD_CONVOLUTION = {
    **OLD_NAMES,
    "nb_filter": "filters",
    "filter_length": "kernel_size",
    "subsample_length": "strides",
}


class Convolution(Layer):
    """What all convolutions share: where the window goes, activation and bias.

    A series is an image of one row, so every layer computes on images.
    """

    old_names: Mapping[str, str] = OLD_CONVOLUTION
    rank = 2
    paddings: tuple[str, ...] = ("valid", "same")

    def place(self, kernel_size: Any, strides: Any, padding: str, data_format: Any, dilation_rate: Any) -> None:
        """Check and keep the window."""
        self.kernel_size = sizes(self, "kernel_size", kernel_size, self.rank)
        self.strides = sizes(self, "strides", strides, self.rank)
        self.padding = one_of(self, "padding", padding, self.paddings)
        self.data_format = channels_last(self, data_format)
        self.dilation_rate = sizes(self, "dilation_rate", dilation_rate, self.rank)

    def finish_with(self, activation: Any, use_bias: bool, *bias: Any) -> None:
        """Keep what happens to the sums: a bias with its initializer, regularizer and constraint, an activation."""
        self.activation = activations.get(activation)
        self.use_bias = use_bias
        describe_weight(self, "bias", *bias)
        self.bias: Node | None = None

    def channels(self, input_shape: Shape) -> int:
        """How many channels the inputs have."""
        return known_size(self, input_shape, -1)

    def check(self, x: Node) -> None:
        """ShapeError where `x` is no series or no images, or has other channels than the kernel was made for."""
        check_rank(self, x, self.rank + 2, IMAGES if self.rank == 2 else SERIES)
        if not self.built:
            return
        kernel: Node = self.weights[0]
        expected = self.channels_of(kernel)
        if x.shape[-1] != expected:
            raise ShapeError(
                f"{self.name}: found {plain(x.label)}: {x.type}, expected {expected} channels, "
                f"for which its kernel {kernel.type} was made"
            )

    def call(self, x: Node) -> Node:
        """The activation of the sums and the bias."""
        image = expand_dims(x, 1) if self.rank == 1 else x
        y = self.slide(image)
        if self.rank == 1:
            y = squeeze(y, axis=1)
        return self.activation(y if self.bias is None else y + self.bias)

    def channels_of(self, kernel: Node) -> int:
        """The channels that a kernel takes."""
        raise NotImplementedError

    def slide(self, image: Node) -> Node:
        """The sums over all windows of images."""
        raise NotImplementedError

    def pads(self) -> str | Pads:
        """What is put around images; "causal" puts zeros before a series, so that no place sees what follows it."""
        if self.padding != "causal":
            return self.padding
        return ((0, 0), (reach(self.kernel_size[0], self.dilation_rate[0]) - 1, 0))

    def window(self, values: tuple[int, ...]) -> tuple[int, int]:
        """Numbers for rows and for columns."""
        return (1, values[0]) if self.rank == 1 else (values[0], values[1])

    def kernel_over_images(self, kernel: Node) -> Node:
        """The kernel with an axis for rows."""
        return expand_dims(kernel, 0) if self.rank == 1 else kernel


class _Filters(Convolution):
    """Convolutions with one kernel over all channels of a group."""

    def __init__(
        self,
        filters: int,
        kernel_size: Any,
        strides: Any = 1,
        padding: str = "valid",
        data_format: Any = None,
        dilation_rate: Any = 1,
        groups: int = 1,
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
        self.filters = positive(self, "filters", filters)
        self.place(kernel_size, strides, padding, data_format, dilation_rate)
        self.groups = positive(self, "groups", groups)
        if self.filters % self.groups:
            raise GraphError(f"{type(self).__name__}: {self.filters} filters do not make {self.groups} groups")
        if max(self.strides) > 1 and max(self.dilation_rate) > 1:
            raise GraphError(
                f"{type(self).__name__}: strides is {self.strides} and dilation_rate {self.dilation_rate}; "
                "expected one of them to be 1"
            )
        describe_weight(self, "kernel", kernel_initializer, kernel_regularizer, kernel_constraint)
        self.finish_with(activation, use_bias, bias_initializer, bias_regularizer, bias_constraint)

    def build(self, input_shape: Shape) -> None:
        """A kernel (window, channels of a group, filters), and a bias for each filter."""
        channels = self.channels(input_shape)
        if channels % self.groups:
            raise ShapeError(f"{self.name}: the {channels} channels of {input_shape} do not make {self.groups} groups")
        self.kernel = add_weight(self, "kernel", (*self.kernel_size, channels // self.groups, self.filters))
        if self.use_bias:
            self.bias = add_weight(self, "bias", (self.filters,))

    def channels_of(self, kernel: Node) -> int:
        """The channels of all groups."""
        depth = kernel.shape[-2]
        assert isinstance(depth, int)
        return depth * self.groups

    def slide(self, image: Node) -> Node:
        """A convolution with the kernel."""
        kernel = self.kernel_over_images(self.kernel)
        steps, spread = self.window(self.strides), self.window(self.dilation_rate)
        return conv2d(image, kernel, steps, self.pads(), spread, self.groups)


class Conv2D(_Filters):
    """``activation(x * kernel + bias)`` over images: each filter looks at every window of `kernel_size` pixels.

    The kernel is (h, w, channels / groups, filters). With padding "same" and stride 1 images keep their size.
    """

    old_names: Mapping[str, str] = OLD_CONVOLUTION


class Conv1D(_Filters):
    """``activation(x * kernel + bias)`` over a series [N, T, C], with a kernel (k, channels / groups, filters).

    With padding "causal" what comes out at a time depends on what came in up to then.
    """

    rank = 1
    paddings = ("valid", "same", "causal")


class _Transposed(Convolution):
    """Transposed convolutions, which enlarge: each element is spread over a window by the kernel."""

    def __init__(
        self,
        filters: int,
        kernel_size: Any,
        strides: Any = 1,
        padding: str = "valid",
        output_padding: Any = None,
        data_format: Any = None,
        dilation_rate: Any = 1,
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
        self.filters = positive(self, "filters", filters)
        self.place(kernel_size, strides, padding, data_format, dilation_rate)
        self.output_padding = _more(self, output_padding)
        describe_weight(self, "kernel", kernel_initializer, kernel_regularizer, kernel_constraint)
        self.finish_with(activation, use_bias, bias_initializer, bias_regularizer, bias_constraint)

    def build(self, input_shape: Shape) -> None:
        """A kernel (window, filters, channels), and a bias for each filter."""
        self.kernel = add_weight(self, "kernel", (*self.kernel_size, self.filters, self.channels(input_shape)))
        if self.use_bias:
            self.bias = add_weight(self, "bias", (self.filters,))

    def channels_of(self, kernel: Node) -> int:
        """The channels of what is enlarged."""
        depth = kernel.shape[-1]
        assert isinstance(depth, int)
        return depth

    def slide(self, image: Node) -> Node:
        """The adjoint of a convolution with the kernel, for images of the size that Keras gives them."""
        kernel = self.kernel_over_images(self.kernel)
        window, steps = self.window(self.kernel_size), self.window(self.strides)
        spread = self.window(self.dilation_rate)
        extra = (None, None) if self.output_padding is None else self.output_padding
        more = (0, extra[0]) if self.rank == 1 else extra
        with refusing(self.name, image):
            given = zip(lengths_of(image.tensor), window, steps, spread, more, strict=True)
            down, right = (enlarged(n, reach(k, d), s, self.padding, m) for n, k, s, d, m in given)
            pads = pads_for(self.padding, (down, right), window, steps, spread)
        return build(TransposeOp((down, right), steps, pads, spread), image, kernel)


class Conv2DTranspose(_Transposed):
    """The transposed convolution of images: with stride 2 and padding "same" they become twice as large.

    The kernel is (h, w, filters, channels).
    """


class Conv1DTranspose(_Transposed):
    """The transposed convolution of a series [N, T, C], with a kernel (k, filters, channels)."""

    rank = 1


def enlarged(length: Dim, window: int, stride: int, padding: str, more: int | None = None) -> Dim:
    """Elements along an axis after a transposed convolution; `more` is Keras' output_padding.

    >>> enlarged(14, 3, 2, "same"), enlarged(14, 3, 2, "valid"), enlarged(14, 3, 2, "same", 0)
    (28, 29, 27)
    """
    if more is None:
        return length * stride + (max(window - stride, 0) if padding == "valid" else 0)
    cut = 2 * (window // 2) if padding == "same" else 0
    return (length - 1) * stride + window - cut + more


def _more(layer: Convolution, given: Any) -> tuple[int, ...] | None:
    """`output_padding`: None, or counts below the strides."""
    if given is None:
        return None
    found = (given,) * layer.rank if isinstance(given, int) else tuple(given)
    if len(found) != layer.rank or any(not 0 <= m < s for m, s in zip(found, layer.strides, strict=True)):
        raise GraphError(
            f"{type(layer).__name__}: output_padding is {given!r}, expected from 0 to below strides, {layer.strides}"
        )
    return found
