"""A key of the shapes and colours that a picture uses, below it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace

from graphdl.draw.bounds import Extent, moved, moved_group
from graphdl.draw.digits import MINUS
from graphdl.draw.paths import straight
from graphdl.draw.scene import Box, Curve, Group, Label, Mark, Scene
from graphdl.draw.style import SMALL_SIZE, Theme, text_width
from graphdl.draw.summaries import Decades

MARGIN = 14.0
_ROW = 18.0
_SWATCH = 20.0
_KINDS = ("placeholder", "variable", "noise", "op", "loss", "gradient", "parameter gradient", "block")
_NAMES = {
    "op": "operation",
    "block": "block of operations",
    "value": "value, above the wire",
    "gradient row": "gradient, below the wire",
    "local": "local derivative",
    "across": "value that the backward pass reads",
}


def with_legend(
    title: str,
    groups: Sequence[Group],
    extent: Extent,
    kinds: Iterable[str],
    theme: Theme,
    backward: bool,
    numbers: bool = True,
    local: bool = True,
    across: bool = False,
    note: str = "",
    scale: Decades | None = None,
) -> Scene:
    """A scene of `groups` with a key below that names the kinds that are there, and a note.

    What lies in `extent` is moved into view; it is that of the last frame, so that all frames are of one size.
    """
    left, top, right, bottom = extent
    groups = [moved_group(group, MARGIN - left, MARGIN - top) for group in groups]
    width = max(right - left, 260.0)
    present = set(kinds)
    entries = [kind for kind in _KINDS if kind in present]
    if numbers:
        entries += ["value", *(["gradient row"] if backward else []), *(["local"] if backward and local else [])]
    entries += ["across"] if across else []
    entries += [f"bar {scale.low} {scale.high}"] if scale else []
    marks, height = _rows(entries, width, bottom - top + MARGIN + 22, theme)
    if note:
        height += _ROW
        marks.append(Label(MARGIN, height, note, SMALL_SIZE, theme.muted, anchor="start", part="note"))
        width = max(width, text_width(note, SMALL_SIZE))
    legend = Group("legend", "legend", "Key of shapes and colours", tuple(marks))
    return Scene(width + 2 * MARGIN, height + MARGIN, theme.background, title, (*groups, legend))


def with_words(scene: Scene, said: Callable[[str], str]) -> Scene:
    """The scene with a key in other words, whose entries stand as near together as these let them."""
    *groups, legend = scene.groups
    assert legend.id == "legend", "the key is the last group"
    marks: list[Mark] = []
    entries = list(_entries(legend))
    if not entries:
        return scene
    x, y, width = MARGIN, entries[0][1].y, scene.width - 2 * MARGIN
    for swatch, label in entries:
        name = said(label.text)
        need = _SWATCH + 6 + text_width(name, SMALL_SIZE) + 14
        if x > MARGIN and x + need - 14 > MARGIN + width:
            x, y = MARGIN, y + _ROW
        marks += [moved(mark, x + _SWATCH + 6 - label.x, y - label.y) for mark in swatch]
        marks.append(replace(label, text=name, x=x + _SWATCH + 6, y=y))
        x += need
    for note in (mark for mark in legend.marks if isinstance(mark, Label) and mark.part == "note"):
        y += _ROW
        marks.append(replace(note, y=y))
    return replace(scene, height=y + MARGIN, groups=(*groups, replace(legend, marks=tuple(marks))))


def _entries(legend: Group) -> Iterator[tuple[list[Mark], Label]]:
    """The swatch and the label of each entry."""
    swatch: list[Mark] = []
    for mark in legend.marks:
        if not isinstance(mark, Label):
            swatch.append(mark)
        elif mark.part != "note":
            yield swatch, mark
            swatch = []


def _rows(entries: Sequence[str], width: float, y: float, theme: Theme) -> tuple[list[Mark], float]:
    """The entries in rows as wide as the picture, and the baseline of the last row."""
    marks: list[Mark] = []
    x = MARGIN
    for entry in entries:
        name = _name(entry)
        need = _SWATCH + 6 + text_width(name, SMALL_SIZE) + 14
        if x > MARGIN and x + need - 14 > MARGIN + width:
            x, y = MARGIN, y + _ROW
        marks += _swatch(entry, x + _SWATCH / 2, y - 3.5, theme)
        marks.append(Label(x + _SWATCH + 6, y, name, SMALL_SIZE, theme.muted, anchor="start"))
        x += need
    return marks, y


def _name(entry: str) -> str:
    if entry.startswith("bar "):
        low, high = (str(power).replace("-", MINUS) for power in entry.split()[1:])
        return f"length of a gradient, from 1e{low} to 1e{high}, each power of ten equally long"
    return _NAMES.get(entry, entry)


def _swatch(entry: str, x: float, y: float, theme: Theme) -> list[Mark]:
    line = straight((x - 9, y), (x + 9, y))
    if entry == "gradient row":
        return [Curve(line, theme.lane, max(theme.lane_weight, 1.6), dashed=theme.lane_dashed)]
    if entry in ("value", "across"):
        colour = theme.value if entry == "value" else theme.muted
        return [Curve(line, colour, 0.8 if entry == "across" else 1.6, dashed=entry == "across")]
    if entry.startswith("bar "):
        return [Box(x, y, 18, 6, theme.background, theme.muted, 0.5), Box(x - 3, y, 12, 6, theme.gradient)]
    if entry == "local":
        return [Box(x, y, 20, 11, theme.pill, theme.muted, 0.8, 5.5)]
    look = theme.look(entry)
    if entry == "op":
        return [Box(x, y, 11, 11, look.fill, look.stroke, look.weight, 5.5)]
    return [Box(x, y, 18, 11, look.fill, look.stroke, look.weight, min(look.radius, 4), look.dashed)]
