"""One node computed from given arrays, with the code the programs use: for constants, and for stepping."""

from __future__ import annotations

from functools import lru_cache
from types import CodeType
from typing import Any

import numpy as np

from graphdl.compile.kernels import KERNELS
from graphdl.compile.lower import Instr

NAMESPACE: dict[str, Any] = {**KERNELS, "xp": np}


def evaluate(instr: Instr, values: list[Any], sizes: dict[str, int], key: tuple[int, int] = (0, 0)) -> Any:
    """The value of the node of `instr` over `values` of its operands (None where an operand is a literal)."""
    local = {f"_{i}": value for i, value in enumerate(values)}
    for i, text in enumerate(instr.texts):
        if instr.operands[i] is None:
            local[f"_{i}"] = eval(text, NAMESPACE, dict(sizes))  # our own text of a number or a size
    with np.errstate(all="ignore"):
        return eval(_code(instr.template.source), {**NAMESPACE, **_loops(instr), **sizes, "key": key}, local)


def _loops(instr: Instr) -> dict[str, Any]:
    return {instr.loop.name: instr.loop.function} if instr.loop else {}


@lru_cache(maxsize=8192)
def _code(source: str) -> CodeType:
    return compile(source, "<graphdl lowering>", "eval")
