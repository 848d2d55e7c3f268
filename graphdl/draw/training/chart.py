"""The parts of a chart: scales with their ticks, frames with axes, lines through points."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Literal

from graphdl.draw.digits import number
from graphdl.draw.scene import Box, Curve, Label, Mark, Point
from graphdl.draw.style import Theme
from graphdl.draw.training.colours import blend

Number = float | None
Kind = Literal["linear", "log", "steps"]

TICK_SIZE = 10.0
TITLE_SIZE = 12.0
_SUPERSCRIPTS = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")
_BEND: dict[Kind, Callable[[float], float]] = {"linear": float, "log": math.log10, "steps": math.log1p}


@dataclass(frozen=True)
class Scale:
    """From values between `low` and `high` to places between `start` and `end`.

    "linear"; "log" for positive values; "steps" for counts from 0, as ``log(1 + n)``.
    """

    kind: Kind
    low: float
    high: float
    start: float
    end: float

    def __call__(self, value: float) -> float:
        """Where `value` is drawn."""
        bend = _BEND[self.kind]
        low, high = bend(self.low), bend(self.high)
        share = (bend(value) - low) / (high - low) if high > low else 0.5
        return self.start + (self.end - self.start) * share

    def holds(self, value: Number) -> bool:
        """Whether `value` is a number in range."""
        return value is not None and self.low <= value <= self.high

    def ticks(self) -> list[tuple[float, str]]:
        """Round values in range, with their texts."""
        if self.kind == "linear":
            return _round_ticks(self.low, self.high)
        decades = _decades(self.low, self.high)
        if self.kind == "log":
            return [(10.0**e, power_of_ten(e)) for e in decades]
        return [(0.0, "0"), *((10.0**e, f"{10**e}") for e in decades)]


def _round_ticks(low: float, high: float) -> list[tuple[float, str]]:
    """Multiples of 1, 2 or 5 times a power of ten, three to six of them."""
    span = high - low
    if not span > 0:
        return [(low, number(low))]
    power = 10.0 ** math.floor(math.log10(span / 3))
    step = next(power * m for m in (10, 5, 2, 1) if span / (power * m) >= 2.999 or m == 1)
    first, last = math.ceil(low / step - 1e-9), math.floor(high / step + 1e-9)
    return [(i * step, number(float(f"{i * step:.6g}"))) for i in range(first, last + 1)]


def _decades(low: float, high: float) -> list[int]:
    """Exponents of the powers of ten in range; every second, third, ... where there are many."""
    first = math.ceil(math.log10(low) - 1e-9) if low > 0 else 0
    last = math.floor(math.log10(high) + 1e-9) if high >= 1 or low > 0 else -1
    apart = max(1, math.ceil((last - first) / 6))
    return [e for e in range(first, last + 1) if (e - last) % apart == 0]


def power_of_ten(exponent: int) -> str:
    """The way a tick of a logarithmic scale is written.

    >>> power_of_ten(-3), power_of_ten(0), power_of_ten(1)
    ('10⁻³', '1', '10')
    """
    if exponent in (0, 1):
        return str(10**exponent)
    return f"10{str(exponent).translate(_SUPERSCRIPTS)}"


def log_range(values: Iterable[Number], most_decades: int = 16) -> tuple[float, float]:
    """Whole decades around the positive ones of `values`, at most so many below the largest."""
    exponents = [math.log10(v) for v in values if v]
    if not exponents:
        return 0.1, 1.0
    top = math.ceil(max(exponents) + 1e-9)
    bottom = max(math.floor(min(exponents) - 1e-9), top - most_decades)
    return 10.0**bottom, 10.0 ** max(top, bottom + 1)


@dataclass(frozen=True)
class Frame:
    """The plotting area of a chart between two scales, whose y runs downwards on paper."""

    x: Scale
    y: Scale
    theme: Theme

    def axes(self, title: str, x_title: str, x_ticks: bool = True) -> list[Mark]:
        """Grid lines, tick labels, a title above at the left, and what runs along x below at the right."""
        left, right, top, bottom = self.x.start, self.x.end, self.y.end, self.y.start
        muted = self.theme.muted
        marks: list[Mark] = [Label(left - 4, top - 12, title, TITLE_SIZE, self.theme.local, bold=True, anchor="start")]
        for value, text in self.y.ticks():
            y = self.y(value)
            marks.append(straight([(left, y), (right, y)], blend(self.theme.background, muted, 0.25)))
            marks.append(Label(left - 6, y + 3.5, text, TICK_SIZE, muted, anchor="end"))
        if x_ticks:
            for value, text in self.x.ticks():
                x = self.x(value)
                marks += [
                    straight([(x, bottom), (x, bottom + 4)], muted),
                    Label(x, bottom + 16, text, TICK_SIZE, muted),
                ]
        marks.append(straight([(left, bottom), (right, bottom)], muted))
        marks.append(Label(right, bottom + 31, x_title, TICK_SIZE, muted, anchor="end"))
        return marks

    def line(
        self, xs: Sequence[float], ys: Sequence[Number], stroke: str, weight: float = 1.8, dashed: bool = False
    ) -> list[Mark]:
        """Straight lines through the points, interrupted where y is no number or out of range."""
        runs: list[list[Point]] = [[]]
        for x, y in zip(xs, ys, strict=True):
            if y is not None and self.y.holds(y):
                runs[-1].append((self.x(x), self.y(y)))
            elif runs[-1]:
                runs.append([])
        return [straight(run, stroke, weight, dashed) for run in runs if len(run) > 1]


def straight(points: Sequence[Point], stroke: str, weight: float = 1.0, dashed: bool = False) -> Curve:
    """Straight lines from point to point, as the chain of curves they are."""
    chain = [points[0]]
    for (x, y), (u, v) in pairwise(points):
        chain += [((2 * x + u) / 3, (2 * y + v) / 3), ((x + 2 * u) / 3, (y + 2 * v) / 3), (u, v)]
    return Curve(tuple(chain), stroke, weight, dashed)


def dot(x: float, y: float, fill: str, stroke: str = "none", size: float = 7.0) -> Box:
    """A round mark."""
    return Box(x, y, size, size, fill, stroke, radius=size / 2)
