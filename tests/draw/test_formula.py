"""Formulas in plain text. Their values are checked by reading them back as Python."""

import math

import pytest

import graphdl as gd
from graphdl.draw.formula import applied, formulas


def _leaves(*names):
    nodes = [gd.placeholder((), "float64", name=name) for name in names]
    return nodes, {node: node.name for node in nodes}


def _read(text, **values):
    python = text.replace("−", "-").replace("·", "*").replace("²", "**2").replace("^", "**").replace("√", "sqrt")
    names = {"exp": math.exp, "sqrt": math.sqrt, "σ": lambda a: 1 / (1 + math.exp(-a)), **values}
    return eval(python, {"__builtins__": {}}, names)


@pytest.mark.parametrize(
    "build",
    [
        lambda x, y, z: (x + y) * z,
        lambda x, y, z: x - (y - z),
        lambda x, y, z: x - (y + z) * (x - z),
        lambda x, y, z: x / (y * z),
        lambda x, y, z: x / y / z,
        lambda x, y, z: -(x + y) * z,
        lambda x, y, z: -(-x),
        lambda x, y, z: x * -y,
        lambda x, y, z: x - -y,
        lambda x, y, z: gd.square(x + y) * gd.square(-z),
        lambda x, y, z: gd.square(gd.square(x)),
        lambda x, y, z: gd.sigmoid(x) * (1 - gd.sigmoid(x)),
        lambda x, y, z: gd.sqrt(y) / (x / z),
        lambda x, y, z: gd.reciprocal(y * z) + gd.exp(-x),
        lambda x, y, z: gd.add_n(x, -y, z * x),
        lambda x, y, z: (x * 1 + 0) * (y * -1),
    ],
)
def test_brackets_stand_exactly_where_the_value_needs_them(build):
    (x, y, z), symbols = _leaves("x", "y", "z")
    node = build(x, y, z)
    text = formulas([node], symbols)[node]
    values = [0.7, 1.9, 0.4]
    expected = gd.Session().run(node, dict(zip((x, y, z), values, strict=True)))
    assert _read(text, **dict(zip("xyz", values, strict=True))) == pytest.approx(float(expected))


def test_ones_and_copies_are_left_out_of_derivatives_but_not_of_what_the_user_wrote():
    (x,), symbols = _leaves("x")
    node = x * 1
    one = node.inputs[1]
    assert formulas([node], symbols)[node] == "x"
    assert applied(node, {x: "x", one: "1"}) == "x · 1"


def test_products_of_arrays_are_told_from_products_with_numbers():
    a, b = gd.placeholder((2, 3), name="a"), gd.placeholder((2, 3), name="b")
    symbols = {a: "a", b: "b"}
    both, scaled, matrix = a * b, a * 2, a @ b.T
    assert formulas([both, scaled, matrix], symbols) == {both: "a ⊙ b", scaled: "a · 2", matrix: "a · bᵀ"}


def test_parts_of_arrays_and_named_axes_are_written_as_they_are_asked_for():
    a, b = gd.placeholder((4, 3), name="a"), gd.placeholder((2, 3), name="b")
    pairs, rows, corner = gd.einsum("id,jd->ij", a, b), a[1:3], a[::2, 0:1]
    second = gd.split(b, 3, axis=1)[1]
    assert formulas([pairs, rows, corner, second], {a: "a", b: "b"}) == {
        pairs: "einsum(ab, cb → ac: a, b)",
        rows: "a[1:3, :]",
        corner: "a[0:4:2, 0:1]",
        second: "split(b)[1]",
    }
    assert formulas([rows], {a: "∂L/∂a"})[rows] == "(∂L/∂a)[1:3, :]"


def test_names_of_the_chain_rule_are_not_taken_for_the_users():
    from graphdl.draw.trace import trace

    x = gd.placeholder((), "float64", name="x")
    first = gd.gradients(gd.exp(x) * x, x)
    made = trace(gd.add(first, x, name="h"), x, {"x": 0.5})
    assert [node.symbol for node in made.forward if node.op in ("exp", "multiply")] == ["t₁", "t₂", "t₃", "t₄"]
