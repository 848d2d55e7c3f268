"""How things look: colours and shapes by kind, fonts, and how wide a text is. Every shape says what its colour says."""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass
from functools import lru_cache

FONT = "Helvetica, Arial, DejaVu Sans, Noto Sans, sans-serif"
TEXT_SIZE = 13.0
SMALL_SIZE = 10.0
# Contrast that WCAG 2.1 asks of text (success criterion 1.4.3).
LEAST_CONTRAST = 4.5


@dataclass(frozen=True)
class Look:
    """Colours and line of one kind of node."""

    fill: str
    stroke: str
    text: str
    weight: float = 1.0
    dashed: bool = False
    bold: bool = False
    radius: float = 8.0


@dataclass(frozen=True)
class Theme:
    """One palette: looks by kind, and the colours of wires and numbers."""

    name: str
    background: str
    wire: str
    value: str
    gradient: str
    local: str
    muted: str
    pill: str
    active: str
    looks: dict[str, Look]

    def look(self, kind: str) -> Look:
        """The look of nodes of `kind`."""
        return self.looks[kind]


# Blue and vermillion stay apart for every kind of colour blindness (Okabe & Ito 2008).
LIGHT = Theme(
    name="light",
    background="#ffffff",
    wire="#57606a",
    value="#0072b2",
    gradient="#c04a00",
    local="#1b1f24",
    muted="#6b7280",
    pill="#ffffff",
    active="#ffd33d",
    looks={
        "placeholder": Look("#e8f4fb", "#0072b2", "#1b1f24"),
        "variable": Look("#fff3d6", "#9a6a00", "#1b1f24", weight=2.0, bold=True, radius=0),
        "constant": Look("none", "none", "#6b7280"),
        "noise": Look("#f6f8fa", "#57606a", "#1b1f24", radius=14),
        "op": Look("#f6f8fa", "#1b1f24", "#1b1f24"),
        "loss": Look("#1b1f24", "#1b1f24", "#ffffff", bold=True, radius=0),
        "gradient": Look("#fdebdd", "#c04a00", "#1b1f24", dashed=True),
        "parameter gradient": Look("#f9cdaf", "#c04a00", "#1b1f24", weight=2.0, dashed=True, bold=True, radius=0),
        "block": Look("#f6f8fa", "#57606a", "#1b1f24", radius=6),
    },
)

DARK = Theme(
    name="dark",
    background="#12161b",
    wire="#98a2ae",
    value="#6ec1f5",
    gradient="#ff9d5c",
    local="#e6e9ed",
    muted="#98a2ae",
    pill="#12161b",
    active="#8a6d00",
    looks={
        "placeholder": Look("#102a3c", "#6ec1f5", "#e6e9ed"),
        "variable": Look("#332a10", "#e3b341", "#e6e9ed", weight=2.0, bold=True, radius=0),
        "constant": Look("none", "none", "#98a2ae"),
        "noise": Look("#1c2229", "#98a2ae", "#e6e9ed", radius=14),
        "op": Look("#1c2229", "#e6e9ed", "#e6e9ed"),
        "loss": Look("#e6e9ed", "#e6e9ed", "#1b1f24", bold=True, radius=0),
        "gradient": Look("#33200f", "#ff9d5c", "#e6e9ed", dashed=True),
        "parameter gradient": Look("#4a2a12", "#ff9d5c", "#e6e9ed", weight=2.0, dashed=True, bold=True, radius=0),
        "block": Look("#1c2229", "#98a2ae", "#e6e9ed", radius=6),
    },
)

# For printing: position, dash and shape carry everything.
MONO = Theme(
    name="mono",
    background="#ffffff",
    wire="#000000",
    value="#000000",
    gradient="#000000",
    local="#000000",
    muted="#555555",
    pill="#ffffff",
    active="#cccccc",
    looks={
        "placeholder": Look("#ffffff", "#000000", "#000000"),
        "variable": Look("#ffffff", "#000000", "#000000", weight=2.0, bold=True, radius=0),
        "constant": Look("none", "none", "#555555"),
        "noise": Look("#ffffff", "#555555", "#000000", radius=14),
        "op": Look("#ffffff", "#000000", "#000000"),
        "loss": Look("#000000", "#000000", "#ffffff", bold=True, radius=0),
        "gradient": Look("#ffffff", "#000000", "#000000", dashed=True),
        "parameter gradient": Look("#e6e6e6", "#000000", "#000000", weight=2.0, dashed=True, bold=True, radius=0),
        "block": Look("#ffffff", "#000000", "#000000", radius=6),
    },
)

THEMES = {theme.name: theme for theme in (LIGHT, DARK, MONO)}

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
