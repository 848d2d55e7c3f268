"""Formulas from anybody: taken apart by the grammar, then judged before any other language reads them."""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from typing import NamedTuple

from graphdl.errors import FormulaError
from graphdl.ir.elementwise import Elementwise
from graphdl.ir.registry import lookup
from graphdl.ir.text import plain
from graphdl.symbolic.formula import Apply, Formula, Leaf, Named, Variable
from graphdl.symbolic.grammar import taken_apart
from graphdl.symbolic.growth import GROWTH, Growth, GrowthError

NUMBER, TRUTH = "a number", "a truth value"


class _Part(NamedTuple):
    """What is known of a piece: a number, a truth value, or (a variable) either; and how it grows."""

    kind: str | None
    growth: Growth
    text: str


def parse(text: str, name: str = "formula") -> Formula:
    """The formula that `text` is; errors call it `name`.

    It is made of numbers, variables, ``pi``, ``e``, ``+ - * / **``, comparisons, and graphdl's ops on elements by
    name (``exp``, ``where``, ``maximum``, ``sigmoid``, ...). Nothing in it is ever executed.

    FormulaError names the piece that is not accepted: anything else Python knows, text longer than 2,000
    characters or nested more than 60 deep, constant parts that no float holds, powers above 100, and truth
    values where numbers belong.
    """
    if not isinstance(text, str):
        raise FormulaError(f"{name}: a formula is {plain(repr(text))}, expected a text such as 'a * sigmoid(a)'")
    return _parsed(text, name)


def is_truth(formula: Formula) -> bool:
    """Whether the value of the formula is a truth value, as that of ``a > 0``."""
    return _judged(formula, "formula").kind == TRUTH


@lru_cache(maxsize=1024)
def _parsed(text: str, name: str) -> Formula:
    formula = taken_apart(text, name)
    _judged(formula, name)
    return formula


def _judged(formula: Formula, name: str) -> _Part:
    def leaf(step: Leaf) -> _Part:
        if isinstance(step, Variable):
            return _Part(None, Growth(), step.name)
        value = step.name if isinstance(step, Named) else step.value
        return _Part(NUMBER, _grown(name, str(value), lambda: GROWTH.number(value)), str(value))

    def apply(step: Apply, operands: list[_Part]) -> _Part:
        kind = _kind(step, operands, name)
        growth = _grown(name, step.text, lambda: GROWTH.apply(step.op, [part.growth for part in operands]))
        return _Part(kind, growth, step.text)

    return formula.read(leaf, apply)


def _grown(name: str, piece: str, grow: Callable[[], Growth]) -> Growth:
    try:
        return grow()
    except GrowthError as error:
        raise FormulaError(f"{name}: {piece!r} {error}") from None
    except (ArithmeticError, ValueError):
        raise FormulaError(f"{name}: {piece!r} has no finite value") from None


def _kind(step: Apply, operands: list[_Part], name: str) -> str | None:
    """What the op gives; FormulaError where an operand is of the other kind."""
    op = op_of(step.op)
    values = []
    for part, takes in zip(operands, op.takes, strict=True):
        wanted = {"bool": TRUTH, "any": None}.get(takes, NUMBER)
        if part.kind and wanted and part.kind != wanted:
            raise FormulaError(f"{name}: {part.text!r} in {step.text!r} is {part.kind}, expected {_HINTS[wanted]}")
        if takes != "bool":
            values.append(part.kind)
    known = {kind for kind in values if kind}
    if len(known) > 1:
        raise FormulaError(f"{name}: {step.text!r} mixes numbers and truth values, expected one of them")
    if op.gives == "bool":
        return TRUTH
    return next(iter(known), None) if "any" in op.takes else NUMBER


def op_of(name: str) -> Elementwise:
    """The registered op behind a step."""
    op = lookup("power" if name == "pow" else name)
    assert isinstance(op, Elementwise)
    return op


_HINTS = {TRUTH: "a truth value such as a > 0", NUMBER: "a number; choose one with where(condition, a, b)"}
