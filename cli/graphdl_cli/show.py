"""`graphdl show`: a graph at any stage of its life, as text."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import click

from graphdl_cli.command import command, target_argument
from graphdl_cli.failures import UserError

if TYPE_CHECKING:
    from graphdl.compile.emit import Style
    from graphdl.compile.pipeline import Pass
    from graphdl.config import Level
    from graphdl.draw.optimisation.story import Matter
    from graphdl.runtime.compiled import Compiled
    from graphdl_cli.subject import Subject


@command(
    "show mlp.py",
    "show mlp.py --stage source --style readable",
    "show chain.py:loss --stage gradient --wrt x",
    "show mlp.py --stage cost --at N=32",
    "show mlp.py --stage passes --diff",
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
@click.option(
    "--level", type=click.IntRange(0, 2), metavar="0-2", default=2, show_default=True, help="Of optimisation."
)
@click.option("--wrt", metavar="NODE", multiple=True, help="Differentiate for this node. [default: what is trained]")
@click.option("--predict", is_flag=True, help="A model as it predicts, in place of how it trains.")
@click.option("--diff", is_flag=True, help="With --stage passes: the lines of the listing that each pass changed.")
@click.option("--at", metavar="N=32", multiple=True, help="A size, for the cost in plain numbers.")
def show(
    target: str,
    stage: str,
    style: Style,
    level: Level,
    wrt: tuple[str, ...],
    predict: bool,
    diff: bool,
    at: tuple[str, ...],
) -> None:
    """Print a graph at a stage.

    \b
    graph       as it was written, a typed line a node
    stabilised  with formulas that overflow rewritten
    gradient    with its backward pass
    optimised   after every pass
    program     the schedule: what is computed when, in which buffer
    source      the NumPy source that runs
    passes      every rewrite, in order, with its reason
    cost        operations and bytes of a step, as polynomials in the batch size N
    """
    from graphdl_cli.loading import load_subject
    from graphdl_cli.subject import subject

    if diff and stage != "passes":
        raise UserError(f"--diff is for --stage passes, found --stage {stage}")
    if at and stage != "cost":
        raise UserError(f"--at is for --stage cost, found --stage {stage}")
    sizes = _sizes(at)
    view = View(subject(load_subject(target), wrt, predict=predict), style, level, sizes)
    click.echo(_passes_diff(view) if diff else _STAGES[stage](view))


@dataclass(frozen=True)
class View:
    """What to look at, and how: the style of source, the level of optimisation, sizes for the cost."""

    subject: Subject
    style: Style
    level: Level
    sizes: dict[str, int]

    def compiled(self, style: Style | None = None) -> Compiled:
        """The program of one step of training; where nothing is updated, of the outputs and their gradients."""
        found, graph = self.subject, self.matter.whole
        found.session.level = self.level
        return found.session.compile(tuple(graph.outputs.values()), found.updates, style or self.style)

    @property
    def matter(self) -> Matter:
        """The graph as written, its chain rule, and the graph that is compiled."""
        from graphdl.draw.optimisation.story import Matter
        from graphdl.ir.graph import Graph

        found = self.subject
        whole = found.training_step() if found.updates.pairs else found.with_gradients()
        written = found.graph.outputs if found.loss is None else {"loss": found.loss}
        return Matter(Graph(written), found.derivation, whole)


def _sizes(at: Sequence[str]) -> dict[str, int]:
    """Sizes by name from texts such as N=32."""
    sizes = {}
    for text in at:
        name, _, number = text.partition("=")
        if not name.isidentifier() or not number.isdecimal() or not int(number):
            raise UserError(f"--at {text!r}: expected a size, as in --at N=32")
        sizes[name] = int(number)
    return sizes


def _graph(view: View) -> str:
    from graphdl.ir.text import listing

    return listing(view.subject.graph, origins=True)


def _stabilised(view: View) -> str:
    from graphdl.ir.graph import Graph
    from graphdl.ir.text import listing
    from graphdl.rewrite.stabilise import stabilise

    found = view.subject
    return listing(stabilise(Graph(found.graph.outputs), protected=found.wrt)[0], origins=True)


def _gradient(view: View) -> str:
    from graphdl.ir.text import listing

    found = view.subject
    if found.derivation is None:
        raise UserError(f"{found.loaded.path}:{found.loaded.name} has no scalar loss to differentiate")
    return listing(found.with_gradients(), origins=True)


def _optimised(view: View) -> str:
    from graphdl.ir.text import listing

    return listing(view.compiled().graph, origins=True)


def _program(view: View) -> str:
    from graphdl_cli.schedule import schedule

    return schedule(view.compiled().program)


def _source(view: View) -> str:
    return view.compiled().source.rstrip("\n")


def _passes(view: View) -> str:
    """The passes, then every rewrite; those before the chain rule come first."""
    from graphdl.compile.pipeline import pipeline
    from graphdl.ir.text import plain
    from graphdl_cli.columns import columns

    derivation = view.subject.derivation
    firings = [*(derivation.firings if derivation else []), *view.compiled().optimised.firings]
    passes = [(step.name, f"from level {step.level}", step.what + _condition(step)) for step in pipeline()]
    rows = [(str(i), f.stage, f.rule, f.kind, f"{plain(f.before.label)}: {f.why}") for i, f in enumerate(firings, 1)]
    return "\n".join([columns(passes), "", f"{len(rows)} rewrites:", columns(rows, indent=2)]).rstrip()


def _passes_diff(view: View) -> str:
    """What each pass changed, as a unified diff of listings; what only serves the fast style is shown with it alone."""
    from graphdl.draw.optimisation.textual import passes_text

    return passes_text(view.matter, view.level, layout=view.style == "fast") or "no pass changed anything"


def _condition(step: Pass) -> str:
    return ", in the fast style only" if step.layout else ""


def _cost(view: View) -> str:
    """What one step costs; the readable program has every variable under its own name."""
    from graphdl.analysis.table import cost_table

    compiled = view.compiled("readable")
    return cost_table(compiled.graph, view.sizes or None, compiled.program.plan.buffers)


_STAGES: dict[str, Callable[[View], str]] = {
    "graph": _graph,
    "stabilised": _stabilised,
    "gradient": _gradient,
    "optimised": _optimised,
    "program": _program,
    "source": _source,
    "passes": _passes,
    "cost": _cost,
}
