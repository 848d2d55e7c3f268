"""Every op of the registry, on every sample: an op is tested by existing."""

from __future__ import annotations

import ast
import dataclasses
import itertools
from typing import Any

import numpy as np
import pytest

import graphdl as gd
from graphdl.compile.emit import emit
from graphdl.compile.kernels import KERNELS
from graphdl.errors import ShapeError
from graphdl.ir.dim import SymDim
from graphdl.ir.elementwise import Elementwise
from graphdl.ir.leaves import Leaf
from graphdl.ir.op import Op, build
from graphdl.ir.registry import all_ops
from graphdl.ir.types import TensorType
from tests.ops.checks import (
    EXACT,
    all_cases,
    check_second,
    check_value,
    check_vjp,
    close,
    gradients_or_none,
    has_derivative,
    results,
    run,
    weighted,
)
from tests.ops.oracles import ORACLES

CASES = list(all_cases())
DIFFERENTIABLE = [c for c in CASES if has_derivative(c)]
FUSED = [c for c in DIFFERENTIABLE if type(c.op).decompose is not Op.decompose]
ELEMENTWISE = [c for c in CASES if isinstance(c.op, Elementwise) and c.number == 0]
SEVERAL = [c for c in ELEMENTWISE if len(c.sample.shapes) > 1]
FLOATS = ("float32", "float64")


def _takes_batches(case) -> bool:
    try:
        build(case.op, *case.inputs("float32"))
    except ShapeError:
        return False
    return True


BATCHED = [c for c in (dataclasses.replace(c, rows=7) for c in CASES) if _takes_batches(c)]


def of(cases):
    return pytest.mark.parametrize("case", cases, ids=lambda c: f"{c.name}-{c.number}")


def with_gradients(case, floats: str, feeds: Any = None):
    """Inputs, the results of the op and the gradients of a weighted sum of them, and what to feed."""
    inputs, arrays = case.inputs(floats), case.arrays(floats)
    nodes = results(build(case.op, *inputs))
    loss, weights = weighted(nodes, [t.shape for t in case.truth(arrays)], np.random.default_rng(0))
    slopes = gradients_or_none(loss, [inputs[i] for i in case.slots])
    return [*nodes, *[s for s in slopes if s is not None]], dict(zip(inputs, arrays, strict=True)) | weights


def test_every_op_that_is_no_leaf_has_a_sample_and_an_oracle():
    names = {name for name, entry in all_ops() if not (isinstance(entry, type) and issubclass(entry, Leaf))}
    # `pick` stands only behind `split`, and is tried there.
    assert {c.name for c in CASES} == names - {"pick"} == set(ORACLES)


@pytest.mark.parametrize("level", [0, 2])
@pytest.mark.parametrize("floats", FLOATS)
@of(CASES)
def test_value_shape_and_dtype_are_those_of_numpy(case, floats, level):
    check_value(case, floats, level=level)


@of(BATCHED)
def test_value_and_gradient_hold_for_a_symbolic_batch(case):
    check_value(case, "float32")
    check_vjp(case)


@of(DIFFERENTIABLE)
def test_gradient_is_that_of_finite_differences(case):
    slots = check_vjp(case)
    if isinstance(case.op, Elementwise):
        assert slots == sum(case.op.partials[i] is not None for i in case.slots)


@of(DIFFERENTIABLE)
def test_second_derivative_is_that_of_finite_differences(case):
    check_second(case)


@of(DIFFERENTIABLE)
def test_gradient_in_float32_is_float32_and_near_that_in_float64(case):
    narrow, wide = (run_dict(with_gradients(case, floats)) for floats in FLOATS)
    count = len(case.truth(case.arrays("float64")))
    for single, double in zip(narrow[count:], wide[count:], strict=True):
        # The body of a loop says itself what its floats are.
        assert single.dtype == ("float64" if "float64" in case.sample.dtypes else "float32")
        close(single, double, 1e-4)


@pytest.mark.parametrize("floats", FLOATS)
@of(CASES)
def test_readable_and_fast_style_agree_to_the_bit(case, floats):
    nodes, feeds = with_gradients(case, floats)
    readable, fast = (gd.Session(style=style).run(nodes, feeds) for style in ("readable", "fast"))
    same_bits(readable, fast)


@of(CASES)
def test_in_place_and_out_forms_agree_to_the_bit(case):
    """The inputs are intermediates that die at the op, so their buffers are its to write on."""
    inputs, arrays = case.inputs("float32"), case.arrays("float32")
    passed = [gd.logical_not(x) if x.dtype == "bool" else x * 1 for x in inputs]
    fed = [~a if a.dtype == bool else a for a in arrays]
    node = build(case.op, *passed)
    session = gd.Session(level=0)
    alone = run(results(build(case.op, *inputs)), inputs, arrays, level=0, style="readable")
    same_bits(session.run(results(node), dict(zip(inputs, fed, strict=True))), alone)
    _assert_written_in_place(session.compile(results(node)), node, passed)


def _assert_written_in_place(compiled, node, passed):
    """Where an operand has the type of the value and is done with, the value lies where the operand lay."""
    plan = compiled.program.plan
    instr = next(i for i in reversed(compiled.program.instrs) if i.node.op is node.op)
    passed = [p for p in passed if p in plan.buffer]
    free = [p for i, p in enumerate(instr.node.inputs) if i in instr.template.safe_in_place and p.type == node.type]
    assert all(p in passed for p in free)
    assert not free or plan.buffer[instr.node] in [plan.buffer[p] for p in free]


@pytest.mark.parametrize("floats", FLOATS)
@of(SEVERAL)
def test_numbers_in_place_of_operands_keep_the_dtype(case, floats):
    """float32 stays float32 when some operands are plain numbers, which Python would take for float64."""
    inputs, arrays = case.inputs(floats), case.arrays(floats)
    places = [i for i, a in enumerate(arrays) if a.dtype != bool]
    for count in range(1, len(places)):
        for chosen in itertools.combinations(places, count):
            numbers = {i: arrays[i].ravel()[0] for i in chosen}
            mixed = [gd.constant(numbers[i]) if i in numbers else x for i, x in enumerate(inputs)]
            true = case.truth([np.full_like(a, numbers[i]) if i in numbers else a for i, a in enumerate(arrays)])
            feeds = {x: a for i, (x, a) in enumerate(zip(inputs, arrays, strict=True)) if i not in numbers}
            found = [
                gd.Session(style=style, level=level).run(case.op(*mixed), feeds)
                for style, level in itertools.product(("readable", "fast"), (0, 2))
            ]
            for value in found:
                same_bits([value], found[:1])
                assert value.dtype == true[0].dtype
                close(value, true[0], EXACT[floats])


@of(SEVERAL)
def test_operands_broadcast_as_in_numpy(case):
    inputs, arrays = case.inputs("float64"), case.arrays("float64")
    smaller = [[a[:1], a[:, :1], a[0], a[0, 0]][i % 4] for i, a in enumerate(arrays)]
    for kept in range(len(arrays)):
        fed = [a if i == kept else s for i, (a, s) in enumerate(zip(arrays, smaller, strict=True))]
        nodes = [gd.placeholder(a.shape, x.dtype) for a, x in zip(fed, inputs, strict=True)]
        close(run(case.op(*nodes), nodes, fed), case.truth(fed)[0], EXACT["float64"])


@pytest.mark.parametrize("order", [0, 1, 2])
@of(FUSED)
def test_fused_op_equals_its_decomposition(case, order):
    """Up to second derivatives, and on overflow samples only where the decomposition itself is finite."""
    inputs, arrays = case.inputs("float64"), case.arrays("float64")
    whole, parts = (
        _derivatives(node, inputs, case, order) for node in (build(case.op, *inputs), case.op.decompose(*inputs))
    )
    found, expected = (run(n, inputs, arrays, stabilise=False) for n in (whole, parts))
    assert len(found) == len(expected)
    for value, true in zip(found, expected, strict=True):
        assert np.isfinite(value).all()
        if np.isfinite(true).all():
            close(value, true, 1e-10)
        else:
            assert not case.sample.smooth


def _derivatives(node, inputs, case, order: int):
    """The value, or gradients of a projection of it, or gradients of a projection of those."""
    random = np.random.default_rng(5)
    nodes = results(node)
    for _ in range(order):
        loss = gd.add_n(*[gd.sum(n * gd.constant(random.uniform(0.5, 1.5, n.shape))) for n in nodes])
        wrt = [inputs[i] for i in case.slots]
        nodes = [n for n in gradients_or_none(loss, wrt, stabilise=False) if n is not None]
    return nodes


@of(CASES)
def test_label_in_latex_has_balanced_braces_and_every_operand(case):
    operands = [f"x_{{{i}}}" for i in range(len(case.sample.shapes))]
    label = case.op.latex(*operands)
    depths = list(itertools.accumulate({"{": 1, "}": -1}.get(c, 0) for c in label))
    assert depths[-1] == 0 <= min(depths)
    assert all(operand in label for operand in operands)
    assert label.isprintable()


@of(CASES)
def test_cost_is_a_polynomial_that_is_not_negative(case):
    symbolic = dataclasses.replace(case, rows=7)
    inputs = (symbolic if _takes_batches(symbolic) else case).inputs("float32")
    node = build(case.op, *inputs)
    cost = case.op.flops(node.type, *[x.type for x in inputs])
    assert isinstance(cost, SymDim) or cost >= 0


@of(CASES)
def test_flat_ops_say_why(case):
    """A float input whose gradient is nothing comes with a reason."""
    node = build(case.op, *case.inputs("float64"))
    if isinstance(node.type, TensorType) and case.slots and not has_derivative(case):
        assert case.op.why_flat


# The part of CuPy's interface that programs may use (CuPy 13: routines and ufuncs).
CUPY = frozenset(
    """
    abs absolute add arange argmax argsort array asarray ascontiguousarray broadcast_to concatenate cos divide
    dot einsum empty equal exp expm1 flatnonzero floor full greater greater_equal inf isfinite less less_equal
    lib log log1p logical_and logical_not logical_or matmul max maximum mean min minimum multiply nan negative
    not_equal ones ones_like pad power prod sign sin split sqrt square squeeze subtract sum take take_along_axis
    tanh where zeros zeros_like
    """.split()  # noqa: SIM905 (sixty names in quotes are no reading)
)
METHODS = {
    "astype",
    "copy",
    "dot",
    "reshape",
    "size",
    "reduce",
    "shape",
    "transpose",
    "view",
    "at",
    "T",
    "dtype",
    "ndim",
    "strides",
    "append",
}
# Of the methods of ufuncs, CuPy has `reduce` and `at` for these only (its issue 7082).
UFUNC_METHODS = {"add.reduce", "multiply.reduce", "add.at", "lib.stride_tricks", "lib.stride_tricks.as_strided"}


@pytest.mark.parametrize("style", ["readable", "fast"])
@of(CASES)
def test_cupy_source_calls_only_what_cupy_has(case, style):
    nodes, _ = with_gradients(case, "float32")
    program = gd.Session().compile(nodes).program
    module = emit(program, style, "import cupy as xp")
    assert module.text.startswith("import cupy as xp\n")
    assert "numpy" not in module.text
    tree = ast.parse(module.text)
    known = _defined(tree) | {"xp", "range", "slice", "zip", "min"}
    for part in ast.walk(tree):
        if isinstance(part, ast.Name):
            assert part.id in known, part.id
        if isinstance(part, ast.Attribute):
            _assert_in_cupy(part)


def _defined(tree: ast.Module) -> set[str]:
    stored = {n.id for n in ast.walk(tree) if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Store)}
    functions = [n for n in ast.walk(tree) if isinstance(n, ast.FunctionDef)]
    names = {f.name for f in functions} | {a.arg for f in functions for a in [*f.args.args, f.args.vararg] if a}
    assert all(f.name in KERNELS or f.name in ("step", "bind") or f.name.startswith("loop_") for f in functions)
    return stored | names


def _assert_in_cupy(part: ast.Attribute) -> None:
    owner = ast.unparse(part.value)
    if owner == "xp":
        assert part.attr in CUPY, part.attr
    elif owner.startswith("xp."):
        assert f"{owner[3:]}.{part.attr}" in UFUNC_METHODS or part.attr in METHODS - {"reduce", "at"}, ast.unparse(part)
    else:
        assert part.attr in METHODS, part.attr


def run_dict(asked) -> list[np.ndarray]:
    nodes, feeds = asked
    return gd.Session().run(nodes, feeds)


def same_bits(some: list, others: list) -> None:
    for a, b in zip(some, others, strict=True):
        assert (a.dtype, np.shape(a)) == (b.dtype, np.shape(b))
        assert np.asarray(a).tobytes() == np.asarray(b).tobytes()
