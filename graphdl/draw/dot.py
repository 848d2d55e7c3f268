"""Traces as DOT, for Graphviz and its relatives: ids of our own, every label quoted, statements in order of ids."""

from __future__ import annotations

from graphdl.draw.labels import gradient_text, value_text
from graphdl.draw.model import Frame, Trace, TraceEdge, TraceNode
from graphdl.draw.style import LIGHT, Theme, one_line

_LONGEST = 80

_SHAPES = {
    "placeholder": "box",
    "variable": "box",
    "constant": "plaintext",
    "noise": "box",
    "op": "ellipse",
    "loss": "box",
    "gradient": "box",
    "parameter gradient": "box",
}


def to_dot(trace: Trace, frame: Frame | None = None, theme: Theme = LIGHT, title: str = "") -> str:
    """The graph, its gradient graph and the numbers known in `frame`, by default at the end, as DOT text."""
    moment = frame or trace.frame()
    name = {"label": _escaped([title]), "labelloc": "t", "fontcolor": theme.local} if title else {}
    lines = [
        "digraph {",
        f"  graph {_attributes({'rankdir': 'LR', 'bgcolor': theme.background, 'fontname': 'Helvetica', **name})}",
        '  node [fontname="Helvetica"]',
        '  edge [fontname="Helvetica"]',
        *(_node(node, moment, theme) for node in trace.nodes),
        *(_edge(edge, theme) for edge in trace.edges),
        "}",
    ]
    return "\n".join(lines) + "\n"


def _node(node: TraceNode, frame: Frame, theme: Theme) -> str:
    look = theme.look(node.kind)
    styles = [word for word, wanted in _styles(node) if wanted]
    lines = [node.symbol if node.is_leaf else f"{node.glyph or node.op} {node.symbol}", node.type]
    if node.id in frame.values:
        lines.append(value_text(frame.values[node.id]))
    if node.id in frame.gradients:
        lines.append(f"∂ {gradient_text(frame.gradients[node.id])}")
    attributes = {
        "label": _escaped(lines),
        "id": node.id,
        "class": node.kind.replace(" ", "-"),
        "shape": _SHAPES[node.kind],
        "style": ",".join(styles),
        "color": "transparent" if look.stroke == "none" else look.stroke,
        "fillcolor": "transparent" if look.fill == "none" else look.fill,
        "fontcolor": look.text,
    }
    return f"  {node.id} {_attributes(attributes)}"


def _styles(node: TraceNode) -> list[tuple[str, bool]]:
    return [
        ("filled", True),
        ("rounded", node.kind in ("placeholder", "noise", "gradient")),
        ("dashed", node.is_backward),
        ("bold", node.kind in ("variable", "parameter gradient")),
    ]


def _edge(edge: TraceEdge, theme: Theme) -> str:
    style = {"forward": "solid", "backward": "dashed", "across": "dotted"}[edge.direction]
    colour = theme.lane if edge.direction == "backward" else theme.wire
    return f"  {edge.source} -> {edge.target} {_attributes({'id': edge.id, 'style': style, 'color': colour})}"


def _attributes(values: dict[str, str]) -> str:
    return "[" + ", ".join(f'{key}="{value}"' for key, value in values.items()) + "]"


def _escaped(lines: list[str]) -> str:
    """Lines of a label: quotes and backslashes escaped, so that no text ends the string or means \\N or \\G."""
    safe = (one_line(line, _LONGEST).replace("\\", "\\\\").replace('"', '\\"') for line in lines)
    return "\\n".join(safe)
