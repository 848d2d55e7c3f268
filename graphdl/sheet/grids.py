"""Arrays as sheets show them: small ones with all their numbers, large ones summed up."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from graphdl.draw.digits import number
from graphdl.draw.labels import value_text
from graphdl.draw.model import Value
from graphdl.ir.types import shape_text
from graphdl.sheet.model import Grid

# Arrays up to here are printed whole.
_MOST_NUMBERS = 36
_MOST_IN_A_ROW = 12


def grid(symbol: str, value: Any) -> Grid | None:
    """A small array, all of it; None for a single number and for what is large."""
    array: Any = np.asarray(value) if value is not None and not isinstance(value, tuple | list) else np.zeros(())
    if not 1 <= array.ndim <= 2 or not 1 < array.size <= _MOST_NUMBERS or array.shape[-1] > _MOST_IN_A_ROW:
        return None
    rows = array.reshape(1, -1) if array.ndim == 1 else array
    return Grid(symbol, shape_text(array.shape), tuple(tuple(number(item) for item in row) for row in rows))


def in_short(value: Value | None) -> str:
    """A number, or what sums an array up; an array of one number is that number."""
    if value is None:
        return ""
    if value.data is not None and math.prod(value.shape) == 1:
        return number(np.ravel(value.data)[0])
    return value_text(value)
