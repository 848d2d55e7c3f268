"""Patterns of nodes, written as mathematics: ``log(1 + exp(x))`` over wildcards reads as what it matches."""

from __future__ import annotations

from typing import Any

from graphdl.ir.expression import Expression
from graphdl.ir.op import Op


class Pattern(Expression):
    """A wildcard (no op), or an op over patterns and numbers."""

    __slots__ = ("inputs", "name", "op")

    def __init__(self, op: Op | type[Op] | None, inputs: tuple[Any, ...] = (), name: str = "") -> None:
        self.op, self.inputs, self.name = op, inputs, name

    @property
    def op_name(self) -> str:
        """Name of the op a match has at its root; rules are found by it."""
        assert self.op is not None, "a rule that matches every node would never stop"
        return self.op.name

    @property
    def needs(self) -> frozenset[str]:
        """Names of ops that a match must have among its inputs: what to look at before matching in earnest."""
        inner = {p.op.name for p in self.inputs if isinstance(p, Pattern) and p.op}
        numbers = {"constant" for p in self.inputs if not isinstance(p, Pattern)}
        return frozenset(inner | numbers)

    def __repr__(self) -> str:
        if self.op is None:
            return self.name
        return f"{self.op.name}({', '.join(map(str, self.inputs))})"


def P(op: Op | type[Op], *inputs: Any) -> Pattern:
    """A node of `op` (with any attributes, when it is a class) over the given patterns."""
    return Pattern(op, inputs)


def wildcards(names: str) -> tuple[Pattern, ...]:
    """Wildcards by name, for use as ``x, y = wildcards("x y")``; the same name matches the same value."""
    return tuple(Pattern(None, (), name) for name in names.split())
