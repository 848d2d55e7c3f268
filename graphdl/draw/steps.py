"""The story of one run, step by step: feed, forward, loss, seed, backward, gradients, update, run again."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from graphdl.draw.captions import caption, joined, with_role
from graphdl.draw.chain import Chain
from graphdl.draw.digits import signed
from graphdl.draw.formula import applied, formulas
from graphdl.draw.labels import gradient_text, value_text
from graphdl.draw.model import LaneRule, Step, TraceEdge, Value
from graphdl.draw.style import one_line
from graphdl.draw.subject import Lane, Subject, whole_gradient_of
from graphdl.draw.wires import Key
from graphdl.ir.leaves import scalar_of
from graphdl.ir.node import Node
from graphdl.ir.traverse import ancestors, dependents, leaves
from graphdl.ir.types import shape_text

# So many names in one caption, then dots.
_MOST_NAMED = 12
# A new value with a longer formula (an optimizer with moments, say) is given as a number only.
_LONGEST_UPDATE = 160


class Story:
    """Tells the steps of `found` with the numbers at hand, which may be none; `renewed` are those of the next run."""

    def __init__(
        self,
        found: Subject,
        numbers: Mapping[Node, Value],
        wires: Mapping[Key, TraceEdge],
        lines: Mapping[Node, tuple[int, ...]],
        renewed: Mapping[Node, Value],
    ) -> None:
        self.found, self.numbers, self.wires, self.lines, self.renewed = found, numbers, wires, lines, renewed
        self.chain = Chain(found, numbers)
        self.due: dict[Node, int] = {}
        self.arrived: dict[Node, list[Lane]] = {}
        self.seen: set[Node] = (
            {*found.forward, *(found.gradient[found.loss],)} if found.loss in found.gradient else set()
        )
        for lane in found.lanes:
            self.due[lane.source] = self.due.get(lane.source, 0) + 1

    def steps(self) -> tuple[Step, ...]:
        """All steps in order."""
        found = self.found
        told = [self._graph(), self._feed(), *(self._forward(node) for node in found.forward if node.inputs)]
        if found.wrt:
            told += [self._seed(), *(self._backward(node, lanes) for node, lanes in found.visits), self._summary()]
        told += [self._update(variable, value) for variable, value in found.updates]
        return (*told, self._again()) if self.renewed else tuple(told)

    def _graph(self) -> Step:
        found = self.found
        ends = ", ".join(found.symbols.get(node, node.op.name) for node in found.outputs[:_MOST_NAMED])
        ops = sum(1 for node in found.forward if node.inputs)
        return Step("graph", caption=caption("graph", ops=ops, leaves=len(found.forward) - ops, loss=ends))

    def _feed(self) -> Step:
        leaves = [node for node in self.found.forward if not node.inputs]
        named = [node for node in leaves if node.op.name not in ("constant", "size")]
        return Step(
            "feed",
            active_nodes=self._ids(leaves),
            values=self._values(leaves),
            caption=caption("feed", symbols=_listed(f"{self.found.symbols[n]}{self._equals(n)}" for n in named)),
            code=self._code(leaves),
        )

    def _forward(self, node: Node) -> Step:
        symbol, formula = self.found.symbols[node], self._formula(node)
        phase = "loss" if node is self.found.loss else "forward"
        return Step(
            phase,
            self.found.ids[node],
            active_nodes=self._ids([node]),
            active_edges=tuple(self.wires[node, slot].id for slot in range(len(node.inputs))),
            values=self._values([node]),
            formula=f"{symbol} = {formula}",
            substituted=self.chain.forward(node),
            caption=caption(phase, symbol=symbol, formula=formula, value=self._equals(node)),
            code=self._code([node]),
        )

    def _seed(self) -> Step:
        loss = self.found.loss
        assert loss is not None
        symbol, value = self.found.symbols[loss], self._gradient(loss)
        return Step(
            "seed",
            self.found.ids[loss],
            active_nodes=self._ids([loss]),
            gradients={self.found.ids[loss]: value} if value else {},
            formula=f"∂{symbol}/∂{symbol} = 1",
            caption=caption("seed", symbol=symbol, value=gradient_text(value) if value else "1"),
            code=self._code([self.found.gradient[loss]]),
        )

    def _backward(self, node: Node, lanes: tuple[Lane, ...]) -> Step:
        ids = [self.wires[lane.target, lane.slot].id for lane in lanes]
        rules = tuple(self._rule(lane, edge) for lane, edge in zip(lanes, ids, strict=True))
        complete = [source for source in dict.fromkeys(lane.source for lane in lanes) if self._is_complete(source)]
        sums = {self.found.ids[s]: self.chain.addition(s, self.arrived[s]) for s in complete if self.due[s] > 1}
        return Step(
            "backward",
            self.found.ids[node],
            active_nodes=self._ids([node, *(lane.source for lane in lanes)]),
            active_edges=tuple(ids),
            values=self._built(lanes),
            gradients={self.found.ids[s]: value for s in complete if (value := self._gradient(s))},
            locals=self._on(ids, [lane.local for lane in lanes]),
            terms=self._on(ids, [lane.term for lane in lanes]),
            lanes=rules,
            sums={key: text for key, text in sums.items() if text},
            caption=self._said(node, complete),
            code=self._code([lane.term for lane in lanes]),
        )

    def _rule(self, lane: Lane, edge: str) -> LaneRule:
        return self.chain.rule(lane, edge, self._arrival(lane))

    def _built(self, lanes: Iterable[Lane]) -> dict[str, Value]:
        """The values of the backward nodes that nobody needed before these lanes."""
        new = [n for n in ancestors([lane.term for lane in lanes], stop=self.seen) if n not in self.seen]
        self.seen.update(new)
        return self._values(node for node in new if node in self.found.ids)

    def _said(self, node: Node, complete: Iterable[Node]) -> dict[str, str]:
        said = with_role("backward", node.op.role, symbol=self.found.symbols[node], formula=self._formula(node))
        if node.op.name == "broadcast_to":
            (source,) = node.inputs
            shapes = f"{shape_text(source.shape)} → {shape_text(node.shape)}"
            said = joined(said, caption("copied", symbol=self.found.symbols[source], shapes=shapes))
        for source in complete:
            if self.due[source] > 1:
                said = joined(said, caption("accumulate", symbol=self.found.symbols[source], count=self.due[source]))
        return said

    def _arrival(self, lane: Lane) -> str:
        """Which of several gradients arrives at a value, or their sum; nothing where there is only one."""
        arrived = self.arrived.setdefault(lane.source, [])
        arrived.append(lane)
        count = self.due[lane.source]
        if count == 1:
            return ""
        addition = self.chain.addition(lane.source, arrived) if len(arrived) == count else ""
        return addition or f"{len(arrived)} of {count}"

    def _is_complete(self, source: Node) -> bool:
        return len(self.arrived[source]) == self.due[source]

    def _summary(self) -> Step:
        """All gradients; those that no step brought are zero everywhere, for the reason given."""
        found = self.found
        late = {found.ids[w]: value for w in found.wrt if w not in self.due and (value := self._gradient(w))}
        said = caption("summary", gradients=_listed(f"{self.chain.partial(w)}{self._slope(w)}" for w in found.wrt))
        for reason in found.zero_because:
            said = joined(said, caption("zero", reason=one_line(reason)))
        return Step("summary", active_nodes=self._ids(found.wrt), gradients=late, caption=said)

    def _update(self, variable: Node, value: Node) -> Step:
        found = self.found
        old, new = self.numbers.get(variable), self.numbers.get(value)
        change = f": {value_text(old)} → {value_text(new)}" if old and new else ""
        stale = dependents(found.forward, [variable]) - {variable}
        return Step(
            "update",
            found.ids[variable],
            active_nodes=self._ids([variable]),
            values={found.ids[variable]: new} if new else {},
            stale=self._ids(node for node in found.forward if node in stale),
            formula=self._new_value(variable, value),
            substituted=change.removeprefix(": "),
            caption=caption("update", symbol=found.symbols[variable], change=change),
        )

    def _new_value(self, variable: Node, value: Node) -> str:
        """``w = w − 0.1 · ∂L/∂w``, where that is short enough to be read."""
        known = {node: self.found.symbols.get(node) or one_line(node.label) for node in leaves([value])}
        for node in ancestors([value]):
            of = whole_gradient_of(node)
            if of in self.found.symbols:
                known[node] = self.chain.partial(of)
        known = {node: symbol for node, symbol in known.items() if not _is_plain(node)}
        text = formulas([value], known)[value]
        return f"{self.found.symbols[variable]} = {text}" if len(text) <= _LONGEST_UPDATE else ""

    def _again(self) -> Step:
        """The forward pass with the new values: what becomes of the loss."""
        found, loss = self.found, self.found.loss
        ops = [node for node in found.forward if node.inputs and node in self.renewed]
        changed = [node for node in ops if self.renewed[node] != self.numbers.get(node)]
        symbol = found.symbols[loss] if loss is not None else ""
        old, new = (known.get(loss) if loss is not None else None for known in (self.numbers, self.renewed))
        change = f"{symbol}: {value_text(old)} → {value_text(new)}" if old and new else symbol
        if old and new and isinstance(old.scalar, float) and isinstance(new.scalar, float):
            change += f" ({signed(new.scalar - old.scalar)})"
        return Step(
            "again",
            found.ids[loss] if loss is not None else None,
            active_nodes=self._ids([loss] if loss is not None else []),
            values={found.ids[node]: self.renewed[node] for node in changed},
            substituted=change,
            caption=caption("again", change=change),
        )

    def _formula(self, node: Node) -> str:
        return applied(node, self.found.symbols)

    def _gradient(self, node: Node) -> Value | None:
        whole = self.found.gradient.get(node)
        return None if whole is None or isinstance(whole, tuple) else self.numbers.get(whole)

    def _equals(self, node: Node) -> str:
        value = self.numbers.get(node)
        return f" = {value_text(value)}" if value else ""

    def _slope(self, node: Node) -> str:
        value = self._gradient(node)
        return f" = {gradient_text(value)}" if value else ""

    def _on(self, edges: Iterable[str], nodes: Iterable[Node | None]) -> dict[str, Value]:
        pairs = zip(edges, nodes, strict=True)
        return {edge: self.numbers[node] for edge, node in pairs if node is not None and node in self.numbers}

    def _ids(self, nodes: Iterable[Node]) -> tuple[str, ...]:
        return tuple(dict.fromkeys(self.found.ids[node] for node in nodes))

    def _values(self, nodes: Iterable[Node]) -> dict[str, Value]:
        return {self.found.ids[node]: self.numbers[node] for node in nodes if node in self.numbers}

    def _code(self, nodes: Iterable[Node]) -> tuple[int, ...]:
        return tuple(sorted({line for node in nodes for line in self.lines.get(node, ())}))


def _listed(texts: Iterable[str]) -> str:
    found = list(texts)
    return ", ".join(found[:_MOST_NAMED]) + (", …" if len(found) > _MOST_NAMED else "")


def _is_plain(node: Node) -> bool:
    """Numbers, which formulas print as they are."""
    return scalar_of(node) is not None and not node.name
