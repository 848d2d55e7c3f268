"""Initial values of weights, as graph nodes made of random leaves: the session's seed decides them."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from graphdl.errors import GraphError
from graphdl.ir.leaves import constant, noise
from graphdl.ir.node import Node
from graphdl.keras.lookup import by_name
from graphdl.ops.random import random_normal, random_uniform
from graphdl.ops.shape import broadcast_to

# Standard deviation of a standard normal number that is known to lie within 2 of 0.
TRUNCATED_STDDEV = 0.87962566103423978


class Initializer:
    """Makes the node a variable starts from; call it with the variable's shape."""

    def __call__(self, shape: tuple[int, ...], dtype: str | None = None) -> Node:
        """The node to start from."""
        raise NotImplementedError

    def __repr__(self) -> str:
        inside = ", ".join(f"{key}={value!r}" for key, value in vars(self).items())
        return f"{type(self).__name__}({inside})"


class Constant(Initializer):
    """The same number, or the given array, wherever it starts."""

    def __init__(self, value: Any = 0.0) -> None:
        self.value = value

    def __call__(self, shape: tuple[int, ...], dtype: str | None = None) -> Node:
        """The node to start from."""
        found = np.shape(self.value)
        if found not in ((), tuple(shape)):
            raise GraphError(f"an initial value has shape {found}, expected that of the variable, {tuple(shape)}")
        return broadcast_to(constant(self.value, dtype), shape)


class Zeros(Constant):
    """Zeros."""

    def __init__(self) -> None:
        super().__init__(0.0)


class Ones(Constant):
    """Ones."""

    def __init__(self) -> None:
        super().__init__(1.0)


class RandomUniform(Initializer):
    """Uniform numbers from `minval` to `maxval`."""

    def __init__(self, minval: float = -0.05, maxval: float = 0.05, seed: None = None) -> None:
        _refuse_seed(seed)
        self.minval, self.maxval = minval, maxval

    def __call__(self, shape: tuple[int, ...], dtype: str | None = None) -> Node:
        """The node to start from."""
        return random_uniform(shape, self.minval, self.maxval, dtype)


class RandomNormal(Initializer):
    """Normal numbers."""

    def __init__(self, mean: float = 0.0, stddev: float = 0.05, seed: None = None) -> None:
        _refuse_seed(seed)
        self.mean, self.stddev = mean, stddev

    def __call__(self, shape: tuple[int, ...], dtype: str | None = None) -> Node:
        """The node to start from."""
        return random_normal(shape, self.mean, self.stddev, dtype)


class TruncatedNormal(RandomNormal):
    """Normal numbers, drawn again where they lie further than 2 `stddev` from `mean`."""

    def __call__(self, shape: tuple[int, ...], dtype: str | None = None) -> Node:
        """The node to start from."""
        return noise("truncated_normal", shape, dtype) * self.stddev + self.mean


class VarianceScaling(Initializer):
    """Random numbers of variance `scale` / n, where n is the number of inputs, of outputs, or their mean.

    mode          "fan_in", "fan_out" or "fan_avg"
    distribution  "uniform", "truncated_normal" or "untruncated_normal"
    """

    def __init__(
        self,
        scale: float = 1.0,
        mode: str = "fan_in",
        distribution: str = "truncated_normal",
        seed: None = None,
    ) -> None:
        _refuse_seed(seed)
        self.scale = scale
        self.mode: str = by_name("mode", mode, {m: m for m in ("fan_in", "fan_out", "fan_avg")})
        self.distribution: str = by_name("distribution", distribution, _DISTRIBUTIONS)

    def __call__(self, shape: tuple[int, ...], dtype: str | None = None) -> Node:
        """The node to start from."""
        variance = self.scale / max(1.0, self._inputs(shape))
        if self.distribution == "uniform":
            limit = math.sqrt(3 * variance)
            return random_uniform(shape, -limit, limit, dtype)
        if self.distribution == "untruncated_normal":
            return random_normal(shape, 0.0, math.sqrt(variance), dtype)
        return noise("truncated_normal", shape, dtype) * (math.sqrt(variance) / TRUNCATED_STDDEV)

    def _inputs(self, shape: tuple[int, ...]) -> float:
        fan_in, fan_out = fans(shape)
        return {"fan_in": fan_in, "fan_out": fan_out, "fan_avg": (fan_in + fan_out) / 2}[self.mode]


_DISTRIBUTIONS = {
    "uniform": "uniform",
    "truncated_normal": "truncated_normal",
    "normal": "truncated_normal",
    "untruncated_normal": "untruncated_normal",
}


class GlorotUniform(VarianceScaling):
    """U(-r, r) with r = sqrt(6 / (inputs + outputs)) (Glorot & Bengio 2010, eq. 16)."""

    def __init__(self, seed: None = None) -> None:
        super().__init__(1.0, "fan_avg", "uniform", seed)


class GlorotNormal(VarianceScaling):
    """N(0, 2 / (inputs + outputs)), truncated."""

    def __init__(self, seed: None = None) -> None:
        super().__init__(1.0, "fan_avg", "truncated_normal", seed)


class HeUniform(VarianceScaling):
    """U(-r, r) with r = sqrt(6 / inputs), for layers of ReLU (He et al. 2015)."""

    def __init__(self, seed: None = None) -> None:
        super().__init__(2.0, "fan_in", "uniform", seed)


class HeNormal(VarianceScaling):
    """N(0, 2 / inputs), truncated, for layers of ReLU (He et al. 2015, eq. 10)."""

    def __init__(self, seed: None = None) -> None:
        super().__init__(2.0, "fan_in", "truncated_normal", seed)


class LecunUniform(VarianceScaling):
    """U(-r, r) with r = sqrt(3 / inputs) (LeCun et al. 1998)."""

    def __init__(self, seed: None = None) -> None:
        super().__init__(1.0, "fan_in", "uniform", seed)


class LecunNormal(VarianceScaling):
    """N(0, 1 / inputs), truncated (LeCun et al. 1998)."""

    def __init__(self, seed: None = None) -> None:
        super().__init__(1.0, "fan_in", "truncated_normal", seed)


_KNOWN: dict[str, Callable[[], Initializer]] = {
    "zeros": Zeros,
    "ones": Ones,
    "constant": Constant,
    "random_uniform": RandomUniform,
    "random_normal": RandomNormal,
    "truncated_normal": TruncatedNormal,
    "variance_scaling": VarianceScaling,
    "glorot_uniform": GlorotUniform,
    "glorot_normal": GlorotNormal,
    "he_uniform": HeUniform,
    "he_normal": HeNormal,
    "lecun_uniform": LecunUniform,
    "lecun_normal": LecunNormal,
    "uniform": RandomUniform,
    "normal": RandomNormal,
}
_KNOWN |= {made.__name__: made for made in set(_KNOWN.values()) if isinstance(made, type)}


def get(identifier: Any) -> Initializer:
    """The initializer of that name, or the one given."""
    if isinstance(identifier, type) and issubclass(identifier, Initializer):
        return identifier()
    if isinstance(identifier, Initializer):
        return identifier
    if isinstance(identifier, str):
        return by_name("initializer", identifier, _KNOWN)()
    raise GraphError(f"an initializer is {identifier!r:.60}, expected a name such as 'glorot_uniform', or an object")


def fans(shape: tuple[int, ...]) -> tuple[float, float]:
    """Numbers of inputs and of outputs of a kernel; leading axes beyond two are a receptive field.

    >>> fans((784, 10)), fans((3, 3, 16, 32))
    ((784.0, 10.0), (144.0, 288.0))
    """
    if len(shape) < 2:
        return (float(math.prod(shape)),) * 2
    field = math.prod(shape[:-2])
    return float(shape[-2] * field), float(shape[-1] * field)


def _refuse_seed(seed: object) -> None:
    if seed is not None:
        raise GraphError(
            f"seed={seed!r}: initial values come from the one seed of the session; "
            "set it with keras.utils.set_random_seed(...) before the model is built"
        )
