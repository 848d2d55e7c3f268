"""Pictures of graphs: a trace of what was given, and of it a text, or files of the kind their suffix says."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any, Protocol, runtime_checkable

from graphdl.draw import graphviz
from graphdl.draw.choices import check_choice
from graphdl.draw.model import Trace
from graphdl.draw.outputs.compared import compared
from graphdl.draw.outputs.drawing import Drawing, Progress, unwatched
from graphdl.draw.outputs.formats import format_of, texts, written
from graphdl.draw.outputs.naming import is_pattern
from graphdl.draw.picture import VIEWS, is_key
from graphdl.draw.selection import Steps, chosen_steps
from graphdl.draw.style import THEMES
from graphdl.draw.trace import trace
from graphdl.draw.window.view import is_window, windows
from graphdl.errors import DrawError, GraphdlError
from graphdl.ir.graph import Graph
from graphdl.runtime.session import Session

LANGUAGES = {"en": ("en",), "ko": ("ko",), "both": ("en", "ko")}
THEME_NAMES = ("auto", *THEMES)


@runtime_checkable
class Model(Protocol):
    """A model: it is drawn by the loss of its `training` where it is compiled, or else by its outputs."""

    outputs: Any

    def start(self) -> Session:
        """The session that holds its weights."""


def draw(
    what: Any,
    path: str | Path | None = None,
    *,
    wrt: Any = None,
    feeds: Mapping[Any, Any] | None = None,
    steps: Steps | None = None,
    granularity: str = "op",
    view: str = "auto",
    theme: str = "auto",
    lang: str = "en",
    title: str = "",
    session: Session | None = None,
    step: int | None = None,
    time_limit: float = graphviz.TIME_LIMIT,
    force: bool = False,
    stabilise: bool = True,
    progress: Progress | None = None,
) -> Any:
    """A picture of `what`: SVG text, or the path of the file written when `path` is given; lists for several steps.

    what         a scalar node (with its backward pass), any node or list of nodes, a Graph, a model, or a Trace
    path         .html (the player), .svg, .png, .pdf, .gif, .webp, .apng (animations, with Pillow), .dot, .mmd
                 (Mermaid), .json (the trace) or .txt (the steps in words)
    wrt          nodes to differentiate for; by default the trained variables, or else the float placeholders
    feeds        as for `Session.run`; without them the picture has no numbers
    steps        "all", "12", "1-5", "3,7", a phase such as "backward", or numbers; counted from 1. Each is drawn with
                 its caption, formulas and numbers below: one file each in .svg and .png (``steps.svg`` becomes
                 ``steps-001.svg``, or says where the number goes: ``%03d.svg``), a page each in .pdf
    granularity  "op", "sub" (the parts of backward steps), "layer" or "phase": what makes a step
    view         "circuit": values above the wires, gradients below; "rails": the gradient graph, mirrored; "forward";
                 "blocks": one card a name scope, "blocks:2" two scopes deep, "open:SCOPE" with one open; "diff": before
                 and after optimisation (in .html each rewrite); "window": a convolution window by window, the first or
                 "window:NAME"; "auto" is circuit up to 40 operations, then blocks
    theme        "light", "dark", "mono", "cs231n" or "book"; "auto" is light, and in a page as the reader's system is
    lang         of captions: "en", "ko" or "both"
    title        a heading
    step         the moment to show without words, counted from 0; by default the end
    progress     is called with the number of pictures painted and of all

    Raises DrawError for a suffix, step or word it does not know, more than 2,000 things to show (`force=True` draws
    them all the same), a file that cannot be written, and paint without pygraphviz; ExtraMissing for an animation
    without Pillow.
    """
    if path is not None:
        format_of(path)
    _check_words(view, theme, lang, step, steps)
    if view == "diff":
        return compared(what, path, wrt, theme, lang, title, time_limit)
    if is_window(view):
        return windows(
            what,
            path,
            view=view,
            feeds=feeds,
            session=session,
            stabilise=stabilise,
            steps=steps,
            step=step,
            theme=theme,
            languages=LANGUAGES[lang],
            title=title,
            time_limit=time_limit,
        )
    drawing = Drawing(
        what if isinstance(what, Trace) else traced(what, wrt, feeds, session, view, stabilise),
        granularity=granularity,
        moment=step,
        view=view,
        theme_name=theme,
        languages=LANGUAGES[lang],
        title=title,
        time_limit=time_limit,
        force=force,
        progress=progress or unwatched,
    )
    if steps is None and path is not None and is_pattern(path):
        steps = "all"
    if steps is not None:
        drawing = replace(drawing, steps=chosen_steps(drawing.trace, steps))
    return texts(drawing) if path is None else written(drawing, path)


def _check_words(view: str, theme: str, lang: str, step: int | None, steps: Steps | None) -> None:
    views = (*VIEWS, view) if is_key(view) or is_window(view) else VIEWS
    for name, word, known in (("view", view, views), ("theme", theme, THEME_NAMES), ("language", lang, LANGUAGES)):
        check_choice(name, word, known)
    if step is not None and steps is not None:
        raise DrawError("step= shows a moment without words and steps= tells steps; give one of them")
    if view == "diff" and (step is not None or steps is not None):
        raise DrawError("view 'diff' shows a graph before and after, without steps; leave them out")


def traced(
    what: Any, wrt: Any, feeds: Mapping[Any, Any] | None, session: Session | None, view: str, stabilise: bool
) -> Trace:
    """The trace of what was given; the forward view asks for no gradients."""
    if view == "forward" and wrt is None:
        wrt = ()
    if isinstance(what, Graph) or not isinstance(what, Model):
        return trace(what, wrt, feeds, session, stabilise=stabilise)
    training = _training(what)
    if training is None:
        return trace(list(what.outputs), wrt, feeds, session, stabilise=stabilise)
    wanted = training.variables if wrt is None else wrt
    updates = training.updates if wrt is None and feeds is not None else None
    return trace(training.loss, wanted, feeds, session or what.start(), updates=updates, stabilise=stabilise)


def _training(model: Model) -> Any:
    """The loss, variables and updates of a compiled model; None for one that is not compiled."""
    try:
        return getattr(model, "training", None)
    except GraphdlError:
        return None
