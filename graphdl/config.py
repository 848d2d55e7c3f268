"""Settings that every floor reads: the default float dtype and the optimisation levels."""

from __future__ import annotations

from contextvars import ContextVar
from typing import Literal

Level = Literal[0, 1, 2]

DEFAULT_LEVEL: Level = 2

# Where a long message is cut; enough for any honest name, too little to flood a terminal.
MAX_LABEL = 80

_floatx: ContextVar[str] = ContextVar("floatx", default="float32")


def floatx() -> str:
    """The dtype a float gets when nobody says otherwise: "float32", as in Keras."""
    return _floatx.get()


def set_floatx(dtype: str) -> None:
    """Make `dtype` ("float32" or "float64") the default for floats in this context."""
    if dtype not in ("float32", "float64"):
        raise ValueError(f"set_floatx: found {dtype!r}, expected 'float32' or 'float64'")
    _floatx.set(dtype)
