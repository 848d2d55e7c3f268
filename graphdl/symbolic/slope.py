"""Slopes of formulas: values and their derivatives together, carried through the steps by the chain rule."""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from typing import NamedTuple

import sympy

from graphdl.symbolic.algebra import ALGEBRA, Expression, Where, relation, symbol
from graphdl.symbolic.formula import Formula
from graphdl.symbolic.reading import OPERANDS, PRIMITIVES, Reading

# Steps: flat everywhere; what happens at their jumps is a convention, not a derivative.
_FLAT = frozenset(("less", "less_equal", "greater", "greater_equal", "equal", "not_equal", "sign", "floor"))
_LOGICAL = frozenset(("logical_and", "logical_or", "logical_not"))


class Dual(NamedTuple):
    """A value and its derivative for the one variable that is asked about."""

    value: Expression
    slope: Expression = sympy.S.Zero


def slope(formula: Formula, symbols: dict[str, Expression], wrt: str) -> Expression:
    """The derivative of `formula` over `symbols` for its variable `wrt`."""
    inputs = {name: Dual(s, sympy.S.One if name == wrt else sympy.S.Zero) for name, s in symbols.items()}
    return DUALS.of(formula, inputs).slope


def _carried(op: str) -> Callable[..., Dual]:
    value = ALGEBRA.primitives[op]
    rule: Callable[..., Expression] = _RULES.get(op, lambda *parts: _chain(op, parts))

    def apply(*parts: Dual) -> Dual:
        flat = all(part.slope == 0 for part in parts) or op in _FLAT | _LOGICAL
        return Dual(value(*[part.value for part in parts]), sympy.S.Zero if flat else rule(*parts))

    return apply


def _chain(op: str, parts: tuple[Dual, ...]) -> Expression:
    """The chain rule: local derivatives at the values, times the slopes that arrive, added up."""
    values = {symbol(name): part.value for name, part in zip(OPERANDS, parts, strict=False)}
    terms = [_partial(op, slot, len(parts)).xreplace(values) * p.slope for slot, p in enumerate(parts) if p.slope != 0]
    return sympy.Add(*terms)


@lru_cache(maxsize=64)
def _partial(op: str, slot: int, arity: int) -> Expression:
    """The local derivative of a primitive for its operand number `slot`."""
    operands = [symbol(name) for name in OPERANDS[:arity]]
    return sympy.powsimp(ALGEBRA.primitives[op](*operands).diff(operands[slot]))


def _of_choice(condition: Dual, a: Dual, b: Dual) -> Expression:
    return Where(condition.value, a.slope, b.slope)


def _of_maximum(a: Dual, b: Dual) -> Expression:
    return Where(relation(sympy.Gt)(a.value, b.value), a.slope, b.slope)


def _of_minimum(a: Dual, b: Dual) -> Expression:
    return Where(relation(sympy.Lt)(a.value, b.value), a.slope, b.slope)


_RULES: dict[str, Callable[..., Expression]] = {
    "where": _of_choice,
    "maximum": _of_maximum,
    "minimum": _of_minimum,
}

DUALS: Reading[Dual] = Reading(lambda value: Dual(ALGEBRA.number(value)), {op: _carried(op) for op in PRIMITIVES})
