"""Random matrices that turn vectors and leave their lengths alone."""

from __future__ import annotations

import math
from typing import Any

from graphdl.autodiff.scan import scan
from graphdl.config import floatx
from graphdl.errors import GraphError
from graphdl.ir.leaves import constant, noise
from graphdl.ir.node import Node
from graphdl.keras.initializers.initializer import Initializer, Shape, checked, next_of
from graphdl.ops.arithmetic import sqrt, square
from graphdl.ops.indexing import one_hot
from graphdl.ops.linalg import matmul
from graphdl.ops.parts import concat
from graphdl.ops.reduce import sum
from graphdl.ops.shape import broadcast_to, cast, reshape, transpose

# Rows that are made orthonormal by one loop, which keeps as many matrices of so many rows.
_BLOCK = 32


class Orthogonal(Initializer):
    """`gain` times a random orthogonal matrix (Saxe, McClelland & Ganguli 2014); all turns are equally likely.

    Of more than two axes the last counts the columns and all others together the rows; where there are more columns
    than rows the rows are orthonormal, else the columns.
    """

    def __init__(self, gain: float = 1.0, seed: Any = None) -> None:
        self.gain, self.seed = gain, checked(seed)

    def __call__(self, shape: Shape, dtype: str | None = None) -> Node:
        """The node to start from."""
        if len(shape) < 2:
            raise GraphError(f"Orthogonal is for matrices, found the shape {tuple(shape)}")
        rows, columns = math.prod(shape[:-1]), shape[-1]
        few, many = sorted((rows, columns))
        # Each row of `found` is one of the fewer vectors.
        found = orthonormal(noise("normal", (few, many), "float64", seed=next_of(self.seed)))
        whole = found if rows <= columns else transpose(found)
        return cast(reshape(whole, tuple(shape)) * self.gain, dtype or floatx())


def orthonormal(vectors: Node) -> Node:
    """The rows of a matrix made orthonormal one after the other (Gram & Schmidt), each in the span of those up to it.

    What lies in the span of earlier rows is taken away twice: then rounding leaves no more of it than of a QR
    decomposition (Giraud, Langou & Rozloznik 2005). The signs are those of one with a positive diagonal. Rows go in
    blocks: a block leaves the span of those before it by products of matrices.
    """
    blocks: list[Node] = []
    for first in range(0, vectors.shape[0], _BLOCK):
        block = vectors[first : min(first + _BLOCK, vectors.shape[0])]
        if blocks:
            before = concat(blocks, axis=0)
            for _ in range(2):
                block = block - matmul(matmul(block, transpose(before)), before)
        blocks.append(_one_by_one(block))
    return concat(blocks, axis=0) if len(blocks) > 1 else blocks[0]


def _one_by_one(vectors: Node) -> Node:
    """The rows of one block made orthonormal; what is done so far goes from step to step."""
    few, many = vectors.shape
    nothing = broadcast_to(constant(0.0, vectors.dtype), (few, many))

    def step(done: Node, x: tuple[Node, Node]) -> tuple[Node, Node]:
        vector, place = x
        for _ in range(2):
            vector = vector - matmul(matmul(done, vector), done)
        unit = vector / sqrt(sum(square(vector)))
        return done + reshape(place, (few, 1)) * reshape(unit, (1, many)), unit

    _, found = scan(step, nothing, (vectors, one_hot(range(few), few, vectors.dtype)), name="orthonormal")
    made: Node = found
    return made
