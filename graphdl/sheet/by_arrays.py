"""A derivation with whole arrays: one vector-Jacobian product at each op, with its shapes."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from functools import cached_property
from typing import Any

import numpy as np

from graphdl.draw.chain import Chain
from graphdl.draw.digits import inner, number
from graphdl.draw.formula import applied, formulas
from graphdl.draw.labels import value_text
from graphdl.draw.model import LaneRule, Value
from graphdl.draw.subject import Lane, Subject
from graphdl.draw.trace import summary
from graphdl.ir.leaves import Constant, Size
from graphdl.ir.node import Node
from graphdl.ir.traverse import ancestors, consumers, dependents
from graphdl.ir.types import TensorType, TupleType, shape_text
from graphdl.sheet.by_numbers import element_code
from graphdl.sheet.counting import count_ways
from graphdl.sheet.grids import grid
from graphdl.sheet.model import Block, Cell, Code, Formula, Grid, Row, Section, Stop, Strip, Table, Words, Work
from graphdl.sheet.naming import INVENTED
from graphdl.sheet.point import sizes_of
from graphdl.sheet.words import code, math, say

# Sums of products up to here are worked out.
_MOST_TERMS = 8


class ByArrays:
    """The sections over the arrays of `found`, whose values are `known`, for the nodes `wrt` at `indices`."""

    level = "matrix"

    def __init__(
        self, found: Subject, known: Mapping[Node, Any], wrt: Sequence[Node], indices: Sequence[tuple[int, ...] | None]
    ) -> None:
        self.found, self.known, self.wrt, self.indices = found, known, tuple(wrt), tuple(indices)
        self.numbers = {node: value for node, raw in known.items() if (value := summary(raw)) is not None}
        self.inner = _passed_through(found, self._way)
        found.symbols.update(_numbered_anew(found, self.inner))
        self.written = {node: found.symbols[node] for node in found.forward if node not in self.inner}
        found.symbols.update((node, found.symbols[outer]) for node, outer in self.inner.items())
        self.chain = Chain(found, self.numbers)
        assert found.loss is not None
        self.loss = found.symbols[found.loss]

    @property
    def has_numbers(self) -> bool:
        """Whether values are known."""
        return bool(self.known)

    def symbol(self, place: int) -> str:
        """What is asked for: ``W1`` or ``W1[0, 0]``."""
        index = self.indices[place]
        name = self.found.symbols[self.wrt[place]]
        return f"{name}[{', '.join(map(str, index))}]" if index else name

    def gradient(self, node: Node) -> Any:
        """The whole gradient of `node`."""
        whole = self.found.gradient.get(node)
        return None if whole is None or isinstance(whole, tuple) else self.known.get(whole)

    def value(self, place: int) -> float | None:
        """The gradient that is asked for, where it is one number."""
        whole = self.gradient(self.wrt[place])
        if whole is None:
            return None
        index = self.indices[place] or ()
        chosen = np.asarray(whole, "float64")[index]
        return float(chosen) if not np.ndim(chosen) else None

    def paths_from(self, place: int) -> int | None:
        """How many ways lead from one element to the loss, number by number."""
        return count_ways(self.found, self.wrt[place], sizes_of(self.found, self.known))

    @cached_property
    def _way(self) -> set[Node]:
        """What lies between the nodes asked for and the loss."""
        return dependents(self.found.forward, self.wrt)

    def given(self) -> Section:
        """The leaves: what they are, their shapes, their numbers where they are few."""
        leaves = [n for n in self.found.forward if not n.inputs and not _is_plain_number(n)]
        head = (say("symbol"), say("kind"), say("name"), say("shape"), say("value"))
        rows = [
            Row(
                (*self._leaf(leaf), *self._value_cell(leaf)) if self.has_numbers else self._leaf(leaf), leaf in self.wrt
            )
            for leaf in leaves
        ]
        return Section(
            "given", say("given"), (Table(head if self.has_numbers else head[:4], tuple(rows)), *self._grids(leaves))
        )

    def _leaf(self, leaf: Node) -> tuple[Cell, ...]:
        kind = "constant" if isinstance(leaf.op, Constant) else leaf.op.name
        symbol = Formula(self.found.symbols[leaf])
        return symbol, say(kind), Code(element_code(leaf, ())), Formula(shape_text(leaf.shape))

    def _value_cell(self, node: Node) -> tuple[Cell, ...]:
        value = self.numbers.get(node)
        return (Formula(_summed_up(value) if value else ""),)

    def _grids(self, nodes: Sequence[Node]) -> list[Grid]:
        pairs = [(self.found.symbols[node], self.known.get(node)) for node in nodes]
        return [made for symbol, value in pairs if (made := grid(symbol, value)) is not None]

    def forward(self) -> Section:
        """Each op in order, with its shape and its value."""
        ops = [node for node in self.found.forward if node.inputs and node not in self.inner]
        head = (say("step"), say("equation"), say("shape"), say("value"))
        rows = [
            Row(
                (Formula(str(i)), *self._equation(op), *(self._value_cell(op) if self.has_numbers else ())),
                op in self._way,
            )
            for i, op in enumerate(ops, start=1)
        ]
        asked = ", ".join(math(self.found.symbols[w]) for w in self.wrt)
        said = Words(say("forward marked", symbol=asked, loss=math(self.loss)))
        grids = self._grids([op for op in ops if op in self._way])
        return Section(
            "forward", say("forward"), (said, Table(head if self.has_numbers else head[:3], tuple(rows)), *grids)
        )

    def _equation(self, op: Node) -> tuple[Cell, ...]:
        shape = shape_text(op.shape) if isinstance(op.type, TensorType) else str(op.type)
        return Formula(self.equation(op)), Formula(shape)

    def equation(self, op: Node) -> str:
        """``z1 = x · W1 + b1``"""
        if not any(source in self.inner for source in op.inputs):
            return f"{self.written[op]} = {applied(op, self.written)}"
        known = {node: symbol for node, symbol in self.written.items() if node is not op and symbol}
        return f"{self.written[op]} = {formulas([op], known)[op]}"

    def way(self) -> Section | None:
        """The quantities between the array asked for and the loss, where they are one chain."""
        if len(self.wrt) != 1:
            return None
        node, stops = self.wrt[0], []
        while True:
            lanes = self._lanes(node)
            rule = self._rule(lanes[0]) if lanes else None
            if node not in self.inner:
                stops.append(self._stop(node, rule))
            if len(lanes) != 1:
                break
            node = lanes[0].target
        if node is not self.found.loss:
            return None
        title = say("way", symbol=math(self.found.symbols[self.wrt[0]]), loss=math(self.loss))
        return Section("way", title, (Words(say("way said")), Strip(tuple(stops))))

    def _stop(self, node: Node, rule: LaneRule | None) -> Stop:
        value = self.numbers.get(node)
        slope = summary(whole) if (whole := self.gradient(node)) is not None else None
        local = "" if rule is None else f"⊙ {rule.derivative}" if rule.local else rule.derivative
        return Stop(self.found.symbols[node], _summed_up(value), _summed_up(slope), local)

    def _lanes(self, source: Node) -> list[Lane]:
        """The lanes on which the gradient of `source` arrives."""
        return [lane for lane in self.found.lanes if lane.source is source and lane.target in self._way]

    def _rule(self, lane: Lane) -> LaneRule:
        return self.chain.rule(lane, "")

    def backward(self) -> Section:
        """The chain rule at each op on the way, from the loss back."""
        seed = f"∂{self.loss}/∂{self.loss} = 1"
        blocks: list[Block] = [Words(say("reverse said", seed=math(seed)))]
        seen = {lane.source: None for lane in self.found.lanes if lane.source in self._way}
        sources = [node for node in seen if node not in self.inner]
        order = sorted(sources, key=lambda node: node.place, reverse=True)
        for place, node in enumerate(order, start=1):
            blocks.append(self._work(place, node))
        blocks += [
            self._element(place) for place, index in enumerate(self.indices) if index and self._lanes(self.wrt[place])
        ]
        return Section("reverse", say("reverse"), tuple(blocks))

    def _work(self, place: int, node: Node) -> Work:
        lanes = self._lanes(node)
        symbol = math(self.found.symbols[node])
        said = say("fork", symbol=symbol, count=len(lanes)) if len(lanes) > 1 else say(_kind(lanes), symbol=symbol)
        lines = [line for lane in lanes for line in self._lines(lane)]
        if len(lanes) > 1:
            total = self.chain.addition(node, lanes)
            lines.append(Formula(f"{self.chain.partial(node)} = {total or ' + '.join(self._terms(lanes))}", "result"))
        return Work(said, tuple(lines), place, self._grids_of_gradient(node))

    def _terms(self, lanes: Sequence[Lane]) -> list[str]:
        return [self._rule(lane).chain.split(" = ", 1)[1] for lane in lanes]

    def _lines(self, lane: Lane) -> list[Formula]:
        rule = self._rule(lane)
        is_last = lane.target is self.found.loss and rule.local
        parts = (
            ("" if is_last else rule.chain, "chain"),
            (rule.rule, "local"),
            (rule.shapes, "shapes"),
            (rule.numbers, "numbers"),
        )
        return [Formula(text, kind) for text, kind in parts if text]

    def _grids_of_gradient(self, node: Node) -> tuple[Grid, ...]:
        made = grid(self.chain.partial(node), self.gradient(node))
        return (made,) if made else ()

    def _element(self, place: int) -> Work:
        """One element of the gradient, as the row and the column that make it."""
        index = self.indices[place] or ()
        w = self.wrt[place]
        asked = f"∂{self.loss}/∂{self.symbol(place)}"
        lines = [Formula(f"{asked} = ({self.chain.partial(w)})[{', '.join(map(str, index))}]", "chain")]
        lines += [Formula(f"{asked} = {line}", "numbers") for line in [self._worked_element(place, index)] if line]
        return Work(say("matrix element", code=code(element_code(w, index))), tuple(lines))

    def _worked_element(self, place: int, index: tuple[int, ...]) -> str:
        value = self.value(place)
        if value is None:
            return ""
        lanes = self._lanes(self.wrt[place])
        term = lanes[0].term if len(lanes) == 1 else None
        if term is not None and term.op.name == "matmul" and term.ndim == 2:
            left, right = (np.asarray(self.known[source]) for source in term.inputs)
            if left.shape[1] <= _MOST_TERMS:
                return inner(zip(left[index[0]], right[:, index[1]], strict=True), value)
        return number(value)

    def sum_over_paths(self) -> Section:
        """The number of ways from an element of each array, which nobody walks."""
        counts = [self.paths_from(place) for place in range(len(self.wrt))]
        lanes = [lane for lane in self.found.lanes if lane.source in self._way and lane.target in self._way]
        slots = {"loss": math(self.loss), "edges": f"{len(lanes):,}"}
        rows = tuple(
            Row((Formula(self.found.symbols[w]), Formula(f"{count:,}".replace(",", " ") if count else "—")))
            for w, count in zip(self.wrt, counts, strict=True)
        )
        blocks: list[Block] = [Table((say("symbol"), say("path count", loss=math(self.loss))), rows)]
        blocks.append(Words(say("many ways", **slots)))
        if None in counts:
            blocks.append(Words(say("paths unknown"), note=True))
        return Section("paths", say("paths"), tuple(blocks))

    def summary_of(self, place: int) -> Formula:
        """A large gradient by what sums it up."""
        w = self.wrt[place]
        value = self.numbers.get(self.found.gradient[w])
        return Formula(f"{self.chain.partial(w)} = {_summed_up(value)}", "result")

    def closed(self, place: int) -> str:
        """Whole arrays have no closed form here."""
        return ""


def _kind(lanes: Sequence[Lane]) -> str:
    return "copied" if lanes and lanes[0].target.op.name == "broadcast_to" else "at"


def _is_plain_number(node: Node) -> bool:
    return (
        isinstance(node.op, Constant | Size)
        and node.name is None
        and not (isinstance(node.type, TupleType) or node.shape)
    )


def _summed_up(value: Value | None) -> str:
    """A number, or what sums an array up; an array of one number is that number."""
    if value is None:
        return ""
    if value.data is not None and int(np.prod(value.shape)) == 1:
        return number(np.ravel(value.data)[0])
    return value_text(value)


# What is written inside the sum that it is a part of.
_PARTS = frozenset(("matmul", "add", "add_n", "multiply", "negative", "broadcast_to"))


def _passed_through(found: Subject, way: Collection[Node]) -> dict[Node, Node]:
    """Unnamed parts of a sum, each with that sum: no lines of their own, since what arrives there goes on unchanged."""
    users = consumers(found.forward)
    read = set(ancestors([lane.term for lane in found.lanes], stop=set(found.forward)))
    inner: dict[Node, Node] = {}
    for node in reversed(found.forward):
        if node.name is not None or node in found.wrt or node.op.name not in _PARTS or len(users[node]) != 1:
            continue
        (user,) = users[node]
        outer = inner.get(user, user)
        passes = node not in way or found.gradient.get(node) is found.gradient.get(outer)
        if user.op.name in ("add", "add_n") and node not in read and passes:
            inner[node] = outer
    return inner


def _numbered_anew(found: Subject, inner: Collection[Node]) -> dict[Node, str]:
    """t₁, t₂, … without gaps, for the results that nobody named."""
    old = [found.symbols[node] for node in found.forward if INVENTED.fullmatch(found.symbols[node])]
    kept = [node for node in found.forward if node not in inner and INVENTED.fullmatch(found.symbols[node])]
    return dict(zip(kept, old, strict=False))
