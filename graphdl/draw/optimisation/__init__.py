"""How the compiler is shown: what each rewrite changes, which buffer holds what, and a gallery of the rules.

The package can be called: ``gd.draw.optimisation(model, "passes.html")`` is `viewer.optimisation`.
"""

from __future__ import annotations

import sys
from types import ModuleType
from typing import Any


class _Callable(ModuleType):
    """A package that is also its main function."""

    def __call__(self, *args: Any, **options: Any) -> Any:
        # Loaded when first called: the viewer draws with what lies in this package.
        from graphdl.draw.optimisation.viewer import optimisation

        return optimisation(*args, **options)


sys.modules[__name__].__class__ = _Callable
