"""One node of a circuit: its shape, and right of it a stub of wire with the value above and the gradient below."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass

from graphdl.draw.digits import NOT_REQUIRED
from graphdl.draw.grouping import is_number
from graphdl.draw.labels import exact_text, gradient_row, gradient_text, value_row, value_text
from graphdl.draw.model import Frame, Trace, TraceNode, Value
from graphdl.draw.paths import Path, straight
from graphdl.draw.scene import Box, Curve, Group, Label, Mark, Point, arrowhead
from graphdl.draw.style import SMALL_SIZE, TEXT_SIZE, Theme, fitted, text_width

# The backward lane runs so far below the wire.
LANE = 5.0
CIRCLE = 36.0
BOX_HEIGHT = 28.0
_LEAST_STUB = 26.0
_WIDEST_NAME = 130.0
_WIDEST_CAPTION = 120.0
_LINE = 12.0
_ROWS = 19.5
_ROLE_SIZE = 9.0
# The glow of an active shape reaches so far around it.
_GLOW = 4.0
# Room for each wire into a shape with many.
_PITCH = 12.0
_SHORT = {
    "equal": "=",
    "not_equal": "≠",
    "less_equal": "≤",
    "greater_equal": "≥",
    "sigmoid_cross_entropy": "sigmoid + CE",
    "softmax_cross_entropy": "softmax + CE",
    "sparse_softmax_cross_entropy": "softmax + CE",
}
# Glyphs that need something to stand on.
_SUPERSCRIPTS = ("²", "ᵀ")


@dataclass(frozen=True)
class Gate:
    """Sizes of one node, measured on the widest texts that it ever shows, so that no frame moves."""

    node: TraceNode
    text: str
    width: float
    height: float
    stub: float
    captions: tuple[str, ...]
    is_inline: bool
    role: str = ""

    @property
    def cell_width(self) -> float:
        """Shape and stub."""
        return self.width + self.stub

    @property
    def above(self) -> float:
        """Space above the wire."""
        return max(self.height / 2 + (13.0 if self.role else 1.0), 0.0 if self.is_inline else 21.0)

    @property
    def below(self) -> float:
        """Space below the wire."""
        return max(self.foot + _LINE * len(self.captions) + 3, 0.0 if self.is_inline else 23.0)

    @property
    def foot(self) -> float:
        """Where the captions begin: below the shape, and where they reach under the row of the gradient below that."""
        widest = max((text_width(caption, SMALL_SIZE) for caption in self.captions), default=0.0)
        return self.height / 2 if widest < self.width + 4 else max(self.height / 2, _ROWS)

    @property
    def cell_height(self) -> float:
        """The wire is in the middle of the cell."""
        return 2 * max(self.above, self.below)

    def indent(self, shift: float) -> float:
        """How far right of its left side the outline is, `shift` below the middle."""
        if self.is_inline or self.node.kind != "op":
            return 0.0
        radius = min(self.width, self.height) / 2
        inside = min(max(abs(shift) - (self.height / 2 - radius), 0.0), radius)
        return float(radius - (radius**2 - inside**2) ** 0.5)


class Widths:
    """How wide the rows of numbers at the nodes `names` ever get in the steps of a story."""

    def __init__(self, trace: Trace, last: Frame, names: Collection[str]) -> None:
        self.last = last
        self.widest = dict.fromkeys(names, 0.0)
        for step in trace.steps:
            self._see(step.values, value_text)
            self._see(step.gradients, gradient_text)

    def _see(self, values: Mapping[str, Value], text: Callable[[Value], str]) -> None:
        for name in values.keys() & self.widest.keys():
            self.widest[name] = max(self.widest[name], text_width(text(values[name])))

    def of(self, node: TraceNode, has_backward: bool) -> float:
        """The room that both rows need."""
        rows = (value_row(node, self.last), gradient_row(node, self.last, has_backward))
        return max(self.widest[node.id], *map(text_width, rows))


def gate(node: TraceNode, widths: Widths, has_backward: bool, wires: int = 0) -> Gate:
    """The gate of a forward node that `wires` go into."""
    is_inline = is_number(node)
    bold = node.kind in ("variable", "loss")
    text = fitted(_leaf_text(node, bold) if node.is_leaf else glyph_text(node), _WIDEST_NAME, TEXT_SIZE, bold)
    width, height = _size(node, text, bold, is_inline)
    captions = () if is_inline else _captions(node)
    widest = max([text_width(caption, SMALL_SIZE) + 4 for caption in captions], default=0.0)
    stub = 4.0 if is_inline else max(_LEAST_STUB, widths.of(node, has_backward) + 14, widest - width)
    # Above a shape with many wires there is no room.
    role = node.role if has_backward and node.requires_grad and 0 < wires <= 4 else ""
    tall = max(height, _PITCH * (wires - 1) + 22) if wires > 3 else height
    return Gate(node, text, width, tall, stub, captions, is_inline, role)


def _leaf_text(node: TraceNode, bold: bool) -> str:
    """Its symbol; without the outer scopes where that would be too wide."""
    text, rest = node.symbol, node.symbol
    while text_width(text, TEXT_SIZE, bold) > _WIDEST_NAME and "." in rest:
        rest = rest.partition(".")[2]
        text = f"…{rest}"
    return text if rest else node.symbol


def glyph_text(node: TraceNode) -> str:
    """What stands in the shape of an op."""
    glyph = _SHORT.get(node.op) or node.glyph or node.op.replace("_", " ")
    return f"x{glyph}" if glyph in _SUPERSCRIPTS else glyph


def _size(node: TraceNode, text: str, bold: bool, is_inline: bool) -> tuple[float, float]:
    wide = text_width(text, TEXT_SIZE, bold)
    if is_inline:
        return wide + 6, 18.0
    if node.is_leaf:
        return max(wide + 20, 34.0), BOX_HEIGHT
    return (CIRCLE, CIRCLE) if wide <= CIRCLE - 10 else (wide + 22, BOX_HEIGHT + 2)


def _captions(node: TraceNode) -> tuple[str, ...]:
    """The symbol of a result (with its formula where the order of operands matters), and the shape of an array."""
    lines = []
    if not node.is_leaf:
        whole = f"{node.symbol} = {node.formula}"
        tells_order = len(node.inputs) > 1 and not node.commutes
        lines.append(whole if tells_order and text_width(whole, SMALL_SIZE) <= _WIDEST_CAPTION else node.symbol)
    if node.shape not in ("()", ""):
        lines.append(node.shape)
    return tuple(fitted(line, _WIDEST_CAPTION, SMALL_SIZE) for line in lines)


def gate_group(made: Gate, at: Point, frame: Frame, theme: Theme, has_backward: bool, readers: int) -> Group:
    """The marks of a gate whose cell has its middle at `at`; `readers` is the number of wires out of it."""
    node = made.node
    left, y = at[0] - made.cell_width / 2, at[1]
    marks: list[Mark] = []
    if node.id in frame.active_nodes:
        marks.append(_glow(made, left, y, theme))
    marks += _shape(made, left + made.width / 2, y, theme)
    marks += [] if made.is_inline else _stub(made, left + made.width, y, frame, theme, has_backward, readers)
    return Group(
        node.id,
        f"node {node.kind.replace(' ', '-')}",
        spoken(node, frame, has_backward),
        tuple(marks),
        nodes=(node.id,),
    )


def _glow(made: Gate, left: float, y: float, theme: Theme) -> Box:
    radius = _radius(made, theme) + _GLOW
    wide, high = made.width + 2 * _GLOW, made.height + 2 * _GLOW
    return Box(left + made.width / 2, y, wide, high, theme.active, radius=radius, part="active")


def _radius(made: Gate, theme: Theme) -> float:
    """Of the corners: ops are round."""
    return min(made.width, made.height) / 2 if made.node.kind == "op" else theme.look(made.node.kind).radius


def _shape(made: Gate, x: float, y: float, theme: Theme) -> list[Mark]:
    look = theme.look(made.node.kind)
    radius = _radius(made, theme)
    box = Box(x, y, made.width, made.height, look.fill, look.stroke, look.weight, radius, look.dashed)
    text = Label(x, y + TEXT_SIZE * 0.36, made.text, TEXT_SIZE, look.text, look.bold, part="name")
    return [text] if made.is_inline else [box, text, *_captioned(made, x, y, theme)]


def _captioned(made: Gate, x: float, y: float, theme: Theme) -> list[Mark]:
    """Small texts around the shape: its role in the backward pass above, its name and shape below."""
    lines: list[Mark] = []
    if made.role:
        top = y - made.height / 2 - 4
        lines.append(Label(x, top, made.role, _ROLE_SIZE, theme.muted, halo=theme.background, part="role"))
    for i, caption in enumerate(made.captions, start=1):
        place = max(x, x - made.width / 2 + text_width(caption, SMALL_SIZE) / 2)
        baseline = y + made.foot + _LINE * i - 1
        lines.append(Label(place, baseline, caption, SMALL_SIZE, theme.muted, halo=theme.background, part="caption"))
    return lines


def _stub(
    made: Gate, start: float, y: float, frame: Frame, theme: Theme, has_backward: bool, readers: int
) -> list[Mark]:
    """The wire out of the shape, its two rows of text, the dot where it forks, and the lane back into the shape."""
    end, middle = start + made.stub, start + made.stub / 2
    marks: list[Mark] = [Curve(straight((start, y), (end, y)), theme.wire)]
    if has_backward and made.node.requires_grad:
        marks += lane_marks(straight((end, y + LANE), (start + 5, y + LANE)), theme)
        marks.append(arrowhead((start + 1, y + LANE), (-1, 0), theme.lane, theme.lane_arrow))
    if readers > 1:
        marks.append(fork_dot(end, y, theme))
    if not readers:
        marks.append(arrowhead((end + 5, y), (1, 0), theme.wire))
    value = value_row(made.node, frame)
    if value:
        colour = theme.muted if made.node.id in frame.stale else theme.value
        marks.append(Label(middle, y - 6, value, TEXT_SIZE, colour, part="value", slot=f"v:{made.node.id}"))
    return [*marks, *_gradient(made.node, middle, y + LANE + 13.5, frame, theme, has_backward)]


def lane_marks(path: Path, theme: Theme) -> list[Mark]:
    """A backward lane."""
    return [Curve(path, theme.lane, theme.lane_weight, dashed=theme.lane_dashed, part="lane")]


def fork_dot(x: float, y: float, theme: Theme) -> Box:
    """Where one value goes several ways."""
    return Box(x, y, 6, 6, theme.wire, radius=3, part="fork")


def _gradient(node: TraceNode, x: float, y: float, frame: Frame, theme: Theme, has_backward: bool) -> list[Mark]:
    """Empty, a number, a 0 in a chip, or — : what has not come, what has, what came as zero, what never comes."""
    text, slot = gradient_row(node, frame, has_backward), f"g:{node.id}"
    if text == NOT_REQUIRED:
        return [Label(x, y - 3, text, TEXT_SIZE, theme.muted, part="no-gradient")]
    if text == "0":
        chip = Box(x, y - 4.7, 17, 14, "none", theme.gradient, 0.8, 4, part="zero")
        return [chip, Label(x, y, text, TEXT_SIZE, theme.gradient, part="gradient", slot=slot)]
    return [Label(x, y, text, TEXT_SIZE, theme.gradient, part="gradient", slot=slot)] if text else []


def spoken(node: TraceNode, frame: Frame, has_backward: bool) -> str:
    """A node as a sentence: what it is, its formula, exact value and gradient, and where the user wrote it."""
    parts = [f"{node.kind} {node.symbol}: {node.type}"]
    if node.formula:
        parts.append(f"{node.symbol} = {node.formula}")
    if node.id in frame.values:
        parts.append(f"value {exact_text(frame.values[node.id])}")
    if has_backward and node.requires_grad:
        found = frame.gradients.get(node.id)
        parts.append(f"gradient {exact_text(found)}" if found else "gradient not computed yet")
    elif has_backward:
        parts.append("no gradient is asked for")
    if node.origin:
        parts.append(f"written at {node.origin}")
    return ", ".join(parts)
