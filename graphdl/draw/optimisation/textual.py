"""The passes as text: what each changed, as a unified diff of listings in which a node keeps its name."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence

from graphdl.config import DEFAULT_LEVEL, Level
from graphdl.draw.optimisation.ledger import Ledger
from graphdl.draw.optimisation.story import Chapter, Matter, story
from graphdl.ir.text import node_line, plain

_CONTEXT = 2

Listing = dict[int, str]


def passes_text(found: Matter, level: Level = DEFAULT_LEVEL, stabilise: bool = True, layout: bool = False) -> str:
    """For each pass that changed something its rules, and the lines that went, came or changed, with their neighbours.

    Names stay: a node that was called multiply_3 in the first listing is called so in the last.
    """
    namer = _Names()
    listings: list[tuple[Listing, dict[int, int]]] = []

    def look(ledger: Ledger) -> None:
        listings.append((namer.listing(ledger), {i: ledger.node[i].place for i in ledger.live}))

    told = story(found, level, stabilise, layout, look)
    parts = []
    for chapter, (before, old), (after, new) in zip(told.chapters, listings[:-1], listings[1:], strict=True):
        if before != after:
            parts.append("\n".join([*_head(chapter), *_hunks(before, after, {**old, **new})]))
    return "\n\n".join(parts)


class _Names:
    """A name for each entry, given once: its label, numbered where several have the same."""

    def __init__(self) -> None:
        self.names: dict[int, str] = {}
        self.counts: Counter[str] = Counter()
        self.taken: set[str] = set()

    def listing(self, ledger: Ledger) -> Listing:
        """The graph as it is now, a line an entry, then what its outputs are."""
        order = sorted(ledger.live, key=lambda i: ledger.node[i].place)
        for entry in order:
            if entry not in self.names:
                self.names[entry] = self._fresh(plain(ledger.node[entry].label))
        lines = {entry: self._line(ledger, entry) for entry in order}
        outputs = (f"{plain(name)} -> {self.names[entry]}" for name, entry in ledger.outputs.items())
        return lines | {-1 - k: line for k, line in enumerate(outputs)}

    def _line(self, ledger: Ledger, entry: int) -> str:
        node = ledger.node[entry]
        inputs = zip(node.inputs, ledger.reads[entry], strict=True)
        return node_line(node, {node: self.names[entry], **{shown: self.names[i] for shown, i in inputs}})

    def _fresh(self, label: str) -> str:
        name = label
        while name in self.taken:
            self.counts[label] += 1
            name = f"{label}_{self.counts[label]}"
        self.taken.add(name)
        return name


def _head(chapter: Chapter) -> Iterator[str]:
    yield f"--- before {chapter.name}: {chapter.before.nodes} nodes"
    yield f"+++ after {chapter.name}: {chapter.after.nodes} nodes"
    rules: dict[str, list[str]] = {}
    for event in chapter.events:
        rules.setdefault(event.rule, []).append(event.why)
    for rule, whys in rules.items():
        yield f"# {rule} x{len(whys)}: {whys[0]}"


def _hunks(before: Listing, after: Listing, place: dict[int, int]) -> Iterator[str]:
    """Changed lines with a few unchanged ones around; outputs come last."""
    order = sorted({*before, *after}, key=lambda i: (i < 0, place.get(i, -i)))
    marked = list(_marked(order, before, after))
    near = _near([sign != " " for sign, _ in marked])
    shown = False
    for (sign, line), is_near in zip(marked, near, strict=True):
        if is_near and not shown:
            yield "@@"
        if is_near:
            yield f"{sign} {line}".rstrip()
        shown = is_near


def _marked(order: Iterable[int], before: Listing, after: Listing) -> Iterator[tuple[str, str]]:
    for entry in order:
        old, new = before.get(entry), after.get(entry)
        if old is not None and old == new:
            yield " ", old
            continue
        if old is not None:
            yield "-", old
        if new is not None:
            yield "+", new


def _near(changed: Sequence[bool]) -> list[bool]:
    """Which lines are changed, or stand close to a changed one."""
    near = [False] * len(changed)
    for i, is_changed in enumerate(changed):
        if is_changed:
            for k in range(max(i - _CONTEXT, 0), min(i + _CONTEXT + 1, len(changed))):
                near[k] = True
    return near
