"""From a loss and what to differentiate it for to the sheet: which level, which sections, in which order."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Literal

import numpy as np

from graphdl.draw.digits import number
from graphdl.draw.trace import summary
from graphdl.errors import DrawError
from graphdl.ir.graph import Graph
from graphdl.ir.node import Node
from graphdl.ir.text import plain
from graphdl.runtime.session import Session
from graphdl.sheet.by_arrays import ByArrays
from graphdl.sheet.by_numbers import ByNumbers
from graphdl.sheet.checking import Checked, check_section, checked, session_gradient
from graphdl.sheet.differences import Mover
from graphdl.sheet.ebp import ebp_section, is_trained
from graphdl.sheet.equations import scalars, work
from graphdl.sheet.expansion import can_expand
from graphdl.sheet.grids import grid, in_short
from graphdl.sheet.model import Block, Derivative, Formula, Section, Sheet, Words, listed
from graphdl.sheet.naming import at, element_code, textbook_symbols
from graphdl.sheet.point import Point, point
from graphdl.sheet.scalars import Index
from graphdl.sheet.targets import Target, targets_of
from graphdl.sheet.updating import put_in
from graphdl.sheet.words import code, note, say, section, words
from graphdl.sheet.words import math as math_text

Level = Literal["auto", "scalar", "matrix"]
# Number by number by default up to so many products and sums, and so many equations on the way.
_MOST_PRODUCTS = 400
_MOST_ON_THE_WAY = 24
_MOST_PATHS = 12
_IN_A_LINE = 5


@dataclass(frozen=True)
class Wanted:
    """What a sheet is to be about. `rate` is the learning rate of plain gradient descent, if that is what trains."""

    loss: Node
    targets: tuple[Target, ...]
    feeds: Mapping[Any, Any] | None
    session: Session
    level: Level = "auto"
    ebp: bool = False
    rate: float | None = None
    most_paths: int = _MOST_PATHS


def sheet(
    loss: Node,
    wrt: Any,
    feeds: Mapping[Any, Any] | None = None,
    session: Session | None = None,
    *,
    level: Level = "auto",
    ebp: bool = False,
    rate: float | None = None,
    most_paths: int = _MOST_PATHS,
) -> Sheet:
    """The derivation of ∂ `loss` / ∂ w for each w in `wrt`, as on paper, with the numbers of one run put in.

    loss        a scalar node
    wrt         a node, a pair (node, index) for one element, or a list of such
    feeds       as for `Session.run`; without them the derivation is in symbols
    session     whose values the variables have; by default a new one
    level       "scalar" for one equation a number, "matrix" for one a node, "auto" for what fits on a page
    ebp         also in the δ-notation of error back-propagation
    rate        the learning rate, for the line of the update
    most_paths  so many paths are written out, more are counted

    Raises GradientError when w does not reach the loss, and DrawError when the level does not fit.
    """
    wanted = Wanted(loss, targets_of(wrt), feeds, session or Session(), level, ebp, rate, most_paths)
    return _Builder(wanted).sheet()


def zero_sheet(loss: Node, w: str) -> Sheet:
    """The sheet for a `w` that the loss does not depend on: its derivative is zero, and why."""
    name = "L" if loss.name is None else plain(loss.label)
    partial = f"∂{name}/∂{w}"
    said = words("zero unread", loss=math_text(name), symbol=math_text(w))
    why = section("zero", Formula(f"{partial} = 0", "result"), said)
    return Sheet(say("title", partials=math_text(partial)), "scalar", (why,), (Derivative(w, w, (), 0.0),))


class _Builder:
    """Makes the sections of one sheet."""

    def __init__(self, wanted: Wanted) -> None:
        self.wanted = wanted
        nodes = list(dict.fromkeys(target.node for target in wanted.targets))
        self.point: Point = point(wanted.loss, nodes, wanted.feeds, wanted.session)
        self.run = self.point.run()
        self.run.found.symbols.update(textbook_symbols(self.run.found))
        mine = dict(zip(nodes, self.run.found.wrt, strict=True))
        self.nodes = [mine[target.node] for target in wanted.targets]
        self.indices = [target.index or () for target in wanted.targets]
        self.part = self._part()

    def _part(self) -> ByNumbers | ByArrays:
        level = self.wanted.level
        if level == "scalar" or (level == "auto" and self._fits_numbers()):
            indices = [self._element(target) for target in self.wanted.targets]
            made = scalars(self.run)
            part = ByNumbers(made, list(map(made.number, self.nodes, indices)), self.wanted.most_paths)
            if level == "scalar" or len(part.reverse.way) <= _MOST_ON_THE_WAY:
                self.indices = indices
                return part
        return ByArrays(self.run, self.nodes, self.indices)

    def _element(self, target: Target) -> Index:
        """The element that is meant; DrawError for an array of several, which are not derived all at once."""
        if target.index is not None:
            return target.index
        shape = self.run.shape(target.node)
        if math.prod(shape) != 1:
            name = plain(target.node.label)
            raise DrawError(
                f"{name} is {target.node.type}, and number by number one element is derived at a time: "
                f"ask for one, as in {name}{at([0] * len(shape))}, or derive it with matrices, --level matrix"
            )
        return (0,) * len(shape)

    def _fits_numbers(self) -> bool:
        """Whether the equations are few, and can be written with what is known."""
        forward = self.run.found.forward
        if any(target.index is None and self.run.size(target.node) != 1 for target in self.wanted.targets):
            return False
        return all(can_expand(node, self.run) for node in forward) and work(self.run) <= _MOST_PRODUCTS

    def sheet(self) -> Sheet:
        """The whole sheet."""
        part, places = self.part, range(len(self.nodes))
        closed = {part.symbols[place]: text for place in places if (text := part.closed(place))}
        sections = [self._question(), part.given(), part.forward(), *self._derivation(closed)]
        results = [self._derivative(place) for place in places]
        if part.has_numbers:
            sections += [self._result(), check_section(part.loss, results, self.wanted.loss.dtype)]
        if self.wanted.rate is not None:
            said = words("update said", rate=math_text(f"η = {number(self.wanted.rate)}"))
            changes = [block for place in places for block in self._change(place, self.wanted.rate)]
            sections.append(section("update", said, *changes))
        if self.wanted.ebp:
            sections.append(ebp_section(self._with_all_weights(), self.wanted.rate))
        counts = {part.symbols[place]: c for place in places if (c := part.paths_from(place)) is not None}
        title = say("title", partials=", ".join(math_text(self._partial(place)) for place in places))
        return Sheet(title, part.level, tuple(sections), tuple(found.result for found in results), counts, closed)

    def _partial(self, place: int) -> str:
        return f"∂{self.part.loss}/∂{self.part.symbols[place]}"

    def _question(self) -> Section:
        symbols = self.part.symbols
        asked = [self._partial(place) for place in range(len(symbols))]
        said = words("wanted", loss=math_text(self.part.loss), symbol=", ".join(map(math_text, symbols)))
        return section("question", said, *listed(asked, _IN_A_LINE, "result"), *self._elements(), *self._remarks())

    def _elements(self) -> list[Words]:
        """Which elements the symbols stand for, number by number."""
        named = [
            (symbol, target.node, target.index)
            for symbol, target in zip(self.part.symbols, self.wanted.targets, strict=True)
            if target.index and self.part.level == "scalar"
        ]
        return [
            words("element", symbol=math_text(symbol), name=code(plain(w.label)), code=code(element_code(w, index)))
            for symbol, w, index in named
        ]

    def _remarks(self) -> list[Words]:
        """Without numbers, that there are none; and how the loss was rewritten."""
        found = [] if self.part.has_numbers else [note("no numbers")]
        if found and self.part.level == "scalar" and self.run.sizes:
            found.append(note("one example"))
        if self.run.found.firings:
            rules = dict.fromkeys(text.split(":", 1)[0] for text in self.run.found.firings)
            found.append(note("stabilised", rules=", ".join(map(code, rules))))
        return found

    def _derivation(self, closed: Mapping[str, str]) -> list[Section]:
        reasons = [words("zero flat", reason=code(text)) for text in self.run.found.zero_because]
        lines = [Formula(f"∂{self.part.loss}/∂{symbol} = {text}") for symbol, text in closed.items()]
        return [
            *([section("zero", *reasons)] if reasons else []),
            *self.part.way(),
            self.part.backward(),
            self.part.sum_over_paths(),
            *([section("closed", words("closed said"), *lines)] if lines else []),
        ]

    def _derivative(self, place: int) -> Checked:
        """One result, checked where there are numbers."""
        w, index, gradient = self.wanted.targets[place].node, self.indices[place], self.part.gradient(place)
        made = Derivative(self.part.symbols[place], plain(w.label), index)
        if gradient is None:
            return Checked(made)
        session = session_gradient(self.wanted.loss, w, self.wanted.feeds, self.wanted.session)
        return checked(made, gradient, session, Mover(self.point, self.point.mine[w]))

    def _result(self) -> Section:
        blocks: list[Block] = []
        for place in range(len(self.nodes)):
            gradient, partial = self.part.gradient(place), self._partial(place)
            shown = number(gradient) if isinstance(gradient, float) else in_short(summary(gradient))
            blocks.append(grid(partial, gradient) or Formula(f"{partial} = {shown}", "result"))
        return section("result", *blocks)

    def _change(self, place: int, rate: float) -> list[Block]:
        """The update of one weight, or of all of an array."""
        symbol, partial, slope = self.part.symbols[place], self._partial(place), self.part.gradient(place)
        lines: list[Block] = [Formula(f"{symbol} ← {symbol} − η · {partial}", "chain")]
        if slope is None:
            return lines
        old = np.asarray(self.run.values[self.nodes[place]], "float64")
        if isinstance(slope, float):
            return [*lines, Formula(f"{symbol} ← {put_in(old[self.indices[place]].item(), rate, slope)}", "numbers")]
        new = grid(f"{symbol} − η · {partial}", old - rate * slope)
        return [*lines, *([new] if new else [])]

    def _with_all_weights(self) -> ByNumbers | ByArrays:
        """Over arrays, the derivation for everything that is trained: every layer has a δ."""
        trained = tuple(Target(v) for v in Graph(self.wanted.loss).variables if is_trained(v))
        if isinstance(self.part, ByNumbers) or not trained:
            return self.part
        return _Builder(replace(self.wanted, targets=trained, level="matrix")).part
