"""Formulas as SymPy expressions, and SymPy expressions as formulas: built by hand, never from text."""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Decimal
from fractions import Fraction
from functools import reduce
from typing import Any

import sympy
from sympy.printing.str import StrPrinter

from graphdl.symbolic.parser import op_of
from graphdl.symbolic.reading import OPERANDS, Reading

Expression = Any


def number(value: int | float | str) -> Expression:
    """A number exactly as it is written, or pi or e: 0.1 is one tenth."""
    if isinstance(value, str):
        return {"pi": sympy.pi, "e": sympy.E}[value]
    exact = Fraction(Decimal(repr(value))) if isinstance(value, float) else Fraction(value)
    return sympy.Rational(exact.numerator, exact.denominator)


class Where(sympy.Function):  # type: ignore[misc]
    """``where(condition, a, b)``; `rewrite(sympy.Piecewise)` gives SymPy's own form.

    Piecewise looks into its conditions and takes them apart: a few of them nested fill the memory.
    """

    nargs = (3,)

    @classmethod
    def eval(cls, condition: Expression, a: Expression, b: Expression) -> Expression | None:
        """One of the two values once the condition is decided, or when they are the same."""
        if condition == sympy.true or a == b:
            return a
        return b if condition == sympy.false else None

    def _eval_derivative(self, wrt: Expression) -> Expression:
        condition, a, b = self.args
        return Where(condition, a.diff(wrt), b.diff(wrt))

    def _eval_is_extended_real(self) -> bool | None:
        return sympy.core.logic.fuzzy_and(part.is_extended_real for part in self.args[1:])  # type: ignore[no-any-return]

    def _eval_rewrite_as_Piecewise(self, condition: Expression, a: Expression, b: Expression, **_: Any) -> Expression:
        return sympy.Piecewise((a, condition), (b, True))

    def _latex(self, printer: Any) -> str:
        condition, a, b = map(printer.doprint, self.args)
        return rf"\begin{{cases}} {a} & {condition} \\ {b} & \text{{else}} \end{{cases}}"


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
        "where": Where,
        "maximum": lambda a, b: sympy.Max(a, b, evaluate=False),
        "minimum": lambda a, b: sympy.Min(a, b, evaluate=False),
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


def operand_symbols(op: str) -> dict[str, Expression]:
    """The symbols of the operands of a registered op, called a, b, c."""
    return {name: symbol(name, takes) for name, takes in zip(OPERANDS, op_of(op).takes, strict=False)}


class _FormulaPrinter(StrPrinter):  # type: ignore[misc]
    """Expressions in the language of formulas: what it prints, the parser reads."""

    def _print_Where(self, found: Expression) -> str:
        return f"where({', '.join(map(self._print, found.args))})"

    def _print_Max(self, found: Expression) -> str:
        return self._nested("maximum", found.args)

    def _print_Min(self, found: Expression) -> str:
        return self._nested("minimum", found.args)

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
        text: str = reduce(lambda a, b: f"{name}({a}, {b})", sorted(map(self._print, parts)))
        return text


def formula_text(value: Expression) -> str:
    """`value` in the language of formulas."""
    text: str = _FormulaPrinter().doprint(_with_decimals(value))
    return text


def latex_text(value: Expression, names: dict[Expression, str]) -> str:
    """`value` in LaTeX, symbols called by `names`."""
    text: str = sympy.latex(_with_decimals(value), symbol_names=names, ln_notation=True)
    return text


def _with_decimals(value: Expression) -> Expression:
    """Fractions that were typed as decimals, such as 1.0507, shown so: as symbols with such a name, for printing."""
    long = [r for r in value.atoms(sympy.Rational) if r.q > _LONGEST_DENOMINATOR]
    shown = {r: Fraction(int(r.p), int(r.q)) for r in long}
    decimal = {r: text for r, f in shown.items() if Fraction(text := repr(float(abs(f)))) == abs(f) and "e" not in text}
    return value.xreplace({r: sympy.sign(r) * sympy.Symbol(text, positive=True) for r, text in decimal.items()})


_LONGEST_DENOMINATOR = 1000
