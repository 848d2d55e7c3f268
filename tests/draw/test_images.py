"""Grids of images: every pixel is where it belongs, in its shade."""

from __future__ import annotations

import re

import numpy as np
import pytest

from graphdl import keras
from graphdl.draw.images import image_grid
from graphdl.errors import DrawError

IMAGES = np.random.default_rng(0).integers(0, 256, (7, 4, 3)).astype("uint8")


def painted(figure, place, shape):
    """The red shades of an image of the grid, read back from its boxes."""
    boxes = [mark for mark in figure.scene.groups[place].marks if hasattr(mark, "fill") and hasattr(mark, "width")]
    left, top = min(b.x - b.width / 2 for b in boxes), min(b.y - b.height / 2 for b in boxes)
    size = boxes[0].height
    found = np.full(shape, -1)
    for box in boxes:
        row = round((box.y - box.height / 2 - top) / size)
        start, width = round((box.x - box.width / 2 - left) / size), round(box.width / size)
        found[row, start : start + width] = int(box.fill[1:3], 16)
    return found


def test_ink_is_black_on_white_in_32_shades():
    figure = image_grid(IMAGES, rows=2, columns=3)
    assert len(figure.scene.groups) == 6
    for place in range(6):
        np.testing.assert_allclose(painted(figure, place, (4, 3)), 255 - IMAGES[place].astype(int), atol=255 / 62 + 1)


def test_colours_and_floats_are_shown_as_they_are():
    colours = np.random.default_rng(1).uniform(-2, 3, (2, 5, 5, 3))
    figure = image_grid(colours)
    share = (colours - colours.min()) / (colours.max() - colours.min())
    np.testing.assert_allclose(painted(figure, 1, (5, 5)), share[1, ..., 0] * 255, atol=255 / 62 + 1)


def test_neighbours_of_one_shade_are_one_box():
    (group,) = image_grid(np.zeros((1, 8, 8), "uint8")).scene.groups
    assert len(group.marks) == 8


def test_labels_stand_above_their_images_in_rows():
    figure = image_grid(IMAGES, ["a<b", *"cdefg"], rows=2, columns=3)
    assert re.findall(r"<text[^>]*>([^<]*)</text>", figure.svg) == ["a&lt;b", *"cdefg"]
    tops = [group.marks[-1].y for group in figure.scene.groups]
    assert tops == sorted(tops)
    assert len(set(tops)) == 2


def test_it_is_saved_as_a_picture(tmp_path):
    keras.utils.image_grid(IMAGES, range(7)).save(tmp_path / "grid.png")
    assert (tmp_path / "grid.png").read_bytes().startswith(b"\x89PNG")


@pytest.mark.parametrize(
    ("images", "arguments", "message"),
    [
        (np.zeros((3, 4)), {}, r"found float64\[3, 4\], expected images"),
        (np.zeros((3, 4, 4, 2)), {}, "expected images"),
        (np.zeros((0, 4, 4)), {}, "expected images"),
        ([["a"]], {}, "expected images"),
        (np.zeros((1, 300, 4)), {}, "found images of 300 x 4 pixels, expected at most 256 a side"),
        (IMAGES, {"labels": ["a"]}, "found 1 labels for 7 images"),
        (IMAGES, {"theme": "drak"}, "there is no theme 'drak'. Did you mean 'dark'"),
    ],
)
def test_what_is_no_image_is_refused(images, arguments, message):
    with pytest.raises(DrawError, match=message):
        image_grid(images, **arguments)
