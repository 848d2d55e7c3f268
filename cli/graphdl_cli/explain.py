"""`graphdl explain`: a topic of the course in a few lines, or what happens in a graph of one's own."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from graphdl_cli.command import command
from graphdl_cli.failures import UserError

if TYPE_CHECKING:
    from graphdl.explain import Batches
    from graphdl_cli.subject import Subject

_HEADS = {"en": ("topics", "what graphdl lint finds"), "ko": ("주제", "graphdl lint가 찾는 것")}


@command(
    "explain",
    "explain zero-gradient mlp.py",
    "explain batches --n 1000 --batch 100 --epochs 5",
    "explain softmax-mse --lang ko",
)
@click.argument("topic", required=False)
@click.argument("target", metavar="[FILE.py[:name]]", required=False)
@click.option("--lang", type=click.Choice(["en", "ko"]), default="en", show_default=True, help="Of the explanation.")
@click.option("--n", type=click.IntRange(1), metavar="N", help="Of batches: examples. [default: 1000]")
@click.option("--batch", type=click.IntRange(1), metavar="N", help="Of batches: examples a step. [default: 100]")
@click.option("--epochs", type=click.IntRange(1), metavar="N", help="Of batches: passes over them. [default: 5]")
@click.option("--feed", metavar="FILE.npz", help="Values for the placeholders. [default: the file's own]")
@click.option("--wrt", metavar="NODE", multiple=True, help="Differentiate for this node. [default: what is trained]")
def explain(
    topic: str | None,
    target: str | None,
    lang: str,
    n: int | None,
    batch: int | None,
    epochs: int | None,
    feed: str | None,
    wrt: tuple[str, ...],
) -> None:
    """Explain a topic or a finding of `graphdl lint`; without a topic, list them.

    With FILE.py, zero-gradient says of each variable in the file's graph whether a gradient arrives and what stops it,
    and nan finds the first node with NaN or infinity, on the file's own data.
    """
    from graphdl.explain import explain as explained
    from graphdl.explain import known

    if topic is None:
        click.echo(_contents(lang))
        return
    name = known(topic)
    numbers = {key: value for key, value in (("n", n), ("batch", batch), ("epochs", epochs)) if value is not None}
    if numbers and name != "batches":
        raise UserError(f"--{next(iter(numbers))} is for graphdl explain batches")
    if target is not None:
        click.echo(_of_file(name, target, lang, feed, wrt))
        return
    told = explained(name, lang)
    click.echo(f"{told}\n\n{_batches(numbers).told(lang)}" if name == "batches" else told)


def _contents(language: str) -> str:
    """The topics and the rules."""
    from graphdl.explain import TOPICS, listing
    from graphdl_cli.columns import columns

    rows = list(listing(language))
    topics, found = rows[: len(TOPICS)], rows[len(TOPICS) :]
    first, second = _HEADS[language]
    return "\n".join([f"{first}:", columns(topics, indent=2), "", f"{second}:", columns(found, indent=2)])


def _batches(numbers: dict[str, int]) -> Batches:
    from graphdl.explain import batches

    return batches(**numbers)


def _of_file(name: str, target: str, language: str, feed: str | None, wrt: tuple[str, ...]) -> str:
    """What happens in the graph of a file."""
    from graphdl_cli.loading import load_subject
    from graphdl_cli.subject import subject

    if name not in ("zero-gradient", "nan"):
        raise UserError(f"FILE.py goes with zero-gradient and nan; for findings about it, graphdl lint {target}")
    found = subject(load_subject(target), wrt)
    if found.loss is None:
        raise UserError(f"{target} has no scalar loss to differentiate; name one, as in FILE.py:loss")
    return _zero(found, language, feed) if name == "zero-gradient" else _nan(found, language, feed)


def _zero(found: Subject, language: str, feed: str | None) -> str:
    from graphdl.explain import zero_gradients

    assert found.loss is not None
    if not found.wrt:
        raise UserError(f"{found.loaded.path} has nothing to differentiate for; name it with --wrt")
    feeds = found.feeds_if_any(feed)
    return zero_gradients(found.loss, found.wrt, feeds, found.session, language)


def _nan(found: Subject, language: str, feed: str | None) -> str:
    from graphdl.explain import first_nan

    assert found.loss is not None
    return first_nan(found.loss, found.wrt, found.wanted_feeds(feed), found.session, language)
