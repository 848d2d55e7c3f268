"""Where things go: cells of fixed size and the links between them, placed in columns from left to right."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field

from graphdl.draw import graphviz
from graphdl.draw.layered import place_in_layers
from graphdl.draw.paths import Path
from graphdl.draw.scene import Point
from graphdl.draw.smooth import Rectangle, smoothed
from graphdl.errors import DrawError

# Space between cells of a column, and between columns, in points.
COLUMN_GAP = 22.0
ROW_GAP = 10.0
# Rounds of straightening for each cell. Without a bound a hundred readers of one leaf take dot more than 20 s.
_PATIENCE = 2


@dataclass(frozen=True)
class Cell:
    """A rectangle that needs a place."""

    id: str
    width: float
    height: float


@dataclass(frozen=True)
class Link:
    """From the right side of one cell to the left side of another; heavier links are kept straighter, one of weight 0
    only keeps its target right of its source.
    """

    source: str
    target: str
    weight: int = 1


Task = tuple[Sequence[Cell], Sequence[Link]]


@dataclass
class Placed:
    """The middle of each cell, the path of each link as cubic Bézier curves, y downwards; and who placed them."""

    at: dict[str, Point] = field(default_factory=dict)
    paths: list[Path] = field(default_factory=list)
    engine: str = "dot"


def place(cells: Sequence[Cell], links: Sequence[Link], time_limit: float = graphviz.TIME_LIMIT) -> Placed:
    """Places by Graphviz's `dot`; by our own layers where it is missing, fails or takes too long."""
    (placed,) = place_all([(cells, links)], time_limit)
    return placed


def place_all(graphs: Sequence[Task], time_limit: float = graphviz.TIME_LIMIT) -> list[Placed]:
    """`place` for several graphs with one Graphviz process, within `time_limit` for all; small ones come first."""
    order = sorted((i for i, (cells, _) in enumerate(graphs) if cells), key=lambda i: len(graphs[i][0]))
    found = dict(zip(order, _answers([graphs[i] for i in order], time_limit), strict=False))
    return [_finished(*graph, found.get(i)) if graph[0] else Placed() for i, graph in enumerate(graphs)]


def _answers(graphs: Sequence[Task], time_limit: float) -> Iterator[bytes]:
    """What Graphviz answers, as far as it comes: it stops at the first that takes too long."""
    if len(graphs) == 1:
        with suppress(DrawError):
            yield graphviz.run(_dot(*graphs[0]), "dot", "json0", time_limit=time_limit)
        return
    deadline = time.monotonic() + time_limit
    with suppress(DrawError):
        for answer in graphviz.run_all([graphviz.Request(_dot(*g), "dot", "json0") for g in graphs], time_limit):
            yield answer
            if time.monotonic() > deadline:
                return


def _finished(cells: Sequence[Cell], links: Sequence[Link], answer: bytes | None) -> Placed:
    """Places from Graphviz's answer, or of our own; the paths as smooth as they can be."""
    try:
        placed = _read(json.loads(answer or ""), cells, links)
    except (DrawError, ValueError, KeyError):
        sizes = {cell.id: (cell.width, cell.height) for cell in cells}
        placed = Placed(*place_in_layers(sizes, _pairs(links), COLUMN_GAP, ROW_GAP), "layers")
    rectangles = _rectangles(cells, placed)
    paths = [
        _touching(path, rectangles[a], rectangles[b]) for path, (a, b) in zip(placed.paths, _pairs(links), strict=True)
    ]
    return Placed(placed.at, smoothed(paths, _pairs(links), rectangles), placed.engine)


def _touching(path: Path, source: Rectangle, target: Rectangle) -> Path:
    """The path from the middle of the right side to the middle of the left side, to the last hundredth of a point."""
    start = (source[2], (source[1] + source[3]) / 2)
    return start, *path[1:-1], (target[0], (target[1] + target[3]) / 2)


def _pairs(links: Sequence[Link]) -> list[tuple[str, str]]:
    return [(link.source, link.target) for link in links]


def _rectangles(cells: Sequence[Cell], placed: Placed) -> dict[str, Rectangle]:
    found = {}
    for cell in cells:
        x, y = placed.at[cell.id]
        found[cell.id] = (x - cell.width / 2, y - cell.height / 2, x + cell.width / 2, y + cell.height / 2)
    return found


def _dot(cells: Sequence[Cell], links: Sequence[Link]) -> str:
    """The cells in the order of their ids, since the order of statements moves the picture."""
    lines = [
        "digraph {",
        f"  graph [rankdir=LR, ranksep={COLUMN_GAP / 72:.4f}, nodesep={ROW_GAP / 72:.4f}, nslimit={_PATIENCE}]",
        '  node [shape=box, fixedsize=true, label=""]',
        "  edge [dir=none, tailport=e, headport=w]",
    ]
    lines += [f"  {c.id} [width={c.width / 72:.4f}, height={c.height / 72:.4f}]" for c in sorted(cells, key=_by_id)]
    lines += [f"  {k.source} -> {k.target} [weight={k.weight}, id=k{i}]" for i, k in enumerate(links)]
    return "\n".join([*lines, "}"])


def _by_id(cell: Cell) -> tuple[int, str]:
    return len(cell.id), cell.id


def _read(answer: dict[str, object], cells: Sequence[Cell], links: Sequence[Link]) -> Placed:
    """Positions out of Graphviz's JSON, whose y axis points up."""
    objects: list[dict[str, str]] = answer.get("objects", [])  # type: ignore[assignment]
    edges: list[dict[str, str]] = answer.get("edges", [])  # type: ignore[assignment]
    at = {o["name"]: _point(o["pos"]) for o in objects}
    found = {e["id"]: tuple(map(_point, e["pos"].split())) for e in edges}
    paths = [found[f"k{i}"] for i in range(len(links))]
    if any(cell.id not in at for cell in cells):
        raise DrawError("Graphviz left out a cell")
    return Placed(at, paths)


def _point(text: str) -> Point:
    x, y = text.split(",")
    return float(x), -float(y)
