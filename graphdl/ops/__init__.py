"""Every op, whole in one place. Importing this package fills the registry."""

from graphdl.ops import (
    arithmetic,
    conv,
    einsum,
    indexing,
    linalg,
    nn,
    parts,
    pool,
    random,
    reduce,
    scan,
    shape,
    transcendental,
)

__all__ = [
    "arithmetic",
    "conv",
    "einsum",
    "indexing",
    "linalg",
    "nn",
    "parts",
    "pool",
    "random",
    "reduce",
    "scan",
    "shape",
    "transcendental",
]
