"""What a trace is made from: the real nodes of one graph and its chain rule, their symbols, ids and values."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from graphdl.autodiff.gradients import Derivation, derive
from graphdl.draw.symbols import symbols_of
from graphdl.errors import DrawError
from graphdl.ir.elementwise import Elementwise
from graphdl.ir.graph import Graph, Updates
from graphdl.ir.leaves import Placeholder, VariableLeaf, constant
from graphdl.ir.node import Node
from graphdl.ir.origin import Vjp, at_scope, forward_of, origin
from graphdl.ir.traverse import ancestors, dependents, moved
from graphdl.ir.types import TupleType
from graphdl.rewrite.stabilise import sink_where
from graphdl.rewrite.unroll import unrolled
from graphdl.runtime.session import Session
from graphdl.runtime.stepper import Stepper


@dataclass(frozen=True)
class Lane:
    """The way back along one input: `term` is the gradient sent, `local` the derivative (where it is a number or
    acts element by element), both nodes."""

    target: Node
    slot: int
    source: Node
    upstream: Any
    term: Node
    local: Node | None


@dataclass
class Subject:
    """The nodes to trace. `gradient` is the whole gradient of a forward node, `lanes` the chain rule in order."""

    outputs: tuple[Node, ...]
    loss: Node | None = None
    wrt: tuple[Node, ...] = ()
    forward: list[Node] = field(default_factory=list)
    backward: list[Node] = field(default_factory=list)
    required: set[Node] = field(default_factory=set)
    gradient: dict[Node, Any] = field(default_factory=dict)
    visits: list[tuple[Node, tuple[Lane, ...]]] = field(default_factory=list)
    updates: tuple[tuple[Node, Node], ...] = ()
    firings: tuple[str, ...] = ()
    zero_because: tuple[str, ...] = ()
    symbols: dict[Node, str] = field(default_factory=dict)
    ids: dict[Node, str] = field(default_factory=dict)

    @cached_property
    def backward_set(self) -> frozenset[Node]:
        """The nodes that the chain rule built."""
        return frozenset(self.backward)

    @cached_property
    def forward_symbols(self) -> dict[Node, str]:
        """The symbols of the user's graph."""
        return {node: self.symbols[node] for node in self.forward}

    @cached_property
    def gradient_for(self) -> dict[Node, list[Node]]:
        """For each node that is somebody's whole gradient, whose; an addition passes one on to all its inputs."""
        found: dict[Node, list[Node]] = {}
        for forward, total in self.gradient.items():
            if not isinstance(total, tuple):
                found.setdefault(total, []).append(forward)
        return found

    @property
    def lanes(self) -> list[Lane]:
        """Every way back, in the order the chain rule takes them."""
        return [lane for _, lanes in self.visits for lane in lanes]

    @property
    def nodes(self) -> list[Node]:
        """All nodes shown, inputs first."""
        return [*self.forward, *self.backward]


def subject(what: Any, wrt: Any, updates: Updates | None, stabilise: bool) -> Subject:
    """What `what` (a node, nodes or a Graph) and its gradients for `wrt` consist of."""
    outputs, pairs = _outputs(what)
    pairs += updates.pairs if updates else ()
    outputs, wrt = _with_short_loops_written_out(outputs, wrt)
    loss = outputs[0] if len(outputs) == 1 else None
    targets = _targets(loss, wrt)
    if loss is None or not targets:
        found = Subject(outputs, loss=loss)
        _without_chain_rule(found, pairs)
    else:
        found = Subject((loss,), loss=loss, wrt=targets)
        _with_chain_rule(found, derive(loss, targets, stabilise=stabilise), pairs, stabilise)
    found.ids = {node: f"n{i}" for i, node in enumerate(found.nodes, start=1)}
    found.symbols = symbols_of(found.forward, found.backward, found.gradient, found.loss, found.outputs)
    return found


def values(
    found: Subject, feeds: Mapping[Any, Any] | None, session: Session | None
) -> tuple[dict[Node, Any], dict[Node, Any]]:
    """The value of every node of `found`, its lanes and its updates; and those of its forward nodes in the next run.

    The next run has the new values of updated variables. Nothing is known when placeholders are not fed.
    """
    wanted = [*found.outputs, *(pair[1] for pair in found.updates), *(pair[0] for pair in found.updates)]
    wanted += found.backward
    for lane in found.lanes:
        wanted += [lane.term] if lane.local is None else [lane.term, lane.local]
    wanted = [node for node in dict.fromkeys(wanted) if not isinstance(node.type, TupleType)]
    graph = Graph(wanted)
    if graph.placeholders and feeds is None:
        return {}, {}
    used = session or Session()
    known = Stepper(graph, feeds, used).values()
    return known, _next_run(found, used, known)


def _next_run(found: Subject, session: Session, known: Mapping[Node, Any]) -> dict[Node, Any]:
    """The forward pass over the values that the updates of `found` have come to; the session keeps its own."""
    outputs = [node for node in found.outputs if not isinstance(node.type, TupleType)]
    if not found.updates or not outputs:
        return {}
    graph = Graph(outputs)
    stepper = Stepper(graph, {node: known[node] for node in graph.placeholders}, session)
    stepper.key = (session.seed, session.state.step + 1)
    stepper.found.update((variable, known[new]) for variable, new in found.updates)
    return stepper.values()


def _outputs(what: Any) -> tuple[tuple[Node, ...], tuple[tuple[Node, Node], ...]]:
    if isinstance(what, Graph):
        return tuple(dict.fromkeys(what.roots)), what.updates
    if isinstance(what, Updates):
        return tuple(dict.fromkeys(value for _, value in what.pairs)), what.pairs
    nodes = (what,) if isinstance(what, Node) else tuple(what) if isinstance(what, list | tuple) else None
    if not nodes or not all(isinstance(node, Node) for node in nodes):
        raise DrawError(
            f"draw was given {what!r:.60}, a {type(what).__name__}; expected a node, a list of nodes, a graph, "
            "a model or a trace"
        )
    return tuple(dict.fromkeys(nodes)), ()


def _with_short_loops_written_out(outputs: tuple[Node, ...], wrt: Any) -> tuple[tuple[Node, ...], Any]:
    """Loops of a few steps are shown step by step."""
    graph, became = unrolled(Graph(outputs))
    if not became or wrt is None:
        return tuple(graph.outputs.values()), wrt
    nodes = [wrt] if isinstance(wrt, Node) else list(wrt)
    return tuple(graph.outputs.values()), moved(nodes, became)


def _targets(loss: Node | None, wrt: Any) -> tuple[Node, ...]:
    """What to differentiate for: `wrt`, or the trained variables, or else the placeholders that hold floats."""
    if wrt is not None:
        if loss is None:
            raise DrawError("gradients are drawn for one loss; found several outputs together with wrt=")
        return (wrt,) if isinstance(wrt, Node) else tuple(wrt)
    if loss is None or isinstance(loss.type, TupleType) or loss.ndim or not loss.tensor.is_float:
        return ()
    nodes = ancestors([loss])
    if any(forward_of(node) is not None for node in nodes):
        return ()
    floats = [node for node in nodes if not node.inputs and node.tensor.is_float and node is not loss]
    trained = [node for node in floats if isinstance(node.op, VariableLeaf) and node.op.trainable]
    return tuple(trained or [node for node in floats if isinstance(node.op, Placeholder)])


def _without_chain_rule(found: Subject, pairs: Sequence[tuple[Node, Node]]) -> None:
    """The graph as it is; nodes that a chain rule built earlier are its backward part."""
    for node in ancestors(found.outputs):
        (found.forward if forward_of(node) is None else found.backward).append(node)
    shown = {*found.forward, *found.backward}
    found.updates = tuple(pair for pair in pairs if pair[0] in shown)
    for node in found.backward:
        of = whole_gradient_of(node)
        if of is not None and of in shown:
            found.gradient[of] = node
    found.required = {node for node in found.gradient if node in shown}


def whole_gradient_of(node: Node) -> Node | None:
    """The forward node whose whole gradient `node` is: it carries its name, under d/."""
    made = node.origin
    if not isinstance(made, Vjp) or node.scope.split("/")[0] != "d":
        return None
    of = made.of if made.slot is None else made.of.inputs[made.slot]
    return of if node.name == (of.name or of.op.name) else None


def _with_chain_rule(
    found: Subject, derivation: Derivation, pairs: Sequence[tuple[Node, Node]], stabilise: bool
) -> None:
    """The stabilised forward graph, its lanes, and the backward graph; masks are moved as every session does."""
    lanes = _lanes(derivation)
    totals: dict[Node, Any] = {step.node: step.upstream for step in derivation.steps}
    totals.update(zip((derivation.became.get(w, w) for w in found.wrt), derivation.gradients, strict=True))
    became = _sunk(derivation, lanes, pairs) if stabilise else {}
    found.loss = became.get(derivation.loss, derivation.loss)
    found.outputs = (found.loss,)
    found.wrt = tuple(became.get(w, w) for w in (derivation.became.get(w, w) for w in found.wrt))
    found.forward = ancestors([found.loss])
    found.visits = [(became.get(node, node), tuple(_moved_lane(lane, became) for lane in made)) for node, made in lanes]
    found.gradient = {became.get(node, node): _moved(total, became) for node, total in totals.items()}
    found.required = dependents(found.forward, found.wrt)
    shown = set(found.forward)
    roots = [node for total in found.gradient.values() for node in (total if isinstance(total, tuple) else (total,))]
    found.backward = [node for node in ancestors(roots) if node not in shown]
    found.updates = tuple((variable, became.get(value, value)) for variable, value in pairs if variable in shown)
    found.zero_because = tuple(derivation.zero_because.values())
    found.firings = tuple(dict.fromkeys(f"{firing.rule}: {firing.why}" for firing in derivation.firings))


def _sunk(derivation: Derivation, lanes: Any, pairs: Sequence[tuple[Node, Node]]) -> dict[Node, Node]:
    """What each node of the chain rule becomes when products are moved inside `where`, as sessions do before they run.

    The user's own nodes stay as they are, so that each is there with its gradient.
    """
    roots = [derivation.loss, *derivation.gradients, *(value for _, value in pairs)]
    for _, made in lanes:
        for lane in made:
            roots += [lane.term] if lane.local is None else [lane.term, lane.local]
    graph = Graph(roots)
    return sink_where(graph, protected=ancestors([derivation.loss]))[1]


def _moved_lane(lane: Lane, became: Mapping[Node, Node]) -> Lane:
    new = became.get
    return Lane(
        new(lane.target, lane.target),
        lane.slot,
        new(lane.source, lane.source),
        _moved(lane.upstream, became),
        new(lane.term, lane.term),
        None if lane.local is None else new(lane.local, lane.local),
    )


def _moved(total: Any, became: Mapping[Node, Node]) -> Any:
    return tuple(became.get(node, node) for node in total) if isinstance(total, tuple) else became.get(total, total)


def _lanes(derivation: Derivation) -> list[tuple[Node, tuple[Lane, ...]]]:
    visits = []
    for step in derivation.steps:
        locals_ = _local_derivatives(step.node, [term.slot for term in step.terms])
        made = tuple(
            Lane(step.node, term.slot, term.source, step.upstream, term.gradient, locals_.get(term.slot))
            for term in step.terms
        )
        visits.append((step.node, made))
    return visits


def _local_derivatives(node: Node, slots: Iterable[int]) -> dict[int, Node]:
    """The derivative of `node` for each input, where it is one number an element: the vjp of a gradient of ones."""
    if isinstance(node.type, TupleType) or (node.shape and not isinstance(node.op, Elementwise)):
        return {}
    found = {}
    with origin(Vjp(node, None)), at_scope(f"local/{node.scope}" if node.scope else "local"):
        rules = node.op.vjp(constant(1.0, node.dtype), node, *node.inputs)
        for slot in slots:
            rule = rules[slot]
            built = rule() if callable(rule) else rule
            if built is not None and not isinstance(built.type, TupleType):
                found[slot] = built
    return found
