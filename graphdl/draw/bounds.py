"""How much room marks take, and marks moved elsewhere."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from graphdl.draw.scene import Box, Curve, Group, Label, Mark, Polygon
from graphdl.draw.style import text_width

Extent = tuple[float, float, float, float]


def bounds(groups: Iterable[Group]) -> Extent:
    """Left, top, right and bottom of all marks; a curve stays within its control points."""
    extents = [extent(mark) for group in groups for mark in group.marks]
    if not extents:
        return 0.0, 0.0, 0.0, 0.0
    lefts, tops, rights, bottoms = zip(*extents, strict=True)
    return min(lefts), min(tops), max(rights), max(bottoms)


def extent(mark: Mark) -> Extent:
    """Left, top, right and bottom of one mark."""
    if isinstance(mark, Box):
        return mark.x - mark.width / 2, mark.y - mark.height / 2, mark.x + mark.width / 2, mark.y + mark.height / 2
    if isinstance(mark, Label):
        wide = text_width(mark.text, mark.size, mark.bold)
        left = {"start": mark.x, "middle": mark.x - wide / 2, "end": mark.x - wide}[mark.anchor]
        return left, mark.y - mark.size * 0.8, left + wide, mark.y + mark.size * 0.25
    xs, ys = zip(*mark.points, strict=True)
    return min(xs), min(ys), max(xs), max(ys)


def moved_group(group: Group, dx: float, dy: float) -> Group:
    """The group, `dx` to the right and `dy` down."""
    return replace(group, marks=tuple(moved(mark, dx, dy) for mark in group.marks))


def moved(mark: Mark, dx: float, dy: float) -> Mark:
    """The mark, `dx` to the right and `dy` down."""
    if isinstance(mark, Curve | Polygon):
        return replace(mark, points=tuple((x + dx, y + dy) for x, y in mark.points))
    return replace(mark, x=mark.x + dx, y=mark.y + dy)
