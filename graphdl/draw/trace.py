"""From a graph to its trace: nodes, wires, values, program and steps as plain data."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from graphdl.compile.emit import Module, emit
from graphdl.compile.pipeline import optimise
from graphdl.compile.program import Program
from graphdl.draw.formula import applied
from graphdl.draw.model import Trace, TraceNode, Value
from graphdl.draw.steps import Story
from graphdl.draw.style import one_line
from graphdl.draw.subject import Subject, subject, values
from graphdl.draw.wires import wires
from graphdl.ir.graph import Graph, Updates
from graphdl.ir.leaves import Constant, Noise, Size, VariableLeaf
from graphdl.ir.node import Node
from graphdl.ir.origin import Rewrite, Vjp, user_of
from graphdl.ir.types import TensorType, TupleType, shape_text
from graphdl.runtime.session import Session
from graphdl.runtime.state import State

# Arrays up to here are kept whole.
_WHOLE = 64
# Nodes of graphs whose optimised program is given as well.
_MOST_OPTIMISED = 300


def trace(
    loss: Any,
    wrt: Any = None,
    feeds: Mapping[Any, Any] | None = None,
    session: Session | None = None,
    *,
    updates: Updates | None = None,
    stabilise: bool = True,
) -> Trace:
    """The graph of `loss`, its chain rule, and what happens in one run, step by step, as plain data.

    loss       a scalar node; a list of nodes or a Graph is traced forward only
    wrt        nodes to differentiate for: by default the trained variables, or else the float placeholders
    feeds      as for `Session.run`; without them, where the graph needs any, the trace holds no numbers
    session    whose values the variables have; by default a new one
    updates    adds a step for each variable that changes, and the forward pass of the next run

    The graph is the one that was written, stabilised as `gradients` does, but not optimised.
    """
    found = subject(loss, wrt, updates, stabilise)
    now, renewed = ({n: summary(v) for n, v in run.items()} for run in values(found, feeds, session))
    known, later = ({n: value for n, value in run.items() if value is not None} for run in (now, renewed))
    module = _program(found)
    lines = _lines(module)
    edges = wires(found)
    nodes = tuple(_node(found, node, lines) for node in found.nodes)
    return Trace(
        nodes=nodes,
        edges=tuple(edges.values()),
        steps=Story(found, known, edges, lines, later).steps(),
        scopes=tuple(sorted({node.scope for node in nodes if node.scope})),
        code=tuple(module.text.splitlines()),
        executed=_executed(found, stabilise),
        loss=found.ids.get(found.loss) if found.loss is not None else None,
        wrt=tuple(found.ids[w] for w in found.wrt if w in found.ids),
        firings=found.firings,
        sizes=_sizes(found, now),
    )


def summary(value: Any) -> Value | None:
    """An array as plain data: whole up to 64 elements, else its shape, extremes, mean and norm."""
    if isinstance(value, tuple | list):
        return None
    array = np.asarray(value)
    data = array.tolist() if array.size <= _WHOLE else None
    if not array.size or array.dtype.kind not in "fiub":
        return Value(array.shape, array.dtype.name, data)
    wide = array.astype("float64")
    with np.errstate(all="ignore"):
        low, mean, high, norm = wide.min(), wide.mean(), wide.max(), np.sqrt((wide * wide).sum())
    return Value(array.shape, array.dtype.name, data, float(low), float(mean), float(high), float(norm))


def _program(found: Subject) -> Module:
    """The program as it would run node by node, in the readable style."""
    roots = [node for node in (*found.outputs, *found.backward) if not isinstance(node.type, TupleType)]
    return _emitted(Graph({str(i): node for i, node in enumerate(dict.fromkeys(roots))}))


def _executed(found: Subject, stabilise: bool) -> tuple[str, ...]:
    """The program that a session makes of the outputs, the gradients and the updates; nothing for large graphs."""
    if len(found.nodes) > _MOST_OPTIMISED:
        return ()
    totals = (found.gradient[w] for w in found.wrt if w in found.gradient)
    roots = [
        node for node in (*found.outputs, *totals) if isinstance(node, Node) and not isinstance(node.type, TupleType)
    ]
    graph = Graph({str(i): node for i, node in enumerate(dict.fromkeys(roots))}, found.updates)
    return tuple(_emitted(optimise(graph, stabilise=stabilise, layout=False).graph).text.splitlines())


def _emitted(graph: Graph) -> Module:
    state = State()
    state.name_variables(graph.variables)
    state.number_streams(graph.noise)
    return emit(Program(graph, state.names, state.streams), "readable")


def _lines(module: Module) -> dict[Node, tuple[int, ...]]:
    """The lines that compute each node; its place in the list of fetches is none of them."""
    text = module.text.splitlines()
    lines: dict[Node, list[int]] = {}
    for number, node in module.nodes.items():
        if " = " in text[number - 1]:
            lines.setdefault(node, []).append(number)
    return {node: tuple(found) for node, found in lines.items()}


def _sizes(found: Subject, numbers: Mapping[Node, Value | None]) -> dict[str, int]:
    """The symbolic sizes as this run settled them."""
    sizes = {}
    for node in found.forward:
        value = numbers.get(node)
        if value is not None and isinstance(node.type, TensorType) and len(value.shape) == node.ndim:
            sizes.update(
                {str(d): size for d, size in zip(node.shape, value.shape, strict=True) if not isinstance(d, int)}
            )
    return dict(sorted(sizes.items()))


def _node(found: Subject, node: Node, lines: Mapping[Node, tuple[int, ...]]) -> TraceNode:
    user = user_of(node)
    made = _chain_rule_origin(node)
    gradient_for = found.gradient_for.get(node, []) if node in found.backward_set else []
    has_type = isinstance(node.type, TensorType)
    return TraceNode(
        id=found.ids[node],
        kind=_kind(found, node, gradient_for),
        op=node.op.name,
        label=one_line(node.label),
        symbol=found.symbols.get(node) or one_line(node.label if node.name else node.op.name, 24),
        type=str(node.type),
        shape=shape_text(node.shape) if has_type else str(node.type),
        dtype=node.dtype if has_type else "",
        inputs=tuple(found.ids[source] for source in node.inputs),
        name=one_line(node.name) if node.name else None,
        glyph=node.op.glyph,
        role=node.op.role,
        commutes=node.op.commutes,
        formula=_formula(found, node),
        scope=one_line(node.scope),
        origin=one_line(str(user)) if user else "",
        source=one_line(user.source()) if user else "",
        gradient_for=tuple(found.ids[forward] for forward in gradient_for),
        grad_of=found.ids.get(made.of) if made else None,
        slot=made.slot if made else None,
        rule=node.origin.rule if isinstance(node.origin, Rewrite) else None,
        requires_grad=node in found.required,
        code=lines.get(node, ()),
    )


def _formula(found: Subject, node: Node) -> str:
    if node.inputs and all(source in found.symbols for source in node.inputs):
        return applied(node, found.symbols)
    return ""


def _chain_rule_origin(node: Node) -> Vjp | None:
    made = node.origin
    while isinstance(made, Rewrite):
        made = made.replaced.origin
    return made if isinstance(made, Vjp) else None


def _kind(found: Subject, node: Node, gradient_for: list[Node]) -> str:
    if node in found.backward_set:
        of_parameter = any(isinstance(forward.op, VariableLeaf) for forward in gradient_for)
        return "parameter gradient" if of_parameter else "gradient"
    if node is found.loss and found.wrt:
        return "loss"
    if node.inputs:
        return "op"
    if isinstance(node.op, Constant | Size):
        return "constant"
    return node.op.name if isinstance(node.op, VariableLeaf | Noise) else "placeholder"
