"""From a loss and what to differentiate it for to the sheet: which level, which sections, in which order."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal

import numpy as np

from graphdl.draw.digits import number
from graphdl.errors import DrawError, GradientError
from graphdl.ir.graph import Graph
from graphdl.ir.node import Node
from graphdl.ir.text import plain
from graphdl.ir.types import TensorType, shape_text
from graphdl.runtime.session import Session
from graphdl.sheet.by_arrays import ByArrays
from graphdl.sheet.by_numbers import ByNumbers, element_code
from graphdl.sheet.checking import check_section, of_array, of_element, session_gradient
from graphdl.sheet.differences import Mover
from graphdl.sheet.ebp import ebp_section, is_trained
from graphdl.sheet.expansion import can_expand
from graphdl.sheet.grids import grid
from graphdl.sheet.model import Block, Derivative, Formula, Section, Sheet, Words
from graphdl.sheet.naming import textbook_symbols
from graphdl.sheet.point import Point, point, shape_at, sizes_of
from graphdl.sheet.scalars import scalars, size_of
from graphdl.sheet.updating import update_lines
from graphdl.sheet.words import code, math, say

Level = Literal["auto", "scalar", "matrix"]
# Number by number by default up to so many products and sums, and so many equations on the way.
_MOST_PRODUCTS = 400
_MOST_ON_THE_WAY = 24
_MOST_PATHS = 12
_IN_A_LINE = 5


@dataclass(frozen=True)
class Target:
    """What to differentiate for: a node, or one element of it."""

    node: Node
    index: tuple[int, ...] | None = None


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
    wanted = Wanted(loss, _targets(wrt), feeds, session or Session(), level, ebp, rate, most_paths)
    return _Builder(wanted).sheet()


def zero_sheet(loss: Node, w: str) -> Sheet:
    """The sheet for a `w` that the loss does not depend on: its derivative is zero, and why."""
    name = "L" if loss.name is None else plain(loss.label)
    said = say("zero unread", loss=math(name), symbol=math(w))
    asked = Formula(f"∂{name}/∂{w} = 0", "result")
    section = Section("zero", say("zero"), (asked, Words(said)))
    return Sheet(say("title", partials=math(f"∂{name}/∂{w}")), "scalar", (section,), (Derivative(w, w, (), 0.0),))


def _targets(wrt: Any) -> tuple[Target, ...]:
    is_pair = isinstance(wrt, tuple) and len(wrt) == 2 and _is_index(wrt[1])
    several = [wrt] if isinstance(wrt, Node | Target) or is_pair else wrt
    found = tuple(map(_target, several))
    if not found:
        raise GradientError("there is nothing to differentiate for, expected a node")
    for target in found:
        _check_index(target)
    return found


def _target(item: Any) -> Target:
    if isinstance(item, Target):
        return item
    return Target(item) if isinstance(item, Node) else Target(*item)


def _is_index(item: Any) -> bool:
    return item is None or (isinstance(item, tuple) and not any(isinstance(i, Node) for i in item))


def _check_index(target: Target) -> None:
    node, index = target.node, target.index
    if index is None or not isinstance(node.type, TensorType):
        return
    fits = len(index) == node.ndim and all(
        i >= 0 and (not isinstance(d, int) or i < d) for i, d in zip(index, node.shape, strict=False)
    )
    if not fits:
        raise GradientError(
            f"{plain(node.label)} has no element [{', '.join(map(str, index))}]: its shape is "
            f"{shape_text(node.shape)}, and indices count from 0"
        )


class _Builder:
    """Makes the sections of one sheet."""

    def __init__(self, wanted: Wanted) -> None:
        self.wanted = wanted
        nodes = list(dict.fromkeys(target.node for target in wanted.targets))
        self.point: Point = point(wanted.loss, nodes, wanted.feeds, wanted.session)
        self.found = self.point.subject()
        self.found.symbols.update(textbook_symbols(self.found))
        self.known = self.point.values(self.found)
        self.node_of = dict(zip(nodes, self.found.wrt, strict=True))
        self.part = self._part()

    def _part(self) -> ByNumbers | ByArrays:
        targets = self.wanted.targets
        if self.wanted.level == "scalar" or (self.wanted.level == "auto" and self._fits_numbers()):
            made = scalars(self.found, self.known)
            numbers = [made.number(self.node_of[t.node], self._index(t)) for t in targets]
            part = ByNumbers(made, numbers, self.wanted.most_paths)
            if self.wanted.level == "scalar" or len(part.reverse.way) <= _MOST_ON_THE_WAY:
                return part
        return ByArrays(self.found, self.known, [self.node_of[t.node] for t in targets], [t.index for t in targets])

    def _index(self, target: Target) -> tuple[int, ...]:
        """The element that is meant; DrawError for an array of several, which are not derived all at once."""
        if target.index is not None:
            return target.index
        sizes = sizes_of(self.found, self.known)
        shape = shape_at(target.node, sizes)
        if int(np.prod(shape)) != 1:
            name = plain(target.node.label)
            first = ", ".join("0" * len(shape))
            raise DrawError(
                f"{name} is {target.node.type}, and number by number one element is derived at a time: "
                f"ask for one, as in {name}[{first}], or derive it with matrices, --level matrix"
            )
        return (0,) * len(shape)

    def _fits_numbers(self) -> bool:
        sizes = sizes_of(self.found, self.known)
        single = all(t.index is not None or int(np.prod(shape_at(t.node, sizes))) == 1 for t in self.wanted.targets)
        if not single or not all(map(can_expand, self.found.forward)):
            return False
        return size_of(self.found, self.known) <= _MOST_PRODUCTS and self._has_what_it_reads()

    def _has_what_it_reads(self) -> bool:
        """Whether indices and labels are known, without which no equation can be written."""
        leaves = [n for n in self.found.forward if not n.inputs and n.op.name == "placeholder"]
        return bool(self.known) or all(leaf.tensor.is_float for leaf in leaves)

    def sheet(self) -> Sheet:
        """The whole sheet."""
        results, moved = self._results()
        closed = {self.part.symbol(i): text for i in range(len(self.wanted.targets)) if (text := self.part.closed(i))}
        sections = [self._question(), self.part.given(), self.part.forward(), *self._derivation(closed)]
        if self.part.has_numbers:
            sections += [self._result(results), check_section(self.part.loss, results, moved, self.wanted.loss.dtype)]
        sections += self._update() + self._ebp()
        partials = ", ".join(math(f"∂{self.part.loss}/∂{self.part.symbol(i)}") for i in range(len(results)))
        counts = {self.part.symbol(i): c for i in range(len(results)) if (c := self.part.paths_from(i)) is not None}
        return Sheet(say("title", partials=partials), self.part.level, tuple(sections), tuple(results), counts, closed)

    def _question(self) -> Section:
        symbols = [self.part.symbol(i) for i in range(len(self.wanted.targets))]
        said = say("wanted", loss=math(self.part.loss), symbol=", ".join(map(math, symbols)))
        blocks: list[Block] = [Words(said)]
        for few in (symbols[i : i + _IN_A_LINE] for i in range(0, len(symbols), _IN_A_LINE)):
            blocks.append(Formula(", ".join(f"∂{self.part.loss}/∂{symbol}" for symbol in few), "result"))
        for target, symbol in zip(self.wanted.targets, symbols, strict=True):
            if target.index and isinstance(self.part, ByNumbers):
                name = code(plain(target.node.label))
                element = code(element_code(target.node, target.index))
                blocks.append(Words(say("element", symbol=math(symbol), name=name, code=element)))
        return Section("question", say("question"), (*blocks, *self._remarks()))

    def _remarks(self) -> list[Block]:
        """Without numbers, that there are none; and how the loss was rewritten."""
        found: list[Block] = []
        if not self.part.has_numbers:
            found.append(Words(say("no numbers"), note=True))
            if isinstance(self.part, ByNumbers) and self.part.made.sizes:
                found.append(Words(say("one example"), note=True))
        if self.found.firings:
            rules = dict.fromkeys(text.split(":", 1)[0] for text in self.found.firings)
            found.append(Words(say("stabilised", rules=", ".join(map(code, rules))), note=True))
        return found

    def _derivation(self, closed: Mapping[str, str]) -> list[Section]:
        found = [section for section in (self.part.way(), self.part.backward()) if section is not None]
        found.append(self.part.sum_over_paths())
        lines: list[Block] = [Formula(f"∂{self.part.loss}/∂{symbol} = {text}") for symbol, text in closed.items()]
        if lines:
            found.append(Section("closed", say("closed"), (Words(say("closed said")), *lines)))
        if self.found.zero_because:
            reasons: list[Block] = [Words(say("zero flat", reason=code(text))) for text in self.found.zero_because]
            found.insert(0, Section("zero", say("zero"), tuple(reasons)))
        return found

    def _results(self) -> tuple[list[Derivative], list[int]]:
        results, moved = [], []
        for place in range(len(self.wanted.targets)):
            result, count = self._derivative(place)
            results.append(result)
            moved.append(count)
        return results, moved

    def _derivative(self, place: int) -> tuple[Derivative, int]:
        """One result, checked; and how many elements were moved."""
        target = self.wanted.targets[place]
        made = Derivative(self.part.symbol(place), plain(target.node.label), target.index or ())
        if not self.part.has_numbers:
            return made, 0
        session = session_gradient(self.wanted.loss, target.node, self.wanted.feeds, self.wanted.session)
        mover = Mover(self.point, self.point.mine[target.node])
        value = self.part.value(place)
        if value is None:
            whole = np.asarray(self.part.gradient(self.node_of[target.node]), "float64")  # type: ignore[union-attr]
            return of_array(made, mover, whole, session)
        index = self._index(target) if isinstance(self.part, ByNumbers) else target.index or ()
        by_session = None if session is None else float(session[index])
        return of_element(replace(made, index=index, value=value, session=by_session), mover, index), 1

    def _result(self, results: Sequence[Derivative]) -> Section:
        blocks: list[Block] = []
        for place, result in enumerate(results):
            partial = f"∂{self.part.loss}/∂{self.part.symbol(place)}"
            whole = None if result.whole is None else grid(partial, result.whole)
            if result.whole is None and result.value is not None:
                blocks.append(Formula(f"{partial} = {number(result.value)}", "result"))
            elif whole is not None:
                blocks.append(whole)
            elif isinstance(self.part, ByArrays):
                blocks.append(self.part.summary_of(place))
        return Section("result", say("result"), tuple(blocks))

    def _update(self) -> list[Section]:
        rate = self.wanted.rate
        if rate is None:
            return []
        blocks: list[Block] = [Words(say("update said", rate=math(f"η = {number(rate)}")))]
        for place in range(len(self.wanted.targets)):
            blocks += self._change(place, rate)
        return [Section("update", say("update"), tuple(blocks))]

    def _change(self, place: int, rate: float) -> list[Block]:
        """The update of one weight, or of all of an array."""
        target, symbol, slope = self.wanted.targets[place], self.part.symbol(place), self.part.value(place)
        node = self.node_of[target.node]
        partial = f"∂{self.part.loss}/∂{symbol}"
        if not self.part.has_numbers:
            return [*update_lines(symbol, partial, None, None, rate)]
        old = np.asarray(self.known[node], "float64")
        if slope is not None:
            index = self._index(target) if isinstance(self.part, ByNumbers) else target.index or ()
            return [*update_lines(symbol, partial, float(old[index].reshape(())), slope, rate)]
        assert isinstance(self.part, ByArrays)
        new = grid(f"{symbol} − η · {partial}", old - rate * np.asarray(self.part.gradient(node)))
        return [*update_lines(symbol, partial, None, None, rate), *([new] if new else [])]

    def _ebp(self) -> list[Section]:
        if not self.wanted.ebp:
            return []
        return [ebp_section(self._with_all_weights(), self.wanted.rate)]

    def _with_all_weights(self) -> ByNumbers | ByArrays:
        """Over arrays, the derivation for everything that is trained: every layer has a δ."""
        trained = tuple(Target(v) for v in Graph(self.wanted.loss).variables if is_trained(v))
        if isinstance(self.part, ByNumbers) or not trained:
            return self.part
        return _Builder(replace(self.wanted, targets=trained, level="matrix")).part
