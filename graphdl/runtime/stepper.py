"""A run one node at a time: every value is seen, computed by the code the programs use."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

import numpy as np

from graphdl.compile.evaluate import evaluate
from graphdl.compile.lower import Instr, lowered
from graphdl.errors import ExecutionError, GraphdlError
from graphdl.ir.graph import Graph, Updates
from graphdl.ir.leaves import Constant, Packed, VariableLeaf
from graphdl.ir.node import Node
from graphdl.ir.origin import written_at
from graphdl.ir.text import plain
from graphdl.runtime.feeds import Sizes, read_feeds
from graphdl.runtime.session import Session


class Moment(NamedTuple):
    """The value that `node` has just received."""

    node: Node
    value: Any


class Stepper:
    """Runs a graph on NumPy node by node: iterate over it, or ask for `values()` at the end.

    The graph runs as it is, without passes, so every node that was written is seen. Leaves come first, then
    the nodes in the order of the listing. Nothing is updated; `new_values` holds what variables would become.
    """

    def __init__(
        self,
        fetches: Any,
        feed_dict: Mapping[Any, Any] | None = None,
        session: Session | None = None,
        updates: Updates | None = None,
    ) -> None:
        pairs = updates.pairs if updates else ()
        graph = fetches if isinstance(fetches, Graph) else Graph(fetches, pairs)
        self.session = session or Session()
        self.session.adopt(graph)
        feeds, sizes = read_feeds(graph, feed_dict, "the stepper")
        self._start(graph, feeds, sizes)

    @classmethod
    def of_checked(cls, session: Session, graph: Graph, feeds: list[Any], sizes: Sizes) -> Stepper:
        """A stepper over feeds that have been checked already."""
        made = cls.__new__(cls)
        made.session = session
        made._start(graph, feeds, sizes)
        return made

    def _start(self, graph: Graph, feeds: list[Any], sizes: Sizes) -> None:
        self.graph = graph
        self.sizes = sizes
        self.key = (self.session.seed, self.session.state.step)
        self.found: dict[Node, Any] = dict(zip(graph.placeholders, feeds, strict=True))
        for node in graph.nodes:
            if isinstance(node.op, Constant):
                self.found[node] = node.op.value
            elif isinstance(node.op, VariableLeaf | Packed):
                self.found[node] = self.session.value(node)
        self.instrs = lowered(graph, self.session.state.streams)

    def __iter__(self) -> Iterator[Moment]:
        """Each node with its value, leaves first; a node is computed when it is asked for."""
        yield from [Moment(node, value) for node, value in self.found.items()]
        for instr in self.instrs:
            if instr.node not in self.found:
                self.found[instr.node] = self._value(instr)
                yield Moment(instr.node, self.found[instr.node])

    def values(self) -> dict[Node, Any]:
        """The value of every node."""
        for _ in self:
            pass
        return dict(self.found)

    def new_values(self) -> dict[Node, Any]:
        """What each updated variable would become."""
        values = self.values()
        return {variable: values[new] for variable, new in self.graph.updates}

    def operands(self, instr: Instr) -> list[Any]:
        """The values that `instr` reads; None for an operand that is written as a number."""
        return [None if o is None else self.found[o] for o in instr.operands]

    def _value(self, instr: Instr) -> Any:
        try:
            value = evaluate(instr, self.operands(instr), self.sizes, self.key)
        except GraphdlError:
            raise
        except Exception as error:
            node = instr.node
            what = f"{node.op.name} failed with {type(error).__name__}: {error}"
            place = f"    node  {plain(node.label)}: {node.type}\n  {written_at(node)}".rstrip()
            raise ExecutionError(f"{what}\n{place}") from error
        return np.asarray(value) if isinstance(value, np.generic) else value
