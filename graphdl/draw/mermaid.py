"""Traces as Mermaid flowcharts, for pages that draw those: the graph and its numbers, without lanes and positions.

Format: https://mermaid.js.org/syntax/flowchart.html. Its limits (500 edges, 50,000 characters) cannot be raised from
within a diagram.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass

from graphdl.draw.gates import glyph_text
from graphdl.draw.grouping import Block, grouped, homes
from graphdl.draw.labels import gradient_text, value_text
from graphdl.draw.model import Frame, Trace, TraceNode
from graphdl.draw.picture import chosen_view
from graphdl.draw.style import LIGHT, Look, Theme, one_line

MOST_EDGES = 500
MOST_CHARACTERS = 50_000
_LONGEST = 60
_MOST_PARAMETERS = 6
# What means something to Mermaid, to HTML, to Markdown or to the formulas in it is written by number.
_SPECIAL = frozenset('"#;<>&`{}[]%\\$*_~|@:')
_SHAPES = {"placeholder": ('(["', '"])'), "noise": ('(["', '"])'), "op": ('("', '")'), "gradient": ('("', '")')}
_LOSS = ('[["', '"]]')
_BOX = ('["', '"]')
_ARROWS = {"forward": "-->", "backward": "-.->", "across": "-.-"}


@dataclass(frozen=True)
class Item:
    """A node or a block, and the lines it shows."""

    id: str
    kind: str
    lines: list[str]


@dataclass(frozen=True)
class Chart:
    """What is shown. Arrows are pairs of ids with the direction they run in."""

    items: list[Item]
    arrows: list[tuple[str, str, str]]


def to_mermaid(
    trace: Trace, frame: Frame | None = None, view: str = "auto", theme: Theme = LIGHT, title: str = ""
) -> str:
    """The graph (in view "rails" its gradient graph, too) as text; blocks where Mermaid would refuse the whole."""
    moment = frame or trace.frame()
    chosen, note = chosen_view(trace, view)
    if chosen != "blocks":
        chart = _nodes(trace, moment, with_gradients=chosen == "rails")
        text = _text(chart, title, "", theme)
        note = _refused(chart, text)
        if not note:
            return text
    return _text(_blocks(trace, moment, view), title, note, theme)


def _refused(chart: Chart, text: str) -> str:
    """Why Mermaid would not draw the chart, or nothing."""
    if len(chart.arrows) > MOST_EDGES:
        return f"{len(chart.arrows)} edges are more than Mermaid draws ({MOST_EDGES}); here are blocks"
    if len(text) > MOST_CHARACTERS:
        return f"{len(text)} characters are more than Mermaid reads ({MOST_CHARACTERS}); here are blocks"
    return ""


def _nodes(trace: Trace, frame: Frame, with_gradients: bool) -> Chart:
    shown = trace.nodes if with_gradients else trace.forward
    items = [Item(node.id, node.kind, _lines(node, frame)) for node in shown]
    ids = {node.id for node in shown}
    edges = [edge for edge in trace.edges if edge.source in ids and edge.target in ids]
    return Chart(items, [(edge.source, edge.target, edge.direction) for edge in edges])


def _lines(node: TraceNode, frame: Frame) -> list[str]:
    """Its symbol and formula, its type, its value and its gradient."""
    glyph = "" if node.is_leaf or node.formula else f"{glyph_text(node)} "
    lines = [f"{glyph}{node.symbol}{node.formula and f' = {node.formula}'}"]
    lines += [node.shape] if node.shape not in ("", "()") else []
    if node.id in frame.values and not (node.kind == "constant" and not node.name):
        lines.append(value_text(frame.values[node.id]))
    if node.id in frame.gradients:
        lines.append(f"∂ {gradient_text(frame.gradients[node.id])}")
    return lines


def _blocks(trace: Trace, frame: Frame, view: str) -> Chart:
    """A box for each block, and for each node that is in none; an arrow where anything flows."""
    kind, _, which = view.partition(":")
    found = grouped(
        trace, int(which) if kind == "blocks" and which.isdecimal() else 1, which if kind == "open" else None
    )
    home = homes(found)
    items = [Item(block.id, "block", _summary(block, frame)) for block in found]
    items += [Item(node.id, node.kind, _lines(node, frame)) for node in trace.forward if node.id not in home]
    ends = ((home.get(source, source), home.get(node.id, node.id)) for node in trace.forward for source in node.inputs)
    return Chart(items, [(a, b, "forward") for a, b in dict.fromkeys(ends) if a != b])


def _summary(block: Block, frame: Frame) -> list[str]:
    """Its name, how many operations, and its parameters with their gradients."""
    count = len(block.ops)
    lines = [block.title, *([block.note] if block.note else [])]
    lines += [f"{count} operation{'s' if count != 1 else ''}"] if count else []
    for node in block.variables[:_MOST_PARAMETERS]:
        slope = frame.gradients.get(node.id)
        lines.append(f"{node.name or node.symbol} {node.shape}{f' ∂ {gradient_text(slope)}' if slope else ''}")
    more = len(block.variables) - _MOST_PARAMETERS
    return [*lines, f"and {more} more"] if more > 0 else lines


def _text(chart: Chart, title: str, note: str, theme: Theme) -> str:
    kinds = dict.fromkeys(item.kind for item in chart.items)
    late = [str(i) for i, arrow in enumerate(chart.arrows) if arrow[2] != "forward"]
    lines = [
        *(["---", f"title: {json.dumps(_plain(title), ensure_ascii=False)}", "---"] if title else []),
        "%% a computation graph, written by graphdl",
        *([f"%% {_plain(note)}"] if note else []),
        "flowchart LR",
        *(_item(item) for item in chart.items),
        *(f"  {source} {_ARROWS[direction]} {target}" for source, target, direction in chart.arrows),
        *(f"  classDef {_word(kind)} {_style(theme.look(kind))}" for kind in kinds),
        *([f"  linkStyle {','.join(late)} stroke:{theme.gradient}"] if late else []),
    ]
    return "\n".join(lines) + "\n"


def _item(item: Item) -> str:
    start, end = _LOSS if item.kind == "loss" else _SHAPES.get(item.kind, _BOX)
    return f"  {item.id}{start}{_escaped(item.lines)}{end}:::{_word(item.kind)}"


def _style(look: Look) -> str:
    paints = {"fill": look.fill, "stroke": look.stroke, "color": look.text}
    style = ",".join(f"{key}:{'transparent' if colour == 'none' else colour}" for key, colour in paints.items())
    return f"{style},stroke-width:{look.weight:g}px" + (",stroke-dasharray:5 3" if look.dashed else "")


def _word(kind: str) -> str:
    return kind.replace(" ", "_")


def _escaped(lines: Iterable[str]) -> str:
    return "<br/>".join("".join(map(_letter, one_line(line, _LONGEST))) for line in lines)


def _letter(letter: str) -> str:
    return f"#{ord(letter)};" if letter in _SPECIAL else letter


def _plain(text: str) -> str:
    """Text outside of labels, in which only a directive, in braces, would mean anything."""
    return one_line(text).replace("{", "(").replace("}", ")")
