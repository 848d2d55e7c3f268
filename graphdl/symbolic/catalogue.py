"""The catalogue of ops: for each, its meaning, its NumPy form, its derivative and its conventions, as plain rows."""

from __future__ import annotations

import dataclasses
import inspect
from dataclasses import dataclass
from typing import Any

from graphdl.config import floatx
from graphdl.errors import GraphError, did_you_mean
from graphdl.ir.elementwise import Elementwise
from graphdl.ir.graph import Graph
from graphdl.ir.leaves import placeholder
from graphdl.ir.node import Node
from graphdl.ir.op import Op, Operand, Sample, build
from graphdl.ir.registry import all_ops
from graphdl.ir.text import listing
from graphdl.ir.types import TensorType, TupleType
from graphdl.symbolic.derivative import derivative_text
from graphdl.symbolic.reading import OPERANDS


@dataclass(frozen=True)
class OpRow:
    """One op of the registry, as text.

    operands       what the inputs are called
    formula        the value in the language of formulas, where there is one
    numpy          the expression that programs have; of a class of ops, that of `example`
    derivatives    of the formula, one for each input; none for ops that have no formula
    backward       of a class of ops, the listing of what its vjp builds for `example`
    decomposition  of a fused op, the listing of simpler ops with the same value
    attributes     name, type and default of each
    """

    name: str
    doc: str
    operands: tuple[str, ...]
    formula: str
    numpy: str
    derivatives: tuple[str, ...]
    backward: str
    decomposition: str
    convention: str
    why_flat: str
    attributes: tuple[str, ...]
    example: str
    glyph: str
    role: str


def op_rows() -> list[OpRow]:
    """Every op, in alphabetical order."""
    return [_row(name, entry) for name, entry in all_ops()]


def op_row(name: str) -> OpRow:
    """The op called `name`; GraphError with a suggestion when there is none."""
    known = dict(all_ops())
    if name not in known:
        raise GraphError(f"there is no op {name!r}.{did_you_mean(name, known)}")
    return _row(name, known[name])


def _row(name: str, entry: type[Op] | Op) -> OpRow:
    facts = _of_elementwise(entry) if isinstance(entry, Elementwise) else _of_class(entry)
    return OpRow(
        name=name,
        formula=entry.formula or "",
        convention=entry.convention,
        why_flat=entry.why_flat,
        glyph=entry.glyph,
        role=entry.role,
        **{**_NOTHING, **facts},
    )


def _of_elementwise(op: Elementwise) -> dict[str, Any]:
    slots = range(op.arity) if op.formula else ()
    return {
        "doc": f"{op.formula or op.template}, element by element",
        "operands": tuple(OPERANDS[: op.arity]),
        "numpy": op.template,
        "derivatives": tuple(derivative_text(op, slot) for slot in slots),
    }


def _of_class(entry: type[Op] | Op) -> dict[str, Any]:
    facts: dict[str, Any] = {"doc": inspect.getdoc(entry) or "", "attributes": _attributes(entry)}
    if not entry.samples or not isinstance(entry, type):
        return facts
    sample = entry.samples[0]
    op = entry(**sample.attributes)
    operands = _operand_names(op, len(sample.shapes))
    nodes = [placeholder(s, d, n) for s, d, n in zip(sample.shapes, _dtypes(sample), operands, strict=True)]
    return {
        **facts,
        "operands": operands,
        "numpy": op.lower(*[Operand(node.name, node.tensor) for node in nodes]),  # type: ignore[arg-type]
        "backward": _backward(op, nodes),
        "decomposition": _decomposition(op, nodes),
        "example": _example(op, nodes),
    }


def _attributes(entry: type[Op] | Op) -> tuple[str, ...]:
    if not dataclasses.is_dataclass(entry):
        return ()
    fields = dataclasses.fields(entry)
    defaults = ["" if f.default is dataclasses.MISSING else f" = {f.default!r}" for f in fields]
    return tuple(f"{f.name}: {f.type}{default}" for f, default in zip(fields, defaults, strict=True))


def _operand_names(op: Op, count: int) -> tuple[str, ...]:
    """What `infer` calls its parameters; a, b, c for an op of any number of inputs."""
    parameters = inspect.signature(op.infer).parameters.values()
    if any(p.kind is p.VAR_POSITIONAL for p in parameters):
        return tuple(OPERANDS[:count])
    return tuple(p.name for p in parameters)


def _dtypes(sample: Sample) -> tuple[str, ...]:
    return tuple(floatx() if d == "float" else d for d in sample.dtypes or ("float",) * len(sample.shapes))


def _example(op: Op, nodes: list[Node]) -> str:
    inputs = [f"{node.name}: {node.type}" for node in nodes]
    return ", ".join(inputs + [f"{key}={value}" for key, value in op.attributes().items()])


def _backward(op: Op, nodes: list[Node]) -> str:
    """What the vjp builds for each input, as a listing whose outputs are called da, db, ..."""
    y = build(op, *nodes, name="y")
    built = [g() if callable(g) else g for g in op.vjp(_upstream(y), y, *nodes)]
    outputs = {f"d{node.name}": g for node, g in zip(nodes, built, strict=True) if isinstance(g, Node)}
    return listing(Graph(outputs)) if outputs else ""


def _upstream(y: Node) -> Any:
    """The gradient that arrives, called dy; one for each result."""
    if isinstance(y.type, TupleType):
        return tuple(_like(item, f"dy{i}") for i, item in enumerate(y.type.items))
    return _like(y.type, "dy")


def _like(tensor: TensorType, name: str) -> Node:
    return placeholder(tensor.shape, tensor.dtype, name)


def _decomposition(op: Op, nodes: list[Node]) -> str:
    value = op.decompose(*nodes)
    return "" if value is None else listing(Graph({"y": value}))


_NOTHING: dict[str, Any] = {
    "doc": "",
    "operands": (),
    "numpy": "",
    "derivatives": (),
    "backward": "",
    "decomposition": "",
    "attributes": (),
    "example": "",
}
