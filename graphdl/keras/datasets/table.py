"""Tables as text: a header, then a row an example; CSV or tab-separated, in the encodings that spreadsheets write."""

from __future__ import annotations

import csv
import io
import math
import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from graphdl.errors import DataError, did_you_mean, listed

# A BOM decides; else UTF-8, and what Korean Windows writes.
_BOMS = {b"\xef\xbb\xbf": "utf-8-sig", b"\xff\xfe": "utf-16", b"\xfe\xff": "utf-16"}
_ENCODINGS = ("utf-8", "cp949")
_MISSING = ("", "NA", "N/A", "NaN", "nan", "null", "None", "?")
# A first column of this name that counts the rows was written by R or pandas, and says nothing about an example.
_ROW_NAMES = ("", "rownames", "Unnamed: 0")
# A column with more different words than this names its rows, or is prose.
_MOST_WORDS = 50
# The csv module's limit is 131,072 characters a cell; a number needs fewer than 400.
_SHOWN = 40


@dataclass(frozen=True)
class Table:
    """Cells as text, by row and column; `lines` says where in the file each row ends.

    decimal   what stands before the fraction of a number: where semicolons part the cells, a comma may
    """

    path: Path
    header: tuple[str, ...]
    rows: list[list[str]]
    lines: list[int]
    decimal: str = "."

    def known(self, name: str) -> str:
        """`name`, if there is such a column."""
        if name not in self.header:
            near = did_you_mean(name, self.header)
            raise DataError(f"{self.path} has no column {name!r}.{near} It has {listed(self.header)}")
        return name

    def numbers(self, names: Sequence[str]) -> np.ndarray[Any, Any]:
        """The named columns as float64, a row an example; DataError names the first cell that is no number."""
        places = [self.header.index(name) for name in names]
        try:
            found = [[self._number(row[place]) for place in places] for row in self.rows]
        except ValueError:
            self._refuse(places)
            raise
        array = np.array(found, "float64").reshape(len(self.rows), len(places))
        if not np.isfinite(array).all():
            self._refuse(places)
        return array

    def _refuse(self, places: Sequence[int]) -> None:
        """DataError for the first cell that is no number."""
        for number, row in enumerate(self.rows):
            for place in places:
                if not self._is_number(row[place]):
                    self._refuse_cell(number, place, row[place].strip())

    def _refuse_cell(self, number: int, place: int, cell: str) -> None:
        where = f"{self.path}: row {number + 1} (line {self.lines[number]}), column {self.header[place]!r}"
        column = [row[place].strip() for row in self.rows]
        if cell in _MISSING:
            count = sum(cell in _MISSING for cell in column)
            more = f" ({count} in this column)" if count > 1 else ""
            raise DataError(f"{where} is missing{more}; fill it in, or leave such rows out")
        raise DataError(
            f"{where} has {cell[:_SHOWN]!r}, expected a number; encode text as numbers first, "
            "or choose the columns to use (features)"
        )

    def _number(self, cell: str) -> float:
        if "_" in cell:
            raise ValueError(cell)  # Python reads 1_000, nobody writes it in a table
        return float(cell.replace(self.decimal, "."))

    def _is_number(self, cell: str) -> bool:
        try:
            return math.isfinite(self._number(cell))
        except ValueError:
            return False

    def column(self, name: str) -> np.ndarray[Any, Any]:
        """The named column as float64."""
        return self.numbers([self.known(name)])[:, 0]

    def inputs(self, target: str) -> list[str]:
        """The columns to predict `target` from where nobody says which: all others, but one that counts the rows."""
        others = [name for name in self.header if name != target]
        return others[1:] if others[1:] and self._counts_rows(others[0]) else others

    def _counts_rows(self, name: str) -> bool:
        place = self.header.index(name)
        cells = [row[place].strip() for row in self.rows]
        first = 0 if cells[0] == "0" else 1
        return place == 0 and name in _ROW_NAMES and cells == [str(i + first) for i in range(len(cells))]

    def words(self, name: str) -> tuple[str, ...]:
        """The different words of a column that has only words, in alphabetical order; none for any other column."""
        place = self.header.index(self.known(name))
        found = sorted({row[place].strip() for row in self.rows})
        is_words = not any(word in _MISSING or self._is_number(word) for word in found)
        return tuple(found) if is_words and len(found) <= _MOST_WORDS else ()

    def encoded(self, name: str) -> tuple[np.ndarray[Any, Any], tuple[str, ...]]:
        """A column as float64 columns, and its words: 0 and 1 for two words, a column of 0 and 1 for each of more.

        Words that are never the same in two rows are no classes, and refused like any text among numbers.
        """
        words = self.words(name)
        if not words or len(words) == len(self.rows):
            return self.numbers([self.known(name)]), ()
        numbers, _ = self.classes(name)
        if len(words) <= 2:
            return numbers[:, None].astype("float64"), words
        return np.eye(len(words))[numbers], words

    def classes(self, name: str) -> tuple[np.ndarray[Any, Any], tuple[str, ...]]:
        """A column of words as class numbers, int64, and the words in alphabetical order; so "no" is 0 and "yes" 1."""
        place = self.header.index(self.known(name))
        words = [row[place].strip() for row in self.rows]
        for number, word in enumerate(words):
            if word in _MISSING:
                self._refuse_cell(number, place, word)
        names = tuple(sorted(set(words)))
        places = {word: number for number, word in enumerate(names)}
        return np.array([places[word] for word in words], "int64"), names


def load(
    path: str | os.PathLike[str], target: str, features: Sequence[str] = ()
) -> tuple[np.ndarray[Any, Any], np.ndarray[Any, Any]]:
    """Examples from a table: the columns `features`, or all others, as x, and the column `target` as y, float64.

    A first column that R or pandas wrote only to count the rows is none of the others.

    DataError names the row and column of what is missing or no number.
    """
    table = read_table(path)
    table.known(target)
    names = [table.known(name) for name in features] or table.inputs(target)
    return table.numbers(names), table.column(target)


def read_table(path: str | os.PathLike[str]) -> Table:
    """The table in the file at `path`: a header and at least one row, all equally long."""
    path = Path(path)
    text = _decoded(path)
    delimiter = _delimiter(text)
    rows = list(_rows(path, text, delimiter))
    if not rows:
        raise DataError(f"{path} is empty")
    header = _checked_header(path, rows[0][1])
    for line, cells in rows[1:]:
        if len(cells) != len(header):
            raise DataError(f"{path}: line {line} has {_cells(cells)}, the header has {len(header)}")
    if not rows[1:]:
        raise DataError(f"{path} has no rows below its header")
    decimal = "," if delimiter == ";" else "."
    return Table(path, header, [cells for _, cells in rows[1:]], [line for line, _ in rows[1:]], decimal)


def _cells(row: Sequence[str]) -> str:
    return "1 cell" if len(row) == 1 else f"{len(row)} cells"


def _rows(path: Path, text: str, delimiter: str) -> Iterator[tuple[int, list[str]]]:
    """The rows that are not empty, each with the line it ends at."""
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter)
    try:
        for cells in reader:
            if any(cell.strip() for cell in cells):
                yield reader.line_num, cells
    except csv.Error as error:
        raise DataError(f"{path}: line {reader.line_num}: {error}") from None


def _delimiter(text: str) -> str:
    """What stands most often in the first line: a comma, a tab, or the semicolon of some spreadsheets."""
    first = text.split("\n", 1)[0]
    return max(",\t;", key=first.count)


def _checked_header(path: Path, cells: Sequence[str]) -> tuple[str, ...]:
    names = tuple(cell.strip() for cell in cells)
    if all(map(_is_number, names)):
        raise DataError(
            f"{path} begins with numbers ({', '.join(names[:3])}), expected a header that names the columns"
        )
    twice = [name for i, name in enumerate(names) if name in names[:i]]
    if twice:
        raise DataError(f"{path} has two columns called {twice[0]!r}")
    return names


def _decoded(path: Path) -> str:
    try:
        content = path.read_bytes()
    except OSError as error:
        raise DataError(f"cannot read {str(path)!r}: {error.strerror or error}") from None
    for mark, encoding in _BOMS.items():
        if content.startswith(mark):
            return _decode(path, content, (encoding,))
    return _decode(path, content, _ENCODINGS)


def _decode(path: Path, content: bytes, encodings: Sequence[str]) -> str:
    for encoding in encodings:
        try:
            return content.decode(encoding)
        except UnicodeDecodeError:
            continue
    raise DataError(f"{path} is no text in {' or '.join(encodings)}; save it as UTF-8")


def _is_number(text: str) -> bool:
    try:
        return math.isfinite(float(text))
    except ValueError:
        return False
