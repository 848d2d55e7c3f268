"""DOT, Mermaid, JSON and the step log: files of text."""

from __future__ import annotations

from collections.abc import Iterator

from graphdl.draw.dot import to_dot
from graphdl.draw.log import to_log
from graphdl.draw.mermaid import to_mermaid
from graphdl.draw.model import Frame
from graphdl.draw.outputs.drawing import Drawing
from graphdl.errors import DrawError


def dot(drawing: Drawing) -> Iterator[bytes]:
    """The graph with its gradient graph, for Graphviz; one file for each step."""
    return (to_dot(drawing.trace, frame, drawing.theme, drawing.title).encode() for frame in _frames(drawing))


def mmd(drawing: Drawing) -> Iterator[bytes]:
    """A Mermaid flowchart; one file for each step."""
    for frame in _frames(drawing):
        yield to_mermaid(drawing.trace, frame, drawing.view, drawing.theme, drawing.title).encode()


def json(drawing: Drawing) -> Iterator[bytes]:
    """The whole trace."""
    if drawing.steps:
        raise DrawError("a trace in .json is always whole, since each step builds on those before it; leave out steps")
    yield drawing.trace.to_json().encode()


def txt(drawing: Drawing) -> Iterator[bytes]:
    """The steps in words, all of them or the chosen ones."""
    yield to_log(drawing.trace, drawing.languages, drawing.telling_all().steps).encode()


def _frames(drawing: Drawing) -> Iterator[Frame]:
    return (drawing.trace.frame(step) for step in drawing.steps or (None,))
