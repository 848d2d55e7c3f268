"""Pictures of graphs and of backpropagation, and the traces they are drawn from.

The package can be called: ``gd.draw(loss)`` is ``gd.draw.draw(loss)``, and ``help(gd.draw.draw)`` lists all it takes.
"""

from __future__ import annotations

import inspect
import sys
from types import ModuleType
from typing import Any

from graphdl.draw import optimisation
from graphdl.draw.model import Trace
from graphdl.draw.render import draw
from graphdl.draw.trace import trace

__all__ = ["Trace", "draw", "optimisation", "trace"]


class _Callable(ModuleType):
    """A module that is also its main function, since importing it puts it where the function would be."""

    def __call__(self, *args: Any, **options: Any) -> Any:
        return draw(*args, **options)


_Callable.__call__.__doc__ = draw.__doc__
__signature__ = inspect.signature(draw)
sys.modules[__name__].__class__ = _Callable
