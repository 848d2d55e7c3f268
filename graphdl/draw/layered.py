"""A layout in layers of our own, for where Graphviz is missing or too slow (Sugiyama, Tagawa & Toda 1981).

Layers by the longest path, long links through empty places, order by the mean of the neighbours, then rows
moved towards their neighbours as far as the order allows.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import accumulate, pairwise

Sizes = Mapping[str, tuple[float, float]]
Pairs = Sequence[tuple[str, str]]
Point = tuple[float, float]

_SWEEPS = 8
# Beyond this many places, empty ones included, two sweeps must do; beyond the second number links go straight.
_MOST_REFINED = 4000
_MOST_PLACES = 40_000
_LEVEL = 0.01


def place_in_layers(
    sizes: Sizes,
    links: Pairs,
    column_gap: float,
    row_gap: float,
    layer: Mapping[str, int] | None = None,
    spans: Sequence[tuple[float, float]] | None = None,
) -> tuple[dict[str, Point], list[tuple[Point, ...]]]:
    """The middle of each cell and the path of each link; y grows downwards, links run from left to right.

    `layer` (of each cell) and `spans` (left and right of each layer) are worked out where they are not given.
    """
    layer = layer or _layers(sizes, links)
    places = sum(abs(layer[b] - layer[a]) for a, b in links)
    chains = [_chain(i, link, layer) if places <= _MOST_PLACES else list(link) for i, link in enumerate(links)]
    columns = _columns(sizes, chains, layer)
    heights = {name: sizes[name][1] if name in sizes else row_gap for column in columns for name in column}
    neighbours = _neighbours(columns, chains)
    sweeps = _SWEEPS if len(heights) <= _MOST_REFINED else 2
    _order(columns, neighbours, sweeps)
    y = _rows(columns, neighbours, heights, row_gap, sweeps)
    spans = spans or _spans(columns, sizes, column_gap)
    at = {name: ((spans[k][0] + spans[k][1]) / 2, y[name]) for k, column in enumerate(columns) for name in column}
    return {name: at[name] for name in sizes}, [_path(chain, at, sizes, spans) for chain in chains]


def _layers(sizes: Sizes, links: Pairs) -> dict[str, int]:
    """The longest path to each cell; then leaves move up to the first cell that reads them."""
    waiting = dict.fromkeys(sizes, 0)
    after: dict[str, list[str]] = {name: [] for name in sizes}
    for source, target in links:
        waiting[target] += 1
        after[source].append(target)
    layer = dict.fromkeys(sizes, 0)
    ready = [name for name in sizes if not waiting[name]]
    done: set[str] = set()
    while len(done) < len(sizes):
        if not ready:  # a cycle: go on with the first cell that is left
            ready = [next(name for name in sizes if name not in done)]
        name = ready.pop()
        if name in done:
            continue
        done.add(name)
        for target in after[name]:
            waiting[target] -= 1
            if target not in done:
                layer[target] = max(layer[target], layer[name] + 1)
                if waiting[target] <= 0:
                    ready.append(target)
    _pull(layer, links, after)
    return layer


def _pull(layer: dict[str, int], links: Pairs, after: Mapping[str, list[str]]) -> None:
    fed = {target for _, target in links}
    for name, targets in after.items():
        later = [layer[target] for target in targets if layer[target] > layer[name]]
        if name not in fed and later:
            layer[name] = min(later) - 1


def _chain(number: int, link: tuple[str, str], layer: Mapping[str, int]) -> list[str]:
    """The cells and empty places that a link passes, one in each layer."""
    source, target = link
    first, last = layer[source], layer[target]
    step = 1 if last >= first else -1
    return [source, *(f"{number}:{k}" for k in range(first + step, last, step)), target]


def _columns(sizes: Sizes, chains: Sequence[list[str]], layer: Mapping[str, int]) -> list[list[str]]:
    columns: list[list[str]] = [[] for _ in range(max(layer.values(), default=-1) + 1)]
    for name in sizes:
        columns[layer[name]].append(name)
    for chain in chains:
        for name in chain[1:-1]:
            columns[int(name.partition(":")[2])].append(name)
    return columns


def _neighbours(columns: Sequence[list[str]], chains: Sequence[list[str]]) -> dict[str, tuple[list[str], list[str]]]:
    """For each place those before it and those behind it."""
    found: dict[str, tuple[list[str], list[str]]] = {name: ([], []) for column in columns for name in column}
    for chain in chains:
        for one, other in pairwise(chain):
            found[one][1].append(other)
            found[other][0].append(one)
    return found


def _order(columns: list[list[str]], neighbours: Mapping[str, tuple[list[str], list[str]]], sweeps: int) -> None:
    """Sort each column by the mean place of its neighbours, to and fro."""
    place = {name: float(i) for column in columns for i, name in enumerate(column)}
    for sweep in range(sweeps):
        side = sweep % 2
        for column in columns if side == 0 else reversed(columns):
            near = {n: [place[m] for m in neighbours[n][side]] for n in column}
            mean = {n: sum(at) / len(at) if at else place[n] for n, at in near.items()}
            column.sort(key=lambda n: (mean[n], place[n]))
            place.update((n, float(i)) for i, n in enumerate(column))


def _rows(
    columns: Sequence[list[str]],
    neighbours: Mapping[str, tuple[list[str], list[str]]],
    heights: Mapping[str, float],
    gap: float,
    sweeps: int,
) -> dict[str, float]:
    """The y of each place: near the mean of its neighbours, in the order of its column, without overlaps."""
    y: dict[str, float] = {}
    for column in columns:
        _spread(column, dict.fromkeys(column, 0.0), heights, gap, y)
    for sweep in range(sweeps):
        for column in columns if sweep % 2 == 0 else reversed(columns):
            wanted = {}
            for name in column:
                before, behind = neighbours[name]
                near = [y[m] for m in (before if sweep % 2 == 0 else behind)] or [y[name]]
                wanted[name] = sum(near) / len(near)
            _spread(column, wanted, heights, gap, y)
    return y


def _spread(
    column: Sequence[str], wanted: Mapping[str, float], heights: Mapping[str, float], gap: float, y: dict[str, float]
) -> None:
    """Give each place of a column the y nearest to what it wants that overlaps nothing, by least squares.

    Without the room that each needs above it the y only must not fall: a monotone regression, found by pooling
    neighbours that want to change places (Ayer et al. 1955).
    """
    room = [*([0.0] if column else []), *((heights[a] + heights[b]) / 2 + gap for a, b in pairwise(column))]
    below = list(accumulate(room))
    pools: list[tuple[float, int]] = []  # sum and number of those that stand together
    for name, depth in zip(column, below, strict=True):
        total, count = wanted[name] - depth, 1
        while pools and pools[-1][0] / pools[-1][1] >= total / count:
            more, others = pools.pop()
            total, count = total + more, count + others
        pools.append((total, count))
    levels = [total / count for total, count in pools for _ in range(count)]
    y.update((name, level + depth) for name, level, depth in zip(column, levels, below, strict=True))


def _spans(columns: Sequence[list[str]], sizes: Sizes, gap: float) -> list[tuple[float, float]]:
    """Left and right of each column."""
    spans, left = [], 0.0
    for column in columns:
        width = max([sizes[n][0] for n in column if n in sizes], default=0.0)
        spans.append((left, left + width))
        left += width + gap
    return spans


def _path(
    chain: Sequence[str], at: Mapping[str, Point], sizes: Sizes, spans: Sequence[tuple[float, float]]
) -> tuple[Point, ...]:
    """Flat through the columns it passes, a cubic from each to the next."""
    stops = [(at[chain[0]][0] + sizes[chain[0]][0] / 2, at[chain[0]][1])]
    for name in chain[1:-1]:
        left, right = spans[int(name.partition(":")[2])]
        stops += [(left, at[name][1]), (right, at[name][1])]
    stops.append((at[chain[-1]][0] - sizes[chain[-1]][0] / 2, at[chain[-1]][1]))
    stops = _without_level_stops(stops)
    path = [stops[0]]
    for one, other in pairwise(stops):
        half = (other[0] - one[0]) / 2
        path += [(one[0] + half, one[1]), (other[0] - half, other[1]), other]
    return tuple(path)


def _without_level_stops(stops: Sequence[Point]) -> list[Point]:
    """The stops but those in the middle of a level line."""
    kept = [stops[0]]
    for before, stop, after in zip(stops, stops[1:], stops[2:], strict=False):
        if abs(before[1] - stop[1]) > _LEVEL or abs(stop[1] - after[1]) > _LEVEL:
            kept.append(stop)
    return [*kept, stops[-1]]
