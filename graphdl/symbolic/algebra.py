"""Formulas as SymPy expressions, and SymPy expressions as formulas: built by hand, never from text."""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Decimal
from fractions import Fraction
from typing import Any

import sympy
from sympy.printing.str import StrPrinter

from graphdl.symbolic.formula import Formula
from graphdl.symbolic.parser import op_of
from graphdl.symbolic.reading import OPERANDS, Reading, own_formula

Expression = Any


def number(value: int | float | str) -> Expression:
    """A number exactly as it is written, or pi or e: 0.1 is one tenth."""
    if isinstance(value, str):
        return {"pi": sympy.pi, "e": sympy.E}[value]
    exact = Fraction(Decimal(repr(value))) if isinstance(value, float) else Fraction(value)
    return sympy.Rational(exact.numerator, exact.denominator)


def where(condition: Expression, a: Expression, b: Expression) -> Expression:
    """`a` where the condition holds, else `b`."""
    return sympy.Piecewise((a, condition), (b, True))


def relation(kind: type) -> Any:
    """A comparison that SymPy does not try to decide."""
    return lambda a, b: kind(a, b, evaluate=False)


ALGEBRA: Reading[Expression] = Reading(
    number=number,
    primitives={
        "add": lambda a, b: a + b,
        "subtract": lambda a, b: a - b,
        "multiply": lambda a, b: a * b,
        "divide": lambda a, b: a / b,
        "negative": lambda a: -a,
        "pow": lambda a, b: a**b,
        "power": lambda a, b: a**b,
        "less": relation(sympy.Lt),
        "less_equal": relation(sympy.Le),
        "greater": relation(sympy.Gt),
        "greater_equal": relation(sympy.Ge),
        "equal": relation(sympy.Eq),
        "not_equal": relation(sympy.Ne),
        "logical_and": sympy.And,
        "logical_or": sympy.Or,
        "logical_not": sympy.Not,
        "where": where,
        # Not Max and Min, whose derivative at a tie is a distribution.
        "maximum": lambda a, b: where(relation(sympy.Gt)(a, b), a, b),
        "minimum": lambda a, b: where(relation(sympy.Lt)(a, b), a, b),
        "abs": sympy.Abs,
        "sign": sympy.sign,
        "floor": sympy.floor,
        "sqrt": sympy.sqrt,
        "exp": sympy.exp,
        "log": sympy.log,
        "sin": sympy.sin,
        "cos": sympy.cos,
        "tanh": sympy.tanh,
        "erf": sympy.erf,
    },
)


def symbol(name: str, takes: str = "float") -> Expression:
    """A symbol for a real number, or for a truth value."""
    return sympy.Symbol(name) if takes == "bool" else sympy.Symbol(name, real=True)


def expression(formula: Formula, symbols: dict[str, Expression] | None = None) -> Expression:
    """`formula` as a SymPy expression over real symbols called as its variables, or over `symbols`."""
    return ALGEBRA.of(formula, symbols or {name: symbol(name) for name in formula.variables})


def of_op(op: str) -> tuple[Expression, tuple[Expression, ...]]:
    """The formula of a registered op as an expression, and the symbols of its operands."""
    symbols = tuple(symbol(name, takes) for name, takes in zip(OPERANDS, op_of(op).takes, strict=False))
    return expression(own_formula(op), dict(zip(OPERANDS, symbols, strict=False))), symbols


def slope(value: Expression, wrt: Expression) -> Expression:
    """d `value` / d `wrt`, with steps (sign, floor, comparisons) flat: what happens at jumps is a convention."""
    found = sympy.diff(value, wrt)
    return found.replace(lambda part: isinstance(part, _DISTRIBUTIONS), lambda part: sympy.S.Zero)


_DISTRIBUTIONS = (sympy.DiracDelta, sympy.Derivative, sympy.Subs)


class _FormulaPrinter(StrPrinter):  # type: ignore[misc]
    """Expressions in the language of formulas: what it prints, the parser reads."""

    def _print_Piecewise(self, found: Expression) -> str:
        """``where(condition, a, where(...))``."""
        pairs = list(found.args)
        text = self._print(pairs[-1].expr)
        for pair in reversed(pairs[:-1]):
            text = f"where({self._print(pair.cond)}, {self._print(pair.expr)}, {text})"
        return text

    def _print_ITE(self, found: Expression) -> str:
        return f"where({', '.join(map(self._print, found.args))})"

    def _print_Abs(self, found: Expression) -> str:
        return f"abs({self._print(found.args[0])})"

    def _print_Exp1(self, found: Expression) -> str:
        return "e"

    def _print_And(self, found: Expression) -> str:
        return self._nested("logical_and", found.args)

    def _print_Or(self, found: Expression) -> str:
        return self._nested("logical_or", found.args)

    def _print_Not(self, found: Expression) -> str:
        return f"logical_not({self._print(found.args[0])})"

    def _print_Relational(self, found: Expression) -> str:
        sign = {"Eq": "==", "Ne": "!="}.get(found.rel_op, found.rel_op)
        return f"{self._print(found.lhs)} {sign} {self._print(found.rhs)}"

    def _nested(self, name: str, parts: Iterable[Expression]) -> str:
        first, *rest = sorted(self._print(part) for part in parts)
        text = first
        for part in rest:
            text = f"{name}({text}, {part})"
        return text


def formula_text(value: Expression) -> str:
    """`value` in the language of formulas."""
    text: str = _FormulaPrinter().doprint(_with_decimals(value))
    return text


def latex_text(value: Expression, names: dict[Expression, str]) -> str:
    """`value` in LaTeX, symbols called by `names`."""
    plain = value.replace(sympy.ITE, lambda c, a, b: (c & a) | (~c & b))
    text: str = sympy.latex(_with_decimals(plain), symbol_names=names, ln_notation=True)
    return text


def _with_decimals(value: Expression) -> Expression:
    """Fractions that were typed as decimals, such as 1.0507, shown so: as symbols with such a name, for printing."""
    long = [r for r in value.atoms(sympy.Rational) if r.q > _LONGEST_DENOMINATOR]
    shown = {r: Fraction(int(r.p), int(r.q)) for r in long}
    decimal = {r: text for r, f in shown.items() if Fraction(text := repr(float(abs(f)))) == abs(f) and "e" not in text}
    return value.xreplace({r: sympy.sign(r) * sympy.Symbol(text, positive=True) for r, text in decimal.items()})


_LONGEST_DENOMINATOR = 1000
