"""A derivation number by number: the sections of a sheet for single elements of small graphs."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from itertools import islice

import numpy as np

from graphdl.draw.digits import number
from graphdl.ir.leaves import Constant
from graphdl.ir.node import Node
from graphdl.ir.text import plain
from graphdl.ir.types import shape_text
from graphdl.sheet.closed import closed_form
from graphdl.sheet.grids import grid
from graphdl.sheet.model import Block, Cell, Code, Formula, Grid, Row, Section, Stop, Strip, Table, Work
from graphdl.sheet.paths import Path, added, count_paths, derivatives, numbers, partials, paths, way_text
from graphdl.sheet.reverse import Reverse, worked
from graphdl.sheet.scalars import Equation, Scalars
from graphdl.sheet.words import heads, math, note, say, section, words

# Beyond so many, the forward table has only the lines that matter for the derivative.
_MOST_LINES = 60


class ByNumbers:
    """The sections over the numbers of `made`, for the numbers `wrt`; at most `most_paths` are written out."""

    level = "scalar"

    def __init__(self, made: Scalars, wrt: Sequence[Node], most_paths: int) -> None:
        self.made, self.wrt, self.most_paths = made, tuple(wrt), most_paths
        self.reverse = Reverse(made, self.wrt)
        self.loss = self.reverse.loss
        self.symbols = [made.symbols[w] for w in self.wrt]
        self.has_numbers = bool(made.values)

    @cached_property
    def counts(self) -> dict[Node, int]:
        """Paths to the loss."""
        return count_paths(self.reverse)

    def gradient(self, place: int) -> float | None:
        """The gradient of number `place` of those asked for."""
        return float(self.reverse.gradients.get(self.wrt[place], 0.0)) if self.has_numbers else None

    def paths_from(self, place: int) -> int:
        """How many paths lead from it to the loss."""
        return self.counts[self.wrt[place]]

    def closed(self, place: int) -> str:
        """Its derivative as one formula of what is given, where that is short."""
        return closed_form(self.reverse, self.wrt[place])

    def given(self) -> Section:
        """Every leaf: single numbers with their values, arrays with the names of their elements, and all numbers."""
        leaves = list(dict.fromkeys(self.made.of[leaf] for leaf in self.made.given))
        arrays = [node for node in leaves if self.made.elements[node].size > 1]
        head = ["symbol", "kind", "name", *(["shape", "values"] if arrays else ["value"])]
        head = head if self.has_numbers or arrays else head[:-1]
        table = Table(heads(*head), tuple(self._given(node, head) for node in leaves))
        grids = [made for node in arrays if (made := self._grid(node)) is not None]
        return section("given", table, *grids, *([note("elements")] if arrays else []))

    def _given(self, node: Node, head: Sequence[str]) -> Row:
        own = [element.node for element in self.made.elements[node].ravel()]
        first, last = self.made.symbols[own[0]], self.made.symbols[own[-1]]
        values = self._shown(self.made.values.get(own[0])) if len(own) == 1 else f"{first}, …, {last}"
        cells: dict[str, Cell] = {
            "symbol": Formula(first if len(own) == 1 else self.made.run.found.symbols[node]),
            "kind": say("constant" if isinstance(node.op, Constant) else node.op.name),
            "name": Code(plain(node.label)),
            "shape": Formula(shape_text(node.shape)),
            "values": Formula(values),
            "value": Formula(values),
        }
        return Row(tuple(cells[key] for key in head), marked=any(w in own for w in self.wrt))

    def _grid(self, node: Node) -> Grid | None:
        elements = self.made.elements[node]
        values = [self.made.values.get(element.node) for element in elements.ravel()]
        if any(value is None for value in values):
            return None
        return grid(self.made.run.found.symbols[node], np.asarray(values, "float64").reshape(elements.shape))

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
        rows = tuple(self._line(i, equation, equation.target in way) for i, equation in enumerate(self._lines, start=1))
        head = heads("step", "equation", *(["numbers"] if self.has_numbers else []))
        marked = words("forward marked", symbol=", ".join(map(math, self.symbols)), loss=math(self.loss))
        return section("forward", marked, Table(head, rows, stacked=self.has_numbers))

    def _line(self, place: int, equation: Equation, marked: bool) -> Row:
        symbol = self.made.symbols[equation.target]
        texts = worked(self.made, equation.formula, self.made.values.get(equation.target))
        symbolic, *put_in = [f"{symbol} = {text}" for text in texts]
        numbers = (put_in or [""]) if self.has_numbers else []
        return Row(tuple(map(Formula, (str(place), symbolic, *numbers))), marked)

    def way(self) -> list[Section]:
        """The quantities between the number asked for and the loss, where they are one chain."""
        if len(self.wrt) != 1 or self.paths_from(0) != 1:
            return []
        (path,) = paths(self.reverse, self.wrt[0])
        stops = [self._stop(wire.link.source, wire.link.slope) for wire in path]
        strip = Strip((*stops, self._stop(self.made.loss)))
        return [section("way", words("way said"), strip, symbol=math(self.symbols[0]), loss=math(self.loss))]

    def _stop(self, node: Node, slope: Node | None = None) -> Stop:
        return Stop(
            self.made.symbols[node],
            self._shown(self.made.values.get(node)),
            self._shown(self.reverse.gradients.get(node)),
            "" if slope is None else self.reverse.derivative(slope),
            "" if slope is None else self._shown(self.reverse.slopes.get(slope)),
        )

    def _shown(self, value: float | None) -> str:
        return "" if value is None else number(value)

    def backward(self) -> Section:
        """The chain rule, quantity by quantity, from the loss back to what is asked for."""
        order = [node for node in self.reverse.order if node is not self.made.loss]
        works = (self._work(i, node) for i, node in enumerate(order, start=1))
        return section("reverse", words("reverse said", seed=math(f"∂{self.loss}/∂{self.loss} = 1")), *works)

    def _work(self, place: int, node: Node) -> Work:
        count = len(self.reverse.wires.get(node, ()))
        said = say("fork" if count > 1 else "at", symbol=math(self.made.symbols[node]), count=count)
        return Work(said, self.reverse.lines(node), place)

    def sum_over_paths(self) -> Section:
        """Every path with its product, or where they are many, their number and why nobody walks them."""
        return section("paths", *(block for place in range(len(self.wrt)) for block in self._paths(place)))

    def _paths(self, place: int) -> list[Block]:
        w, count = self.wrt[place], self.paths_from(place)
        slots = {"symbol": math(self.symbols[place]), "loss": math(self.loss)}
        if count > self.most_paths:
            edges = sum(map(len, self.reverse.wires.values()))
            return [words("many paths", count=f"{count:,}", edges=f"{edges:,}", **slots)]
        found = list(islice(paths(self.reverse, w), count))
        opening = words("one path" if count == 1 else "paths said", count=count, **slots)
        works = [self._path(i, path, alone=count == 1) for i, path in enumerate(found, start=1)]
        return [opening, *works, *([self._all_paths(w, found)] if len(found) > 1 else [])]

    def _path(self, place: int, path: Path, alone: bool) -> Work:
        partial = self.reverse.partial(path[0].link.source)
        factors, slopes = partials(self.reverse, path), derivatives(self.reverse, path)
        shown = numbers(self.reverse, path)
        begin = f"{partial} = " if alone and partial != factors else ""
        lines = [Formula(way_text(self.reverse, path), "path"), Formula(f"{begin}{factors} = {slopes}", "chain")]
        if shown and shown != slopes:
            lines.append(Formula(f"{partial} = {shown}" if alone else shown, "numbers"))
        return Work(say("the path" if alone else "path", number=place), tuple(lines))

    def _all_paths(self, w: Node, found: Sequence[Path]) -> Work:
        first, *rest = (derivatives(self.reverse, path) for path in found)
        texts = [first, *(f"({text})" if text.startswith("−") else text for text in rest)]
        partial = self.reverse.partial(w)
        lines = [Formula(f"{partial} = {' + '.join(texts)}", "chain")]
        if self.has_numbers:
            lines.append(Formula(f"{partial} = {added(self.reverse, found)}", "numbers"))
        return Work(say("sum of paths"), tuple(lines))
