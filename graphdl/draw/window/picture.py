"""The picture of one step: every cell with its number and its shade, and lines around what is looked at."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from graphdl.draw.outputs.panel import headed, wrapped
from graphdl.draw.scene import Box, Group, Label, Mark, Scene
from graphdl.draw.style import Theme, fitted
from graphdl.draw.training.colours import blend
from graphdl.draw.window.frames import LEVELS, Cell, Frame, Marked
from graphdl.draw.window.plan import CELL, LEAST, MARGIN, ROW_HEAD, Grid, Plan
from graphdl.draw.window.texts import caption, facts, heading, told

_NUMBER, _SMALL_NUMBER, _TITLE, _HEAD, _SAID = 9.0, 8.0, 11.5, 9.0, 12.0
_LEADING, _ABOVE, _ABOVE_HEADS, _LEAST_WIDTH = 18.0, 8.0, 22.0, 620.0
# How much of its colour the largest number has: behind a number less, so that it can be read.
_BEHIND, _ALONE = 0.4, 1.0
_ASIDE = 6.0


def window_scenes(
    plan: Plan, frames: Sequence[Frame], theme: Theme, languages: Sequence[str], title: str = ""
) -> list[Scene]:
    """The pictures of frames that have all their cells, with the words of each step below; all of one size."""
    width = max(plan.size[0], _LEAST_WIDTH)
    panels = [_said(plan, frame, theme, languages, width) for frame in frames]
    height = plan.size[1] + _LEADING * max(map(len, panels)) + MARGIN
    scenes = []
    for frame, said in zip(frames, panels, strict=True):
        panel = Group("panel", "panel", said[0].text, said)
        groups = (*_grids(plan, frame, theme, languages[0]), _marks(frame.marks, theme), panel)
        scene = Scene(width, height, theme.background, heading(plan.seen), groups)
        scenes.append(headed(scene, title, theme))
    return scenes


def board(plan: Plan, frame: Frame, theme: Theme) -> Scene:
    """The picture alone: what a page fills in anew at each step."""
    width, height = plan.size
    groups = (*_grids(plan, frame, theme, "en"), _marks(frame.marks, theme))
    return Scene(width, height, theme.background, heading(plan.seen), groups)


def paint(theme: Theme, role: str, level: int, has_number: bool) -> str:
    """The colour of a cell: that of values or gradients, grey below zero, and nothing at zero."""
    if not level:
        return theme.background
    colour = theme.muted if level < 0 else theme.gradient if role == "gradient" else theme.value
    share = (_BEHIND if has_number else _ALONE) * abs(level) / LEVELS
    if theme.background.startswith("var("):
        return f"color-mix(in srgb, {colour} {100 * share:.4g}%, {theme.background})"
    return blend(theme.background, colour, share)


def corner(marked: Marked) -> tuple[float, float, float, float]:
    """The middle and the size of the line around some cells."""
    return marked.grid.around(marked.row, marked.column, marked.rows, marked.columns)


def _grids(plan: Plan, frame: Frame, theme: Theme, language: str) -> Iterator[Group]:
    for grid in plan.grids:
        slot = f"title.{grid.name}"
        title = frame.texts[slot][language]
        y = grid.top - (_ABOVE_HEADS if grid.name == "a" else _ABOVE)
        left = grid.left if grid.name[0] in "xm" else grid.left - ROW_HEAD
        label = Label(left, y, title, _TITLE, theme.local, anchor="start", slot=slot)
        yield Group(
            f"grid-{grid.name}",
            "grid",
            title,
            (label, *_cells(plan, grid, frame, theme), *_heads(plan, grid, frame, theme)),
        )


def _cells(plan: Plan, grid: Grid, frame: Frame, theme: Theme) -> Iterator[Mark]:
    for i in range(grid.rows):
        for j in range(grid.columns):
            slot = grid.slot(i, j)
            cell = frame.cells.get(slot, Cell())
            x, y, wide, high = grid.around(i, j)
            outside = grid.name[0] == "x" and plan.seen.is_padding((i, j))
            line = 0.8 if grid.has_numbers else 0.3
            fill = paint(theme, cell.role, cell.level, grid.has_numbers)
            yield Box(
                x, y, wide, high, fill, theme.muted, line, dashed=outside and wide > LEAST, part="cell", slot=slot
            )
            if grid.has_numbers:
                size = _NUMBER if grid.width >= CELL else _SMALL_NUMBER
                yield Label(x, y + 3.2, cell.text, size, theme.local, part="number", slot=slot)


def _heads(plan: Plan, grid: Grid, frame: Frame, theme: Theme) -> Iterator[Mark]:
    """Which window a row of im2col is, and which element of the kernel a column."""
    if grid.name == "a":
        for i in range(grid.rows):
            text = frame.texts.get(f"row.{i}", {"en": ""})["en"]
            y = grid.around(i, 0)[1] + 3
            yield Label(grid.left - _ASIDE, y, text, _HEAD, theme.muted, anchor="end", slot=f"row.{i}")
        for j in range(grid.columns):
            yield Label(grid.around(0, j)[0], grid.top - 6, str(plan.seen.element(j)), _HEAD, theme.muted)
    if grid.name == "k":
        for i in range(grid.rows):
            y = grid.around(i, 0)[1] + 3
            yield Label(grid.left - _ASIDE, y, str(plan.seen.element(i)), _HEAD, theme.muted, anchor="end")


def _marks(marks: Mapping[str, Marked], theme: Theme) -> Group:
    boxes = tuple(
        Box(*corner(marked), "none", theme.local, 2.4, part="mark", slot=f"mark.{name}")
        for name, marked in marks.items()
    )
    return Group("marks", "marks", "what is looked at", boxes)


def _said(plan: Plan, frame: Frame, theme: Theme, languages: Sequence[str], width: float) -> tuple[Label, ...]:
    """What the step says, its formulas, and the sizes."""
    room, top = width - 2 * MARGIN, plan.size[1]
    captions = [told(caption(plan.seen, frame.part)[each], plan.seen, frame.window) for each in languages]
    texts = [(line, theme.local) for said in captions for line in wrapped(said, room, _SAID)]
    colour = theme.value if frame.part == "y" else theme.gradient
    texts += [(part, colour) for line in frame.lines for part in wrapped(line, room, _SAID)]
    texts += [(line, theme.muted) for each in languages for line in wrapped(facts(plan)[each], room, _SAID)]
    return tuple(
        Label(MARGIN, top + _LEADING * (i + 1), fitted(text, room, _SAID), _SAID, colour, anchor="start")
        for i, (text, colour) in enumerate(texts)
    )
