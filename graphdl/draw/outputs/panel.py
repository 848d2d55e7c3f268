"""Words around a picture: a heading above, and below it what a step says, its formulas and its numbers."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace

from graphdl.draw.bounds import moved_group
from graphdl.draw.model import LaneRule, Step, Trace
from graphdl.draw.paths import straight
from graphdl.draw.scene import Curve, Group, Label, Mark, Scene
from graphdl.draw.style import SMALL_SIZE, TEXT_SIZE, Theme, fitted, one_line, text_width

_MARGIN = 14.0
_HEADING = 17.0
_FORMULA = 12.0
_LEADING = 1.5
_GAP = 24.0
_INDENT = 16.0
# Narrow pictures get a panel of at least this width, so that a caption is not a column of single words.
_LEAST_WIDTH = 640.0
_LONGEST = 1000
_COUNTER = 60.0

Cells = tuple[tuple[str, str], ...]


@dataclass
class Panel:
    """Lines of text from the top: where each text begins, its baseline, and the part it plays."""

    width: float
    height: float = 0.0
    texts: list[tuple[float, float, str, str, float]] = field(default_factory=list)

    def line(self, cells: Iterable[tuple[float, str, str]], size: float) -> None:
        """One more line of texts, each with the place where it begins and its part."""
        self.height += size * _LEADING
        self.texts += [(x, self.height, fitted(text, self.width - x, size), part, size) for x, text, part in cells]


def headed(scene: Scene, title: str, theme: Theme) -> Scene:
    """The scene with `title` above it, and as its name; unchanged without one."""
    if not title:
        return scene
    room = _HEADING * 1.6
    text = fitted(title, scene.width - 2 * _MARGIN, _HEADING, bold=True)
    mark = Label(_MARGIN, _MARGIN + _HEADING, text, _HEADING, theme.local, bold=True, anchor="start", part="heading")
    groups = tuple(moved_group(group, 0, room) for group in scene.groups)
    heading = Group("heading", "heading", one_line(title), (mark,))
    return replace(scene, height=scene.height + room, title=one_line(title), groups=(heading, *groups))


def with_panels(
    scenes: Sequence[Scene], trace: Trace, steps: Sequence[int], languages: Sequence[str], theme: Theme
) -> list[Scene]:
    """Each scene with the panel of its step below; all panels are as large as the largest, so that frames fit."""
    width = max([_LEAST_WIDTH, *(scene.width for scene in scenes)])
    panels = [_panel(trace.steps[step], languages, width - 2 * _MARGIN) for step in steps]
    height = max(panel.height for panel in panels) + _MARGIN
    return [
        _joined(scene, panel, f"{step + 1} / {len(trace.steps)}", (width, height), theme)
        for scene, panel, step in zip(scenes, panels, steps, strict=True)
    ]


def _panel(step: Step, languages: Iterable[str], width: float) -> Panel:
    """The caption in each language, then the formulas."""
    panel = Panel(width)
    for language in languages:
        said = one_line(step.caption.get(language, step.phase), _LONGEST)
        for line in wrapped(said, width - _COUNTER, TEXT_SIZE):
            panel.line([(0.0, line, "caption")], TEXT_SIZE)
    panel.height += 4
    for line in wrapped(one_line(step.substituted or step.formula, _LONGEST), width, _FORMULA):
        panel.line([(0.0, line, "formula")], _FORMULA)
    _add_table(panel, [_cells(lane) for lane in step.lanes])
    return panel


def _cells(lane: LaneRule) -> Cells:
    """The columns of one wire's chain rule."""
    columns = ("chain", "rule", "numbers", "shapes", "arrival")
    return tuple((one_line(getattr(lane, name), _LONGEST), name) for name in columns)


def _add_table(panel: Panel, rows: Sequence[Cells]) -> None:
    """Rows in columns where these fit beside each other; else each row flows over as many lines as it needs."""
    columns = [max(text_width(text, _FORMULA) for text, _ in column) for column in zip(*rows, strict=True)]
    starts = [sum(width + _GAP for width in columns[:i] if width) for i in range(len(columns))]
    if columns and starts[-1] + columns[-1] <= panel.width:
        for row in rows:
            panel.line([(x, *cell) for x, cell in zip(starts, row, strict=True) if cell[0]], _FORMULA)
        return
    for row in rows:
        _flow(panel, [cell for cell in row if cell[0]])


def _flow(panel: Panel, cells: Sequence[tuple[str, str]]) -> None:
    """Cells beside each other as long as there is room; the lines after the first begin further in."""
    line: list[tuple[float, str, str]] = []
    x = 0.0
    for text, part in cells:
        wide = text_width(text, _FORMULA)
        if line and x + wide > panel.width:
            panel.line(line, _FORMULA)
            line, x = [], _INDENT
        *whole, text = wrapped(text, panel.width - x, _FORMULA)
        for piece in whole:
            panel.line([(x, piece, part)], _FORMULA)
            x = _INDENT
        line.append((x, text, part))
        x += text_width(text, _FORMULA) + _GAP
    panel.line(line, _FORMULA)


def wrapped(text: str, width: float, size: float) -> list[str]:
    """`text` in lines no wider than `width` where it has spaces to break at; nothing for an empty text."""
    lines, line = [], ""
    for word in text.split(" "):
        longer = f"{line} {word}" if line else word
        if line and text_width(longer, size) > width:
            lines.append(line)
            longer = word
        line = longer
    return [each for each in (*lines, line) if each]


def _joined(scene: Scene, panel: Panel, count: str, size: tuple[float, float], theme: Theme) -> Scene:
    """The scene, a thin line, and the panel, in a room of `size` below the scene."""
    width, height = size
    top = scene.height
    marks: list[Mark] = [Curve(straight((_MARGIN, top), (width - _MARGIN, top)), theme.muted, 0.6, part="rule-off")]
    marks.append(
        Label(width - _MARGIN, top + TEXT_SIZE * _LEADING, count, SMALL_SIZE, theme.muted, anchor="end", part="count")
    )
    colours = {"formula": theme.value, "numbers": theme.gradient, "shapes": theme.muted, "arrival": theme.gradient}
    for x, y, text, part, points in panel.texts:
        colour = colours.get(part, theme.local)
        marks.append(Label(_MARGIN + x, top + y, text, points, colour, anchor="start", part=part))
    spoken = " ".join(text for *_, text, part, _ in panel.texts if part == "caption")
    group = Group("panel", "panel", spoken, tuple(marks))
    return replace(scene, width=width, height=top + height, groups=(*scene.groups, group))
