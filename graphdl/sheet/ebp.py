"""Error back-propagation in the notation of textbooks: δ = ∂L/∂z for what each unit sums up, in six steps.

One sign convention throughout: δ is the derivative itself, and the one minus stands in the update.
"""

from __future__ import annotations

import math
import re
from collections import ChainMap
from collections.abc import Iterable, Sequence

from graphdl.draw.digits import in_brackets, inner, number, product
from graphdl.draw.formula import formulas
from graphdl.ir.leaves import VariableLeaf
from graphdl.ir.node import Node
from graphdl.ir.types import shape_text
from graphdl.sheet.by_arrays import ByArrays
from graphdl.sheet.by_numbers import ByNumbers
from graphdl.sheet.grids import grid
from graphdl.sheet.model import Block, Formula, Grid, Row, Section, Table, Work, listed
from graphdl.sheet.naming import layers
from graphdl.sheet.paths import Path, bracketed, derivatives, paths
from graphdl.sheet.reverse import Reverse
from graphdl.sheet.updating import put_in
from graphdl.sheet.words import heads, note, say, section, words

# The letter of z⁽¹⁾₁ or z2, and what stands behind it.
_UNIT = re.compile(r"[^\W\d_](\d*(?:⁽[⁰¹²³⁴-⁹]+⁾)?[₀-₉]*)")


def ebp_section(part: ByNumbers | ByArrays, rate: float | None) -> Section:
    """The six steps, over the numbers or the arrays of `part`."""
    steps = (_Units(part) if isinstance(part, ByNumbers) else _Layers(part)).steps(rate)
    if not steps:
        return section("ebp", words("ebp none"))
    return section("ebp", words("ebp said", loss=part.loss), *steps, note("ebp signs"))


def delta_name(symbol: str) -> str:
    """δ for a unit whose sum is called `symbol`.

    >>> delta_name("z⁽¹⁾₂"), delta_name("z"), delta_name("net")
    ('δ⁽¹⁾₂', 'δ', 'δ[net]')
    """
    found = _UNIT.fullmatch(symbol)
    return f"δ{found[1]}" if found else f"δ[{symbol}]"


# Numbers in a line.
_MOST_IN_A_LINE = 6


class _Units:
    """The steps number by number: units are the sums that trained weights take part in."""

    def __init__(self, part: ByNumbers) -> None:
        self.part, self.made = part, part.made
        trained = [leaf for leaf in self.made.given if is_trained(self.made.of[leaf])]
        # All weights take part in EBP, whichever the sheet asks for.
        self.reverse = Reverse(self.made, tuple(trained)) if trained else part.reverse
        self.units = [e for e in self.reverse.way if any(link.source in trained for link in e.links)]
        self.trained = [w for w in trained if w in self.reverse.wires]
        self.delta = _unique({e.target: delta_name(self.made.symbols[e.target]) for e in self.units})

    def steps(self, rate: float | None) -> list[Block]:
        """Six steps; nothing where there is no unit."""
        if not self.units:
            return []
        outputs = [e.target for e in self.units if not self._hidden(e.target)]
        hidden = [node for node in self.reverse.order if node in self.delta and self._hidden(node)]
        data = [leaf for leaf in self.made.given if leaf not in self.trained]
        return [
            Work(say("ebp 1"), self._listed(self.trained)),
            Work(say("ebp 2"), self._listed(data)),
            Work(say("ebp 3"), tuple(Formula(self._forward(e.target)) for e in self.reverse.way)),
            Work(say("ebp 4"), tuple(line for unit in outputs for line in self._delta(unit))),
            Work(say("ebp 5" if hidden else "ebp no 5"), tuple(line for unit in hidden for line in self._delta(unit))),
            Work(say("ebp 6"), (Formula("w ← w − η · δ · h" + (f", η = {number(rate)}" if rate is not None else "")),)),
            self._changes(rate),
        ]

    def _listed(self, leaves: Iterable[Node]) -> tuple[Formula, ...]:
        """The numbers of each array in a line."""
        lines: dict[Node, list[str]] = {}
        for leaf in leaves:
            value = f" = {number(self.made.values[leaf])}" if leaf in self.made.values else ""
            lines.setdefault(self.made.of[leaf], []).append(f"{self.made.symbols[leaf]}{value}")
        widths = {node: _in_a_line(self.made.elements[node].shape) for node in lines}
        return tuple(line for node, texts in lines.items() for line in listed(texts, widths[node]))

    def _forward(self, target: Node) -> str:
        symbolic = formulas([self.made.by_target[target].formula], self.made.symbols)
        value = f" = {number(self.made.values[target])}" if target in self.made.values else ""
        return f"{self.made.symbols[target]} = {next(iter(symbolic.values()))}{value}"

    def _hidden(self, unit: Node) -> bool:
        return any(path[-1].target in self.delta for path in self._ways(unit))

    def _ways(self, unit: Node) -> list[Path]:
        """From a unit to the next units, or to the loss."""
        return list(paths(self.reverse, unit, ends=self.delta))

    def _delta(self, unit: Node) -> list[Formula]:
        ways = self._ways(unit)
        name, partial = self.delta[unit], self.reverse.partial(unit)
        if not ways:
            return [Formula(f"{name} = {partial} = 1", "chain")]
        lines = [Formula(f"{name} = {partial} = {' + '.join(map(self._term, ways))}", "chain")]
        if self.reverse.gradients:
            lines.append(Formula(f"{name} = {self._numbers(unit, ways)}", "numbers"))
        return lines

    def _term(self, path: Path) -> str:
        """``δ⁽²⁾ · w · a · (1 − a)``: the δ that arrives times what lies between."""
        slopes, end = derivatives(self.reverse, path), path[-1].target
        return _times(self.delta[end], slopes) if end in self.delta else slopes

    def _numbers(self, unit: Node, ways: Sequence[Path]) -> str:
        gradients = self.reverse.gradients
        along = [[self.reverse.slopes[wire.link.slope] for wire in reversed(path)] for path in ways]
        arriving = [gradients[path[-1].target] for path in ways]
        if len(ways) > 1:
            return inner(zip(arriving, map(math.prod, along), strict=True), gradients[unit])
        begin = arriving if ways[0][-1].target in self.delta else []
        return product([*begin, *along[0]], gradients[unit])

    def _changes(self, rate: float | None) -> Table:
        """Each weight with its δ · h, and what it becomes."""
        head = heads("symbol", "delta h", *(["gradient", "new value"] if self.reverse.gradients else []))
        rows = (Row(tuple(map(Formula, self._change(w, rate))), w in self.part.wrt) for w in self.trained)
        return Table(head, tuple(rows))

    def _change(self, w: Node, rate: float | None) -> list[str]:
        name, slope = self.made.symbols[w], self.reverse.gradients.get(w)
        wires = [(self.delta[wire.target], self.reverse.derivative(wire.link.slope)) for wire in self.reverse.wires[w]]
        sum_of_products = " + ".join(_times(delta, factor) for delta, factor in wires)
        if slope is None:
            return [name, sum_of_products]
        value, shown = self.made.values[w], number(slope)
        new = f"{number(value)} − η · {in_brackets(shown)}" if rate is None else put_in(value, rate, slope)
        return [name, sum_of_products, shown, f"{name} ← {new}"]


class _Layers:
    """The steps with whole arrays: units are the layers, δ has the shape of what they sum up."""

    def __init__(self, part: ByArrays) -> None:
        self.part, self.found = part, part.found
        made = [total for _, total in layers(self.found.forward)]
        self.sums = [node for node in made if isinstance(self.found.gradient.get(node), Node)]
        self.delta = _unique({node: delta_name(self.found.symbols[node]) for node in self.sums})

    def steps(self, rate: float | None) -> list[Block]:
        """Six steps; nothing where there is no layer."""
        if not self.sums:
            return []
        leaves = [node for node in self.found.forward if not node.inputs]
        trained = [node for node in leaves if is_trained(node) and node in self.found.gradient]
        data = [node for node in leaves if node.op.name == "placeholder"]
        hidden = self.sums[-2::-1]
        return [
            Work(say("ebp 1"), (Formula(", ".join(self._typed(node) for node in trained)),)),
            Work(say("ebp 2"), (Formula(", ".join(self._typed(node) for node in data)),)),
            Work(say("ebp 3"), tuple(map(Formula, self._equations()))),
            Work(say("ebp 4"), self._delta(self.sums[-1]), grids=self._grids(self.sums[-1:])),
            Work(
                say("ebp 5" if hidden else "ebp no 5"),
                tuple(line for node in hidden for line in self._delta(node)),
                grids=self._grids(hidden),
            ),
            Work(say("ebp 6"), tuple(line for w in trained for line in self._change(w))),
        ]

    def _typed(self, node: Node) -> str:
        return f"{self.found.symbols[node]}: {shape_text(node.shape)}"

    def _equations(self) -> list[str]:
        return [self.part.equation(op) for op in self.found.forward if op.inputs and op not in self.part.inner]

    def _over_deltas(self, node: Node) -> str:
        """The gradient of `node` over the δ of other layers and the values of the forward pass."""
        whole = self.found.gradient[node]
        known = {self.found.gradient[z]: name for z, name in self.delta.items() if self.found.gradient[z] is not whole}
        return formulas([whole], ChainMap(known, self.found.forward_symbols))[whole]

    def _delta(self, node: Node) -> tuple[Formula, ...]:
        partial = self.part.chain.partial(node)
        return (Formula(f"{self.delta[node]} = {partial} = {self._over_deltas(node)}", "chain"),)

    def _change(self, w: Node) -> list[Formula]:
        name, partial = self.found.symbols[w], self.part.chain.partial(w)
        shared = [self.delta[z] for z in self.sums if self.found.gradient[z] is self.found.gradient[w]]
        slope = shared[0] if shared else self._over_deltas(w)
        return [Formula(f"{partial} = {slope}", "chain"), Formula(f"{name} ← {name} − η · {bracketed(slope)}")]

    def _grids(self, nodes: Iterable[Node]) -> tuple[Grid, ...]:
        made = [grid(self.delta[node], self.part.gradient_of(node)) for node in nodes]
        return tuple(each for each in made if each is not None)


def _in_a_line(shape: Sequence[int]) -> int:
    """A row of a matrix, or as many numbers as fit."""
    return min(shape[-1], _MOST_IN_A_LINE) if len(shape) > 1 and shape[-1] > 1 else _MOST_IN_A_LINE


def is_trained(node: Node) -> bool:
    """Whether it is a weight."""
    return isinstance(node.op, VariableLeaf) and node.op.trainable and node.tensor.is_float


def _unique(names: dict[Node, str]) -> dict[Node, str]:
    """`names`, numbered where two units would share one."""
    seen: dict[str, int] = {}
    found = {}
    for node, name in names.items():
        seen[name] = seen.get(name, 0) + 1
        found[node] = name if seen[name] == 1 else f"{name}[{seen[name]}]"
    return found


def _times(delta: str, factor: str) -> str:
    return delta if factor == "1" else f"{delta} · {bracketed(factor)}"
