"""`graphdl show`: a graph at any stage of its life, as text."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import click

from graphdl_cli.command import command, target_argument

if TYPE_CHECKING:
    from graphdl.runtime.session import Compiled
    from graphdl_cli.subject import Subject


@command(
    "show mlp.py",
    "show mlp.py --stage source --style readable",
    "show chain.py:loss --stage gradient --wrt x",
    "show mlp.py --stage passes",
)
@target_argument("FILE.py[:name]")
@click.option(
    "--stage",
    type=click.Choice(["graph", "stabilised", "gradient", "optimised", "program", "source", "passes", "cost"]),
    default="graph",
    show_default=True,
    help="How far the graph has come.",
)
@click.option(
    "--style", type=click.Choice(["readable", "fast"]), default="readable", show_default=True, help="Of source."
)
@click.option("--level", type=click.IntRange(0, 2), default=2, show_default=True, help="Of optimisation.")
@click.option("--wrt", metavar="NODE", multiple=True, help="Differentiate for this node. [default: what is trained]")
@click.option("--predict", is_flag=True, help="A model as it predicts, in place of how it trains.")
def show(target: str, stage: str, style: str, level: int, wrt: tuple[str, ...], predict: bool) -> None:
    """Print a graph at a stage.

    \b
    graph       as it was written, a typed line a node
    stabilised  with formulas that overflow rewritten
    gradient    with its backward pass
    optimised   after every pass
    program     the schedule: what is computed when, in which buffer
    source      the NumPy source that runs
    passes      every rewrite, in order, with its reason
    cost        operations and bytes, as polynomials in the batch size N
    """
    from graphdl_cli.loading import load_subject
    from graphdl_cli.subject import subject

    found = subject(load_subject(target), wrt, predict=predict)
    found.session.level, found.session.style = level, style  # type: ignore[assignment]
    click.echo(_STAGES[stage](found))


def _graph(found: Subject) -> str:
    from graphdl.ir.text import listing

    return listing(found.graph, origins=True)


def _stabilised(found: Subject) -> str:
    from graphdl.ir.graph import Graph
    from graphdl.ir.text import listing
    from graphdl.rewrite.stabilise import stabilise

    return listing(stabilise(Graph(found.graph.outputs), protected=found.wrt)[0], origins=True)


def _gradient(found: Subject) -> str:
    from graphdl.ir.text import listing

    return listing(found.with_gradients(), origins=True)


def _optimised(found: Subject) -> str:
    from graphdl.ir.text import listing

    return listing(_compiled(found).graph, origins=True)


def _source(found: Subject) -> str:
    return _compiled(found).source


def _passes(found: Subject) -> str:
    from graphdl.compile.pipeline import pipeline

    compiled = _compiled(found)
    firings = [*(found.derivation.firings if found.derivation else []), *compiled.optimised.firings]
    lines = [f"{step.name:16} level {step.level}  {step.what}" for step in pipeline()]
    lines += ["", f"{len(firings)} rewrites:" if firings else "no rewrites"]
    for firing in firings:
        lines.append(f"  {firing.stage:11} {firing.rule:26} {firing.kind:10}  {firing.before.label}: {firing.why}")
    return "\n".join(lines)


def _program(found: Subject) -> str:
    """The schedule as a table: line, value, what computes it, where it lives."""
    from graphdl_cli.schedule import schedule

    return schedule(_compiled(found).program)


def _cost(found: Subject) -> str:
    raise NotImplementedError


def _compiled(found: Subject) -> Compiled:
    """The program of one step: of training, where variables are updated, else of the outputs and their gradients."""
    graph = found.training_step() if found.updates.pairs else found.with_gradients()
    return found.session.compile(tuple(graph.outputs.values()), found.updates)


_STAGES: dict[str, Callable[[Subject], str]] = {
    "graph": _graph,
    "stabilised": _stabilised,
    "gradient": _gradient,
    "optimised": _optimised,
    "program": _program,
    "source": _source,
    "passes": _passes,
    "cost": _cost,
}
