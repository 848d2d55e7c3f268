"""Second derivatives and Jacobians of small graphs, made of gradients of gradients."""

from __future__ import annotations

from typing import Any

import numpy as np

from graphdl.autodiff.gradients import gradients
from graphdl.errors import GradientError
from graphdl.ir.dim import Shape
from graphdl.ir.leaves import constant
from graphdl.ir.node import Node
from graphdl.ir.traverse import ancestors
from graphdl.ops.parts import stack
from graphdl.ops.reduce import sum
from graphdl.ops.shape import broadcast_to, reshape

# A Jacobian takes a backward pass for each element of the value; beyond so many the graph is no picture any more.
MOST_ROWS = 1024


def jacobian(y: Node, x: Node) -> Node:
    """Derivatives of each element of `y` for each of `x`, with the axes of `y` first: one backward pass an element."""
    rows = y.tensor.size
    if not isinstance(rows, int) or rows > MOST_ROWS:
        raise GradientError(
            f"{y.label} is {y.type}; a Jacobian is made for at most {MOST_ROWS} elements, fixed in number"
        )
    seeds = np.eye(rows, dtype=y.dtype).reshape(rows, *y.shape)
    parts = [gradients(y, x, seed=constant(seed)) for seed in seeds]
    return reshape(stack(parts), (*y.shape, *x.shape))


def hessian(loss: Node, x: Node) -> Node:
    """Second derivatives of the scalar `loss` for each pair of elements of `x`; zeros where `loss` is linear in it."""
    slope = gradients(loss, x)
    return jacobian(slope, x) if x in ancestors([slope]) else zeros_of(x, (*x.shape, *x.shape))


def hessian_vector_product(loss: Node, x: Any, v: Any) -> Any:
    """The Hessian of `loss` times `v`, at the cost of about two gradients; `x` and `v` are a node or lists of nodes."""
    xs, vs = ([x], [v]) if isinstance(x, Node) else (list(x), list(v))
    slope: Node | None = None
    for g, direction in zip(gradients(loss, xs), vs, strict=True):
        part = sum(g * direction)
        slope = part if slope is None else slope + part
    assert slope is not None
    reached = set(ancestors([slope]))
    bent = [w for w in xs if w in reached]
    found = dict(zip(bent, gradients(slope, bent), strict=True)) if bent else {}
    products = [found[w] if w in found else zeros_of(w, w.shape) for w in xs]
    return products[0] if isinstance(x, Node) else products


def zeros_of(x: Node, shape: Shape) -> Node:
    """Zeros of the dtype of `x`: a derivative of something that does not bend."""
    return broadcast_to(constant(0.0, x.dtype), shape)
