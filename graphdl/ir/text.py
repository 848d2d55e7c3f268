"""Graphs as text: one typed line a node."""

from __future__ import annotations

from collections.abc import Mapping

from graphdl.config import MAX_LABEL
from graphdl.ir.graph import Graph
from graphdl.ir.leaves import Constant, Noise, Size, VariableLeaf
from graphdl.ir.node import Node
from graphdl.ir.origin import Rewrite, User, Vjp, user_of


def listing(graph: Graph, origins: bool = False) -> str:
    """The graph, a line a node, inputs first; with `origins`, where each node comes from."""
    names = {node: plain(name) for node, name in graph.names.items()}
    lines = []
    for node in graph.nodes:
        lines.append(node_line(node, names, origins))
        body = node.op.attributes().get("body") if node.op.name == "scan" else None
        lines += [f"    {line}" for line in listing(body.graph, origins).splitlines()] if body else []
    lines += [f"{names[variable]} <- {names[value]}" for variable, value in graph.updates]
    lines.append("-> " + ", ".join(_output(name, names[node]) for name, node in graph.outputs.items()))
    return "\n".join(lines)


def node_line(node: Node, names: Mapping[Node, str], origins: bool = False) -> str:
    """``dense/matmul: f32[N, 64] = matmul(x, dense/kernel)``"""
    text = f"{names[node]}: {node.type} = {expression(node, names)}"
    return f"{text:<60}  # {_origin(node, names)}" if origins else text


def expression(node: Node, names: Mapping[Node, str]) -> str:
    """The op with its attributes, over the names of the inputs."""
    if not node.inputs:
        return _leaf(node)
    attributes = [f"{key}={value}" for key, value in node.op.attributes().items()]
    inputs = [names.get(source) or plain(source.label) for source in node.inputs]
    return f"{node.op.name}({', '.join(inputs + attributes)})"


def plain(text: str) -> str:
    """`text` on one line, without control characters, cut where it grows too long.

    >>> plain("a" + chr(10) + "b")
    'a\\\\nb'
    """
    safe = text if text.isprintable() else "".join(c if c.isprintable() else repr(c)[1:-1] for c in text)
    return safe if len(safe) <= MAX_LABEL else safe[: MAX_LABEL - 1] + "…"


def _leaf(node: Node) -> str:
    op = node.op
    if isinstance(op, Constant):
        return f"constant {short_value(op)}"
    if isinstance(op, VariableLeaf):
        return "variable" if op.trainable else "variable, not trained"
    if isinstance(op, Noise):
        return f"noise {op.kind}" if op.seed is None else f"noise {op.kind}, seed {op.seed[0]}"
    return f"size {op.dim}" if isinstance(op, Size) else op.name


def short_value(op: Constant) -> str:
    """The constant itself while it is short, else its range."""
    value = op.value
    if value.size <= 4:
        return (
            str(value.tolist())
            if value.dtype.kind != "f"
            else str([float(str(v)) for v in value.ravel()] if value.ndim else float(str(value)))
        )
    return f"from {value.min()} to {value.max()}"


def _origin(node: Node, names: Mapping[Node, str]) -> str:
    origin = node.origin
    user = user_of(node)
    at = f" ({user})" if user else ""
    if isinstance(origin, User):
        return str(origin) if origin.line else "built by graphdl"
    if isinstance(origin, Vjp):
        return f"vjp of {names.get(origin.of) or plain(origin.of.label)}{at}"
    assert isinstance(origin, Rewrite)
    return f"{origin.rule}{at}"


def _output(name: str, node: str) -> str:
    return node if plain(name) == node else f"{plain(name)}={node}"
