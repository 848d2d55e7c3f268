"""SVG: our own, a file for each step."""

from __future__ import annotations

from collections.abc import Iterator

from graphdl.draw.outputs.drawing import Drawing
from graphdl.draw.svg import to_svg


def svg(drawing: Drawing) -> Iterator[bytes]:
    """One SVG for each step."""
    return drawing.counted(to_svg(scene).encode() for scene in drawing.scenes)
