"""A derivation sheet as plain data: sections of sentences, formulas, tables and arrays. Writers only print it.

Formulas are texts such as ``∂L/∂x = ∂L/∂u · ∂u/∂x``; what is said in words is said in English and Korean.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

# The same sentence by language, "en" and "ko".
Said = dict[str, str]


@dataclass(frozen=True)
class Words:
    """A paragraph; a `note` is set apart."""

    said: Said
    note: bool = False


@dataclass(frozen=True)
class Formula:
    """One line. `kind` is chain, local, numbers, shapes, result, path, or empty for any other."""

    text: str
    kind: str = ""


def listed(texts: Sequence[str], most: int, kind: str = "") -> list[Formula]:
    """Lines of `texts` with commas between them, at most so many in each."""
    return [Formula(", ".join(texts[start : start + most]), kind) for start in range(0, len(texts), most)]


@dataclass(frozen=True)
class Grid:
    """An array with all its numbers, as texts: rows of a matrix, one row for a vector."""

    symbol: str
    shape: str
    rows: tuple[tuple[str, ...], ...]


@dataclass(frozen=True)
class Work:
    """The formulas of one step of the derivation, what it is about, and the arrays it ends in."""

    said: Said
    formulas: tuple[Formula, ...]
    number: int = 0
    grids: tuple[Grid, ...] = ()


@dataclass(frozen=True)
class Row:
    """A row of a table: cells are formulas, words or code. A `marked` one lies on the path."""

    cells: tuple[Cell, ...]
    marked: bool = False


@dataclass(frozen=True)
class Code:
    """A name as it stands in the user's file or on the command line."""

    text: str


Cell = Formula | Said | Code


@dataclass(frozen=True)
class Table:
    """Rows below a head. Where it is `stacked`, the last cell of a row may stand below the one before it."""

    head: tuple[Said, ...]
    rows: tuple[Row, ...]
    stacked: bool = False


@dataclass(frozen=True)
class Stop:
    """A quantity on the path: its value, its gradient, and the local derivative towards the next one."""

    symbol: str
    value: str = ""
    gradient: str = ""
    local: str = ""
    local_value: str = ""

    @property
    def worked(self) -> str:
        """The local derivative with its number, as far as they differ."""
        return self.local if self.local_value in ("", self.local) else f"{self.local} = {self.local_value}"


@dataclass(frozen=True)
class Strip:
    """The way from a weight to the loss, quantity by quantity."""

    stops: tuple[Stop, ...]


Block = Words | Formula | Work | Table | Grid | Strip


@dataclass(frozen=True)
class Section:
    """A heading and what stands below it."""

    key: str
    title: Said
    blocks: tuple[Block, ...]


@dataclass(frozen=True)
class Derivative:
    """A result: by the sheet, by the session that trains, and by differences of step `step`; None without numbers.

    For an array they are those of the element at `index` where the two differ most.
    """

    symbol: str
    name: str
    index: tuple[int, ...] = ()
    value: float | None = None
    session: float | None = None
    numeric: float | None = None
    step: float | None = None
    whole: Any = field(default=None, compare=False)


@dataclass(frozen=True)
class Sheet:
    """The derivation of the gradients of one loss. `paths` counts ways from each weight to the loss, by symbol."""

    title: Said
    level: str
    sections: tuple[Section, ...]
    results: tuple[Derivative, ...] = ()
    paths: dict[str, int] = field(default_factory=dict)
    closed: dict[str, str] = field(default_factory=dict)

    def section(self, key: str) -> Section | None:
        """The section called `key`."""
        return next((section for section in self.sections if section.key == key), None)

    def formulas(self) -> Iterator[str]:
        """Every formula, in order."""
        for section in self.sections:
            for block in section.blocks:
                yield from _formulas(block)


def _formulas(block: Block) -> Iterator[str]:
    if isinstance(block, Formula):
        yield block.text
    elif isinstance(block, Work):
        yield from (formula.text for formula in block.formulas)
    elif isinstance(block, Table):
        yield from (cell.text for row in block.rows for cell in row.cells if isinstance(cell, Formula))
