"""Pictures as lists of marks with positions: what the SVG writer and the PNG and PDF writer both print."""

from __future__ import annotations

from dataclasses import dataclass

Point = tuple[float, float]


@dataclass(frozen=True)
class Box:
    """A rectangle by its middle; `radius` rounds the corners. "none" leaves out a colour.

    A bar with the `slot` "b:n3" shows how long the gradient of node n3 is, on a logarithmic scale: drawn as it is when
    that is known, and not at all before.
    """

    x: float
    y: float
    width: float
    height: float
    fill: str
    stroke: str = "none"
    weight: float = 1.0
    radius: float = 0.0
    dashed: bool = False
    part: str = "shape"
    slot: str = ""


@dataclass(frozen=True)
class Curve:
    """A chain of cubic Bézier curves: the first point, then three points for each."""

    points: tuple[Point, ...]
    stroke: str
    weight: float = 1.2
    dashed: bool = False
    part: str = "wire"


@dataclass(frozen=True)
class Polygon:
    """A filled outline, such as an arrowhead."""

    points: tuple[Point, ...]
    fill: str
    part: str = "arrow"


@dataclass(frozen=True)
class Label:
    """One line of text, its middle (or its start or end) at x and its baseline at y.

    A `slot` says whose number it shows, so that a player can write another one there: "v:n3" the value of node n3,
    "g:n3" its gradient (with the sum that made it), "d:n3" its gradient alone, "l:e5" the local derivative on wire
    e5, "r:n3 n7" from the least to the greatest norm of the gradients of these nodes. `text` then begins with
    `before`, which stays.
    """

    x: float
    y: float
    text: str
    size: float
    fill: str
    bold: bool = False
    anchor: str = "middle"
    halo: str = ""
    part: str = "label"
    slot: str = ""
    before: str = ""


Mark = Box | Curve | Polygon | Label


@dataclass(frozen=True)
class Group:
    """Marks that belong together: a node, a card or a wire, with a title that can be read aloud.

    `nodes` are the nodes that a card stands for, `edges` the wires that a wire between cards stands for; either is
    active when one of them is. `scope` is the scope whose inside a card hides.
    """

    id: str
    kind: str
    title: str
    marks: tuple[Mark, ...]
    nodes: tuple[str, ...] = ()
    edges: tuple[str, ...] = ()
    scope: str = ""


@dataclass(frozen=True)
class Scene:
    """A whole picture, y downwards, in points."""

    width: float
    height: float
    background: str
    title: str
    groups: tuple[Group, ...]


def arrowhead(tip: Point, direction: Point, fill: str, size: float = 6.0) -> Polygon:
    """A triangle that points along `direction` and ends at `tip`."""
    length = (direction[0] ** 2 + direction[1] ** 2) ** 0.5 or 1.0
    dx, dy = direction[0] / length, direction[1] / length
    back = (tip[0] - dx * size, tip[1] - dy * size)
    half = size * 0.45
    return Polygon((tip, (back[0] - dy * half, back[1] + dx * half), (back[0] + dy * half, back[1] - dx * half)), fill)
