"""The wires of a trace, and in symbols what each backward lane does to the gradient that travels it."""

from __future__ import annotations

from collections import ChainMap

from graphdl.draw.formula import formulas
from graphdl.draw.model import TraceEdge
from graphdl.draw.subject import Lane, Subject
from graphdl.ir.node import Node
from graphdl.ir.types import TensorType

# The upstream gradient, where a lane is too short to name it.
UPSTREAM = "G"

# A wire by the node it goes into and the input slot there.
Key = tuple[Node, int]


def wires(found: Subject) -> dict[Key, TraceEdge]:
    """Every wire, in the order of the nodes they go into."""
    lanes = {(lane.target, lane.slot): lane for lane in found.lanes}
    made: dict[Key, TraceEdge] = {}
    for node in found.nodes:
        for slot, source in enumerate(node.inputs):
            made[node, slot] = _wire(found, node, slot, source, lanes.get((node, slot)), len(made) + 1)
    return made


def _wire(found: Subject, node: Node, slot: int, source: Node, lane: Lane | None, count: int) -> TraceEdge:
    return TraceEdge(
        id=f"e{count}",
        source=found.ids[source],
        target=found.ids[node],
        slot=slot,
        direction=_direction(found, source, node),
        rule=sent(found, lane, UPSTREAM) if lane else "",
        local_rule=local_formula(found, lane) if lane else "",
        is_scalar=lane is not None and _is_number(lane.source) and _is_number(lane.target),
        term=found.ids.get(lane.term) if lane else None,
    )


def _is_number(node: Node) -> bool:
    return isinstance(node.type, TensorType) and not node.type.shape


def _direction(found: Subject, source: Node, target: Node) -> str:
    sides = [node in found.backward_set for node in (source, target)]
    return {(False, False): "forward", (True, True): "backward"}.get((sides[0], sides[1]), "across")


def sent(found: Subject, lane: Lane, upstream: str) -> str:
    """The gradient that `lane` sends, as a formula over `upstream` and forward symbols: ``G · Wᵀ``."""
    arriving = lane.upstream if isinstance(lane.upstream, tuple) else (lane.upstream,)
    symbols = ChainMap(dict.fromkeys(arriving, upstream), found.forward_symbols)
    return formulas([lane.term], symbols)[lane.term]


def local_formula(found: Subject, lane: Lane) -> str:
    """The local derivative of `lane` over forward symbols; nothing where it is no number an element."""
    if lane.local is None:
        return ""
    return formulas([lane.local], found.forward_symbols)[lane.local]
