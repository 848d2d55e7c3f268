"""The circuit: the user's graph, values above the wires, gradients below, local derivatives on the way back."""

from __future__ import annotations

from collections.abc import Callable

from graphdl.draw.diagram import Diagram
from graphdl.draw.drawing import Drawing
from graphdl.draw.layout import place
from graphdl.draw.model import Frame, Trace
from graphdl.draw.scene import Scene
from graphdl.draw.style import Theme
from graphdl.draw.wrap import PAGE


def circuit_frames(
    trace: Trace, theme: Theme, backward: bool, time_limit: float, width: float | None = PAGE
) -> Callable[[Frame], Scene]:
    """What makes the picture of any frame, with the layout done: frames of one story fit on each other.

    A picture much wider than `width` points is cut into rows; None leaves it in one.
    """
    diagram = Diagram(trace, backward)
    drawing = Drawing(diagram, place(diagram.cells(), diagram.links(), time_limit), width)
    return lambda frame: drawing.scene(circuit_title(trace, diagram.backward), frame, theme)


def circuit_title(trace: Trace, backward: bool) -> str:
    """What the picture is called, when read aloud."""
    loss = f" of {trace.by_id[trace.loss].symbol}" if trace.loss else ""
    return f"Computation graph{loss}, {'forward and backward' if backward else 'forward'}: {trace.ops} operations"
