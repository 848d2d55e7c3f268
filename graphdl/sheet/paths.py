"""The sum over paths: from a weight to the loss along every way, the local derivatives multiplied."""

from __future__ import annotations

import math
from collections.abc import Container, Iterator, Sequence

from graphdl.draw.digits import product, total
from graphdl.ir.node import Node
from graphdl.sheet.reverse import Reverse, Wire

Path = tuple[Wire, ...]


def count_paths(reverse: Reverse) -> dict[Node, int]:
    """The number of paths from each number to the loss: those of whatever reads it, added up. None is walked."""
    counts = {reverse.made.loss: 1}
    for node in reverse.order:
        if node not in counts:
            counts[node] = sum(counts[wire.target] for wire in reverse.wires.get(node, ()))
    return {w: counts.get(w, 0) for w in (*reverse.order, *reverse.wrt)}


def paths(reverse: Reverse, start: Node, ends: Container[Node] = ()) -> Iterator[Path]:
    """The paths from `start` to the loss, or to the first of `ends` on the way, in the order of the equations."""
    waiting: list[Path] = [(wire,) for wire in reversed(reverse.wires.get(start, []))]
    while waiting:
        path = waiting.pop()
        end = path[-1].target
        if end in ends or end is reverse.made.loss:
            yield path
        else:
            waiting += [(*path, wire) for wire in reversed(reverse.wires.get(end, []))]


def way_text(reverse: Reverse, path: Path) -> str:
    """``w₁₁ → z₁ → a₁ → L``"""
    stops = [path[0].link.source, *(wire.target for wire in path)]
    return " → ".join(reverse.made.symbols[stop] for stop in stops)


def partials(reverse: Reverse, path: Path) -> str:
    """``∂L/∂a · ∂a/∂z · ∂z/∂w₁₁``"""
    return " · ".join(reverse.local(wire) for wire in reversed(path))


def derivatives(reverse: Reverse, path: Path) -> str:
    """The local derivatives in symbols, multiplied: ``−2 · (y − a) · w · x``."""
    texts = [reverse.derivative(wire.link.slope) for wire in reversed(path)]
    factors = [text for text in texts if text != "1"]
    if len(factors) < 2:
        return factors[0] if factors else "1"
    first, *rest = factors
    return " · ".join([f"({first})" if is_sum(first) else first, *map(bracketed, rest)])


def numbers(reverse: Reverse, path: Path) -> str:
    """``−1.4 × 0.4 × 0.24 = −0.1344``; nothing without values."""
    if not reverse.slopes:
        return ""
    values = [reverse.slopes[wire.link.slope] for wire in reversed(path)]
    return product(values, math.prod(values))


def added(reverse: Reverse, found: Sequence[Path]) -> str:
    """``6 + 1 = 7``: the paths added up."""
    values = [math.prod(reverse.slopes[wire.link.slope] for wire in path) for path in found]
    return total(values, math.fsum(values))


def is_sum(text: str) -> bool:
    """Whether a plus, a minus or a fraction stands outside all brackets."""
    depth = 0
    for at, letter in enumerate(text):
        depth += (letter in "([") - (letter in ")]")
        if depth == 0 and letter in "+−/" and at:
            return True
    return False


def bracketed(text: str) -> str:
    """A text as a factor that does not come first: sums in brackets, and what begins with a sign."""
    return f"({text})" if text.startswith("−") or is_sum(text) else text
