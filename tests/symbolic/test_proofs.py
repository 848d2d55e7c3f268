"""Every hand-written vjp is proved from the op's formula, every template computes it, planted mistakes are found."""

from __future__ import annotations

import copy
import random
from collections import Counter

import numpy as np
import pytest
import sympy

import graphdl as gd
from graphdl.symbolic import prove
from graphdl.symbolic.algebra import ALGEBRA, operand_symbols
from graphdl.symbolic.reading import own_formula
from tests.symbolic.test_derivatives import SLOTS, WITH_FORMULA

# Constants rounded to float64 stand in their vjps: 2/sqrt(pi), 1/sqrt(2), the product of selu's two.
ROUNDED = {"erf", "gelu", "selu"}


@pytest.mark.parametrize(("op", "slot"), SLOTS, ids=[f"{op.name}-{slot}" for op, slot in SLOTS])
def test_the_vjp_is_dy_times_the_derivative_of_the_formula(op, slot):
    found = prove(op, slot)
    assert found.holds, found
    assert (found.how == "numbers") == (op.name in ROUNDED), found


def test_all_but_three_ops_are_proved_by_algebra():
    kinds = Counter(prove(op, slot).how for op, slot in SLOTS)
    assert kinds["numbers"] == len(ROUNDED)
    assert kinds["algebra"] >= 40
    assert sum(kinds.values()) == len(SLOTS) >= 60


def _planted(op, slot, mistake):
    """`op` with a wrong vjp for one input; where it has none, dy itself is the mistake."""
    wrong = copy.copy(op)
    right = op.partials[slot]
    partial = (lambda *nodes: mistake(right(*nodes))) if right else (lambda dy, *_: dy)
    wrong.partials = tuple(partial if i == slot else p for i, p in enumerate(op.partials))
    return wrong


MISTAKES = {"1.01": lambda g: g * 1.01, "sign": lambda g: -g}
# A truth value has no gradient that could be wrong.
NUMBERS = [(op, slot) for op, slot in SLOTS if op.takes[slot] != "bool"]


@pytest.mark.parametrize("mistake", MISTAKES)
@pytest.mark.parametrize(("op", "slot"), NUMBERS, ids=[f"{op.name}-{slot}" for op, slot in NUMBERS])
def test_a_planted_mistake_has_no_proof(op, slot, mistake):
    assert not prove(_planted(op, slot, MISTAKES[mistake]), slot).holds


def _drawn(op, count):
    """Operands in the ranges of the op's samples, as rationals that float64 holds exactly."""
    draw = random.Random(1)
    for sample in op.samples:
        for _ in range(count):
            lows, highs = (
                bound if isinstance(bound, tuple) else (bound,) * op.arity for bound in (sample.low, sample.high)
            )
            kinds = sample.dtypes or ("float",) * op.arity
            yield [
                draw.random() < 0.5 if kind == "bool" else round(draw.uniform(low, high) * 64) / 64
                for low, high, kind in zip(lows, highs, kinds, strict=True)
            ]


@pytest.mark.parametrize("op", WITH_FORMULA, ids=[op.name for op in WITH_FORMULA])
def test_the_template_computes_the_formula_to_the_last_digits(op):
    dtypes = ["bool" if takes == "bool" else "float64" for takes in op.takes]
    points = [p for p in _drawn(op, 8) if not (op.name in ("divide", "xdivy", "reciprocal") and p[-1] == 0)]
    xs = [gd.placeholder((len(points),), dtype) for dtype in dtypes]
    columns = [np.array(column, dtype) for column, dtype in zip(zip(*points, strict=True), dtypes, strict=True)]
    # Level 0 runs the op's own template and nothing else.
    found = gd.Session(level=0, stabilise=False).run(op(*xs), dict(zip(xs, columns, strict=True)))
    symbols = operand_symbols(op.name)
    value = ALGEBRA.of(own_formula(op.name), symbols)
    for point, computed in zip(points, found, strict=True):
        exact = value.subs({s: _exactly(p) for s, p in zip(symbols.values(), point, strict=True)})
        if exact in (sympy.true, sympy.false):
            assert computed == bool(exact)
            continue
        # erf(-3) + 1 and the like cancel; the error is measured beside the operands.
        wanted = float(sympy.N(exact, 40))
        assert computed == pytest.approx(wanted, rel=4e-14, abs=1e-15 * max(1.0, *map(abs, point))), point


def _exactly(value):
    return sympy.sympify(value) if isinstance(value, bool) else sympy.Rational(*float(value).as_integer_ratio())


def test_an_op_without_formula_has_no_proof():
    with pytest.raises(gd.FormulaError, match="isfinite has no formula to prove its vjp from"):
        prove("isfinite", 0)
