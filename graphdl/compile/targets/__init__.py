"""Where programs run: an import line and how arrays get there and back."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from graphdl.errors import GraphError, did_you_mean


@dataclass(frozen=True)
class Target:
    """`header` makes ``xp`` known to generated source; `to_device` and `to_host` move arrays."""

    name: str
    header: str
    to_device: Callable[[Any], Any]
    to_host: Callable[[Any], Any]


def target(name: str) -> Target:
    """The target called `name`: "numpy" or "cupy"."""
    from graphdl.compile.targets import cupy, numpy

    known = {"numpy": numpy.make, "cupy": cupy.make}
    if name not in known:
        raise GraphError(f"there is no target {name!r}; there are 'numpy' and 'cupy'.{did_you_mean(name, known)}")
    return known[name]()
