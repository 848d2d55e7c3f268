"""Static figures of recordings: loss curves, gradients over depth, the plane of predictions, distributions."""

from __future__ import annotations

import os
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from graphdl.draw.scene import Scene
from graphdl.draw.style import THEMES
from graphdl.draw.svg import to_svg
from graphdl.draw.training.curves import curves
from graphdl.draw.training.depth import depth
from graphdl.draw.training.distributions import distributions
from graphdl.draw.training.panels import Drawing
from graphdl.draw.training.plane import plane
from graphdl.draw.training.recording import Recording
from graphdl.draw.training.texts import LANGUAGES
from graphdl.errors import DrawError, did_you_mean
from graphdl.files import write_atomically

_KINDS: dict[str, Callable[[Drawing], Scene]] = {
    "gradients": depth,
    "surface": plane,
    "histograms": distributions,
}


@dataclass(frozen=True)
class Figure:
    """One picture: `svg` is its text, `save` writes it, and a notebook shows it."""

    scene: Scene

    @cached_property
    def svg(self) -> str:
        """The picture as SVG."""
        return to_svg(self.scene)

    def save(self, path: str | os.PathLike[str]) -> Path:
        """Write it as .svg, .png or .pdf; DrawError for another suffix, WriteError where that cannot be done."""
        suffix = Path(path).suffix.lower()
        if suffix == ".svg":
            return write_atomically(path, self.svg)
        if suffix not in (".png", ".pdf"):
            raise DrawError(f"{str(path)!r} ends in {suffix or 'nothing'!r}, expected .svg, .png or .pdf")
        from graphdl.draw.graphviz import TIME_LIMIT
        from graphdl.draw.outputs.painted import painted

        (content,) = painted([self.scene], suffix[1:], TIME_LIMIT)
        return write_atomically(path, content)

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> tuple[dict[str, str], dict[str, Any]]:
        from graphdl.draw.notebook import scene_bundle

        return scene_bundle(self.scene, include, exclude)


def figure(
    recordings: Recording | Sequence[Recording],
    kind: str = "loss",
    *,
    snapshot: int = -1,
    theme: str = "light",
    language: str = "en",
) -> Figure:
    """A picture of one recording, or of several on the same scale.

    kind      "loss" or any other number watched: curves over the steps, the snapshot marked;
              "gradients": the norm of each layer's gradient, from the input to the output;
              "surface": the prediction over the plane of two features;
              "histograms": weights, activations and gradients of each layer
    snapshot  its number, from 0, or from the end where it is negative; where recordings took their snapshots at other
              steps, the last one that each took up to the step of the first one's
    """
    runs = (recordings,) if isinstance(recordings, Recording) else tuple(recordings)
    if not runs:
        raise DrawError("a figure needs a recording, found none")
    _check("theme", theme, THEMES)
    _check("language", language, LANGUAGES)
    drawing = Drawing(runs, snapshot, THEMES[theme], language)
    names = runs[0].names
    _check("figure", kind, (*names, *_KINDS))
    return Figure(curves(drawing, kind) if kind in names else _KINDS[kind](drawing))


def _check(what: str, word: str, known: Collection[str]) -> None:
    if word not in known:
        raise DrawError(f"there is no {what} {word!r}.{did_you_mean(word, known)} There is {', '.join(known)}")
