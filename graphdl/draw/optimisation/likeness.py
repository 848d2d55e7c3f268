"""Which nodes of two graphs are the same: all alike, alike but for their origin, or alike but for what they read."""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Mapping

from graphdl.ir.leaves import Constant, Size
from graphdl.ir.node import Node, stands_for

Reads = tuple[int, ...]


class Spare:
    """Entries that a new graph may still have, by what is like them: first all of it, then all but the inputs."""

    def __init__(self, nodes: Mapping[int, Node], reads: Mapping[int, Reads], entries: Iterable[int]) -> None:
        self.nodes, self.reads = nodes, reads
        self.left = dict.fromkeys(entries)
        self.by_likeness: dict[Hashable, list[int]] = {}
        for entry in self.left:
            for key in self._keys(nodes[entry], reads[entry]):
                self.by_likeness.setdefault(key, []).append(entry)

    def take(self, node: Node, reads: Reads) -> int | None:
        """The entry that is most like `node`, which nobody can take again; None where nothing is like it."""
        for key in self._keys(node, reads):
            candidates = [i for i in self.by_likeness.get(key, ()) if i in self.left]
            if key[0] == "cousin":
                candidates = [i for i in candidates if set(reads) & set(self.reads[i])]
            found = nearest(node, candidates, self.nodes)
            if found is not None:
                del self.left[found]
                return found
        return None

    @staticmethod
    def _keys(node: Node, reads: Reads) -> list[tuple[Hashable, ...]]:
        op: Hashable = _leaf(node) if node.op.is_leaf else node.op
        alike = ("alike", op, reads, node.type, node.name, node.scope)
        if node.op.is_leaf:
            return [alike]
        return [
            ("exact", *exact(node, reads)),
            alike,
            ("family", *family(node)),
            ("cousin", op, len(reads), node.type, node.name, node.scope),
        ]


def exact(node: Node, reads: Reads) -> tuple[Hashable, ...]:
    """Equal for nodes that are the same in all: op, inputs, type, names and origin."""
    return node.op, reads, node.type, node.name, node.scope, node.origin


def family(node: Node) -> tuple[Hashable, ...]:
    """Equal for nodes that differ in nothing but what they read."""
    return node.op, len(node.inputs), node.type, node.name, node.scope, node.origin


def _leaf(node: Node) -> Hashable:
    """What two leaves of different graphs have in common when they mean the same."""
    if isinstance(node.op, Constant):
        return "constant", node.op.value.tobytes()
    return ("size", node.op.dim) if isinstance(node.op, Size) else node.op.name


def nearest(node: Node, candidates: Iterable[int], nodes: Mapping[int, Node]) -> int | None:
    """Of entries that are alike, the one that stands where `node` stands; else the first."""
    found = list(candidates)
    here = [i for i in found if stands_for(nodes[i]) == stands_for(node)]
    return next(iter(here or found), None)
