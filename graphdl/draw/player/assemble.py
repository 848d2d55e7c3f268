"""The page: pictures, steps, texts and program of one trace in one HTML file."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from graphdl.draw import graphviz
from graphdl.draw.choices import check_choice
from graphdl.draw.granularity import GRANULARITIES
from graphdl.draw.model import Trace
from graphdl.draw.page import LANGUAGES, THEMES, asset, html_page, json_in_html
from graphdl.draw.player.payload import Payload
from graphdl.draw.player.pictures import drawn_views, pictures, ranges, view_data
from graphdl.draw.player.texts import TEXTS
from graphdl.draw.style import one_line, theme_css
from graphdl.draw.views import View
from graphdl.errors import DrawError
from graphdl.files import write_atomically

# Steps by operation up to here start as such; up to the second number they are in the page at all.
MOST_STEPS = 500
MOST_STEPS_HELD = 1500
# Backward steps are split into parts up to here, since that makes three of one.
MOST_STEPS_SPLIT = 200

_STYLES = ("layout.css", "stage.css", "panels.css", "narrow.css", "handout.css")
_SCRIPTS = ("story.js", "stage.js", "panels.js", "card.js", "controls.js", "handout.js", "player.js")
_PACKAGE = "graphdl.draw.player"
# Views beyond the first are left out where the page would become larger than this; so large are our own scripts.
MOST_BYTES = 1_000_000
_OURS = 115_000
# Views of a long story all the same, since the first alone shows too little of it.
_LEAST_ROOM = 250_000


def page(
    trace: Trace,
    *,
    views: Sequence[View] | None = None,
    language: str = "en",
    theme: str = "auto",
    granularity: str | None = None,
    view: str | None = None,
    step: int | None = None,
    title: str | None = None,
    time_limit: float = graphviz.TIME_LIMIT,
) -> str:
    """One HTML file that plays `trace`, offline: a step at a time, with formulas, program and keys.

    views        drawn for the complete frame; by default all that fit the graph
    language     "en", "ko", or "both" for captions in both
    theme        "auto" (light or dark, as the reader's system is), "light", "dark", "mono", "cs231n" or "book"
    granularity  "op", "sub", "layer" or "phase"; by default "op" up to 500 steps, above that "layer"
    view, step   where to begin: the key of a view (by default the first, on narrow screens "narrow" where it is
                 there), and the number of a step, counted from 0

    Raises DrawError for a language, theme, granularity, view or step that there is not.
    """
    check_choice("language", language, (*LANGUAGES, "both"))
    check_choice("theme", theme, THEMES)
    found = tuple(views) if views is not None else drawn_views(trace, time_limit)
    chosen, note = _granularity(len(trace.steps), granularity)
    payload = Payload(trace, _held(trace, chosen))
    room = max(MOST_BYTES - len(json_in_html(payload.data()).encode()) - _OURS, _LEAST_ROOM)
    shown, drawn, looks = pictures(found, room, view)
    ranged = payload.add_ranges(ranges(shown))
    data = {**payload.data(), "ranges": ranged, "views": view_data(shown)}
    data["start"] = {
        "both": language == "both",
        "title": one_line(title) if title else "",
        "note": note,
        "granularity": chosen,
        "view": _view(view, shown),
        "step": _step(step, len(data["steps"][chosen])),
    }
    return html_page(
        title=title or _title(trace, language),
        language=language,
        styles=[theme_css(), looks, *(asset(name, _PACKAGE) for name in _STYLES)],
        scripts=[asset(name, _PACKAGE) for name in _SCRIPTS],
        body=asset("player.html", _PACKAGE).replace("@pictures@", drawn),
        data=data,
        theme=theme,
    )


def save(trace: Trace, path: str | Path, **options: Any) -> Path:
    """Write the page of `trace` to `path`, whole or not at all; `options` are those of `page`."""
    return write_atomically(path, page(trace, **options))


def _granularity(count: int, asked: str | None) -> tuple[str, str]:
    """Where to start, and the key of the note that says why."""
    if asked is not None:
        check_choice("granularity", asked, GRANULARITIES)
        if count <= MOST_STEPS_HELD or asked in ("layer", "phase"):
            return asked, ""
        return "layer", "tooLong"
    if count <= MOST_STEPS:
        return "op", ""
    return "layer", "long" if count <= MOST_STEPS_HELD else "tooLong"


def _held(trace: Trace, chosen: str) -> list[str]:
    """The granularities that fit into the page."""
    count = len(trace.steps)
    fitting = {"op": count <= MOST_STEPS_HELD, "sub": count <= MOST_STEPS_SPLIT or chosen == "sub"}
    return [word for word in GRANULARITIES if fitting.get(word, True)]


def _title(trace: Trace, language: str) -> str:
    said = TEXTS["title" if trace.loss else "forwardTitle"]["ko" if language == "ko" else "en"]
    return said.format(loss=trace.by_id[trace.loss].symbol if trace.loss else "")


def _view(view: str | None, shown: Sequence[View]) -> str:
    """The view that was asked for; empty where the page is to choose by its width."""
    if view is not None:
        check_choice("view", view, [each.key for each in shown])
    return view or ""


def _step(step: int | None, count: int) -> int:
    """The step to begin with; as in Python, −1 is the last."""
    if step is not None and not -count <= step < count:
        raise DrawError(f"there is no step {step}, expected 0 to {count - 1}")
    return (step or 0) % count
