"""Random initial values whose spread follows from the numbers of inputs and outputs: Glorot, He, LeCun."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from graphdl.ir.leaves import noise
from graphdl.ir.node import Node
from graphdl.keras.checks import number
from graphdl.keras.initializers.initializer import Initializer, Shape, checked, next_of
from graphdl.keras.lookup import by_name
from graphdl.ops.random import random_normal, random_uniform

# Standard deviation of a standard normal number that is known to lie within 2 of 0.
TRUNCATED_STDDEV = 0.87962566103423978
_MODES = {word: word for word in ("fan_in", "fan_out", "fan_avg")}
_DISTRIBUTIONS = {
    "uniform": "uniform",
    "truncated_normal": "truncated_normal",
    "normal": "truncated_normal",
    "untruncated_normal": "untruncated_normal",
}
Axes = Sequence[int] | None


class VarianceScaling(Initializer):
    """Random numbers of variance `scale` / n, where n is the number of inputs, of outputs, or their mean.

    mode          "fan_in", "fan_out" or "fan_avg"
    distribution  "uniform", "truncated_normal" or "untruncated_normal"
    input_axes, output_axes   axes whose sizes are multiplied to count inputs and outputs; see `fans`
    """

    def __init__(
        self,
        scale: float = 1.0,
        mode: str = "fan_in",
        distribution: str = "truncated_normal",
        seed: Any = None,
        input_axes: Axes = None,
        output_axes: Axes = None,
    ) -> None:
        self.scale = number("VarianceScaling: scale", scale, above=True)
        self.mode: str = by_name("mode", mode, _MODES)
        self.distribution: str = by_name("distribution", distribution, _DISTRIBUTIONS)
        self.input_axes, self.output_axes = input_axes, output_axes
        self.seed = checked(seed)

    def variance(self, shape: Shape) -> float:
        """The variance of each number."""
        fan_in, fan_out = fans(shape, self.input_axes, self.output_axes)
        n = {"fan_in": fan_in, "fan_out": fan_out, "fan_avg": (fan_in + fan_out) / 2}[self.mode]
        return self.scale / max(1.0, n)

    def __call__(self, shape: Shape, dtype: str | None = None) -> Node:
        """The node to start from."""
        stddev, seed = math.sqrt(self.variance(shape)), next_of(self.seed)
        if self.distribution == "uniform":
            limit = math.sqrt(3) * stddev
            return random_uniform(shape, -limit, limit, dtype, seed=seed)
        if self.distribution == "untruncated_normal":
            return random_normal(shape, 0.0, stddev, dtype, seed=seed)
        return noise("truncated_normal", shape, dtype, seed=seed) * (stddev / TRUNCATED_STDDEV)


class _Named(VarianceScaling):
    """A scaling that goes by a name."""

    fixed: tuple[float, str, str]

    def __init__(self, seed: Any = None, input_axes: Axes = None, output_axes: Axes = None) -> None:
        scale, mode, distribution = self.fixed
        super().__init__(scale, mode, distribution, seed, input_axes, output_axes)


class GlorotUniform(_Named):
    """U(-r, r) with r = sqrt(6 / (inputs + outputs)) (Glorot & Bengio 2010, eq. 16)."""

    fixed = (1.0, "fan_avg", "uniform")


class GlorotNormal(_Named):
    """N(0, 2 / (inputs + outputs)), truncated."""

    fixed = (1.0, "fan_avg", "truncated_normal")


class HeUniform(_Named):
    """U(-r, r) with r = sqrt(6 / inputs), for layers of ReLU (He et al. 2015)."""

    fixed = (2.0, "fan_in", "uniform")


class HeNormal(_Named):
    """N(0, 2 / inputs), truncated, for layers of ReLU (He et al. 2015, eq. 10)."""

    fixed = (2.0, "fan_in", "truncated_normal")


class LecunUniform(_Named):
    """U(-r, r) with r = sqrt(3 / inputs) (LeCun et al. 1998)."""

    fixed = (1.0, "fan_in", "uniform")


class LecunNormal(_Named):
    """N(0, 1 / inputs), truncated (LeCun et al. 1998)."""

    fixed = (1.0, "fan_in", "truncated_normal")


NAMED: tuple[type[VarianceScaling], ...] = (
    GlorotUniform,
    GlorotNormal,
    HeUniform,
    HeNormal,
    LecunUniform,
    LecunNormal,
)


def fans(shape: Shape, input_axes: Any = None, output_axes: Any = None) -> tuple[float, float]:
    """Numbers of inputs and of outputs of a kernel; leading axes beyond two are a receptive field.

    >>> fans((784, 10)), fans((3, 3, 16, 32))
    ((784.0, 10.0), (144.0, 288.0))
    """
    if input_axes is not None and output_axes is not None:
        return tuple(float(math.prod(shape[axis] for axis in axes)) for axes in (input_axes, output_axes))  # type: ignore[return-value]
    if len(shape) < 2:
        return (float(math.prod(shape)),) * 2
    field = math.prod(shape[:-2])
    return float(shape[-2] * field), float(shape[-1] * field)
