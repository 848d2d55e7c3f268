"""From a graph of arrays to the equations between its numbers; what is too large or unknown for them is refused."""

from __future__ import annotations

from typing import Any

import numpy as np

from graphdl.draw.symbols import own_name
from graphdl.errors import DrawError
from graphdl.ir.dim import evaluate
from graphdl.ir.leaves import Constant, Size
from graphdl.ir.node import Node
from graphdl.ir.text import plain
from graphdl.ir.types import TensorType
from graphdl.sheet.expansion import expanded
from graphdl.sheet.folding import folded
from graphdl.sheet.naming import letters
from graphdl.sheet.point import Run
from graphdl.sheet.scalars import Array, Scalars, numbers

# Equations beyond which nobody writes a derivation number by number.
MOST_EQUATIONS = 2000


def scalars(run: Run) -> Scalars:
    """The numbers of the forward graph of `run`.

    DrawError where an op cannot be written number by number, or where there would be too many of them.
    """
    _check_count(run)
    made = Scalars(run)
    names = letters(run.found.forward, run.found.symbols)
    inner = folded(run)
    for node in run.found.forward:
        if not node.inputs:
            made.elements[node] = _leaf(made, node, names[node])
            continue
        written = expanded(made, node)
        if isinstance(node.type, TensorType) and node not in inner:
            value = np.asarray(run.values[node]) if node in run.values else None
            written = made.defined(node, names[node], written, value)
        made.elements[node] = written
    return made


def work(run: Run) -> int:
    """About how many equations there would be, products of matrices counted by their factors."""
    ops = [node for node in _tensors(run) if node.inputs]
    return sum(run.size(op) * (run.shape(op.inputs[0])[-1] if op.op.name == "matmul" else 1) for op in ops)


def _tensors(run: Run) -> list[Node]:
    return [node for node in run.found.forward if isinstance(node.type, TensorType)]


def _check_count(run: Run) -> None:
    count = max([work(run), *map(run.size, _tensors(run))])
    if count > MOST_EQUATIONS:
        raise DrawError(
            f"number by number this graph has about {count:,} equations, expected at most {MOST_EQUATIONS:,}; "
            "derive it with matrices, --level matrix"
        )


def _leaf(made: Scalars, node: Node, name: str) -> Array:
    """What is given: unnamed constants, sizes and everything that is no float are plain numbers, the rest symbols."""
    value = _given_value(node, made.run)
    if node.tensor.is_float and not (own_name(node) is None and isinstance(node.op, Constant | Size)):
        return made.named(node, name, value)
    if value is None:
        raise DrawError(
            f"{plain(node.label)} is {node.type}, which the equations need as numbers; give values, --feed FILE.npz"
        )
    return numbers(value, node.dtype)


def _given_value(node: Node, run: Run) -> Any:
    if isinstance(node.op, Constant):
        return node.op.value
    if isinstance(node.op, Size):
        return np.asarray(evaluate(node.op.dim, run.sizes), node.dtype)
    return np.asarray(run.values[node]) if node in run.values else None
