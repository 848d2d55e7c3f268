"""GIF, WebP and APNG: the frames that Graphviz has painted, one after the other, by Pillow."""

from __future__ import annotations

import io
from collections.abc import Iterable, Iterator
from types import ModuleType
from typing import Any

from graphdl.draw.outputs.drawing import Drawing
from graphdl.draw.outputs.painted import DPI, painted
from graphdl.draw.scene import Label, Scene
from graphdl.errors import ExtraMissing

# Wider frames are painted smaller: an animation is watched, not printed.
_MOST_PIXELS = 1600
# Milliseconds for a look at the picture and for each letter of its panel; 25 letters a second are read at ease.
_LOOK, _LETTER, _LONGEST, _REST = 900, 22, 4500, 2000
_READ = ("caption", "formula", "chain", "rule", "numbers")

# Parts of colours, of 255, in which two of a palette must differ.
_APART = 10

_FORMATS: dict[str, tuple[str, dict[str, Any]]] = {
    "gif": ("GIF", {"optimize": True, "disposal": 1}),
    "webp": ("WEBP", {"lossless": True, "quality": 80, "method": 4}),
    "apng": ("PNG", {"default_image": False}),
}


def gif(drawing: Drawing) -> Iterator[bytes]:
    """One GIF with a frame for each step."""
    yield _animation(drawing, "gif")


def webp(drawing: Drawing) -> Iterator[bytes]:
    """One WebP without loss."""
    yield _animation(drawing, "webp")


def apng(drawing: Drawing) -> Iterator[bytes]:
    """One PNG that moves."""
    yield _animation(drawing, "apng")


def _animation(drawing: Drawing, kind: str) -> bytes:
    """All steps, or the chosen ones, shown as long as they take to read, again and again."""
    pillow = _pillow(kind)
    drawing = drawing.telling_all()
    scenes = drawing.scenes
    dpi = min(DPI, 72 * _MOST_PIXELS / max(scenes[0].width, 1.0))
    files = drawing.counted(painted(scenes, "png", drawing.time_limit, dpi))
    frames = [pillow.open(io.BytesIO(file)).convert("RGB") for file in files]
    frames = frames if kind == "webp" else _indexed(frames, pillow)
    durations = [_duration(scene) for scene in scenes]
    durations[-1] += _REST
    file = io.BytesIO()
    name, options = _FORMATS[kind]
    frames[0].save(file, format=name, save_all=True, append_images=frames[1:], duration=durations, loop=0, **options)
    return file.getvalue()


def _pillow(kind: str) -> ModuleType:
    try:
        from PIL import Image
    except ImportError as error:
        raise ExtraMissing(
            f".{kind} needs Pillow, which is not installed: pip install 'graphdl[pictures]'; "
            "or write a file a step, as in 'steps-%03d.png'"
        ) from error
    return Image


def _indexed(frames: list[Any], pillow: ModuleType) -> list[Any]:
    """The frames in the 256 colours that are most frequent in the richest of them, without the grain of dithering."""
    counted = max((frame.getcolors(frame.width * frame.height) for frame in frames), key=len)
    palette = pillow.new("P", (1, 1))
    palette.putpalette([part for colour in _distinct(sorted(counted, reverse=True)) for part in colour])
    return [frame.quantize(palette=palette, dither=0) for frame in frames]


def _distinct(counted: Iterable[tuple[int, tuple[int, ...]]]) -> list[tuple[int, ...]]:
    """The first 256 colours that are apart: Pillow looks up a colour by its parts rounded down to fours, and would
    take a near one for it."""
    found: list[tuple[int, ...]] = []
    for _, colour in counted:
        if all(max(abs(a - b) for a, b in zip(colour, other, strict=True)) >= _APART for other in found):
            found.append(colour)
        if len(found) == 256:
            break
    return found


def _duration(scene: Scene) -> int:
    """Milliseconds that a frame stays."""
    marks = (mark for group in scene.groups if group.id == "panel" for mark in group.marks)
    letters = sum(len(mark.text) for mark in marks if isinstance(mark, Label) and mark.part in _READ)
    return min(_LOOK + _LETTER * letters, _LONGEST)
