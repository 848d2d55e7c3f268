"""Nodes in the order they run, each with its lowered expression and what it reads."""

from __future__ import annotations

import ast
import math
from dataclasses import dataclass, replace
from functools import cache

import numpy as np

from graphdl.compile.loops import Loop
from graphdl.compile.template import Template, template
from graphdl.ir.elementwise import Elementwise
from graphdl.ir.graph import Graph
from graphdl.ir.leaves import Constant, Noise, Size, scalar_of
from graphdl.ir.node import Node
from graphdl.ir.op import Operand
from graphdl.ir.types import TupleType, shape_text
from graphdl.ops.linalg import Affine, MatMul
from graphdl.ops.parts import Pick, Slice
from graphdl.ops.scan import Scan
from graphdl.ops.shape import BroadcastTo, Reshape, Transpose

# Constants up to so many elements are written into the program, larger ones are handed to it.
INLINE_ELEMENTS = 64


@dataclass(frozen=True, slots=True)
class Instr:
    """One node of the schedule: `template` over `operands`, of which literals are None; `texts` has their text.

    `is_view` says that the value shares the memory of the first operand, `is_static` that it depends on
    constants and sizes alone, and so is the same in every run at one batch size. `loop` is the function it calls,
    for a scan.
    """

    node: Node
    template: Template
    operands: tuple[Node | None, ...]
    texts: tuple[str, ...]
    is_view: bool
    is_static: bool = False
    loop: Loop | None = None

    @property
    def may_share(self) -> bool:
        """Whether the value may lie in the memory of the first operand: a view, or a reshape, which may be one."""
        return self.is_view or isinstance(self.node.op, Reshape)

    @property
    def reads(self) -> list[Node]:
        return [operand for operand in self.operands if operand is not None]


def lowered(graph: Graph, streams: dict[Node, int], prefix: str = "loop") -> list[Instr]:
    """The schedule: every node that is computed, in the order of the listing, which is the order it was written in.

    Loops are called `prefix` with a number behind it.
    """
    loops = 0
    contiguous: dict[Node, bool] = {}
    static: set[Node] = set(graph.constants)
    instrs = []
    for node in graph.nodes:
        if isinstance(node.op, Scan):
            loops += 1
            instr: Instr | None = _of_loop(node, f"{prefix}_{loops}")
        else:
            instr = _of_node(node, graph, streams, contiguous)
        contiguous.setdefault(node, True)
        if instr is not None:
            if not isinstance(node.op, Noise) and all(source in static for source in instr.reads):
                instr = replace(instr, is_static=True)
                static.add(node)
            instrs.append(instr)
    return instrs


def _of_loop(node: Node, name: str) -> Instr:
    assert isinstance(node.op, Scan)
    loop = Loop(name, node, tuple(lowered(node.op.body.graph, {}, name)))
    return Instr(node, template(loop.call()), node.inputs, ("",) * len(node.inputs), is_view=False, loop=loop)


def _of_node(node: Node, graph: Graph, streams: dict[Node, int], contiguous: dict[Node, bool]) -> Instr | None:
    """The instruction for `node`; None for a leaf that is given, and for a size only ever written as a number."""
    if isinstance(node.op, Noise):
        return _draw(node, streams)
    if isinstance(node.op, Size):
        written = all(node in _written(user) for user in graph.consumers[node])
        text = f'xp.asarray({node.op.dim}, "{node.dtype}")'
        return None if written and node not in graph.roots else Instr(node, template(text), (), (), is_view=False)
    return instruction(node, graph, contiguous) if node.inputs else None


def _written(user: Node) -> set[Node]:
    """The operands of `user` that its line has as numbers."""
    return {user.inputs[i] for i in _literal_slots(user)}


def constants_in(graph: Graph, instrs: list[Instr]) -> list[Node]:
    """Constants that some instruction reads as arrays, or that are fetched."""
    read = {operand for instr in instrs for operand in instr.reads} | set(graph.roots)
    return [node for node in graph.constants if node in read]


def instruction(node: Node, graph: Graph, contiguous: dict[Node, bool]) -> Instr:
    """The instruction for `node`, which has inputs; `contiguous` knows whether their elements lie in order."""
    literal = _literal_slots(node)
    if isinstance(node.op, Elementwise):
        lowering, is_view = _elementwise_template(node.op), False
    else:
        lowering, is_view = _template(node, graph, contiguous)
    if not literal:
        return Instr(node, lowering, node.inputs, ("",) * len(node.inputs), is_view)
    operands = tuple([None if i in literal else source for i, source in enumerate(node.inputs)])
    texts = tuple([_literal(source) if i in literal else "" for i, source in enumerate(node.inputs)])
    return Instr(node, lowering, operands, texts, is_view)


@cache
def _elementwise_template(op: Elementwise) -> Template:
    """Ops call their operands a, b, c; templates call them _0, _1, _2."""
    tree = ast.parse(op.template, mode="eval")
    for name in ast.walk(tree):
        if isinstance(name, ast.Name) and name.id in ("a", "b", "c"):
            name.id = f"_{'abc'.index(name.id)}"
    return template(ast.unparse(tree))


def _template(node: Node, graph: Graph, contiguous: dict[Node, bool]) -> tuple[Template, bool]:
    """The lowering of `node`, and whether it is a view of its first input's memory."""
    expression = node.op.lower(*[Operand(f"_{i}", s.type) for i, s in enumerate(node.inputs)])  # type: ignore[arg-type]
    is_view = node.op.is_view
    if isinstance(node.op, Transpose) and not _only_multiplied(node, graph):
        # Not ascontiguousarray, which hands back the same memory where an axis has size 1.
        return template(f"{expression}.copy()"), False
    if isinstance(node.op, Transpose | Slice | BroadcastTo | Pick):
        contiguous[node] = False
    elif isinstance(node.op, Reshape):
        is_view = contiguous[node.inputs[0]]
    return template(expression), is_view


def _draw(node: Node, streams: dict[Node, int]) -> Instr:
    assert isinstance(node.op, Noise)
    tensor, seed = node.tensor, node.op.seed
    key, stream = ("key", streams[node]) if seed is None else (f"({seed[0]}, key[1])", seed[1])
    text = f'{node.op.kind}({key}, {stream}, {shape_text(tensor.shape)}, "{tensor.dtype}")'
    return Instr(node, template(text), (), (), is_view=False)


def _literal_slots(node: Node) -> set[int]:
    """Inputs that are written as numbers: scalars next to an array that settles the dtype."""
    if not isinstance(node.op, Elementwise):
        return set()
    takes = node.op.takes
    scalars = {i for i, s in enumerate(node.inputs) if scalar_of(s) is not None or isinstance(s.op, Size)}
    numbers = frozenset(i for i in scalars if takes[i] != "bool")
    settled = any(t != "bool" or node.dtype == "bool" for i, t in enumerate(takes) if i not in scalars)
    return set(numbers) if numbers and settled and _meet_arrays(node.op, numbers) else set()


@cache
def _meet_arrays(op: Elementwise, numbers: frozenset[int]) -> bool:
    """Whether every part of the template that has one of the operands `numbers` has an array too.

    Python would compute ``xp.minimum(2.0, 0)`` in float64, and ``2.0 * (x > 0)`` too; a kernel counts on arrays.
    """
    for part in ast.walk(_elementwise_template(op).tree):
        if isinstance(part, ast.Call | ast.BinOp | ast.UnaryOp | ast.Compare):
            slots = _value_slots(part)
            is_kernel = isinstance(part, ast.Call) and isinstance(part.func, ast.Name)
            if slots & numbers and (is_kernel or slots <= numbers):
                return False
    return True


def _value_slots(part: ast.AST) -> set[int]:
    """The operands in `part` that are not only compared there."""
    slots = set()
    waiting = list(ast.iter_child_nodes(part))
    while waiting:
        inner = waiting.pop()
        if isinstance(inner, ast.Name) and inner.id.startswith("_"):
            slots.add(int(inner.id[1:]))
        elif not isinstance(inner, ast.Compare):
            waiting += ast.iter_child_nodes(inner)
    return slots


def _literal(node: Node) -> str:
    if isinstance(node.op, Size):
        return f"({node.op.dim})"
    assert isinstance(node.op, Constant)
    return number_text(node.op.value)


def number_text(value: np.ndarray[tuple[int, ...], np.dtype[np.generic]]) -> str:
    """The shortest text that reads back as this 0-d array in its own dtype."""
    if value.dtype.kind != "f":
        return repr(value.item())
    number = float(value)
    if math.isnan(number):
        return "xp.nan"
    if math.isinf(number):
        return "xp.inf" if number > 0 else "-xp.inf"
    return repr(float(str(value.astype(value.dtype)[()])))


def _only_multiplied(node: Node, graph: Graph) -> bool:
    """Whether every reader is a matrix product, which takes transposed views at no cost."""
    if node in graph.roots or isinstance(node.type, TupleType) or node.ndim != 2:
        return False
    return all(isinstance(user.op, MatMul | Affine) for user in graph.consumers[node])
