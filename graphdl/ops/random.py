"""Random values made of the noise leaf; the same in every replay of a step."""

from __future__ import annotations

from typing import Any

from graphdl.errors import GraphError
from graphdl.ir.elementwise import as_node
from graphdl.ir.leaves import Seed, noise
from graphdl.ir.node import Node
from graphdl.ops.arithmetic import multiply
from graphdl.ops.shape import cast


def random_uniform(
    shape: Any,
    low: float = 0.0,
    high: float = 1.0,
    dtype: Any = None,
    name: str | None = None,
    seed: int | Seed | None = None,
) -> Node:
    """Independent numbers, uniform from `low` up to but not including `high`; `seed` as in `noise`."""
    draw = noise("uniform", shape, dtype, name=name, seed=seed)
    if (low, high) == (0.0, 1.0):
        return draw
    return draw * (high - low) + low


def random_normal(
    shape: Any,
    mean: float = 0.0,
    stddev: float = 1.0,
    dtype: Any = None,
    name: str | None = None,
    seed: int | Seed | None = None,
) -> Node:
    """Independent numbers from the normal distribution; `seed` as in `noise`."""
    draw = noise("normal", shape, dtype, name=name, seed=seed)
    scaled = draw if stddev == 1.0 else draw * stddev
    return scaled if mean == 0.0 else scaled + mean


def dropout(x: Any, rate: float, name: str | None = None, seed: int | Seed | None = None) -> Node:
    """`x` with each element zeroed with probability `rate` and the others divided by ``1 - rate``.

    The mask is one node, read by the forward and the backward pass alike; `seed` as in `noise`.
    """
    value = as_node(x)
    if not 0 <= rate < 1:
        raise GraphError(f"dropout: rate is {rate}, expected at least 0 and below 1")
    if not rate:
        return value
    kept = noise("uniform", value.shape, value.dtype, name="noise", seed=seed) >= rate
    mask = cast(kept, value.dtype) * (1 / (1 - rate))
    return multiply(value, mask, name=name)
