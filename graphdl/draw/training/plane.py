"""The plane of two features: what the model predicts everywhere, the line between the classes, the examples."""

from __future__ import annotations

import math
from collections.abc import Iterator

from graphdl.draw.scene import Box, Label, Mark, Polygon, Scene
from graphdl.draw.style import Theme
from graphdl.draw.training.chart import TITLE_SIZE, Frame, Scale, dot, straight
from graphdl.draw.training.colours import CLASSES, blend, diverging, of_class
from graphdl.draw.training.contour import contour
from graphdl.draw.training.panels import Drawing, side_by_side
from graphdl.draw.training.recording import Surface
from graphdl.errors import DrawError

_SIDE = 300.0
_LEFT, _HEAD, _FOOT = 36.0, 26.0, 34.0
# On the colours of predictions, which are the same in all themes.
_INK, _PAPER = "#1b1f24", "#ffffff"
# Disks, triangles, squares, pentagons.
_CORNERS = (0, 3, 4, 5)
# Shades, so that neighbours of one shade become one box.
_SHADES = 24


def plane(drawing: Drawing) -> Scene:
    """One panel a run; each run's own extent and examples."""
    for run in drawing.runs:
        if run.surface is None:
            raise DrawError(f"{run.title!r} has no plane to draw: the model takes other than one input of two features")

    def panel(place: int, left: float, top: float) -> list[Mark]:
        surface = drawing.runs[place].surface
        assert surface is not None
        grid = drawing.shown[place].grid
        frame = _frame(surface, left + _LEFT, top + _HEAD, drawing.theme)
        marks = [*_cells(surface, grid, frame)] if grid else [_nothing(drawing, frame)]
        axes = frame.axes("x₂", "x₁")
        drawn = [*_border(surface, grid, frame), *_examples(surface, frame)]
        return [*axes, *marks, *drawn] if grid else [*axes, *drawn, *marks]

    return side_by_side(drawing, drawing.text("surface"), _LEFT + _SIDE, _HEAD + _SIDE + _FOOT, panel)


def _frame(surface: Surface, left: float, top: float, theme: Theme) -> Frame:
    x0, x1, y0, y1 = surface.extent
    return Frame(Scale("linear", x0, x1, left, left + _SIDE), Scale("linear", y0, y1, top + _SIDE, top), theme)


def _nothing(drawing: Drawing, frame: Frame) -> Mark:
    middle = (frame.x.start + frame.x.end) / 2
    return Label(middle, frame.y.end + 18, drawing.text("no surface"), TITLE_SIZE, drawing.theme.gradient, bold=True)


def _middle(theme: Theme) -> str:
    return blend(theme.background, theme.muted, 0.12)


def colour_of(surface: Surface, byte: int, middle: str) -> str:
    """The colour of a cell."""
    if surface.kind == "classes":
        place, probability = surface.winner(byte)
        return of_class(place, round(probability * 10) / 10, surface.classes, middle)
    return diverging(round(byte / 255 * _SHADES) / _SHADES, middle)


def _cells(surface: Surface, grid: bytes, frame: Frame) -> Iterator[Mark]:
    """Boxes of one colour, each as long as its row has that colour."""
    size, side = surface.size, _SIDE / surface.size
    for row in range(size):
        colours = [colour_of(surface, byte, _middle(frame.theme)) for byte in grid[row * size : (row + 1) * size]]
        y = frame.y.end + (row + 0.5) * side
        start = 0
        for column in range(1, size + 1):
            if column == size or colours[column] != colours[start]:
                # Half a point over the edge: otherwise the paper shines through between boxes.
                over = 0.5 if column < size else 0.0
                width = (column - start) * side + over
                yield Box(frame.x.start + start * side + width / 2, y, width, side + 0.5, colours[start])
                start = column


def _border(surface: Surface, grid: bytes, frame: Frame) -> Iterator[Mark]:
    """Where one class ends and the other begins: probability 1/2, or the middle of the range."""
    if not grid or not surface.has_border:
        return
    size, side = surface.size, _SIDE / surface.size
    rows = [[float(byte) for byte in grid[row * size : (row + 1) * size]] for row in range(size)]
    for chain in contour(rows, 127.5):
        points = [(frame.x.start + (c + 0.5) * side, frame.y.end + (r + 0.5) * side) for c, r in chain]
        yield straight(points, frame.theme.local, 1.6)


def _examples(surface: Surface, frame: Frame) -> Iterator[Mark]:
    """A shape for each class; circles where a number is wanted."""
    size = 3.0 if len(surface.points) > 60 else 4.8
    for (u, v), target, place in zip(surface.points, surface.targets, surface.places, strict=True):
        x, y = frame.x(u), frame.y(v)
        corners = 0 if place is None else _CORNERS[place % len(_CORNERS)]
        outline = _INK if place is None else _PAPER
        yield _shape(x, y, size + 1.1, corners, outline)
        yield _shape(x, y, size, corners, fill_of(surface, target))


def _shape(x: float, y: float, size: float, corners: int, fill: str) -> Mark:
    """A regular polygon, or a disk."""
    if not corners:
        return dot(x, y, fill, size=2 * size)
    turn = math.pi / 4 if corners == 4 else 0.0
    angles = [turn + 2 * math.pi * i / corners for i in range(corners)]
    reach = size * (1.35 if corners == 3 else 1.2)
    return Polygon(tuple((x + reach * math.sin(a), y - reach * math.cos(a)) for a in angles), fill)


def fill_of(surface: Surface, target: float) -> str:
    """The colour of an example."""
    if surface.kind == "classes":
        return CLASSES[int(target) % len(CLASSES)]
    return diverging((target - surface.low) / (surface.high - surface.low), "#ffffff")
