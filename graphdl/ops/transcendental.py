"""Exponentials, logarithms, trigonometry, and the activations made of them, element by element."""

from __future__ import annotations

import math
from typing import Any

from graphdl.ir.elementwise import Elementwise, elementwise
from graphdl.ir.node import Node
from graphdl.ir.op import Sample, builder
from graphdl.ops.arithmetic import (
    APART,
    HUGE,
    POSITIVE,
    UNARY,
    equal,
    greater,
    minimum,
    sqrt,
    square,
    where,
)

NEAR_ZERO = Sample(((2, 3),), low=-1e-8, high=1e-8, smooth=False)
OFF_ZERO = Sample(((2, 3),), low=0.1)
BELOW_ZERO = Sample(((2, 3),), low=-2, high=-0.1)

# Fixed point of the moments: Klambauer et al. 2017, "Self-normalizing neural networks", eq. 14.
SELU_ALPHA = 1.6732632423543772
SELU_SCALE = 1.0507009873554805

exp = elementwise(
    "exp",
    formula="exp(a)",
    lower="xp.exp(a)",
    vjp=lambda dy, y, a: dy * y,
    samples=[UNARY],
    tex="e^{$a}",
    glyph="exp",
    cost=8,
)

log = elementwise(
    "log",
    formula="log(a)",
    lower="xp.log(a)",
    vjp=lambda dy, y, a: dy / a,
    samples=[POSITIVE],
    tex=r"\ln $a",
    glyph="log",
    cost=8,
    convention="log 0 = -inf, NaN below 0",
)

log1p = elementwise(
    "log1p",
    formula="log(1 + a)",
    lower="xp.log1p(a)",
    vjp=lambda dy, y, a: dy / (1 + a),
    samples=[Sample(((2, 3),), low=-0.5, high=3), NEAR_ZERO],
    tex=r"\ln(1 + $a)",
    cost=10,
)

expm1 = elementwise(
    "expm1",
    formula="exp(a) - 1",
    lower="xp.expm1(a)",
    vjp=lambda dy, y, a: dy * (y + 1),
    samples=[UNARY, NEAR_ZERO],
    tex="(e^{$a} - 1)",
    cost=10,
)

sin = elementwise(
    "sin",
    formula="sin(a)",
    lower="xp.sin(a)",
    vjp=lambda dy, y, a: dy * cos(a),
    samples=[UNARY],
    tex=r"\sin $a",
    glyph="sin",
    cost=8,
)

cos: Elementwise = elementwise(
    "cos",
    formula="cos(a)",
    lower="xp.cos(a)",
    vjp=lambda dy, y, a: -dy * sin(a),
    samples=[UNARY],
    tex=r"\cos $a",
    glyph="cos",
    cost=8,
)

tanh = elementwise(
    "tanh",
    formula="tanh(a)",
    lower="xp.tanh(a)",
    vjp=lambda dy, y, a: dy * (1 - square(y)),
    samples=[UNARY, HUGE],
    tex=r"\tanh $a",
    glyph="tanh",
    role="scale",
    cost=8,
)

sigmoid = elementwise(
    "sigmoid",
    formula="1 / (1 + exp(-a))",
    lower="1 / (1 + xp.exp(-a))",
    vjp=lambda dy, y, a: dy * y * (1 - y),
    samples=[UNARY, HUGE],
    tex=r"\sigma($a)",
    glyph="σ",
    role="scale",
    cost=11,
)

softplus = elementwise(
    "softplus",
    formula="log(1 + exp(a))",
    lower="xp.maximum(a, 0) + xp.log1p(xp.exp(-xp.abs(a)))",
    vjp=lambda dy, y, a: dy * sigmoid(a),
    samples=[UNARY, HUGE],
    cost=20,
)

relu = elementwise(
    "relu",
    formula="maximum(a, 0)",
    lower="xp.maximum(a, 0)",
    vjp=lambda dy, y, a: mask_positive(dy, y),
    samples=[OFF_ZERO, BELOW_ZERO],
    tex=r"\max(0, $a)",
    glyph="relu",
    role="route",
    convention="relu'(0) = 0",
)

mask_positive: Elementwise = elementwise(
    "mask_positive",
    formula="where(b > 0, a, 0)",
    lower="a * (b > 0)",
    vjp=(lambda dy, y, a, b: mask_positive(dy, b), None),
    samples=[Sample(((2, 3), (2, 3)))],
    tex=r"$a \cdot [$b > 0]",
    glyph="×[>0]",
    role="route",
    why_flat="a mask only chooses",
)

leaky_relu = elementwise(
    "leaky_relu",
    formula="where(a > 0, a, b * a)",
    lower="xp.where(a > 0, a, b * a)",
    vjp=(
        lambda dy, y, a, b: where(greater(a, 0), dy, b * dy),
        lambda dy, y, a, b: where(greater(a, 0), 0, a * dy),
    ),
    samples=[
        Sample(((2, 3), (2, 3)), low=(0.1, 0.1), high=(2, 0.3)),
        Sample(((2, 3), (2, 3)), low=(-2, 0.1), high=(-0.1, 0.3)),
    ],
    role="route",
    convention="the derivative at 0 is the slope below 0",
)

elu = elementwise(
    "elu",
    formula="where(a > 0, a, b * (exp(a) - 1))",
    lower="xp.where(a > 0, a, b * xp.expm1(xp.minimum(a, 0)))",
    vjp=(
        lambda dy, y, a, b: where(greater(a, 0), dy, dy * b * exp(minimum(a, 0))),
        lambda dy, y, a, b: where(greater(a, 0), 0, dy * expm1(minimum(a, 0))),
    ),
    samples=[
        Sample(((2, 3), (2, 3)), low=(0.1, 0.5)),
        Sample(((2, 3), (2, 3)), low=(-2, 0.5), high=(-0.1, 2)),
        Sample(((2, 3), (2, 3)), low=(-1e3, 0.5), high=(1e3, 2), smooth=False),
    ],
    convention="elu'(0) = alpha",
    cost=10,
)

selu = elementwise(
    "selu",
    formula=f"{SELU_SCALE} * where(a > 0, a, {SELU_ALPHA} * (exp(a) - 1))",
    lower=f"{SELU_SCALE} * xp.where(a > 0, a, {SELU_ALPHA} * xp.expm1(xp.minimum(a, 0)))",
    vjp=lambda dy, y, a: where(greater(a, 0), dy * SELU_SCALE, dy * (SELU_SCALE * SELU_ALPHA) * exp(minimum(a, 0))),
    samples=[OFF_ZERO, BELOW_ZERO, HUGE],
    cost=11,
)

silu = elementwise(
    "silu",
    formula="a / (1 + exp(-a))",
    lower="a / (1 + xp.exp(-a))",
    vjp=lambda dy, y, a: _silu_gradient(dy, y, sigmoid(a)),
    samples=[UNARY, HUGE],
    cost=11,
)

erf = elementwise(
    "erf",
    formula="erf(a)",
    lower="erf(a)",
    vjp=lambda dy, y, a: dy * (2 / math.sqrt(math.pi)) * exp(-square(a)),
    samples=[UNARY, Sample(((2, 3),), low=-8, high=8), HUGE],
    tex=r"\operatorname{erf}($a)",
    cost=30,
)

gelu = elementwise(
    "gelu",
    formula="a * (1 + erf(a / sqrt(2))) / 2",
    lower=f"0.5 * a * (1 + erf(a * {1 / math.sqrt(2)}))",
    vjp=lambda dy, y, a: (
        dy * (0.5 * (1 + erf(a * (1 / math.sqrt(2)))) + a * (1 / math.sqrt(2 * math.pi)) * exp(square(a) * -0.5))
    ),
    samples=[UNARY, HUGE],
    cost=35,
)

xlogy = elementwise(
    "xlogy",
    formula="a * log(b)",
    lower="xlogy(a, b)",
    vjp=(lambda dy, y, a, b: dy * log(b), lambda dy, y, a, b: dy * xdivy(a, b)),
    samples=[Sample(((2, 3), (2, 3)), low=(-2, 0.1))],
    tex=r"$a \ln $b",
    cost=10,
    convention="0 log 0 = 0; the gradient for the first factor is log b, so -inf at b = 0",
)

xdivy: Elementwise = elementwise(
    "xdivy",
    formula="a / b",
    lower="xdivy(a, b)",
    vjp=(lambda dy, y, a, b: xdivy(dy, b), lambda dy, y, a, b: -xdivy(xdivy(dy * a, b), b)),
    samples=[APART],
    tex=r"\frac{$a}{$b}",
    convention="0 / 0 = 0",
)

power: Elementwise = elementwise(
    "power",
    formula="a ** b",
    lower="xp.power(a, b)",
    vjp=(
        lambda dy, y, a, b: where(equal(b, 0), 0, dy * b * power(a, b - 1)),
        lambda dy, y, a, b: where(equal(a, 0), 0, dy * y * log(a)),
    ),
    samples=[Sample(((2, 3), (2, 3)), low=(0.2, -2), high=(2, 2))],
    tex="$a^{$b}",
    glyph="^",
    cost=10,
    convention="0^0 = 1; the gradient for the exponent is 0 at base 0",
)


@builder("pow")
def pow(a: Any, b: Any) -> Node:
    """``a ** b``; a square stays a square and a root a root, which are exact and fast."""
    if isinstance(b, int | float) and b == 2:
        return square(a)
    if isinstance(b, int | float) and b == 0.5:
        return sqrt(a)
    return power(a, b)


def _silu_gradient(dy: Node, y: Node, s: Node) -> Node:
    return dy * (s + y * (1 - s))
