"""The grammar of formulas such as ``a * tanh(log(1 + exp(a)))``: taken apart without running anything.

Python's own parser splits the text; a closed list of its pieces is accepted, everything else is refused by name.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Sequence
from typing import NoReturn

from graphdl.errors import FormulaError, did_you_mean
from graphdl.ir.elementwise import Elementwise
from graphdl.ir.registry import all_ops
from graphdl.ir.text import plain
from graphdl.symbolic.formula import Apply, Formula, Named, Number, Step, Variable

# Far more than anybody writes in one line, and little enough for every reading to be quick.
MAX_LENGTH = 2000
MAX_DEPTH = 60

CONSTANTS = ("pi", "e")
ALLOWED = "numbers, variables, pi, e, + - * / **, one comparison at a time, and functions such as exp(a)"

_OPERATORS: dict[type[ast.AST], str] = {
    ast.Add: "add",
    ast.Sub: "subtract",
    ast.Mult: "multiply",
    ast.Div: "divide",
    ast.Pow: "pow",
    ast.USub: "negative",
    ast.Lt: "less",
    ast.LtE: "less_equal",
    ast.Gt: "greater",
    ast.GtE: "greater_equal",
    ast.Eq: "equal",
    ast.NotEq: "not_equal",
}
# What people write in other languages, or in Python at large, and what to write instead.
_INSTEAD: dict[type[ast.AST], str] = {
    ast.BitXor: "; write ** for a power",
    ast.IfExp: "; write where(condition, a, b)",
    ast.And: "; write logical_and(a, b)",
    ast.Or: "; write logical_or(a, b)",
    ast.Not: "; write logical_not(a)",
    ast.FloorDiv: "; write floor(a / b)",
    ast.Compare: "; write logical_and(a < b, b < c)",
    ast.MatMult: "; a formula acts on elements, use gd.matmul for matrices",
}
# Pieces that the word for their class in Python would not tell to everybody.
_CALLED = {
    "namedexpr": "an assignment",
    "ifexp": "a condition",
    "listcomp": "a comprehension",
    "setcomp": "a comprehension",
    "dictcomp": "a comprehension",
    "generatorexp": "a comprehension",
    "compare": "a chain of comparisons",
    "bitxor": "an exclusive or",
    "matmult": "a matrix product",
    "nonetype": "None",
}
_VARIABLE = re.compile(r"[A-Za-z][A-Za-z0-9_]{0,30}\Z")


def taken_apart(text: str, name: str) -> Formula:
    """The steps of `text`; FormulaError from `name` for a piece that is not accepted, for length and for depth."""
    return _Parser(_one_line(text, name), name).formula()


def functions() -> dict[str, Elementwise]:
    """The ops that formulas may call, by name."""
    ops = {name: op for name, op in all_ops() if isinstance(op, Elementwise)}
    return {name: op for name, op in ops.items() if op.formula or name.startswith("logical_")}


def _one_line(text: str, name: str) -> str:
    if len(text) > MAX_LENGTH:
        raise FormulaError(f"{name}: a formula of {len(text)} characters, expected at most {MAX_LENGTH}")
    line = " ".join(text.split())
    if not line:
        raise FormulaError(f"{name}: the formula is empty, expected one such as 'a * sigmoid(a)'")
    for place, c in enumerate(line):
        if not " " <= c <= "~":
            what = f"(U+{ord(c):04X}) at {place} is no ASCII character"
        elif c in "'\"\\#":
            what = f"at {place} begins a text or a comment"
        else:
            continue
        raise FormulaError(f"{name}: {c!r} {what}; a formula is made of {ALLOWED}, all in ASCII")
    return line


class _Parser:
    """One walk over the syntax tree, operands first; its depth is bounded, so it may recurse."""

    def __init__(self, text: str, name: str) -> None:
        self.text, self.name = text, name
        self.steps: list[Step] = []

    def formula(self) -> Formula:
        try:
            tree = ast.parse(self.text, mode="eval").body
        except SyntaxError as error:
            raise FormulaError(f"{self.name}: {plain(self.text)!r} is no formula: {error.msg}") from None
        except (RecursionError, MemoryError, ValueError):
            raise FormulaError(f"{self.name}: the formula is nested too deep; expected {MAX_DEPTH} levels") from None
        self._visit(tree, 1)
        return Formula(self.text, tuple(self.steps))

    def _visit(self, tree: ast.expr, depth: int) -> None:
        if depth > MAX_DEPTH:
            raise FormulaError(f"{self.name}: the formula is nested too deep; expected at most {MAX_DEPTH} levels")
        if isinstance(tree, ast.Constant):
            self._number(tree)
        elif isinstance(tree, ast.Name):
            self._name(tree)
        elif isinstance(tree, ast.BinOp):
            self._apply(tree, tree.op, [tree.left, tree.right], depth)
        elif isinstance(tree, ast.UnaryOp):
            self._sign(tree, depth)
        elif isinstance(tree, ast.Compare) and len(tree.ops) == 1:
            self._apply(tree, tree.ops[0], [tree.left, tree.comparators[0]], depth)
        elif isinstance(tree, ast.Call):
            self._call(tree, depth)
        else:
            self._refuse(tree, tree.op if isinstance(tree, ast.BoolOp) else tree)

    def _number(self, tree: ast.Constant) -> None:
        if type(tree.value) not in (int, float):
            self._refuse(tree, tree)
        assert isinstance(tree.value, int | float)
        self.steps.append(Number(tree.value))

    def _name(self, tree: ast.Name) -> None:
        if tree.id in CONSTANTS:
            self.steps.append(Named(tree.id))
        elif tree.id in functions():
            raise FormulaError(f"{self.name}: {tree.id!r} is a function; give it operands, as in {tree.id}(a)")
        elif _VARIABLE.match(tree.id):
            self.steps.append(Variable(tree.id))
        else:
            raise FormulaError(f"{self.name}: a variable is {plain(tree.id)!r}, expected a name such as 'a' or 'beta'")

    def _sign(self, tree: ast.UnaryOp, depth: int) -> None:
        if isinstance(tree.op, ast.UAdd):
            self._visit(tree.operand, depth + 1)
        else:
            self._apply(tree, tree.op, [tree.operand], depth)

    def _call(self, tree: ast.Call, depth: int) -> None:
        if not isinstance(tree.func, ast.Name):
            called = "functions are called by name, as in exp(a)"
            raise FormulaError(f"{self.name}: {self._piece(tree.func)!r} is called; {called}")
        function = functions().get(tree.func.id)
        if function is None:
            self._unknown(tree.func.id)
        if tree.keywords or len(tree.args) != function.arity:
            found = len(tree.args) + len(tree.keywords)
            raise FormulaError(
                f"{self.name}: {self._piece(tree)!r} has {found} operands, {function.name} takes {function.arity}"
                + (" and no keywords" if tree.keywords else "")
            )
        self._operands(tree, function.name, tree.args, depth)

    def _apply(self, tree: ast.expr, operator: ast.AST, operands: Sequence[ast.expr], depth: int) -> None:
        op = _OPERATORS.get(type(operator))
        if op is None:
            self._refuse(tree, operator)
        self._operands(tree, op, operands, depth)

    def _operands(self, tree: ast.expr, op: str, operands: Sequence[ast.expr], depth: int) -> None:
        for operand in operands:
            self._visit(operand, depth + 1)
        self.steps.append(Apply(op, len(operands), self._piece(tree)))

    def _unknown(self, function: str) -> NoReturn:
        known = functions()
        operators = {*_OPERATORS.values(), "power"}
        raise FormulaError(
            f"{self.name}: there is no function {plain(function)!r} in formulas.{did_you_mean(function, known)} "
            f"There are {', '.join(name for name in known if name not in operators)}"
        )

    def _refuse(self, tree: ast.expr, kind: ast.AST) -> NoReturn:
        word = type(kind.value if isinstance(kind, ast.Constant) else kind).__name__.lower()
        what = _CALLED.get(word) or f"{'an' if word[0] in 'aeiou' else 'a'} {word}"
        raise FormulaError(
            f"{self.name}: {self._piece(tree)!r} is {what}, which formulas do not have"
            f"{_INSTEAD.get(type(kind), '')}; they are made of {ALLOWED}"
        )

    def _piece(self, tree: ast.expr) -> str:
        return plain(self.text[tree.col_offset : tree.end_col_offset])


def is_variable(name: str) -> bool:
    """Whether a variable of a formula may be called so."""
    return bool(_VARIABLE.match(name)) and name not in CONSTANTS and name not in functions()
