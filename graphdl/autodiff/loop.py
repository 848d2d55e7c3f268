"""A loop on its way to being an op: what happens before it, what is the same in every step, and its body.

What a step computes from its slice alone is computed before the loop, for all steps at once. The loop gives, beside
what was asked for, the values that its backward pass will read; a program that takes no gradients drops them again.
"""

from __future__ import annotations

from collections.abc import Sequence

from graphdl.autodiff.gradients import vjps
from graphdl.ir.body import Body
from graphdl.ir.dim import Dim
from graphdl.ir.elementwise import Elementwise
from graphdl.ir.graph import Graph
from graphdl.ir.leaves import Placeholder, Size, scalar_of
from graphdl.ir.node import Node
from graphdl.ir.op import build
from graphdl.ir.origin import at_scope, origin
from graphdl.ir.traverse import ancestors, dependents, in_order, substitute
from graphdl.ir.types import TensorType
from graphdl.ops.linalg import MatMul, matmul
from graphdl.ops.parts import Pick, pick
from graphdl.ops.scan import Scan
from graphdl.ops.shape import (
    BroadcastTo,
    Reshape,
    Transpose,
    broadcast_to,
)
from graphdl.rewrite.stabilise import stabilise

# Ops that only look at their input differently: the backward pass repeats them instead of reading what they gave.
_VIEWS = (Transpose, Reshape, BroadcastTo)


class Loop:
    """A loop before it is an op: `outputs` may still read anything outside."""

    def __init__(
        self,
        carries: Sequence[Node],
        slices: Sequence[Node],
        outputs: Sequence[Node],
        init: Sequence[Node],
        stacks: Sequence[Node],
        length: Dim,
        reverse: bool,
    ) -> None:
        self.carries, self.init = list(carries), list(init)
        self.length, self.reverse = length, reverse
        self.stack_of = dict(zip(slices, stacks, strict=True))
        self.outputs = self._stabilised(outputs)
        self._hoist()

    def results(self, name: str | None) -> list[Node]:
        """The stacks of the outputs, after building the op."""
        new, rest = self.outputs[: len(self.carries)], self.outputs[len(self.carries) :]
        once = [*new, *dict.fromkeys(node for node in rest if node not in new)]
        places = [once.index(node) for node in self.outputs]
        self.outputs = once
        constants = self._close()
        slices = [x for x in ancestors(self.outputs) if x in self.stack_of]
        self.outputs += _residuals(self.outputs, [*self.carries, *slices, *constants])
        body = Body(tuple(self.carries), tuple(slices), tuple(constants), tuple(self.outputs))
        inputs = [*self.init, *(self.stack_of[x] for x in slices), *constants.values()]
        loop = build(Scan(body, self.length, self.reverse), *inputs, name=name)
        return [pick(loop, i) for i in places]

    def _stabilised(self, outputs: Sequence[Node]) -> list[Node]:
        graph = Graph({str(i): node for i, node in enumerate(outputs)})
        return list(stabilise(graph, [*self.carries, *self.stack_of])[0].outputs.values())

    def _hoist(self) -> None:
        """Let the loop be fed what each step would compute from its slices alone."""
        nodes = ancestors(self.outputs, stop={*self.carries, *self.stack_of})
        inner = dependents(nodes, [*self.carries, *self.stack_of])
        lifted: dict[Node, Node] = dict(self.stack_of)
        for node in nodes:
            if node in inner and node not in lifted:
                whole = self._for_all_steps(node, lifted, inner)
                if whole is not None:
                    lifted[node] = whole
        used = {source for n in nodes if n in inner and n not in lifted for source in n.inputs} | set(self.outputs)
        became = {}
        for node, whole in lifted.items():
            if node in used and node not in self.stack_of:
                became[node] = body_input(node)
                self.stack_of[became[node]] = whole
        self.outputs = list(substitute(self.outputs, became))

    def _for_all_steps(self, node: Node, lifted: dict[Node, Node], inner: set[Node]) -> Node | None:
        """What `node` is in all steps, stacked; None where that takes more than one op over stacks."""
        if not all(source in lifted or source not in inner for source in node.inputs):
            return None
        with at_scope(node.scope), origin(node.origin):
            if isinstance(node.op, MatMul) and node.ndim == 2 and node.inputs[1] not in inner:
                return matmul(lifted[node.inputs[0]], node.inputs[1], name=node.name)
            if isinstance(node.op, Elementwise):
                inputs = [lifted[s] if s in lifted else self._in_every_step(s) for s in node.inputs]
                return build(node.op, *inputs, name=node.name)
        return None

    def _in_every_step(self, node: Node) -> Node:
        return broadcast_to(node, (self.length, *node.shape)) if node.shape else node

    def _close(self) -> dict[Node, Node]:
        """Replace what is read from outside by placeholders; returns what each stands for."""
        own = {*self.carries, *self.stack_of}
        nodes = ancestors(self.outputs, stop=own)
        inner = dependents(nodes, own)
        outside = [s for n in nodes if n in inner and n not in own for s in n.inputs if s not in inner]
        outside += [node for node in self.outputs if node not in inner]
        became = {s: body_input(s) for s in dict.fromkeys(outside) if not _is_plain(s)}
        self.outputs = list(substitute(self.outputs, became))
        return {inside: node for node, inside in became.items()}


def _residuals(outputs: list[Node], inputs: list[Node]) -> list[Node]:
    """Values inside a step that its backward pass reads and that are no outputs yet."""
    floats = [node for node in inputs if node.tensor.is_float]
    ends = [node for node in outputs if node.tensor.is_float]
    slopes = vjps(ends, [body_input(node) for node in ends], floats)
    forward = set(ancestors(outputs))
    reached = ancestors([s for s in slopes if s is not None])
    # A result of a loop in this step is a value of the step, whoever picks it.
    forward |= {n for n in reached if isinstance(n.op, Pick) and n.inputs[0] in forward}
    backward = [n for n in reached if n not in forward]
    read = [s for n in backward for s in n.inputs if s in forward]
    read += [s for s in slopes if s is not None and s in forward]
    inner = dependents(sorted(forward, key=in_order), inputs)
    found = {_behind_views(node): None for node in read}
    return [node for node in found if node.inputs and node in inner and node not in outputs]


def _behind_views(node: Node) -> Node:
    while isinstance(node.op, _VIEWS):
        (node,) = node.inputs
    return node


def body_input(like: Node, kind: TensorType | None = None) -> Node:
    """A placeholder of a body, named after what it stands for; of its type, unless `kind` is another."""
    return build(Placeholder(kind or like.tensor), name=like.name or like.op.name)


def _is_plain(node: Node) -> bool:
    """What a body may read without being handed it: plain numbers and sizes."""
    return scalar_of(node) is not None or isinstance(node.op, Size)
