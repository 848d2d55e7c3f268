"""Which nodes a block holds: those of a name scope; where there are no scopes, a run of operations."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from graphdl.draw.model import Trace, TraceNode
from graphdl.draw.style import one_line

# Ops without a scope are cut into at most so many runs, none shorter than this.
_MOST_RUNS = 24
_SHORTEST_RUN = 25


@dataclass
class Block:
    """Nodes shown as one card."""

    id: str
    title: str
    kind: str = "block"
    nodes: list[TraceNode] = field(default_factory=list)

    @property
    def ops(self) -> list[TraceNode]:
        """Its nodes that compute something."""
        return [node for node in self.nodes if node.inputs]


def grouped(trace: Trace) -> list[Block]:
    """The forward nodes in blocks: by scope, or in runs; placeholders alone, other leaves with their readers."""
    depth = _shared_depth(node.scope for node in trace.forward if node.scope and node.kind != "placeholder")
    loose = [node for node in trace.forward if node.inputs and not node.scope]
    size = max(_SHORTEST_RUN, -(-len(loose) // _MOST_RUNS))
    run = {node.id: i // size for i, node in enumerate(loose)}
    reader: dict[str, TraceNode] = {}
    for node in trace.forward:
        for source in node.inputs:
            reader.setdefault(source, node)
    found: dict[str, Block] = {}
    for node in trace.forward:
        home = node
        while home.is_leaf and not home.scope and home.kind not in ("placeholder", "noise") and home.id in reader:
            home = reader[home.id]
        key, title, kind = _home(home, depth, run)
        block = found.setdefault(key, Block(f"b{len(found) + 1}", title, kind))
        block.nodes.append(node)
    _name_runs(found, size)
    return list(found.values())


def _home(node: TraceNode, depth: int, run: dict[str, int]) -> tuple[str, str, str]:
    """Key, title and kind of the block in which `node` is shown."""
    if node.kind == "placeholder" or (node.kind == "noise" and not node.scope):
        return f"leaf {node.id}", node.symbol, "placeholder"
    if node.scope:
        scope = "/".join(node.scope.split("/")[: depth + 1])
        return f"scope {scope}", one_line(scope, 32), "block"
    if node.id in run:
        return f"run {run[node.id]}", "operations", "block"
    return f"leaf {node.id}", node.symbol, node.kind


def _shared_depth(scopes: Iterable[str]) -> int:
    """How many names at the front of the scopes tell nothing apart."""
    paths = {tuple(scope.split("/")) for scope in scopes}
    longest = max(map(len, paths), default=0)
    depth = 0
    while depth < longest - 1 and len({path[: depth + 1] for path in paths}) == 1:
        depth += 1
    return depth


def _name_runs(found: dict[str, Block], size: int) -> None:
    """A run is called by its place among the ops without a scope, or by its one op."""
    for key, block in found.items():
        if key.startswith("run "):
            first = int(key.removeprefix("run ")) * size + 1
            count = len(block.ops)
            block.title = block.ops[0].symbol if count == 1 else f"operations {first} to {first + count - 1}"
