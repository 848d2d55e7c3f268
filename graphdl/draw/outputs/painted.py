"""PNG and PDF as Graphviz paints them: one process for all pictures of a drawing."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from graphdl.draw import graphviz
from graphdl.draw.fonts import warn_of_boxes
from graphdl.draw.outputs.drawing import Drawing
from graphdl.draw.scene import Scene
from graphdl.draw.xdot import to_background

# Pixels an inch of PNG: twice what screens used to have.
DPI = 144.0
# Cairo paints bitmaps of up to 32767 pixels a side.
_MOST_PIXELS = 32000


def png(drawing: Drawing) -> Iterator[bytes]:
    """One PNG for each step."""
    return drawing.counted(painted(drawing.scenes, "png", drawing.time_limit))


def pages(drawing: Drawing) -> Iterator[bytes]:
    """One PDF of one page for each step."""
    return drawing.counted(painted(drawing.scenes, "pdf", drawing.time_limit))


def painted(scenes: Sequence[Scene], format: str, time_limit: float, dpi: float = DPI) -> Iterator[bytes]:
    """The scenes, all of one size, in `format`; `dpi` is of no meaning to PDF."""
    warn_of_boxes(scenes)
    longest = max(max(scene.width, scene.height) for scene in scenes)
    args = f"-Gdpi={min(dpi, 72 * _MOST_PIXELS / longest):.1f}" if format == "png" else ""
    return graphviz.run_all((graphviz.Request(to_background(s), "nop2", format, args) for s in scenes), time_limit)
