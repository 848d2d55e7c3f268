"""Whether letters of a picture can be printed here. Browsers find fonts for SVG; PNG and PDF need them installed."""

from __future__ import annotations

import shutil
import subprocess
import warnings
from functools import lru_cache

from graphdl.draw.scene import Label, Scene


def warn_of_boxes(scene: Scene) -> None:
    """Warn where the picture has Korean text and no Korean font is installed: PNG and PDF would show boxes."""
    texts = (mark.text for group in scene.groups for mark in group.marks if isinstance(mark, Label))
    if any("가" <= letter <= "힣" for text in texts for letter in text) and not _has_font("ko"):
        warnings.warn(
            "no Korean font is installed, so Korean text becomes boxes in PNG and PDF; install one "
            "(fonts-nanum on Debian), or write .svg",
            stacklevel=5,
        )


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
