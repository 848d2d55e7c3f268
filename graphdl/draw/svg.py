"""Scenes as SVG: presentation attributes only, ids with a prefix of the picture's own, titles for screen readers."""

from __future__ import annotations

import hashlib
import math
from html import escape

from graphdl.draw.scene import Box, Curve, Group, Label, Mark, Point, Polygon, Scene
from graphdl.draw.style import FONT


def to_svg(scene: Scene, own: str = "", widest: float = math.inf) -> str:
    """The scene as one SVG element, complete as a file and fit to be put into a page among others.

    own      goes into the prefix of its ids: on a page that shows one picture twice, each needs another
    widest   pixels; a wider picture is shown smaller
    """
    body = [_group(group) for group in scene.groups]
    prefix = f"g{hashlib.sha256(''.join([scene.title, *body]).encode()).hexdigest()[:8]}{own}"
    width, height = _n(scene.width), _n(scene.height)
    scale = min(1.0, widest / scene.width)
    lines = [
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{_n(scene.width * scale)}" '
        f'height="{_n(scene.height * scale)}" viewBox="0 0 {width} {height}" '
        f'role="img" aria-labelledby="{prefix}-title" font-family="{escape(FONT)}">',
        f'<title id="{prefix}-title">{escape(scene.title)}</title>',
        f'<rect width="{width}" height="{height}" fill="{scene.background}"/>',
        *(text.replace('id="', f'id="{prefix}-', 1) for text in body),
        "</svg>",
    ]
    return "\n".join(lines) + "\n"


def _group(group: Group) -> str:
    marks = "".join(map(_mark, group.marks))
    about = {"nodes": " ".join(group.nodes), "edges": " ".join(group.edges), "scope": group.scope}
    data = "".join(f' data-{key}="{escape(value)}"' for key, value in about.items() if value)
    return f'<g id="{group.id}" class="{group.kind}"{data}><title>{escape(group.title)}</title>{marks}</g>'


def _mark(mark: Mark) -> str:
    if isinstance(mark, Box):
        return _box(mark)
    if isinstance(mark, Curve):
        return _curve(mark)
    if isinstance(mark, Polygon):
        points = " ".join(f"{_n(x)},{_n(y)}" for x, y in mark.points)
        return f'<polygon class="{mark.part}" points="{points}" fill="{mark.fill}"/>'
    return _label(mark)


def _box(box: Box) -> str:
    left, top = box.x - box.width / 2, box.y - box.height / 2
    rounded = f' rx="{_n(box.radius)}"' if box.radius else ""
    dash = ' stroke-dasharray="5 3"' if box.dashed else ""
    line = "" if box.stroke == "none" else f' stroke="{box.stroke}" stroke-width="{_n(box.weight)}"{dash}'
    slot = f' data-slot="{escape(box.slot)}"' if box.slot else ""
    return (
        f'<rect class="{box.part}"{slot} x="{_n(left)}" y="{_n(top)}" width="{_n(box.width)}" height="{_n(box.height)}"'
        f'{rounded} fill="{box.fill}"{line}/>'
    )


def _curve(curve: Curve) -> str:
    path = f"M{_xy(curve.points[0])}" + "".join(
        _piece(curve.points[i : i + 4]) for i in range(0, len(curve.points) - 3, 3)
    )
    dash = ' stroke-dasharray="5 3"' if curve.dashed else ""
    return (
        f'<path class="{curve.part}" d="{path}" fill="none" stroke="{curve.stroke}" '
        f'stroke-width="{_n(curve.weight)}"{dash}/>'
    )


def _piece(cubic: tuple[Point, ...]) -> str:
    """One cubic; a straight line is shorter to write."""
    start, one, other, end = cubic
    if one == start and other == end:
        return f"L{_xy(end)}" if end != start else ""
    return f"C{_xy(one)} {_xy(other)} {_xy(end)}"


def _xy(point: Point) -> str:
    return f"{_n(point[0])},{_n(point[1])}"


def _label(label: Label) -> str:
    weight = ' font-weight="bold"' if label.bold else ""
    halo = f' stroke="{label.halo}" stroke-width="3" paint-order="stroke"' if label.halo else ""
    slot = f' data-slot="{escape(label.slot)}"' if label.slot else ""
    slot += f' data-before="{escape(label.before)}"' if label.before else ""
    return (
        f'<text class="{label.part}"{slot} x="{_n(label.x)}" y="{_n(label.y)}" text-anchor="{label.anchor}" '
        f'font-size="{_n(label.size)}" fill="{label.fill}"{weight}{halo}>{escape(label.text)}</text>'
    )


def _n(value: float) -> str:
    """A coordinate with at most two decimals."""
    return f"{value:.2f}".rstrip("0").rstrip(".").replace("-0", "0" if abs(value) < 0.005 else "-0")
