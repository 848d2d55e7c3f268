"""Initial values of weights, as graph nodes: constants, the identity, plain random numbers.

Random numbers are leaves of the graph: the session's seed and the weight's name decide them, or a seed of their own.
With an integer an initializer gives the same numbers each time; with a SeedGenerator each time others.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from graphdl.config import floatx
from graphdl.errors import GraphError
from graphdl.ir.leaves import Seed, checked_seed, constant, noise
from graphdl.ir.node import Node
from graphdl.keras.lookup import Configured
from graphdl.keras.random import SeedGenerator
from graphdl.ops.indexing import one_hot
from graphdl.ops.random import random_normal, random_uniform
from graphdl.ops.shape import broadcast_to, cast

Shape = tuple[int, ...]


class Initializer(Configured):
    """Makes the node a variable starts from; call it with the variable's shape."""

    def __call__(self, shape: Shape, dtype: str | None = None) -> Node:
        """The node to start from."""
        raise NotImplementedError


class Constant(Initializer):
    """The same number, or the given array, wherever it starts."""

    def __init__(self, value: Any = 0.0) -> None:
        self.value = value

    def __call__(self, shape: Shape, dtype: str | None = None) -> Node:
        """The node to start from."""
        return filled(self.value, shape, dtype)


class Zeros(Initializer):
    """Zeros."""

    def __call__(self, shape: Shape, dtype: str | None = None) -> Node:
        """The node to start from."""
        return filled(0.0, shape, dtype)


class Ones(Initializer):
    """Ones."""

    def __call__(self, shape: Shape, dtype: str | None = None) -> Node:
        """The node to start from."""
        return filled(1.0, shape, dtype)


class Identity(Initializer):
    """`gain` on the diagonal of a matrix, 0 elsewhere: what comes in goes out."""

    def __init__(self, gain: float = 1.0) -> None:
        self.gain = gain

    def __call__(self, shape: Shape, dtype: str | None = None) -> Node:
        """The node to start from."""
        if len(shape) != 2:
            raise GraphError(f"Identity is for matrices, found the shape {tuple(shape)}")
        rows = one_hot(np.arange(shape[0]), shape[1], dtype or floatx())
        return rows if self.gain == 1 else rows * self.gain


class RandomUniform(Initializer):
    """Uniform numbers from `minval` to `maxval`."""

    def __init__(self, minval: float = -0.05, maxval: float = 0.05, seed: Any = None) -> None:
        self.minval, self.maxval, self.seed = minval, maxval, checked(seed)

    def __call__(self, shape: Shape, dtype: str | None = None) -> Node:
        """The node to start from."""
        return random_uniform(shape, self.minval, self.maxval, dtype, seed=next_of(self.seed))


class RandomNormal(Initializer):
    """Normal numbers."""

    def __init__(self, mean: float = 0.0, stddev: float = 0.05, seed: Any = None) -> None:
        self.mean, self.stddev, self.seed = mean, stddev, checked(seed)

    def __call__(self, shape: Shape, dtype: str | None = None) -> Node:
        """The node to start from."""
        return random_normal(shape, self.mean, self.stddev, dtype, seed=next_of(self.seed))


class TruncatedNormal(RandomNormal):
    """Normal numbers, drawn again where they lie further than 2 `stddev` from `mean`."""

    def __call__(self, shape: Shape, dtype: str | None = None) -> Node:
        """The node to start from."""
        return noise("truncated_normal", shape, dtype, seed=next_of(self.seed)) * self.stddev + self.mean


class FunctionInitializer(Initializer):
    """A function of shape and dtype that gives a node, or an array, to start from."""

    def __init__(self, function: Callable[..., Any]) -> None:
        self.function = function

    def __call__(self, shape: Shape, dtype: str | None = None) -> Node:
        """What the function gives."""
        found = self.function(shape, dtype=dtype)
        if not isinstance(found, Node):
            return filled(found, shape, dtype)
        if found.shape != tuple(shape):
            raise GraphError(f"an initial value is {found.type}, expected the shape of the variable, {tuple(shape)}")
        return found if dtype is None or found.dtype == dtype else cast(found, dtype)


def filled(value: Any, shape: Shape, dtype: str | None) -> Node:
    """A number everywhere, or an array of this shape."""
    found = np.shape(value)
    if found not in ((), tuple(shape)):
        raise GraphError(f"an initial value has shape {found}, expected that of the variable, {tuple(shape)}")
    return broadcast_to(constant(value, dtype), shape)


def checked(seed: Any) -> Any:
    """`seed`: None, an integer from 0, or a SeedGenerator."""
    return seed if seed is None or isinstance(seed, SeedGenerator) else checked_seed(seed)


def next_of(seed: Any) -> Seed | int | None:
    """What the next variable's numbers are keyed by."""
    return seed.next() if isinstance(seed, SeedGenerator) else seed
