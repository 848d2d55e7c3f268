"""Noise in training, which keeps a network from leaning on single units; nothing when the network is asked."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

from graphdl.errors import ShapeError
from graphdl.ir.leaves import noise
from graphdl.ir.node import Node
from graphdl.ir.types import shape_text
from graphdl.keras.checks import number, share
from graphdl.keras.layer import Layer
from graphdl.keras.layers.arguments import channels_last, check_floats, check_rank
from graphdl.keras.random import generator_of, seed_of
from graphdl.ops.random import dropout, random_normal
from graphdl.ops.shape import cast

# Of SELU (Klambauer et al. 2017): what a unit far below zero gives is -_SCALE * _ALPHA.
_ALPHA, _SCALE = 1.6732632423543772, 1.0507009873554805


class _Noise(Layer):
    """What the layers here share: a rate between 0 and 1, and a seed; without one the session's counts."""

    supports_masking = True
    old_names: Mapping[str, str] = {"p": "rate"}

    def __init__(self, rate: float, seed: Any = None, **arguments: Any) -> None:
        super().__init__(**arguments)
        self.rate = share(f"{type(self).__name__}: rate", rate)
        self.seed, self.seed_generator = seed, generator_of(seed)

    @property
    def differs_in_training(self) -> bool:
        """Numbers are drawn in training only."""
        return self.rate > 0

    def call(self, x: Node, training: bool = False) -> Node:
        """`x`, in training with new noise in every step."""
        check_floats(self, x)
        return self.disturbed(x) if training and self.rate > 0 else x

    def disturbed(self, x: Node) -> Node:
        """`x` with noise."""
        raise NotImplementedError


class Dropout(_Noise):
    """In training, zeros with probability `rate`, and what is kept divided by ``1 - rate``; otherwise nothing.

    `noise_shape` is the shape of the mask, None for sizes of the input; along an axis of size 1 all share a fate.
    """

    def __init__(self, rate: float, noise_shape: Any = None, seed: Any = None, **arguments: Any) -> None:
        super().__init__(rate, seed, **arguments)
        self.noise_shape = noise_shape

    def disturbed(self, x: Node) -> Node:
        """`x` with a mask."""
        if self.noise_shape is None:
            return dropout(x, self.rate, seed=seed_of(self.seed_generator))
        return x * (_kept(self, x, self.noise_shape) * (1 / (1 - self.rate)))


class SpatialDropout1D(_Noise):
    """Dropout of whole channels of a series [N, T, C]: of each example, a channel is kept or not at all times."""

    def disturbed(self, x: Node) -> Node:
        """`x` with a mask."""
        check_rank(self, x, 3, "[N, T, C]")
        return x * (_kept(self, x, (None, 1, None)) * (1 / (1 - self.rate)))


class SpatialDropout2D(_Noise):
    """Dropout of whole channels of images [N, H, W, C]: of each example, a channel is kept or not everywhere."""

    def __init__(self, rate: float, data_format: Any = None, seed: Any = None, **arguments: Any) -> None:
        super().__init__(rate, seed, **arguments)
        self.data_format = channels_last(self, data_format)

    def disturbed(self, x: Node) -> Node:
        """`x` with a mask."""
        check_rank(self, x, 4, "images [N, H, W, C]")
        return x * (_kept(self, x, (None, 1, 1, None)) * (1 / (1 - self.rate)))


class GaussianDropout(_Noise):
    """In training, `x` times normal numbers of mean 1 and variance ``rate / (1 - rate)`` (Srivastava et al. 2014)."""

    def disturbed(self, x: Node) -> Node:
        """`x` with noise."""
        stddev = math.sqrt(self.rate / (1 - self.rate))
        return x * random_normal(x.shape, 1.0, stddev, x.dtype, seed=seed_of(self.seed_generator))


class AlphaDropout(_Noise):
    """Dropout for SELU: what is dropped becomes its lower end; then all is scaled, so mean 0 and variance 1 stay.

    Klambauer et al. 2017, section 3.
    """

    def __init__(self, rate: float, noise_shape: Any = None, seed: Any = None, **arguments: Any) -> None:
        super().__init__(rate, seed, **arguments)
        self.noise_shape = noise_shape

    def disturbed(self, x: Node) -> Node:
        """`x` with a mask."""
        kept = _kept(self, x, self.noise_shape or (None,) * x.ndim)
        lowest = -_ALPHA * _SCALE
        a = 1 / math.sqrt((1 - self.rate) * (1 + self.rate * lowest**2))
        return (x * kept + (1 - kept) * lowest) * a - a * lowest * self.rate


class GaussianNoise(Layer):
    """In training, `x` plus normal numbers of standard deviation `stddev`; otherwise nothing."""

    supports_masking = True
    old_names: Mapping[str, str] = {"sigma": "stddev"}

    def __init__(self, stddev: float, seed: Any = None, **arguments: Any) -> None:
        super().__init__(**arguments)
        self.stddev = number("GaussianNoise: stddev", stddev, 0, 1)
        self.seed, self.seed_generator = seed, generator_of(seed)

    @property
    def differs_in_training(self) -> bool:
        """Numbers are drawn in training only."""
        return self.stddev > 0

    def call(self, x: Node, training: bool = False) -> Node:
        """`x`, in training with new noise in every step."""
        check_floats(self, x)
        if not training or not self.stddev:
            return x
        return x + random_normal(x.shape, 0.0, self.stddev, x.dtype, seed=seed_of(self.seed_generator))


def _kept(layer: _Noise, x: Node, shape: Sequence[int | None]) -> Node:
    """1 with probability ``1 - rate``, otherwise 0; None in `shape` is the size of `x` there."""
    if len(shape) != x.ndim or any(s not in (None, 1, d) for s, d in zip(shape, x.shape, strict=True)):
        raise ShapeError(f"{layer.name}: noise_shape is {tuple(shape)}, expected {shape_text(x.shape)} or 1 along axes")
    sizes = tuple(d if s is None else s for s, d in zip(shape, x.shape, strict=True))
    drawn = noise("uniform", sizes, x.dtype, name="noise", seed=seed_of(layer.seed_generator))
    return cast(drawn >= layer.rate, x.dtype)
