"""Formulas as steps: operands first, then what is applied to them. Any language reads them in one sweep."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple, TypeVar

T = TypeVar("T")


class Variable(NamedTuple):
    """An input of the formula."""

    name: str


class Number(NamedTuple):
    """A number as it was written."""

    value: int | float


class Named(NamedTuple):
    """A constant with a name: pi or e."""

    name: str


class Apply(NamedTuple):
    """The op called `op` over the last `arity` values; `text` is the piece of the formula that says so."""

    op: str
    arity: int
    text: str


Leaf = Variable | Number | Named
Step = Leaf | Apply


@dataclass(frozen=True)
class Formula:
    """A formula taken apart: `steps` in the order of evaluation, operands before what is applied to them."""

    text: str
    steps: tuple[Step, ...]

    @cached_property
    def variables(self) -> tuple[str, ...]:
        """The inputs, in alphabetical order."""
        return tuple(sorted({step.name for step in self.steps if isinstance(step, Variable)}))

    def read(self, leaf: Callable[[Leaf], T], apply: Callable[[Apply, list[T]], T]) -> T:
        """What the formula means in some language: `leaf` says it of its leaves, `apply` of an op over meanings."""
        waiting: list[T] = []
        for step in self.steps:
            if isinstance(step, Apply):
                operands = waiting[-step.arity :]
                del waiting[-step.arity :]
                waiting.append(apply(step, operands))
            else:
                waiting.append(leaf(step))
        return waiting.pop()

    def __str__(self) -> str:
        return self.text
