"""Convolution of each channel by itself, and the separable convolution that mixes channels afterwards."""

from __future__ import annotations

from typing import Any

from graphdl.ir.node import Node
from graphdl.keras.layers.arguments import add_weight, describe_weight, positive
from graphdl.keras.layers.convolution import Convolution
from graphdl.keras.shapes import Shape
from graphdl.ops.conv import conv2d, depthwise_conv2d


class _ByChannel(Convolution):
    """What depthwise and separable convolutions share: a kernel (window, channels, multiplier)."""

    def channels_of(self, kernel: Node) -> int:
        """The channels of images."""
        depth = kernel.shape[-2]
        assert isinstance(depth, int)
        return depth

    def by_channel(self, image: Node, kernel: Node) -> Node:
        """The convolution of each channel by itself."""
        over = self.kernel_over_images(kernel)
        return depthwise_conv2d(image, over, self.window(self.strides), self.pads(), self.window(self.dilation_rate))


class _Depthwise(_ByChannel):
    """Depthwise convolutions."""

    def __init__(
        self,
        kernel_size: Any,
        strides: Any = 1,
        padding: str = "valid",
        depth_multiplier: int = 1,
        data_format: Any = None,
        dilation_rate: Any = 1,
        activation: Any = None,
        use_bias: bool = True,
        depthwise_initializer: Any = "glorot_uniform",
        bias_initializer: Any = "zeros",
        depthwise_regularizer: Any = None,
        bias_regularizer: Any = None,
        activity_regularizer: Any = None,
        depthwise_constraint: Any = None,
        bias_constraint: Any = None,
        **arguments: Any,
    ) -> None:
        super().__init__(activity_regularizer=activity_regularizer, **arguments)
        self.place(kernel_size, strides, padding, data_format, dilation_rate)
        self.depth_multiplier = positive(self, "depth_multiplier", depth_multiplier)
        describe_weight(self, "depthwise", depthwise_initializer, depthwise_regularizer, depthwise_constraint)
        self.finish_with(activation, use_bias, bias_initializer, bias_regularizer, bias_constraint)

    def build(self, input_shape: Shape) -> None:
        """A kernel (window, channels, multiplier), and a bias for each channel that comes out."""
        channels = self.channels(input_shape)
        self.kernel = add_weight(self, "depthwise", (*self.kernel_size, channels, self.depth_multiplier), "kernel")
        if self.use_bias:
            self.bias = add_weight(self, "bias", (channels * self.depth_multiplier,))

    def slide(self, image: Node) -> Node:
        """The convolution of each channel by itself."""
        return self.by_channel(image, self.kernel)


class DepthwiseConv2D(_Depthwise):
    """Convolution of each channel of images with `depth_multiplier` filters of its own."""


class DepthwiseConv1D(_Depthwise):
    """Convolution of each channel of a series [N, T, C] with `depth_multiplier` filters of its own."""

    rank = 1
    paddings = ("valid", "same", "causal")


class _Separable(_ByChannel):
    """Separable convolutions: over places by channel, then over channels by place."""

    def __init__(
        self,
        filters: int,
        kernel_size: Any,
        strides: Any = 1,
        padding: str = "valid",
        data_format: Any = None,
        dilation_rate: Any = 1,
        depth_multiplier: int = 1,
        activation: Any = None,
        use_bias: bool = True,
        depthwise_initializer: Any = "glorot_uniform",
        pointwise_initializer: Any = "glorot_uniform",
        bias_initializer: Any = "zeros",
        depthwise_regularizer: Any = None,
        pointwise_regularizer: Any = None,
        bias_regularizer: Any = None,
        activity_regularizer: Any = None,
        depthwise_constraint: Any = None,
        pointwise_constraint: Any = None,
        bias_constraint: Any = None,
        **arguments: Any,
    ) -> None:
        super().__init__(activity_regularizer=activity_regularizer, **arguments)
        self.filters = positive(self, "filters", filters)
        self.place(kernel_size, strides, padding, data_format, dilation_rate)
        self.depth_multiplier = positive(self, "depth_multiplier", depth_multiplier)
        describe_weight(self, "depthwise", depthwise_initializer, depthwise_regularizer, depthwise_constraint)
        describe_weight(self, "pointwise", pointwise_initializer, pointwise_regularizer, pointwise_constraint)
        self.finish_with(activation, use_bias, bias_initializer, bias_regularizer, bias_constraint)

    def build(self, input_shape: Shape) -> None:
        """A kernel (window, channels, multiplier), one (1, channels multiplier, filters), and biases."""
        channels, ones = self.channels(input_shape), (1,) * self.rank
        window = (*self.kernel_size, channels, self.depth_multiplier)
        self.depthwise_kernel = add_weight(self, "depthwise", window, "depthwise_kernel")
        mixing = (*ones, channels * self.depth_multiplier, self.filters)
        self.pointwise_kernel = add_weight(self, "pointwise", mixing, "pointwise_kernel")
        if self.use_bias:
            self.bias = add_weight(self, "bias", (self.filters,))

    def slide(self, image: Node) -> Node:
        """Each channel by itself, then all channels of each place."""
        return conv2d(self.by_channel(image, self.depthwise_kernel), self.kernel_over_images(self.pointwise_kernel))


class SeparableConv2D(_Separable):
    """A convolution of images in two steps with fewer weights: each channel by itself, then channels mixed."""


class SeparableConv1D(_Separable):
    """A convolution of a series in two steps with fewer weights: each channel by itself, then channels mixed."""

    rank = 1
    paddings = ("valid", "same", "causal")
