"""Loss surfaces over a plane, to watch optimizers on."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

from graphdl.errors import GraphError
from graphdl.ir.node import Node
from graphdl.keras.lookup import by_name
from graphdl.ops.arithmetic import square

Function = Callable[[Node, Node], Node]


@dataclass(frozen=True)
class Surface:
    """A loss of two numbers, where to look at it, where to start, and where it is least (None: nowhere).

    extent   left, right, bottom, top
    """

    name: str
    loss: Function
    extent: tuple[float, float, float, float]
    start: tuple[float, float]
    minimum: tuple[float, float] | None
    formula: str = ""


def valley(x: Node, y: Node) -> Node:
    """A parabola that is twenty times as steep one way as the other."""
    return 0.05 * square(x) + square(y)


def rosenbrock(x: Node, y: Node) -> Node:
    """A bent valley with a flat floor (Rosenbrock 1960)."""
    return square(1 - x) + 100 * square(y - square(x))


def beale(x: Node, y: Node) -> Node:
    """Plains between steep walls (Beale 1958)."""
    return square(1.5 - x + x * y) + square(2.25 - x + x * square(y)) + square(2.625 - x + x * y * square(y))


def saddle(x: Node, y: Node) -> Node:
    """Down to both sides of a pass: the gradient at its middle is 0, and nothing is least."""
    return square(x) - square(y)


SURFACES = {
    "valley": Surface("valley", valley, (-11, 3, -4, 4), (-10, 2.5), (0, 0), "x²/20 + y²"),
    "rosenbrock": Surface("rosenbrock", rosenbrock, (-2, 2, -1, 3), (-1.5, 2), (1, 1), "(1 − x)² + 100 (y − x²)²"),
    "beale": Surface(
        "beale",
        beale,
        (-1, 4, -2.2, 2.2),
        (1, 1.5),
        (3, 0.5),
        "(1.5 − x + xy)² + (2.25 − x + xy²)² + (2.625 − x + xy³)²",
    ),
    "saddle": Surface("saddle", saddle, (-2.2, 2.2, -2.2, 2.2), (-2, 0.01), None, "x² − y²"),
}


def surface_of(loss: Any, start: Any, extent: Any) -> Surface:
    """The surface of that name, or of a function of two nodes; `start` and `extent` change where it is looked at."""
    if isinstance(loss, str):
        loss = by_name("surface", loss, SURFACES)
    if callable(loss) and not isinstance(loss, Surface):
        if start is None:
            raise GraphError("a surface of one's own needs a start, as in trajectories(loss, start=(1.0, 2.0))")
        around = _around(_pair(start))
        loss = Surface(getattr(loss, "__name__", "loss"), loss, around, _pair(start), None)
    if not isinstance(loss, Surface):
        raise GraphError(f"a surface is {loss!r:.60}, expected a name such as 'beale', or a function of two nodes")
    begin = loss.start if start is None else _pair(start)
    return replace(loss, start=begin, extent=_extent(loss.extent if extent is None else extent))


def _around(start: tuple[float, float]) -> tuple[float, float, float, float]:
    reach = 1.5 * max(1.0, abs(start[0]), abs(start[1]))
    return -reach, reach, -reach, reach


def _pair(given: Any) -> tuple[float, float]:
    try:
        x, y = map(float, given)
    except (TypeError, ValueError):
        raise GraphError(f"start is {given!r:.40}, expected two numbers") from None
    return x, y


def _extent(given: Any) -> tuple[float, float, float, float]:
    try:
        left, right, bottom, top = map(float, given)
    except (TypeError, ValueError):
        raise GraphError(f"extent is {given!r:.60}, expected four numbers: left, right, bottom, top") from None
    if not (left < right and bottom < top):
        raise GraphError(f"extent is {(left, right, bottom, top)}, expected left below right and bottom below top")
    return left, right, bottom, top
