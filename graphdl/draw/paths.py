"""Paths of cubic Bézier curves: put together, run beside, and where they point."""

from __future__ import annotations

from collections.abc import Sequence

from graphdl.draw.scene import Point

Path = tuple[Point, ...]

# Length of the handles of a cubic that follows a quarter of a circle of radius 1.
_QUARTER = 0.5523


def joined(pieces: Sequence[Path]) -> Path:
    """Paths one behind the other, with straight lines between."""
    path = list(pieces[0])
    for piece in pieces[1:]:
        path += [path[-1], piece[0], *piece]
    return tuple(path)


def with_corners(corners: Sequence[Point]) -> Path:
    """Straight lines from corner to corner."""
    path = [corners[0]]
    for corner in corners[1:]:
        path += [path[-1], corner, corner]
    return tuple(path)


def rounded(corners: Sequence[Point], radius: float = 6.0) -> Path:
    """Straight lines from corner to corner, with a quarter of a circle in place of each corner, where there is room."""
    path = [corners[0]]
    for before, corner, after in zip(corners, corners[1:], corners[2:], strict=False):
        room = min(radius, _distance(before, corner) / 2, _distance(corner, after) / 2)
        first, last = _towards(corner, before, room), _towards(corner, after, room)
        path += [path[-1], first, first]
        path += [_towards(first, corner, room * _QUARTER), _towards(last, corner, room * _QUARTER), last]
    return (*path, path[-1], corners[-1], corners[-1])


def _distance(one: Point, other: Point) -> float:
    return float(((one[0] - other[0]) ** 2 + (one[1] - other[1]) ** 2) ** 0.5)


def _towards(start: Point, end: Point, length: float) -> Point:
    whole = _distance(start, end) or 1.0
    return start[0] + (end[0] - start[0]) * length / whole, start[1] + (end[1] - start[1]) * length / whole


def straight(start: Point, end: Point) -> Path:
    """One straight line."""
    return start, start, end, end


def heading(path: Path) -> Point:
    """The direction in which the path ends."""
    tip = path[-1]
    for point in reversed(path[:-1]):
        if abs(point[0] - tip[0]) + abs(point[1] - tip[1]) > 0.5:
            return tip[0] - point[0], tip[1] - point[1]
    return 1.0, 0.0


def beside(points: Path, first: float, last: float) -> Path:
    """A path at the right hand of a path, `first` away from its start and `last` from its end, where it is level.

    Each control point moves along its normal: near enough to parallel for curves as gentle as ours
    (Tiller & Hanson 1984).
    """
    shifted = []
    count = len(points) - 1
    for i, (x, y) in enumerate(points):
        offset = first + (last - first) * i / count
        if i in (0, count):
            shifted.append((x, y + offset))
            continue
        dx, dy = points[i + 1][0] - points[i - 1][0], points[i + 1][1] - points[i - 1][1]
        length = (dx * dx + dy * dy) ** 0.5
        if length:
            shifted.append((x - dy / length * offset, y + dx / length * offset))
        else:
            shifted.append((x, y + offset))
    return tuple(shifted)
