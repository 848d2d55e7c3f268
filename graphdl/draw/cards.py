"""A card: a box with a bold first line and rows below it."""

from __future__ import annotations

from dataclasses import dataclass, replace

from graphdl.draw.scene import Box, Label, Mark, Point
from graphdl.draw.style import Theme, fitted, text_width

TITLE_SIZE = 12.5
ROW_SIZE = 10.5
_ROW = 14.0
_TITLE = 18.0
_PAD = 9.0
_GAP = 14.0
_WIDEST = 290.0
# Bars: their length and thickness, the height of a row of columns, and the room for one column.
BAR = 56.0
_THICK = 6.0
_COLUMNS = 26.0
_COLUMN = 9.0


@dataclass(frozen=True)
class Bar:
    """A length between 0 and 1, and whose gradient it is: slot "b:n3"."""

    fraction: float
    slot: str


@dataclass(frozen=True)
class Row:
    """One line of a card: in its middle, or with something more at the right, and a bar before that.

    `slot` is that of the number it shows (at the right where there is something), `before` what stands before it.
    `columns` are bars side by side, for a row that has nothing else.
    """

    left: str
    right: str = ""
    slot: str = ""
    before: str = ""
    bar: Bar | None = None
    columns: tuple[Bar, ...] = ()

    @property
    def widths(self) -> tuple[float, float]:
        """Points that the left part takes, with a bar, and the right part."""
        bar = BAR + 8 if self.bar else 0.0
        columns = min(_COLUMN * len(self.columns), _WIDEST)
        right = text_width(self.right, ROW_SIZE) + _GAP if self.right else 0.0
        return max(text_width(self.left, ROW_SIZE) + bar, columns), right

    @property
    def height(self) -> float:
        """Points from this row to the next."""
        return _COLUMNS if self.columns else _ROW


@dataclass(frozen=True)
class Card:
    """A card, at least as large as it was with other numbers in it, or as the wires into it need."""

    id: str
    kind: str
    title: str
    rows: tuple[Row, ...] = ()
    least_width: float = 0.0
    least_height: float = 0.0
    least_numbers: float = 0.0

    def as_large_as(self, other: Card) -> Card:
        """This card with the sizes of another, that of the last frame."""
        return replace(self, least_width=other.width, least_height=other.height, least_numbers=other.numbers)

    @property
    def numbers(self) -> float:
        """Room for the widest text at the right, before which the bars stand below one another."""
        return max([self.least_numbers, *(text_width(row.right, ROW_SIZE) for row in self.rows)])

    @property
    def width(self) -> float:
        """As wide as its widest line, within limits."""
        lefts, rights = zip((0.0, 0.0), *(row.widths for row in self.rows), strict=True)
        split = [left for left, right in zip(lefts, rights, strict=True) if right]
        rows = max(*lefts, max(split, default=0.0) + max(rights))
        widest = max(text_width(self.title, TITLE_SIZE, bold=True), rows)
        pad = _PAD if self.kind != "constant" else _PAD / 3
        return float(max(min(widest, _WIDEST) + 2 * pad, self.least_width))

    @property
    def height(self) -> float:
        """Room for the title and the rows."""
        rows = sum(row.height for row in self.rows)
        return max(_TITLE + rows + (6.0 if self.rows else 8.0), self.least_height)


def card_marks(card: Card, at: Point, theme: Theme, is_active: bool = False) -> list[Mark]:
    """The marks of a card with its middle at `at`."""
    look = theme.look(card.kind)
    left, top = at[0] - card.width / 2, at[1] - card.height / 2
    marks: list[Mark] = []
    if is_active:
        marks.append(Box(*at, card.width + 8, card.height + 8, theme.active, radius=look.radius + 4, part="active"))
    marks.append(Box(*at, card.width, card.height, look.fill, look.stroke, look.weight, look.radius, look.dashed))
    room = _WIDEST if card.kind == "constant" else card.width - 2 * _PAD + 4
    name = fitted(card.title, room, TITLE_SIZE, bold=True)
    marks.append(Label(at[0], top + _TITLE - 3, name, TITLE_SIZE, look.text, bold=True, part="name"))
    y, numbers = top + _TITLE, card.numbers
    for row in card.rows:
        y += row.height
        marks += _row(row, left, left + card.width, y - 4, numbers, card.kind, theme)
    return marks


def _row(row: Row, left: float, right: float, y: float, numbers: float, kind: str, theme: Theme) -> list[Mark]:
    """Text in ink, since gradients in their colour are hard to read on the colour of gradients.

    `numbers` is the width of the widest text at the right: the bars of a card stand below one another.
    """
    ink = theme.look(kind).text
    room = right - left - 2 * _PAD + 4 if kind != "constant" else _WIDEST
    if row.columns:
        return _columns(row.columns, (left + right) / 2, y, room, theme)
    if not row.right:
        text = fitted(row.left, room, ROW_SIZE)
        middle = Label((left + right) / 2, y, text, ROW_SIZE, ink, part="row", slot=row.slot, before=row.before)
        return [middle] if text else []
    end = right - _PAD
    start = end - numbers - 8 - BAR
    needed = end - start if row.bar else text_width(row.right, ROW_SIZE)
    text = fitted(row.left, room - needed - 4, ROW_SIZE)
    colour = theme.gradient if kind == "block" else ink
    number = Label(end, y, row.right, ROW_SIZE, colour, False, "end", "", "gradient", row.slot, row.before)
    return [
        Label(left + _PAD, y, text, ROW_SIZE, ink, anchor="start", part="row"),
        number,
        *(_bar(row.bar, start, y, theme) if row.bar else []),
    ]


def _bar(bar: Bar, left: float, y: float, theme: Theme) -> list[Mark]:
    """A length on a track."""
    track = Box(left + BAR / 2, y - 3.5, BAR, _THICK, theme.background, theme.muted, 0.5, part="track")
    length = BAR * bar.fraction
    fill = Box(left + length / 2, y - 3.5, length, _THICK, theme.gradient, part="bar", slot=bar.slot)
    return [track, fill] if length else [track]


def _columns(bars: tuple[Bar, ...], x: float, y: float, room: float, theme: Theme) -> list[Mark]:
    """Heights on a line."""
    pitch = min(_COLUMN, room / len(bars))
    whole, left = _COLUMNS - 6, x - pitch * len(bars) / 2
    track = Box(x, y - whole / 2, pitch * len(bars), whole, theme.background, theme.muted, 0.5, part="track")
    places = (left + pitch * (i + 0.5) for i in range(len(bars)))
    return [track, *(_column(bar, at, y, pitch * 0.7, whole, theme) for bar, at in zip(bars, places, strict=True))]


def _column(bar: Bar, x: float, y: float, width: float, whole: float, theme: Theme) -> Box:
    height = whole * bar.fraction
    return Box(x, y - height / 2, width, height, theme.gradient, part="bar", slot=bar.slot)
