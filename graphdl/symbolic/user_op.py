"""An op of the user's own from one formula: built of registered ops, so all that holds of them holds of it."""

from __future__ import annotations

import keyword
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from graphdl.config import floatx
from graphdl.errors import FormulaError, listed
from graphdl.ir import registry
from graphdl.ir.elementwise import as_node
from graphdl.ir.leaves import constant_like
from graphdl.ir.node import Node
from graphdl.ir.op import check_name
from graphdl.ir.origin import current_scope, name_scope
from graphdl.ir.text import plain
from graphdl.ir.traverse import renamed
from graphdl.symbolic.formula import Apply, Formula, Leaf, Named, Variable
from graphdl.symbolic.parser import is_truth, parse
from graphdl.symbolic.reading import NUMBERS

_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,30}\Z")


@dataclass(frozen=True, repr=False)
class UserOp:
    """A function from nodes to a node, made by `elementwise`; `inputs` are its operands in order."""

    name: str
    parsed: Formula
    inputs: tuple[str, ...]

    @property
    def formula(self) -> str:
        """The formula as it was typed, on one line."""
        return self.parsed.text

    def __call__(self, *operands: Any, name: str | None = None) -> Node:
        """The formula over `operands` (nodes, numbers, arrays), its nodes in a scope called `name` or as the op."""
        if len(operands) != len(self.inputs):
            raise TypeError(
                f"{self.name} takes {len(self.inputs)} operands ({', '.join(self.inputs)}), found {len(operands)}"
            )
        outer = current_scope()
        with name_scope(check_name(name) or self.name):
            nodes = self._agreed(operands)
            value = _built(self.parsed, dict(zip(self.inputs, nodes, strict=True)), _dtype(nodes))
        return renamed(value, name, outer) if name is not None and value not in nodes else value

    def derivative(self, wrt: str | None = None) -> str:
        """The derivative for the input `wrt` (which may be left out where there is one) as a formula again."""
        from graphdl.symbolic.derivative import derivative_of

        if is_truth(self.parsed):
            raise FormulaError(f"{self.name}: {self.formula!r} is a truth value, which has no derivative")
        if wrt is None and len(self.inputs) > 1:
            raise FormulaError(f"{self.name} has inputs {listed(self.inputs)}; say for which the derivative is meant")
        found = self.inputs[0] if wrt is None else wrt
        if found not in self.inputs:
            raise FormulaError(f"{self.name} has no input {plain(repr(found))}; it has {listed(self.inputs)}")
        return derivative_of(self.parsed, found)

    def __repr__(self) -> str:
        return f"<op {self.name}({', '.join(self.inputs)}) = {plain(self.formula)}>"

    def _agreed(self, operands: tuple[Any, ...]) -> list[Node]:
        """Nodes for all operands; numbers and arrays take the dtype of the first node of numbers."""
        if not any(isinstance(operand, Node) for operand in operands):
            return [as_node(operand) for operand in operands]
        dtype = _dtype(operands)
        return [o if isinstance(o, Node) else constant_like(self.name, o, dtype) for o in operands]


def elementwise(name: str, formula: str, inputs: Sequence[str] | None = None) -> UserOp:
    """An op of your own: ``gd.elementwise("mish", "a * tanh(log(1 + exp(a)))")`` is a function from nodes to a node.

    name     a Python identifier; the op's nodes live in a scope of that name
    formula  over variables, numbers, pi, e, + - * / **, comparisons and ops on elements (exp, where, sigmoid, ...)
    inputs   the variables in the order of the operands; alphabetical when left out

    The formula is built from registered ops each time it is called. So it is stabilised (the one above computes
    softplus and does not overflow), differentiated, drawn and exported like anything else. Truth values are
    chosen by with ``where(a > 0, a, 0)``.

    Raises FormulaError, which names the piece of the formula that is not accepted and says what is.
    """
    if not isinstance(name, str) or not _NAME.match(name) or keyword.iskeyword(name):
        raise FormulaError(f"an op is called {plain(repr(name))}, expected a Python identifier such as 'mish'")
    parsed = parse(formula, name)
    if not parsed.variables:
        raise FormulaError(f"{name}: {parsed.text!r} has no variables, expected at least one, as in 'a * sigmoid(a)'")
    return UserOp(name, parsed, _ordered(name, parsed, inputs))


def _ordered(name: str, parsed: Formula, inputs: Sequence[str] | None) -> tuple[str, ...]:
    if inputs is None:
        return parsed.variables
    if isinstance(inputs, str) or sorted(map(str, inputs)) != list(parsed.variables):
        found, wanted = plain(repr(inputs)), listed(parsed.variables)
        raise FormulaError(f"{name}: inputs are {found}, expected the variables of the formula, {wanted}")
    return tuple(inputs)


def _dtype(operands: Iterable[Any]) -> str:
    """The dtype of the first node of numbers."""
    return next((o.dtype for o in operands if isinstance(o, Node) and o.dtype != "bool"), floatx())


def _built(formula: Formula, inputs: dict[str, Node], dtype: str) -> Node:
    """The formula as nodes; what is made of numbers alone is a number, computed now."""

    def leaf(step: Leaf) -> Any:
        if isinstance(step, Variable):
            return inputs[step.name]
        return NUMBERS.number(step.name if isinstance(step, Named) else step.value)

    def apply(step: Apply, operands: list[Any]) -> Any:
        nodes = [operand for operand in operands if isinstance(operand, Node)]
        if not nodes:
            return NUMBERS.apply(step.op, operands)
        if all(node.dtype == "bool" for node in nodes):
            # Nothing beside these numbers has a dtype, as in where(a > 0, 1, 0).
            operands = [o if isinstance(o, Node) else constant_like(step.op, o, dtype) for o in operands]
        return registry.builder(step.op)(*operands)

    value: Node = formula.read(leaf, apply)
    return value
