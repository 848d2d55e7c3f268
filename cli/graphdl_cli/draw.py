"""`graphdl draw`: a picture of a graph and of its backward pass."""

from __future__ import annotations

import click

from graphdl_cli.command import command, target_argument

_FORMATS = "svg, png, pdf, dot, json (the trace, step by step) or txt (the steps in words)"


@command(
    "draw mlp.py",
    "draw mlp.py -o mlp.png --view blocks --theme dark",
    "draw chain.py:loss -o steps.txt --wrt x --wrt y",
    "draw mlp.py --feed batch.npz -o trace.json",
)
@target_argument("FILE.py[:name]")
@click.option(
    "-o", "--output", metavar="FILE", help=f"Its suffix says the format: {_FORMATS}. [default: FILE.svg; - prints SVG]"
)
@click.option("--view", metavar="NAME", default="auto", help="auto, circuit, rails, forward or blocks. [default: auto]")
@click.option("--theme", metavar="NAME", default="light", help="light, dark or mono. [default: light]")
@click.option("--feed", metavar="FILE.npz", help="Values for the placeholders, by name. [default: the file's own]")
@click.option("--wrt", metavar="NODE", multiple=True, help="Differentiate for this node. [default: what is trained]")
@click.option("--weights", metavar="FILE.npz", help="Weights of the model, as `graphdl train --save` writes them.")
@click.option("--force", is_flag=True, help="Draw more than 2,000 nodes.")
def draw(
    target: str,
    output: str | None,
    view: str,
    theme: str,
    feed: str | None,
    wrt: tuple[str, ...],
    weights: str | None,
    force: bool,
) -> None:
    """Draw a graph: values above the wires, gradients below.

    The file defines a model, a graph or a loss. Numbers come from --feed, from `feeds` in the file (a dict from
    placeholders or their names), or from the first examples of its `data`.
    """
    from graphdl.draw.render import draw as drawn
    from graphdl_cli.loading import load_subject
    from graphdl_cli.subject import subject

    loaded = load_subject(target)
    found = subject(loaded, wrt, weights)
    path = None if output == "-" else output or f"{loaded.path.stem}.svg"
    story = found.story(found.feeds_if_any(feed), forward_only=view == "forward")
    picture = drawn(story, path, view=view, theme=theme, force=force)
    click.echo(picture if path is None else f"wrote {path}")
