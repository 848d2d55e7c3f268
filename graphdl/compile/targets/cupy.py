"""The same programs on a GPU: CuPy understands every line that NumPy does."""

from __future__ import annotations

from graphdl.compile.targets import Target
from graphdl.errors import ExtraMissing

HEADER = "import cupy as xp"


def make() -> Target:
    """The target; ExtraMissing where CuPy is not installed."""
    try:
        import cupy
    except ImportError as error:
        raise ExtraMissing("target 'cupy' needs CuPy, which is not installed: pip install 'graphdl[gpu]'") from error
    return Target("cupy", HEADER, cupy.asarray, cupy.asnumpy)
