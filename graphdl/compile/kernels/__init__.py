"""Array functions that generated code calls, over ``xp``. Their text is copied into the programs that use them.

Each is self-contained: it may use ``xp``, Python's builtins and kernels above it in its module, nothing else. A kernel
with an ``out`` parameter writes its result there when given one, with the same bits.
"""

from __future__ import annotations

import ast
import inspect
from collections.abc import Callable, Iterable
from functools import cache
from typing import Any

from graphdl.compile.kernels import arrays, images, random

_MODULES = (arrays, images, random)

# Every kernel, by its name.
KERNELS: dict[str, Callable[..., Any]] = {
    name: function for module in _MODULES for name, function in vars(module).items() if inspect.isfunction(function)
}


def kernel_text(names: Iterable[str]) -> list[str]:
    """Source of the kernels among `names` and of those they call, callees first, without annotations."""
    return [_plain_source(_functions()[name]) for name in kernels_among(names)]


def kernels_among(names: Iterable[str]) -> list[str]:
    """The kernels among `names` and those they call, callees first."""
    functions = _functions()
    wanted: set[str] = set()
    waiting = [name for name in names if name in functions]
    while waiting:
        name = waiting.pop()
        if name not in wanted:
            wanted.add(name)
            waiting += [n for n in _called(functions[name]) if n in functions]
    return [name for name in functions if name in wanted]


def kernels_that_write() -> list[str]:
    """The kernels that take `out`, the array to write to."""
    return [name for name, function in KERNELS.items() if "out" in inspect.signature(function).parameters]


@cache
def _functions() -> dict[str, ast.FunctionDef]:
    trees = [ast.parse(inspect.getsource(module)) for module in _MODULES]
    return {node.name: node for tree in trees for node in tree.body if isinstance(node, ast.FunctionDef)}


def _called(function: ast.FunctionDef) -> set[str]:
    return {n.func.id for n in ast.walk(function) if isinstance(n, ast.Call) and isinstance(n.func, ast.Name)}


def _plain_source(function: ast.FunctionDef) -> str:
    copy = ast.parse(ast.unparse(function)).body[0]
    assert isinstance(copy, ast.FunctionDef)
    copy.returns = None
    for argument in copy.args.args:
        argument.annotation = None
    return ast.unparse(_Unannotated().visit(copy))


class _Unannotated(ast.NodeTransformer):
    """``where: Any = ...`` becomes ``where = ...``."""

    def visit_AnnAssign(self, node: ast.AnnAssign) -> ast.AST:
        """The assignment alone."""
        return ast.fix_missing_locations(ast.Assign([node.target], node.value or ast.Constant(None)))
