"""graphdl: a symbolic computation-graph compiler that a person can read.

Define a network as a static graph; graphdl differentiates it by the chain rule, optimises it, lowers it to
NumPy source, runs it in a session, draws it, and writes it as a stand-alone training script.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

from graphdl.autodiff.gradients import derive, gradients
from graphdl.autodiff.higher import hessian, hessian_vector_product, jacobian
from graphdl.autodiff.scan import scan
from graphdl.config import floatx, set_floatx
from graphdl.errors import (
    DataError,
    DrawError,
    DTypeError,
    ExecutionError,
    ExtraMissing,
    FeedError,
    FetchError,
    FormatError,
    FormulaError,
    GradientError,
    GraphdlError,
    GraphError,
    LintWarning,
    NonFiniteError,
    ShapeError,
    WriteError,
    ZeroGradientWarning,
)
from graphdl.ir.graph import Graph, Updates, assign, group
from graphdl.ir.leaves import Variable, constant, placeholder
from graphdl.ir.node import Node
from graphdl.ir.origin import name_scope
from graphdl.ir.registry import register_builder
from graphdl.ops.arithmetic import (
    abs,
    add,
    add_n,
    clip,
    divide,
    equal,
    floor,
    greater,
    greater_equal,
    isfinite,
    less,
    less_equal,
    logical_and,
    logical_not,
    logical_or,
    maximum,
    minimum,
    multiply,
    negative,
    not_equal,
    reciprocal,
    sign,
    sqrt,
    square,
    subtract,
    where,
)
from graphdl.ops.conv import conv1d, conv2d, conv2d_transpose, depthwise_conv2d, separable_conv2d
from graphdl.ops.einsum import einsum
from graphdl.ops.indexing import gather, one_hot, scatter_add, take, take_along
from graphdl.ops.linalg import matmul
from graphdl.ops.nn import cross_entropy, log_softmax, sigmoid_cross_entropy, softmax
from graphdl.ops.parts import concat, pad, pick, split, stack
from graphdl.ops.pool import average_pool1d, average_pool2d, max_pool1d, max_pool2d
from graphdl.ops.random import dropout, random_normal, random_uniform
from graphdl.ops.reduce import argmax, logsumexp, max, mean, min, prod, sum, var
from graphdl.ops.shape import (
    broadcast_to,
    cast,
    expand_dims,
    full,
    reshape,
    squeeze,
    stop_gradient,
    sum_to,
    transpose,
)
from graphdl.ops.transcendental import (
    cos,
    elu,
    erf,
    exp,
    expm1,
    gelu,
    leaky_relu,
    log,
    log1p,
    pow,
    power,
    relu,
    selu,
    sigmoid,
    silu,
    sin,
    softplus,
    tanh,
    xlogy,
)

if TYPE_CHECKING:
    from graphdl.runtime.check import check_gradients
    from graphdl.runtime.session import Session, global_variables_initializer
    from graphdl.runtime.stepper import Stepper

__version__ = "0.1.0"

bool = "bool"
float32 = "float32"
float64 = "float64"
int32 = "int32"
int64 = "int64"
uint8 = "uint8"

# Loaded when first used: each needs more than NumPy, or is not needed by every program.
_LAZY = {
    "check_gradients": "graphdl.runtime.check",
    "elementwise": "graphdl.symbolic",
    "to_sympy": "graphdl.symbolic",
    "Session": "graphdl.runtime.session",
    "Stepper": "graphdl.runtime.stepper",
    "global_variables_initializer": "graphdl.runtime.session",
    "load_graph": "graphdl.ir.serialize",
    "lint": "graphdl.keras.lint",
    "save_graph": "graphdl.ir.serialize",
}
# graphdl.draw is a module that can be called.
_MODULES = ("draw", "keras", "symbolic", "export")


def zeros(shape: Any, dtype: Any = None, name: str | None = None) -> Node:
    """Zeros; sizes may be symbolic."""
    return full(shape, 0.0, dtype, name)


def ones(shape: Any, dtype: Any = None, name: str | None = None) -> Node:
    """Ones; sizes may be symbolic."""
    return full(shape, 1.0, dtype, name)


def _mimebundle(thing: Any, include: Any = None, exclude: Any = None) -> tuple[dict[str, str], dict[str, Any]]:
    """What a notebook shows for a node, a graph or a model; drawing is loaded when the first one is shown."""
    from graphdl.draw.notebook import mimebundle

    return mimebundle(thing, include, exclude)


register_builder("mimebundle", _mimebundle)


def __getattr__(name: str) -> Any:
    if name in _LAZY:
        found = globals()[name] = getattr(importlib.import_module(_LAZY[name]), name)
        return found
    if name in _MODULES:
        return importlib.import_module(f"graphdl.{name}")
    raise AttributeError(f"module 'graphdl' has no attribute {name!r}")


__all__ = [
    "DTypeError",
    "DataError",
    "DrawError",
    "ExecutionError",
    "ExtraMissing",
    "FeedError",
    "FetchError",
    "FormatError",
    "FormulaError",
    "GradientError",
    "Graph",
    "GraphError",
    "GraphdlError",
    "LintWarning",
    "Node",
    "NonFiniteError",
    "Session",
    "ShapeError",
    "Stepper",
    "Updates",
    "Variable",
    "WriteError",
    "ZeroGradientWarning",
    "abs",
    "add",
    "add_n",
    "argmax",
    "assign",
    "average_pool1d",
    "average_pool2d",
    "bool",
    "broadcast_to",
    "cast",
    "check_gradients",
    "clip",
    "concat",
    "constant",
    "conv1d",
    "conv2d",
    "conv2d_transpose",
    "cos",
    "cross_entropy",
    "depthwise_conv2d",
    "derive",
    "divide",
    "draw",
    "dropout",
    "einsum",
    "elementwise",
    "elu",
    "equal",
    "erf",
    "exp",
    "expand_dims",
    "expm1",
    "export",
    "float32",
    "float64",
    "floatx",
    "floor",
    "full",
    "gather",
    "gelu",
    "global_variables_initializer",
    "gradients",
    "greater",
    "greater_equal",
    "group",
    "hessian",
    "hessian_vector_product",
    "int32",
    "int64",
    "isfinite",
    "jacobian",
    "keras",
    "leaky_relu",
    "less",
    "less_equal",
    "lint",
    "load_graph",
    "log",
    "log1p",
    "log_softmax",
    "logical_and",
    "logical_not",
    "logical_or",
    "logsumexp",
    "matmul",
    "max",
    "max_pool1d",
    "max_pool2d",
    "maximum",
    "mean",
    "min",
    "minimum",
    "multiply",
    "name_scope",
    "negative",
    "not_equal",
    "one_hot",
    "ones",
    "pad",
    "pick",
    "placeholder",
    "pow",
    "power",
    "prod",
    "random_normal",
    "random_uniform",
    "reciprocal",
    "relu",
    "reshape",
    "save_graph",
    "scan",
    "scatter_add",
    "selu",
    "separable_conv2d",
    "set_floatx",
    "sigmoid",
    "sigmoid_cross_entropy",
    "sign",
    "silu",
    "sin",
    "softmax",
    "softplus",
    "split",
    "sqrt",
    "square",
    "squeeze",
    "stack",
    "stop_gradient",
    "subtract",
    "sum",
    "sum_to",
    "symbolic",
    "take",
    "take_along",
    "tanh",
    "to_sympy",
    "transpose",
    "uint8",
    "var",
    "where",
    "xlogy",
    "zeros",
]
