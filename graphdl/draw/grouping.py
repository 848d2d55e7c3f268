"""Which nodes a card holds: those of a name scope; where there are no scopes, a run of operations.

What is in no card stands alone: placeholders, a few operations outside of all scopes, and the inside of a scope that
is opened.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from graphdl.draw.model import Trace, TraceNode
from graphdl.draw.style import one_line

# Ops without a scope are cut into at most so many runs, none shorter than this.
_MOST_RUNS = 24
_SHORTEST_RUN = 25
# Beside scopes, so few ops without one stand alone.
_FEW_LOOSE = 8
_LONGEST_TITLE = 32


@dataclass
class Block:
    """Nodes shown as one card. One that stands for repeated `parts`, alike after each `period`, says so in a `note`."""

    id: str
    title: str
    nodes: list[TraceNode] = field(default_factory=list)
    scope: str = ""
    note: str = ""
    parts: tuple[Block, ...] = ()
    period: int = 1

    @property
    def ops(self) -> list[TraceNode]:
        """Its nodes that compute something."""
        return [node for node in self.nodes if node.inputs]

    @property
    def inputs(self) -> list[TraceNode]:
        """Its placeholders."""
        return [node for node in self.nodes if node.kind == "placeholder"]

    @property
    def variables(self) -> list[TraceNode]:
        """Its parameters."""
        return [node for node in self.nodes if node.kind == "variable"]


def grouped(trace: Trace, depth: int = 1, opened: str | None = None) -> list[Block]:
    """The forward nodes in blocks, `depth` names of a scope deep; around and in the scope `opened` as deep as it needs.

    Leaves without a scope are in the block that reads them; variables that several blocks read in one of their own.
    """
    ops = _op_keys(trace, shared_depth(trace) + depth, opened)
    keys = {**ops, **_leaf_keys(trace, ops, shared_depth(trace) + depth, opened)}
    found: dict[str, Block] = {}
    for node in trace.forward:
        key = keys.get(node.id)
        if key:
            block = found.setdefault(key, Block("", *_name(key)))
            block.nodes.append(node)
    _name_runs(found)
    for i, block in enumerate(found.values(), start=1):
        block.id = f"b{i}"
    return list(found.values())


def levels(trace: Trace) -> int:
    """How many depths of scopes tell nodes apart."""
    return max((len(path) for path in _paths(trace)), default=0) - shared_depth(trace)


def scopes(trace: Trace) -> list[str]:
    """Every scope with ops in it or below it, in the order of their first nodes, without those around all others."""
    found: dict[str, None] = {}
    shared = shared_depth(trace)
    for node in trace.forward:
        if node.inputs and node.scope:
            names = node.scope.split("/")
            found.update(dict.fromkeys("/".join(names[:k]) for k in range(shared + 1, len(names) + 1)))
    return list(found)


def _op_keys(trace: Trace, depth: int, opened: str | None) -> dict[str, str]:
    """The block of each op, by a key; an op without one is missing."""
    keys, loose = {}, []
    for node in trace.forward:
        if node.inputs and node.scope:
            keys[node.id] = _scope_key(node.scope, depth, opened)
        elif node.inputs:
            loose.append(node)
    if keys and len(loose) <= _FEW_LOOSE:
        return keys
    size = max(_SHORTEST_RUN, -(-len(loose) // _MOST_RUNS))
    return {**keys, **{node.id: f"run {i // size * size}" for i, node in enumerate(loose)}}


def _scope_key(scope: str, depth: int, opened: str | None) -> str:
    """The first `depth` names; on the way to what is opened one name more than leads there."""
    names = scope.split("/")
    if opened is None:
        return f"scope {'/'.join(names[:depth])}"
    way = opened.split("/")
    common = next((i for i, (a, b) in enumerate(zip(names, way, strict=False)) if a != b), min(len(names), len(way)))
    if common == len(way) == len(names):
        return ""
    return f"scope {'/'.join(names[: max(common + 1, depth)])}"


def _leaf_keys(trace: Trace, ops: Mapping[str, str], depth: int, opened: str | None) -> dict[str, str]:
    readers: dict[str, dict[str, None]] = {}
    for node in trace.forward:
        for source in node.inputs:
            readers.setdefault(source, {})[ops.get(node.id, "")] = None
    keys = {}
    for node in trace.forward:
        if node.inputs or node.kind == "placeholder":
            continue
        if node.scope:
            keys[node.id] = _scope_key(node.scope, depth, opened)
        else:
            keys[node.id] = _key_of_readers(node, tuple(readers.get(node.id, ())))
    return keys


def _key_of_readers(node: TraceNode, found: tuple[str, ...]) -> str:
    """The block of the one that reads it; several readers share a variable, while a number belongs to the first."""
    if len(found) == 1 or is_number(node):
        return found[0] if found else ""
    return f"shared {' '.join(sorted(found))}" if node.kind == "variable" and all(found) else ""


def is_number(node: TraceNode) -> bool:
    """Whether it is a number that the user wrote into a formula."""
    return node.kind == "constant" and not node.name


def _name(key: str) -> tuple[str, list[TraceNode], str]:
    """Title, nodes and scope of a new block."""
    kind, _, rest = key.partition(" ")
    if kind == "scope":
        return one_line(rest, _LONGEST_TITLE), [], rest
    return ("shared parameters" if kind == "shared" else "operations"), [], ""


def _paths(trace: Trace) -> set[tuple[str, ...]]:
    return {tuple(node.scope.split("/")) for node in trace.forward if node.scope and node.kind != "placeholder"}


def shared_depth(trace: Trace) -> int:
    """How many names at the front of the scopes tell nothing apart."""
    paths = _paths(trace)
    depth = 0
    while depth < max(map(len, paths), default=0) - 1 and len({path[: depth + 1] for path in paths}) == 1:
        depth += 1
    return depth


def _name_runs(found: Mapping[str, Block]) -> None:
    """A run is called by its place among the ops without a scope, or by its one op."""
    for key, block in found.items():
        if key.startswith("run "):
            first, ops = int(key.removeprefix("run ")) + 1, block.ops
            block.title = ops[0].symbol if len(ops) == 1 else f"operations {first} to {first + len(ops) - 1}"


def homes(blocks: Iterable[Block]) -> dict[str, str]:
    """For each node in a block the id of that."""
    return {node.id: block.id for block in blocks for node in block.nodes}
