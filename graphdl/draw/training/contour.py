"""Lines of equal height through a grid of numbers (marching squares, Lorensen & Cline 1987 in two dimensions)."""

from __future__ import annotations

from collections.abc import Sequence

Point = tuple[float, float]
Segment = tuple[Point, Point]
Grid = Sequence[Sequence[float]]


def contour(grid: Grid, level: float) -> list[list[Point]]:
    """Chains of points (column, row) where the numbers between the grid's points pass `level`."""
    found: list[Segment] = []
    for row in range(len(grid) - 1):
        for column in range(len(grid[row]) - 1):
            found += _segments(grid, level, row, column)
    return _chained(found)


def _segments(grid: Grid, level: float, row: int, column: int) -> list[Segment]:
    """The lines through one cell, from edge to edge; where all four edges are crossed, two corners are cut off."""
    corners = ((row, column), (row, column + 1), (row + 1, column + 1), (row + 1, column))
    is_above = [grid[r][c] > level for r, c in corners]
    found = [
        _crossing(grid, level, corners[i], corners[(i + 1) % 4])
        for i in range(4)
        if is_above[i] != is_above[(i + 1) % 4]
    ]
    return list(zip(found[::2], found[1::2], strict=True))


def _crossing(grid: Grid, level: float, one: tuple[int, int], other: tuple[int, int]) -> Point:
    """Where the straight line between two neighbours passes `level`, as (column, row)."""
    one, other = sorted((one, other))
    low, high = grid[one[0]][one[1]], grid[other[0]][other[1]]
    share = (level - low) / (high - low)
    return one[1] + (other[1] - one[1]) * share, one[0] + (other[0] - one[0]) * share


def _chained(segments: list[Segment]) -> list[list[Point]]:
    """The segments joined where they meet."""
    at: dict[Point, list[Segment]] = {}
    for segment in segments:
        for end in segment:
            at.setdefault(end, []).append(segment)
    left = dict.fromkeys(segments)
    chains = []
    while left:
        segment = next(iter(left))
        del left[segment]
        chain = list(segment)
        for _ in range(2):
            _extend(chain, at, left)
            chain.reverse()
        chains.append(chain)
    return chains


def _extend(chain: list[Point], at: dict[Point, list[Segment]], left: dict[Segment, None]) -> None:
    """Go on from the end of `chain` as far as segments are left."""
    while True:
        following = next((s for s in at[chain[-1]] if s in left), None)
        if following is None:
            return
        del left[following]
        chain.append(following[1] if following[0] == chain[-1] else following[0])
