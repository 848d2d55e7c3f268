"""A sheet as a LaTeX article that compiles as it is; with Korean in it, it asks for kotex."""

from __future__ import annotations

from collections.abc import Iterable

from graphdl.draw.style import one_line
from graphdl.sheet.model import Block, Cell, Code, Formula, Grid, Row, Said, Sheet, Strip, Table, Words, Work
from graphdl.sheet.notation import glyph, is_hangul, to_latex
from graphdl.sheet.sentences import in_languages, written
from graphdl.sheet.words import strip_table

_HEAD = r"""\documentclass[11pt,a4paper]{{article}}
\usepackage[T1]{{fontenc}}
\usepackage[utf8]{{inputenc}}
\usepackage{{amsmath,amssymb}}
\usepackage[margin=22mm]{{geometry}}
\usepackage{{longtable}}
\usepackage{{textcomp}}
\providecommand{{\lt}}{{<}}
\providecommand{{\gt}}{{>}}
\usepackage{{xcolor}}
{korean}\definecolor{{path}}{{HTML}}{{9A6A00}}
\allowdisplaybreaks
\sloppy
\setlength{{\parindent}}{{0pt}}
\setlength{{\parskip}}{{6pt plus 2pt}}
\title{{{title}}}
\author{{}}
\date{{}}
\begin{{document}}
\maketitle
"""
_MARK = r"{\color{path}$\blacktriangleright$} "
# Longer formulas are broken, so that they stay on the page.
_WIDE = 92
_MOST_COLUMNS = 5
_UNBROKEN = 190


def to_article(sheet: Sheet, language: str = "en") -> str:
    """The sheet as a LaTeX document, for pdflatex, xelatex or lualatex."""
    page = _Article(language)
    body = [line for section in sheet.sections for line in page.section(section.title, section.blocks)]
    title = page.words(sheet.title)
    text = "\n".join(body)
    korean = "\\usepackage{kotex}\n" if any(map(is_hangul, text + title)) else ""
    return _HEAD.format(title=title, korean=korean) + text + "\n\\end{document}\n"


class _Article:
    """Writes blocks in `language`."""

    def __init__(self, language: str) -> None:
        self.language = language

    def section(self, title: Said, blocks: Iterable[Block]) -> list[str]:
        """A section with all that stands in it."""
        heading = rf"\section*{{{self.words(title)}}}"
        return ["", heading, *(line for block in blocks for line in self._block(block))]

    def words(self, said: Said) -> str:
        """A sentence."""
        return written(in_languages(said, self.language), escaped, lambda text: rf"\({to_latex(text)}\)", _typewriter)

    def _block(self, block: Block) -> list[str]:
        if isinstance(block, Words):
            return self._paragraph(block)
        if isinstance(block, Formula):
            return _display([block.text])
        if isinstance(block, Work):
            number = f"{block.number}.~" if block.number else ""
            heading = rf"\paragraph{{{number}{self.words(block.said)}}}"
            grids = [line for each in block.grids for line in _matrix(each)]
            return [heading, *_display([f.text for f in block.formulas]), *grids]
        if isinstance(block, Table):
            return self._table(block)
        return _matrix(block) if isinstance(block, Grid) else self._strip(block)

    def _paragraph(self, block: Words) -> list[str]:
        text = self.words(block.said)
        return [r"\begin{quote}\small", text, r"\end{quote}"] if block.note else [text, ""]

    def _table(self, block: Table) -> list[str]:
        heads = block.head[:-1] if block.stacked else block.head
        head = " & ".join(rf"\textbf{{{self.words(said)}}}" for said in heads)
        rows = [line for row in block.rows for line in self._rows(row, block.stacked)]
        columns = "l" * len(heads)
        size = r"\footnotesize" if len(heads) > _MOST_COLUMNS else r"\small"
        begin = rf"{{{size}\setlength{{\tabcolsep}}{{4pt}}\begin{{longtable}}{{{columns}}}"
        return [begin, rf"{head} \\ \hline", r"\endhead", *rows, r"\end{longtable}}"]

    def _rows(self, row: Row, stacked: bool) -> list[str]:
        """A row, or where it is stacked, its equation and its numbers in lines below each other."""
        if not stacked:
            return [self._row(row)]
        first, *texts = row.cells
        lines = [line for cell in texts if isinstance(cell, Formula) and cell.text for line in _lines(cell.text)]
        number = f"{_MARK if row.marked else ''}{self._cell(first)}"
        return [rf"{number if i == 0 else ''} & {_in_cell(line)} \\" for i, line in enumerate(lines)]

    def _row(self, row: Row) -> str:
        cells = " & ".join(self._cell(cell) for cell in row.cells)
        return rf"{_MARK if row.marked else ''}{cells} \\"

    def _cell(self, cell: Cell) -> str:
        if isinstance(cell, Formula):
            return rf"\({to_latex(cell.text)}\)" if cell.text else ""
        return _typewriter(cell.text) if isinstance(cell, Code) else self.words(cell)

    def _strip(self, block: Strip) -> list[str]:
        way, table = strip_table(block)
        return [*_display([way.text]), *self._table(table)]


def _in_cell(line: str) -> str:
    """A formula in a table; what could not be broken is set small."""
    return rf"{{\scriptsize\({line}\)}}" if len(line) > _UNBROKEN else rf"\({line}\)"


def _display(formulas: list[str]) -> list[str]:
    """Formulas below each other, with an amount of space between them that only amsmath knows."""
    lines = [line for text in formulas for line in _lines(text)]
    if not lines:
        return []
    return [r"\begin{gather*}", " \\\\\n".join(f"  {line}" for line in lines), r"\end{gather*}"]


def _lines(text: str) -> list[str]:
    """A formula, a long one in several lines: they begin with the sign that joins them."""
    cuts = _cuts(text)
    first, *rest = [text[a:b].strip() for a, b in zip([0, *cuts], [*cuts, len(text)], strict=True)]
    # What begins with a bracket would be taken for an argument of the line break before it.
    return [f"{{}}{to_latex(first)}", *map(_continued, rest)]


def _continued(piece: str) -> str:
    sign, _, rest = piece.partition(" ")
    return rf"\qquad {{}} {to_latex(f'0 {sign} 0').strip('0 ')} {to_latex(rest)}"


def _cuts(text: str) -> list[int]:
    """Where to break a long line: at signs outside all brackets, as late as fits."""
    cuts: list[int] = []
    depth, start, last = 0, 0, 0
    for at, letter in enumerate(text):
        depth += (letter in "([") - (letter in ")]")
        if at - start > _WIDE and last > start:
            cuts.append(last)
            start = last
        if depth == 0 and letter in "=≈+" and text[at - 1 : at] == " " and text[at + 1 : at + 2] == " ":
            last = at
    return cuts


def _matrix(grid: Grid) -> list[str]:
    rows = r" \\ ".join(" & ".join(map(_entry, row)) for row in grid.rows)
    columns = max(map(len, grid.rows))
    matrix = rf"\[ {to_latex(grid.symbol)} = \begin{{pmatrix}} {rows} \end{{pmatrix}} \]"
    if columns <= _MOST_COLUMNS + 1:
        return [matrix]
    return [rf"{{\scriptsize\setlength{{\arraycolsep}}{{2pt}}\setcounter{{MaxMatrixCols}}{{{columns}}}{matrix}}}"]


def _entry(number: str) -> str:
    return f"{{}}{to_latex(number)}"


_ESCAPES = {
    "\\": r"\textbackslash{}",
    "{": r"\{",
    "}": r"\}",
    "$": r"\$",
    "%": r"\%",
    "&": r"\&",
    "#": r"\#",
    "_": r"\_",
    "~": r"\textasciitilde{}",
    "^": r"\textasciicircum{}",
    "<": r"\textless{}",
    ">": r"\textgreater{}",
    "|": r"\textbar{}",
    '"': r"\textquotedbl{}",
    "·": r"$\cdot$",
    "×": r"$\times$",
    "−": r"$-$",
    "→": r"$\to$",
    "←": r"$\leftarrow$",
    "∂": r"$\partial$",
    "δ": r"$\delta$",
    "η": r"$\eta$",
    "⊙": r"$\odot$",
    "²": r"$^{2}$",
    "▸": r"$\blacktriangleright$",
    "…": r"\ldots{}",
    "—": "---",
    "'": r"\textquotesingle{}",
    "`": r"\textasciigrave{}",
}


def escaped(text: str) -> str:
    """`text` as LaTeX prints it letter by letter; what it has no letter for by its number."""
    return "".join(_ESCAPES.get(letter) or glyph(letter) for letter in text)


def _typewriter(text: str) -> str:
    return rf"\texttt{{{escaped(one_line(text))}}}"
