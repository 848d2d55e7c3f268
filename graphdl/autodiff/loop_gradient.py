"""The gradient of a loop: a loop that runs the other way and carries the gradients of the carries.

Terms of a weight's gradient, x' d at each step, are collected into one product behind it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

from graphdl.autodiff.gradients import vjps
from graphdl.autodiff.loop import Loop, body_input
from graphdl.ir.leaves import constant, scalar_of
from graphdl.ir.node import Node
from graphdl.ir.op import build, builder
from graphdl.ir.traverse import ancestors, substitute
from graphdl.ops.arithmetic import AddN
from graphdl.ops.linalg import MatMul, matmul
from graphdl.ops.parts import Pick, Place, concat, pick
from graphdl.ops.reduce import sum
from graphdl.ops.scan import Scan
from graphdl.ops.shape import (
    BroadcastTo,
    SumTo,
    Transpose,
    broadcast_to,
    expand_dims,
    reshape,
    sum_to,
    transpose,
)


@builder("scan_vjp")
def _scan_vjp(op: Scan, dy: tuple[Node, ...], y: Node, inputs: tuple[Node, ...]) -> tuple[Node | None, ...]:
    """The gradients of a loop's inputs, by a loop that runs the other way."""
    return _Backward(op, dy, y, inputs).gradients()


class _Backward:
    """The backward loop of `op`: it carries the gradients of the carries."""

    def __init__(self, op: Scan, dy: tuple[Node, ...], y: Node, inputs: tuple[Node, ...]) -> None:
        self.op, self.body, self.y = op, op.body, y
        self.outer = dict(zip(self.body.inputs, inputs, strict=True))
        self.feeds: dict[Node, Node] = {}
        self.carried = [c for c in self.body.carries if c.tensor.is_float]
        self.adjoints = [body_input(c) for c in self.carried]
        self.start: dict[Node, Node] = {}
        self.wanted = [node for node in self.body.inputs if node.tensor.is_float]
        self.slopes = dict(zip(self.wanted, vjps(*self._seeds(dy), self.wanted), strict=True))
        self.collected: list[Node] = []
        self.behind: dict[Node, list[Callable[[list[Node]], Node]]] = {}

    def gradients(self) -> tuple[Node | None, ...]:
        """A gradient for each input of the loop; None for one that has none."""
        moved = self._moved()
        new = [self._zeros(c) if moved[c] is None else moved[c] for c in self.carried]
        for node in (*self.body.slices, *self.body.constants):
            slope = moved.get(node)
            if slope is not None:
                self._collect(node, slope)
        stacks = self._run([n for n in new if n is not None])
        last = -1 if not self.op.reverse else 0
        first = 0 if last == -1 else -1
        found: dict[Node, Node] = {c: stacks[i][first] for i, c in enumerate(self.carried)}
        rest = stacks[len(new) :]
        for node, makers in self.behind.items():
            found[node] = _total([make(rest) for make in makers])
        return tuple(found.get(node) for node in self.body.inputs)

    def _seeds(self, dy: tuple[Node, ...]) -> tuple[list[Node], list[Node]]:
        """The outputs that a gradient arrives at in a step, and that gradient."""
        arriving: dict[int, Node] = {}
        for i, (output, whole) in enumerate(zip(self.body.outputs, dy, strict=True)):
            rest = self._without_last(i, whole) if i < len(self.body.carries) else whole
            if output.tensor.is_float and rest is not None and not _is_zero(rest):
                arriving[i] = body_input(output)
                self.feeds[arriving[i]] = rest
        outputs = [self.body.outputs[i] for i in arriving]
        seeds = list(arriving.values())
        for carry, adjoint in zip(self.carried, self.adjoints, strict=True):
            outputs.append(self.body.outputs[self.body.carries.index(carry)])
            seeds.append(adjoint)
        return outputs, seeds

    def _without_last(self, i: int, whole: Node) -> Node | None:
        """The gradient that arrives at carry `i`, but for what the last one alone gets: the loop starts with that."""
        carry, last = self.body.carries[i], 0 if self.op.reverse else self.op.length - 1
        if not carry.tensor.is_float:
            return whole
        bounds = ((last, last + 1, 1), *((0, d, 1) for d in carry.shape))
        terms = whole.inputs if isinstance(whole.op, AddN) else (whole,)
        lasts = [t for t in terms if isinstance(t.op, Place) and t.op.bounds == bounds]
        if lasts:
            self.start[carry] = _total([reshape(t.inputs[0], carry.shape) for t in lasts])
        rest = [t for t in terms if t not in lasts]
        return _total(rest) if rest else None

    def _moved(self) -> dict[Node, Node | None]:
        """The gradients of one step over what the loop has stacked and what is outside of it."""
        became: dict[Node, Node] = {}
        for i, output in enumerate(self.body.outputs):
            if output.inputs:
                became[output] = self._fed(output, pick(self.y, i))
        for carry in self.body.carries:
            became[carry] = self._fed(carry, self._before(carry))
        for x in self.body.slices:
            became[x] = self._fed(x, self.outer[x])
        became.update((k, self.outer[k]) for k in self.body.constants)
        there = [slope for slope in self.slopes.values() if slope is not None]
        became.update(_picks_like(there, became))
        moved = dict(zip(there, substitute(there, became), strict=True))
        return {node: None if slope is None else moved[slope] for node, slope in self.slopes.items()}

    def _fed(self, inside: Node, stack: Node) -> Node:
        """A placeholder for the entry of `stack` at the step."""
        made = body_input(inside)
        self.feeds[made] = stack
        return made

    def _before(self, carry: Node) -> Node:
        """The values of `carry` before each step, stacked."""
        after = pick(self.y, self.body.carries.index(carry))
        start = expand_dims(self.outer[carry], 0)
        return concat([after[1:], start], axis=0) if self.op.reverse else concat([start, after[:-1]], axis=0)

    def _zeros(self, carry: Node) -> Node:
        return broadcast_to(constant(0.0, carry.dtype), carry.shape)

    def _collect(self, node: Node, slope: Node) -> None:
        """Say what the loop must stack for the gradient of `node`, and what is made of the stacks behind it."""
        terms = slope.inputs if isinstance(slope.op, AddN) else (slope,)
        is_slice = node in self.body.slices
        makers = [self._of_slice(term) if is_slice else self._of_constant(term) for term in terms]
        self.behind[node] = makers

    def _of_slice(self, term: Node) -> Callable[[list[Node]], Node]:
        """The gradient at every step; a product with a matrix from outside is one product behind the loop."""
        if isinstance(term.op, MatMul) and term.ndim == 2 and not self._is_inside(term.inputs[1]):
            at, matrix = self._stacked(term.inputs[0]), term.inputs[1]
            return lambda stacks: matmul(at(stacks), matrix)
        return self._stacked(term)

    def _of_constant(self, term: Node) -> Callable[[list[Node]], Node]:
        """The sum over all steps; of products x' d it is one product of what is stacked."""
        if isinstance(term.op, MatMul) and term.ndim == 2 and isinstance(term.inputs[0].op, Transpose):
            left, right = self._stacked(term.inputs[0].inputs[0]), self._stacked(term.inputs[1])
            return lambda stacks: matmul(transpose(_rows(left(stacks))), _rows(right(stacks)))
        if isinstance(term.op, SumTo):
            whole, shape = self._stacked(term.inputs[0]), term.shape
            return lambda stacks: sum_to(whole(stacks), shape)
        each = self._stacked(term)
        return lambda stacks: sum(each(stacks), axis=0)

    def _stacked(self, node: Node) -> Callable[[list[Node]], Node]:
        """Where the stack of `node` will be: what the loop is fed, what is outside repeated, or what it gives."""
        if node in self.feeds:
            stack = self.feeds[node]
            return lambda stacks: stack
        if not self._is_inside(node):
            return lambda stacks: broadcast_to(node, (self.op.length, *node.shape))
        if node not in self.collected:
            self.collected.append(node)
        at = self.collected.index(node)
        return lambda stacks: stacks[at]

    def _is_inside(self, node: Node) -> bool:
        own = {*self.adjoints, *self.feeds}
        return any(n in own for n in ancestors([node], stop=own))

    def _run(self, new: list[Node]) -> list[Node]:
        slices = list(self.feeds)
        loop = Loop(
            self.adjoints,
            slices,
            [*new, *self.collected],
            [self.start.get(c, self._zeros(c)) for c in self.carried],
            [self.feeds[x] for x in slices],
            self.op.length,
            not self.op.reverse,
        )
        return loop.results(None)


def _picks_like(slopes: Iterable[Node], became: dict[Node, Node]) -> dict[Node, Node]:
    """Other nodes that pick a result of which some pick became something."""
    known = {(node.op, node.inputs): new for node, new in became.items() if isinstance(node.op, Pick)}
    found = {n: known.get((n.op, n.inputs)) for n in ancestors(slopes, stop=became) if isinstance(n.op, Pick)}
    return {node: new for node, new in found.items() if new is not None}


def _is_zero(node: Node) -> bool:
    return isinstance(node.op, BroadcastTo) and scalar_of(node.inputs[0]) == 0


def _total(terms: Sequence[Node]) -> Node:
    """The sum of one term or more."""
    return terms[0] if len(terms) == 1 else build(AddN(), *terms)


def _rows(stack: Node) -> Node:
    return reshape(stack, (-1, stack.shape[-1]))
