"""The story of a convolution, window by window: forward, then the gradients of the kernel and of the image.

A frame says what changes on the picture. Each of the three parts begins with a frame that sets everything.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, NamedTuple

import numpy as np

from graphdl.draw.digits import number
from graphdl.draw.window.formulas import Lines
from graphdl.draw.window.plan import Grid, Plan
from graphdl.draw.window.seen import Array, Place, Seen
from graphdl.draw.window.texts import Text, titles

# How strong the colour of a cell can be, and how many digits it has room for.
LEVELS = 8
_DIGITS, _LETTERS = 3, 7


class Cell(NamedTuple):
    """What stands in a cell: a value or a gradient, and how large it is, from -LEVELS to LEVELS."""

    text: str = ""
    role: str = "value"
    level: int = 0


class Marked(NamedTuple):
    """Cells of a grid with a line around them."""

    grid: Grid
    row: int
    column: int
    rows: int = 1
    columns: int = 1


@dataclass(frozen=True)
class Frame:
    """A step: `phase` is "forward" or "backward", `part` "y", "K" or "x", what is computed in it."""

    phase: str
    part: str
    window: int
    lines: tuple[str, ...]
    cells: Mapping[str, Cell]
    marks: Mapping[str, Marked]
    texts: Mapping[str, Text] = field(default_factory=dict)


@dataclass(frozen=True)
class Story:
    """The frames in order; where one is seen, so is all that was set before it in its part."""

    steps: tuple[Frame, ...]

    def at(self, step: int) -> Frame:
        """The frame at `step` with all that was set before and still stands."""
        cells: dict[str, Cell] = {}
        texts: dict[str, Text] = {}
        now = self.steps[step]
        for frame in self.steps[: step + 1]:
            if frame.part == now.part:
                cells.update(frame.cells)
                texts.update(frame.texts)
        return replace(now, cells=cells, texts=texts)


@dataclass(frozen=True)
class Ink:
    """Numbers of one array as cells, coloured by their share of its largest."""

    role: str
    largest: float

    @classmethod
    def of(cls, values: Array, role: str = "value") -> Ink:
        """Ink for the numbers of an array."""
        finite = np.abs(values[np.isfinite(values)])
        return cls(role, float(finite.max()) if finite.size else 0.0)

    def __call__(self, value: Any, grid: Grid) -> Cell:
        """A cell of a grid, without its number where there is no room for it."""
        share = float(value) / self.largest if self.largest and np.isfinite(value) else 0.0
        text = short(value) if grid.has_numbers else ""
        return Cell(text, self.role, round(max(-1.0, min(1.0, share)) * LEVELS))


def short(value: Any) -> str:
    """A number that fits into a cell.

    >>> short(-0.123456), short(1234.5), short(-0.00123456)
    ('−0.123', '1230', '−0.0012')
    """
    text = _rounded(value, _DIGITS)
    return text if len(text) <= _LETTERS else _rounded(value, _DIGITS - 1)


def _rounded(value: Any, digits: int) -> str:
    return number(float(f"{float(value):.{digits}g}"))


def story(plan: Plan) -> Story:
    """All frames; without a gradient there is only the way forward."""
    teller = _Teller(plan.seen, plan, Lines(plan.seen))
    frames = [*teller.forward()]
    return Story(tuple(frames if plan.seen.gradient is None else [*frames, *teller.kernel(), *teller.image()]))


@dataclass(frozen=True)
class _Teller:
    """Makes the frames of each part."""

    seen: Seen
    plan: Plan
    lines: Lines

    def forward(self) -> Iterator[Frame]:
        """Each window's row of the matrix, times the kernel, is a row of the output."""
        seen, plan = self.seen, self.plan
        row_ink, out_ink = Ink.of(seen.image), Ink.of(seen.output)
        cells = self._image(seen.padded, Ink.of(seen.image)) | self._filled(plan.kernel, seen.columns)
        cells |= self._maps(None)
        for window in range(seen.windows):
            if plan.turns(window):
                cells |= self._until(plan.matrix, window, seen.rows, row_ink)
                cells |= self._until(plan.output, window, seen.filled, out_ink)
            cells |= self._row(plan.matrix, window, seen.rows, row_ink)
            cells |= self._row(plan.output, window, seen.filled, out_ink)
            for grid, f in zip(plan.maps, plan.filters, strict=True):
                cells[grid.slot(*seen.at(window))] = out_ink(seen.filled[window, f], grid)
            yield self._frame("y", window, cells)
            cells = {}

    def kernel(self) -> Iterator[Frame]:
        """What each window saw, times the gradient there, is summed."""
        seen, plan = self.seen, self.plan
        row_ink, ink = Ink.of(seen.image), Ink.of(seen.arriving, "gradient")
        sum_ink = Ink.of(seen.rows.T @ seen.arriving, "gradient")
        cells = self._image(seen.padded, row_ink) | self._maps(ink)
        found = np.zeros_like(seen.columns)
        for window in range(seen.windows):
            if plan.turns(window):
                cells |= self._page(plan.matrix, window, seen.rows, row_ink)
                cells |= self._page(plan.output, window, seen.arriving, ink)
            before, found = found, found + np.outer(seen.rows[window], seen.arriving[window])
            for k in plan.columns:
                for f in plan.filters:
                    cells[plan.kernel.slot(k, f)] = sum_ink(found[k, f], plan.kernel)
            yield self._frame("K", window, cells, before)
            cells = {}

    def image(self) -> Iterator[Frame]:
        """The gradient of each window goes back to what it saw, and is added there."""
        seen, plan = self.seen, self.plan
        ink, sent_ink = Ink.of(seen.arriving, "gradient"), Ink.of(seen.sent, "gradient")
        total_ink = Ink.of(self._total(), "gradient")
        found = np.zeros_like(seen.padded)
        cells = self._image(found, total_ink, framed=True) | self._filled(plan.kernel, seen.columns) | self._maps(ink)
        for window in range(seen.windows):
            if plan.turns(window):
                cells |= self._until(plan.matrix, window, seen.sent, sent_ink)
                cells |= self._page(plan.output, window, seen.arriving, ink)
            before = found.copy()
            self._add(found, window)
            cells |= self._row(plan.matrix, window, seen.sent, sent_ink)
            cells |= self._pixels(found, seen.taps(window), total_ink)
            yield self._frame("x", window, cells, before)
            cells = {}

    def _total(self) -> Array:
        found = np.zeros_like(self.seen.padded)
        for window in range(self.seen.windows):
            self._add(found, window)
        return found

    def _add(self, found: Array, window: int) -> None:
        """Add to the pixels that a window saw what it sends back."""
        channels = self.seen.image.shape[2]
        for place, part in zip(self.seen.taps(window), self.seen.sent[window].reshape(-1, channels), strict=True):
            found[place] += part

    def _frame(self, part: str, window: int, cells: dict[str, Cell], before: Array | None = None) -> Frame:
        phase = "forward" if part == "y" else "backward"
        told = titles(self.plan, part) if window == 0 else {}
        if self.plan.turns(window):
            told = told | self._heads(window)
        return Frame(phase, part, window, self.lines.of(part, window, before), cells, self._marks(window), told)

    def _heads(self, window: int) -> dict[str, Text]:
        """Beside each row of im2col the place of its window."""
        page = self.plan.page_of(window)
        heads = {f"row.{row}": str(self.seen.at(each)) for row, each in enumerate(page)}
        return {slot: {"en": text, "ko": text} for slot, text in heads.items()}

    def _marks(self, window: int) -> dict[str, Marked]:
        """Lines around the window, its row, and the place it fills."""
        plan, row = self.plan, self.plan.row_of(window)
        marks = {f"window{c}": mark for c, mark in enumerate(self._windows(window))}
        marks["row"] = Marked(plan.matrix, row, 0, 1, len(plan.columns))
        marks["out"] = Marked(plan.output, row, 0, 1, len(plan.filters))
        return marks | {f"place{f}": Marked(grid, *self.seen.at(window)) for f, grid in enumerate(plan.maps)}

    def _windows(self, window: int) -> list[Marked]:
        """The window on each channel: one box, or, where it has gaps, one for each pixel it sees."""
        taps = self.seen.taps(window)
        (top, left), (bottom, right) = taps[0], taps[-1]
        if self.seen.op.dilation != (1, 1):
            return [Marked(grid, *place) for grid in self.plan.images for place in taps]
        return [Marked(grid, top, left, bottom - top + 1, right - left + 1) for grid in self.plan.images]

    def _image(self, values: Array, ink: Ink, framed: bool = False) -> dict[str, Cell]:
        """All pixels; with `framed` nothing in the padding, whose gradient goes nowhere."""
        height, width = values.shape[:2]
        places = [(i, j) for i in range(height) for j in range(width)]
        return self._pixels(values, places, ink) if framed else self._pixels(values, places, ink, padding=True)

    def _pixels(self, values: Array, places: list[Place], ink: Ink, padding: bool = False) -> dict[str, Cell]:
        return {
            grid.slot(*place): ink(values[place][c], grid) if padding or not self.seen.is_padding(place) else Cell()
            for c, grid in zip(self.plan.channels, self.plan.images, strict=True)
            for place in places
        }

    def _maps(self, ink: Ink | None) -> dict[str, Cell]:
        """The maps beside: empty, or the gradient that arrives."""
        return {
            grid.slot(*self.seen.at(w)): Cell() if ink is None else ink(self.seen.arriving[w, f], grid)
            for f, grid in zip(self.plan.filters, self.plan.maps, strict=True)
            for w in range(self.seen.windows)
        }

    def _filled(self, grid: Grid, values: Array) -> dict[str, Cell]:
        ink = Ink.of(values)
        return {grid.slot(i, j): ink(values[i, j], grid) for i in range(grid.rows) for j in range(grid.columns)}

    def _row(self, grid: Grid, window: int, values: Array, ink: Ink) -> dict[str, Cell]:
        return self._at(grid, self.plan.row_of(window), values[window], ink)

    def _page(self, grid: Grid, window: int, values: Array, ink: Ink) -> dict[str, Cell]:
        """The rows of all windows that are shown with `window`."""
        cells: dict[str, Cell] = {}
        for row, each in enumerate(self.plan.page_of(window)):
            cells |= self._at(grid, row, values[each], ink)
        return cells

    def _until(self, grid: Grid, window: int, values: Array, ink: Ink) -> dict[str, Cell]:
        """Those of the windows before, and nothing in the rows of those that come."""
        cells = {grid.slot(i, j): Cell() for i in range(grid.rows) for j in range(grid.columns)}
        for row in range(self.plan.row_of(window)):
            cells |= self._at(grid, row, values[self.plan.first_of(window) + row], ink)
        return cells

    def _at(self, grid: Grid, row: int, values: Array, ink: Ink) -> dict[str, Cell]:
        return {grid.slot(row, j): ink(values[j], grid) for j in range(grid.columns)}
