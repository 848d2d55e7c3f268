"""What stands at the wires: values above, gradients below, and on each backward lane its local derivative."""

from __future__ import annotations

from graphdl.draw.digits import NOT_REQUIRED, in_brackets, number, product
from graphdl.draw.model import Frame, TraceEdge, TraceNode, Value
from graphdl.draw.style import one_line
from graphdl.ir.types import shape_text

# Vectors up to here are printed whole; longer arrays by what sums them up.
_MOST_NUMBERS = 3
_LONGEST_RULE = 32


def value_text(value: Value) -> str:
    """A number, a short vector, or from the least to the greatest element."""
    whole = _whole(value)
    if whole is not None:
        return whole
    if value.low is None or value.high is None:
        return shape_text(value.shape)
    low, high = number(value.low), number(value.high)
    return f"all {low}" if low == high else f"{low} … {high}"


def gradient_text(value: Value) -> str:
    """A number, a short vector, or the Euclidean norm."""
    whole = _whole(value)
    if whole is not None:
        return whole
    return shape_text(value.shape) if value.norm is None else f"‖{number(value.norm)}‖"


def exact_text(value: Value) -> str:
    """Full precision, for the tooltip."""
    if not value.shape:
        return repr(value.data)
    if value.low is None:
        return f"shape {shape_text(value.shape)}"
    extremes = f"from {value.low!r} to {value.high!r}"
    return f"shape {shape_text(value.shape)}, {extremes}, mean {value.mean!r}, norm {value.norm!r}"


def _whole(value: Value) -> str | None:
    if not value.shape:
        return number(value.data)
    if len(value.shape) == 1 and value.shape[0] <= _MOST_NUMBERS and value.data is not None:
        return f"[{', '.join(map(number, value.data))}]"
    return None


def value_row(node: TraceNode, frame: Frame) -> str:
    """Above the wire: the value, or nothing while it is not computed."""
    found = frame.values.get(node.id)
    return value_text(found) if found else ""


def gradient_row(node: TraceNode, frame: Frame, has_backward: bool) -> str:
    """Below the wire: the gradient, nothing while none has arrived, and — where none is asked for."""
    if not has_backward:
        return ""
    if not node.requires_grad:
        return NOT_REQUIRED
    found = frame.gradients.get(node.id)
    if found is None:
        return ""
    total = frame.sums.get(node.id)
    return f"Σ {total}" if total else gradient_text(found)


def lane_text(edge: TraceEdge, frame: Frame, upstream: Value | None, is_forked: bool) -> str:
    """On the backward lane: ``×1.5``; where several lanes meet ``1 × 3 = 3``; for arrays ``G · Wᵀ``."""
    if edge.is_scalar and edge.local_rule:
        return _scalar_lane(edge, frame, upstream, is_forked)
    return "×1" if edge.rule == "G" else one_line(edge.rule, _LONGEST_RULE)


def _scalar_lane(edge: TraceEdge, frame: Frame, upstream: Value | None, is_forked: bool) -> str:
    local, term = frame.locals.get(edge.id), frame.terms.get(edge.id)
    if local is None:
        rule = edge.local_rule if edge.local_rule.isalnum() else f"({edge.local_rule})"
        return one_line(f"×{rule}", _LONGEST_RULE)
    if is_forked and term is not None and upstream is not None:
        return product([upstream.data, local.data], term.data)
    return f"×{in_brackets(number(local.data))}"
