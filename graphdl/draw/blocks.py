"""The blocks: one card for each name scope, with its parameters, their gradients, and the shapes between."""

from __future__ import annotations

from collections.abc import Callable

from graphdl.draw.diagram import Diagram
from graphdl.draw.drawing import Drawing
from graphdl.draw.grouping import grouped
from graphdl.draw.layout import place
from graphdl.draw.model import Frame, Trace
from graphdl.draw.repeats import folded
from graphdl.draw.scene import Scene
from graphdl.draw.style import Theme
from graphdl.draw.wrap import PAGE


def blocks(
    trace: Trace,
    frame: Frame,
    theme: Theme,
    backward: bool,
    time_limit: float,
    note: str = "",
    width: float | None = PAGE,
) -> Scene:
    """The picture of `frame` in blocks; where there are many, repeated ones are one card."""
    return block_frames(trace, theme, backward, time_limit, note, width)(frame)


def block_frames(
    trace: Trace, theme: Theme, backward: bool, time_limit: float, note: str = "", width: float | None = PAGE
) -> Callable[[Frame], Scene]:
    """What makes the picture of any frame, with the layout done."""
    diagram = Diagram(trace, backward, folded(trace, grouped(trace)))
    drawing = Drawing(diagram, place(diagram.cells(), diagram.links(), time_limit), width)
    return lambda frame: drawing.scene(blocks_title(trace, diagram), frame, theme, note)


def blocks_title(trace: Trace, diagram: Diagram) -> str:
    """What the picture is called, when read aloud."""
    loss = f" of {trace.by_id[trace.loss].symbol}" if trace.loss else ""
    count = len(diagram.blocks)
    return f"Computation graph{loss} in blocks: {trace.ops} operations in {count} block{'s' if count != 1 else ''}"
