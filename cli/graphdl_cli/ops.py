"""`graphdl ops`: every operation in a table, or one of them explained."""

from __future__ import annotations

import sys
from shutil import get_terminal_size
from textwrap import indent, wrap
from typing import TYPE_CHECKING

import click

from graphdl_cli.command import command

if TYPE_CHECKING:
    from graphdl.symbolic import OpRow

_WIDTH = 100
# What the names and glyphs of the table take; the rest is for two columns, cut where they are too long.
_NAMES = 40


@command("ops", "ops sigmoid", "ops softmax")
@click.argument("name", required=False)
def ops(name: str | None) -> None:
    """List the operations with their formula and NumPy form, or explain one with its derivative."""
    click.echo(_table() if name is None else _explained(name))


def _table() -> str:
    from graphdl.symbolic import op_rows
    from graphdl_cli.columns import columns

    room = max(24, (_columns() - _NAMES) // 2)
    rows = [(row.name, row.glyph, _cut(_meaning(row), room), _cut(row.numpy, room)) for row in op_rows()]
    return columns([("op", "", "meaning", "in NumPy"), *rows]) + f"\n\n{len(rows)} operations; more: graphdl ops NAME"


def _columns() -> int:
    """As wide as the terminal; off a terminal, wide enough for most."""
    return get_terminal_size().columns if sys.stdout.isatty() else 144


def _meaning(row: OpRow) -> str:
    return row.formula or _plain(row.doc.split("\n")[0])


def _plain(doc: str) -> str:
    """A docstring without the marks that set code apart."""
    return doc.replace("`", "")


def _cut(text: str, room: int) -> str:
    return text if len(text) <= room else text[: room - 1] + "…"


def _explained(name: str) -> str:
    from graphdl.symbolic import op_row

    row = op_row(name)
    lines = [f"{row.name}({', '.join(row.operands)}){'   ' + row.glyph if row.glyph else ''}"]
    if row.doc and not row.formula:
        lines += ["", *(part for line in _plain(row.doc).split("\n") for part in wrap(line, _WIDTH) or [""])]
    facts = _facts(row)
    lines += [""] if facts else []
    for title, text in facts:
        lines += _entry(title, text)
    return "\n".join(lines)


def _facts(row: OpRow) -> list[tuple[str, str]]:
    """What there is to say of the op, by title."""
    slopes = [f"d/d{operand} = {slope}" for operand, slope in zip(row.operands, row.derivatives, strict=False)]
    facts = [
        ("formula", row.formula),
        ("derivative", "\n".join(slopes) or row.why_flat),
        ("in NumPy", row.numpy),
        ("for", row.example),
        ("backward", row.backward),
        ("made of", row.decomposition),
        ("attributes", "\n".join(row.attributes)),
        ("convention", row.convention),
    ]
    return [(title, text) for title, text in facts if text]


def _entry(title: str, text: str) -> list[str]:
    first, *rest = text.split("\n")
    return [f"  {title:<12}{first}", *([indent("\n".join(rest), " " * 14)] if rest else [])]
