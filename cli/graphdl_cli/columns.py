"""Tables on the terminal."""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence


def columns(rows: Sequence[Sequence[str]], indent: int = 0, gap: int = 2) -> str:
    """`rows` with their cells below each other; the last column is not padded.

    >>> print(columns([("a", "1"), ("long", "2")]))
    a     1
    long  2
    """
    if not rows:
        return ""
    widths = [max(map(width, column)) for column in zip(*rows, strict=True)]
    return "\n".join(_line(row, widths, indent, gap) for row in rows)


def width(text: str) -> int:
    """Cells that `text` takes on a terminal: East Asian characters take two, combining marks none."""
    return sum(0 if unicodedata.combining(c) else 2 if unicodedata.east_asian_width(c) in "WF" else 1 for c in text)


def _line(row: Sequence[str], widths: Sequence[int], indent: int, gap: int) -> str:
    cells = [cell + " " * (wide - width(cell)) for cell, wide in zip(row, widths, strict=True)]
    return (" " * indent + (" " * gap).join(cells)).rstrip()
