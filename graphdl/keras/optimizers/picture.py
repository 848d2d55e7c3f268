"""The picture of trajectories: lines of equal loss, a path for each optimizer, and its name beside it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from graphdl.draw.digits import number
from graphdl.draw.scene import Group, Label, Mark, Scene
from graphdl.draw.style import THEMES, Theme, fitted
from graphdl.draw.training.chart import Frame, Scale, dot, straight
from graphdl.draw.training.colours import CLASSES, blend
from graphdl.draw.training.contour import contour
from graphdl.draw.training.figures import Figure
from graphdl.errors import DrawError, did_you_mean
from graphdl.keras.optimizers.trajectories import Path, Trajectories

_WIDTH, _HEIGHT = 460.0, 400.0
_LEFT, _TOP, _MARGIN, _LEGEND = 58.0, 62.0, 16.0, 190.0
_ROW = 34.0
# Lines of equal loss.
_LINES = 16
# Yellow is lost on white.
_COLOURS = tuple(colour for colour in CLASSES if colour != "#f0e442")
_GREYS = ("#000000", "#6b6b6b", "#3d3d3d", "#999999")
_TEXTS = {
    "en": ("Paths of optimizers", "step", "start", "least loss", "loss"),
    "ko": ("옵티마이저의 경로", "스텝", "시작", "최솟값", "손실"),
}


def picture(found: Trajectories, step: int, theme: str, language: str) -> Figure:
    """The figure, with the paths up to `step`, counted from 0 or, where negative, from the end."""
    for what, word, known in (("theme", theme, THEMES), ("language", language, _TEXTS)):
        if word not in known:
            raise DrawError(f"there is no {what} {word!r}.{did_you_mean(word, known)} There is {', '.join(known)}")
    taken = len(found.paths[0].points)
    if not -taken <= step < taken:
        raise DrawError(f"there is no step {step}: the paths have steps 0 to {taken - 1}")
    return Figure(_scene(found, step % taken, THEMES[theme], _TEXTS[language]))


def _scene(found: Trajectories, step: int, theme: Theme, texts: tuple[str, ...]) -> Scene:
    surface = found.surface
    left, right, bottom, top = surface.extent
    x = Scale("linear", left, right, _LEFT, _LEFT + _WIDTH)
    y = Scale("linear", bottom, top, _TOP + _HEIGHT, _TOP)
    frame = Frame(x, y, theme)
    named = f"{surface.name}: {surface.formula}" if surface.formula else surface.name
    heading = [
        Label(_MARGIN, _MARGIN + 10, fitted(named, _WIDTH, 13), 13, theme.local, bold=True, anchor="start"),
        Label(_LEFT + _WIDTH, _MARGIN + 10, f"{texts[1]} {step}", 11, theme.muted, anchor="end"),
    ]
    aloud = f"{texts[0]}, {named}, {texts[1]} {step}"
    groups = [
        Group("axes", "chart", aloud, (*heading, *frame.axes("y", "x"))),
        Group("lines", "chart", "lines of equal loss", tuple(_lines(found, frame))),
        *(_drawn(place, path, step, frame) for place, path in enumerate(found.paths)),
        Group("ends", "chart", f"{texts[2]}, {texts[3]}", tuple(_ends(found, frame, texts))),
        Group("legend", "chart", "legend", tuple(_legend(found, step, theme, texts))),
    ]
    height = max(_TOP + _HEIGHT + 40, _TOP + _ROW * len(found.paths)) + _MARGIN
    return Scene(_LEFT + _WIDTH + _LEGEND + _MARGIN, height, theme.background, aloud, tuple(groups))


def _lines(found: Trajectories, frame: Frame) -> Iterator[Mark]:
    """Lines of equal loss, darker where it is less."""
    grid = found.heights()
    size = len(grid)
    levels = levels_of(grid)
    for place, level in enumerate(levels):
        shade = 0.75 - 0.5 * place / max(1, len(levels) - 1)
        colour = blend(frame.theme.background, frame.theme.muted, shade)
        for chain in contour(grid.tolist(), level):
            points = [
                (
                    frame.x.start + (frame.x.end - frame.x.start) * column / (size - 1),
                    frame.y.end + (frame.y.start - frame.y.end) * row / (size - 1),
                )
                for column, row in chain
            ]
            yield straight(points, colour, 0.8)


def levels_of(grid: np.ndarray[Any, Any], count: int = _LINES) -> list[float]:
    """Heights between the least and the largest, close together where the surface is flat.

    >>> levels_of(np.array([[0.0, 100.0]]), 3)
    [1.5625, 25.0, 126.5625]
    """
    finite = grid[np.isfinite(grid)]
    low, high = float(finite.min()), float(finite.max())
    shares = (np.arange(count) + 1) / (count + 1)
    return [low + (high - low) * float(share) ** 4 for share in shares] if high > low else []


def _drawn(place: int, path: Path, step: int, frame: Frame) -> Group:
    """A path up to `step` where it is in the frame, a dot for each of few steps, and one where it is now."""
    colour = _colour(place, frame.theme)
    points = [tuple(map(float, point)) for point in path.points[: step + 1]]
    marks: list[Mark] = [straight(run, colour, 1.8, place >= len(_COLOURS)) for run in _inside(points, frame)]
    here = [(frame.x(u), frame.y(v)) for u, v in points if _holds(frame, u, v)]
    if len(points) <= 60:
        marks += [dot(u, v, colour, size=3.4) for u, v in here]
    if points and _holds(frame, *points[-1]):
        marks.append(dot(*here[-1], colour, frame.theme.background, 9))
    return Group(f"path{place}", "path", path.name, tuple(marks))


def _inside(points: list[Any], frame: Frame) -> list[list[tuple[float, float]]]:
    """The runs of points that lie in the frame, on paper; lines to points outside end at its edge."""
    runs: list[list[tuple[float, float]]] = [[]]
    before = None
    for point in points:
        if not all(map(np.isfinite, point)):
            break
        if before is not None:
            piece = clipped(before, point, frame)
            if piece is None:
                runs.append([])
            else:
                one, other = ((frame.x(u), frame.y(v)) for u, v in piece)
                if not runs[-1] or runs[-1][-1] != one:
                    runs.append([one])
                runs[-1].append(other)
        before = point
    return [run for run in runs if len(run) > 1]


def clipped(one: Any, other: Any, frame: Frame) -> Any:
    """The part of a straight line that lies in the frame (Liang & Barsky 1984), None where none does."""
    enter, leave = 0.0, 1.0
    for axis, scale in enumerate((frame.x, frame.y)):
        step = other[axis] - one[axis]
        for way, room in ((-step, one[axis] - scale.low), (step, scale.high - one[axis])):
            if way == 0 and room < 0:
                return None
            if way < 0:
                enter = max(enter, room / way)
            elif way > 0:
                leave = min(leave, room / way)
    if enter > leave:
        return None
    return [tuple(a + (b - a) * share for a, b in zip(one, other, strict=True)) for share in (enter, leave)]


def _holds(frame: Frame, u: float, v: float) -> bool:
    return frame.x.holds(u) and frame.y.holds(v)


def _ends(found: Trajectories, frame: Frame, texts: tuple[str, ...]) -> Iterator[Mark]:
    """Where they start, and where the loss is least."""
    ink, paper = frame.theme.local, frame.theme.background
    for point, text in ((found.surface.start, texts[2]), (found.surface.minimum, texts[3])):
        if point is not None and _holds(frame, *point):
            x, y = frame.x(point[0]), frame.y(point[1])
            yield dot(x, y, paper, ink, 7)
            yield Label(x, y - 9, text, 10, ink, halo=paper)


def _legend(found: Trajectories, step: int, theme: Theme, texts: tuple[str, ...]) -> Iterator[Mark]:
    left = _LEFT + _WIDTH + 20
    for place, path in enumerate(found.paths):
        y = _TOP + 6 + _ROW * place
        yield straight([(left, y), (left + 22, y)], _colour(place, theme), 2.4, place >= len(_COLOURS))
        yield Label(left + 28, y + 4, fitted(path.name, _LEGEND - 34, 11), 11, theme.local, anchor="start")
        value = float(path.losses[step])
        said = number(float(f"{value:.3g}")) if np.isfinite(value) else "NaN/∞"
        yield Label(left + 28, y + 17, f"{texts[4]} {said}", 10, theme.muted, anchor="start")


def _colour(place: int, theme: Theme) -> str:
    palette = _GREYS if theme.name == "mono" else _COLOURS
    return palette[place % len(palette)]
