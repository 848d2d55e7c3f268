"""Programs on the processor, over NumPy."""

from __future__ import annotations

from typing import Any

import numpy

from graphdl.compile.targets import Target


def make() -> Target:
    """The target, which needs no conversion."""
    return Target("numpy", "import numpy as xp", _contiguous, numpy.asarray)


def _contiguous(array: Any) -> Any:
    # Not ascontiguousarray, which turns a scalar into a vector.
    return numpy.asarray(array, order="C")
