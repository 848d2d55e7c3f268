"""Palettes: colours and lines by kind of node, and how values, gradients and lanes look, in five themes."""

from __future__ import annotations

from dataclasses import dataclass


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
    """One palette: looks by kind, the colours of wires and numbers, and how the lanes of gradients are drawn."""

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
    lane: str
    lane_weight: float = 1.2
    lane_dashed: bool = True

    @property
    def lane_arrow(self) -> float:
        """Length of the arrowhead of a lane: thick lines need larger ones."""
        return 6.0 + 2.0 * max(self.lane_weight - 1.5, 0.0)

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
    lane="#c04a00",
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
    lane="#ff9d5c",
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

# Black on white: position, dash and shape carry everything.
_PLAIN = {
    "placeholder": Look("#ffffff", "#000000", "#000000"),
    "variable": Look("#ffffff", "#000000", "#000000", weight=2.0, bold=True, radius=0),
    "constant": Look("none", "none", "#555555"),
    "noise": Look("#ffffff", "#555555", "#000000", radius=14),
    "op": Look("#ffffff", "#000000", "#000000"),
    "loss": Look("#000000", "#000000", "#ffffff", bold=True, radius=0),
    "gradient": Look("#ffffff", "#000000", "#000000", dashed=True),
    "parameter gradient": Look("#e6e6e6", "#000000", "#000000", weight=2.0, dashed=True, bold=True, radius=0),
    "block": Look("#ffffff", "#000000", "#000000", radius=6),
}

# For printing.
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
    lane="#000000",
    looks=_PLAIN,
)

# Green values and red gradients, as in the notes of Stanford's CS231n. Contrast on white: green 5.1, red 4.0, which is
# less than text should have, and the two are hard to tell apart without red or green cones: only for who asks for it.
CS231N = Theme(
    name="cs231n",
    background="#ffffff",
    wire="#000000",
    value="#008000",
    gradient="#ff0000",
    local="#1b1f24",
    muted="#555555",
    pill="#ffffff",
    active="#cfe8ff",
    lane="#ff0000",
    looks=_PLAIN,
)

# Thin black arrows forward and thick grey ones backward, as textbooks print them. Grey numbers have a contrast of 7.0
# on white; the lanes have 2.8, being no text and beside black wires of another thickness.
BOOK = Theme(
    name="book",
    background="#ffffff",
    wire="#000000",
    value="#000000",
    gradient="#595959",
    local="#000000",
    muted="#595959",
    pill="#ffffff",
    active="#ffe9a8",
    lane="#999999",
    lane_weight=3.0,
    lane_dashed=False,
    looks=_PLAIN,
)

THEMES = {theme.name: theme for theme in (LIGHT, DARK, MONO, CS231N, BOOK)}
