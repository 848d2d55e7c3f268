"""Before and after in one graph: what stays, what goes (−), what comes (+), what reads something else (~)."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

from graphdl.draw.optimisation.ledger import Change, Ledger
from graphdl.ir.node import Node

Status = Literal["same", "removed", "added", "rewired"]

# Readers and inputs of one changed node that are shown beside it, and changed nodes that a picture has room for.
_MOST_NEIGHBOURS = 6
MOST_SHOWN = 120


@dataclass(frozen=True)
class Member:
    """A node of either graph; for an output, which is no node, `node` is None and `text` is its name."""

    id: str
    status: Status
    node: Node | None = None
    text: str = ""


@dataclass(frozen=True)
class Wire:
    """Into input `slot` of `target`, in both graphs or in one of them."""

    source: str
    target: str
    slot: int
    status: Status


@dataclass(frozen=True)
class Union:
    """Members in the order of the listing and the wires between them; how many nodes of either graph are left out."""

    members: tuple[Member, ...]
    wires: tuple[Wire, ...]
    left_out: int = 0
    changes_left_out: int = 0

    @property
    def changed(self) -> tuple[Member, ...]:
        """The members that are not the same before and after."""
        return tuple(member for member in self.members if member.status != "same")


def union(ledger: Ledger, change: Change, most: int = MOST_SHOWN, whole: bool = False, letter: str = "n") -> Union:
    """What `change`, the last one booked, did: changed nodes with their neighbours, or the `whole` graph if it fits.

    At most about `most` nodes are shown. Ids of members are their numbers in the ledger behind `letter`.
    """
    both = [*ledger.live, *change.removed]
    if whole and len(both) <= most:
        chosen, shown = set(change.touched), set(both)
    else:
        chosen = _together(ledger, change, most)
        shown = chosen | _neighbours(ledger, change, chosen)
    status = _statuses(change)
    order = sorted(shown, key=lambda i: ledger.node[i].place)
    members = [Member(f"{letter}{i}", status.get(i, "same"), ledger.node[i]) for i in order]
    outputs = _outputs(ledger, change, shown, whole or len(both) <= most)
    members += [Member(f"o{k}", "rewired" if old != new else "same", text=name) for k, name, old, new in outputs]
    wires = [*_wires(ledger, change, order, shown, letter), *_output_wires(outputs, shown, letter)]
    left_out = len(both) - len(shown) - (len(change.touched) - len(chosen))
    return Union(tuple(members), tuple(wires), max(left_out, 0), len(change.touched) - len(chosen))


def _statuses(change: Change) -> dict[int, Status]:
    found: dict[int, Status] = dict.fromkeys(change.rewired, "rewired")
    found.update(dict.fromkeys(change.added, "added"))
    found.update(dict.fromkeys(change.removed, "removed"))
    return found


def _before(ledger: Ledger, change: Change, entry: int) -> tuple[int, ...]:
    """What `entry` read before."""
    return change.read.get(entry, ledger.reads[entry])


def _around(ledger: Ledger, change: Change, entry: int) -> list[int]:
    """What `entry` reads or read, without repetition."""
    after = () if entry in change.removed else ledger.reads[entry]
    return list(dict.fromkeys((*_before(ledger, change, entry), *after)))


def _together(ledger: Ledger, change: Change, most: int) -> set[int]:
    """Changed entries, as many as there is room for, in the order of the listing: neighbours stand together there."""
    touched = sorted(change.touched, key=lambda i: ledger.node[i].place)
    return set(touched[: max(most * 2 // 3, 1)]) if len(touched) > most * 2 // 3 else set(touched)


def _neighbours(ledger: Ledger, change: Change, chosen: Iterable[int]) -> set[int]:
    """Unchanged entries that a changed one reads or is read by, a few for each."""
    found: set[int] = set()
    changed = set(change.touched)
    for entry in chosen:
        near = [i for i in _around(ledger, change, entry) if i not in changed][:_MOST_NEIGHBOURS]
        if entry in change.added:
            near += [i for i in ledger.readers(entry) if i not in changed][:_MOST_NEIGHBOURS]
        found.update(near)
    return found


def _wires(ledger: Ledger, change: Change, order: Iterable[int], shown: set[int], letter: str) -> list[Wire]:
    wires = []
    for entry in order:
        old = _before(ledger, change, entry) if entry not in change.added else ()
        new = ledger.reads[entry] if entry not in change.removed else ()
        for slot in range(max(len(old), len(new))):
            was, now = (reads[slot] if slot < len(reads) else None for reads in (old, new))
            for source, status in _ends(was, now):
                if source in shown:
                    wires.append(Wire(f"{letter}{source}", f"{letter}{entry}", slot, status))
    return wires


def _ends(was: int | None, now: int | None) -> list[tuple[int, Status]]:
    """Where a slot reads from: one wire if it is the same in both graphs, else one for each."""
    if was is not None and was == now:
        return [(was, "same")]
    pairs: list[tuple[int | None, Status]] = [(was, "removed"), (now, "added")]
    return [(source, status) for source, status in pairs if source is not None]


def _outputs(ledger: Ledger, change: Change, shown: set[int], every: bool) -> list[tuple[int, str, int, int]]:
    """Outputs, numbered, with what they were and are: those that changed, or all that hang on what is shown."""
    found = []
    for k, (name, entry) in enumerate(ledger.outputs.items()):
        old, new = change.outputs.get(name, (entry, entry))
        if {old, new} & shown and (every or old != new):
            found.append((k, name, old, new))
    return found[:MOST_SHOWN]


def _output_wires(outputs: Iterable[tuple[int, str, int, int]], shown: set[int], letter: str) -> list[Wire]:
    return [
        Wire(f"{letter}{source}", f"o{k}", 0, how)
        for k, _, old, new in outputs
        for source, how in _ends(old, new)
        if source in shown
    ]
