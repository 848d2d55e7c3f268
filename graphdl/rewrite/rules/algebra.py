"""Arithmetic with zeros, ones and signs: what the chain rule leaves behind."""

from __future__ import annotations

import numpy as np

from graphdl.ir.leaves import Constant, constant
from graphdl.ir.node import Node
from graphdl.ir.pattern import P, wildcards
from graphdl.ops.arithmetic import AddN, add, divide, multiply, negative, reciprocal, sqrt, square
from graphdl.ops.shape import broadcast_to
from graphdl.ops.transcendental import mask_positive, power, relu
from graphdl.rewrite.engine import rule

x, y = wildcards("x y")


def zeros_like(node: Node) -> Node:
    """Zeros of the type of `node`, as one number copied."""
    return broadcast_to(constant(np.zeros((), node.dtype)), node.shape)


def is_zero(node: Node) -> bool:
    """Whether `node` is zeros: a constant, or a copy of the number 0."""
    while node.op.name in ("broadcast_to", "reshape") and node.inputs:
        (node,) = node.inputs
    return isinstance(node.op, Constant) and not node.op.value.any()


def has_zero(node: Node) -> bool:
    """Whether some operand of `node` is zeros."""
    return any(is_zero(source) for source in node.inputs)


def in_shape(x: Node, node: Node) -> Node:
    """`x`, copied to the shape of `node` where that is larger."""
    return broadcast_to(x, node.shape)


@rule(multiply(x, 1), x / 1, kind="exact-bits")
def times_one(x: Node, node: Node) -> Node:
    """1 x = x / 1 = x."""
    return in_shape(x, node)


@rule(add(x, 0), x - 0, kind="exact-bits")
def plus_zero(x: Node, node: Node) -> Node:
    """x + 0 = x (the sign of a zero apart)."""
    return in_shape(x, node)


@rule(multiply(x, y), when=has_zero)
def times_zero(node: Node) -> Node:
    """0 x = 0 for finite x; nothing is computed."""
    return zeros_like(node)


@rule(add(x, y), when=has_zero)
def plus_zeros(x: Node, y: Node, node: Node) -> Node:
    """x + 0 = x for zeros of any shape."""
    return in_shape(x if is_zero(y) else y, node)


@rule(P(AddN, x, y), kind="exact-bits")
def sum_of_two(x: Node, y: Node) -> Node:
    """A sum of two gradients is an addition."""
    return x + y


@rule(0 - x, multiply(x, -1), x / -1, kind="exact-bits")
def minus(x: Node, node: Node) -> Node:
    """0 - x = -1 x = -x."""
    return in_shape(negative(x), node)


@rule(negative(negative(x)), kind="exact-bits")
def minus_minus(x: Node) -> Node:
    """-(-x) = x."""
    return x


@rule(add(x, negative(y)), kind="exact-bits")
def plus_minus(x: Node, y: Node) -> Node:
    """x + (-y) = x - y, one pass over the array less."""
    return x - y


@rule(x - negative(y), kind="exact-bits")
def minus_of_minus(x: Node, y: Node) -> Node:
    """x - (-y) = x + y, one pass over the array less."""
    return x + y


@rule(multiply(negative(x), negative(y)), kind="exact-bits")
def product_of_minuses(x: Node, y: Node) -> Node:
    """(-x)(-y) = x y."""
    return x * y


@rule(P(power, x, 2), kind="exact-bits")
def second_power(x: Node, node: Node) -> Node:
    """x^2 = x x, a multiplication instead of a power."""
    return in_shape(square(x), node)


@rule(P(power, x, 0.5))
def half_power(x: Node, node: Node) -> Node:
    """x^0.5 = sqrt x."""
    return in_shape(sqrt(x), node)


@rule(P(power, x, 1), kind="exact-bits")
def first_power(x: Node, node: Node) -> Node:
    """x^1 = x."""
    return in_shape(x, node)


@rule(P(power, x, -1))
def inverse_power(x: Node, node: Node) -> Node:
    """x^-1 = 1 / x."""
    return in_shape(reciprocal(x), node)


@rule(x * divide(1, y))
def times_reciprocal(x: Node, y: Node) -> Node:
    """x (1 / y) = x / y."""
    return x / y


@rule(P(relu, P(relu, x)), kind="exact-bits")
def relu_of_relu(x: Node) -> Node:
    """relu(relu x) = relu x."""
    return relu(x)


@rule(P(mask_positive, P(mask_positive, x, y), y), kind="exact-bits")
def mask_twice(x: Node, y: Node) -> Node:
    """A mask applied twice is the mask applied once."""
    return mask_positive(x, y)


ALGEBRA = (
    times_one,
    plus_zero,
    times_zero,
    plus_zeros,
    sum_of_two,
    minus,
    minus_minus,
    plus_minus,
    minus_of_minus,
    product_of_minuses,
    second_power,
    half_power,
    first_power,
    inverse_power,
    times_reciprocal,
    relu_of_relu,
    mask_twice,
)
