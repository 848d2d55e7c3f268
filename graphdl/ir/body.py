"""The body of a loop: a small graph of its own that is run once for each step."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

from graphdl.ir.graph import Graph
from graphdl.ir.node import Node


@dataclass(frozen=True, eq=False)
class Body:
    """One step of a loop, closed: all it reads are placeholders of its own, plain numbers and sizes.

    carries     what the step before left, one placeholder each
    slices      what this step is fed: entry t of a stack
    constants   what is the same in every step
    outputs     the new carries, in their order, then whatever else the step gives
    """

    carries: tuple[Node, ...]
    slices: tuple[Node, ...]
    constants: tuple[Node, ...]
    outputs: tuple[Node, ...]

    @property
    def inputs(self) -> tuple[Node, ...]:
        """All placeholders, in the order in which a loop takes what they stand for."""
        return (*self.carries, *self.slices, *self.constants)

    @cached_property
    def graph(self) -> Graph:
        """The outputs by number, with everything they depend on."""
        return Graph({str(i): node for i, node in enumerate(self.outputs)}, sized_by=())

    def __str__(self) -> str:
        counts = (len(self.carries), len(self.slices), len(self.constants), len(self.graph.nodes))
        return "{} carries, {} slices, {} constants, {} nodes".format(*counts)

    __repr__ = __str__
