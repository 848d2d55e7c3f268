"""``gd.draw(what, view="window")``: pictures of the steps of a convolution, or a page to step through."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from graphdl.draw.outputs.naming import is_pattern, numbered
from graphdl.draw.outputs.painted import painted
from graphdl.draw.scene import Scene
from graphdl.draw.selection import Steps, chosen_steps
from graphdl.draw.style import LIGHT, THEMES
from graphdl.draw.svg import to_svg
from graphdl.draw.window.frames import Story, story
from graphdl.draw.window.page import window_page
from graphdl.draw.window.picture import window_scenes
from graphdl.draw.window.plan import Plan
from graphdl.draw.window.seen import seen
from graphdl.errors import DrawError
from graphdl.files import write_atomically
from graphdl.runtime.session import Session

_SUFFIXES = (".html", ".svg", ".png", ".pdf")


def is_window(view: str) -> bool:
    """Whether a view is "window", or "window:NAME" for the convolution of that name or layer."""
    return view == "window" or view.startswith("window:")


def windows(
    what: Any,
    path: str | Path | None,
    *,
    view: str,
    feeds: Mapping[Any, Any] | None,
    session: Session | None,
    stabilise: bool,
    steps: Steps | None,
    step: int | None,
    theme: str,
    languages: tuple[str, ...],
    title: str,
    time_limit: float,
) -> Any:
    """SVG text, or the file written at `path`; lists for several steps. The default step is the last one forward."""
    suffix = ".svg" if path is None else Path(path).suffix.lower()
    if suffix not in _SUFFIXES:
        raise DrawError(f"view 'window' is written as {', '.join(_SUFFIXES)}; {str(path)!r} ends in {suffix!r}")
    found = seen(what, feeds, session, view.partition(":")[2], stabilise)
    plan = Plan(found)
    told = story(plan)
    if suffix == ".html":
        text = window_page(plan, told, languages[0], theme, title)
        assert path is not None
        return write_atomically(path, text)
    places = _places(told, steps, step, path)
    scenes = window_scenes(plan, list(map(told.at, places)), THEMES.get(theme, LIGHT), languages, title)
    if path is None:
        made = [to_svg(scene) for scene in scenes]
        return made[0] if len(made) == 1 else made
    contents = _contents(scenes, suffix, time_limit)
    if len(places) == 1 and not is_pattern(path):
        return write_atomically(path, contents[0])
    files = numbered(path, places, len(told.steps))
    return [write_atomically(file, content) for file, content in zip(files, contents, strict=True)]


def _places(told: Story, steps: Steps | None, step: int | None, path: str | Path | None) -> tuple[int, ...]:
    """Which frames to draw, counted from 0."""
    if steps is None and path is not None and is_pattern(path):
        steps = "all"
    if steps is not None:
        return chosen_steps(told, steps)
    if step is None:
        return (sum(frame.phase == "forward" for frame in told.steps) - 1,)
    if not -len(told.steps) <= step < len(told.steps):
        raise DrawError(f"there is no step {step}: this story has steps 0 to {len(told.steps) - 1}")
    return (step % len(told.steps),)


def _contents(scenes: list[Scene], suffix: str, time_limit: float) -> list[Any]:
    if suffix == ".svg":
        return [to_svg(scene) for scene in scenes]
    return list(painted(scenes, suffix.removeprefix("."), time_limit))
