"""The page on which a window slides: the picture, the words and formulas of each step, and buttons to go."""

from __future__ import annotations

from collections.abc import Iterator
from html import escape
from string import Template
from typing import Any

from graphdl.draw.page import asset, html_page
from graphdl.draw.style import one_line, theme_css, variables_theme
from graphdl.draw.svg import to_svg
from graphdl.draw.window.frames import LEVELS, Cell, Frame, Marked, Story
from graphdl.draw.window.picture import board, corner, paint
from graphdl.draw.window.plan import Plan
from graphdl.draw.window.texts import caption, facts, heading

_PACKAGE = "graphdl.draw.window"
_ROLES = ("value", "gradient")


def window_page(plan: Plan, told: Story, language: str, theme: str, title: str = "") -> str:
    """One HTML file that needs no network. Its address says what is seen: ``#s=12&l=ko&t=dark``."""
    scene = board(plan, told.at(0), variables_theme())
    name = title or heading(plan.seen)
    body = Template(asset("window.html", _PACKAGE)).substitute(title=escape(one_line(name)), picture=to_svg(scene))
    return html_page(
        name,
        language,
        [theme_css(), asset("window.css", _PACKAGE)],
        [asset("window.js", _PACKAGE)],
        body,
        page_data(plan, told),
        theme,
    )


def page_data(plan: Plan, told: Story) -> dict[str, Any]:
    """What the script fills in; cells are ``[slot, text, paint]``, with slots and paints by number."""
    cells = [(grid, i, j) for grid in plan.grids for i in range(grid.rows) for j in range(grid.columns)]
    slots = {grid.slot(i, j): number for number, (grid, i, j) in enumerate(cells)}
    parts = dict.fromkeys(frame.part for frame in told.steps)
    return {
        "facts": facts(plan),
        "captions": {part: caption(plan.seen, part) for part in parts},
        "slots": list(slots),
        "small": [grid.name for grid in plan.grids if not grid.has_numbers],
        "paints": [_paints(has_number) for has_number in (True, False)],
        "marks": list(told.steps[0].marks),
        "frames": [_frame(plan, frame, changed, slots) for frame, changed in _changes(told)],
    }


def _paints(has_number: bool) -> list[str]:
    theme = variables_theme()
    return [paint(theme, role, level, has_number) for role in _ROLES for level in range(-LEVELS, LEVELS + 1)]


def _changes(told: Story) -> Iterator[tuple[Frame, dict[str, Cell]]]:
    """Each frame with those of its cells that are other than before in its part."""
    part = ""
    known: dict[str, Cell] = {}
    for frame in told.steps:
        known = known if frame.part == part else {}
        part, changed = frame.part, {slot: cell for slot, cell in frame.cells.items() if known.get(slot) != cell}
        known.update(changed)
        yield frame, changed


def _frame(plan: Plan, frame: Frame, changed: dict[str, Cell], slots: dict[str, int]) -> dict[str, Any]:
    cells = [
        [slots[slot], cell.text, _ROLES.index(cell.role) * (2 * LEVELS + 1) + cell.level + LEVELS]
        for slot, cell in changed.items()
    ]
    found = {
        "part": frame.part,
        "number": frame.window + 1,
        "place": str(plan.seen.at(frame.window)),
        "lines": frame.lines,
        "cells": cells,
        "marks": [_corner(marked) for marked in frame.marks.values()],
    }
    return found | ({"texts": frame.texts} if frame.texts else {})


def _corner(marked: Marked) -> list[float]:
    """Left and top of the line around some cells; its size stays."""
    x, y, width, height = corner(marked)
    return [round(x - width / 2, 1), round(y - height / 2, 1)]
