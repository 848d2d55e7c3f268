"""Local derivatives, from the formula: as text that is a formula again, and as LaTeX for the edges of pictures."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import Any

import sympy

from graphdl.errors import FormulaError
from graphdl.ir.elementwise import Elementwise
from graphdl.symbolic.algebra import expression, formula_text, latex_text, of_op, slope
from graphdl.symbolic.formula import Formula
from graphdl.symbolic.parser import op_of

# Simplifying is worth the wait for what fits in a line.
_MOST_OPERATIONS = 60


def derivative_of(formula: Formula, wrt: str) -> str:
    """d `formula` / d `wrt` as a formula."""
    value = expression(formula)
    return formula_text(_tidied(slope(value, sympy.Symbol(wrt, real=True))))


def derivative_text(op: str | Elementwise, slot: int = 0) -> str:
    """The derivative of an op on elements for its input number `slot`, as a formula over a, b, c.

    >>> derivative_text("tanh"), derivative_text("divide", 1)
    ('1 - tanh(a)**2', '-a/b**2')

    FormulaError when the op has no formula or no such input. Kinks are left out: the op's convention says
    what holds there.
    """
    return formula_text(_partial(_named(op, slot), slot))


def derivative_latex(op: str | Elementwise, slot: int = 0, operands: Sequence[str] = ()) -> str:
    """As `derivative_text`, in LaTeX; `operands` are the inputs in LaTeX, by default a, b, c."""
    _, symbols = of_op(_named(op, slot))
    names = dict(zip(symbols, operands, strict=False))
    return latex_text(_partial(_named(op, slot), slot), names)


@lru_cache(maxsize=256)
def _partial(op: str, slot: int) -> Any:
    value, symbols = of_op(op)
    if op_of(op).gives == "bool" or op_of(op).takes[slot] == "bool":
        return sympy.S.Zero
    return _tidied(slope(value, symbols[slot]))


def _tidied(value: Any) -> Any:
    """A little shorter, in the same functions: SymPy's `simplify` would bring in hyperbolic cosines."""
    if sympy.count_ops(value) > _MOST_OPERATIONS:
        return value
    shorter = sympy.powsimp(value)
    return min(shorter, value, key=sympy.count_ops)


def _named(op: str | Elementwise, slot: int) -> str:
    name = op if isinstance(op, str) else op.name
    found = op_of(name)
    if found.formula is None:
        raise FormulaError(f"{name} has no formula, so no derivative by formula; {found.why_flat or 'see its vjp'}")
    if not 0 <= slot < found.arity:
        raise FormulaError(f"{name} has inputs 0 to {found.arity - 1}, not {slot}")
    return name
