"""`graphdl check`: gradients against finite differences, and the two styles of source against each other."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from graphdl_cli.command import command, target_argument
from graphdl_cli.failures import Failed, UserError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from graphdl.runtime.check import GradientCheck
    from graphdl_cli.subject import Subject


@command(
    "check mlp.py", "check chain.py:loss --wrt x --tolerance 1e-8", "check mlp.py --feed batch.npz --directions 10"
)
@target_argument("FILE.py[:name]")
@click.option("--feed", metavar="FILE.npz", help="Values for the placeholders, by name. [default: the file's own]")
@click.option("--wrt", metavar="NODE", multiple=True, help="Differentiate for this node. [default: what is trained]")
@click.option(
    "--directions", type=click.IntRange(1), metavar="N", default=3, show_default=True, help="Random directions to try."
)
@click.option(
    "--tolerance", type=click.FloatRange(0), metavar="E", default=1e-6, show_default=True, help="Of the relative error."
)
def check(target: str, feed: str | None, wrt: tuple[str, ...], directions: int, tolerance: float) -> None:
    """Compare the gradients of a loss with finite differences.

    Everything is computed in float64, at the values the variables start from, along random directions. Then one step
    runs in both styles of source, which must give the same bits. Exit status 1 says that something differs.
    """
    from graphdl.runtime.check import check_gradients
    from graphdl_cli.loading import load_subject
    from graphdl_cli.subject import subject

    found = subject(load_subject(target), wrt)
    if found.loss is None or not found.wrt:
        raise UserError(
            f"{target} has no scalar loss with something to differentiate for; name one, as in FILE.py:loss"
        )
    feeds = found.wanted_feeds(feed)
    results = check_gradients(
        found.loss, found.wrt, feeds, session=found.session, directions=directions, tolerance=tolerance
    )
    click.echo(_table(results))
    same = _same_bits(found, feeds)
    click.echo(f"readable and fast source: {'the same bits' if same else 'DIFFERENT BITS'}")
    wrong = [result for result in results if not result.ok]
    if wrong:
        raise Failed(f"{len(wrong)} of {len(results)} gradients are wrong, the first for {wrong[0].wrt.label!r}")
    if not same:
        raise Failed("the two styles of source give different bits")
    click.echo("1 gradient is right" if len(results) == 1 else f"{len(results)} gradients are right")


def _table(results: list[GradientCheck]) -> str:
    from graphdl.ir.text import plain
    from graphdl_cli.columns import columns

    header = ("for", "type", "chain rule", "differences", "relative error", "")
    rows = [
        (
            plain(result.wrt.label),
            str(result.wrt.type),
            f"{result.analytic:.8g}",
            f"{result.numeric:.8g}",
            f"{result.error:.1e}",
            "right" if result.ok else "WRONG",
        )
        for result in results
    ]
    return columns([header, *rows])


def _same_bits(found: Subject, feeds: Mapping[Any, Any]) -> bool:
    """Whether one step in either style gives the same bytes; variables start from the same values in both."""
    return _step(found, feeds, "readable") == _step(found, feeds, "fast")


def _step(found: Subject, feeds: Mapping[Any, Any], style: Any) -> list[bytes]:
    from graphdl.runtime.session import Session

    graph = found.with_gradients()
    session = Session(seed=found.session.seed, style=style)
    for variable in graph.variables:
        session.assign(variable, found.session.value(variable))
    values = session.run([list(graph.outputs.values()), found.updates], feeds)[0]
    return [value.tobytes() for value in (*values, *session.state.named().values())]
