"""Windows that slide over images: sizes, padding, and what convolution and pooling have in common.

Images are ``[N, H, W, C]``, as in Keras. H or W may be known at run time only, where the window goes a step at a time.
"""

from __future__ import annotations

from typing import Any

from graphdl.errors import GraphError, ShapeError
from graphdl.ir.dim import Dim
from graphdl.ir.types import TensorType

Pair = tuple[int, int]
Lengths = tuple[Dim, Dim]
# How much is put around, before and behind, for rows and columns.
Pads = tuple[Pair, Pair]

NO_PADS: Pads = ((0, 0), (0, 0))


def pair(value: Any, what: str) -> Pair:
    """One number for both directions, or one for each."""
    found = (value, value) if isinstance(value, int) else tuple(value)
    if len(found) != 2 or any(isinstance(v, bool) or not isinstance(v, int) or v < 1 for v in found):
        raise GraphError(f"{what} is {value!r}, expected a positive integer or a pair of them")
    return found[0], found[1]


def reach(window: int, dilation: int) -> int:
    """How many elements a window spans from its first to its last."""
    return (window - 1) * dilation + 1


def output_length(length: Dim, window: int, stride: int, pads: Pair, dilation: int = 1) -> Dim:
    """At how many places a window fits; ShapeError where it fits nowhere."""
    span = length + sum(pads) - reach(window, dilation)
    if not isinstance(span, int):
        _check_single_steps(length, stride)
        return span + 1
    places = span // stride + 1
    if places < 1:
        raise ShapeError(f"a window of {reach(window, dilation)} does not fit in {length + sum(pads)} elements")
    return places


def pads_for(padding: Any, lengths: Lengths, window: Pair, strides: Pair, dilation: Pair = (1, 1)) -> Pads:
    """What "valid" and "same" put around: nothing, or so much that there is a place for each stride begun.

    With "same" an odd element goes behind, as in TensorFlow.
    """
    if padding not in ("valid", "same", "VALID", "SAME"):
        raise GraphError(f"padding is {padding!r}, expected 'valid' or 'same'")
    if padding.lower() == "valid":
        return NO_PADS
    totals = [_missing(n, reach(k, d), s) for n, k, s, d in zip(lengths, window, strides, dilation, strict=True)]
    rows, columns = ((total // 2, total - total // 2) for total in totals)
    return rows, columns


def _missing(length: Dim, reach: int, stride: int) -> int:
    """How many elements the last window would lack, if there is a window for each stride begun."""
    if isinstance(length, int):
        return max((-(-length // stride) - 1) * stride + reach - length, 0)
    _check_single_steps(length, stride)
    return reach - 1


def _check_single_steps(length: Dim, stride: int) -> None:
    if stride != 1:
        raise ShapeError(
            f"the window goes in steps of {stride} over a length {length} that is known at run time only; "
            "say a number in place of None, or go a step at a time"
        )


def lengths_of(image: TensorType) -> Lengths:
    """Height and width of images; ShapeError where they are no images."""
    if image.rank != 4 or not image.is_float:
        raise ShapeError(f"found {image}, expected images of floats, [N, H, W, C]")
    _, height, width, _ = image.shape
    return height, width


def slid(image: TensorType, window: Pair, strides: Pair, pads: Pads, dilation: Pair = (1, 1)) -> Lengths:
    """At how many places a window fits, over the height and over the width."""
    height, width = (
        output_length(n, k, s, p, d)
        for n, k, s, p, d in zip(lengths_of(image), window, strides, pads, dilation, strict=True)
    )
    return height, width


def images(like: TensorType, lengths: Lengths, channels: Dim) -> TensorType:
    """The type of as many images as `like`, of other sizes."""
    return like.with_shape((like.shape[0], *lengths, channels))
