"""What the compiler did to a graph, as a story: a chapter a pass, a firing a sentence, totals all along."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Hashable, Iterable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from graphdl.autodiff.gradients import Derivation, derive
from graphdl.collection import collector_paused
from graphdl.compile.pipeline import Pass, pipeline
from graphdl.config import DEFAULT_LEVEL, Level
from graphdl.draw.optimisation.ledger import Change, Ledger, Totals
from graphdl.draw.optimisation.union import Union, union
from graphdl.draw.subject import subject
from graphdl.errors import GraphdlError
from graphdl.ir.graph import Graph, Updates
from graphdl.ir.node import Node
from graphdl.ir.origin import user_of
from graphdl.rewrite.engine import Firing

# Firings of one rule on the same ops whose pictures are kept; those beyond are counted.
MOST_ALIKE = 3
# Nodes in the picture of one firing, and of a whole pass.
_MOST_AROUND = 40
_MOST_IN_PASS = 90
_MOST_ADDED = 40


@dataclass(frozen=True)
class Event:
    """One firing: `number` in the story, from 1. `union` is kept for the first few that are alike (`likeness`).

    One in the body of a loop (`in_loop`) changes nothing of the graph itself, in which the loop is one node.
    """

    number: int
    chapter: int
    rule: str
    kind: str
    why: str
    label: str
    written: tuple[str, str]
    change: Change
    likeness: Hashable
    union: Union | None
    in_loop: bool = False


@dataclass
class Chapter:
    """A pass: what it is for, its firings, and what it did in all; `rest` is what it did beside its firings."""

    name: str
    what: str
    before: Totals
    after: Totals
    events: list[Event] = field(default_factory=list)
    rest: Change | None = None
    union: Union | None = None


@dataclass
class Story:
    """`chapters` in order; `ledger` is that of the graph in the end, which is `final`."""

    start: Totals
    ledger: Ledger
    final: Graph
    chapters: list[Chapter] = field(default_factory=list)

    @property
    def events(self) -> list[Event]:
        """Every firing, in order."""
        return [event for chapter in self.chapters for event in chapter.events]

    @property
    def alike(self) -> Counter[Hashable]:
        """How many firings are alike."""
        return Counter(event.likeness for event in self.events)


@dataclass(frozen=True)
class Matter:
    """What is compiled: the graph as written (of the loss alone, where there is a chain rule), and the graph that runs.

    The stages before the passes are told only where there is a derivation.
    """

    written: Graph
    derivation: Derivation | None
    whole: Graph


def matter(what: Any, wrt: Any = None, stabilise: bool = True) -> Matter:
    """What there is to compile in a model, a graph, updates, a node or a list of nodes."""
    training = _training(what)
    if training is not None:
        return _of_training(training)
    if hasattr(what, "outputs") and not isinstance(what, Graph):
        what = Graph({f"output_{i}" if i else "output": node for i, node in enumerate(what.outputs)})
    if isinstance(what, Graph | Updates):
        graph = what if isinstance(what, Graph) else Graph((), what.pairs)
        return Matter(graph, None, graph)
    found = subject(what, wrt, None, stabilise=False)
    graph = Graph(found.outputs)
    if found.loss is None or not found.wrt:
        return Matter(graph, None, graph)
    derivation = derive(found.loss, found.wrt, stabilise=stabilise)
    return Matter(graph, derivation, with_gradients(derivation))


def with_gradients(derivation: Derivation) -> Graph:
    """The loss and its gradients, each called d/ what it is for."""
    slopes = {f"d/{w.label}": slope for w, slope in zip(derivation.wrt, derivation.gradients, strict=True)}
    return Graph({"loss": derivation.loss, **slopes})


@collector_paused()
def story(
    found: Matter,
    level: Level = DEFAULT_LEVEL,
    stabilise: bool = True,
    layout: bool = True,
    look: Callable[[Ledger], None] | None = None,
) -> Story:
    """The firings before the chain rule, the chain rule, and every pass of `level`, as `Session` runs them.

    `look` is called with the ledger before the first chapter and after each.
    """
    writer = _Writer(found.written, look)
    if found.derivation is not None:
        stabilised = Graph({"loss": found.derivation.loss})
        writer.chapter("stabilise first", _FIRST, found.derivation.firings, stabilised)
        writer.chapter("chain rule", _CHAIN_RULE, [], found.whole)
    done = Graph(found.whole.outputs, found.whole.updates, found.whole.placeholders)
    for step in pipeline():
        if step.level <= level and (stabilise or not step.study) and (layout or not step.layout):
            log: list[Firing] = []
            done = step.run(done, log)
            writer.chapter(step.name, step.what, log, done, at_once=_hangs_together(step))
    return writer.told(done)


_FIRST = "before the chain rule: no overflow, no cancellation"
_CHAIN_RULE = "gradients, metrics and updates are built"


class _Writer:
    def __init__(self, graph: Graph, look: Callable[[Ledger], None] | None) -> None:
        self.ledger = Ledger(graph)
        self.look = look or (lambda ledger: None)
        self.look(self.ledger)
        self.start = self.ledger.total
        self.chapters: list[Chapter] = []
        self.count = 0
        self.seen: Counter[Hashable] = Counter()

    def chapter(self, name: str, what: str, log: Sequence[Firing], after: Graph, at_once: bool = False) -> None:
        """Book a pass with the firings in `log`, which leads to `after`."""
        ledger = self.ledger
        made = Chapter(name, what, ledger.total, ledger.total)
        self.chapters.append(made)
        if not at_once:
            made.events += map(self._fired, log)
        rest = ledger.take_over(after)
        if at_once and log:
            made.events.append(self._event(log[0], rest))
            made.events += [self._event(firing, ledger.take_over(after)) for firing in log[1:]]
        elif not rest.is_nothing:
            made.rest = rest
            # The chain rule builds a graph of its own, which has views of its own; a huge heap of + tells nothing.
            if len(rest.added) <= _MOST_ADDED:
                made.union = union(ledger, rest, _MOST_IN_PASS)
        made.after = ledger.total
        self.look(ledger)

    def told(self, final: Graph) -> Story:
        return Story(self.start, self.ledger, final, self.chapters)

    def _fired(self, firing: Firing) -> Event:
        if self.ledger.is_foreign(firing.before):
            return self._in_loop(firing)
        return self._event(firing, self.ledger.fire(firing.before, firing.after))

    def _in_loop(self, firing: Firing) -> Event:
        """A firing in a body, drawn by itself; the graph around it stays as it is."""
        inside = Ledger(Graph({"": firing.before}))
        event = self._event(firing, inside.fire(firing.before, firing.after), inside)
        same = self.ledger.total
        return replace(event, change=Change((), (), (), {}, {}, same, same), in_loop=True)

    def _event(self, firing: Firing, change: Change, inside: Ledger | None = None) -> Event:
        self.count += 1
        ledger, letter = (self.ledger, "n") if inside is None else (inside, "i")
        likeness = _likeness(len(self.chapters), firing.rule, ledger, change)
        self.seen[likeness] += 1
        is_kept = self.seen[likeness] <= MOST_ALIKE and not change.is_nothing
        return Event(
            number=self.count,
            chapter=len(self.chapters) - 1,
            rule=firing.rule,
            kind=firing.kind,
            why=firing.why,
            label=firing.before.label,
            written=_written(firing.before),
            change=change,
            likeness=likeness,
            union=union(ledger, change, _MOST_AROUND, letter=letter) if is_kept else None,
        )


def _hangs_together(step: Pass) -> bool:
    """Whether the firings of a pass make sense only together: packing moves all variables at once."""
    return step.layout


def _likeness(chapter: int, rule: str, ledger: Ledger, change: Change) -> Hashable:
    """Firings of one pass are alike when the same rule put the same ops in the place of the same ops."""

    def ops(entries: Iterable[int]) -> tuple[str, ...]:
        return tuple(sorted(ledger.node[i].op.name for i in entries))

    return chapter, rule, ops(change.removed), ops(change.added)


def _written(node: Node) -> tuple[str, str]:
    """Where the user wrote it, and the line itself."""
    user = user_of(node)
    return (str(user), user.source()) if user else ("", "")


def _training(what: Any) -> Any:
    """The loss, derivation and updates of a compiled model; None for anything else."""
    if isinstance(what, Graph | Updates | Node | list | tuple) or not hasattr(what, "outputs"):
        return None
    try:
        return getattr(what, "training", None)
    except GraphdlError:
        return None


def _of_training(training: Any) -> Matter:
    loss = training.loss
    if not training.variables:
        graph = Graph({"loss": loss})
        return Matter(graph, None, graph)
    outputs = {"loss": training.derivation.loss, **training.metrics}
    return Matter(Graph({"loss": loss}), training.derivation, Graph(outputs, training.updates.pairs))
