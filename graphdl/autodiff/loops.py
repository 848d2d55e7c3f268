"""Loops over time: `scan` builds one op from a step function, and its gradient is a loop that runs the other way.

What a step computes from its slice alone is computed before the loop, for all steps at once. The loop gives, beside
what was asked for, the values that its backward pass will read; a program that takes no gradients drops them again.
In the backward loop, terms of a weight's gradient, x' d at each step, are collected into one product behind it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any

from graphdl.autodiff.gradients import vjps
from graphdl.errors import GraphError, ShapeError
from graphdl.ir.body import Body
from graphdl.ir.dim import Dim
from graphdl.ir.elementwise import Elementwise, as_node
from graphdl.ir.graph import Graph
from graphdl.ir.leaves import Placeholder, Size, constant, scalar_of
from graphdl.ir.node import Node
from graphdl.ir.op import build, builder, check_name
from graphdl.ir.origin import at_scope, origin
from graphdl.ir.traverse import ancestors, dependents, in_order, substitute
from graphdl.ir.types import TensorType
from graphdl.ops.arithmetic import AddN
from graphdl.ops.linalg import MatMul, matmul
from graphdl.ops.parts import Pick, Place, concat, pick
from graphdl.ops.reduce import sum
from graphdl.ops.scan import Scan
from graphdl.ops.shape import (
    BroadcastTo,
    Reshape,
    SumTo,
    Transpose,
    broadcast_to,
    expand_dims,
    reshape,
    sum_to,
    transpose,
)
from graphdl.ops.shape import stop_gradient as stopped
from graphdl.rewrite.stabilise import stabilise

# Ops that only look at their input differently: the backward pass repeats them instead of reading what they gave.
_VIEWS = (Transpose, Reshape, BroadcastTo)

Step = Callable[[Any, Any], tuple[Any, Any]]


def scan(
    step: Step,
    init: Any,
    xs: Any = None,
    length: Dim | None = None,
    *,
    reverse: bool = False,
    truncate: int | None = None,
    name: str | None = None,
) -> tuple[Any, Any]:
    """Run ``carry, y = step(carry, x)`` for each entry of `xs` along its first axis: a recurrent network, say.

    init      the carry before the first step: a node, or a tuple or list of nodes
    xs        a node (T, ...), a tuple or list of such, or None: then `length` says how often
    reverse   the last entry first; `y` keeps the places of `xs`
    truncate  gradients flow back over at most this many steps (truncated backpropagation through time)
    return    the last carry, and `y` of all steps stacked along a new first axis, both built like those of `step`

    `step` is called once, to see what it builds; it may read nodes from outside, which stay the same in every step.
    Random numbers drawn inside are the same ones in every step. Formulas inside are always stabilised.

    Raises ShapeError when a carry changes its type or stacks differ in length, GraphError when `step` gives no pair.
    """
    carries, stacks = [as_node(c) for c in _flat(init)], [as_node(x) for x in _flat(xs)]
    count = _length(stacks, length)
    if truncate is not None:
        return _in_pieces(step, init, xs, count, reverse, truncate, name)
    check_name(name)
    inside = [_inside(c, c.tensor) for c in carries]
    slices = [_inside(x, x.tensor.with_shape(x.shape[1:])) for x in stacks]
    made = step(_like(init, inside), _like(xs, slices))
    if not isinstance(made, tuple) or len(made) != 2:
        raise GraphError(f"scan: the step gave {made!r:.80}, expected a pair (new carry, y)")
    new = [as_node(c) for c in _flat(made[0])]
    given = [as_node(y) for y in _flat(made[1])]
    _check_carries(carries, new)
    loop = _Loop(inside, slices, [*new, *given], carries, stacks, count, reverse)
    results = loop.results(name, with_residuals=True)
    last = 0 if reverse else -1
    return _like(init, [stack[last] for stack in results[: len(new)]]), _like(made[1], results[len(new) :])


class _Loop:
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

    def results(self, name: str | None, with_residuals: bool) -> list[Node]:
        """The stacks of the outputs, after building the op."""
        new, rest = self.outputs[: len(self.carries)], self.outputs[len(self.carries) :]
        once = [*new, *dict.fromkeys(node for node in rest if node not in new)]
        places = [once.index(node) for node in self.outputs]
        self.outputs = once
        constants = self._close()
        slices = [x for x in ancestors(self.outputs) if x in self.stack_of]
        if with_residuals:
            inputs = [*self.carries, *slices, *constants]
            self.outputs += _residuals(self.outputs, inputs)
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
                became[node] = _inside(node, node.tensor)
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
        became = {s: _inside(s, s.tensor) for s in dict.fromkeys(outside) if not _is_plain(s)}
        self.outputs = list(substitute(self.outputs, became))
        return {inside: node for node, inside in became.items()}


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
        self.adjoints = [_inside(c, c.tensor) for c in self.carried]
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
                arriving[i] = _inside(output, output.tensor)
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
        made = _inside(inside, inside.tensor)
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
        loop = _Loop(
            self.adjoints,
            slices,
            [*new, *self.collected],
            [self.start.get(c, self._zeros(c)) for c in self.carried],
            [self.feeds[x] for x in slices],
            self.op.length,
            not self.op.reverse,
        )
        return loop.results(None, with_residuals=True)


def _residuals(outputs: list[Node], inputs: list[Node]) -> list[Node]:
    """Values inside a step that its backward pass reads and that are no outputs yet."""
    floats = [node for node in inputs if node.tensor.is_float]
    ends = [node for node in outputs if node.tensor.is_float]
    slopes = vjps(ends, [_inside(node, node.tensor) for node in ends], floats)
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


def _picks_like(slopes: Iterable[Node], became: dict[Node, Node]) -> dict[Node, Node]:
    """Other nodes that pick a result of which some pick became something."""
    known = {(node.op, node.inputs): new for node, new in became.items() if isinstance(node.op, Pick)}
    found = {n: known.get((n.op, n.inputs)) for n in ancestors(slopes, stop=became) if isinstance(n.op, Pick)}
    return {node: new for node, new in found.items() if new is not None}


def _behind_views(node: Node) -> Node:
    while isinstance(node.op, _VIEWS):
        (node,) = node.inputs
    return node


def _in_pieces(
    step: Step, init: Any, xs: Any, count: Dim, reverse: bool, truncate: int, name: str | None
) -> tuple[Any, Any]:
    """One loop for each piece of `truncate` steps; no gradient goes from one to the one before it."""
    if not isinstance(count, int) or isinstance(truncate, bool) or not isinstance(truncate, int) or truncate < 1:
        raise GraphError(
            f"scan: truncate={truncate!r} over {count} steps, expected a count of 1 or more and a known length"
        )
    bounds = [(start, min(start + truncate, count)) for start in range(0, count, truncate)]
    pieces: list[list[Node]] = []
    carry, shape_of_y = init, None
    for start, stop in reversed(bounds) if reverse else bounds:
        part = _like(xs, [as_node(x)[start:stop] for x in _flat(xs)])
        carry, shape_of_y = scan(step, carry, part, stop - start, reverse=reverse, name=name)
        pieces.append(_flat(shape_of_y))
        carry = _like(carry, [stopped(c) for c in _flat(carry)]) if len(pieces) < len(bounds) else carry
    ordered = pieces[::-1] if reverse else pieces
    return carry, _like(shape_of_y, [concat(list(column), axis=0) for column in zip(*ordered, strict=True)])


def _length(stacks: Sequence[Node], length: Dim | None) -> Dim:
    if not stacks and length is None:
        raise GraphError("scan: without xs it needs length=, the number of steps")
    lengths: list[Dim | None] = [x.shape[0] if x.ndim else None for x in stacks]
    lengths += [] if length is None else [length]
    if any(found != lengths[0] or found is None for found in lengths):
        raise ShapeError(
            f"scan: xs have lengths {', '.join(map(str, lengths))}; expected one length, in the first axis"
        )
    count = lengths[0]
    assert count is not None
    if isinstance(count, int) and count < 1:
        raise ShapeError("scan: there are no steps, expected at least one")
    return count


def _check_carries(before: Sequence[Node], after: Sequence[Node]) -> None:
    if len(before) != len(after):
        raise GraphError(f"scan: the carry has {len(before)} parts before a step and {len(after)} after it")
    for old, new in zip(before, after, strict=True):
        if old.type != new.type:
            raise ShapeError(f"scan: the carry {old.label} is {old.type} before a step and {new.type} after it")


def _inside(like: Node, kind: TensorType) -> Node:
    """A placeholder of a body, named after what it stands for."""
    return build(Placeholder(kind), name=like.name or like.op.name)


def _is_plain(node: Node) -> bool:
    """What a body may read without being handed it: plain numbers and sizes."""
    return scalar_of(node) is not None or isinstance(node.op, Size)


def _is_zero(node: Node) -> bool:
    return isinstance(node.op, BroadcastTo) and scalar_of(node.inputs[0]) == 0


def _total(terms: Sequence[Node]) -> Node:
    """The sum of one term or more."""
    return terms[0] if len(terms) == 1 else build(AddN(), *terms)


def _rows(stack: Node) -> Node:
    return reshape(stack, (-1, stack.shape[-1]))


def _flat(tree: Any) -> list[Any]:
    """The leaves of None, one thing, or a tuple or list of things."""
    if tree is None:
        return []
    return list(tree) if isinstance(tree, tuple | list) else [tree]


def _like(tree: Any, leaves: Iterable[Any]) -> Any:
    """`leaves` put together as `tree` is."""
    found = list(leaves)
    if tree is None:
        return None
    return type(tree)(found) if isinstance(tree, tuple | list) else found[0]
