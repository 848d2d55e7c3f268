"""A table of layers, as `model.summary()` prints it."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from graphdl.ir.node import Node
from graphdl.ir.text import plain
from graphdl.ir.types import ITEMSIZE
from graphdl.keras.layer import LayerOutput, count_elements, described

if TYPE_CHECKING:
    from graphdl.keras.models import Model

_HEADINGS = ("Layer (type)", "Output Shape", "Param #", "Connected to")


def summary(model: Model, line_length: int | None = None) -> str:
    """The table: a row for each layer, then the totals."""
    if not model.is_built:
        return f'Model: "{plain(model.name)}" has no input shape yet'
    chain = model.is_chain
    rows = _rows(model, chain)
    columns = 3 if chain else 4
    widths = [max(len(row[i]) for row in [_HEADINGS, *rows]) for i in range(columns)]
    if line_length is not None:
        widths[0] += max(0, line_length - sum(widths) - 3 * columns - 1)
    return "\n".join([f'Model: "{plain(model.name)}"', *_table(rows, widths), *_totals(model)])


def to_stdout(text: str) -> None:
    """Print, also where the terminal knows no box-drawing characters."""
    try:
        sys.stdout.write(text + "\n")
    except UnicodeEncodeError:
        sys.stdout.write(text.translate(_ASCII) + "\n")


_ASCII = {ord(c): "|" for c in "┃│"} | {ord(c): "+" for c in "┏┳┓┡╇┩├┼┤└┴┘"} | {ord(c): "-" for c in "━─"}


def _rows(model: Model, chain: bool) -> list[tuple[str, ...]]:
    rows: list[tuple[str, ...]] = []
    seen = set()
    for node in model.calls:
        layer = node.call.layer
        if chain and not node.call.inputs:
            continue
        params = 0 if layer in seen else layer.count_params()
        seen.add(layer)
        name = f"{plain(layer.name)} ({type(layer).__name__})"
        rows.append((name, described(node), f"{params:,}", ", ".join(map(_source, node.call.inputs)) or "-"))
    return rows


def _source(node: Node) -> str:
    return plain(node.call.layer.name if isinstance(node, LayerOutput) else node.label)


def _table(rows: list[tuple[str, ...]], widths: list[int]) -> list[str]:
    def line(left: str, fill: str, between: str, right: str) -> str:
        return left + between.join(fill * (width + 2) for width in widths) + right

    def cells(row: tuple[str, ...], edge: str) -> str:
        texts = [f" {row[i]:>{w}} " if i == 2 else f" {row[i]:<{w}} " for i, w in enumerate(widths)]
        return edge + edge.join(texts) + edge

    body = []
    for row in rows:
        body += [cells(row, "│"), line("├", "─", "┼", "┤")]
    body[-1:] = [line("└", "─", "┴", "┘")]
    return [line("┏", "━", "┳", "┓"), cells(_HEADINGS, "┃"), line("┡", "━", "╇", "┩"), *body]


def _totals(model: Model) -> list[str]:
    trained = model.trainable_variables
    fixed = [v for v in model.variables if v not in trained]
    return [
        f" Total params: {_amount(model.variables)}",
        f" Trainable params: {_amount(trained)}",
        f" Non-trainable params: {_amount(fixed)}",
    ]


def _amount(variables: list[Node]) -> str:
    """The count, and the memory it takes, as ``7,850 (30.66 KB)``."""
    sizes = [(count_elements(v), ITEMSIZE[v.dtype]) for v in variables]
    count, size = sum(n for n, _ in sizes), float(sum(n * bytes_each for n, bytes_each in sizes))
    for unit in ("B", "KB", "MB", "GB"):
        if size < 1024 or unit == "GB":
            break
        size /= 1024
    return f"{count:,} ({size:.2f} {unit})"
