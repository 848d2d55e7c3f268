"""A card: a box with a bold first line and rows below it."""

from __future__ import annotations

from dataclasses import dataclass

from graphdl.draw.scene import Box, Label, Mark, Point
from graphdl.draw.style import Theme, fitted, text_width

TITLE_SIZE = 12.5
ROW_SIZE = 10.5
_ROW = 14.0
_TITLE = 18.0
_PAD = 9.0
_WIDEST = 240.0


@dataclass(frozen=True)
class Row:
    """One line of a card: in its middle, or with something more at the right.

    `slot` is that of the number it shows (at the right where there is something), `before` what stands before it.
    """

    left: str
    right: str = ""
    slot: str = ""
    before: str = ""

    @property
    def width(self) -> float:
        """Points that the text takes."""
        gap = 14.0 if self.right else 0.0
        return text_width(self.left, ROW_SIZE) + gap + text_width(self.right, ROW_SIZE)


@dataclass(frozen=True)
class Card:
    """A card, at least as wide as it was with other numbers in it."""

    id: str
    kind: str
    title: str
    rows: tuple[Row, ...] = ()
    least_width: float = 0.0

    @property
    def width(self) -> float:
        """As wide as its widest line, within limits."""
        widest = max([text_width(self.title, TITLE_SIZE, bold=True), *(row.width for row in self.rows)])
        return max(min(widest, _WIDEST) + 2 * _PAD, self.least_width)

    @property
    def height(self) -> float:
        """Room for the title and the rows."""
        return _TITLE + _ROW * len(self.rows) + (6.0 if self.rows else 8.0)


def card_marks(card: Card, at: Point, theme: Theme, is_active: bool = False) -> list[Mark]:
    """The marks of a card with its middle at `at`."""
    look = theme.look(card.kind)
    left, top = at[0] - card.width / 2, at[1] - card.height / 2
    marks: list[Mark] = []
    if is_active:
        marks.append(Box(*at, card.width + 8, card.height + 8, theme.active, radius=8, part="active"))
    marks.append(Box(*at, card.width, card.height, look.fill, look.stroke, look.weight, look.radius, look.dashed))
    name = fitted(card.title, card.width - 2 * _PAD + 4, TITLE_SIZE, bold=True)
    marks.append(Label(at[0], top + _TITLE - 3, name, TITLE_SIZE, look.text, bold=True, part="name"))
    for i, row in enumerate(card.rows, start=1):
        marks += _row(row, left, left + card.width, top + _TITLE + _ROW * i - 4, card.kind, theme)
    return marks


def _row(row: Row, left: float, right: float, y: float, kind: str, theme: Theme) -> list[Mark]:
    """Text in ink, since gradients in their colour are hard to read on the colour of gradients."""
    ink = theme.look(kind).text
    room = right - left - 2 * _PAD + 4
    if not row.right:
        text = fitted(row.left, room, ROW_SIZE)
        middle = (left + right) / 2
        label = Label(middle, y, text, ROW_SIZE, ink, part="row", slot=row.slot, before=row.before)
        return [label] if text else []
    text = fitted(row.left, room - text_width(row.right, ROW_SIZE) - 4, ROW_SIZE)
    colour = theme.gradient if kind == "block" else ink
    return [
        Label(left + _PAD, y, text, ROW_SIZE, ink, anchor="start", part="row"),
        Label(
            right - _PAD,
            y,
            row.right,
            ROW_SIZE,
            colour,
            anchor="end",
            part="gradient",
            slot=row.slot,
            before=row.before,
        ),
    ]
