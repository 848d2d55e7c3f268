"""One story told more finely or more coarsely: backward steps in parts, or all steps of a layer or phase as one."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from itertools import groupby

from graphdl.draw.captions import caption, joined
from graphdl.draw.choices import check_choice
from graphdl.draw.grouping import grouped
from graphdl.draw.labels import gradient_text
from graphdl.draw.model import LaneRule, Step, Trace, Value

GRANULARITIES = ("op", "sub", "layer", "phase")
# A merged step shows so many rules; the others are in the steps it is made of.
_MOST_LANES = 12
_MOST_NAMED = 6
# Phases of which a layer has several steps.
_LONG = ("forward", "backward", "update")


def at_granularity(trace: Trace, granularity: str) -> Trace:
    """The same graph with its story retold.

    "op" is a step for each operation, as `trace` tells it; "sub" splits backward steps into the local derivative,
    its product with the upstream gradient, and the arrival at a value that is used several times; "layer" makes one
    step of all that happens in a block, "phase" one of each phase. DrawError for another word.
    """
    check_choice("granularity", granularity, GRANULARITIES)
    return replace(trace, steps=_RETOLD[granularity](trace))


def _as_told(trace: Trace) -> tuple[Step, ...]:
    return trace.steps


def _finer(trace: Trace) -> tuple[Step, ...]:
    return tuple(part for step in trace.steps for part in (_parts(trace, step) if step.lanes else (step,)))


def _parts(trace: Trace, step: Step) -> list[Step]:
    """First how the op works, then each wire: the local derivative, the product, the arrival."""
    source = {edge.id: edge.source for edge in trace.edges if edge.id in step.active_edges}
    last_into = {source[lane.edge]: lane.edge for lane in step.lanes}
    parts = []
    for lane in step.lanes:
        at = source[lane.edge]
        closes = at in step.gradients and last_into[at] == lane.edge
        parts += _of_lane(step, lane, at, {at: step.gradients[at]} if closes else {})
    first = replace(parts[0], values=step.values, caption=joined(step.caption, _spaced(parts[0].caption)))
    return [first, *parts[1:]]


def _of_lane(step: Step, lane: LaneRule, source: str, gradients: dict[str, Value]) -> list[Step]:
    base = Step(
        step.phase,
        step.node,
        active_nodes=tuple(node for node in (step.node, source) if node),
        active_edges=(lane.edge,),
        code=step.code,
        lanes=(lane,),
    )
    parts = []
    if lane.local:
        local = {lane.edge: step.locals[lane.edge]} if lane.edge in step.locals else {}
        parts.append(replace(base, locals=local, caption=caption("local", rule=lane.rule)))
    terms = {lane.edge: step.terms[lane.edge]} if lane.edge in step.terms else {}
    said = caption("multiply", chain=lane.chain, numbers=f";  {lane.numbers}" if lane.numbers else "")
    multiply = replace(base, terms=terms, caption=said)
    if not lane.arrival:
        return [*parts, replace(multiply, gradients=gradients)]
    sums = {source: step.sums[source]} if gradients and source in step.sums else {}
    arrival = caption("arrival", downstream=lane.downstream, arrival=lane.arrival)
    return [*parts, multiply, replace(base, gradients=gradients, sums=sums, caption=arrival)]


def _spaced(said: dict[str, str]) -> dict[str, str]:
    return {language: f" {text}" for language, text in said.items()}


def _by_layer(trace: Trace) -> tuple[Step, ...]:
    block = {node.id: made for made in grouped(trace) for node in made.nodes}
    title = {node: made.title for node, made in block.items()}

    def key(step: Step) -> tuple[str, str]:
        home = block.get(step.node or "")
        return step.phase, home.id if home and step.phase in _LONG else ""

    return _merged(trace, key, lambda step: title.get(step.node or "", ""))


def _by_phase(trace: Trace) -> tuple[Step, ...]:
    return _merged(trace, lambda step: (step.phase, ""), lambda step: "")


def _merged(trace: Trace, key: Callable[[Step], tuple[str, str]], title: Callable[[Step], str]) -> tuple[Step, ...]:
    runs = [list(run) for _, run in groupby(trace.steps, key)]
    return tuple(run[0] if len(run) == 1 else _one_step(trace, run, title(run[0])) for run in runs)


def _one_step(trace: Trace, steps: Sequence[Step], where: str) -> Step:
    """All that `steps` bring, in one."""
    last = steps[-1]
    merged: dict[str, dict[str, object]] = {
        kind: {key: value for step in steps for key, value in getattr(step, kind).items()}
        for kind in ("values", "gradients", "locals", "terms", "sums")
    }
    lanes = [lane for step in steps for lane in step.lanes]
    return Step(
        last.phase,
        last.node,
        active_nodes=_all(step.active_nodes for step in steps),
        active_edges=_all(step.active_edges for step in steps),
        stale=_all(step.stale for step in steps),
        lanes=tuple(lanes if len(lanes) <= _MOST_LANES else _at_leaves(trace, lanes)),
        caption=_said(trace, steps, where),
        code=tuple(sorted({line for step in steps for line in step.code})),
        **merged,  # type: ignore[arg-type]
    )


def _at_leaves(trace: Trace, lanes: Iterable[LaneRule]) -> list[LaneRule]:
    """The rules that give the gradients of leaves, which are what one asks for."""
    source = {edge.id: edge.source for edge in trace.edges}
    return [lane for lane in lanes if trace.by_id[source[lane.edge]].is_leaf][:_MOST_LANES]


def _said(trace: Trace, steps: Sequence[Step], where: str) -> dict[str, str]:
    phase = steps[0].phase
    said = caption(f"many {phase}", count=len(steps), where=f" ({where})" if where else "")
    found = {key: value for step in steps for key, value in step.gradients.items()}
    leaves = [trace.by_id[key] for key in found if trace.by_id[key].is_leaf]
    if not leaves:
        return said
    loss = trace.by_id[trace.loss].symbol if trace.loss else "L"
    listed = ", ".join(f"∂{loss}/∂{n.symbol} = {gradient_text(found[n.id])}" for n in leaves[:_MOST_NAMED])
    return joined(said, caption("found", gradients=listed + (", …" if len(leaves) > _MOST_NAMED else "")))


def _all(groups: Iterable[Iterable[str]]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(item for group in groups for item in group))


_RETOLD: dict[str, Callable[[Trace], tuple[Step, ...]]] = {
    "op": _as_told,
    "sub": _finer,
    "layer": _by_layer,
    "phase": _by_phase,
}
