"""From a trace to the scene of one view of one moment."""

from __future__ import annotations

from collections.abc import Callable

from graphdl.draw.blocks import block_frames
from graphdl.draw.circuit import circuit_frames
from graphdl.draw.model import MOST_OPS_IN_CIRCUIT, MOST_OPS_IN_RAILS, MOST_VISIBLE, Frame, Trace
from graphdl.draw.rails import rail_frames
from graphdl.draw.scene import Scene
from graphdl.draw.style import Theme
from graphdl.draw.views import views
from graphdl.errors import DrawError, did_you_mean

VIEWS = ("auto", "circuit", "rails", "forward", "blocks", "diff", "window")


def picture(trace: Trace, view: str, theme: Theme, step: int | None, time_limit: float, force: bool) -> Scene:
    """The scene of one view of a trace; a view that is too small for the graph gives way to blocks, with a note.

    `step` is the moment, counted from 0; None is the end of the story.
    """
    return frames(trace, view, theme, time_limit, force)(trace.frame(step))


def frames(trace: Trace, view: str, theme: Theme, time_limit: float, force: bool) -> Callable[[Frame], Scene]:
    """What makes the scene of any frame of one view, laid out once for all of them."""
    if is_key(view):
        return lambda frame: _of_key(trace, view, theme, frame, time_limit)
    chosen, note = chosen_view(trace, view)
    _check_visible(trace, chosen, force)
    if chosen == "blocks":
        return block_frames(trace, theme, view != "forward", time_limit, note)
    if chosen == "rails":
        return rail_frames(trace, theme, time_limit)
    return circuit_frames(trace, theme, chosen == "circuit", time_limit)


def is_key(view: str) -> bool:
    """Whether it names one of the views that depend on the graph: "blocks:2", two scopes deep, or "open:SCOPE"."""
    return view.startswith(("blocks:", "open:"))


def _of_key(trace: Trace, key: str, theme: Theme, frame: Frame, time_limit: float) -> Scene:
    found = {view.key: view.scene for view in views(trace, theme, time_limit, frame)}
    if key not in found:
        raise DrawError(f"there is no view {key!r} here.{did_you_mean(key, found)} There is {', '.join(found)}")
    return found[key]


def chosen_view(trace: Trace, view: str) -> tuple[str, str]:
    """The view to draw, and a note where that is not the one that was asked for."""
    if view == "auto":
        if trace.ops <= MOST_OPS_IN_CIRCUIT:
            return ("rails" if trace.backward and not trace.wrt else "circuit"), ""
        return "blocks", ""
    if is_key(view):
        return "blocks", ""
    if view != "blocks" and trace.ops > MOST_OPS_IN_RAILS:
        return (
            "blocks",
            f"{trace.ops} operations are too many for view {view!r} ({MOST_OPS_IN_RAILS} at most); here are blocks",
        )
    return view, ""


def _check_visible(trace: Trace, view: str, force: bool) -> None:
    shown = {"rails": len(trace.nodes), "circuit": len(trace.forward), "forward": len(trace.forward)}.get(view, 0)
    if shown > MOST_VISIBLE and not force:
        raise DrawError(
            f"{shown} nodes to show, expected at most {MOST_VISIBLE}; draw view='blocks', write .dot or .json, "
            "or pass force=True"
        )
