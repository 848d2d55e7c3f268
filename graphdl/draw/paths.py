"""Paths of cubic Bézier curves: put together, run beside, and where they point."""

from __future__ import annotations

from collections.abc import Sequence

from graphdl.draw.scene import Point

Path = tuple[Point, ...]


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
