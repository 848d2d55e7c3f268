"""One node of a circuit: its shape, and right of it a stub of wire with the value above and the gradient below."""

from __future__ import annotations

from dataclasses import dataclass

from graphdl.draw.digits import NOT_REQUIRED
from graphdl.draw.labels import exact_text, gradient_row, value_row
from graphdl.draw.model import Frame, TraceNode
from graphdl.draw.paths import straight
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
    """Sizes of one node, measured on what it shows at the end of the story, so that no frame moves."""

    node: TraceNode
    text: str
    width: float
    height: float
    stub: float
    captions: tuple[str, ...]
    is_inline: bool

    @property
    def cell_width(self) -> float:
        """Shape and stub."""
        return self.width + self.stub

    @property
    def above(self) -> float:
        """Space above the wire."""
        return max(self.height / 2, 0.0 if self.is_inline else 21.0) + 1

    @property
    def below(self) -> float:
        """Space below the wire."""
        return max(self.height / 2 + _LINE * len(self.captions) + 3, 0.0 if self.is_inline else 23.0)

    @property
    def cell_height(self) -> float:
        """The wire is in the middle of the cell."""
        return 2 * max(self.above, self.below)


def gate(node: TraceNode, last: Frame, has_backward: bool) -> Gate:
    """The gate of a forward node; `last` is the last frame."""
    is_inline = node.kind == "constant" and not node.name
    bold = node.kind in ("variable", "loss")
    text = fitted(node.symbol if node.is_leaf else glyph_text(node), _WIDEST_NAME, TEXT_SIZE, bold)
    width, height = _size(node, text, bold, is_inline)
    rows = (value_row(node, last), gradient_row(node, last, has_backward))
    stub = 4.0 if is_inline else max(_LEAST_STUB, *(text_width(row) + 14 for row in rows))
    return Gate(node, text, width, height, stub, () if is_inline else _captions(node), is_inline)


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
    """The marks of a gate whose cell has its middle at `at`."""
    node = made.node
    left, y = at[0] - made.cell_width / 2, at[1]
    marks: list[Mark] = []
    if node.id in frame.active_nodes:
        marks.append(_glow(made, left, y, theme))
    marks += _shape(made, left + made.width / 2, y, theme)
    marks += [] if made.is_inline else _stub(made, left + made.width, y, frame, theme, has_backward, readers)
    return Group(node.id, f"node {node.kind.replace(' ', '-')}", spoken(node, frame, has_backward), tuple(marks))


def _glow(made: Gate, left: float, y: float, theme: Theme) -> Box:
    look = 8 if made.height != CIRCLE else made.height / 2 + 4
    return Box(left + made.width / 2, y, made.width + 8, made.height + 8, theme.active, radius=look, part="active")


def _shape(made: Gate, x: float, y: float, theme: Theme) -> list[Mark]:
    look = theme.look(made.node.kind)
    radius = made.height / 2 if made.node.kind == "op" else look.radius
    box = Box(x, y, made.width, made.height, look.fill, look.stroke, look.weight, radius, look.dashed)
    text = Label(x, y + TEXT_SIZE * 0.36, made.text, TEXT_SIZE, look.text, look.bold, part="name")
    lines: list[Mark] = []
    for i, caption in enumerate(made.captions, start=1):
        place = max(x, x - made.width / 2 + text_width(caption, SMALL_SIZE) / 2)
        baseline = y + made.height / 2 + _LINE * i - 1
        lines.append(Label(place, baseline, caption, SMALL_SIZE, theme.muted, halo=theme.background, part="caption"))
    return [text] if made.is_inline else [box, text, *lines]


def _stub(
    made: Gate, start: float, y: float, frame: Frame, theme: Theme, has_backward: bool, readers: int
) -> list[Mark]:
    """The wire out of the shape, its two rows of text, the dot where it forks, and the lane back into the shape."""
    end, middle = start + made.stub, start + made.stub / 2
    marks: list[Mark] = [Curve(straight((start, y), (end, y)), theme.wire)]
    if has_backward and made.node.requires_grad:
        lane = straight((end, y + LANE), (start + 5, y + LANE))
        marks.append(Curve(lane, theme.gradient, dashed=True, part="lane"))
        marks.append(arrowhead((start + 1, y + LANE), (-1, 0), theme.gradient))
    if readers > 1:
        marks.append(Box(end, y, 6, 6, theme.wire, radius=3, part="fork"))
    if not readers:
        marks.append(arrowhead((end + 5, y), (1, 0), theme.wire))
    value = value_row(made.node, frame)
    if value:
        marks.append(Label(middle, y - 6, value, TEXT_SIZE, theme.value, part="value", slot=f"v:{made.node.id}"))
    return [*marks, *_gradient(made.node, middle, y + LANE + 13.5, frame, theme, has_backward)]


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
