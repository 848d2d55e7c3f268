"""Where the marks of a scene are: texts and shapes as rectangles, and how far a point is from an outline."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import combinations
from typing import NamedTuple

from graphdl.draw.bounds import extent
from graphdl.draw.scene import Box, Curve, Group, Label, Polygon, Scene

# Text is measured as wide as in the widest of our fonts: so much of two texts may overlap and yet not touch.
SLACK = 1.5


class Placed(NamedTuple):
    """A mark, whose it is, and its rectangle."""

    group: Group
    mark: Box | Label
    box: tuple[float, float, float, float]


def texts(scene: Scene) -> list[Placed]:
    """All texts that are not empty."""
    return [found for found in _marks(scene, Label) if found.mark.text]


def shapes(scene: Scene) -> list[Placed]:
    """The outlines of nodes, cards and pills."""
    return [
        found for found in _marks(scene, Box) if found.mark.part in ("shape", "pill") and found.group.id != "legend"
    ]


def _marks(scene: Scene, kind: type) -> list[Placed]:
    return [Placed(g, mark, extent(mark)) for g in scene.groups for mark in g.marks if isinstance(mark, kind)]


def overlapping_texts(scene: Scene) -> list[tuple[str, str]]:
    """Pairs of texts that run into one another."""
    pairs = combinations(sorted(texts(scene), key=lambda found: found.box[0]), 2)
    return [(a.mark.text, b.mark.text) for a, b in pairs if overlap(a.box, b.box, SLACK)]


def texts_on_strange_shapes(scene: Scene) -> list[tuple[str, str]]:
    """Texts that lie on the shape of another node, with whose shape it is."""
    return [
        (text.mark.text, shape.group.id)
        for text in texts(scene)
        for shape in shapes(scene)
        if text.group.id not in (shape.group.id, "legend") and overlap(text.box, shape.box, SLACK)
    ]


def overlapping_shapes(scene: Scene) -> list[tuple[str, str]]:
    """Pairs of shapes that cover one another."""
    return [(a.group.id, b.group.id) for a, b in combinations(shapes(scene), 2) if overlap(a.box, b.box, 0.01)]


def outside(scene: Scene) -> list[object]:
    """Marks that are not wholly in the picture."""
    marks = [mark for group in scene.groups for mark in group.marks]
    limits = (0, 0, scene.width, scene.height)
    return [m for m in marks if not _contains(limits, extent(m))]


def _contains(outer: tuple[float, ...], inner: tuple[float, ...]) -> bool:
    return outer[0] <= inner[0] and outer[1] <= inner[1] and inner[2] <= outer[2] and inner[3] <= outer[3]


def overlap(a: tuple[float, ...], b: tuple[float, ...], slack: float) -> bool:
    return a[0] < b[2] - slack and b[0] < a[2] - slack and a[1] < b[3] - slack and b[1] < a[3] - slack


def tips(group: Group) -> list[tuple[float, float]]:
    """Where the arrows of a group end."""
    return [mark.points[0] for mark in group.marks if isinstance(mark, Polygon)]


def curves(group: Group, part: str) -> Iterable[Curve]:
    return (mark for mark in group.marks if isinstance(mark, Curve) and mark.part == part)


def sampled(path: tuple[tuple[float, float], ...], count: int = 24) -> Iterator[tuple[float, float]]:
    """Points on a chain of cubics, by Bernstein's polynomials."""
    for k in range(0, len(path) - 1, 3):
        for i in range(count + 1):
            t = i / count
            weights = ((1 - t) ** 3, 3 * t * (1 - t) ** 2, 3 * t * t * (1 - t), t**3)
            x, y = (sum(w * p[axis] for w, p in zip(weights, path[k : k + 4], strict=True)) for axis in (0, 1))
            yield x, y


def distance_to_outline(point: tuple[float, float], box: Box) -> float:
    """How far `point` is from the line around a rectangle with rounded corners."""
    radius = min(box.radius, box.width / 2, box.height / 2)
    x, y = abs(point[0] - box.x) - (box.width / 2 - radius), abs(point[1] - box.y) - (box.height / 2 - radius)
    return abs((max(x, 0.0) ** 2 + max(y, 0.0) ** 2) ** 0.5 + min(max(x, y), 0.0) - radius)


def shape_of(scene: Scene, id: str) -> Box:
    """The outline of a node or card."""
    (found,) = (found.mark for found in shapes(scene) if found.group.id == id and found.mark.part == "shape")
    assert isinstance(found, Box)
    return found
