"""A sheet as Markdown with LaTeX formulas, and as plain text for a terminal: one layout, two notations."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from graphdl.draw.style import one_line
from graphdl.sheet.model import Block, Cell, Code, Formula, Grid, Row, Said, Sheet, Strip, Table, Words, Work
from graphdl.sheet.notation import to_latex
from graphdl.sheet.sentences import in_languages, written
from graphdl.sheet.words import strip_table


def to_markdown(sheet: Sheet, language: str = "en") -> str:
    """The sheet in Markdown as GitHub reads it, formulas in LaTeX between dollar signs."""
    return _Page(language, _dollars, _code, _matrix, heading="#").sheet(sheet)


def to_text(sheet: Sheet, language: str = "en") -> str:
    """The sheet for a terminal: the same, with formulas as they stand."""
    return _Page(language, str, str, _box, heading="").sheet(sheet)


def _dollars(text: str) -> str:
    return f"${to_latex(text)}$" if text else ""


def _code(text: str) -> str:
    """A code span, between more backticks than it holds; a bar would end the cell of a table even there."""
    fence = "`" * (max(map(len, re.findall("`+", text)), default=0) + 1)
    pad = " " if "`" in text else ""
    return f"{fence}{pad}{one_line(text).replace('|', chr(92) + '|')}{pad}{fence}"


def _matrix(grid: Grid) -> list[str]:
    r"""Rows end in \cr, since Markdown would make one backslash of two."""
    rows = r" \cr ".join(" & ".join(map(to_latex, row)) for row in grid.rows)
    return [rf"$${to_latex(grid.symbol)} = \begin{{pmatrix}} {rows} \end{{pmatrix}}$$"]


def _box(grid: Grid) -> list[str]:
    """Rows of numbers in columns."""
    lines = _aligned([list(row) for row in grid.rows], right=True)
    first, blank = f"    {grid.symbol} = ", ""
    return [f"{first if i == 0 else blank.ljust(_width(first))}[ {line} ]" for i, line in enumerate(lines)]


@dataclass(frozen=True)
class _Page:
    """Writes blocks; `heading` is the mark of headings, empty where they are underlined."""

    language: str
    formula: Callable[[str], str]
    code: Callable[[str], str]
    grid: Callable[[Grid], list[str]]
    heading: str

    @property
    def is_plain(self) -> bool:
        """Whether this is for a terminal."""
        return not self.heading

    def sheet(self, sheet: Sheet) -> str:
        """The whole sheet."""
        lines = [*self._headed(self.words(sheet.title), 1), ""]
        for section in sheet.sections:
            lines += [*self._headed(self.words(section.title), 2), ""]
            for block in section.blocks:
                lines += [*self._block(block), ""]
        return "\n".join(lines).rstrip() + "\n"

    def _headed(self, text: str, level: int) -> list[str]:
        if not self.is_plain:
            return [f"{self.heading * level} {text}"]
        return [text, ("═" if level == 1 else "─") * _width(text)]

    def words(self, said: Said, between: str = " · ") -> str:
        """A sentence."""
        return written(in_languages(said, self.language, between), str, self.formula, self.code)

    def _block(self, block: Block) -> Iterable[str]:
        if isinstance(block, Words):
            return self._paragraph(block)
        if isinstance(block, Formula):
            return [f"    {block.text}" if self.is_plain else f"$${to_latex(block.text)}$$"]
        if isinstance(block, Work):
            return self._work(block)
        if isinstance(block, Table):
            return self._table(block)
        return self.grid(block) if isinstance(block, Grid) else self._strip(block)

    def _paragraph(self, block: Words) -> list[str]:
        paragraphs = self.words(block.said, "\n").split("\n")
        if self.is_plain:
            return [line for text in paragraphs for line in _wrapped(text, "  note: " if block.note else "")]
        mark = "> " if block.note else ""
        return [line for text in paragraphs for line in ("", f"{mark}{text}")][1:]

    def _work(self, block: Work) -> list[str]:
        number = f"{block.number}. " if block.number else ""
        title = f"{number}{self.words(block.said)}"
        grids = [line for each in block.grids for line in ("", *self.grid(each))]
        if self.is_plain:
            return [title, *(f"    {formula.text}" for formula in block.formulas), *grids[1:]]
        return [f"**{title}**", "", *(f"- {self.formula(formula.text)}" for formula in block.formulas), *grids]

    def _table(self, block: Table) -> list[str]:
        head = [self.words(said) for said in block.head]
        rows = [self._cells(row) for row in block.rows]
        if self.is_plain:
            marks = ["▸ " if row.marked else "  " for row in block.rows]
            return [mark + line for mark, line in zip(["  ", *marks], _aligned([head, *rows]), strict=True)]
        return [_piped(head), _piped(["---"] * len(head)), *map(_piped, rows)]

    def _cells(self, row: Row) -> list[str]:
        cells = [self._cell(cell) for cell in row.cells]
        if row.marked and not self.is_plain:
            cells[0] = f"**▸** {cells[0]}"
        return cells

    def _cell(self, cell: Cell) -> str:
        if isinstance(cell, Formula):
            return self.formula(cell.text)
        return self.code(cell.text) if isinstance(cell, Code) else self.words(cell)

    def _strip(self, block: Strip) -> list[str]:
        """The way as a table, from the weight to the loss."""
        way, table = strip_table(block)
        return [f"    {way.text}" if self.is_plain else self.formula(way.text), "", *self._table(table)]


def _piped(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cells)} |"


def _aligned(rows: Sequence[Sequence[str]], right: bool = False) -> list[str]:
    """Rows with their cells below each other."""
    widths = [max(map(_width, column)) for column in zip(*rows, strict=True)]
    return ["  ".join(_filled(c, w, right) for c, w in zip(row, widths, strict=True)).rstrip() for row in rows]


def _filled(text: str, width: int, right: bool) -> str:
    space = " " * (width - _width(text))
    return space + text if right else text + space


def _width(text: str) -> int:
    """Columns of a terminal: Korean letters take two, marks above a letter none."""
    return sum(0 if unicodedata.combining(c) else 2 if unicodedata.east_asian_width(c) in "WF" else 1 for c in text)


def _wrapped(text: str, first: str, most: int = 100) -> list[str]:
    """Lines of at most `most` columns."""
    lines, line = [], first
    for word in text.split(" "):
        if _width(line) + _width(word) > most and line.strip():
            lines.append(line.rstrip())
            line = " " * len(first)
        line += f"{word} "
    return [*lines, line.rstrip()]
