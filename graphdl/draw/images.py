"""Pictures of examples that are images: a grid of them with their labels, without any library for images."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import groupby
from typing import Any

import numpy as np

from graphdl.draw.choices import check_choice
from graphdl.draw.scene import Box, Group, Label, Mark, Scene
from graphdl.draw.style import THEMES, fitted, one_line
from graphdl.draw.training.figures import Figure
from graphdl.errors import DrawError

Array = np.ndarray[Any, Any]

# Shades that are told apart: neighbours of one shade are drawn as one box, so fewer shades make smaller pictures.
_SHADES = 32
_SIDE, _GAP, _TITLE, _SIZE = 84.0, 14.0, 18.0, 10.0
_MOST_PIXELS = 256


def image_grid(
    images: Any,
    labels: Sequence[Any] | None = None,
    rows: int = 2,
    columns: int = 5,
    *,
    inverted: bool = True,
    title: str = "images",
    theme: str = "light",
) -> Figure:
    """The first `rows` x `columns` images beside each other, each with its label above; `save` writes .svg or .png.

    images    (n, height, width) or (n, height, width, 1 or 3); integers from 0 to 255, or floats from their least to
              their greatest value
    inverted  0 is white, as ink on paper; colours stay as they are

    DrawError for anything that is no images.
    """
    check_choice("theme", theme, THEMES)
    shown = _colours(np.asarray(images)[: rows * columns], inverted)
    names = [""] * len(shown) if labels is None else [one_line(str(label)) for label in labels[: len(shown)]]
    if len(names) < len(shown):
        raise DrawError(f"found {len(names)} labels for {len(shown)} images")
    groups = [
        _image(i, image, name, columns, THEMES[theme].local)
        for i, (image, name) in enumerate(zip(shown, names, strict=True))
    ]
    used = -(-len(shown) // columns)
    width = _GAP + min(columns, len(shown)) * (_SIDE + _GAP)
    height = _GAP + used * (_SIDE + _TITLE + _GAP)
    return Figure(Scene(width, height, THEMES[theme].background, title, tuple(groups)))


def _colours(images: Array, inverted: bool) -> Array:
    """Whole numbers below _SHADES, (n, height, width, 3)."""
    if images.ndim == 3:
        images = images[..., None]
    sides = images.shape[1:3]
    if images.ndim != 4 or images.shape[-1] not in (1, 3) or images.dtype.kind not in "biuf" or not images.size:
        raise DrawError(f"found {images.dtype}{list(images.shape)}, expected images, (n, height, width) with numbers")
    if max(sides) > _MOST_PIXELS:
        raise DrawError(f"found images of {sides[0]} x {sides[1]} pixels, expected at most {_MOST_PIXELS} a side")
    low, high = (0, 255) if images.dtype.kind in "iu" else (images.min(), images.max())
    share = (images.astype("float64") - low) / (high - low or 1)
    share = np.nan_to_num(1 - share if inverted and images.shape[-1] == 1 else share)
    shades = np.round(share.clip(0, 1) * (_SHADES - 1)).astype(int)
    return np.broadcast_to(shades, (*shades.shape[:3], 3))


def _image(place: int, image: Array, name: str, columns: int, ink: str) -> Group:
    row, column = divmod(place, columns)
    left = _GAP + column * (_SIDE + _GAP)
    top = _GAP + row * (_SIDE + _TITLE + _GAP) + _TITLE
    marks: list[Mark] = list(_boxes(image, left, top))
    if name:
        marks.append(Label(left + _SIDE / 2, top - 5, fitted(name, _SIDE + _GAP, _SIZE), _SIZE, ink))
    return Group(f"image{place}", "image", name or f"image {place}", tuple(marks))


def _boxes(image: Array, left: float, top: float) -> Iterator[Box]:
    """A box for each run of pixels of one shade along a line."""
    size = _SIDE / max(image.shape[:2])
    for y, line in enumerate(image):
        x = 0
        for shade, run in groupby(map(tuple, line.tolist())):
            width = len(list(run))
            middle = left + (x + width / 2) * size, top + (y + 0.5) * size
            yield Box(*middle, width * size, size, _hex(shade), part="pixel")
            x += width


def _hex(shade: Sequence[int]) -> str:
    return "#" + "".join(f"{round(part * 255 / (_SHADES - 1)):02x}" for part in shade)
