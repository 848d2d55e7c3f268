"""A second opinion: values and gradients of functions that PyTorch has under the same name, conventions included."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

import graphdl as gd
from graphdl.ir.op import build
from tests.ops.checks import all_cases, close, gradients_or_none, run

torch = pytest.importorskip("torch", reason="torch is not installed")
F = torch.nn.functional


def _over(function):
    def call(x, axis, keepdims=False):
        return function(x, dim=axis, keepdim=keepdims)

    return call


def _prod(x, axis, keepdims=False):
    for i in sorted(axis, reverse=True):
        x = torch.prod(x, dim=i, keepdim=keepdims)
    return x


def _first(x):
    """Images with channels first, as torch has them."""
    return x.permute(0, 3, 1, 2)


def _last(x):
    return x.permute(0, 2, 3, 1)


def _around(x, pads, value=0.0):
    (top, bottom), (left, right) = pads
    return F.pad(_first(x), (left, right, top, bottom), value=value)


def _conv2d(x, kernel, strides=1, pads=((0, 0), (0, 0)), dilation=1, groups=1):
    weights = kernel.permute(3, 2, 0, 1)
    return _last(F.conv2d(_around(x, pads), weights, stride=strides, dilation=dilation, groups=groups))


def _conv2d_transpose(dy, kernel, lengths, strides=1, pads=((0, 0), (0, 0)), dilation=1, groups=1):
    (top, bottom), (left, right) = pads
    rows, columns = lengths
    whole = F.conv_transpose2d(_first(dy), kernel.permute(3, 2, 0, 1), stride=strides, dilation=dilation, groups=groups)
    wanted = (top + rows + bottom - whole.shape[2], left + columns + right - whole.shape[3])
    whole = F.pad(whole, (0, wanted[1], 0, wanted[0]))
    return _last(whole[:, :, top : top + rows, left : left + columns])


def _max_pool2d(x, window, strides, pads):
    return _last(F.max_pool2d(_around(x, pads, -torch.inf), window, strides))


TORCH = {
    "abs": torch.abs,
    "add": torch.add,
    "add_n": lambda *xs: sum(xs[1:], xs[0]),
    "affine": lambda x, W, b: F.linear(x, W.T, b),
    "broadcast_to": lambda x, shape: torch.broadcast_to(x, shape),
    "clip": torch.clip,
    "concat": lambda *xs, axis: torch.cat(xs, axis),
    "conv2d": _conv2d,
    "conv2d_transpose": _conv2d_transpose,
    "cos": torch.cos,
    "divide": torch.divide,
    "einsum": lambda *xs, axes, result: torch.einsum(*(part for pair in zip(xs, axes) for part in pair), result),
    "elu": lambda a, alpha: torch.where(a > 0, a, alpha * torch.expm1(torch.clamp(a, max=0))),
    "erf": torch.erf,
    "exp": torch.exp,
    "expm1": torch.expm1,
    "gelu": F.gelu,
    "leaky_relu": lambda a, slope: torch.where(a > 0, a, slope * a),
    "log": torch.log,
    "log1p": torch.log1p,
    "log_softmax": lambda x, axis: F.log_softmax(x, axis),
    "logsumexp": _over(torch.logsumexp),
    "matmul": torch.matmul,
    "max": _over(torch.amax),
    "maximum": torch.maximum,
    "max_pool2d": _max_pool2d,
    "mean": _over(torch.mean),
    "min": _over(torch.amin),
    "minimum": torch.minimum,
    "multiply": torch.multiply,
    "negative": torch.negative,
    "power": torch.pow,
    "prod": _prod,
    "reciprocal": torch.reciprocal,
    "relu": F.relu,
    "reshape": torch.reshape,
    "selu": F.selu,
    "sigmoid": torch.sigmoid,
    "sigmoid_cross_entropy": lambda z, t: F.binary_cross_entropy_with_logits(z, t, reduction="none"),
    "silu": F.silu,
    "sin": torch.sin,
    "softmax": lambda x, axis: F.softmax(x, axis),
    "softmax_cross_entropy": lambda z, t: F.cross_entropy(z, t, reduction="none"),
    "softplus": F.softplus,
    "sparse_softmax_cross_entropy": lambda z, labels: F.cross_entropy(z, labels, reduction="none"),
    "sqrt": torch.sqrt,
    "square": torch.square,
    "subtract": torch.subtract,
    "sum": _over(torch.sum),
    "take_along": lambda x, i: torch.gather(x, -1, i[..., None])[..., 0],
    "tanh": torch.tanh,
    "transpose": lambda x, perm: torch.permute(x, perm),
    "var": lambda x, axis, keepdims=False: torch.var(x, dim=axis, correction=0, keepdim=keepdims),
    "where": torch.where,
    "xlogy": torch.xlogy,
}
CASES = [c for c in all_cases() if c.name in TORCH and c.slots]


def agree(case, arrays, tolerance: float = 1e-9) -> None:
    """Value, and gradients of the sum of all elements, are torch's."""
    inputs = [gd.placeholder(a.shape, a.dtype) for a in arrays]
    node = build(case.op, *inputs)
    slopes = gradients_or_none(node, [inputs[i] for i in case.slots], gd.ones(node.shape, node.dtype))
    value, *found = run([node, *[s for s in slopes if s is not None]], inputs, arrays)
    tensors = [torch.tensor(a, requires_grad=a.dtype.kind == "f") for a in arrays]
    theirs = TORCH[case.name](*tensors, **case.sample.attributes)
    close(value, theirs.detach().numpy(), tolerance)
    theirs.sum().backward()
    grads = [tensors[i].grad for i, s in zip(case.slots, slopes, strict=True) if s is not None]
    for slope, grad in zip(found, grads, strict=True):
        close(slope, grad.numpy(), tolerance)


@pytest.mark.parametrize("seed", [0, 1, 2])
@pytest.mark.parametrize("case", CASES, ids=lambda c: f"{c.name}-{c.number}")
def test_value_and_gradient_are_those_of_torch(case, seed):
    agree(case, case.arrays("float64", seed))


# Kinks, ties, poles and bounds, where the conventions are.
CONVENTIONS = {
    "abs": [[0.0, -0.0, 1.0, -1.0]],
    "clip": [[-1.0, 1.0, 0.0, -2.0, 2.0], [-1.0] * 5, [1.0] * 5],
    "divide": [[1.0, 0.0, -1.0], [0.0, 2.0, 0.0]],
    "leaky_relu": [[0.0, 1.0, -1.0], [0.1, 0.1, 0.1]],
    "elu": [[0.0, 1.0, -1.0], [1.0, 1.0, 1.0]],
    "log": [[0.0, 1.0]],
    "max": [[1.0, 3.0, 3.0], [2.0, 2.0, 2.0]],
    "maximum": [[1.0, 2.0, 0.0], [1.0, 1.0, 0.0]],
    "min": [[1.0, 3.0, 1.0], [2.0, 2.0, 2.0]],
    "minimum": [[1.0, 2.0, 0.0], [1.0, 1.0, 0.0]],
    "power": [[2.0, 0.5, 3.0, 0.0], [0.0, 0.0, 1.0, 2.0]],
    "prod": [[0.0, 2.0, 3.0], [0.0, 0.0, 5.0]],
    "reciprocal": [[0.0, 2.0]],
    "relu": [[0.0, -0.0, 1.0, -1.0]],
    "selu": [[0.0, 1.0, -1.0]],
    "silu": [[0.0, 800.0, -800.0]],
    "softplus": [[0.0, 1000.0, -1000.0]],
    "sqrt": [[0.0, 4.0]],
    "tanh": [[0.0, 400.0, -400.0]],
    "xlogy": [[0.0, 1.0], [2.0, 1.0]],
}


@pytest.mark.parametrize("name", CONVENTIONS)
def test_conventions_are_those_of_torch(name):
    case = next(c for c in CASES if c.name == name)
    arrays = [np.array(row) for row in CONVENTIONS[name]]
    if name in ("max", "min", "prod"):
        axis = next(c for c in CASES if c.name == name and c.op.axis == (1,))
        case, arrays = dataclasses.replace(axis, sample=axis.sample), [np.array(CONVENTIONS[name])]
    with np.errstate(all="ignore"):
        agree(case, arrays)
