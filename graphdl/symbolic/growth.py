"""How large a formula grows: powers, which algebra writes out digit by digit, and lengths when nothing is shared."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import NamedTuple

from graphdl.symbolic.reading import NUMBERS, Reading

# What is written out without sharing may have so many operations; SymPy takes a second or two for it.
MOST_OPERATIONS = 20_000
# The highest power that nested powers may come to: (a ** 10) ** 10 is the hundredth.
MAX_POWER = 100


class GrowthError(ArithmeticError):
    """A part that no float holds, or a power that is too high."""


class Growth(NamedTuple):
    """A part of a formula: its value if it is constant, the power it comes to, and that of its exponential."""

    value: float | None = None
    power: float = 1.0
    of_exp: float = 0.0


def _number(value: int | float | str) -> Growth:
    return Growth(_finite(NUMBERS.number(value)))


def _primitive(op: str) -> Callable[..., Growth]:
    compute, grow = NUMBERS.primitives[op], _GROWERS.get(op, _same)

    def apply(*parts: Growth) -> Growth:
        power, of_exp = grow(*parts)
        if not power <= MAX_POWER:
            raise GrowthError(f"comes to the power {power:.4g}, expected at most {MAX_POWER}")
        values = [part.value for part in parts]
        constant = None not in values
        return Growth(_finite(compute(*values)) if constant else None, power, of_exp)

    return apply


def _finite(value: float) -> float:
    if not math.isfinite(value):
        raise GrowthError("has no finite value")
    return value


def _same(*parts: Growth) -> tuple[float, float]:
    return max(part.power for part in parts), max(part.of_exp for part in parts)


def _pow(base: Growth, exponent: Growth) -> tuple[float, float]:
    """(x ** p) ** c is x ** (p c); e ** (c log x) is x ** c."""
    times = 1.0 if exponent.value is None else max(1.0, abs(exponent.value))
    return max(base.power * times, exponent.of_exp), base.of_exp * times


def _exp(part: Growth) -> tuple[float, float]:
    return max(part.power, part.of_exp), part.of_exp


def _log(part: Growth) -> tuple[float, float]:
    return part.power, max(1.0, part.power)


def _product(left: Growth, right: Growth) -> tuple[float, float]:
    power, of_exp = _same(left, right)
    for part in (left, right):
        of_exp *= 1.0 if part.value is None else max(1.0, abs(part.value))
    return power, of_exp


def _quotient(left: Growth, right: Growth) -> tuple[float, float]:
    inverse = None if right.value is None else 1 / right.value
    return _product(left, right._replace(value=inverse))


_GROWERS: dict[str, Callable[..., tuple[float, float]]] = {
    "pow": _pow,
    "power": _pow,
    "exp": _exp,
    "log": _log,
    "multiply": _product,
    "divide": _quotient,
}

GROWTH: Reading[Growth] = Reading(_number, {op: _primitive(op) for op in NUMBERS.primitives})


class Length(NamedTuple):
    """At most so many operations, without sharing: of a part itself, and of its derivative."""

    value: int
    slope: int


def _longer(*parts: Length) -> Length:
    """The chain rule has a local derivative, about as long as the value, for each slope that arrives."""
    value = 1 + sum(part.value for part in parts)
    return Length(value, sum(value + part.slope for part in parts if part.slope))


LENGTHS: Reading[Length] = Reading(lambda value: Length(1, 0), dict.fromkeys(NUMBERS.primitives, _longer))
