"""A graph that changes, written down as entries with lasting numbers: what each rewrite removed, added and rewired.

Passes build new graphs, in which everything behind a replaced node is built anew too. The ledger tells what stayed: a
node carried over to other inputs keeps its number. Firings are booked one by one, in the order of the log; whatever a
pass does beside them is booked at its end, when the ledger takes over the graph that came out.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Hashable, Iterable, Mapping
from dataclasses import dataclass, field

from graphdl.analysis.cost import NOTHING, Cost, cost_of
from graphdl.draw.optimisation.likeness import Reads, Spare, exact, family, nearest
from graphdl.ir.graph import Graph
from graphdl.ir.node import Node
from graphdl.ir.origin import Rewrite
from graphdl.ir.traverse import ancestors


@dataclass(frozen=True)
class Totals:
    """How many nodes a graph has, and what one run of it costs."""

    nodes: int
    cost: Cost


@dataclass(frozen=True)
class Change:
    """Entries that one rewrite removed, added and rewired, outputs that moved from one to another, and totals.

    `read` has what the removed and the rewired ones read before.
    """

    removed: tuple[int, ...]
    added: tuple[int, ...]
    rewired: tuple[int, ...]
    read: Mapping[int, Reads]
    outputs: Mapping[str, tuple[int, int]]
    before: Totals
    after: Totals

    @property
    def is_nothing(self) -> bool:
        """Whether the graph is as it was."""
        return not (self.removed or self.added or self.rewired or self.outputs)

    @property
    def touched(self) -> tuple[int, ...]:
        """Every entry that changed."""
        return (*self.removed, *self.added, *self.rewired)


@dataclass
class _Booked:
    """What has changed since a change was begun."""

    before: Totals
    live: set[int]
    reads: dict[int, Reads]
    outputs: dict[str, int] = field(default_factory=dict)
    touched: dict[int, None] = field(default_factory=dict)


class Ledger:
    """`node` has each entry as a node, `reads` what it reads; `live` are the entries of the graph as it is now.

    The node of an entry tells op, type, label and origin; its inputs stand for what it reads, and read nothing true.
    """

    def __init__(self, graph: Graph) -> None:
        self.node: dict[int, Node] = {}
        self.reads: dict[int, Reads] = {}
        self.live: dict[int, None] = {}
        self.outputs: dict[str, int] = {}
        self.total = Totals(0, NOTHING)
        self._costs: dict[int, Cost] = {}
        self._of: dict[Node, int] = {}
        self._alike: dict[Hashable, dict[int, None]] = {}
        self._kin: dict[Hashable, dict[int, None]] = {}
        self._readers: dict[int, Counter[int]] = {}
        self._names: dict[int, dict[str, None]] = {}
        self._pinned: Counter[int] = Counter()
        self._begin()
        self.take_over(graph)

    def readers(self, entry: int) -> list[int]:
        """The entries that read this one now."""
        return sorted(self._readers[entry])

    def entry_of(self, node: Node) -> int | None:
        """The entry of a node of a graph that was taken over."""
        return self._of.get(node)

    def is_foreign(self, node: Node) -> bool:
        """Whether `node` is of another graph, such as the body of a loop: it hangs on leaves that are not ours."""
        return any(each.op.is_leaf and each not in self._of for each in ancestors([node], stop=self._of))

    def fire(self, before: Node, after: Node) -> Change:
        """Book one firing: `after` in the place of `before`."""
        self._begin()
        old = self._entry(before)
        last = max(self.node)
        new = self._entry(after, standing_for=before)
        if old != new and old in self.live:
            # What the rule built may read what it replaces; everybody else reads the new value.
            for reader in [r for r in self._readers[old] if r <= last]:
                self._rewire(reader, tuple(new if i == old else i for i in self.reads[reader]))
            for name in list(self._names.get(old, ())):
                self._put_output(name, new)
        self._drop_unread([old, new])
        return self._end()

    def take_over(self, graph: Graph) -> Change:
        """Book everything that is between the graph as it was and this one."""
        self._begin()
        kept = {self._of[node]: node for node in graph.nodes if node in self._of}
        mine = set(kept.values())
        spare = [entry for entry in self.live if entry not in kept]
        known = Spare(self.node, self.reads, spare)
        for node in graph.nodes:
            if node in mine:
                self._renew(self._of[node], node)
                continue
            reads = tuple(self._of[source] for source in node.inputs)
            entry = known.take(node, reads)
            if entry is None:
                entry = self._add(node, reads)
            else:
                self._of[node] = entry
                self._renew(entry, node)
            kept[entry] = node
        self._pin(graph)
        self._drop([entry for entry in self.live if entry not in kept])
        return self._end()

    def _begin(self) -> None:
        self._booked = _Booked(self.total, set(), {})

    def _end(self) -> Change:
        was = self._booked
        touched = sorted(was.touched)
        rewired = [i for i in touched if i in was.live and i in self.live and was.reads[i] != self.reads[i]]
        removed = [i for i in touched if i in was.live and i not in self.live]
        moved = {name: (old, self.outputs[name]) for name, old in was.outputs.items() if name in self.outputs}
        return Change(
            removed=tuple(removed),
            added=tuple(i for i in touched if i not in was.live and i in self.live),
            rewired=tuple(rewired),
            read={i: was.reads[i] for i in (*removed, *rewired)},
            outputs={name: pair for name, pair in moved.items() if pair[0] != pair[1]},
            before=was.before,
            after=self.total,
        )

    def _touch(self, entry: int) -> None:
        """Remember how `entry` was before it first changes."""
        booked = self._booked
        if entry not in booked.touched:
            booked.touched[entry] = None
            booked.reads[entry] = self.reads.get(entry, ())
            if entry in self.live:
                booked.live.add(entry)

    def _entry(self, node: Node, standing_for: Node | None = None) -> int:
        """The entry of a node of the engine's: known, carried over from one that is known, or new.

        What was built to stand for `standing_for` is new, even where an earlier stage has built its like.
        """
        for each in ancestors([node], stop=self._of):
            if each in self._of:
                continue
            reads = tuple(self._of[source] for source in each.inputs)
            is_new = each.op.is_leaf or (isinstance(each.origin, Rewrite) and each.origin.replaced is standing_for)
            found = None if is_new else self._carried(each, reads)
            if found is None:
                self._add(each, reads)
            else:
                self._of[each] = found
        return self._of[node]

    def _carried(self, node: Node, reads: Reads) -> int | None:
        """The live entry that `node` is, over what its inputs became; one whose inputs merged unseen is rewired."""
        found = nearest(node, self._alike.get(exact(node, reads), ()), self.node)
        if found is None:
            found = nearest(node, [i for i in self._kin.get(family(node), ()) if i in self.live], self.node)
            if found is not None:
                self._rewire(found, reads)
        return found

    def _renew(self, entry: int, node: Node) -> None:
        """`entry` is in the graph, and reads what `node` reads."""
        reads = tuple(self._of[source] for source in node.inputs)
        if entry not in self.live:
            self._revive(entry, reads)
        elif self.reads[entry] != reads:
            self._rewire(entry, reads)

    def _add(self, node: Node, reads: Reads) -> int:
        entry = len(self.node)
        self._of[node] = entry
        self.node[entry] = node
        self._readers[entry] = Counter()
        self._kin.setdefault(family(node), {})[entry] = None
        self._revive(entry, reads)
        return entry

    def _revive(self, entry: int, reads: Reads) -> None:
        self._touch(entry)
        self.live[entry] = None
        self._connect(entry, reads)
        self._count(entry, +1)

    def _rewire(self, entry: int, reads: Reads) -> None:
        self._touch(entry)
        self._count(entry, -1)
        self._disconnect(entry)
        self._connect(entry, reads)
        self._count(entry, +1)

    def _connect(self, entry: int, reads: Reads) -> None:
        self.reads[entry] = reads
        shown = tuple(self.node[i] for i in reads)
        node = self.node[entry]
        if node.inputs != shown:
            self.node[entry] = Node(node.op, shown, node.type, node.name, node.scope, node.origin, node.place)
        self._costs[entry] = cost_of(self.node[entry]) if reads else NOTHING
        self._alike.setdefault(exact(node, reads), {})[entry] = None
        for source in reads:
            self._readers[source][entry] += 1

    def _disconnect(self, entry: int) -> None:
        self._alike[exact(self.node[entry], self.reads[entry])].pop(entry, None)
        for source in self.reads[entry]:
            self._readers[source][entry] -= 1
            if not self._readers[source][entry]:
                del self._readers[source][entry]

    def _count(self, entry: int, sign: int) -> None:
        own = self._costs[entry]
        cost = Cost(*(have + sign * part for have, part in zip(self.total.cost, own, strict=True)))
        self.total = Totals(self.total.nodes + sign, cost)

    def _put_output(self, name: str, entry: int) -> None:
        old = self.outputs.get(name)
        if old is not None and old != entry:
            self._booked.outputs.setdefault(name, old)
            self._names[old].pop(name)
            self._pinned[old] -= 1
        if old != entry:
            self.outputs[name] = entry
            self._names.setdefault(entry, {})[name] = None
            self._pinned[entry] += 1

    def _pin(self, graph: Graph) -> None:
        """Outputs, updated variables and placeholders that settle a size are there though nobody reads them."""
        named = outputs_of(graph)
        for name in [name for name in self.outputs if name not in named]:
            self._names[self.outputs[name]].pop(name)
            del self.outputs[name]
        for name, node in named.items():
            self._put_output(name, self._of[node])
        self._pinned = Counter(self.outputs.values())
        self._pinned.update(self._of[node] for node in (*graph.sized_by, *(v for v, _ in graph.updates)))

    def _drop_unread(self, suspects: Iterable[int]) -> None:
        """Take out of the graph what nobody reads any more."""
        waiting = list(suspects)
        while waiting:
            entry = waiting.pop()
            if entry in self.live and not self._readers[entry] and not self._pinned[entry]:
                sources = self.reads[entry]
                self._drop([entry])
                waiting += sources

    def _drop(self, entries: Iterable[int]) -> None:
        for entry in entries:
            self._touch(entry)
            self._disconnect(entry)
            self._count(entry, -1)
            del self.live[entry]


def outputs_of(graph: Graph) -> dict[str, Node]:
    """What a graph hands out: its outputs, and the new values of its variables as ``w ←``."""
    return {**graph.outputs, **{f"{variable.label} ←": value for variable, value in graph.updates}}
