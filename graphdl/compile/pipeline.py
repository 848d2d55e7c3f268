"""The passes in order, as a list that can be read, cut and printed."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cache

from graphdl.compile.fold import fold_constants
from graphdl.compile.loop_passes import also_in_bodies, drop_unread
from graphdl.compile.pack import pack_updates
from graphdl.config import DEFAULT_LEVEL, Level
from graphdl.ir.elementwise import Elementwise
from graphdl.ir.graph import Graph
from graphdl.ir.registry import all_ops
from graphdl.rewrite.engine import Firing, Rule, rewrite
from graphdl.rewrite.passes import accumulate, merge_equal
from graphdl.rewrite.rules.algebra import ALGEBRA
from graphdl.rewrite.rules.pooling import POOLING
from graphdl.rewrite.rules.shapes import FUSE, SHAPES, copying_rules
from graphdl.rewrite.rules.stable import STABILISE, WHERE_SINK


@dataclass(frozen=True)
class Pass:
    """One pass: runs at `level` and above.

    `study` marks what one switch turns off to see what goes wrong, `layout` what only serves the fast style.
    """

    name: str
    level: Level
    run: Callable[[Graph, list[Firing]], Graph]
    what: str
    study: bool = False
    layout: bool = False


@dataclass(frozen=True)
class Optimised:
    """A graph after the passes, the graph before them, and the firings in between."""

    before: Graph
    graph: Graph
    firings: tuple[Firing, ...]


@cache
def pipeline() -> tuple[Pass, ...]:
    """Every pass, in the order they run."""
    elementwise = [op for _, op in all_ops() if isinstance(op, Elementwise)]
    passes = (
        Pass(
            "stabilise", 0, _rules((*STABILISE, *WHERE_SINK), "stabilise"), "no overflow, no cancellation", study=True
        ),
        Pass("fold", 1, fold_constants, "constants computed now"),
        Pass("algebra", 1, _rules((*ALGEBRA, *SHAPES, *POOLING), "clean"), "zeros, ones, signs, plumbing"),
        Pass("fold-again", 1, fold_constants, "constants computed now"),
        Pass("merge-equal", 1, merge_equal, "common subexpressions"),
        Pass("loops", 1, drop_unread, "loops give what is read"),
        Pass("accumulate", 2, accumulate, "n-ary sums as running totals"),
        Pass("fuse", 2, _rules((*FUSE, *copying_rules(elementwise)), "specialise"), "bias added in place, no copies"),
        Pass("fold-fused", 2, fold_constants, "constants computed now"),
        Pass("merge-again", 2, merge_equal, "common subexpressions"),
        Pass("pack-updates", 2, pack_updates, "small variables updated in one call", layout=True),
    )
    return tuple(step if step.layout else replace(step, run=also_in_bodies(step.run)) for step in passes)


def optimise(graph: Graph, level: Level = DEFAULT_LEVEL, stabilise: bool = True, layout: bool = True) -> Optimised:
    """`graph` after the passes of `level`.

    `stabilise=False` leaves formulas as typed, for study; `layout=False` leaves out what makes a program faster and
    harder to read, with the same bits.
    """
    log: list[Firing] = []
    # What must be fed does not depend on what the passes find superfluous.
    done = Graph(graph.outputs, graph.updates, graph.placeholders)
    for step in pipeline():
        if step.level <= level and (stabilise or not step.study) and (layout or not step.layout):
            done = step.run(done, log)
    return Optimised(graph, done, tuple(log))


def _rules(rules: tuple[Rule, ...], stage: str) -> Callable[[Graph, list[Firing]], Graph]:
    def run(graph: Graph, log: list[Firing]) -> Graph:
        return rewrite(graph, rules, stage, log=log)[0]

    return run
