"""Convolution and its two adjoints, each linear in both inputs; the gradient of each is made of the other two."""

from __future__ import annotations

from typing import Any

from graphdl.errors import GraphError, ShapeError
from graphdl.ir.dim import Dim
from graphdl.ir.elementwise import as_node
from graphdl.ir.node import Node
from graphdl.ir.op import Gradient, Op, Operand, Sample, build, op, refusing
from graphdl.ir.types import TensorType, shape_text
from graphdl.ops.arithmetic import add_n
from graphdl.ops.linalg import matmul
from graphdl.ops.parts import concat, pad
from graphdl.ops.shape import expand_dims, reshape, squeeze
from graphdl.ops.window import NO_PADS, Lengths, Pads, Pair, images, lengths_of, pads_for, pair, slid

_SPACED: dict[str, Any] = {"strides": (2, 1), "pads": ((1, 1), (0, 1)), "dilation": (1, 2)}
_GROUPED: dict[str, Any] = {"strides": (1, 1), "pads": ((1, 0), (1, 1)), "groups": 2}


class _Convolution(Op):
    """What the three share: where the window goes, and how channels are grouped."""

    strides: Pair
    pads: Pads
    dilation: Pair
    groups: int

    def geometry(self) -> dict[str, Any]:
        """The fields that the adjoints take over."""
        return {"strides": self.strides, "pads": self.pads, "dilation": self.dilation, "groups": self.groups}

    def places(self, image: TensorType, window: Pair) -> Lengths:
        """At how many places the window fits."""
        return slid(image, window, self.strides, self.pads, self.dilation)

    def arguments(self) -> str:
        """Where the window goes, as the kernels take it."""
        return f"{self.strides}, {self.pads}, {self.dilation}"

    def is_depthwise(self, kernel: TensorType) -> bool:
        """Whether each channel is convolved by itself."""
        return self.groups > 1 and kernel.shape[2] == 1

    def flops_of(self, y: TensorType, window: Pair, depth: Dim) -> Dim:
        """A multiplication and an addition for each element of the window, for each element of the convolution."""
        return y.size * depth * (2 * window[0] * window[1])


@op
class Conv2D(_Convolution):
    """Convolution of images ``[N, H, W, C]`` with a kernel ``[h, w, C / groups, F]`` (a cross-correlation)."""

    name = "conv2d"
    glyph = "∗"
    role = "swap"
    strides: Pair = (1, 1)
    pads: Pads = NO_PADS
    dilation: Pair = (1, 1)
    groups: int = 1
    samples = (
        Sample(((2, 5, 6, 2), (3, 2, 2, 3)), attributes=_SPACED),
        Sample(((2, 4, 3, 4), (2, 2, 2, 6)), attributes=_GROUPED),
        Sample(((2, 4, 3, 3), (2, 2, 1, 6)), attributes={**_GROUPED, "groups": 3}),
    )

    def infer(self, x: TensorType, kernel: TensorType) -> TensorType:
        window = _check(x, kernel, self.groups)
        return images(x, self.places(x, window), kernel.shape[3])

    def vjp(self, dy: Node, y: Node, x: Node, kernel: Node) -> tuple[Gradient, ...]:
        return (
            lambda: build(Conv2DTranspose(lengths_of(x.tensor), **self.geometry()), dy, kernel),
            lambda: build(Conv2DKernel(_window(kernel.tensor), **self.geometry()), x, dy),
        )

    def lower(self, x: Operand, kernel: Operand) -> str:
        if self.is_depthwise(kernel.type):
            return f"depthwise({x}, {kernel}, {self.arguments()})"
        return f"conv2d({x}, {kernel}, {self.arguments()}, {self.groups})"

    def latex(self, x: str, kernel: str) -> str:
        return rf"{x} \ast {kernel}"

    def flops(self, result: TensorType, *inputs: TensorType) -> Dim:
        return self.flops_of(result, _window(inputs[1]), inputs[1].shape[2])

    def decompose(self, x: Node, kernel: Node) -> Node:
        """A matrix product for each element of the window."""
        whole = pad(x, ((0, 0), *self.pads, (0, 0)))
        depth, filters = kernel.shape[2], kernel.shape[3]
        assert isinstance(depth, int)
        assert isinstance(filters, int)
        each = filters // self.groups
        return concat([self._group(whole, kernel, g, depth, each, x.tensor) for g in range(self.groups)], axis=-1)

    def _group(self, whole: Node, kernel: Node, group: int, depth: int, filters: int, x: TensorType) -> Node:
        (h, w), (down, right) = _window(kernel.tensor), self.places(x, _window(kernel.tensor))
        terms = []
        for i in range(h):
            for j in range(w):
                rows = slice(
                    i * self.dilation[0], i * self.dilation[0] + self.strides[0] * (down - 1) + 1, self.strides[0]
                )
                across = slice(
                    j * self.dilation[1], j * self.dilation[1] + self.strides[1] * (right - 1) + 1, self.strides[1]
                )
                part = whole[:, rows, across, group * depth : (group + 1) * depth]
                terms.append(matmul(part, kernel[i, j, :, group * filters : (group + 1) * filters]))
        return add_n(*terms) if len(terms) > 1 else terms[0]


@op
class Conv2DTranspose(_Convolution):
    """The adjoint of a convolution for its images: what was read is added to; `lengths` are those of the result."""

    name = "conv2d_transpose"
    glyph = "∗ᵀ"
    role = "swap"
    lengths: Lengths
    strides: Pair = (1, 1)
    pads: Pads = NO_PADS
    dilation: Pair = (1, 1)
    groups: int = 1
    samples = (
        Sample(((2, 3, 5, 3), (3, 2, 2, 3)), attributes={"lengths": (5, 6), **_SPACED}),
        Sample(((2, 4, 4, 6), (2, 2, 2, 6)), attributes={"lengths": (4, 3), **_GROUPED}),
        Sample(((2, 4, 4, 6), (2, 2, 1, 6)), attributes={"lengths": (4, 3), **_GROUPED, "groups": 3}),
    )

    def infer(self, dy: TensorType, kernel: TensorType) -> TensorType:
        lengths_of(dy)
        if kernel.rank != 4 or kernel.dtype != dy.dtype:
            raise ShapeError(f"found {dy} and kernel {kernel}, expected images and a kernel [h, w, C, F]")
        result = images(dy, self.lengths, kernel.shape[2] * self.groups)
        expected = images(dy, self.places(result, _check(result, kernel, self.groups)), kernel.shape[3])
        if dy != expected:
            raise ShapeError(f"found {dy}, expected {expected} for images of {shape_text(self.lengths)}")
        return result

    def vjp(self, dy: Node, y: Node, x: Node, kernel: Node) -> tuple[Gradient, ...]:
        return (
            lambda: build(Conv2D(**self.geometry()), dy, kernel),
            lambda: build(Conv2DKernel(_window(kernel.tensor), **self.geometry()), dy, x),
        )

    def lower(self, dy: Operand, kernel: Operand) -> str:
        around = self.pads_back(_window(kernel.type))
        if self.strides == (1, 1) and min(map(min, around)) >= 0 and not self.is_depthwise(kernel.type):
            # The window went a step at a time: so it can come back.
            back = f"turned({kernel}, {self.groups})"
            return f"conv2d({dy}, {back}, {self.strides}, {around}, {self.dilation}, {self.groups})"
        name = "depthwise_transpose" if self.is_depthwise(kernel.type) else "conv2d_transpose"
        return f"{name}({dy}, {kernel}, {self.lengths}, {self.arguments()}, {self.groups})"

    def pads_back(self, window: Pair) -> Pads:
        """What a convolution of the gradients puts around, so that it gives images of `lengths`."""
        (top, bottom), (left, right) = self.pads
        down, across = ((size - 1) * d for size, d in zip(window, self.dilation, strict=True))
        return (down - top, down - bottom), (across - left, across - right)

    def flops(self, result: TensorType, *inputs: TensorType) -> Dim:
        return self.flops_of(inputs[0], _window(inputs[1]), inputs[1].shape[2])


@op
class Conv2DKernel(_Convolution):
    """The adjoint of a convolution for its kernel: products of what a window saw with the gradient there, summed."""

    name = "conv2d_kernel"
    glyph = "∗ᴷ"
    role = "swap"
    window: Pair
    strides: Pair = (1, 1)
    pads: Pads = NO_PADS
    dilation: Pair = (1, 1)
    groups: int = 1
    samples = (
        Sample(((2, 5, 6, 2), (2, 3, 5, 3)), attributes={"window": (3, 2), **_SPACED}),
        Sample(((2, 4, 3, 4), (2, 4, 4, 6)), attributes={"window": (2, 2), **_GROUPED}),
        Sample(((2, 4, 3, 3), (2, 4, 4, 6)), attributes={"window": (2, 2), **_GROUPED, "groups": 3}),
    )

    def infer(self, x: TensorType, dy: TensorType) -> TensorType:
        lengths_of(dy)
        channels, filters = x.shape[-1], dy.shape[3]
        if not isinstance(channels, int) or not isinstance(filters, int) or channels % self.groups:
            raise ShapeError(f"{channels} channels and {filters} filters do not make {self.groups} groups")
        kernel = x.with_shape((*self.window, channels // self.groups, filters))
        expected = images(x, self.places(x, _check(x, kernel, self.groups)), filters)
        if dy != expected:
            raise ShapeError(f"found {dy}, expected {expected} for images {x}")
        return kernel

    def vjp(self, dy: Node, y: Node, x: Node, g: Node) -> tuple[Gradient, ...]:
        return (
            lambda: build(Conv2DTranspose(lengths_of(x.tensor), **self.geometry()), g, dy),
            lambda: build(Conv2D(**self.geometry()), x, dy),
        )

    def lower(self, x: Operand, dy: Operand) -> str:
        if self.groups > 1 and x.type.shape[3] == self.groups:
            return f"depthwise_kernel({x}, {dy}, {self.window}, {self.arguments()})"
        return f"conv2d_kernel({x}, {dy}, {self.window}, {self.arguments()}, {self.groups})"

    def flops(self, result: TensorType, *inputs: TensorType) -> Dim:
        return self.flops_of(inputs[1], self.window, result.shape[2])


def conv2d(
    x: Any,
    kernel: Any,
    strides: int | Pair = 1,
    padding: Any = "valid",
    dilation: int | Pair = 1,
    groups: int = 1,
    name: str | None = None,
) -> Node:
    """Convolution of images, as deep learning has it: the kernel is not turned around.

    x         f32[N, H, W, C]
    kernel    f32[h, w, C / groups, F]
    padding   "valid", "same", or ((top, bottom), (left, right))
    return    f32[N, H', W', F], where H' = (H + top + bottom - (h - 1) dilation - 1) // stride + 1

    Raises ShapeError when channels do not agree or the window fits nowhere.
    """
    x, kernel = as_node(x), as_node(kernel)
    with refusing("conv2d", x, kernel):
        steps, spread = pair(strides, "strides"), pair(dilation, "dilation")
        window = _check(x.tensor, kernel.tensor, groups)
        pads = _pads(padding, lengths_of(x.tensor), window, steps, spread)
    return build(Conv2D(steps, pads, spread, groups), x, kernel, name=name)


def conv1d(
    x: Any,
    kernel: Any,
    stride: int = 1,
    padding: Any = "valid",
    dilation: int = 1,
    groups: int = 1,
    name: str | None = None,
) -> Node:
    """Convolution along one axis: `x` f32[N, T, C], `kernel` f32[k, C / groups, F]; "causal" pads before only."""
    x, kernel = as_node(x), as_node(kernel)
    with refusing("conv1d", x, kernel):
        if x.ndim != 3 or kernel.ndim != 3:
            raise ShapeError(f"found {x.type} and kernel {kernel.type}, expected [N, T, C] and [k, C, F]")
    if padding == "causal":
        width = kernel.shape[0]
        assert isinstance(width, int)
        padding = ((0, 0), ((width - 1) * dilation, 0))
    wide = conv2d(expand_dims(x, 1), expand_dims(kernel, 0), (1, stride), padding, (1, dilation), groups)
    return squeeze(wide, axis=1, name=name)


def conv2d_transpose(
    x: Any,
    kernel: Any,
    strides: int | Pair = 1,
    padding: str = "valid",
    dilation: int | Pair = 1,
    name: str | None = None,
) -> Node:
    """The transposed convolution, which enlarges: `x` f32[N, H, W, C], `kernel` f32[h, w, F, C].

    The result has H stride rows with padding "same" and H stride + max(h - stride, 0) with "valid", as in Keras.
    """
    x, kernel = as_node(x), as_node(kernel)
    with refusing("conv2d_transpose", x, kernel):
        steps, spread = pair(strides, "strides"), pair(dilation, "dilation")
        if kernel.ndim != 4:
            raise ShapeError(f"the kernel is {kernel.type}, expected [h, w, F, C]")
        window, same = _window(kernel.tensor), str(padding).lower() == "same"
        given = zip(lengths_of(x.tensor), window, steps, spread, strict=True)
        down, right = (n * s + (0 if same else max((k - 1) * d + 1 - s, 0)) for n, k, s, d in given)
        pads = pads_for(padding, (down, right), window, steps, spread)
    return build(Conv2DTranspose((down, right), steps, pads, spread), x, kernel, name=name)


def depthwise_conv2d(
    x: Any,
    kernel: Any,
    strides: int | Pair = 1,
    padding: Any = "valid",
    dilation: int | Pair = 1,
    name: str | None = None,
) -> Node:
    """A convolution of each channel by itself: `kernel` f32[h, w, C, m], result f32[N, H', W', C m]."""
    x, kernel = as_node(x), as_node(kernel)
    with refusing("depthwise_conv2d", x, kernel):
        if kernel.ndim != 4 or x.ndim != 4 or kernel.shape[2] != x.shape[3]:
            raise ShapeError(f"found {x.type} and kernel {kernel.type}, expected [N, H, W, C] and [h, w, C, m]")
        channels, multiplier = kernel.shape[2], kernel.shape[3]
        assert isinstance(channels, int)
    grouped = reshape(kernel, (*kernel.shape[:2], 1, channels * multiplier))
    return conv2d(x, grouped, strides, padding, dilation, channels, name)


def separable_conv2d(
    x: Any,
    depthwise: Any,
    pointwise: Any,
    strides: int | Pair = 1,
    padding: Any = "valid",
    dilation: int | Pair = 1,
    name: str | None = None,
) -> Node:
    """A depthwise convolution, then one over channels alone: `pointwise` is f32[1, 1, C multiplier, F]."""
    return conv2d(depthwise_conv2d(x, depthwise, strides, padding, dilation), pointwise, name=name)


def _pads(padding: Any, lengths: Lengths, window: Pair, strides: Pair, dilation: Pair) -> Pads:
    if isinstance(padding, str) or padding is None:
        return pads_for(padding, lengths, window, strides, dilation)
    (top, bottom), (left, right) = padding
    if min(top, bottom, left, right) < 0:
        raise GraphError(f"padding is {padding!r}, expected counts of 0 or more")
    return (int(top), int(bottom)), (int(left), int(right))


def _check(x: TensorType, kernel: TensorType, groups: int) -> Pair:
    """The window of the kernel; ShapeError where channels and groups do not agree."""
    lengths_of(x)
    if kernel.rank != 4 or kernel.dtype != x.dtype:
        raise ShapeError(f"found {x} and kernel {kernel}, expected images [N, H, W, C] and a kernel [h, w, C, F]")
    channels, depth, filters = x.shape[3], kernel.shape[2], kernel.shape[3]
    if not isinstance(groups, int) or groups < 1 or depth * groups != channels:
        raise ShapeError(
            f"the images have {channels} channels, the kernel takes {depth} in each of {groups} group"
            f"{'s' if groups != 1 else ''}; expected {depth * groups}"
        )
    if not isinstance(filters, int) or filters % groups:
        raise ShapeError(f"{filters} filters do not make {groups} groups")
    return _window(kernel)


def _window(kernel: TensorType) -> Pair:
    height, width = kernel.shape[:2]
    if not isinstance(height, int) or not isinstance(width, int):
        raise ShapeError(f"the kernel is {kernel}; its sizes must be known")
    return height, width
