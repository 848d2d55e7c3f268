"""A loop over time as one op: its body is a graph, and what it gives at every step is stacked."""

from __future__ import annotations

from typing import Any

from graphdl.errors import ShapeError
from graphdl.ir import registry
from graphdl.ir.body import Body
from graphdl.ir.dim import Dim
from graphdl.ir.leaves import Placeholder
from graphdl.ir.node import Node
from graphdl.ir.op import Gradient, Op, Operand, Sample, build, op
from graphdl.ir.types import TensorType, TupleType
from graphdl.ops.transcendental import tanh


def _running_product() -> Body:
    """``h = tanh(k h + x)`` and ``y = h x``: the body on which the suite tries loops."""
    h, x, k = (build(Placeholder(TensorType("float64", (3,))), name=name) for name in "hxk")
    new = tanh(k * h + x)
    return Body((h,), (x,), (k,), (new, new * x))


@op
class Scan(Op):
    """``for t in range(length)``: the body's outputs of all steps, stacked along a new first axis.

    Inputs are the carries before the first step, a stack for each slice (its first axis is time), and the constants.
    With `reverse` the last step comes first; step t still reads and writes entry t. Made by `gd.scan`.
    """

    name = "scan"
    glyph = "↻"
    body: Body
    length: Dim
    reverse: bool = False
    samples = (
        Sample(((3,), (4, 3), (3,)), dtypes=("float64",) * 3, attributes={"body": _running_product(), "length": 4}),
        Sample(
            ((3,), (2, 3), (3,)),
            dtypes=("float64",) * 3,
            attributes={"body": _running_product(), "length": 2, "reverse": True},
        ),
    )

    def infer(self, *inputs: TensorType) -> TupleType:
        body = self.body
        if len(inputs) != len(body.inputs):
            raise ShapeError(f"found {len(inputs)} inputs, expected {len(body.inputs)}: {body}")
        for found, inside in zip(inputs, body.inputs, strict=True):
            is_stack = any(inside is node for node in body.slices)
            expected = inside.tensor.with_shape((self.length, *inside.shape)) if is_stack else inside.tensor
            if found != expected:
                raise ShapeError(f"{inside.label} of the body takes {expected}, found {found}")
        for carry, new in zip(body.carries, body.outputs, strict=False):
            if carry.type != new.type:
                raise ShapeError(f"{carry.label} is {carry.type} before a step and {new.type} after it")
        return TupleType(tuple(out.tensor.with_shape((self.length, *out.shape)) for out in body.outputs))

    def vjp(self, dy: tuple[Node, ...], y: Node, *inputs: Node) -> tuple[Gradient, ...]:
        gradients: tuple[Gradient, ...] = registry.builder("scan_vjp")(self, dy, y, inputs)
        return gradients

    def lower(self, *operands: Operand) -> str:
        """A call of the function that the compiler writes for the loop; its name differs in each program."""
        return f"loop({', '.join(operands)})"

    def latex(self, *operands: Any) -> str:
        return rf"\operatorname{{scan}}_{{t < {self.length}}}({', '.join(operands)})"

    def flops(self, result: Any, *inputs: TensorType) -> Dim:
        inside: Dim = 0
        for node in self.body.graph.nodes:
            inside = inside + node.op.flops(node.type, *[source.type for source in node.inputs])  # type: ignore[arg-type]
        return inside * self.length
