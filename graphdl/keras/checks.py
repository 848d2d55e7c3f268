"""Numbers that users give, checked: GraphError says which one, what was found and what is expected."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from graphdl.errors import GraphError


def integer(what: str, value: Any, least: int = 1) -> int:
    """`value`, which is to be an integer from `least`; truth values are none."""
    if isinstance(value, bool) or not isinstance(value, int | np.integer) or value < least:
        raise GraphError(f"{what} is {value!r:.40}, expected an integer from {least}")
    return int(value)


def number(
    what: str, value: Any, low: float = 0, high: float = math.inf, above: bool = False, below: bool = False
) -> float:
    """`value`, which is to be a number from `low` to `high`; `above` and `below` leave these themselves out."""
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    if not is_number or not low <= value <= high or (above and value == low) or (below and value == high):
        raise GraphError(f"{what} is {value!r:.40}, expected {_range(low, high, above, below)}")
    return value  # type: ignore[no-any-return]


def share(what: str, value: Any) -> float:
    """`value`, which is to be at least 0 and below 1: the share of what is dropped, smoothed or kept."""
    return number(what, value, 0, 1, below=True)


def _range(low: float, high: float, above: bool, below: bool) -> str:
    if high == math.inf:
        return f"a number {'above' if above else 'from'} {low}"
    if above or below:
        return f"{'above' if above else 'at least'} {low} and {'below' if below else 'up to'} {high}"
    return f"a number from {low} to {high}"
