"""Languages that formulas are read in: a meaning for each primitive op; the other ops mean what their formulas do."""

from __future__ import annotations

import math
import operator
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any, Generic, TypeVar

from graphdl.ir.registry import lookup
from graphdl.symbolic.formula import Formula, Leaf, Named, Variable
from graphdl.symbolic.grammar import taken_apart

T = TypeVar("T")
OPERANDS = "abc"


@dataclass(frozen=True)
class Reading(Generic[T]):
    """A language: `number` gives the meaning of a number or of "pi" and "e", `primitives` that of ops over meanings."""

    number: Callable[[int | float | str], T]
    primitives: Mapping[str, Callable[..., T]]

    def of(self, formula: Formula, inputs: Mapping[str, T]) -> T:
        """What `formula` means when its variables mean `inputs`."""

        def leaf(step: Leaf) -> T:
            if isinstance(step, Variable):
                return inputs[step.name]
            return self.number(step.name if isinstance(step, Named) else step.value)

        return formula.read(leaf, lambda step, operands: self.apply(step.op, operands))

    def apply(self, op: str, operands: list[T]) -> T:
        """What the op called `op` means over `operands`: its own formula is read where it is no primitive."""
        if op in self.primitives:
            return self.primitives[op](*operands)
        return self.of(own_formula(op), dict(zip(OPERANDS, operands, strict=False)))


@cache
def own_formula(op: str) -> Formula:
    """The formula of a registered op."""
    text = lookup(op).formula
    assert text is not None, f"{op} has no formula"
    return taken_apart(text, op)


def _pow(a: float, b: float) -> float:
    """a ** b, exact for integers; what floats cannot hold is an error before it is computed."""
    value = math.pow(a, b)
    return a**b if isinstance(a, int) and isinstance(b, int) and b >= 0 else value


NUMBERS: Reading[Any] = Reading(
    number=lambda value: {"pi": math.pi, "e": math.e}.get(value, value) if isinstance(value, str) else value,
    primitives={
        "add": operator.add,
        "subtract": operator.sub,
        "multiply": operator.mul,
        "divide": operator.truediv,
        "negative": operator.neg,
        "pow": _pow,
        "power": _pow,
        "less": operator.lt,
        "less_equal": operator.le,
        "greater": operator.gt,
        "greater_equal": operator.ge,
        "equal": operator.eq,
        "not_equal": operator.ne,
        "logical_and": lambda a, b: bool(a and b),
        "logical_or": lambda a, b: bool(a or b),
        "logical_not": operator.not_,
        "where": lambda a, b, c: b if a else c,
        "maximum": max,
        "minimum": min,
        "abs": abs,
        "sign": lambda a: (a > 0) - (a < 0),
        "floor": math.floor,
        "sqrt": math.sqrt,
        "exp": math.exp,
        "log": math.log,
        "sin": math.sin,
        "cos": math.cos,
        "tanh": math.tanh,
        "erf": math.erf,
    },
)
PRIMITIVES = frozenset(NUMBERS.primitives)
