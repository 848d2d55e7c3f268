"""A table of layers, as `model.summary()` prints it."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import reduce
from operator import add
from typing import TYPE_CHECKING, Any

from graphdl.analysis.cost import GraphCost, cost, nbytes
from graphdl.analysis.table import dim_text
from graphdl.errors import GraphError, listed
from graphdl.ir.dim import Dim
from graphdl.ir.graph import Graph
from graphdl.ir.node import Node
from graphdl.ir.text import plain
from graphdl.ir.types import ITEMSIZE
from graphdl.keras.calls import Call, LayerOutput
from graphdl.keras.layer import Layer
from graphdl.keras.shapes import shapes_of
from graphdl.keras.weights import count_elements

if TYPE_CHECKING:
    from graphdl.keras.models import Model

_HEADINGS = ("Layer (type)", "Output Shape", "Param #")
# Columns whose numbers stand to the right.
_RIGHT = ("Param #", "FLOPs", "Bytes")


@dataclass(frozen=True)
class Shown:
    """What a summary shows besides: layers of models within the model, which layers are trained, what each costs."""

    nested: bool = False
    trainable: bool = False
    cost: bool = False


def summary(
    model: Model, line_length: int | None = None, shown: Shown = Shown(), layer_range: Sequence[str] | None = None
) -> str:
    """The table: a row for each layer, then the totals."""
    if not model.is_built:
        return f'Model: "{plain(model.name)}" has no input shape yet'
    names = [*_HEADINGS, *(() if model.is_chain else ("Connected to",))]
    names += [
        name
        for name, wanted in (("Trainable", shown.trainable), ("FLOPs", shown.cost), ("Bytes", shown.cost))
        if wanted
    ]
    rows = [[row.get(name, "") for name in names] for row in _within(_rows(model, shown), layer_range)]
    widths = [max(len(row[i]) for row in [names, *rows]) for i in range(len(names))]
    if line_length is not None:
        widths[0] += max(0, line_length - sum(widths) - 3 * len(names) - 1)
    return "\n".join([f'Model: "{plain(model.name)}"', *_table(names, rows, widths), *_totals(model)])


def to_stdout(text: str) -> None:
    """Print, also where the terminal knows no box-drawing characters."""
    try:
        sys.stdout.write(text + "\n")
    except UnicodeEncodeError:
        sys.stdout.write(text.translate(_ASCII) + "\n")


_ASCII = {ord(c): "|" for c in "┃│"} | {ord(c): "+" for c in "┏┳┓┡╇┩├┼┤└┴┘"} | {ord(c): "-" for c in "━─"}


def _rows(model: Model, shown: Shown, depth: int = 0) -> Iterator[dict[str, str]]:
    """What is said about each call of a layer, by column."""
    costs = cost(Graph(model.outputs)) if shown.cost else None
    seen: set[Layer] = set()
    for call, outputs in _calls(model).items():
        layer = call.layer
        if not call.inputs and (model.is_chain or depth):
            continue
        row = _row(layer, call, outputs, 0 if layer in seen else layer.count_params(), depth)
        if costs is not None and not depth:
            row["Bytes"] = dim_text(_sum(nbytes(node.type) for node in outputs))
            row["FLOPs"] = "" if layer in seen else dim_text(_flops(layer, costs))
        yield row
        if shown.nested and layer not in seen and hasattr(layer, "summary") and getattr(layer, "is_built", False):
            yield from _rows(layer, shown, depth + 1)  # type: ignore[arg-type]
        seen.add(layer)


def _row(layer: Layer, call: Call, outputs: list[LayerOutput], params: int, depth: int) -> dict[str, str]:
    shapes = [str(shapes_of(node)) for node in outputs]
    return {
        "Layer (type)": f"{'  ' * depth}{'└ ' if depth else ''}{plain(layer.name)} ({type(layer).__name__})",
        "Output Shape": shapes[0] if len(shapes) == 1 else f"[{', '.join(shapes)}]",
        "Param #": f"{params:,}",
        "Connected to": ", ".join(map(_source, dict.fromkeys(call.inputs))) or "-",
        "Trainable": ("Y" if layer.trainable else "N") if layer.weights else "-",
    }


def _calls(model: Model) -> dict[Call, list[LayerOutput]]:
    """The calls of layers, in order, each with those of its results that count."""
    found: dict[Call, list[LayerOutput]] = {}
    for node in model.calls:
        found.setdefault(node.call, []).append(node)
    return found


def _flops(layer: Layer, costs: GraphCost) -> Dim:
    """Operations of the nodes in the layer's scope, for all its calls."""
    return _sum(part.flops for scope, part in costs.scopes.items() if f"{scope}/".startswith(f"{layer.name}/"))


def _within(rows: Iterator[dict[str, str]], layer_range: Sequence[str] | None) -> list[dict[str, str]]:
    """The rows from the layer named first to the one named last."""
    found = list(rows)
    if layer_range is None:
        return found
    names = [row["Layer (type)"].split(" (")[0].strip("└ ") for row in found]
    missing = [name for name in layer_range if name not in names]
    if missing or len(layer_range) != 2:
        raise GraphError(
            f"layer_range is {list(layer_range)}, expected the names of two layers; there is {listed(names)}"
        )
    return found[names.index(layer_range[0]) : len(names) - names[::-1].index(layer_range[1])]


def _source(node: Node) -> str:
    return plain(node.call.layer.name if isinstance(node, LayerOutput) else node.label)


def _table(names: list[str], rows: list[list[str]], widths: list[int]) -> list[str]:
    def line(left: str, fill: str, between: str, right: str) -> str:
        return left + between.join(fill * (width + 2) for width in widths) + right

    def cells(row: list[str], edge: str) -> str:
        texts = [f" {row[i]:>{w}} " if names[i] in _RIGHT else f" {row[i]:<{w}} " for i, w in enumerate(widths)]
        return edge + edge.join(texts) + edge

    body = []
    for row in rows:
        body += [cells(row, "│"), line("├", "─", "┼", "┤")]
    body[-1:] = [line("└", "─", "┴", "┘")]
    return [line("┏", "━", "┳", "┓"), cells(names, "┃"), line("┡", "━", "╇", "┩"), *body]


def _totals(model: Model) -> list[str]:
    trained = set(model.trainable_variables)
    costs = cost(Graph(model.outputs))
    return [
        f" Total params: {_amount(model.variables)}",
        f" Trainable params: {_amount([v for v in model.variables if v in trained])}",
        f" Non-trainable params: {_amount([v for v in model.variables if v not in trained])}",
        f" FLOPs of a batch of N: {dim_text(costs.total.flops)}",
        f" Bytes of its activations: {dim_text(_sum(nbytes(node.type) for node in model.calls))}",
    ]


def _sum(dims: Any) -> Dim:
    return reduce(add, dims, 0)


def _amount(variables: Sequence[Node]) -> str:
    """The count, and the memory it takes, as ``7,850 (30.66 KB)``."""
    sizes = [(count_elements(v), ITEMSIZE[v.dtype]) for v in variables]
    count, size = sum(n for n, _ in sizes), float(sum(n * bytes_each for n, bytes_each in sizes))
    for unit in ("B", "KB", "MB", "GB"):
        if size < 1024 or unit == "GB":
            break
        size /= 1024
    return f"{count:,} ({size:.2f} {unit})"
