"""Lowered expressions, read once for each kind of node: as one readable line, or as calls that write into buffers.

An op lowers to a Python expression such as ``1 / (1 + xp.exp(-_0))``. The readable style prints it with the
operands put in. The fast style takes it apart into the same calls in the same order, each writing to the
result's buffer where it can: ``negative(a, y); exp(y, y); add(one, y, y); divide(one, y, y)``. The bits agree
because the operations do.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property, lru_cache

import numpy as np

from graphdl.compile.kernels import kernels_that_write

_OPERATORS: dict[type[ast.AST], str] = {
    ast.Add: "add",
    ast.Sub: "subtract",
    ast.Mult: "multiply",
    ast.Div: "divide",
    ast.USub: "negative",
    ast.Eq: "equal",
    ast.NotEq: "not_equal",
    ast.Lt: "less",
    ast.LtE: "less_equal",
    ast.Gt: "greater",
    ast.GtE: "greater_equal",
}
# Their result is a truth value, which does not fit the buffer of a number.
TRUTHS = frozenset(("equal", "not_equal", "less", "less_equal", "greater", "greater_equal", "isfinite"))
# Not the largest and the smallest: CuPy reduces by these two ufuncs only.
REDUCTIONS = {"xp.sum": "add", "xp.prod": "multiply"}
# Other calls that take `out`: one of NumPy's, and every kernel that has such a parameter.
WRITERS = frozenset(("xp.concatenate", *kernels_that_write()))
# NumPy deprecates a positional `out` for these two.
KEYWORD_OUT = frozenset(("maximum", "minimum"))

_SLOT = re.compile(r"\b_(\d+)\b")


@dataclass(frozen=True)
class Slot:
    """Operand number `index`."""

    index: int


@dataclass(frozen=True)
class Literal:
    """A number, or a size such as ``N*10``, that stands in the expression."""

    text: str


@dataclass(frozen=True)
class Temp:
    """What an earlier call of the same expression gave, in memory of its own."""

    index: int


@dataclass(frozen=True)
class Out:
    """The buffer of the expression's value."""


Argument = Slot | Literal | Temp | Out


@dataclass(frozen=True)
class Call:
    """One call; `target` is Out when it writes to the value's buffer, else it makes an array of its own.

    `kind` is "ufunc" (`function` names it), "reduce" (likewise), "dot", or "other": then `function` is the
    text of the whole call, with operands as ``_0``.
    """

    kind: str
    function: str
    arguments: tuple[Argument, ...]
    keywords: tuple[tuple[str, str], ...]
    target: Out | Temp

    @property
    def acts_on_elements(self) -> bool:
        return self.kind == "ufunc" and getattr(np, self.function).signature is None


class Template:
    """A lowered expression over operands ``_0``, ``_1``, ..."""

    def __init__(self, source: str) -> None:
        self.source = source

    @cached_property
    def tree(self) -> ast.expr:
        """The expression, parsed."""
        return ast.parse(self.source, mode="eval").body

    @cached_property
    def readable(self) -> Callable[[list[str]], str]:
        """The expression with the operands put in, on one line."""
        parts = _SLOT.split(self.source.replace("{", "{{").replace("}", "}}"))
        pattern = "".join(part if i % 2 == 0 else f"{{{part}}}" for i, part in enumerate(parts))
        return lambda operands: pattern.format(*operands)

    @cached_property
    def names(self) -> frozenset[str]:
        """Names the expression refers to besides operands: kernels, sizes, xp."""
        found = {n.id for n in ast.walk(self.tree) if isinstance(n, ast.Name)}
        return frozenset(n for n in found if not n.startswith("_"))

    @cached_property
    def calls(self) -> tuple[Call, ...]:
        """The expression as calls in Python's order of evaluation; the last one gives the value."""
        calls: list[Call] = []
        _flatten(self.tree, Out(), calls, root=True)
        return tuple(calls)

    @cached_property
    def writes_out(self) -> bool:
        """Whether the value can be written into a buffer given."""
        return self.calls[-1].target == Out()

    @cached_property
    def safe_in_place(self) -> frozenset[int]:
        """Operands whose buffer the value may overwrite: not read again once the value is being written."""
        if not all(call.acts_on_elements for call in self.calls):
            return frozenset()
        first = next(i for i, call in enumerate(self.calls) if call.target == Out())
        late = {a.index for call in self.calls[first + 1 :] for a in call.arguments if isinstance(a, Slot)}
        return frozenset(a.index for call in self.calls for a in call.arguments if isinstance(a, Slot)) - late


@lru_cache(maxsize=8192)
def template(source: str) -> Template:
    """The template of a lowered expression, read once."""
    return Template(source)


def call_text(call: Call, name: Callable[[Argument], str], whole: Callable[[str], str]) -> str:
    """The statement for `call`: `name` gives the text of an argument, `whole` puts operands into a text."""
    out = name(call.target) if call.target == Out() else ""
    args = [name(a) for a in call.arguments]
    if call.kind == "ufunc":
        text = _with_out(f"{call.function}({', '.join(args)}", out, call.function in KEYWORD_OUT)
    elif call.kind == "reduce":
        text = _reduction(f"{call.function}_reduce({args[0]}", dict(call.keywords), out)
    elif call.kind == "dot":
        text = _with_out(f"{args[0]}.dot({args[1]}", out, False)
    else:
        text = whole(call.function[:-1]) + f", out={out})" if out else whole(call.function)
    return text if out else f"{name(call.target)} = {text}"


def functions_of(call: Call) -> str | None:
    """The name that the fast style binds for this call, if it needs one."""
    return {"ufunc": call.function, "reduce": f"{call.function}_reduce"}.get(call.kind)


def _reduction(start: str, keywords: dict[str, str], out: str) -> str:
    """The call of a ufunc's `reduce`; positions cost less than keywords: axis, dtype, out, keepdims."""
    places = [keywords.get("axis", "0"), keywords.get("dtype", "None"), out or "None"]
    if "keepdims" in keywords:
        places.append(keywords["keepdims"])
    return f"{start}, {', '.join(places)})"


def _with_out(start: str, out: str, keyword: bool) -> str:
    if not out:
        return f"{start})"
    return f"{start}, out={out})" if keyword else f"{start}, {out})"


def _flatten(tree: ast.expr, target: Out | None, calls: list[Call], root: bool = False) -> Argument:
    """Append the calls that compute `tree`, writing to `target` where that is possible; say where the value is."""
    leaf = _leaf(tree)
    if leaf is not None and not root:
        return leaf
    kind, function, arguments, keywords = _taken_apart(tree)
    truth = function in TRUTHS
    if kind == "other":
        target = target if function.split("(")[0] in WRITERS else None
    elif truth and not root:
        target = None
    # Only a ufunc on elements has arguments of the shape of its result.
    free = target if kind == "ufunc" and not truth and function != "matmul" else None
    places: list[Argument] = []
    for argument in arguments:
        place = _flatten(argument, free, calls)
        free = None if place == Out() else free
        places.append(place)
    calls.append(Call(kind, function, tuple(places), keywords, target or Temp(len(calls))))
    return calls[-1].target


def _leaf(tree: ast.expr) -> Argument | None:
    if isinstance(tree, ast.Name) and tree.id.startswith("_"):
        return Slot(int(tree.id[1:]))
    has_call = any(isinstance(n, ast.Call | ast.Subscript | ast.Attribute) for n in ast.walk(tree))
    slots = any(isinstance(n, ast.Name) and n.id.startswith("_") for n in ast.walk(tree))
    return None if has_call or slots else Literal(ast.unparse(tree))


def _taken_apart(tree: ast.expr) -> tuple[str, str, list[ast.expr], tuple[tuple[str, str], ...]]:
    """Kind and function of the outermost call, its array arguments, and names and texts of the others."""
    if isinstance(tree, ast.BinOp):
        return "ufunc", _OPERATORS[type(tree.op)], [tree.left, tree.right], ()
    if isinstance(tree, ast.UnaryOp):
        return "ufunc", _OPERATORS[type(tree.op)], [tree.operand], ()
    if isinstance(tree, ast.Compare):
        return "ufunc", _OPERATORS[type(tree.ops[0])], [tree.left, tree.comparators[0]], ()
    if isinstance(tree, ast.Call):
        function = ast.unparse(tree.func)
        name = function.removeprefix("xp.")
        if function == "xp.dot":
            return "dot", name, tree.args, ()
        if function.startswith("xp.") and isinstance(getattr(np, name, None), np.ufunc):
            return "ufunc", name, tree.args, ()
        if function in REDUCTIONS:
            keywords = tuple((str(k.arg), ast.unparse(k.value)) for k in tree.keywords)
            return "reduce", REDUCTIONS[function], tree.args, keywords
    return "other", ast.unparse(tree), [], ()
