"""Gradients against finite differences, along random directions, in float64."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from graphdl.autodiff.gradients import gradients
from graphdl.ir.body import Body
from graphdl.ir.graph import Graph
from graphdl.ir.leaves import Constant, Noise, Placeholder, Size, VariableLeaf
from graphdl.ir.node import Node, place_of
from graphdl.ir.op import Op, build
from graphdl.ir.traverse import substitute
from graphdl.ir.types import TensorType, Type
from graphdl.ops.scan import Scan
from graphdl.runtime.session import Session

# Step lengths that are tried: the error of a difference is h^2 from curvature and 1e-16 / h from rounding.
# The short ones are for networks with ReLUs, where among thousands of units one has its kink within a longer step.
_STEPS = (1e-4, 1e-5, 1e-6, 1e-7, 1e-8)


@dataclass(frozen=True)
class GradientCheck:
    """The slope for `wrt` along a random direction, by the chain rule and by differences, and their relative error."""

    wrt: Node
    analytic: float
    numeric: float
    error: float
    ok: bool


def check_gradients(
    loss: Node,
    wrt: Iterable[Node],
    feed_dict: Mapping[Any, Any] | None = None,
    *,
    session: Session | None = None,
    directions: int = 3,
    tolerance: float = 1e-6,
) -> list[GradientCheck]:
    """For each w in `wrt` the worst of `directions` random directions, at the values that `session` holds.

    The graph is rebuilt in float64; random leaves draw the same numbers throughout. The relative error is
    |analytic - numeric| / max(1, |numeric|). A kink between the two sides of a difference shows up as an error.
    """
    targets = list(wrt)
    became = in_float64([loss, *targets])
    wide = became[loss]
    start = session or Session()
    slopes = gradients(wide, [became[w] for w in targets])
    here = _at(wide, became, start, feed_dict)
    values = here.run([became[w] for w in targets], _feeds(became, feed_dict))
    found = here.run(slopes, _feeds(became, feed_dict))
    return [
        _checked(w, wide, became, here, _feeds(became, feed_dict), value, slope, directions, tolerance)
        for w, value, slope in zip(targets, values, found, strict=True)
    ]


def in_float64(outputs: Iterable[Node]) -> dict[Node, Node]:
    """The nodes below `outputs` rebuilt with float64 wherever they have float32."""
    became: dict[Node, Node] = {}
    for node in Graph(dict(enumerate(outputs))).nodes:  # type: ignore[arg-type]
        op = _wide_op(node)
        inputs = tuple(became[source] for source in node.inputs)
        result: Type = op.infer(*[source.type for source in inputs])
        unchanged = op is node.op and inputs == node.inputs
        place = place_of(node)
        became[node] = node if unchanged else Node(op, inputs, result, node.name, node.scope, node.origin, place)
    return became


def _wide_op(node: Node) -> Op:
    op = node.op
    if isinstance(op, Scan):
        return dataclasses.replace(op, body=_wide_body(op.body))
    if "float32" not in (getattr(node.type, "dtype", ""), getattr(op, "dtype", "")):
        return op
    if not op.is_leaf:
        return dataclasses.replace(op, dtype="float64") if "dtype" in op.attributes() else op  # type: ignore[type-var]
    wide = TensorType("float64", node.shape)
    if isinstance(op, Constant):
        return Constant(op.value.astype("float64"))
    if isinstance(op, VariableLeaf):
        return VariableLeaf(wide, in_float64([op.initial])[op.initial], op.trainable)
    if isinstance(op, Noise):
        return Noise(wide, op.kind, op.seed)
    return Size(wide, op.dim) if isinstance(op, Size) else Placeholder(wide)


def _wide_body(body: Body) -> Body:
    """One step of a loop in float64."""
    became = in_float64([*body.inputs, *body.outputs])
    parts = (body.carries, body.slices, body.constants, body.outputs)
    return Body(*(tuple(became[node] for node in part) for part in parts))


def _at(wide: Node, became: Mapping[Node, Node], start: Session, feed_dict: Mapping[Any, Any] | None) -> Session:
    """A session over the wide graph with the variables' values in `start`."""
    session = Session(seed=start.seed)
    for node, new in became.items():
        if isinstance(node.op, VariableLeaf):
            session.assign(new, start.value(node))
    return session


def _feeds(became: Mapping[Node, Node], feed_dict: Mapping[Any, Any] | None) -> dict[Any, Any]:
    return {became.get(key, key) if isinstance(key, Node) else key: value for key, value in (feed_dict or {}).items()}


def _checked(
    w: Node,
    wide: Node,
    became: Mapping[Node, Node],
    session: Session,
    feeds: dict[Any, Any],
    value: Any,
    slope: Any,
    directions: int,
    tolerance: float,
) -> GradientCheck:
    """Compare along random directions."""
    loss, moved = with_moved(wide, became[w])
    random = np.random.default_rng(0)
    worst = GradientCheck(w, 0.0, 0.0, -1.0, ok=True)

    def loss_at(point: Any) -> float:
        session.state.step = 0
        return float(session.run(loss, {**feeds, moved: point}))

    for _ in range(directions):
        direction = random.standard_normal(np.shape(value))
        analytic = float(np.sum(slope * direction))
        numeric = min((_slope(loss_at, value, direction, h) for h in _STEPS), key=lambda n: abs(n - analytic))
        error = abs(analytic - numeric) / max(1.0, abs(numeric))
        if not error <= worst.error:
            worst = GradientCheck(w, analytic, numeric, error, ok=bool(error <= tolerance))
    return worst


def with_moved(loss: Node, w: Node) -> tuple[Node, Node]:
    """The loss with a placeholder in place of `w`, and the placeholder: so any node can be moved.

    It has the sizes of `w`, named ones too, since the rest of the graph is fed as many examples.
    """
    moved = build(Placeholder(w.tensor), name="moved")
    return substitute([loss], {w: moved})[0], moved


def _slope(loss_at: Any, value: Any, direction: Any, h: float) -> float:
    ahead: float = loss_at(value + h * direction)
    behind: float = loss_at(value - h * direction)
    return (ahead - behind) / (2 * h)
