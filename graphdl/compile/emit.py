"""Source text of a program, in two styles from one schedule.

*readable*: ``step(variables, key, x, ...)`` is a pure function, a line a node, and returns fetches and new values.
*fast*: ``bind(variables, sizes)`` makes the workspace for one batch size, then ``step(key, x, ...)`` writes into it and
updates the variables in place. Both make the same calls in the same order: same bits.
"""

from __future__ import annotations

from dataclasses import replace

from graphdl.compile.fast import FastEmitter
from graphdl.compile.page import Module, Style
from graphdl.compile.program import Program
from graphdl.compile.readable import ReadableEmitter

__all__ = ["Module", "Style", "emit"]


def emit(program: Program, style: Style = "fast", header: str = "import numpy as xp", function: str = "step") -> Module:
    """The source of `program` in the given style; `header` imports ``xp``, `function` is what a step is called."""
    if function != "step" and program.loops:
        # A script holds several programs side by side.
        program = replace(program, loop_prefix=f"{function}_loop")
    emitter = FastEmitter if style == "fast" else ReadableEmitter
    return emitter(program, header, function).module()
