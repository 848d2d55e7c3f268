"""A derivation with whole arrays: one vector-Jacobian product at each op, with its shapes."""

from __future__ import annotations

import itertools
from collections.abc import Collection, Iterable, Sequence
from functools import cached_property
from typing import Any

import numpy as np

from graphdl.draw.chain import Chain
from graphdl.draw.digits import inner, lowered, number
from graphdl.draw.formula import applied, formulas
from graphdl.draw.model import LaneRule, Value
from graphdl.draw.subject import Lane, Subject
from graphdl.draw.symbols import own_name
from graphdl.draw.trace import summary
from graphdl.ir.leaves import Constant, Size
from graphdl.ir.node import Node
from graphdl.ir.text import plain
from graphdl.ir.traverse import ancestors, consumers, dependents
from graphdl.ir.types import TensorType, TupleType, shape_text
from graphdl.sheet.counting import count_ways
from graphdl.sheet.grids import grid, in_short
from graphdl.sheet.model import Cell, Code, Formula, Grid, Row, Section, Stop, Strip, Table, Work
from graphdl.sheet.naming import INVENTED, at, element_code
from graphdl.sheet.point import Run
from graphdl.sheet.scalars import Index
from graphdl.sheet.words import code, heads, math, note, say, section, words

# Sums of products up to here are worked out.
_MOST_TERMS = 8


class ByArrays:
    """The sections over the arrays of `run` for the nodes `wrt`, each whole or its element at one of `indices`."""

    level = "matrix"

    def __init__(self, run: Run, wrt: Sequence[Node], indices: Sequence[Index]) -> None:
        self.run, self.found, self.wrt, self.indices = run, run.found, tuple(wrt), tuple(indices)
        found = run.found
        self.numbers = {node: value for node, raw in run.values.items() if (value := summary(raw)) is not None}
        self.inner = _passed_through(found, self._way)
        found.symbols.update(_numbered_anew(found, self.inner))
        self.written = {node: found.symbols[node] for node in found.forward if node not in self.inner}
        found.symbols.update((node, found.symbols[outer]) for node, outer in self.inner.items())
        self.chain = Chain(found, self.numbers)
        self.loss = found.symbols[run.loss]
        pairs = zip(self.wrt, self.indices, strict=True)
        self.symbols = [f"{found.symbols[w]}{at(index) if index else ''}" for w, index in pairs]
        self.has_numbers = bool(run.values)

    def gradient_of(self, node: Node) -> Any:
        """The whole gradient of `node`."""
        whole = self.found.gradient.get(node)
        return self.run.values.get(whole) if isinstance(whole, Node) else None

    def gradient(self, place: int) -> Any:
        """The gradient that is asked for: a number, or a whole array."""
        whole = self.gradient_of(self.wrt[place])
        found = None if whole is None else np.asarray(whole, "float64")[self.indices[place]]
        return float(found) if found is not None and not np.ndim(found) else found

    def paths_from(self, place: int) -> int | None:
        """How many ways lead from one element to the loss, number by number."""
        return count_ways(self.run, self.wrt[place])

    def closed(self, place: int) -> str:
        """Whole arrays have no closed form here."""
        return ""

    @cached_property
    def _way(self) -> set[Node]:
        """What lies between the nodes asked for and the loss."""
        return dependents(self.found.forward, self.wrt)

    def given(self) -> Section:
        """The leaves: what they are, their shapes, their numbers where they are few."""
        leaves = [n for n in self.found.forward if not n.inputs and not _is_plain_number(n)]
        rows = [(self._leaf(leaf), leaf, leaf in self.wrt) for leaf in leaves]
        return section("given", self._table(("symbol", "kind", "name", "shape"), rows), *self._grids(leaves))

    def _table(self, head: Sequence[str], rows: Iterable[tuple[tuple[Cell, ...], Node, bool]]) -> Table:
        """Cells, and where there are numbers the value of a node behind them; whether the row is marked."""
        if not self.has_numbers:
            return Table(heads(*head), tuple(Row(cells, marked) for cells, _, marked in rows))
        valued = tuple(Row((*cells, Formula(in_short(self.numbers.get(n)))), marked) for cells, n, marked in rows)
        return Table(heads(*head, "value"), valued)

    def _leaf(self, leaf: Node) -> tuple[Cell, ...]:
        kind = "constant" if isinstance(leaf.op, Constant) else leaf.op.name
        symbol = Formula(self.found.symbols[leaf])
        return symbol, say(kind), Code(plain(leaf.label)), Formula(shape_text(leaf.shape))

    def _grids(self, nodes: Sequence[Node]) -> list[Grid]:
        pairs = [(self.found.symbols[node], self.run.values.get(node)) for node in nodes]
        return [made for symbol, value in pairs if (made := grid(symbol, value)) is not None]

    def forward(self) -> Section:
        """Each op in order, with its shape and its value."""
        ops = [node for node in self.found.forward if node.inputs and node not in self.inner]
        rows = [(self._equation(i, op), op, op in self._way) for i, op in enumerate(ops, start=1)]
        asked = ", ".join(math(self.found.symbols[w]) for w in self.wrt)
        said = words("forward marked", symbol=asked, loss=math(self.loss))
        table = self._table(("step", "equation", "shape"), rows)
        return section("forward", said, table, *self._grids([op for op in ops if op in self._way]))

    def _equation(self, place: int, op: Node) -> tuple[Cell, ...]:
        shape = shape_text(op.shape) if isinstance(op.type, TensorType) else str(op.type)
        return Formula(str(place)), Formula(self.equation(op)), Formula(shape)

    def equation(self, op: Node) -> str:
        """``z1 = x · W1 + b1``"""
        if not any(source in self.inner for source in op.inputs):
            return f"{self.written[op]} = {applied(op, self.written)}"
        known = {node: symbol for node, symbol in self.written.items() if node is not op and symbol}
        return f"{self.written[op]} = {formulas([op], known)[op]}"

    def way(self) -> list[Section]:
        """The quantities between the array asked for and the loss, where they are one chain."""
        if len(self.wrt) != 1:
            return []
        node, stops = self.wrt[0], []
        while len(lanes := self._lanes(node)) == 1:
            stops += [self._stop(node, self._rule(lanes[0]))] if node not in self.inner else []
            node = lanes[0].target
        if node is not self.found.loss:
            return []
        strip = Strip((*stops, self._stop(node)))
        symbol = math(self.found.symbols[self.wrt[0]])
        return [section("way", words("way said"), strip, symbol=symbol, loss=math(self.loss))]

    def _stop(self, node: Node, rule: LaneRule | None = None) -> Stop:
        local = "" if rule is None else f"⊙ {rule.derivative}" if rule.local else rule.derivative
        values = in_short(self.numbers.get(node)), in_short(self._slope(node))
        return Stop(self.found.symbols[node], *values, local)

    def _slope(self, node: Node) -> Value | None:
        whole = self.found.gradient.get(node)
        return self.numbers.get(whole) if isinstance(whole, Node) else None

    def _lanes(self, source: Node) -> list[Lane]:
        """The lanes on which the gradient of `source` arrives."""
        return [lane for lane in self.found.lanes if lane.source is source and lane.target in self._way]

    def _rule(self, lane: Lane) -> LaneRule:
        return self.chain.rule(lane, "")

    def backward(self) -> Section:
        """The chain rule at each op on the way, from the loss back."""
        sources = {lane.source for lane in self.found.lanes if lane.source in self._way} - self.inner.keys()
        order = sorted(sources, key=lambda node: node.place, reverse=True)
        works = [self._work(i, node) for i, node in enumerate(order, start=1)]
        asked = [place for place, index in enumerate(self.indices) if index and self._lanes(self.wrt[place])]
        opening = words("reverse said", seed=math(f"∂{self.loss}/∂{self.loss} = 1"))
        return section("reverse", opening, *works, *map(self._element, asked))

    def _work(self, place: int, node: Node) -> Work:
        lanes = self._lanes(node)
        is_copied = bool(lanes) and lanes[0].target.op.name == "broadcast_to"
        kind = "fork" if len(lanes) > 1 else "copied" if is_copied else "at"
        lines = [line for lane in lanes for line in self._lines(lane)]
        if len(lanes) > 1:
            total = self.chain.addition(node, lanes)
            lines.append(Formula(f"{self.chain.partial(node)} = {total or ' + '.join(self._terms(lanes))}", "result"))
        made = grid(self.chain.partial(node), self.gradient_of(node))
        said = say(kind, symbol=math(self.found.symbols[node]), count=len(lanes))
        return Work(said, tuple(lines), place, (made,) if made else ())

    def _terms(self, lanes: Sequence[Lane]) -> list[str]:
        return [self._rule(lane).chain.split(" = ", 1)[1] for lane in lanes]

    def _lines(self, lane: Lane) -> list[Formula]:
        rule = self._rule(lane)
        is_last = self.inner.get(lane.target, lane.target) is self.found.loss and rule.local
        parts = (
            ("" if is_last else rule.chain, "chain"),
            (rule.rule, "local"),
            (rule.shapes, "shapes"),
            (rule.numbers, "numbers"),
        )
        return [Formula(text, kind) for text, kind in parts if text]

    def _element(self, place: int) -> Work:
        """One element of the gradient, as the row and the column that make it."""
        w, index = self.wrt[place], self.indices[place]
        asked = f"∂{self.loss}/∂{self.symbols[place]}"
        lines = [Formula(f"{asked} = ({self.chain.partial(w)}){at(index)}", "chain")]
        if self.has_numbers:
            lines.append(Formula(f"{asked} = {self._worked_element(place, index)}", "numbers"))
        return Work(say("matrix element", code=code(element_code(w, index))), tuple(lines))

    def _worked_element(self, place: int, index: Index) -> str:
        value, lanes = self.gradient(place), self._lanes(self.wrt[place])
        term = lanes[0].term if len(lanes) == 1 else None
        if term is not None and term.op.name == "matmul" and term.ndim == 2:
            left, right = (np.asarray(self.run.values[source]) for source in term.inputs)
            if left.shape[1] <= _MOST_TERMS:
                return inner(zip(left[index[0]], right[:, index[1]], strict=True), value)
        return number(value)

    def sum_over_paths(self) -> Section:
        """The number of ways from an element of each array, which nobody walks."""
        counts = [self.paths_from(place) for place in range(len(self.wrt))]
        texts = [f"{count:,}".replace(",", " ") if count else "—" for count in counts]
        rows = (Row((Formula(self.found.symbols[w]), Formula(text))) for w, text in zip(self.wrt, texts, strict=True))
        table = Table((say("symbol"), say("path count", loss=math(self.loss))), tuple(rows))
        edges = sum(lane.source in self._way and lane.target in self._way for lane in self.found.lanes)
        said = words("many ways", loss=math(self.loss), edges=f"{edges:,}")
        return section("paths", table, said, *([note("paths unknown")] if None in counts else []))


def _is_plain_number(node: Node) -> bool:
    return (
        isinstance(node.op, Constant | Size)
        and own_name(node) is None
        and not (isinstance(node.type, TupleType) or node.shape)
    )


# What is written inside the sum that it is a part of.
_PARTS = frozenset(("matmul", "add", "add_n", "multiply", "negative", "broadcast_to"))


def _passed_through(found: Subject, way: Collection[Node]) -> dict[Node, Node]:
    """Unnamed parts of a sum, each with that sum: no lines of their own, since what arrives there goes on unchanged."""
    users = consumers(found.forward)
    read = set(ancestors([lane.term for lane in found.lanes], stop=set(found.forward)))
    inner: dict[Node, Node] = {}
    for node in reversed(found.forward):
        if own_name(node) is not None or node in found.wrt or node.op.name not in _PARTS or len(users[node]) != 1:
            continue
        (user,) = users[node]
        outer = inner.get(user, user)
        passes = node not in way or found.gradient.get(node) is found.gradient.get(outer)
        if user.op.name in ("add", "add_n") and node not in read and passes:
            inner[node] = outer
    return inner


def _numbered_anew(found: Subject, inner: Collection[Node]) -> dict[Node, str]:
    """t₁, t₂, … without gaps, for the results that nobody named."""
    invented = [node for node in found.forward if INVENTED.fullmatch(found.symbols[node])]
    taken = {found.symbols[node] for node in found.forward if own_name(node)}
    fresh = (name for count in itertools.count(1) if (name := lowered(f"t{count}")) not in taken)
    return {node: next(fresh) for node in invented if node not in inner and not own_name(node)}
