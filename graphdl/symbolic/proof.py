"""Proofs that a hand-written vjp is the derivative of the op's formula: by algebra, else by numbers of 40 digits."""

from __future__ import annotations

import math
import random
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

import sympy
from sympy.core.relational import Relational

from graphdl.errors import FormulaError
from graphdl.ir.elementwise import Elementwise
from graphdl.ir.leaves import placeholder
from graphdl.ir.op import Sample
from graphdl.symbolic.algebra import Expression, Where, operand_symbols, relation, symbol
from graphdl.symbolic.closed_form import to_sympy
from graphdl.symbolic.parser import op_of
from graphdl.symbolic.reading import OPERANDS, own_formula
from graphdl.symbolic.slope import slope

_DIGITS = 40
# Random points for each sample of the op, in its range.
_POINTS = 12
# Differences with more operations go to numbers at once: `simplify` has no limit of its own.
_MOST_OPERATIONS = 120
_DY = symbol("dy")

Point = dict[Expression, Expression]


@dataclass(frozen=True)
class Proof:
    """How the vjp of `op` for input `slot` compares with dy times the derivative of the formula.

    `how` is "algebra" when their difference simplifies to 0 in each of `regions` (an op with conditions has one for
    each way they come out; kinks lie between regions), "flat" when both are 0 everywhere, and "numbers" when they were
    compared at random rational points. `error` is the largest relative difference found, 0 where it is exact.
    """

    op: str
    slot: int
    how: Literal["algebra", "flat", "numbers"]
    regions: int
    error: float

    @property
    def holds(self) -> bool:
        """Exactly, or to the rounding in float64 of constants such as 2/sqrt(pi)."""
        return self.error <= 2**-52


def prove(op: str | Elementwise, slot: int) -> Proof:
    """Compare the vjp of `op` for input `slot` with what SymPy makes of its formula.

    FormulaError when the op has no formula.
    """
    found = op if isinstance(op, Elementwise) else op_of(op)
    if found.formula is None:
        raise FormulaError(f"{found.name} has no formula to prove its vjp from")
    given, wanted = _decided(_given(found, slot)), _decided(_wanted(found, slot))
    if given == 0 and wanted == 0:
        return Proof(found.name, slot, "flat", 0, 0.0)
    points = list(_points(found))
    regions = {_region(given - wanted, point) for point in points}
    if all(_is_zero(_inside(given - wanted, region)) for region in regions):
        return Proof(found.name, slot, "algebra", len(regions), 0.0)
    error = max(_distance(given, wanted, point) for point in points)
    return Proof(found.name, slot, "numbers", len(regions), error)


def _given(op: Elementwise, slot: int) -> Expression:
    """The vjp as an expression over dy and the operands."""
    dtypes = ["bool" if takes == "bool" else "float64" for takes in op.takes]
    operands = [placeholder((), dtype, name) for name, dtype in zip(OPERANDS, dtypes, strict=False)]
    dy = placeholder((), "float64", "dy")
    gradient = op.vjp(dy, op(*operands), *operands)[slot]
    built = gradient() if callable(gradient) else gradient
    return sympy.S.Zero if built is None else to_sympy(built)


def _wanted(op: Elementwise, slot: int) -> Expression:
    """dy times the derivative of the formula."""
    return _DY * slope(own_formula(op.name), operand_symbols(op.name), OPERANDS[slot])


def _decided(value: Expression) -> Expression:
    """`value` with the larger and the smaller of two chosen by a condition, so that regions decide them too."""
    chosen = value.replace(sympy.Max, lambda a, b: Where(relation(sympy.Gt)(a, b), a, b))
    return chosen.replace(sympy.Min, lambda a, b: Where(relation(sympy.Lt)(a, b), a, b))


def _points(op: Elementwise) -> Iterator[Point]:
    """Random rational points, and truth values, in the ranges of the samples that keep away from kinks."""
    symbols = operand_symbols(op.name).values()
    draw = random.Random(0)
    for sample in op.samples:
        for _ in range(_POINTS if sample.smooth else 0):
            point = {s: _drawn(draw, sample, i) for i, s in enumerate(symbols)}
            yield {**point, _DY: sympy.Rational(draw.randint(500, 2000), 997)}


def _drawn(draw: random.Random, sample: Sample, slot: int) -> Expression:
    if sample.dtypes and sample.dtypes[slot] == "bool":
        return sympy.true if draw.random() < 0.5 else sympy.false
    low = sample.low[slot] if isinstance(sample.low, tuple) else sample.low
    high = sample.high[slot] if isinstance(sample.high, tuple) else sample.high
    return sympy.Rational(draw.randint(math.ceil(low * 997), math.floor(high * 997)), 997)


def _region(value: Expression, point: Point) -> frozenset[tuple[Expression, Expression]]:
    """How each condition in `value` comes out at `point`."""
    truths = {s: held for s, held in point.items() if held in (sympy.true, sympy.false)}
    held = {c: sympy.true if c.subs(point) == sympy.true else sympy.false for c in value.atoms(Relational)}
    return frozenset({**truths, **held}.items())


def _inside(value: Expression, region: frozenset[tuple[Expression, Expression]]) -> Expression:
    """`value` where all conditions come out as in `region`: without any."""
    return value.xreplace(dict(region))


def _is_zero(difference: Expression) -> bool:
    return bool(sympy.count_ops(difference) <= _MOST_OPERATIONS and sympy.simplify(difference) == 0)


def _distance(given: Expression, wanted: Expression, point: Point) -> float:
    """The relative difference at `point`, computed with 40 digits."""
    a, b = (sympy.N(value.xreplace(point), _DIGITS) for value in (given, wanted))
    return float(abs(a - b) / abs(b)) if b != 0 else math.inf if a != 0 else 0.0
