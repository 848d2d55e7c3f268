"""How things look: themes, fonts, and how wide a text is. Every shape says what its colour says."""

from __future__ import annotations

import unicodedata
from collections.abc import Callable
from dataclasses import replace
from functools import lru_cache
from typing import Any

from graphdl.draw.palettes import BOOK, CS231N, DARK, LIGHT, MONO, THEMES, Look, Theme

__all__ = [
    "BOOK",
    "CS231N",
    "DARK",
    "LIGHT",
    "MONO",
    "THEMES",
    "Look",
    "Theme",
    "contrast",
    "fitted",
    "one_line",
    "text_width",
    "theme_css",
    "variables_theme",
]

FONT = "Helvetica, Arial, DejaVu Sans, Noto Sans, sans-serif"
TEXT_SIZE = 13.0
SMALL_SIZE = 10.0
# Contrast that WCAG 2.1 asks of text (success criterion 1.4.3).
LEAST_CONTRAST = 4.5


# Widths in em, at least those of DejaVu Sans, the widest of the fonts above.
_WIDTHS = {
    "ijlI|.,:;'! ": 0.34,
    "frt()[]{}/-‖": 0.42,
    "mwMW@%—…": 1.0,
    "+<>=×÷−≈≤≥~^→⊙": 0.84,
}
_WIDTH_OF = {letter: width for letters, width in _WIDTHS.items() for letter in letters}


def text_width(text: str, size: float = TEXT_SIZE, bold: bool = False) -> float:
    """Points that `text` takes on a line, rather more than less."""
    return sum(map(_letter_width, text)) * size * (1.1 if bold else 1.0)


@lru_cache(maxsize=4096)
def _letter_width(letter: str) -> float:
    if letter in _WIDTH_OF:
        return _WIDTH_OF[letter]
    if unicodedata.east_asian_width(letter) in "WF" or ord(letter) > 0x1F000:
        return 1.3
    if unicodedata.category(letter) in ("Mn", "Me", "Cf"):
        return 0.0
    return 0.74 if letter.isupper() else 0.64


def fitted(text: str, width: float, size: float = TEXT_SIZE, bold: bool = False) -> str:
    """`text` on one line, cut with an ellipsis where it would be wider than `width`."""
    line = one_line(text)
    if text_width(line, size, bold) <= width:
        return line
    room = width - text_width("…", size, bold)
    for end, letter in enumerate(line):
        room -= text_width(letter, size, bold)
        if room < 0:
            return line[:end].rstrip() + "…"
    return line


def one_line(text: str, longest: int = 200) -> str:
    """`text` without control characters and direction marks, which would break XML or turn the line around."""
    safe = "".join(" " if c in "\t\n\r\v\f" else c for c in text[: longest * 2])
    safe = "".join(c for c in safe if unicodedata.category(c) not in ("Cc", "Cs", "Co", "Cn") and not _turns(c))
    return safe if len(safe) <= longest else safe[: longest - 1] + "…"


def _turns(letter: str) -> bool:
    return unicodedata.bidirectional(letter) in ("LRE", "RLE", "LRO", "RLO", "PDF", "LRI", "RLI", "FSI", "PDI")


def contrast(one: str, other: str) -> float:
    """Ratio of the luminances of two colours ``#rrggbb``, from 1 to 21 (WCAG 2.1).

    >>> contrast("#ffffff", "#000000")
    21.0
    """
    dark, light = sorted((_luminance(one), _luminance(other)))
    return round((light + 0.05) / (dark + 0.05), 6)


def _luminance(colour: str) -> float:
    parts = (int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5))
    linear = [p / 12.92 if p <= 0.04045 else ((p + 0.055) / 1.055) ** 2.4 for p in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


_COLOURS = ("background", "wire", "value", "gradient", "local", "muted", "pill", "active", "lane")
_PAINTS = ("fill", "stroke", "text")


def variables_theme() -> Theme:
    """A theme whose colours are CSS variables, ``var(--wire)``: a page defines them with `theme_css`, and changes them
    without another picture."""
    looks = {kind: _variable_look(kind, look) for kind, look in LIGHT.looks.items()}
    colours: dict[str, Any] = {name: f"var(--{name})" for name in _COLOURS}
    return replace(LIGHT, name="variables", looks=looks, **colours)


def _variable_look(kind: str, look: Look) -> Look:
    paints: dict[str, Any] = {p: f"var(--{_word(kind)}-{p})" for p in _PAINTS if getattr(look, p) != "none"}
    return replace(look, **paints)


def theme_css(selector: Callable[[str], str] = ':root[data-theme="{}"]'.format) -> str:
    """CSS that defines the variables of `variables_theme` for every theme, each under ``selector(name)``.

    Lanes get the width and dash of the theme, too, since CSS goes before what an SVG says itself.
    """
    rules = [f"{selector(theme.name)}{{{_definitions(theme)}}}" for theme in THEMES.values()]
    lanes = "path.lane{stroke-width:var(--lane-weight);stroke-dasharray:var(--lane-dash)}"
    return "\n".join([*rules, lanes]) + "\n"


def _definitions(theme: Theme) -> str:
    found = {name: getattr(theme, name) for name in _COLOURS}
    found |= {"lane-weight": f"{theme.lane_weight:g}", "lane-dash": "5 3" if theme.lane_dashed else "none"}
    for kind, look in theme.looks.items():
        found |= {f"{_word(kind)}-{p}": getattr(look, p) for p in _PAINTS if getattr(look, p) != "none"}
    return ";".join(f"--{name}:{value}" for name, value in found.items())


def _word(kind: str) -> str:
    return kind.replace(" ", "-")
