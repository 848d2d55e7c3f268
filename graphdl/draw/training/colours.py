"""Colours of predictions, classes and runs."""

from __future__ import annotations

# The playground of TensorFlow made orange and blue known for the two classes.
ORANGE, BLUE = "#f59322", "#0877bd"
# Okabe & Ito 2008, told apart with every kind of colour blindness; black is left to ink.
CLASSES = ("#e69f00", "#0072b2", "#009e73", "#cc79a7", "#d55e00", "#56b4e9", "#f0e442", "#8a6d3b")
# One for each run that is compared, dark enough for text on white.
RUNS = {
    "light": ("#0072b2", "#c04a00", "#00795a", "#a0508a"),
    "dark": ("#6ec1f5", "#ff9d5c", "#4fd0a5", "#e3a1cd"),
    "mono": ("#000000", "#767676", "#3d3d3d", "#999999"),
}


def blend(one: str, other: str, share: float) -> str:
    """`share` of `other` in `one`, both ``#rrggbb``.

    >>> blend("#000000", "#ffffff", 0.5)
    '#808080'
    """
    parts = zip(_parts(one), _parts(other), strict=True)
    return "#" + "".join(f"{round(a + (b - a) * share):02x}" for a, b in parts)


def _parts(colour: str) -> tuple[int, ...]:
    return tuple(int(colour[i : i + 2], 16) for i in (1, 3, 5))


def diverging(share: float, middle: str = "#f2f3f4") -> str:
    """From orange at 0 over `middle` to blue at 1."""
    return blend(middle, BLUE, 2 * share - 1) if share > 0.5 else blend(middle, ORANGE, 1 - 2 * share)


def of_class(place: int, probability: float, classes: int, middle: str = "#f2f3f4") -> str:
    """The colour of a class, paler where it is less probable; `middle` where all are alike."""
    sure = max(0.0, (probability - 1 / classes) / (1 - 1 / classes))
    return blend(middle, CLASSES[place % len(CLASSES)], sure)


def of_run(place: int, theme: str) -> str:
    """The colour of the lines of one of several runs."""
    palette = RUNS.get(theme, RUNS["light"])
    return palette[place % len(palette)]
