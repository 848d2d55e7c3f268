"""Formulas as students type them become forms that neither overflow nor cancel. Applied before differentiating."""

from __future__ import annotations

from graphdl.ir.leaves import scalar_of
from graphdl.ir.node import Node
from graphdl.ir.op import build
from graphdl.ir.pattern import P, wildcards
from graphdl.ops.arithmetic import abs, divide, multiply, negative, sqrt, square, where
from graphdl.ops.indexing import Take, TakeAlong
from graphdl.ops.nn import (
    LogSoftmax,
    Softmax,
    SoftmaxCrossEntropy,
    SparseSoftmaxCrossEntropy,
    log_softmax,
    sigmoid_cross_entropy,
    softmax,
)
from graphdl.ops.parts import Slice
from graphdl.ops.reduce import LogSumExp, Sum
from graphdl.ops.shape import BroadcastTo, Reshape, Transpose
from graphdl.ops.transcendental import exp, expm1, log, log1p, sigmoid, softplus, tanh, xlogy
from graphdl.rewrite.engine import rule
from graphdl.rewrite.match import same

x, y, z, s = wildcards("x y z s")


def negated(x: Node) -> Node:
    """-x, without a double minus."""
    return x.inputs[0] if x.op is negative else negative(x)


@rule(log(1 + exp(x)), kind="stabilise")
def log_of_one_plus_exp(x: Node) -> Node:
    """log(1 + exp x) = softplus x, which is x where exp x overflows."""
    return softplus(x)


@rule(1 / (1 + exp(x)), kind="stabilise")
def logistic(x: Node) -> Node:
    """1 / (1 + exp(-x)) = sigmoid x, known by name to the rules for its logarithm."""
    return sigmoid(negated(x))


@rule(exp(x) / (1 + exp(x)), kind="stabilise")
def logistic_of_exp(x: Node) -> Node:
    """exp x / (1 + exp x) = sigmoid x, which is 1 where both sides of the fraction overflow."""
    return sigmoid(x)


@rule(1 - P(sigmoid, x), kind="stabilise")
def one_minus_sigmoid(x: Node) -> Node:
    """1 - sigmoid x = sigmoid(-x), which does not cancel where sigmoid x is near 1."""
    return sigmoid(negated(x))


@rule(log(sigmoid(x)), kind="stabilise")
def log_of_sigmoid(x: Node) -> Node:
    """log(sigmoid x) = -softplus(-x), finite where sigmoid x underflows."""
    return negative(softplus(negated(x)))


@rule(log(P(Softmax, x)), kind="stabilise")
def log_of_softmax(x: Node, node: Node) -> Node:
    """log(softmax x) = log_softmax x, which stays finite where softmax underflows to 0."""
    (inner,) = node.inputs
    assert isinstance(inner.op, Softmax)
    return log_softmax(x, axis=inner.op.axis)


@rule(
    log(P(Slice, P(Softmax, x))),
    log(P(Reshape, P(Softmax, x))),
    log(P(Transpose, P(Softmax, x))),
    log(P(Slice, P(Reshape, P(Softmax, x)))),
    log(P(Reshape, P(Slice, P(Softmax, x)))),
    log(P(Slice, P(sigmoid, x))),
    log(P(Reshape, P(sigmoid, x))),
    log(P(Reshape, P(Slice, P(sigmoid, x)))),
    kind="stabilise",
)
def log_past_view(node: Node) -> Node:
    """log(part of p) = part of log p, so that log meets the softmax or sigmoid that made p."""
    (part,) = node.inputs
    return build(part.op, log(part.inputs[0]))


@rule(log(P(Take, P(Softmax, x), y)), log(P(TakeAlong, P(Softmax, x), y)), kind="stabilise")
def log_past_take(y: Node, node: Node) -> Node:
    """log(p[y]) = (log p)[y], so that log meets the softmax that made p."""
    (taken,) = node.inputs
    return build(taken.op, log(taken.inputs[0]), y)


@rule(exp(x) / P(BroadcastTo, s), kind="stabilise")
def softmax_formula(x: Node, s: Node) -> Node | None:
    """exp x / sum(exp x) = softmax x, shifted by the largest x so that nothing overflows."""
    axis = _summed_axis(s, of=exp, over=x)
    return None if axis is None else softmax(x, axis=axis)


@rule(log(P(Sum, exp(x))), kind="stabilise")
def log_of_sum_of_exp(x: Node, node: Node) -> Node:
    """log(sum(exp x)) = logsumexp x, shifted by the largest x so that nothing overflows."""
    total = node.inputs[0].op
    assert isinstance(total, Sum)
    return build(LogSumExp(total.axis, total.keepdims), x)


@rule(log(P(Reshape, P(Sum, exp(x)))), log(P(BroadcastTo, P(Sum, exp(x)))), kind="stabilise")
def log_past_spread(node: Node) -> Node:
    """log of a reshaped or copied sum of exponentials: take the logarithm first."""
    (spread,) = node.inputs
    return build(spread.op, log(spread.inputs[0]))


@rule(log(exp(x) + exp(y)), kind="stabilise")
def log_add_exp(x: Node, y: Node) -> Node:
    """log(exp x + exp y) = y + softplus(x - y), without overflow."""
    return y + softplus(x - y)


@rule(log(exp(x)), kind="stabilise")
def log_of_exp(x: Node) -> Node:
    """log(exp x) = x, also where exp x overflows."""
    return x


@rule(log(exp(x) / y), kind="stabilise")
def log_of_exp_ratio(x: Node, y: Node) -> Node:
    """log(exp x / y) = x - log y, also where exp x overflows."""
    return x - log(y)


@rule(log(1 / x), kind="stabilise")
def log_of_reciprocal(x: Node) -> Node:
    """log(1 / x) = -log x, also where 1 / x overflows."""
    return negative(log(x))


@rule(log(1 + x), kind="stabilise")
def log_of_one_plus(x: Node) -> Node:
    """log(1 + x) = log1p x, exact for small x."""
    return log1p(x)


@rule(log(1 - x), kind="stabilise")
def log_of_one_minus(x: Node) -> Node:
    """log(1 - x) = log1p(-x), exact for small x."""
    return log1p(negated(x))


@rule(exp(x) - 1, kind="stabilise")
def exp_minus_one(x: Node) -> Node:
    """exp x - 1 = expm1 x, exact for small x."""
    return expm1(x)


@rule((exp(x) - exp(y)) / (exp(x) + exp(y)), kind="stabilise")
def tanh_formula(x: Node, y: Node) -> Node:
    """(exp x - exp y) / (exp x + exp y) = tanh((x - y) / 2), so tanh x for y = -x, without overflow."""
    if y.op is negative and y.inputs[0] is x:
        return tanh(x)
    if x.op is negative and x.inputs[0] is y:
        return tanh(x)
    return tanh((x - y) * 0.5)


@rule((exp(x) - 1) / (exp(x) + 1), P(expm1, x) / (exp(x) + 1), kind="stabilise")
def tanh_of_half(x: Node) -> Node:
    """(exp x - 1) / (exp x + 1) = tanh(x / 2), without overflow."""
    return tanh(_half(x))


@rule((1 - exp(x)) / (1 + exp(x)), kind="stabilise")
def tanh_of_minus_half(x: Node) -> Node:
    """(1 - exp x) / (1 + exp x) = tanh(-x / 2), without overflow."""
    return tanh(negated(_half(x)))


@rule(sqrt(x * x), sqrt(P(square, x)), kind="stabilise")
def root_of_square(x: Node) -> Node:
    """sqrt(x x) = |x|, also where x x overflows; the derivative at 0 is 0, not 0 / 0."""
    return abs(x)


@rule(x * log(y), kind="stabilise")
def x_log_y(x: Node, y: Node) -> Node | None:
    """x log y = xlogy(x, y), which is 0 at x = 0 even where log y is infinite."""
    return None if scalar_of(x) is not None else xlogy(x, y)


@rule(P(Sum, y * P(LogSoftmax, z)), kind="stabilise")
def cross_entropy_of_softmax(y: Node, z: Node, node: Node) -> Node | None:
    """sum(t log softmax z) = -cross-entropy(z, t), whose gradient is softmax z - t."""
    total, logs = node.op, next(n for n in node.inputs[0].inputs if isinstance(n.op, LogSoftmax))
    assert isinstance(total, Sum)
    assert isinstance(logs.op, LogSoftmax)
    last = z.ndim - 1
    if total.axis != (last,) or total.keepdims or logs.op.axis != last or y.type != z.type:
        return None
    return negative(build(SoftmaxCrossEntropy(), z, y))


@rule(P(TakeAlong, P(LogSoftmax, z), y), kind="stabilise")
def sparse_cross_entropy_of_softmax(y: Node, z: Node, node: Node) -> Node | None:
    """(log softmax z)[label] = -cross-entropy(z, label), whose gradient is softmax z - onehot(label)."""
    logs = node.inputs[0].op
    assert isinstance(logs, LogSoftmax)
    return negative(build(SparseSoftmaxCrossEntropy(), z, y)) if logs.axis == z.ndim - 1 else None


@rule(y * negative(softplus(negative(z))) + (1 - y) * negative(softplus(z)), kind="stabilise")
def cross_entropy_of_sigmoid(y: Node, z: Node) -> Node:
    """y log(sigmoid z) + (1 - y) log(1 - sigmoid z) = -cross-entropy(z, y), whose gradient is sigmoid z - y."""
    return negative(sigmoid_cross_entropy(z, y))


@rule(multiply(where(x, y, 0), z), kind="stabilise")
def product_past_where(x: Node, y: Node, z: Node) -> Node:
    """where(c, a, 0) b = where(c, a b, 0): a branch that is not chosen gives 0, not 0 times infinity."""
    return where(x, y * z, 0)


@rule(multiply(where(x, 0, y), z), kind="stabilise")
def product_past_where_not(x: Node, y: Node, z: Node) -> Node:
    """where(c, 0, a) b = where(c, 0, a b): a branch that is not chosen gives 0, not 0 times infinity."""
    return where(x, 0, y * z)


@rule(divide(where(x, y, 0), z), kind="stabilise")
def quotient_past_where(x: Node, y: Node, z: Node) -> Node:
    """where(c, a, 0) / b = where(c, a / b, 0): a branch that is not chosen gives 0, not 0 / 0."""
    return where(x, y / z, 0)


@rule(divide(where(x, 0, y), z), kind="stabilise")
def quotient_past_where_not(x: Node, y: Node, z: Node) -> Node:
    """where(c, 0, a) / b = where(c, 0, a / b): a branch that is not chosen gives 0, not 0 / 0."""
    return where(x, 0, y / z)


@rule(negative(where(x, y, 0)), kind="exact-bits")
def minus_past_where(x: Node, y: Node) -> Node:
    """-where(c, a, 0) = where(c, -a, 0), so that the mask goes on to the next product."""
    return where(x, negative(y), 0)


@rule(negative(where(x, 0, y)), kind="exact-bits")
def minus_past_where_not(x: Node, y: Node) -> Node:
    """-where(c, 0, a) = where(c, 0, -a), so that the mask goes on to the next product."""
    return where(x, 0, negative(y))


@rule(negative(negative(x)), kind="exact-bits")
def double_minus(x: Node) -> Node:
    """-(-x) = x."""
    return x


WHERE_SINK = (
    product_past_where,
    product_past_where_not,
    quotient_past_where,
    quotient_past_where_not,
    minus_past_where,
    minus_past_where_not,
)

STABILISE = (
    log_of_one_plus_exp,
    logistic,
    logistic_of_exp,
    one_minus_sigmoid,
    log_of_sigmoid,
    log_of_softmax,
    log_past_view,
    log_past_take,
    softmax_formula,
    log_of_sum_of_exp,
    log_past_spread,
    log_add_exp,
    log_of_exp,
    log_of_exp_ratio,
    log_of_reciprocal,
    log_of_one_plus,
    log_of_one_minus,
    exp_minus_one,
    tanh_formula,
    tanh_of_half,
    tanh_of_minus_half,
    root_of_square,
    x_log_y,
    cross_entropy_of_softmax,
    sparse_cross_entropy_of_softmax,
    cross_entropy_of_sigmoid,
    double_minus,
)


def _half(x: Node) -> Node:
    """x / 2, which is u for x = 2 u."""
    if x.op is multiply and 2 in [scalar_of(i) for i in x.inputs]:
        return next(i for i in x.inputs if scalar_of(i) != 2)
    return x * 0.5


def _summed_axis(total: Node, of: object, over: Node) -> int | None:
    """The one axis along which `total` (a sum, perhaps reshaped) sums ``of(over)``, if copying it back fits."""
    reduced = total.inputs[0] if isinstance(total.op, Reshape) else total
    if not isinstance(reduced.op, Sum) or len(reduced.op.axis) != 1:
        return None
    (axis,), (term,) = reduced.op.axis, reduced.inputs
    kept = tuple(1 if i == axis else d for i, d in enumerate(over.shape))
    fits = total.shape == kept or (axis == 0 and total.shape == over.shape[1:])
    return axis if fits and term.op is of and same(term.inputs[0], over) else None
