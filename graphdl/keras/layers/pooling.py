"""Pooling: the largest or the mean of each window of a series or of images, or of all places."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, ClassVar

from graphdl.ir.node import Node
from graphdl.keras.layer import Layer
from graphdl.keras.layers.arguments import channels_last, check_rank, one_of, sizes
from graphdl.ops.pool import average_pool1d, average_pool2d, max_pool1d, max_pool2d
from graphdl.ops.reduce import max, mean, sum
from graphdl.ops.shape import cast, expand_dims

_EXPECTED = {1: "series [N, T, C]", 2: "images [N, H, W, C]"}


class _Pooling(Layer):
    """What pooling by windows shares; windows lie side by side unless `strides` says otherwise."""

    old_names: Mapping[str, str] = {
        "pool_length": "pool_size",
        "stride": "strides",
        "border_mode": "padding",
        "dim_ordering": "data_format",
    }
    rank: ClassVar[int]
    pool: ClassVar[Callable[..., Node]]

    def __init__(
        self, pool_size: Any = 2, strides: Any = None, padding: str = "valid", data_format: Any = None, **arguments: Any
    ) -> None:
        super().__init__(**arguments)
        self.pool_size = sizes(self, "pool_size", pool_size, self.rank)
        self.strides = self.pool_size if strides is None else sizes(self, "strides", strides, self.rank)
        self.padding = one_of(self, "padding", padding, ("valid", "same"))
        self.data_format = channels_last(self, data_format)

    def call(self, x: Node) -> Node:
        """What is left of each window."""
        check_rank(self, x, self.rank + 2, _EXPECTED[self.rank])
        window, steps = (self.pool_size[0], self.strides[0]) if self.rank == 1 else (self.pool_size, self.strides)
        return type(self).pool(x, window, steps, self.padding)


class MaxPooling1D(_Pooling):
    """The largest element of each window of a series; padding is never the largest."""

    rank = 1
    pool = staticmethod(max_pool1d)


class MaxPooling2D(_Pooling):
    """The largest pixel of each window of images, channel by channel; padding is never the largest."""

    rank = 2
    pool = staticmethod(max_pool2d)


class AveragePooling1D(_Pooling):
    """The mean of each window of a series; padding does not count."""

    rank = 1
    pool = staticmethod(average_pool1d)


class AveragePooling2D(_Pooling):
    """The mean of each window of images, channel by channel; padding does not count."""

    rank = 2
    pool = staticmethod(average_pool2d)


class _Global(Layer):
    """What pooling over all places shares: one number a channel, with axes of size 1 if `keepdims`."""

    old_names: Mapping[str, str] = {"dim_ordering": "data_format"}
    rank: ClassVar[int]
    pool: ClassVar[Callable[..., Node]]

    def __init__(self, data_format: Any = None, keepdims: bool = False, **arguments: Any) -> None:
        super().__init__(**arguments)
        self.data_format = channels_last(self, data_format)
        self.keepdims = keepdims

    def call(self, x: Node) -> Node:
        """One number for each channel."""
        check_rank(self, x, self.rank + 2, _EXPECTED[self.rank])
        return type(self).pool(x, axis=tuple(range(1, self.rank + 1)), keepdims=self.keepdims)


class GlobalMaxPooling1D(_Global):
    """The largest element of a series, channel by channel."""

    rank = 1
    pool = staticmethod(max)


class GlobalMaxPooling2D(_Global):
    """The largest pixel of images, channel by channel."""

    rank = 2
    pool = staticmethod(max)


class GlobalAveragePooling1D(_Global):
    """The mean of a series, channel by channel; of the steps that count, where it has a mask."""

    supports_masking = True
    rank = 1
    pool = staticmethod(mean)

    def call(self, x: Node, mask: Node | None = None) -> Node:
        """One number for each channel."""
        if mask is None:
            return super().call(x)
        counts = expand_dims(cast(mask, x.dtype), 2)
        return sum(x * counts, axis=1, keepdims=self.keepdims) / sum(counts, axis=1, keepdims=self.keepdims)

    def compute_mask(self, inputs: Any, mask: Any = None) -> None:
        """No mask: the steps are gone."""


class GlobalAveragePooling2D(_Global):
    """The mean of images, channel by channel."""

    rank = 2
    pool = staticmethod(mean)
