"""`graphdl draw`: pictures of a graph and of its backward pass, step by step where that is asked for."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from graphdl_cli.command import command
from graphdl_cli.failures import UserError
from graphdl_cli.sections import Section, Sectioned

if TYPE_CHECKING:
    from graphdl.draw.model import Trace
    from graphdl_cli.loading import Loaded
    from graphdl_cli.subject import Feeds, Subject

F = TypeVar("F", bound=Callable[..., Any])


def _option(section: str, *words: str, **settings: Any) -> Callable[[F], F]:
    return click.option(*words, cls=Section, section=section, **settings)


_DRAWN, _MOMENT, _LOOK = "What is drawn", "Which moment", "How it looks"
_OPTIONS = (
    _option("Output", "-o", "--output", metavar="FILE", help="[default: FILE.svg; - prints SVG]"),
    _option(_DRAWN, "--feed", metavar="FILE.npz", help="Values for the placeholders. [default: the file's own]"),
    _option(_DRAWN, "--wrt", metavar="NODE", multiple=True, help="Differentiate for it. [default: what is trained]"),
    _option(_DRAWN, "--weights", metavar="FILE.npz", help="Of the model, as `graphdl train --save` writes them."),
    _option(
        _DRAWN, "--rules", is_flag=True, help="Draw every rewrite rule, before and after, as a page; without FILE."
    ),
    _option(_DRAWN, "--force", is_flag=True, help="Draw more than 2,000 nodes."),
    _option(
        _MOMENT,
        "--steps",
        metavar="WHICH",
        help="Each with its caption, formulas and numbers: all, 12, 1-5, 3,7, or a phase such as backward.",
    ),
    _option(
        _MOMENT,
        "--granularity",
        metavar="NAME",
        default="op",
        help="What makes a step: op, sub (the parts of backward steps), layer or phase. [default: op]",
    ),
    _option(
        _MOMENT,
        "--at-step",
        metavar="N",
        type=click.IntRange(0),
        help="Train the model for N steps, as `graphdl train` does, and draw the step that comes next.",
    ),
    _option(
        _LOOK,
        "--view",
        metavar="NAME",
        default="auto",
        help="circuit, rails (gradients as nodes), forward, blocks (a card a layer), diff (before and after "
        "optimisation; in .html each rewrite), window (a convolution window by window; window:NAME is another than the "
        "first) or auto, which is circuit up to 40 operations. [default: auto]",
    ),
    _option(
        _LOOK,
        "--theme",
        metavar="NAME",
        default="auto",
        help="light, dark, mono (to print), cs231n (green and red) or book (grey arrows back). [default: light]",
    ),
    _option(_LOOK, "--lang", metavar="NAME", default="en", help="Of captions: en, ko or both. [default: en]"),
    _option(_LOOK, "--title", metavar="TEXT", default="", help="A heading."),
)


def _options(function: F) -> F:
    for option in reversed(_OPTIONS):
        function = option(function)
    return function


@command(
    "draw mlp.py",
    "draw mlp.py -o mlp.html --lang ko",
    "draw mlp.py -o handout.pdf --steps all --theme mono",
    "draw chain.py:loss -o step-%02d.png --steps backward --wrt x --wrt y",
    "draw xor.py -o trained.gif --at-step 500",
    "draw mlp.py -o compiled.html --view diff",
    "draw cnn.py -o window.html --view window",
    "draw --rules -o rules.html",
    cls=Sectioned,
)
@click.argument("target", metavar="FILE.py[:name]", required=False)
@_options
@click.pass_context
def draw(ctx: click.Context, /, target: str | None, **options: Any) -> None:
    """Draw a graph and its backward pass: values above the wires, gradients below.

    The file defines a model, a graph or a loss. Numbers come from --feed, from `feeds` in the file (a dict from
    placeholders or their names), or from the first examples of its `data`. The suffix of -o says what is made:

    \b
    .html             the player: one page to step through, offline
    .svg .png .pdf    a picture; with --steps one a step, each a file (in .pdf a page)
    .gif .webp .apng  the steps as an animation (with Pillow)
    .txt .json        the steps in words; the trace
    .dot .mmd         the graph for Graphviz, for Mermaid
    """
    if options["rules"]:
        _draw_rules(target, **options)
        return
    if target is None:
        raise click.MissingParameter(ctx=ctx, param=ctx.command.params[0])
    from graphdl_cli.loading import load_subject

    loaded = load_subject(target)
    made = _drawn(loaded, _path(options["output"], f"{loaded.path.stem}.svg"), **options)
    if isinstance(made, list) and options["output"] == "-":
        raise UserError(f"-o - prints one picture, and --steps {options['steps']} chose {len(made)}")
    _report(made)


def _drawn(loaded: Loaded, path: str | None, **options: Any) -> Any:
    """What `draw` returns: text, or the files that were written."""
    from graphdl.draw.render import draw as drawn
    from graphdl.draw.window.view import is_window
    from graphdl_cli.subject import subject

    found = subject(loaded, options["wrt"], options["weights"])
    words = {name: options[name] for name in ("view", "theme", "lang", "title", "steps", "granularity", "force")}
    if options["view"] == "diff":
        forward = found.graph if found.loss is None else found.loss
        what = loaded.value if found.is_model_training else forward
        return drawn(what, path, wrt=found.wrt if what is found.loss else None, **words)
    if is_window(options["view"]):
        what = found.graph if found.loss is None else found.loss
        return drawn(what, path, feeds=_feeds(loaded, found, **options), session=found.session, **words)
    return drawn(_story(loaded, found, **options), path, progress=_progress(), **words)


def _story(loaded: Loaded, found: Subject, **options: Any) -> Trace:
    """The trace to draw: as the file says, or after some steps of training."""
    return found.story(_feeds(loaded, found, **options), forward_only=options["view"] == "forward")


def _feeds(loaded: Loaded, found: Subject, **options: Any) -> Feeds | None:
    """The values to draw with: the file's own, or the batch that comes after some steps of training."""
    if options["at_step"] is None:
        return found.feeds_if_any(options["feed"])
    from graphdl_cli.moment import train_for

    batch = train_for(loaded, options["at_step"])
    return found.feeds(options["feed"]) if options["feed"] else batch


def _draw_rules(target: str | None, **options: Any) -> None:
    """The page of all rewrite rules, which are the same for every file."""
    from graphdl.draw.optimisation.gallery import rules_page
    from graphdl.files import write_atomically

    path = _path(options["output"], "rules.html")
    if target is not None:
        raise UserError(f"--rules draws the rules of the compiler, whatever the file; leave out {target!r}")
    if path is not None and not path.endswith(".html"):
        raise UserError(f"--rules makes a page; {path!r} ends in {Path(path).suffix or 'nothing'!r}, expected .html")
    page = rules_page(options["theme"], options["lang"])
    _report(page if path is None else write_atomically(path, page))


def _path(output: str | None, default: str) -> str | None:
    """Where to write; None to print."""
    return None if output == "-" else output or default


def _report(made: Any) -> None:
    """Print the text that was made, or the name of each file that was written."""
    for each in made if isinstance(made, list) else [made]:
        click.echo(f"wrote {each}" if isinstance(each, Path) else each)


def _progress() -> Callable[[int, int], None] | None:
    """Shows on a terminal how many pictures are painted; a file or a pipe is told nothing."""
    if not sys.stderr.isatty():
        return None

    def show(done: int, total: int) -> None:
        if total > 1:
            click.echo(f"\rpainted {done} of {total}" + ("\r\033[K" if done == total else ""), err=True, nl=False)

    return show
