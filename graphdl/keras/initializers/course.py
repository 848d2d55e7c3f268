"""The table of initial values that course notes print, beside the schemes that have names.

For a layer between m and n units the notes give U(-r, r) and N(0, s^2) for sigmoid, tanh and ReLU. Some of them have
the rows of sigmoid and tanh the wrong way round: the factor 4 is sigmoid's, whose slope at 0 is a quarter of tanh's
(Glorot & Bengio 2010, as the tutorials of Theano have it). A uniform number on (-r, r) has the variance r^2 / 3, so
both entries of a row have one variance.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from graphdl.keras.initializers.scaling import NAMED, VarianceScaling, fans

# Factors of the course: r = factor sqrt(6 / (m + n)), s = factor sqrt(2 / (m + n)).
FACTORS = {"sigmoid": 4.0, "tanh": 1.0, "relu": math.sqrt(2)}
_WORDS = {"sigmoid": "4 ", "tanh": "", "relu": "sqrt(2) "}
# What notes have in the rows of sigmoid and tanh.
SWAPPED = {"sigmoid": FACTORS["tanh"], "tanh": FACTORS["sigmoid"]}


@dataclass(frozen=True)
class Entry:
    """One row for a layer of `inputs` and `units`: `r` of the uniform and `s` of the normal distribution."""

    activation: str
    inputs: int
    units: int

    @property
    def s(self) -> float:
        """The standard deviation, of both distributions."""
        return FACTORS[self.activation] * math.sqrt(2 / (self.inputs + self.units))

    @property
    def r(self) -> float:
        """The limit of the uniform distribution."""
        return FACTORS[self.activation] * math.sqrt(6 / (self.inputs + self.units))

    @property
    def noted_r(self) -> float:
        """The limit that notes with the rows of sigmoid and tanh swapped give."""
        return SWAPPED.get(self.activation, FACTORS[self.activation]) * math.sqrt(6 / (self.inputs + self.units))

    @property
    def formula(self) -> tuple[str, str]:
        """`r` and `s` in words."""
        word = _WORDS[self.activation]
        return f"{word}sqrt(6 / (m + n))", f"{word}sqrt(2 / (m + n))"

    def initializer(self, distribution: str = "uniform") -> VarianceScaling:
        """What starts a kernel like this: "uniform" or "normal", which is not truncated."""
        kind = "uniform" if distribution == "uniform" else "untruncated_normal"
        return VarianceScaling(round(FACTORS[self.activation] ** 2, 9), "fan_avg", kind)

    @property
    def named(self) -> str:
        """Which named scheme it equals, for any sizes or for these."""
        return scheme_of(self.initializer(), (self.inputs, self.units))


@dataclass(frozen=True)
class CourseTable:
    """The table; prints itself."""

    entries: tuple[Entry, ...]

    def __getitem__(self, activation: str) -> Entry:
        """The row of an activation function."""
        return next(entry for entry in self.entries if entry.activation == activation)

    def __str__(self) -> str:
        """The table for one pair of sizes, with the formulas and the names."""
        m, n = self.entries[0].inputs, self.entries[0].units
        rows = [("activation", "U(-r, r), r =", "", "N(0, s^2), s =", "", "by name")]
        for entry in self.entries:
            of_r, of_s = entry.formula
            rows.append((entry.activation, of_r, f"{entry.r:.4f}", of_s, f"{entry.s:.4f}", entry.named))
        widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
        lines = ["  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows]
        return "\n".join([f"a layer of m = {m} inputs and n = {n} units", *lines])

    __repr__ = __str__


def course_table(inputs: int = 256, units: int = 128) -> CourseTable:
    """The course's table for a layer of these sizes, with the rows of sigmoid and tanh where they belong.

    >>> course_table(100, 100)["relu"].named
    'he_uniform, he_normal for m = n'
    """
    return CourseTable(tuple(Entry(activation, inputs, units) for activation in FACTORS))


def scheme_of(scaling: VarianceScaling, shape: tuple[int, int]) -> str:
    """The named schemes of the same variance: for any sizes, or for m = n; else in terms of one of them."""
    found = [name for name, made in _uniform_first() if (made.scale, made.mode) == (scaling.scale, scaling.mode)]
    if found:
        return ", ".join(found)
    square = (shape[0], shape[0])
    like = [name for name, made in _uniform_first() if math.isclose(made.variance(square), scaling.variance(square))]
    if like:
        return f"{', '.join(like)} for m = n"
    fan_in, fan_out = fans(shape)
    factor = math.sqrt(scaling.variance(shape) * (fan_in + fan_out) / 2)
    return f"{factor:g} times glorot_uniform, glorot_normal"


def _uniform_first() -> list[tuple[str, VarianceScaling]]:
    from graphdl.keras.lookup import snake_case

    return [(snake_case(made.__name__), made()) for made in NAMED]
