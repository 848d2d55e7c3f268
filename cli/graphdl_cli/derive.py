"""`graphdl derive`: the derivation of a gradient as one would do it on paper."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import click

from graphdl_cli.command import command, target_argument
from graphdl_cli.failures import UserError

if TYPE_CHECKING:
    from graphdl.ir.node import Node
    from graphdl.sheet import Level, Sheet, Target
    from graphdl_cli.subject import Subject


@command(
    "derive chain.py:loss --wrt x",
    'derive net.py --wrt "W1[0, 0]" -o w11.html',
    "derive net.py --wrt W1 --level matrix -o W1.tex",
    "derive mlp.py --all --ebp --feed batch.npz -o mlp.md",
)
@target_argument("FILE.py[:name]")
@click.option("--wrt", metavar="W", multiple=True, help="What for: W, an element W[0, 0] (or w11, counted from 1).")
@click.option("--all", "everything", is_flag=True, help="Everything that is trained. [default without --wrt]")
@click.option(
    "-o",
    "--output",
    metavar="FILE",
    help="Its suffix says the format: html, md, tex or txt. [default: print; - for md]",
)
@click.option(
    "--level",
    type=click.Choice(["auto", "scalar", "matrix"]),
    default="auto",
    show_default=True,
    help="An equation for each number, or for each array.",
)
@click.option("--ebp", is_flag=True, help="Also in the δ-notation of error back-propagation, in six steps.")
@click.option(
    "--paths",
    type=click.IntRange(1, 1000),
    metavar="N",
    default=12,
    show_default=True,
    help="Write out up to so many paths; more are counted.",
)
@click.option("--lang", type=click.Choice(["en", "ko", "both"]), default="en", show_default=True, help="Of the words.")
@click.option("--feed", metavar="FILE.npz", help="Values for the placeholders, by name. [default: the file's own]")
@click.option("--lr", type=click.FloatRange(0, min_open=True), metavar="RATE", help="Learning rate of the update line.")
@click.option("--weights", metavar="FILE.npz", help="Weights of the model, as `graphdl train --save` writes them.")
def derive(
    target: str,
    wrt: tuple[str, ...],
    everything: bool,
    output: str | None,
    level: Level,
    ebp: bool,
    paths: int,
    lang: str,
    feed: str | None,
    lr: float | None,
    weights: str | None,
) -> None:
    """Derive a gradient with pencil and paper.

    The chain rule from the loss back to W, with every local derivative, the numbers put in, the sum over paths where
    they are few, and a check by finite differences. Numbers come from --feed, from `feeds` in the file, or from the
    first examples of its `data`; without any, the derivation is in symbols.
    """
    from graphdl.sheet.writing import as_text, format_of, write
    from graphdl_cli.loading import load_subject
    from graphdl_cli.subject import subject

    if everything and wrt:
        raise UserError("--all asks for everything that is trained; leave out --wrt, or --all")
    suffix = ".txt" if output is None else ".md" if output == "-" else format_of(output)
    found = subject(load_subject(target), (), weights)
    made = _sheet(found, wrt, found.feeds_if_any(feed), level=level, ebp=ebp, rate=lr, most_paths=paths)
    if output is None or output == "-":
        click.echo(as_text(made, suffix, lang), nl=False)
    else:
        click.echo(f"wrote {write(made, output, lang)}")


def _sheet(found: Subject, names: Sequence[str], feeds: Any, **options: Any) -> Sheet:
    from graphdl.sheet import sheet, zero_sheet
    from graphdl.sheet.updating import learning_rate

    if found.loss is None:
        raise UserError(
            f"{found.loaded.path}:{found.loaded.name} has no scalar loss to differentiate; name one, as in FILE.py:loss"
        )
    targets = _targets(found, found.loss, names)
    if isinstance(targets, str):
        return zero_sheet(found.loss, targets)
    if options["rate"] is None:
        options["rate"] = learning_rate(found.updates.pairs, found.session)
    return sheet(found.loss, targets, feeds, found.session, **options)


def _targets(found: Subject, loss: Node, names: Sequence[str]) -> list[Target] | str:
    """What the names mean; a text for a node of the file that the loss does not depend on."""
    from graphdl.ir.graph import Graph
    from graphdl.sheet import Target
    from graphdl.sheet.targets import asked, unknown

    if not names:
        if not found.wrt:
            raise UserError(f"{found.loaded.path}:{found.loaded.name} has nothing to differentiate for; give --wrt W")
        return [Target(node) for node in found.wrt]
    symbols = _symbols(found, loss)
    own = {node: name for name, node in found.loaded.called(Graph(loss)).items()}
    targets = []
    for name in names:
        target = asked(loss, name, symbols) or asked(loss, name, own)
        if target is None:
            apart = _elsewhere(found, name)
            if apart is None:
                raise unknown(loss, name, symbols)
            return apart
        targets.append(target)
    return targets


def _symbols(found: Subject, loss: Node) -> dict[Node, str]:
    """What a sheet would call the nodes, where it would differ from their names: W1 for the first kernel."""
    from graphdl.draw.subject import subject
    from graphdl.sheet.naming import textbook_symbols

    return textbook_symbols(subject(loss, (), None, stabilise=False))


def _elsewhere(found: Subject, name: str) -> str | None:
    """A node that the file defines, but that the loss does not depend on."""
    from graphdl.ir.node import Node
    from graphdl.ir.text import plain

    for key, value in found.loaded.names.items():
        if isinstance(value, Node) and name in (key, value.label):
            return plain(value.label)
    return None
