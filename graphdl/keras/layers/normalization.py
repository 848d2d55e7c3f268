"""Layers that bring what flows through a network to mean 0 and variance 1, over the batch or over each example."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from graphdl.errors import GraphError, ShapeError
from graphdl.ir.node import Node
from graphdl.ir.types import normalise_axis
from graphdl.keras import initializers
from graphdl.keras.checks import number
from graphdl.keras.layer import Layer
from graphdl.keras.layers.arguments import add_weight, check_floats, describe_weight, known_size
from graphdl.keras.shapes import Shape, shapes_of
from graphdl.ops.arithmetic import maximum, sqrt, square
from graphdl.ops.reduce import mean, sum, var
from graphdl.ops.shape import broadcast_to, cast, expand_dims, reshape

# Keras' backend.epsilon().
_NEARLY_0 = 1e-7


class _ScaledAndMoved(Layer):
    """What normalising layers share: `gamma`, by which they scale, and `beta`, which they add."""

    supports_masking = True

    def keep(self, center: bool, scale: bool, epsilon: float) -> None:
        """Check and keep what all have."""
        self.center, self.scale = center, scale
        self.epsilon = number(f"{type(self).__name__}: epsilon", epsilon)
        self.gamma: Node | None = None
        self.beta: Node | None = None

    def add_scale_and_shift(self, shape: tuple[int, ...]) -> None:
        """Make `gamma` and `beta`."""
        if self.scale:
            self.gamma = add_weight(self, "gamma", shape)
        if self.center:
            self.beta = add_weight(self, "beta", shape)

    def normalised(self, x: Node, centre: Node, variance: Node, shape: tuple[Any, ...]) -> Node:
        """``gamma (x - mean) / sqrt(variance + epsilon) + beta``; vectors are taken along `shape`."""
        deviation = sqrt(_along(variance, shape) + self.epsilon)
        y = x - _along(centre, shape)
        if self.gamma is None:
            y = y / deviation
        elif variance.ndim == 1:
            # Both are vectors: dividing them by each other spares a pass over the whole batch.
            y = y * (_along(self.gamma, shape) / deviation)
        else:
            y = y / deviation * _along(self.gamma, shape)
        return y if self.beta is None else y + _along(self.beta, shape)


def _along(value: Node, shape: tuple[Any, ...]) -> Node:
    """`value` so that it broadcasts over the inputs; a vector over the last axis does already."""
    if value.ndim == len(shape) or (value.ndim == 1 and all(size == 1 for size in shape[:-1])):
        return value
    return reshape(value, shape)


class BatchNormalization(_ScaledAndMoved):
    """``gamma (x - mean) / sqrt(variance + epsilon) + beta``, channel by channel (Ioffe & Szegedy 2015).

    In training mean and variance are those of the batch (the variance divides by the number of values), and each step
    moves ``moving_mean`` and ``moving_variance`` towards them: ``moving = momentum moving + (1 - momentum) batch``.
    In inference, and while the layer is frozen, the moving ones take their place.
    """

    old_names: Mapping[str, str] = {"gamma_init": "gamma_initializer", "beta_init": "beta_initializer"}

    def __init__(
        self,
        axis: int = -1,
        momentum: float = 0.99,
        epsilon: float = 1e-3,
        center: bool = True,
        scale: bool = True,
        beta_initializer: Any = "zeros",
        gamma_initializer: Any = "ones",
        moving_mean_initializer: Any = "zeros",
        moving_variance_initializer: Any = "ones",
        beta_regularizer: Any = None,
        gamma_regularizer: Any = None,
        beta_constraint: Any = None,
        gamma_constraint: Any = None,
        synchronized: bool = False,
        renorm: bool = False,
        renorm_clipping: Any = None,
        renorm_momentum: float = 0.99,
        **arguments: Any,
    ) -> None:
        super().__init__(**arguments)
        if renorm:
            raise GraphError("BatchNormalization: renorm=True is not here; small batches fare well with momentum=0.9")
        # There is one device, so a batch is in one place.
        self.synchronized, self.renorm = synchronized, False
        self.renorm_clipping, self.renorm_momentum = renorm_clipping, renorm_momentum
        self.axis = axis
        self.momentum = number("BatchNormalization: momentum", momentum, 0, 1)
        self.moving_mean_initializer = initializers.get(moving_mean_initializer)
        self.moving_variance_initializer = initializers.get(moving_variance_initializer)
        self.keep(center, scale, epsilon)
        describe_weight(self, "beta", beta_initializer, beta_regularizer, beta_constraint)
        describe_weight(self, "gamma", gamma_initializer, gamma_regularizer, gamma_constraint)

    @property
    def differs_in_training(self) -> bool:
        """In training the batch decides, unless the layer is frozen."""
        return self.trainable

    def build(self, input_shape: Shape) -> None:
        """`gamma` and `beta`, and the moving statistics, which no gradient changes."""
        shape = (known_size(self, input_shape, self.axis),)
        self.add_scale_and_shift(shape)
        self.moving_mean = self.add_weight(shape, self.moving_mean_initializer, trainable=False, name="moving_mean")
        self.moving_variance = self.add_weight(
            shape, self.moving_variance_initializer, trainable=False, name="moving_variance"
        )

    def call(self, x: Node, training: bool = False, mask: Node | None = None) -> Node:
        """`x` normalised over all axes but one; steps that a mask leaves out do not count in the statistics."""
        check_floats(self, x)
        axis = normalise_axis(self.axis, x.ndim)
        if x.shape[axis] != self.moving_mean.shape[0]:
            raise ShapeError(
                f"{self.name}: found {x.type}, expected size {self.moving_mean.shape[0]} along axis {axis}"
            )
        wide = tuple(size if i == axis else 1 for i, size in enumerate(x.shape))
        if not (training and self.trainable):
            return self.normalised(x, self.moving_mean, self.moving_variance, wide)
        others = tuple(i for i in range(x.ndim) if i != axis)
        centre, variance = (mean(x, others), var(x, others)) if mask is None else _counted(x, mask, others, wide)
        for moving, value in ((self.moving_mean, centre), (self.moving_variance, variance)):
            self.add_update(moving, moving * self.momentum + value * (1 - self.momentum))
        return self.normalised(x, centre, variance, wide)


def _counted(x: Node, mask: Node, axes: tuple[int, ...], wide: tuple[Any, ...]) -> tuple[Node, Node]:
    """Mean and variance over `axes` of the steps that count; 0 where none does, as in Keras."""
    counts = broadcast_to(cast(expand_dims(mask, -1), x.dtype), x.shape)
    total = sum(counts, axes) + _NEARLY_0
    centre = sum(x * counts, axes) / total
    return centre, sum(square(x - _along(centre, wide)) * counts, axes) / total


class LayerNormalization(_ScaledAndMoved):
    """``gamma (x - mean) / sqrt(variance + epsilon) + beta`` over the given axes of each example (Ba et al. 2016)."""

    def __init__(
        self,
        axis: Any = -1,
        epsilon: float = 1e-3,
        center: bool = True,
        scale: bool = True,
        beta_initializer: Any = "zeros",
        gamma_initializer: Any = "ones",
        beta_regularizer: Any = None,
        gamma_regularizer: Any = None,
        beta_constraint: Any = None,
        gamma_constraint: Any = None,
        **arguments: Any,
    ) -> None:
        super().__init__(**arguments)
        self.axis = axis
        self.keep(center, scale, epsilon)
        describe_weight(self, "beta", beta_initializer, beta_regularizer, beta_constraint)
        describe_weight(self, "gamma", gamma_initializer, gamma_regularizer, gamma_constraint)

    def axes(self, rank: int) -> tuple[int, ...]:
        """The axes over which each example is normalised."""
        given = (self.axis,) if isinstance(self.axis, int) else self.axis
        return tuple(sorted(normalise_axis(axis, rank) for axis in given))

    def build(self, input_shape: Shape) -> None:
        """`gamma` and `beta`, for each place along the axes."""
        self.add_scale_and_shift(tuple(known_size(self, input_shape, axis) for axis in self.axes(len(input_shape))))

    def call(self, x: Node) -> Node:
        """`x` normalised over the axes."""
        check_floats(self, x)
        axes = self.axes(x.ndim)
        wide = tuple(size if i in axes else 1 for i, size in enumerate(x.shape))
        return self.normalised(x, mean(x, axes, keepdims=True), var(x, axes, keepdims=True), wide)


class GroupNormalization(_ScaledAndMoved):
    """Each example normalised over all places and the channels of a group (Wu & He 2018).

    One group is LayerNormalization over everything but the batch, as many groups as channels (or -1) normalise each
    channel by itself.
    """

    def __init__(
        self,
        groups: int = 32,
        axis: int = -1,
        epsilon: float = 1e-3,
        center: bool = True,
        scale: bool = True,
        beta_initializer: Any = "zeros",
        gamma_initializer: Any = "ones",
        beta_regularizer: Any = None,
        gamma_regularizer: Any = None,
        beta_constraint: Any = None,
        gamma_constraint: Any = None,
        **arguments: Any,
    ) -> None:
        super().__init__(**arguments)
        self.groups, self.axis = groups, axis
        self.keep(center, scale, epsilon)
        describe_weight(self, "beta", beta_initializer, beta_regularizer, beta_constraint)
        describe_weight(self, "gamma", gamma_initializer, gamma_regularizer, gamma_constraint)

    def build(self, input_shape: Shape) -> None:
        """`gamma` and `beta` for each channel."""
        self.add_scale_and_shift((self._channels(input_shape),))

    def call(self, x: Node) -> Node:
        """`x` normalised by groups."""
        check_floats(self, x)
        axis, channels = normalise_axis(self.axis, x.ndim), self._channels(shapes_of(x))
        groups = channels if self.groups == -1 else self.groups
        grouped = reshape(x, (*x.shape[:axis], groups, channels // groups, *x.shape[axis + 1 :]))
        others = tuple(i for i in range(1, grouped.ndim) if i != axis)
        wide = tuple(grouped.shape[i] if i in (axis, axis + 1) else 1 for i in range(grouped.ndim))
        y = self.normalised(grouped, mean(grouped, others, keepdims=True), var(grouped, others, keepdims=True), wide)
        return reshape(y, x.shape)

    def _channels(self, shape: Shape) -> int:
        channels = known_size(self, shape, self.axis)
        if self.groups != -1 and (self.groups < 1 or channels % self.groups):
            raise ShapeError(f"{self.name}: the {channels} channels of {shape} do not make {self.groups} groups")
        return channels


class UnitNormalization(Layer):
    """Each example divided by its length along `axis`, so that it has length 1; zeros stay zeros."""

    supports_masking = True

    def __init__(self, axis: Any = -1, **arguments: Any) -> None:
        super().__init__(**arguments)
        self.axis = axis

    def call(self, x: Node) -> Node:
        """`x` of length 1."""
        check_floats(self, x)
        return unit(x, self.axis)


def unit(x: Node, axis: Any) -> Node:
    """`x` divided by its length along `axis`, where that is above 1e-12."""
    squares = sum(square(x), axis if isinstance(axis, int) else tuple(axis), keepdims=True)
    smallest = max(1e-24, float(np.finfo(x.dtype).tiny))
    return x / sqrt(maximum(squares, smallest))
