"""Local derivatives, from the formula: as text that is a formula again, and as LaTeX for the edges of pictures."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache

import sympy

from graphdl.errors import FormulaError
from graphdl.ir.elementwise import Elementwise
from graphdl.ir.text import plain
from graphdl.symbolic.algebra import Expression, formula_text, latex_text, operand_symbols, symbol
from graphdl.symbolic.formula import Formula
from graphdl.symbolic.growth import LENGTHS, MOST_OPERATIONS, Length
from graphdl.symbolic.parser import op_of
from graphdl.symbolic.reading import OPERANDS, own_formula
from graphdl.symbolic.slope import slope

# Simplifying is worth the wait for what fits in a line.
_MOST_OPERATIONS = 60


def derivative_of(formula: Formula, wrt: str) -> str:
    """d `formula` / d `wrt` as a formula."""
    symbols = {name: symbol(name) for name in formula.variables}
    length = LENGTHS.of(formula, {name: Length(1, int(name == wrt)) for name in symbols}).slope
    if length > MOST_OPERATIONS:
        raise FormulaError(
            f"the derivative of {plain(formula.text)!r} has about {length:.3g} operations written out, expected at "
            f"most {MOST_OPERATIONS}; gd.gradients shares them"
        )
    return formula_text(_tidied(slope(formula, symbols, wrt)))


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
    names = dict(zip(operand_symbols(_named(op, slot)).values(), operands, strict=False))
    return latex_text(_partial(_named(op, slot), slot), names)


@lru_cache(maxsize=256)
def _partial(op: str, slot: int) -> Expression:
    return _tidied(slope(own_formula(op), operand_symbols(op), OPERANDS[slot]))


def _tidied(value: Expression) -> Expression:
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
