"""Long pictures cut into rows, as text is: wires go on at the left of the next row.

Marks are moved, not laid out anew, so it works for every view, and the same way for every frame of a story.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import pairwise

from graphdl.draw.bounds import Extent, extent, moved
from graphdl.draw.cuts import cut, middle
from graphdl.draw.paths import Path, rounded
from graphdl.draw.scene import Curve, Group, Mark, Point

# As wide as a page on a common screen, and on that of a phone; a picture a little wider is left alone.
PAGE = 1180.0
PHONE = 350.0
_TOLERANCE = 1.2
# Between the ends of a row and the first line that goes on, between such lines, and above and below them.
_TURN = 9.0
_SPACING = 5.0
_CHANNEL = 12.0
_CLEAR = 3.0
_WIDEST_STRIP = 24.0
# With more lines that go on from row to row than this, rows are nothing but lines.
_MOST_TURNS = 5000
# Costs of a cut, for each line that goes on and for each scope cut in two.
_LINE_COST = 0.02
_SCOPE_COST = 0.3


@dataclass(frozen=True)
class Move:
    """How one row goes to its place: sideways as a whole, down so far from each of `tops` on, empty strips narrowed."""

    right: float = 0.0
    tops: tuple[float, ...] = (float("-inf"),)
    down: tuple[float, ...] = (0.0,)

    def at(self, y: float) -> float:
        """How far down what stands at `y` goes."""
        return self.down[max(bisect_right(self.tops, y) - 1, 0)]

    def point(self, point: Point) -> Point:
        """Where a point goes."""
        return point[0] + self.right, point[1] + self.at(point[1])


@dataclass(frozen=True)
class Wrap:
    """Where the rows of a picture begin, how each is moved, and the lines that go on from row to row."""

    cuts: tuple[float, ...] = ()
    moves: tuple[Move, ...] = (Move(),)
    ends: tuple[Point, ...] = ()
    lines: tuple[dict[float, int], ...] = ()

    def row(self, x: float) -> int:
        """The row that holds what stood at `x`."""
        return bisect_right(self.cuts, x)

    def moved(self, at: Extent) -> Extent:
        """Where a rectangle goes."""
        move = self.moves[self.row((at[0] + at[2]) / 2)]
        dx, dy = move.right, move.at((at[1] + at[3]) / 2)
        return at[0] + dx, at[1] + dy, at[2] + dx, at[3] + dy

    def groups(self, groups: Iterable[Group]) -> list[Group]:
        """The groups in rows."""
        return [replace(group, marks=tuple(self._mark(mark) for mark in group.marks)) for group in groups]

    def _mark(self, mark: Mark) -> Mark:
        if isinstance(mark, Curve):
            if mark.points not in self._known:
                self._known[mark.points] = self._path(mark.points)
            return replace(mark, points=self._known[mark.points])
        left, top, right, bottom = extent(mark)
        move = self.moves[self.row((left + right) / 2)]
        return moved(mark, move.right, move.at((top + bottom) / 2))

    @cached_property
    def _known(self) -> dict[Path, Path]:
        """Where paths went before: the frames of a story share theirs."""
        return {}

    def _path(self, path: Path) -> Path:
        """The pieces in their rows, with a turn wherever the path goes from one row to another."""
        made: list[Point] = []
        row = self.row(middle(path, 0))
        for piece, x in cut(path, self.cuts):
            here = self.row(x)
            points = [self.moves[here].point(point) for point in piece]
            if made and here != row:
                made += self._turn(made[-1], points[0], piece[0][1], row, here)[1:]
            made += points[1:] if made else points
            row = here
        return tuple(made)

    def _turn(self, start: Point, end: Point, y: float, row: int, other: int) -> Path:
        """From the right end of a row to the left of the next, around all that is in them; or the way back."""
        if row > other:
            return tuple(reversed(self._turn(end, start, y, other, row)))
        order = self.lines[row]
        k, last = order.get(round(y, 2), 0), len(order) - 1
        right, down = self.ends[row]
        out, level = right + _TURN + _SPACING * k, down + _CHANNEL + _SPACING * k
        into = end[0] - _TURN - _SPACING * (last - k)
        return rounded([start, (out, start[1]), (out, level), (into, level), (into, end[1]), end])


def wrap(
    groups: Sequence[Group],
    width: float | None,
    together: Sequence[tuple[float, float]] = (),
    solid: Sequence[Extent] = (),
) -> Wrap:
    """How `groups`, those of the last frame, are cut into rows of about `width`; one row where it is None.

    What reaches from left to right in each pair of `together` is cut only where it must be; rows have room for the
    rectangles `solid` besides their marks. One row, too, where thousands of lines would have to go on.
    """
    boxes = [*solid, *(extent(m) for group in groups for m in group.marks if not isinstance(m, Curve))]
    curves = {mark.points for group in groups for mark in group.marks if isinstance(mark, Curve)}
    if not boxes or width is None:
        return Wrap()
    ends = [min(box[0] for box in boxes), max(box[2] for box in boxes)]
    if ends[1] - ends[0] <= width * _TOLERANCE:
        return Wrap()
    spans = [(min(p[0] for p in path), max(p[0] for p in path)) for path in curves]
    cuts = _cuts(_gaps(boxes), spans, ends, width, together)
    turns = sum(bisect_left(cuts, b) - bisect_right(cuts, a) for a, b in spans)
    return _rows(boxes, curves, cuts, ends[0]) if cuts and turns <= _MOST_TURNS else Wrap()


def _gaps(boxes: Iterable[Extent]) -> list[float]:
    """The x at which nothing but curves would be cut."""
    gaps: list[float] = []
    reach = float("inf")
    for left, _, right, _ in sorted(boxes):
        if left - reach > 2 * _CLEAR:
            gaps.append((left + reach) / 2)
        reach = right if reach == float("inf") else max(reach, right)
    return gaps


def _cuts(
    gaps: Sequence[float],
    spans: Sequence[tuple[float, float]],
    ends: Sequence[float],
    width: float,
    together: Sequence[tuple[float, float]],
) -> tuple[float, ...]:
    """The cheapest cuts: rows alike in width, none wider than `width` where that can be, and little cut."""
    left, right = ends
    places = [left, *gaps, right]
    costs = [_LINE_COST * _cut_by(x, spans) + _SCOPE_COST * _cut_by(x, together) for x in places]
    even = (right - left) / -(-(right - left) // width)
    best: list[tuple[float, int]] = [(0.0, 0)]
    for j in range(1, len(places)):
        step = costs[j] if j < len(places) - 1 else 0.0
        best.append(min((best[i][0] + step + _unlike(places[j] - places[i], even, width), i) for i in range(j)))
    cuts, k = [], best[-1][1]
    while k:
        cuts.append(places[k])
        k = best[k][1]
    return tuple(reversed(cuts))


def _cut_by(x: float, spans: Sequence[tuple[float, float]]) -> int:
    """How many spans a cut at `x` goes through."""
    return sum(1 for a, b in spans if a < x < b)


def _unlike(length: float, even: float, width: float) -> float:
    """What a row of this length costs."""
    too_wide = max(length - 1.1 * width, 0.0) / width
    return 0.3 * ((length - even) / even) ** 2 + 0.05 + 20 * too_wide


def _rows(boxes: Sequence[Extent], curves: set[Path], cuts: tuple[float, ...], left: float) -> Wrap:
    """Rows below one another, with room between them for the lines that go on."""
    lines, moves, ends, y = _lines(curves, cuts), [], [], 0.0
    contents = _contents(boxes, curves, cuts)
    for row, (start, content) in enumerate(zip([left, *cuts], contents, strict=True)):
        before = len(lines[row - 1]) if row else 0
        indent = _TURN + _SPACING * before + 4 if row else 0.0
        y += 2 * _CHANNEL + _SPACING * (before - 1) if row else 0.0
        tops, down = _narrowed(content, y)
        moves.append(Move(left + indent - start, tops, down))
        right = max([box[2] for box in content], default=start)
        y = max(box[3] for box in content) + down[-1]
        ends.append((max([right, *cuts[row : row + 1]]) + moves[-1].right, y))
    return Wrap(cuts, tuple(moves), tuple(ends), lines)


def _narrowed(content: Sequence[Extent], y: float) -> tuple[tuple[float, ...], tuple[float, ...]]:
    """From which y on a row moves down how far, to begin at `y` and have no wide empty strips."""
    tops, down, reach = [float("-inf")], [y - min(box[1] for box in content)], float("inf")
    for _, top, _, bottom in sorted(content, key=lambda box: box[1]):
        if top - reach > _WIDEST_STRIP:
            tops.append((top + reach) / 2)
            down.append(down[-1] - (top - reach - _WIDEST_STRIP))
        reach = bottom if reach == float("inf") else max(reach, bottom)
    return tuple(tops), tuple(down)


def _lines(curves: set[Path], cuts: Sequence[float]) -> tuple[dict[float, int], ...]:
    """For each cut the y of the lines that cross it, the lowest first: that takes the innermost turn."""
    crossed: list[set[float]] = [set() for _ in cuts]
    for path in curves:
        pieces = list(cut(path, cuts))
        for (_, x), (piece, z) in pairwise(pieces):
            rows = bisect_right(cuts, x), bisect_right(cuts, z)
            if rows[0] != rows[1]:
                crossed[min(rows)].add(round(piece[0][1], 2))
    return tuple({y: k for k, y in enumerate(sorted(found, reverse=True))} for found in crossed)


def _contents(boxes: Iterable[Extent], curves: Iterable[Path], cuts: Sequence[float]) -> list[list[Extent]]:
    """What each row holds: rectangles, and of curves the points between which they run."""
    found: list[list[Extent]] = [[] for _ in range(len(cuts) + 1)]
    for box in boxes:
        found[bisect_right(cuts, (box[0] + box[2]) / 2)].append(box)
    for path in curves:
        for piece, x in cut(path, cuts):
            found[bisect_right(cuts, x)] += _runs(piece)
    return found


def _runs(path: Path) -> Iterator[Extent]:
    """Around each cubic that is not upright, and each point of those that are."""
    for k in range(0, len(path) - 1, 3):
        xs, ys = zip(*path[k : k + 4], strict=True)
        if max(xs) - min(xs) > 1:
            yield min(xs), min(ys) - _CLEAR, max(xs), max(ys) + _CLEAR
        else:
            yield from ((x, y - _CLEAR, x, y + _CLEAR) for x, y in (path[k], path[k + 3]))
