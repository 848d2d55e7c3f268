"""What the compiler makes of a graph: before and after in one picture, or told firing by firing in a page."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Literal

from graphdl.draw.model import Trace
from graphdl.draw.outputs.painted import painted
from graphdl.draw.scene import Scene
from graphdl.draw.style import LIGHT, THEMES
from graphdl.draw.svg import to_svg
from graphdl.errors import DrawError
from graphdl.files import write_atomically

_SUFFIXES = (".html", ".svg", ".png", ".pdf")


def compared(
    what: Any, path: str | Path | None, wrt: Any, theme: str, lang: str, title: str, time_limit: float
) -> str | Path:
    """The graph of `what` with its gradients before and after optimisation: SVG text, or the file written at `path`."""
    suffix = ".svg" if path is None else Path(path).suffix.lower()
    if suffix not in _SUFFIXES:
        raise DrawError(f"view 'diff' is written as {', '.join(_SUFFIXES)}; {str(path)!r} ends in {suffix!r}")
    if isinstance(what, Trace):
        raise DrawError("view 'diff' needs the graph itself, which a trace does not hold; draw the loss or the model")
    if suffix == ".html":
        from graphdl.draw.optimisation.viewer import optimisation

        return optimisation(what, path, wrt=wrt, theme=theme, language=lang, title=title or None)
    scene = _scene(what, wrt, theme, lang, title, time_limit)
    if path is None:
        return to_svg(scene)
    if suffix == ".svg":
        return write_atomically(path, to_svg(scene))
    (content,) = painted([scene], suffix.removeprefix("."), time_limit)
    return write_atomically(path, content)


def _scene(what: Any, wrt: Any, theme: str, lang: str, title: str, time_limit: float) -> Scene:
    from graphdl.draw.optimisation.story import matter
    from graphdl.draw.optimisation.viewer import passes_scene

    language: Literal["en", "ko"] = "ko" if lang == "ko" else "en"
    palette = THEMES.get(theme, LIGHT)
    return passes_scene(matter(what, wrt), palette, language=language, title=title, time_limit=time_limit)
