"""Random numbers with seeds of their own: generators of seeds, and draws as graph nodes."""

from __future__ import annotations

from typing import Any

from graphdl.ir.leaves import Seed, checked_seed, noise
from graphdl.ir.node import Node
from graphdl.keras.tracing import current_tracing
from graphdl.ops import random


class SeedGenerator:
    """Gives each draw a stream of its own under one `seed`; without a seed draws are left to the session."""

    def __init__(self, seed: int | None = None, name: str | None = None) -> None:
        self.seed = None if seed is None else checked_seed(seed)
        self.name = name or "seed_generator"
        self._count = 0

    def next(self) -> Seed | None:
        """Seed and stream for the next draw."""
        self._count += 1
        return None if self.seed is None else (self.seed, self._count - 1)

    def get_config(self) -> dict[str, Any]:
        """The seed."""
        return {"seed": self.seed}

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> SeedGenerator:
        """A generator like the one that gave `config`, at its first draw."""
        return cls(**config)

    def __repr__(self) -> str:
        return f"SeedGenerator(seed={self.seed})"


def generator_of(seed: Any) -> SeedGenerator:
    """The generator given, or one of that seed; GraphError for what is no seed."""
    return seed if isinstance(seed, SeedGenerator) else SeedGenerator(seed)


def seed_of(seed: Any) -> Seed | int | None:
    """What a draw is keyed by: the number itself, or the next seed of a generator.

    Within the calls of layers those are counted anew for each graph, so one that is built again draws the same.
    """
    tracing = current_tracing()
    if not isinstance(seed, SeedGenerator) or tracing is None:
        return seed.next() if isinstance(seed, SeedGenerator) else seed
    return None if seed.seed is None else (seed.seed, tracing.count(seed))


def normal(shape: Any, mean: float = 0.0, stddev: float = 1.0, dtype: Any = None, seed: Any = None) -> Node:
    """Normal numbers. With an integer `seed` the same ones wherever it is used; `seed` may be a `SeedGenerator`."""
    return random.random_normal(shape, mean, stddev, dtype, seed=seed_of(seed))


def uniform(shape: Any, minval: float = 0.0, maxval: float = 1.0, dtype: Any = None, seed: Any = None) -> Node:
    """Uniform numbers from `minval` to `maxval`; `seed` as in `normal`."""
    return random.random_uniform(shape, minval, maxval, dtype, seed=seed_of(seed))


def truncated_normal(shape: Any, mean: float = 0.0, stddev: float = 1.0, dtype: Any = None, seed: Any = None) -> Node:
    """Normal numbers, drawn again where they lie further than 2 `stddev` from `mean`; `seed` as in `normal`."""
    return noise("truncated_normal", shape, dtype, seed=seed_of(seed)) * stddev + mean


def dropout(inputs: Any, rate: float, seed: Any = None) -> Node:
    """`inputs` with a share `rate` of zeros, the others divided by ``1 - rate``; `seed` as in `normal`."""
    return random.dropout(inputs, rate, seed=seed_of(seed))


__all__ = ["SeedGenerator", "dropout", "normal", "truncated_normal", "uniform"]
