"""Softmax, its logarithm, and the losses fused with them."""

from __future__ import annotations

from typing import Any

from graphdl.errors import DTypeError, ShapeError
from graphdl.ir.dim import Dim
from graphdl.ir.elementwise import as_node, elementwise
from graphdl.ir.node import Node
from graphdl.ir.op import Gradient, Op, Operand, Sample, build, op, refusing
from graphdl.ir.types import INTS, SHORT, TensorType, normalise_axis
from graphdl.ops.indexing import one_hot, take_along
from graphdl.ops.reduce import sum
from graphdl.ops.shape import expand_dims
from graphdl.ops.transcendental import exp, sigmoid

BINARY_LABELS = Sample(((2, 3), (2, 3)), low=(-2, 0), high=(2, 1))


class OverAxis(Op):
    """What softmax and its logarithm share: one axis, the type of the input."""

    axis: int

    def infer(self, x: TensorType) -> TensorType:
        if not x.is_float:
            raise DTypeError(
                f"an operand is {SHORT[x.dtype]}, expected floats; cast it first, as in gd.cast(x, 'float32')"
            )
        normalise_axis(self.axis, x.rank)
        return x

    def lower(self, x: Operand) -> str:
        return f"{self.name}({x}, axis={self.axis})"

    def flops(self, result: TensorType, *inputs: TensorType) -> Dim:
        return result.size * 12


@op
class Softmax(OverAxis):
    r"""Softmax along `axis`: ``y_i = exp(x_i) / sum_j exp(x_j)``.

    The backward pass needs only the output, ``dx = y (dy - sum_j dy_j y_j)``,
    so the input's buffer is free as soon as `y` exists.
    """

    name = "softmax"
    axis: int = -1
    samples = (
        Sample(((3, 5),), attributes={"axis": 1}),
        Sample(((3, 5),), attributes={"axis": 0}),
        Sample(((3, 5),), low=900, high=1000, attributes={"axis": 1}, smooth=False),
    )

    def vjp(self, dy: Node, y: Node, x: Node) -> tuple[Gradient, ...]:
        return (y * (dy - sum(dy * y, axis=self.axis, keepdims=True)),)

    def latex(self, x: str) -> str:
        return rf"\operatorname{{softmax}}({x})"

    def decompose(self, x: Node) -> Node:
        return exp(x) / sum(exp(x), axis=self.axis, keepdims=True)


@op
class LogSoftmax(OverAxis):
    """log(softmax(x)), which stays finite where softmax underflows to 0."""

    name = "log_softmax"
    axis: int = -1
    samples = (
        Sample(((3, 5),), attributes={"axis": 1}),
        Sample(((3, 5),), attributes={"axis": 0}),
        Sample(((3, 5),), low=-1e4, high=1e4, attributes={"axis": 1}, smooth=False),
    )

    def vjp(self, dy: Node, y: Node, x: Node) -> tuple[Gradient, ...]:
        return (dy - exp(y) * sum(dy, axis=self.axis, keepdims=True),)

    def latex(self, x: str) -> str:
        return rf"\ln\operatorname{{softmax}}({x})"


@op
class SoftmaxCrossEntropy(Op):
    """``-sum_c t_c log(softmax(z)_c)`` over the last axis, for targets that are probabilities."""

    name = "softmax_cross_entropy"
    samples = (
        Sample(((3, 4), (3, 4)), low=(-2, 0), high=(2, 1)),
        Sample(((3, 4), (3, 4)), low=(-1e3, 0), high=(1e3, 1), smooth=False),
    )

    def infer(self, logits: TensorType, targets: TensorType) -> TensorType:
        if logits != targets or not logits.is_float or not logits.rank:
            raise ShapeError(
                f"found logits {logits} and targets {targets}, expected floats of one shape with a class axis"
            )
        return logits.with_shape(logits.shape[:-1])

    def vjp(self, dy: Node, y: Node, logits: Node, targets: Node) -> tuple[Gradient, ...]:
        def for_logits() -> Node:
            expected = softmax(logits) * sum(targets, axis=-1, keepdims=True)
            return (expected - targets) * expand_dims(dy, -1)

        return (for_logits, lambda: -log_softmax(logits) * expand_dims(dy, -1))

    def lower(self, logits: Operand, targets: Operand) -> str:
        return f"softmax_cross_entropy({logits}, {targets})"

    def flops(self, result: TensorType, *inputs: TensorType) -> Dim:
        return inputs[0].size * 14

    def decompose(self, logits: Node, targets: Node) -> Node:
        return -sum(targets * log_softmax(logits), axis=-1)


@op
class SparseSoftmaxCrossEntropy(Op):
    """``-log(softmax(z)[label])`` over the last axis, for labels that are class numbers."""

    name = "sparse_softmax_cross_entropy"
    samples = (
        Sample(((3, 4), (3,)), dtypes=("float", "int64"), low=(-2, 0), high=(2, 3)),
        Sample(((3, 4), (3,)), dtypes=("float", "int64"), low=(-1e4, 0), high=(1e4, 3), smooth=False),
    )

    def infer(self, logits: TensorType, labels: TensorType) -> TensorType:
        if labels.dtype not in INTS:
            raise DTypeError(f"labels are {SHORT[labels.dtype]}, expected integers")
        if not logits.is_float or not logits.rank or labels.shape != logits.shape[:-1]:
            raise ShapeError(f"found logits {logits} and labels {labels}, expected one label for each row")
        return logits.with_shape(labels.shape)

    def vjp(self, dy: Node, y: Node, logits: Node, labels: Node) -> tuple[Gradient, ...]:
        def for_logits() -> Node:
            hot = one_hot(labels, logits.shape[-1], logits.dtype)
            return (softmax(logits) - hot) * expand_dims(dy, -1)

        return (for_logits, None)

    def lower(self, logits: Operand, labels: Operand) -> str:
        return f"sparse_softmax_cross_entropy({logits}, {labels})"

    def flops(self, result: TensorType, *inputs: TensorType) -> Dim:
        return inputs[0].size * 12

    def decompose(self, logits: Node, labels: Node) -> Node:
        return -take_along(log_softmax(logits), labels)


sigmoid_cross_entropy = elementwise(
    "sigmoid_cross_entropy",
    formula="log(1 + exp(a)) - a * b",
    lower="xp.maximum(a, 0) - a * b + xp.log1p(xp.exp(-xp.abs(a)))",
    vjp=(lambda dy, y, a, b: dy * (sigmoid(a) - b), lambda dy, y, a, b: -(dy * a)),
    samples=[BINARY_LABELS, Sample(((2, 3), (2, 3)), low=(-1e3, 0), high=(1e3, 1), smooth=False)],
    cost=22,
)


def softmax(x: Any, axis: int = -1, name: str | None = None) -> Node:
    """Probabilities along `axis` from unnormalised log-probabilities."""
    return _over(Softmax, x, axis, name)


def log_softmax(x: Any, axis: int = -1, name: str | None = None) -> Node:
    """The logarithm of `softmax`, finite for any finite input."""
    return _over(LogSoftmax, x, axis, name)


def cross_entropy(logits: Any, labels: Any, name: str | None = None) -> Node:
    """Cross-entropy of `labels` under softmax(`logits`), in nats, one value per example.

    logits  f32[N, C]               unnormalised log-probabilities
    labels  i64[N] or f32[N, C]     class of each example, or a probability for each class
    return  f32[N]

    Goes through log_softmax, so logits of 1e4 are no trouble. The gradient that
    arrives at `logits` is softmax(logits) - onehot(labels) (Bishop 2006, eq. 4.109).

    Raises ShapeError when N differs.
    """
    logits, labels = as_node(logits), as_node(labels)
    kind = SparseSoftmaxCrossEntropy() if labels.dtype in INTS else SoftmaxCrossEntropy()
    return build(kind, logits, labels, name=name)


def _over(kind: Any, x: Any, axis: int, name: str | None) -> Node:
    x = as_node(x)
    with refusing(kind.name, x):
        return build(kind(normalise_axis(axis, x.ndim)), x, name=name)
