"""One sweep over a graph that applies rules until none fires, and writes down each firing.

A sweep is deterministic, so a log replays: `rewrite(graph, rules, limit=k)` is the graph after k firings.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any, Literal

from graphdl.ir.graph import Graph
from graphdl.ir.node import Node
from graphdl.ir.origin import Rewrite, Rewriting
from graphdl.ir.pattern import Pattern
from graphdl.ir.traverse import ancestors, carried, renamed
from graphdl.ops.shape import BroadcastTo, broadcast_to
from graphdl.rewrite.match import matches

# exact-bits: the same bits, the sign of a zero apart. exact-real: the same real number, rounded elsewhere. stabilise:
# the same real number, and right where the formula as typed overflows, cancels or divides 0 by 0.
Kind = Literal["exact-bits", "exact-real", "stabilise"]

# Firings in the place of one node; more means that two rules undo each other.
_MOST_FIRINGS = 64


@dataclass(frozen=True)
class Rule:
    """A rewrite: where one of `patterns` matches, `build` returns what to put there (or None to leave it)."""

    name: str
    patterns: tuple[Pattern, ...]
    build: Callable[..., Node | None]
    kind: Kind
    fuses: bool
    wants: tuple[str, ...]
    when: Callable[[Node], bool] | None = None

    @property
    def why(self) -> str:
        """First line of the docstring: the equation, and what it gains or where it holds."""
        return (inspect.getdoc(self.build) or "").split("\n")[0]


@dataclass(frozen=True)
class Firing:
    """One rewrite that happened: in `stage`, `rule` put `after` in the place of `before`."""

    number: int
    stage: str
    rule: str
    kind: Kind
    before: Node
    after: Node
    why: str

    def __str__(self) -> str:
        return f"{self.number:4} {self.stage:12} {self.rule:28} {self.before.label}: {self.why}"


def rule(
    *patterns: Any, kind: Kind = "exact-real", fuses: bool = False, when: Callable[[Node], bool] | None = None
) -> Callable[[Callable[..., Node | None]], Rule]:
    """Make the decorated function a rule; its parameters name wildcards of the patterns, or `node`, the match itself.

    A rule that `fuses` applies only where no inner node of the match is read by anyone else. `when` is asked first,
    for a rule whose pattern matches nearly everything.
    """

    def make(build: Callable[..., Node | None]) -> Rule:
        wants = tuple(inspect.signature(build).parameters)
        return Rule(build.__name__, patterns, build, kind, fuses, wants, when)

    return make


def rewrite(
    graph: Graph,
    rules: Iterable[Rule],
    stage: str = "rewrite",
    protected: Iterable[Node] = (),
    limit: int | None = None,
    log: list[Firing] | None = None,
) -> tuple[Graph, dict[Node, Node]]:
    """The graph after the rules have fired wherever they apply, and what became of each node that changed.

    Nodes in `protected` stay whole: no rule takes them apart. At most `limit` rules fire. Firings go to `log`.
    """
    sweep = _Sweep(graph, rules, stage, protected, limit, [] if log is None else log)
    became = sweep.run()
    return (graph.replaced(became) if sweep.fired else graph), became


class _Sweep:
    def __init__(
        self,
        graph: Graph,
        rules: Iterable[Rule],
        stage: str,
        protected: Iterable[Node],
        limit: int | None,
        log: list[Firing],
    ) -> None:
        self.graph = graph
        self.by_op: dict[str, list[tuple[Rule, Pattern, frozenset[str]]]] = {}
        for r in rules:
            for pattern in r.patterns:
                self.by_op.setdefault(pattern.op_name, []).append((r, pattern, pattern.needs))
        self.stage, self.limit, self.log = stage, limit, log
        self.protected = set(protected)
        self.fired = 0
        self.settled: set[Node] = set()
        self.readers: dict[Node, int] = {}
        self.fusing = any(r.fuses for r in rules)

    def run(self) -> dict[Node, Node]:
        became: dict[Node, Node] = {}
        by_op, settled = self.by_op, self.settled
        for node in self.graph.nodes:
            new = carried(node, became)
            if node in self.protected:
                self.protected.add(new)
            if self.fusing:
                self.readers[new] = len(self.graph.consumers[node])
            if new.op.name in by_op:
                new = self._settle(new, 0)
                if node in self.protected:
                    self.protected.add(new)
            settled.add(new)
            if new is not node:
                became[node] = new
        return became

    def _settle(self, node: Node, depth: int) -> Node:
        """What `node` is once no rule applies to it, nor to anything that rules built for it."""
        assert depth < _MOST_FIRINGS, f"rules undo each other at {node.label}: {[f.rule for f in self.log[-4:]]}"
        fired = self._fire(node)
        if fired is None:
            return node
        became: dict[Node, Node] = {}
        fresh = [n for n in ancestors([fired], stop=self.settled) if n not in self.settled]
        for new in fresh:
            done = became[new] = self._settle(carried(new, became), depth + 1)
            self.settled.add(done)
        return became.get(fired, fired)

    def _fire(self, node: Node) -> Node | None:
        """What the first rule that applies to `node` puts in its place."""
        if self.limit is not None and self.fired >= self.limit:
            return None
        present = {source.op.name for source in node.inputs}
        if "broadcast_to" in present:
            present |= {source.inputs[0].op.name for source in node.inputs if isinstance(source.op, BroadcastTo)}
        for r, pattern, needs in self.by_op.get(node.op.name, ()):
            if not needs <= present or (r.when is not None and not r.when(node)):
                continue
            for bindings, inner in matches(pattern, node, {}):
                if self._is_kept(inner[1:], r.fuses):
                    continue
                after = self._built(r, node, bindings)
                if after is not None and after is not node:
                    self._note(r, node, after)
                    return after
        return None

    def _is_kept(self, inner: list[Node], fuses: bool) -> bool:
        if any(n in self.protected for n in inner):
            return True
        return fuses and any(self.readers.get(n, 1) > 1 for n in inner)

    def _built(self, r: Rule, node: Node, bindings: dict[str, Node]) -> Node | None:
        arguments = {name: node if name == "node" else bindings[name] for name in r.wants}
        with Rewriting(r.name, node):
            after = r.build(**arguments)
            if after is None:
                return None
            after = broadcast_to(after, node.shape) if after.shape != node.shape else after
        assert after.type == node.type, f"{r.name}: {node.type} became {after.type}"
        is_new = isinstance(after.origin, Rewrite) and after.origin.replaced is node
        return renamed(after, node.name, node.scope) if node.name and is_new else after

    def _note(self, r: Rule, before: Node, after: Node) -> None:
        self.fired += 1
        self.log.append(Firing(len(self.log) + 1, self.stage, r.name, r.kind, before, after, r.why))
