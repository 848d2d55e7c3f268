"""Links as one smooth curve wherever that crosses no cell; elsewhere as they were routed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from graphdl.draw.paths import Path
from graphdl.draw.scene import Point

# Left, top, right, bottom.
Rectangle = tuple[float, float, float, float]

# Looking at every cell for every link is for pictures, not for maps.
_MOST_PAIRS = 200_000
_SAMPLES = 16
_CLEARANCE = 3.0


def smoothed(paths: Sequence[Path], ends: Sequence[tuple[str, str]], cells: Mapping[str, Rectangle]) -> list[Path]:
    """The paths, each as one cubic with level ends where it stays clear of all cells but its own two."""
    if len(paths) * len(cells) > _MOST_PAIRS:
        return list(paths)
    return [_smooth(path, pair, cells) for path, pair in zip(paths, ends, strict=True)]


def _smooth(path: Path, ends: tuple[str, str], cells: Mapping[str, Rectangle]) -> Path:
    start, end = path[0], path[-1]
    reach = (end[0] - start[0]) / 2
    curve = (start, (start[0] + reach, start[1]), (end[0] - reach, end[1]), end)
    if reach <= 0 or any(_is_crossed(curve, rectangle) for name, rectangle in cells.items() if name not in ends):
        return path
    return curve


def _is_crossed(curve: Path, rectangle: Rectangle) -> bool:
    left, top, right, bottom = rectangle
    xs, ys = zip(*curve, strict=True)
    if right < min(xs) or left > max(xs) or bottom < min(ys) - _CLEARANCE or top > max(ys) + _CLEARANCE:
        return False
    return any(
        left - _CLEARANCE < x < right + _CLEARANCE and top - _CLEARANCE < y < bottom + _CLEARANCE
        for x, y in (_at(curve, i / _SAMPLES) for i in range(_SAMPLES + 1))
    )


def _at(curve: Path, t: float) -> Point:
    """The point of a cubic at `t`, by Bernstein's weights."""
    weights = ((1 - t) ** 3, 3 * t * (1 - t) ** 2, 3 * t * t * (1 - t), t**3)
    x = sum(w * point[0] for w, point in zip(weights, curve, strict=True))
    return x, sum(w * point[1] for w, point in zip(weights, curve, strict=True))
