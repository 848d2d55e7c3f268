"""The steps of a story as a page needs them: what each changes, and where it stands among the steps by operation."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from graphdl.draw.labels import exact_text, gradient_row, gradient_text, lane_text, value_text
from graphdl.draw.model import Frame, Step, Trace, TraceEdge, Value
from graphdl.draw.player.formulas import Formulas
from graphdl.draw.summaries import norm_range

# Arrays up to here are listed in full in the card of their node.
_MOST_LISTED = 36
# In graphs beyond this size only what sums an array up.
_MOST_NODES_LISTED = 200


class Strings:
    """Texts that are named by number, so that each is kept once."""

    def __init__(self) -> None:
        self.texts: list[str] = []
        self._numbers: dict[str, int] = {}

    def number(self, text: str) -> int:
        """The number of `text`."""
        if text not in self._numbers:
            self._numbers[text] = len(self.texts)
            self.texts.append(text)
        return self._numbers[text]


class Moves:
    """Writes the steps of one graph, at any granularity."""

    def __init__(self, trace: Trace, strings: Strings, formulas: Formulas) -> None:
        self.trace, self.strings, self.formulas = trace, strings, formulas
        self.lists_arrays = len(trace.nodes) <= _MOST_NODES_LISTED
        self.edge = {edge.id: edge for edge in trace.edges}
        lanes: dict[str, int] = {}
        for edge in trace.edges:
            if edge.rule and edge.direction == "forward":
                lanes[edge.source] = lanes.get(edge.source, 0) + 1
        self.forks = {source for source, count in lanes.items() if count > 1}

    def of(self, steps: Sequence[Step]) -> list[dict[str, Any]]:
        """The steps with what each of them changes."""
        frame, stale = Frame(), set[str]()
        told, at = [], _places(self.trace.steps, steps)
        for step, place in zip(steps, at, strict=True):
            _enter(frame, step)
            changes = [*self._changes(step, frame), *_aging(step, stale)]
            told.append(self._step(step, changes, place, frame))
        return told

    def _step(self, step: Step, changes: Iterable[list[Any]], place: int, frame: Frame) -> dict[str, Any]:
        number = self.strings.number
        made = {
            "p": step.phase,
            "at": place,
            "n": step.node,
            "a": step.active_nodes,
            "e": step.active_edges,
            "x": list(changes),
            "c": [number(step.caption[language]) for language in ("en", "ko") if language in step.caption],
            "l": step.code,
            "m": self.formulas.step(step, self.edge) or self.formulas.overview(step, self.trace, frame),
        }
        return {key: value for key, value in made.items() if value or key in ("p", "at")}

    def _changes(self, step: Step, frame: Frame) -> Iterator[list[Any]]:
        """The slots that show something else after `step`: ``[slot, text, exact text]``, texts by number."""
        by_id = self.trace.by_id
        for key, value in step.values.items():
            node = by_id[key]
            text = gradient_text(value) if node.is_backward else value_text(value)
            yield self._change(f"v:{key}", text, value)
        for key, value in step.gradients.items():
            row, alone = gradient_row(by_id[key], frame, True), gradient_text(value)
            yield self._change(f"g:{key}", row, value)
            if row != alone:
                yield self._change(f"d:{key}", alone, value)
        for key in dict.fromkeys([*step.locals, *step.terms, *(lane.edge for lane in step.lanes)]):
            local = step.locals.get(key, frame.locals.get(key))
            yield self._change(f"l:{key}", self._lane(self.edge[key], frame), local)

    def ranges(self, steps: Sequence[Step], slots: Sequence[str]) -> Iterator[list[list[Any]]]:
        """What each step changes in slots ``r:n3 n7``, which show the gradients of several nodes, by their numbers."""
        members = [slot.removeprefix("r:").split() for slot in slots]
        frame = Frame()
        for step in steps:
            _enter(frame, step)
            touched = [k for k, nodes in enumerate(members) if not step.gradients.keys().isdisjoint(nodes)]
            yield [[f"r:{k}", self.strings.number(_range(frame, members[k]))] for k in touched]

    def _change(self, slot: str, text: str, value: Value | None) -> list[Any]:
        found = [slot, self.strings.number(text)]
        exact = full_text(value, self.lists_arrays) if value is not None else text
        return found if exact == text else [*found, self.strings.number(exact)]

    def _lane(self, edge: TraceEdge, frame: Frame) -> str:
        return lane_text(edge, frame, frame.gradients.get(edge.target), edge.source in self.forks)


def _range(frame: Frame, nodes: Iterable[str]) -> str:
    norms = [frame.gradients[node].norm for node in nodes if node in frame.gradients]
    return norm_range([norm for norm in norms if norm is not None])


def full_text(value: Value, lists_arrays: bool = True) -> str:
    """A number in full precision; an array row by row where it is small, and what sums it up."""
    if not value.shape or value.data is None or not lists_arrays or math.prod(value.shape) > _MOST_LISTED:
        return exact_text(value)
    return f"{_rows(value.data)}\n{exact_text(value)}"


def _rows(data: Any) -> str:
    """Small arrays, a row a line, to six digits."""
    if not isinstance(data, list):
        return f"{data:.6g}" if isinstance(data, float) else str(data)
    if not any(isinstance(item, list) for item in data):
        return f"[{', '.join(map(_rows, data))}]"
    return "\n".join(map(_rows, data))


def _enter(frame: Frame, step: Step) -> None:
    for kind in ("values", "gradients", "locals", "terms", "sums"):
        getattr(frame, kind).update(getattr(step, kind))


def _aging(step: Step, stale: set[str]) -> Iterator[list[Any]]:
    """The slots ``s:`` of values that become stale, or are computed anew."""
    for key in step.stale:
        if key not in stale:
            yield [f"s:{key}", 1]
    renewed = [key for key in step.values if key in stale]
    stale.update(step.stale)
    if step.phase == "again":
        renewed = list(stale)
    stale.difference_update(renewed)
    for key in renewed:
        yield [f"s:{key}", 0]


def _places(by_op: Sequence[Step], steps: Sequence[Step]) -> list[int]:
    """For each step the number of the step by operation that it belongs to, or ends with."""
    places, at = [], 0
    for step in steps:
        while at + 1 < len(by_op) and (by_op[at].phase, by_op[at].node) != (step.phase, step.node):
            at += 1
        places.append(at)
    return places
