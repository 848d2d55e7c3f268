"""Numbers as pictures print them: four significant digits, a real minus, and ≈ where rounding shows."""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import Any

DIGITS = 4
MINUS = "−"
NOT_REQUIRED = "—"
# Numbers up to here are printed whole: 60000 pictures, not 6e4.
_WHOLE = 1e6

_LOWERED = str.maketrans("0123456789", "₀₁₂₃₄₅₆₇₈₉")
_RAISED = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")
_ON_THE_LINE = str.maketrans("₀₁₂₃₄₅₆₇₈₉⁰¹²³⁴⁵⁶⁷⁸⁹", "0123456789" * 2)


def lowered(text: str) -> str:
    """`text` with its digits as indices: t₁ for t1."""
    return text.translate(_LOWERED)


def raised(text: str) -> str:
    """`text` with its digits above the line."""
    return text.translate(_RAISED)


def on_the_line(text: str) -> str:
    """`text` with indices and what stands above the line as plain digits."""
    return text.translate(_ON_THE_LINE)


def number(value: Any) -> str:
    """`value` with four significant digits.

    >>> number(220.00000000000003), number(-0.14666), number(1e-7), number(float("nan"))
    ('220', '−0.1467', '1e−7', 'NaN')
    """
    if isinstance(value, bool) or type(value).__name__ in ("bool", "bool_"):
        return "true" if value else "false"
    found = float(value)
    if math.isnan(found):
        return "NaN"
    if math.isinf(found):
        return "∞" if found > 0 else f"{MINUS}∞"
    return _finite(found)


def _finite(value: float) -> str:
    if abs(value) < _WHOLE and (value == round(value, 0) or abs(value) >= 10**DIGITS):
        return _with_minus(f"{value + 0.0:.0f}")
    text = f"{value:.{DIGITS}g}"
    mantissa, _, exponent = text.partition("e")
    if not exponent:
        return _with_minus(text)
    return _with_minus(f"{mantissa}e{int(exponent)}")


def _with_minus(text: str) -> str:
    return text.replace("-", MINUS)


def signed(value: float) -> str:
    """A change: ``+0.1`` or ``−0.1``."""
    return number(value) if value < 0 else f"+{number(value)}"


def parsed(text: str) -> float:
    """The number that `number` printed as `text`."""
    return float(text.replace(MINUS, "-").replace("∞", "inf"))


def in_brackets(text: str) -> str:
    """A negative number in brackets, as it stands behind an operator."""
    return f"({text})" if text.startswith(MINUS) else text


def equals(computed: float, shown: str) -> str:
    """ "=" where the displayed result is what the displayed operands give, else "≈".

    >>> equals(2 * 1.1, "2.2"), equals(0.1966 * -0.7455, "−0.1467")
    ('=', '≈')
    """
    return "=" if number(_tidy(computed)) == shown else "≈"


def product(factors: Iterable[Any], result: Any) -> str:
    """``1 × (−4) = −4``, with ≈ where the displayed numbers do not multiply to the displayed result."""
    shown, c = [number(factor) for factor in factors], number(result)
    line = " × ".join([shown[0], *map(in_brackets, shown[1:])])
    return line if len(shown) == 1 else f"{line} {equals(math.prod(map(parsed, shown)), c)} {c}"


def total(parts: Iterable[Any], result: Any) -> str:
    """``6 + 1 = 7``, likewise."""
    shown = [number(part) for part in parts]
    c = number(result)
    line = " + ".join([shown[0], *map(in_brackets, shown[1:])])
    return f"{line} {equals(math.fsum(map(parsed, shown)), c)} {c}"


def inner(pairs: Iterable[tuple[Any, Any]], result: Any) -> str:
    """``0.1 × 2 + 0.3 × 1 = 0.5``, likewise."""
    shown = [(number(a), number(b)) for a, b in pairs]
    c = number(result)
    line = " + ".join(f"{a if i == 0 else in_brackets(a)} × {in_brackets(b)}" for i, (a, b) in enumerate(shown))
    return f"{line} {equals(math.fsum(parsed(a) * parsed(b) for a, b in shown), c)} {c}"


def _tidy(value: float) -> float:
    """Without the last bits of binary arithmetic: 2 * 1.1 is 2.2."""
    return float(f"{value:.12g}") if math.isfinite(value) else value
