"""Programs on the processor, over NumPy."""

from __future__ import annotations

import numpy

from graphdl.compile.targets import Target


def make() -> Target:
    return Target("numpy", "import numpy as xp", numpy.ascontiguousarray, numpy.asarray)
