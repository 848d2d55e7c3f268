"""Scenes for Graphviz's own painters: drawing commands in the background of an otherwise empty graph.

Format: https://graphviz.org/docs/outputs/canon/#xdot. The y axis points up there.
"""

from __future__ import annotations

from collections.abc import Iterable

from graphdl.draw.scene import Box, Curve, Label, Mark, Point, Polygon, Scene

_FONT = "Helvetica"
_BOLD = "Helvetica Bold"
# Graphviz reads quoted strings of less than 16384 bytes.
_LONGEST_STRING = 12000
# Length of the handles of a cubic that follows a quarter of a circle of radius 1.
_QUARTER = 0.5523


def to_background(scene: Scene) -> str:
    """A DOT graph that paints the scene, for `nop2`."""
    commands = [
        _fill(scene.background),
        _polygon(_corners(Box(scene.width / 2, scene.height / 2, scene.width, scene.height, "")), scene.height),
    ]
    for group in scene.groups:
        for mark in group.marks:
            commands += _mark(mark, scene.height)
    painted = " + ".join(f'"{text}"' for text in _in_pieces(commands))
    return "\n".join(
        [
            "digraph {",
            f'  graph [bb="0,0,{scene.width:.2f},{scene.height:.2f}", bgcolor="{scene.background}", margin=0, pad=0]',
            f"  graph [_background={painted}]",
            f"  a {_corner(0, 0)}",
            f"  b {_corner(scene.width, scene.height)}",
            "}",
        ]
    )


def _in_pieces(commands: Iterable[str]) -> list[str]:
    """The commands as DOT strings short enough for Graphviz's reader, which DOT puts together with a plus."""
    pieces = [""]
    for command in commands:
        text = command.replace('"', '\\"') + " "
        if len((pieces[-1] + text).encode()) > _LONGEST_STRING:
            pieces.append("")
        pieces[-1] += text
    return pieces


def _corner(x: float, y: float) -> str:
    return f'[pos="{x:.2f},{y:.2f}", width=0.001, height=0.001, fixedsize=true, style=invis, label=""]'


def _mark(mark: Mark, height: float) -> list[str]:
    if isinstance(mark, Box):
        return _box(mark, height)
    if isinstance(mark, Curve):
        return [_pen(mark.stroke), *_line(mark.weight, mark.dashed), _points("B", mark.points, height)]
    if isinstance(mark, Polygon):
        return [_pen(mark.fill), _fill(mark.fill), *_line(0.1, False), _polygon(mark.points, height)]
    return _label(mark, height)


def _box(box: Box, height: float) -> list[str]:
    """The filling, then the outline; a rounded outline is a chain of curves."""
    commands = []
    outline = _rounded(box) if box.radius else ()
    if box.fill != "none":
        commands += [_pen(box.fill), _fill(box.fill), *_line(0.1, False)]
        commands.append(_points("b", outline, height) if outline else _polygon(_corners(box), height))
    if box.stroke != "none":
        corners = _corners(box)
        line = _points("B", outline, height) if outline else _points("L", (*corners, corners[0]), height)
        commands += [_pen(box.stroke), *_line(box.weight, box.dashed), line]
    return commands


def _label(label: Label, height: float) -> list[str]:
    # Graphviz gives up the whole background at a text without letters.
    if not label.text:
        return []
    justify = {"start": -1, "middle": 0, "end": 1}[label.anchor]
    font = _BOLD if label.bold else _FONT
    place = f"{label.x:.2f} {height - label.y:.2f} {justify} 0"
    return [_pen(label.fill), f"F {label.size:.2f} {_counted(font)}", f"T {place} {_counted(label.text)}"]


def _corners(box: Box) -> tuple[Point, ...]:
    left, right = box.x - box.width / 2, box.x + box.width / 2
    top, bottom = box.y - box.height / 2, box.y + box.height / 2
    return ((left, top), (right, top), (right, bottom), (left, bottom))


def _rounded(box: Box) -> tuple[Point, ...]:
    """The outline with quarter circles at the corners, as one chain of cubics."""
    radius = min(box.radius, box.width / 2, box.height / 2)
    (left, top), (right, _), (_, bottom), _ = _corners(box)
    r, k = radius, radius * (1 - _QUARTER)
    chain: list[Point] = [(left + r, top)]
    chain += _straight(chain[-1], (right - r, top))
    chain += [(right - k, top), (right, top + k), (right, top + r)]
    chain += _straight(chain[-1], (right, bottom - r))
    chain += [(right, bottom - k), (right - k, bottom), (right - r, bottom)]
    chain += _straight(chain[-1], (left + r, bottom))
    chain += [(left + k, bottom), (left, bottom - k), (left, bottom - r)]
    chain += _straight(chain[-1], (left, top + r))
    return (*chain, (left, top + k), (left + k, top), (left + r, top))


def _straight(start: Point, end: Point) -> list[Point]:
    return [start, end, end]


def _points(command: str, points: tuple[Point, ...], height: float) -> str:
    inside = " ".join(f"{x:.2f} {height - y:.2f}" for x, y in points)
    return f"{command} {len(points)} {inside}"


def _polygon(points: tuple[Point, ...], height: float) -> str:
    return _points("P", points, height)


def _pen(colour: str) -> str:
    return f"c {_counted(colour)}"


def _fill(colour: str) -> str:
    return f"C {_counted(colour)}"


def _line(weight: float, dashed: bool) -> list[str]:
    return [f"S {_counted('dashed' if dashed else 'solid')}", f"S {_counted(f'setlinewidth({weight:.2f})')}"]


def _counted(text: str) -> str:
    """Text with its length; DOT has no way to write a lone backslash, so its twin from mathematics stands in."""
    safe = text.replace("\\", "∖")
    return f"{len(safe.encode())} -{safe}"
