"""What went wrong: the first node with NaN or infinity, in causal order, and what would have kept it finite."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from graphdl.errors import NonFiniteError
from graphdl.ir.graph import Graph
from graphdl.ir.leaves import scalar_of
from graphdl.ir.node import Node
from graphdl.ir.origin import written_at
from graphdl.ir.text import plain
from graphdl.ir.traverse import ancestors
from graphdl.rewrite.stabilise import sink_where, stabilise
from graphdl.runtime.feeds import Sizes

if TYPE_CHECKING:
    from graphdl.runtime.compiled import Compiled


def guarded_step(compiled: Compiled, feeds: list[Any], sizes: Sizes) -> tuple[Any, ...]:
    """One run that leaves every variable as it was and raises NonFiniteError if a result is not finite.

    The readable program computes the new values beside the old ones; they are written only when all is well.
    """
    session = compiled.session
    with compiled.stepping(), compiled.pure.explained():
        values, updates = compiled.propose((session.seed, session.state.step), *feeds)
        if not all(_is_finite(v) for v in (*values, *updates.values())):
            raise NonFiniteError(explain_non_finite(compiled, feeds, sizes))
        compiled.accept(updates)
        session.state.step += compiled.counts
    return tuple(map(session.target.to_host, values))


def explain_non_finite(compiled: Compiled, feeds: list[Any], sizes: Sizes) -> str:
    """The message that names the first bad node, its operands' extremes, and the rewrite that would cure it."""
    from graphdl.runtime.stepper import Stepper

    session = compiled.session
    stepper = Stepper.of_checked(session, compiled.graph, feeds, sizes)
    for node, value in stepper:
        if not _is_finite(value):
            lines = [_headline(node, value, session.state.step)]
            lines += [f"    {plain(source.label)}: {_extremes(stepper.found[source])}" for source in _arrays(node)]
            lines += [f"  {written_at(node)}"] if written_at(node) else []
            return "\n".join([*lines, *_cure(compiled, node)])
    return "a result is not finite, but no single node is: a value overflowed between two nodes"


def _headline(node: Node, value: Any, step: int) -> str:
    array = np.asarray(value)
    bad = int(array.size - np.isfinite(array).sum())
    kind = "NaN" if np.isnan(array).any() else "infinity"
    where = "fed" if node.op.name == "placeholder" else f"made by {node.op.name}"
    what = f"{plain(node.label)} ({node.type}) is the first with {kind}, {where}"
    return f"step {step}: {what}: {bad} of {array.size} elements"


def _arrays(node: Node) -> list[Node]:
    return [source for source in dict.fromkeys(node.inputs) if scalar_of(source) is None]


def _extremes(value: Any) -> str:
    array = np.asarray(value)
    if not array.size or array.dtype.kind not in "fiu":
        return f"{array.dtype} {array.shape}"
    return f"from {array.min():.6g} to {array.max():.6g}"


def _cure(compiled: Compiled, bad: Node) -> list[str]:
    """Lines about rewrites that are switched off and would have taken this node apart."""
    log: list[Any] = []
    graph, _ = stabilise(Graph(compiled.graph.roots), log=log)
    sink_where(graph, log=log)
    for firing in log:
        if bad in set(ancestors([firing.before])) - set(firing.before.inputs) or bad in firing.before.inputs:
            cure = f"{firing.rule} would cure it ({firing.why.rstrip('.')})"
            return [f"  the rewrite {cure}; it is off because of stabilise=False"]
    if bad.op.name == "placeholder":
        return ["  look for missing values in the data"]
    return ["  try a smaller learning rate, scaled inputs, or gd.clip"]


def _is_finite(value: Any) -> bool:
    array = np.asarray(value)
    return array.dtype.kind != "f" or bool(np.isfinite(array).all())
