"""Whether letters of a picture can be printed here. Browsers find fonts for SVG; paint needs them installed."""

from __future__ import annotations

import shutil
import subprocess
import sys
import warnings
from collections.abc import Iterable
from functools import lru_cache

from graphdl.draw.scene import Label, Scene


def warn_of_boxes(scenes: Iterable[Scene]) -> None:
    """Warn once where pictures have Korean text and no Korean font is installed: whatever is painted shows boxes."""
    marks = (mark for scene in scenes for group in scene.groups for mark in group.marks)
    texts = (mark.text for mark in marks if isinstance(mark, Label))
    if any("가" <= letter <= "힣" for text in texts for letter in text) and not _has_font("ko"):
        warnings.warn(
            "no Korean font is installed, so Korean text becomes boxes in PNG, PDF and animations; install one "
            "(fonts-nanum on Debian), or write .svg",
            stacklevel=_depth(),
        )


def _depth() -> int:
    """How far up the caller of the drawing package is."""
    depth, frame = 1, sys._getframe(1)
    while frame.f_back is not None and frame.f_globals.get("__name__", "").startswith("graphdl.draw"):
        depth, frame = depth + 1, frame.f_back
    return depth


@lru_cache
def _has_font(language: str) -> bool:
    """Whether fontconfig knows a font for `language`; yes where it cannot be asked."""
    lister = shutil.which("fc-list")
    if lister is None:
        return True
    try:
        done = subprocess.run([lister, f":lang={language}", "family"], capture_output=True, timeout=10, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return True
    return bool(done.stdout.strip()) or done.returncode != 0
