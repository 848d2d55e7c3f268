"""Costs as a table of text, by scope or by node."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Literal

from graphdl.analysis.cost import Cost, Sized, cost, memory
from graphdl.ir.dim import Dim
from graphdl.ir.graph import Graph
from graphdl.ir.text import plain

_HEAD = ("flops", "bytes read", "bytes written")


def cost_table(
    graph: Graph,
    sizes: Mapping[str, int] | None = None,
    buffers: Iterable[Sized] = (),
    by: Literal["scope", "node"] = "scope",
) -> str:
    """What `graph` costs, a line a scope or a node, then in total, then the memory it takes.

    With `sizes`, such as ``{"N": 32}``, numbers; without, polynomials in the symbolic sizes. `buffers` are the
    workspace of the compiled program.
    """
    found = cost(graph)
    if by == "scope":
        rows = [(scope or "(no scope)", part) for scope, part in found.scopes.items()]
    else:
        rows = [(graph.names[node], part) for node, part in found.nodes.items()]
    rows.append(("total", found.total))
    lines = _aligned([(by, *_HEAD), *((plain(name), *_texts(part, sizes)) for name, part in rows)])
    return "\n".join([*lines, "", _memory_line(graph, sizes, buffers)])


def _texts(part: Cost, sizes: Mapping[str, int] | None) -> list[str]:
    return [dim_text(dim) for dim in (part.at(sizes) if sizes is not None else part)]


def _memory_line(graph: Graph, sizes: Mapping[str, int] | None, buffers: Iterable[Sized]) -> str:
    held = memory(graph, buffers)
    shown = held.at(sizes) if sizes is not None else held
    parts = [f"{name} {dim_text(dim)}" for name, dim in zip(held._fields, shown, strict=True) if dim != 0]
    return f"memory in bytes: {' + '.join(parts)} = {dim_text(shown.total)}" if parts else "memory in bytes: 0"


def dim_text(dim: Dim) -> str:
    """A number with its thousands apart, or a polynomial.

    >>> dim_text(1234567)
    '1,234,567'
    """
    return f"{dim:,}" if isinstance(dim, int) else str(dim)


def _aligned(rows: list[tuple[str, ...]]) -> list[str]:
    """The first column to the left, the others to the right."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return [
        "  ".join([row[0].ljust(widths[0]), *(cell.rjust(w) for cell, w in zip(row[1:], widths[1:], strict=True))])
        for row in rows
    ]
