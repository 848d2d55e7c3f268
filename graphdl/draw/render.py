"""Pictures of graphs: choose the view, draw it, and return SVG or write a file of the kind its suffix says."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Protocol, runtime_checkable

from graphdl.draw import graphviz
from graphdl.draw.blocks import blocks
from graphdl.draw.circuit import circuit
from graphdl.draw.dot import to_dot
from graphdl.draw.fonts import warn_of_boxes
from graphdl.draw.log import to_log
from graphdl.draw.model import MOST_OPS_IN_CIRCUIT, MOST_OPS_IN_RAILS, MOST_VISIBLE, Trace
from graphdl.draw.rails import rails
from graphdl.draw.scene import Scene
from graphdl.draw.style import THEMES, Theme
from graphdl.draw.svg import to_svg
from graphdl.draw.trace import trace
from graphdl.draw.xdot import to_background
from graphdl.errors import DrawError, GraphdlError, did_you_mean
from graphdl.files import write_atomically
from graphdl.ir.graph import Graph
from graphdl.runtime.session import Session

VIEWS = ("auto", "circuit", "rails", "forward", "blocks")
# Pixels an inch of PNG: twice what screens used to have.
DPI = 144
# Cairo paints bitmaps of up to 32767 pixels a side.
_MOST_PIXELS = 32000


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
    view: str = "auto",
    theme: str = "light",
    session: Session | None = None,
    step: int | None = None,
    time_limit: float = graphviz.TIME_LIMIT,
    force: bool = False,
    stabilise: bool = True,
) -> str | Path:
    """A picture of `what`: SVG text, or the path of the file written when `path` is given.

    what     a scalar node (with its backward pass), any node or list of nodes, a Graph, a model, or a Trace
    path     ends in .svg, .png, .pdf, .dot, .json (the trace) or .txt (the steps in words)
    wrt      nodes to differentiate for; by default the trained variables, or else the float placeholders
    feeds    as for `Session.run`; without them the picture has no numbers
    view     "circuit": values above the wires, gradients below; "rails": the gradient graph, mirrored; "forward";
             "blocks": one card a name scope; "auto" is circuit up to 40 operations, then blocks
    theme    "light", "dark" or "mono"
    step     the moment of the story to show, counted from 0; by default its end

    Raises DrawError for a suffix, view or theme it does not know, more than 2,000 things to show (`force=True` draws
    them all the same), a file that cannot be written, and PNG or PDF without pygraphviz.
    """
    suffix = _suffix(path)
    _check_word("view", view, VIEWS)
    _check_word("theme", theme, THEMES)
    found = what if isinstance(what, Trace) else _traced(what, wrt, feeds, session, view, stabilise)

    def scene() -> Scene:
        return picture(found, view, THEMES[theme], step, time_limit, force)

    if path is None:
        return to_svg(scene())
    return write_atomically(path, _WRITERS[suffix](found, scene, time_limit))


def picture(found: Trace, view: str, theme: Theme, step: int | None, time_limit: float, force: bool) -> Scene:
    """The scene of one view of a trace; a view that is too small for the graph gives way to blocks, with a note."""
    chosen, note = _chosen(found, view)
    _check_visible(found, chosen, force)
    frame = found.frame(step)
    if chosen == "blocks":
        return blocks(found, frame, theme, view != "forward", time_limit, note)
    if chosen == "rails":
        return rails(found, frame, theme, time_limit)
    return circuit(found, frame, theme, chosen == "circuit", time_limit)


def _chosen(found: Trace, view: str) -> tuple[str, str]:
    """The view to draw and a note where that is not the one that was asked for."""
    if view == "auto":
        if found.ops <= MOST_OPS_IN_CIRCUIT:
            return ("rails" if found.backward and not found.wrt else "circuit"), ""
        return "blocks", ""
    if view != "blocks" and found.ops > MOST_OPS_IN_RAILS:
        return (
            "blocks",
            f"{found.ops} operations are too many for view {view!r} ({MOST_OPS_IN_RAILS} at most); here are blocks",
        )
    return view, ""


def _check_visible(found: Trace, view: str, force: bool) -> None:
    shown = {"rails": len(found.nodes), "circuit": len(found.forward), "forward": len(found.forward)}.get(view, 0)
    if shown > MOST_VISIBLE and not force:
        raise DrawError(_too_many(shown))


def _too_many(shown: int) -> str:
    return (
        f"{shown} nodes to show, expected at most {MOST_VISIBLE}; draw view='blocks', write .dot or .json, "
        "or pass force=True"
    )


def _traced(
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


def _suffix(path: str | Path | None) -> str:
    if path is None:
        return ".svg"
    suffix = Path(path).suffix.lower()
    if suffix not in _WRITERS:
        raise DrawError(f"{str(path)!r} ends in {suffix or 'nothing'!r}, expected one of {', '.join(_WRITERS)}")
    return suffix


def _check_word(what: str, word: str, known: Any) -> None:
    if word not in known:
        raise DrawError(f"there is no {what} {word!r}.{did_you_mean(str(word), known)} It is one of {', '.join(known)}")


def _svg(found: Trace, scene: Callable[[], Scene], time_limit: float) -> bytes:
    return to_svg(scene()).encode()


def _png(found: Trace, scene: Callable[[], Scene], time_limit: float) -> bytes:
    drawn = _printable(scene)
    dpi = min(DPI, 72 * _MOST_PIXELS / max(drawn.width, drawn.height))
    return graphviz.run(to_background(drawn), "nop2", "png", f"-Gdpi={dpi:.0f}", time_limit)


def _pdf(found: Trace, scene: Callable[[], Scene], time_limit: float) -> bytes:
    return graphviz.run(to_background(_printable(scene)), "nop2", "pdf", "", time_limit)


def _printable(scene: Callable[[], Scene]) -> Scene:
    drawn = scene()
    warn_of_boxes(drawn)
    return drawn


def _dot(found: Trace, scene: Callable[[], Scene], time_limit: float) -> bytes:
    return to_dot(found).encode()


def _json(found: Trace, scene: Callable[[], Scene], time_limit: float) -> bytes:
    return found.to_json().encode()


def _txt(found: Trace, scene: Callable[[], Scene], time_limit: float) -> bytes:
    return to_log(found).encode()


_WRITERS: dict[str, Callable[[Trace, Callable[[], Scene], float], bytes]] = {
    ".svg": _svg,
    ".png": _png,
    ".pdf": _pdf,
    ".dot": _dot,
    ".json": _json,
    ".txt": _txt,
}
