"""A sheet as one offline HTML page: formulas in MathML, both languages, a handout when it is printed."""

from __future__ import annotations

from html import escape

from graphdl.draw.page import asset, html_page
from graphdl.draw.style import one_line
from graphdl.sheet.model import Block, Cell, Code, Formula, Grid, Row, Said, Section, Sheet, Stop, Table, Words, Work
from graphdl.sheet.notation import to_mathml
from graphdl.sheet.sentences import written
from graphdl.sheet.words import WORDS, say


def to_page(sheet: Sheet, language: str = "en", theme: str = "auto") -> str:
    """The sheet as HTML. It opens in `language`; with "both" each sentence stands in English and Korean."""
    sections = "\n".join(_section(section) for section in sheet.sections)
    contents = "\n".join(f'<li><a href="#{s.key}">{_words(s.title)}</a></li>' for s in sheet.sections)
    both = " both" if language == "both" else ""
    body = f"""<main class="sheet{both}">
<header>
<h1>{_words(sheet.title)}</h1>
<p class="tools"><button type="button" id="language" lang="und">{WORDS["language"]["en"]}</button>
<button type="button" id="theme" aria-label="theme">◐</button></p>
</header>
<nav aria-label="contents"><ol>
{contents}
</ol></nav>
{sections}
</main>"""
    styles, scripts = [asset("sheet.css", "graphdl.sheet")], [asset("sheet.js", "graphdl.sheet")]
    opens_in = "ko" if language == "ko" else "en"
    title = written(sheet.title[opens_in], str, str, str)
    return html_page(title, opens_in, styles, scripts, body, WORDS["language"], theme)


def _section(section: Section) -> str:
    blocks = "\n".join(_block(block) for block in section.blocks)
    key = section.key
    return f'<section id="{key}" class="{key}">\n<h2>{_words(section.title)}</h2>\n{blocks}\n</section>'


def _words(said: Said) -> str:
    """A sentence in both languages, of which the page shows one; once where they are the same."""
    texts = {language: written(text, escape, to_mathml, _code) for language, text in said.items()}
    if len(set(texts.values())) == 1:
        return texts["en"]
    return " ".join(f'<span class="{language}" lang="{language}">{text}</span>' for language, text in texts.items())


def _code(text: str) -> str:
    return f"<code>{escape(one_line(text))}</code>"


def _block(block: Block) -> str:
    if isinstance(block, Words):
        return f"<p{' class=note' if block.note else ''}>{_words(block.said)}</p>"
    if isinstance(block, Formula):
        return f'<div class="formula {block.kind}">{to_mathml(block.text, display=True)}</div>'
    if isinstance(block, Work):
        return _work(block)
    if isinstance(block, Table):
        return _table(block)
    if isinstance(block, Grid):
        return _grid(block)
    return '<ol class="strip wide">\n' + "\n".join(map(_stop, block.stops)) + "\n</ol>"


def _work(block: Work) -> str:
    number = f'<span class="number">{block.number}</span> ' if block.number else ""
    lines = "\n".join(f'<div class="{f.kind}">{to_mathml(f.text, display=True)}</div>' for f in block.formulas)
    grids = "".join(map(_grid, block.grids))
    heading = f"<h3>{number}{_words(block.said)}</h3>"
    return f'<div class="work panel">\n{heading}\n<div class="lines">{lines}</div>\n{grids}</div>'


def _table(block: Table) -> str:
    head = "".join(f"<th scope=col>{_words(said)}</th>" for said in block.head)
    rows = "\n".join(_row(row) for row in block.rows)
    stacked = " stacked" if block.stacked else ""
    return f'<div class="wide{stacked}"><table><thead><tr>{head}</tr></thead>\n<tbody>\n{rows}\n</tbody></table></div>'


def _row(row: Row) -> str:
    cells = "".join(f"<td>{_cell(cell)}</td>" for cell in row.cells)
    return f"<tr{' class=marked' if row.marked else ''}>{cells}</tr>"


def _cell(cell: Cell) -> str:
    if isinstance(cell, Formula):
        return to_mathml(cell.text) if cell.text else ""
    return _code(cell.text) if isinstance(cell, Code) else _words(cell)


def _grid(block: Grid) -> str:
    """A matrix as a table, which scrolls and which screen readers read by rows."""
    rows = "".join(f"<tr>{''.join(f'<td>{escape(item)}</td>' for item in row)}</tr>" for row in block.rows)
    label = to_mathml(block.symbol)
    return f'<div class="grid wide">{label}<span> = </span><table class="matrix"><tbody>{rows}</tbody></table></div>'


def _stop(stop: Stop) -> str:
    """A quantity with its value above and its gradient below, and the arrow to the next one."""
    value, gradient = _labelled("value", stop.value), _labelled("gradient", stop.gradient)
    symbol = f'<span class="symbol">{to_mathml(stop.symbol)}</span>'
    card = f'<span class="value">{value}</span>{symbol}<span class="gradient">{gradient}</span>'
    return f'<li><span class="card">{card}</span>{_arrow(stop) if stop.local else ""}</li>'


def _arrow(stop: Stop) -> str:
    number = "" if stop.local_value in ("", stop.local) else f'<span class="worth">{to_mathml(stop.local_value)}</span>'
    return f'<span class="arrow"><span class="local">{_labelled("local", stop.local)}{number}</span></span>'


def _labelled(key: str, text: str) -> str:
    """A formula that is told what it is where it is read aloud."""
    return f'<span class="aloud">{_words(say(key))}: </span>{to_mathml(text)}' if text else ""
