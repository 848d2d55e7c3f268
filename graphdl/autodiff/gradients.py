"""Reverse mode: one walk from the loss to the leaves, a vjp at each node, all of it graph nodes."""

from __future__ import annotations

import warnings
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from graphdl.collection import collector_paused
from graphdl.errors import DTypeError, GradientError, ZeroGradientWarning, listed
from graphdl.ir.elementwise import as_node
from graphdl.ir.graph import Graph
from graphdl.ir.leaves import constant
from graphdl.ir.node import Node, place_of
from graphdl.ir.origin import Vjp, at_scope, current_origin, origin, written_at
from graphdl.ir.text import plain
from graphdl.ir.traverse import ancestors, dependents, renamed, substitute
from graphdl.ir.types import TensorType, TupleType
from graphdl.ops.arithmetic import add_n
from graphdl.ops.parts import Pick
from graphdl.ops.shape import broadcast_to, cast, sum_to
from graphdl.rewrite.engine import Firing
from graphdl.rewrite.stabilise import stabilise as stabilise_graph


@dataclass(frozen=True)
class Term:
    """What one consumer sends back to its input number `slot`: `gradient` = upstream times local derivative."""

    slot: int
    source: Node
    gradient: Node


@dataclass(frozen=True)
class BackwardStep:
    """The chain rule at one node: `parts` arrive, their sum is `upstream`, `terms` go on to the inputs.

    Parts and upstream are nodes; for a node with several results, pairs (index, node) and a tuple of nodes.
    """

    node: Node
    parts: tuple[Any, ...]
    upstream: Any
    terms: tuple[Term, ...]


@dataclass
class Derivation:
    """Gradients of `loss` for `wrt`, with everything that led to them.

    `loss` is the loss that was differentiated, after stabilising; `became` maps the user's nodes to its nodes.
    `zero_because` says for each gradient that is zero everywhere why it is.
    """

    loss: Node
    wrt: tuple[Node, ...]
    gradients: tuple[Node, ...] = ()
    steps: list[BackwardStep] = field(default_factory=list)
    became: dict[Node, Node] = field(default_factory=dict)
    firings: list[Firing] = field(default_factory=list)
    zero_because: dict[Node, str] = field(default_factory=dict)


def gradients(loss: Node, wrt: Any, seed: Any = None, *, stabilise: bool = True) -> Any:
    """d `loss` / d w for each w in `wrt`: a list of nodes, or one node when `wrt` is one node.

    The loss must be a scalar, unless `seed` gives the gradient that arrives at it, in its shape. Formulas are
    stabilised first. A gradient that is zero everywhere comes with a ZeroGradientWarning that says why.

    Raises GradientError when w does not reach the loss and DTypeError when w holds no floats.
    """
    single = isinstance(wrt, Node)
    found = derive(loss, [wrt] if single else wrt, seed, stabilise=stabilise)
    for reason in found.zero_because.values():
        warnings.warn(reason, ZeroGradientWarning, stacklevel=2)
    # The stabiliser may have rebuilt a w over other inputs: what comes back hangs on the user's own node again.
    mine = {found.became[w]: w for w in found.wrt if w in found.became}
    slopes = substitute(found.gradients, mine)
    return slopes[0] if single else list(slopes)


@collector_paused()
def derive(loss: Node, wrt: Iterable[Node], seed: Any = None, *, stabilise: bool = True) -> Derivation:
    """As `gradients`, with the backward steps and the firings of the stabiliser."""
    targets = tuple(wrt)
    _check(loss, targets, seed)
    found = Derivation(loss, targets)
    if stabilise:
        graph, found.became = stabilise_graph(Graph({"loss": loss}), protected=targets, log=found.firings)
        found.loss = graph.outputs["loss"]
    targets = tuple(found.became.get(w, w) for w in targets)
    walk = _Walk(found, targets, [(found.loss, _seed(found.loss, seed))])
    totals = walk.run()
    found.gradients = tuple(totals[w] if w in totals else walk.zero(w) for w in targets)
    return found


def vjps(outputs: Sequence[Node], seeds: Sequence[Node], wrt: Sequence[Node]) -> list[Node | None]:
    """For each w in `wrt` the gradient when `seeds` arrive at `outputs`, not stabilised; None where it is zero."""
    if not outputs:
        return [None] * len(wrt)
    arrivals = list(zip(outputs, seeds, strict=True))
    totals = _Walk(Derivation(outputs[0], tuple(wrt)), wrt, arrivals).run()
    return [totals.get(w) for w in wrt]


class _Walk:
    """The walk back: parts of each node's gradient are collected until all its consumers have been visited."""

    def __init__(self, found: Derivation, targets: Sequence[Node], arrivals: Sequence[tuple[Node, Node]]) -> None:
        self.found = found
        self.order = ancestors([node for node, _ in arrivals])
        self.demanded = dependents(self.order, targets)
        self.parts: dict[Node, list[Any]] = {}
        self.flat: list[Node] = []
        for node, seed in arrivals:
            self.parts.setdefault(node, []).append(seed)

    def run(self) -> dict[Node, Any]:
        """The whole gradient of every node that one arrives at."""
        totals: dict[Node, Any] = {}
        for node in reversed(self.order):
            if node in self.demanded and node in self.parts:
                totals[node] = self._visit(node)
        return totals

    def _visit(self, node: Node) -> Any:
        """Sum what arrived at `node` and send its inputs their terms."""
        parts = self.parts.pop(node)
        upstream = self._several(node, parts) if isinstance(node.type, TupleType) else self._total(node, parts)
        if node.inputs:
            terms = tuple(self._terms(node, upstream))
            self.found.steps.append(BackwardStep(node, tuple(parts), upstream, terms))
            for term in terms:
                self._send(node, term)
        return upstream

    def _total(self, node: Node, parts: list[Node]) -> Node:
        """One n-ary addition where a value is used several times."""
        if len(parts) == 1:
            return parts[0]
        with origin(Vjp(node, None)), at_scope(_scope(node)):
            return add_n(*parts, name=_own_name(node))

    def _several(self, node: Node, parts: list[tuple[int, Node]]) -> tuple[Node, ...]:
        """A gradient for each result of a node with several; zeros where none arrived."""
        assert isinstance(node.type, TupleType)
        with origin(Vjp(node, None)), at_scope(_scope(node)):
            return tuple(_sum_or_zeros([g for i, g in parts if i == k], t) for k, t in enumerate(node.type.items))

    def _terms(self, node: Node, upstream: Any) -> Iterable[Term]:
        with at_scope(_scope(node)):
            with origin(Vjp(node, None)):
                rules = (upstream,) if isinstance(node.op, Pick) else node.op.vjp(upstream, node, *node.inputs)
            for slot, (source, gradient) in enumerate(zip(node.inputs, rules, strict=True)):
                if source not in self.demanded:
                    continue
                with origin(Vjp(node, slot)):
                    built = gradient() if callable(gradient) else gradient
                    if built is None:
                        self.flat.append(node)
                    else:
                        yield Term(slot, source, self._finished(built, node, source))

    def _finished(self, gradient: Node, node: Node, source: Node) -> Node:
        """The gradient in the type of `source`, named d/<source> where it is all of it."""
        if isinstance(source.type, TupleType):
            return gradient
        fitted = gradient if gradient.shape == source.shape else sum_to(gradient, source.shape)
        fitted = cast(fitted, source.dtype)
        built_here = isinstance(fitted.origin, Vjp) and fitted.origin.of is node and fitted.name is None
        if not built_here:
            return fitted
        place, kind = place_of(fitted), fitted.type
        return Node(fitted.op, fitted.inputs, kind, _own_name(source), _scope(source), current_origin(), place)

    def _send(self, node: Node, term: Term) -> None:
        part = (node.op.index, term.gradient) if isinstance(node.op, Pick) else term.gradient
        self.parts.setdefault(term.source, []).append(part)

    def zero(self, target: Node) -> Node:
        """Zeros for `target`, with the reason noted."""
        self.found.zero_because[target] = self._reason(target)
        with at_scope(_scope(target)), origin(Vjp(target, None)):
            zeros = broadcast_to(constant(0.0, target.dtype), target.shape)
            return renamed(zeros, _own_name(target), _scope(target))

    def _reason(self, target: Node) -> str:
        below = dependents(self.order, [target])
        flat = [end for node in self.flat if node in below for end in _where_floats_end(node, below)]
        why = [f"{plain(n.label)}: {n.op.why_flat or 'it has no derivative'}" for n in dict.fromkeys(flat)]
        return (
            f"the gradient of {plain(self.found.loss.label)!r} for {plain(target.label)!r} is zero everywhere: "
            f"{'; '.join(why)}. To train, use a loss that changes smoothly, such as cross-entropy"
        )


def _where_floats_end(node: Node, below: set[Node]) -> list[Node]:
    """What to blame where `node` has no derivative: the argmax behind it, say, if it is a cast of its index."""
    steps = [n for n in ancestors([node]) if n in below and not _is_float(n) and any(map(_is_float, n.inputs))]
    return steps or [node]


def _is_float(node: Node) -> bool:
    return isinstance(node.type, TensorType) and node.type.is_float


def _seed(loss: Node, seed: Any) -> Node:
    with at_scope(_scope(loss)), origin(Vjp(loss, None)):
        if seed is None:
            return constant(1.0, loss.dtype, name=_own_name(loss))
        return seed if isinstance(seed, Node) else constant(seed, loss.dtype, name=_own_name(loss))


def _check(loss: Node, targets: Sequence[Node], seed: Any) -> None:
    if not isinstance(loss, Node):
        raise GradientError(f"the loss is a {type(loss).__name__}, expected a node")
    if isinstance(loss.type, TupleType) or not loss.tensor.is_float:
        raise DTypeError(f"{plain(loss.label)} is {loss.type}; only floats have gradients")
    if seed is None and loss.ndim:
        raise GradientError(
            f"{plain(loss.label)} is {loss.type}, not a scalar; take its gd.sum or gd.mean, or pass seed=, "
            f"the gradient that arrives at it\n  {written_at(loss)}".rstrip()
        )
    if seed is not None and as_node(seed).shape != loss.shape:
        raise GradientError(f"seed has shape {as_node(seed).shape}, expected that of {plain(loss.label)}, {loss.type}")
    _check_targets(loss, targets)


def _check_targets(loss: Node, targets: Sequence[Node]) -> None:
    graph = ancestors([loss])
    reached = set(graph)
    for w in targets:
        if not isinstance(w, Node):
            raise GradientError(f"a gradient is asked for a {type(w).__name__}, expected a node")
        if not isinstance(w.type, TensorType) or not w.tensor.is_float:
            raise DTypeError(f"{plain(w.label)} is {w.type}; only floats have gradients")
        if w not in reached:
            leaves = [n.label for n in graph if not n.inputs and n.op.name != "constant"]
            raise GradientError(
                f"{plain(w.label)!r} does not reach {plain(loss.label)!r}, which depends on {listed(leaves)}"
                f"\n  {written_at(w)}".rstrip()
            )


def _sum_or_zeros(parts: list[Node], tensor: TensorType) -> Node:
    if not parts:
        return broadcast_to(constant(0.0, tensor.dtype), tensor.shape)
    return parts[0] if len(parts) == 1 else add_n(*parts)


def _scope(node: Node) -> str:
    return f"d/{node.scope}" if node.scope else "d"


def _own_name(node: Node) -> str:
    return node.name or node.op.name
