"""A derivation number by number: the sections of a sheet for single elements of small graphs."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property

import numpy as np

from graphdl.draw.digits import number
from graphdl.ir.leaves import Constant
from graphdl.ir.node import Node
from graphdl.ir.types import shape_text
from graphdl.sheet.closed import closed_form
from graphdl.sheet.grids import grid
from graphdl.sheet.model import Block, Cell, Code, Formula, Grid, Row, Section, Stop, Strip, Table, Words, Work
from graphdl.sheet.paths import added, count_paths, derivatives, numbers, partials, paths, way_text
from graphdl.sheet.reverse import Reverse, worked
from graphdl.sheet.scalars import Equation, Scalars
from graphdl.sheet.words import math, say

# Beyond so many, the forward table has only the lines that matter for the derivative.
_MOST_LINES = 60


class ByNumbers:
    """The sections over the numbers of `made`, for the numbers `wrt`; at most `most_paths` are written out."""

    level = "scalar"

    def __init__(self, made: Scalars, wrt: Sequence[Node], most_paths: int) -> None:
        self.made, self.wrt, self.most_paths = made, tuple(wrt), most_paths
        self.reverse = Reverse(made, self.wrt)
        self.loss = made.text(made.loss)

    @property
    def has_numbers(self) -> bool:
        """Whether values are known."""
        return bool(self.made.values)

    @cached_property
    def counts(self) -> dict[Node, int]:
        """Paths to the loss."""
        return count_paths(self.reverse)

    def symbol(self, place: int) -> str:
        """What number `place` of those asked for is called."""
        return self.made.text(self.wrt[place])

    def value(self, place: int) -> float | None:
        """Its gradient."""
        return self.reverse.gradients.get(self.wrt[place], 0.0) if self.has_numbers else None

    def paths_from(self, place: int) -> int:
        """How many paths lead from it to the loss."""
        return self.counts[self.wrt[place]]

    def given(self) -> Section:
        """Every leaf: single numbers with their values, arrays with the names of their elements, and all numbers."""
        leaves = list(dict.fromkeys(self.made.places[leaf][0] for leaf in self.made.given))
        arrays = [node for node in leaves if self.made.elements[node].size > 1]
        head = ["symbol", "kind", "name", "shape", "values"] if arrays else ["symbol", "kind", "name", "value"]
        head = head if self.has_numbers or arrays else head[:-1]
        rows = tuple(self._given(node, head) for node in leaves)
        blocks: list[Block] = [Table(tuple(map(say, head)), rows)]
        blocks += [made for node in arrays if (made := self._grid(node)) is not None]
        if arrays:
            blocks.append(Words(say("elements"), note=True))
        return Section("given", say("given"), tuple(blocks))

    def _given(self, node: Node, head: Sequence[str]) -> Row:
        numbers = [element.node for element in self.made.elements[node].ravel()]
        texts = [self.made.text(number) for number in numbers]
        value = number(self.made.values[numbers[0]]) if numbers[0] in self.made.values else ""
        cells: dict[str, Cell] = {
            "symbol": Formula(texts[0] if len(texts) == 1 else self.made.found.symbols[node]),
            "kind": say("constant" if isinstance(node.op, Constant) else node.op.name),
            "name": Code(element_code(node, ())),
            "shape": Formula(shape_text(node.shape)),
            "values": Formula(value if len(texts) == 1 else f"{texts[0]}, …, {texts[-1]}"),
        }
        cells["value"] = cells["values"]
        return Row(tuple(cells[key] for key in head), marked=any(w in numbers for w in self.wrt))

    def _grid(self, node: Node) -> Grid | None:
        elements = self.made.elements[node]
        values = [self.made.values.get(element.node) for element in elements.ravel()]
        if any(value is None for value in values):
            return None
        return grid(self.made.found.symbols[node], np.asarray(values, "float64").reshape(elements.shape))

    @cached_property
    def _lines(self) -> list[Equation]:
        """The equations shown: all, or where they are many, those on the way and those they read."""
        if len(self.made.equations) <= _MOST_LINES:
            return self.made.equations
        way = set(self.reverse.way)
        read = {link.source for equation in way for link in equation.links}
        return [e for e in self.made.equations if e in way or e.target in read]

    def forward(self) -> Section:
        """Each equation in order, with its numbers; what lies on the way is marked."""
        way = {equation.target for equation in self.reverse.way}
        rows = [self._line(i, equation, equation.target in way) for i, equation in enumerate(self._lines, start=1)]
        head = (say("step"), say("equation"), say("numbers"))
        marked = say(
            "forward marked", symbol=", ".join(math(self.made.text(w)) for w in self.wrt), loss=math(self.loss)
        )
        return Section(
            "forward",
            say("forward"),
            (Words(marked), Table(head if self.has_numbers else head[:2], tuple(rows), self.has_numbers)),
        )

    def _line(self, place: int, equation: Equation, marked: bool) -> Row:
        symbol = self.made.text(equation.target)
        value = self.made.values.get(equation.target)
        symbolic, *rest = worked(self.made, equation.formula, value).split(" = ", 1)
        cells = (Formula(str(place)), Formula(f"{symbol} = {symbolic}"))
        return Row((*cells, *([Formula(f"{symbol} = {rest[0]}" if rest else "")] if self.has_numbers else [])), marked)

    def way(self) -> Section | None:
        """The quantities between the number asked for and the loss, where they are one chain."""
        if len(self.wrt) != 1 or self.counts[self.wrt[0]] != 1:
            return None
        (path,) = paths(self.reverse, self.wrt[0], 1)
        nodes = [self.wrt[0], *(wire.target for wire in path)]
        slopes = [wire.link.slope for wire in path]
        stops = [
            Stop(
                self.made.text(node),
                self._shown(self.made.values.get(node)),
                self._shown(self.reverse.gradients.get(node)),
                self.reverse.derivative(slope) if slope is not None else "",
                self.reverse.value(slope) if slope is not None else "",
            )
            for node, slope in zip(nodes, [*slopes, None], strict=True)
        ]
        title = say("way", symbol=math(self.symbol(0)), loss=math(self.loss))
        return Section("way", title, (Words(say("way said")), Strip(tuple(stops))))

    def _shown(self, value: float | None) -> str:
        return "" if value is None else number(value)

    def backward(self) -> Section:
        """The chain rule, quantity by quantity, from the loss back to what is asked for."""
        seed = f"∂{self.loss}/∂{self.loss} = 1"
        blocks: list[Block] = [Words(say("reverse said", seed=math(seed)))]
        order = [node for node in self.reverse.order if node is not self.made.loss]
        blocks += [self._work(i, node) for i, node in enumerate(order, start=1)]
        return Section("reverse", say("reverse"), tuple(blocks))

    def _work(self, place: int, node: Node) -> Work:
        count = len(self.reverse.wires.get(node, ()))
        symbol = math(self.made.text(node))
        said = say("fork", symbol=symbol, count=count) if count > 1 else say("at", symbol=symbol)
        return Work(said, self.reverse.lines(node), place)

    def sum_over_paths(self) -> Section:
        """Every path with its product, or where they are many, their number and why nobody walks them."""
        blocks = [block for place in range(len(self.wrt)) for block in self._paths(place)]
        return Section("paths", say("paths"), tuple(blocks))

    def _paths(self, place: int) -> list[Block]:
        w, count = self.wrt[place], self.paths_from(place)
        slots = {"symbol": math(self.symbol(place)), "loss": math(self.loss)}
        if count > self.most_paths:
            edges = sum(map(len, self.reverse.wires.values()))
            return [Words(say("many paths", count=f"{count:,}", edges=f"{edges:,}", **slots))]
        found = paths(self.reverse, w, count)
        opening = say("one path", **slots) if count == 1 else say("paths said", count=count, **slots)
        blocks: list[Block] = [Words(opening), *(self._path(i, path) for i, path in enumerate(found, start=1))]
        return [*blocks, self._all_paths(place, found)] if len(found) > 1 else blocks

    def _path(self, place: int, path: tuple) -> Work:  # type: ignore[type-arg]
        partial = self.reverse.partial(path[0].link.source)
        lines = [Formula(way_text(self.reverse, path), "path")]
        factors, slopes, shown = (
            partials(self.reverse, path),
            derivatives(self.reverse, path),
            numbers(self.reverse, path),
        )
        alone = self.counts[path[0].link.source] == 1
        begin = f"{partial} = " if alone and partial != factors else ""
        lines.append(Formula(f"{begin}{factors} = {slopes}", "chain"))
        if shown and shown != slopes:
            lines.append(Formula(f"{partial} = {shown}" if alone else shown, "numbers"))
        return Work(say("the path") if alone else say("path", number=place), tuple(lines))

    def _all_paths(self, place: int, found: Sequence[tuple]) -> Work:  # type: ignore[type-arg]
        texts = [derivatives(self.reverse, path) for path in found]
        texts = [texts[0], *(f"({text})" if text.startswith("−") else text for text in texts[1:])]
        partial = self.reverse.partial(self.wrt[place])
        lines = [Formula(f"{partial} = {' + '.join(texts)}", "chain")]
        if self.has_numbers:
            lines.append(Formula(f"{partial} = {added(self.reverse, found)}", "numbers"))
        return Work(say("sum of paths"), tuple(lines))

    def closed(self, place: int) -> str:
        """The derivative as one formula of what is given, where that is short."""
        return closed_form(self.reverse, self.wrt[place])


def element_code(node: Node, index: Sequence[int]) -> str:
    """``W1[0, 0]``"""
    from graphdl.ir.text import plain

    return f"{plain(node.label)}[{', '.join(map(str, index))}]" if index else plain(node.label)
