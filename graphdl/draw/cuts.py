"""Paths of cubic curves cut into pieces at upright lines."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Sequence
from itertools import pairwise

from graphdl.draw.paths import Path

# Where a curve that turns back is looked at, and how near is near enough, in points.
_SAMPLES = tuple(i / 24 for i in range(25))
_NEAR = 1e-6
_MOST_TRIALS = 60


def cut(path: Path, cuts: Sequence[float]) -> Iterator[tuple[Path, float]]:
    """The path in pieces that each lie in one row, and an x in the row of each."""
    low, high = min(p[0] for p in path), max(p[0] for p in path)
    if bisect_right(cuts, low) == bisect_left(cuts, high):
        yield path, low
        return
    piece = [path[0]]
    for k in range(0, len(path) - 1, 3):
        cubic = path[k : k + 4]
        for t in _crossings(cubic, cuts):
            first, second = _levelled(*_split(cubic, t))
            yield (*piece, *first[1:]), middle((*piece, *first[1:]), len(piece) - 1)
            piece, cubic = [second[0]], second
        piece += cubic[1:]
    yield tuple(piece), middle(tuple(piece), len(piece) - 4 if len(piece) > 3 else 0)


def _crossings(cubic: Path, cuts: Sequence[float]) -> list[float]:
    """Where to split a cubic, each given in what is left of it after the splits before."""
    low, high = min(p[0] for p in cubic), max(p[0] for p in cubic)
    inside = cuts[bisect_right(cuts, low) : bisect_left(cuts, high)]
    if not inside:
        return []
    whole = sorted(t for x in inside for t in _times(cubic, x))
    return [(t - s) / (1 - s) for s, t in pairwise([0.0, *whole])]


def _times(cubic: Path, x: float) -> Iterator[float]:
    """The parameters at which a cubic is at `x`: one where it never turns back, as far as its control points tell."""
    if _is_straight(cubic):
        yield (x - cubic[0][0]) / (cubic[3][0] - cubic[0][0])
        return
    ts = (0.0, 1.0) if _goes_one_way(cubic) else _SAMPLES
    for a, b in pairwise(ts):
        if (_x(cubic, a) < x) != (_x(cubic, b) < x):
            yield _time(cubic, x, a, b)


def _goes_one_way(cubic: Path) -> bool:
    (a, _), (b, _), (c, _), (d, _) = cubic
    return a <= b <= c <= d or a >= b >= c >= d


def _time(cubic: Path, x: float, a: float, b: float) -> float:
    """The parameter between `a` and `b` at which the cubic is at `x`, by false position that forgets an end which
    stays (Dowell & Jarratt 1971)."""
    low, high = _x(cubic, a) - x, _x(cubic, b) - x
    t = b
    for _ in range(_MOST_TRIALS):
        t = (a * high - b * low) / (high - low)
        found = _x(cubic, t) - x
        if abs(found) < _NEAR:
            break
        if (found < 0) == (high < 0):
            b, high, low = t, found, low / 2
        else:
            a, low, high = t, found, high / 2
    return t


def _x(cubic: Path, t: float) -> float:
    s = 1 - t
    (a, _), (b, _), (c, _), (d, _) = cubic
    return s * s * s * a + 3 * s * s * t * b + 3 * s * t * t * c + t * t * t * d


def _split(cubic: Path, t: float) -> tuple[Path, Path]:
    """The two halves of a cubic (de Casteljau); of a straight line two straight lines."""
    if _is_straight(cubic):
        (a, b), (c, d) = cubic[0], cubic[3]
        middle = (a + t * (c - a), b + t * (d - b))
        return (cubic[0], cubic[0], middle, middle), (middle, middle, cubic[3], cubic[3])
    rows = [list(cubic)]
    while len(rows[-1]) > 1:
        rows.append([((1 - t) * a[0] + t * b[0], (1 - t) * a[1] + t * b[1]) for a, b in pairwise(rows[-1])])
    return tuple(row[0] for row in rows), tuple(row[-1] for row in reversed(rows))


def _is_straight(cubic: Path) -> bool:
    return cubic[0] == cubic[1] and cubic[2] == cubic[3]


def _levelled(first: Path, second: Path) -> tuple[Path, Path]:
    """Two halves of a cubic, level where they meet, as the line goes on there."""
    if _is_straight(first):
        return first, second
    x, y = first[3]
    return (*first[:2], (first[2][0], y), (x, y)), ((x, y), (second[1][0], y), *second[2:])


def middle(path: Path, start: int) -> float:
    """The x in the middle of one cubic of a path."""
    return _x(path[start : start + 4], 0.5) if len(path) >= start + 4 else path[start][0]
