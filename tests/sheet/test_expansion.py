"""Every way of writing arrays number by number, against finite differences of the session that runs the arrays."""

from __future__ import annotations

import numpy as np
import pytest

import graphdl as gd
from graphdl.errors import DrawError, GradientError
from graphdl.sheet import Target, sheet
from graphdl.sheet.targets import asked, unknown

OPS = {
    "elementwise": lambda x: gd.sum(gd.tanh(x) * x - gd.exp(x) / (1 + gd.square(x))),
    "mean over an axis": lambda x: gd.sum(gd.square(gd.mean(x, axis=0))),
    "sum with its axis": lambda x: gd.sum(x * gd.sum(x, axis=1, keepdims=True)),
    "product of matrices": lambda x: gd.sum(gd.square(x @ x.T)),
    "batches of matrices": lambda x: gd.sum(
        gd.square(gd.matmul(gd.reshape(x, (2, 1, 3)), gd.reshape(gd.sin(x), (2, 3, 1))))
    ),
    "transpose and slices": lambda x: gd.sum(gd.square(x.T[1:] * 2.0)) + x[0, 1] * x[1, 2],
    "concat and pad": lambda x: gd.sum(gd.square(gd.pad(gd.concat([x, x * x], axis=1), [(1, 0), (0, 2)], 3.0))),
    "split": lambda x: gd.sum(gd.square(gd.split(x, 3, axis=1)[1]) * gd.split(x, 3, axis=1)[2]),
    "take": lambda x: gd.sum(gd.square(gd.take(x, [0, 0, 1], axis=0))),
    "take along": lambda x: gd.sum(gd.square(gd.take_along(x, np.array([2, 0])))),
    "broadcast": lambda x: gd.sum(gd.square(x + gd.sum(x, axis=0))),
    "softmax": lambda x: gd.sum(gd.square(gd.softmax(x, axis=1))),
    "softmax over rows": lambda x: gd.sum(gd.square(gd.softmax(x, axis=0))),
    "log softmax": lambda x: gd.sum(gd.square(gd.log_softmax(x))),
    "logsumexp": lambda x: gd.sum(gd.square(gd.logsumexp(x, axis=1))),
    "cross-entropy with classes": lambda x: gd.mean(gd.cross_entropy(x, np.array([2, 0]))),
    "cross-entropy with probabilities": lambda x: gd.mean(
        gd.cross_entropy(x, np.array([[0.2, 0.5, 0.3], [1.0, 0.0, 0.0]]))
    ),
    "largest and smallest": lambda x: gd.square(gd.max(x)) + gd.sum(gd.min(x, axis=1) * gd.max(x, axis=1)),
    "choice": lambda x: gd.sum(gd.where(x > 0, gd.square(x), -x) + gd.relu(x) + gd.abs(x)),
    "no gradient": lambda x: gd.sum(gd.stop_gradient(x) * x),
    "a fixed power": lambda x: gd.sum(gd.pow(x, 3)),
    "scaled squares": lambda x: 0.5 * gd.sum(gd.square(x - 1.0)) / 3.0,
    "minus": lambda x: -gd.sum(-x * 2.0 - gd.square(x)),
    "bools": lambda x: gd.sum(gd.cast(x > 0.1, "float64") * x),
}
VALUE = np.array([[0.3, -1.2, 0.7], [1.5, 0.4, -0.6]])


@pytest.mark.parametrize("name", OPS)
def test_number_by_number_is_what_the_arrays_do(name):
    x = gd.placeholder((2, 3), "float64", name="x")
    loss = OPS[name](x)
    for index in ((0, 0), (1, 2), (0, 1)):
        made = sheet(loss, (x, index), {x: VALUE}, level="scalar")
        (result,) = made.results
        if name == "no gradient":
            assert result.value == pytest.approx(VALUE[index])
        else:
            assert result.value == pytest.approx(result.numeric, rel=1e-6, abs=1e-8), (name, index)


@pytest.mark.parametrize("name", OPS)
def test_by_matrices_gives_the_same_gradient(name):
    x = gd.placeholder((2, 3), "float64", name="x")
    (whole,) = sheet(OPS[name](x), x, {x: VALUE}, level="matrix").results
    for index in ((0, 0), (1, 2)):
        (result,) = sheet(OPS[name](x), (x, index), {x: VALUE}, level="scalar").results
        assert whole.whole[index] == pytest.approx(result.value, rel=1e-12, abs=1e-15)


def test_equations_give_the_values_of_the_arrays():
    """Each right side, evaluated by itself over the numbers it reads."""
    from graphdl.sheet.equations import scalars
    from graphdl.sheet.point import point

    for name, make in OPS.items():
        x = gd.placeholder((2, 3), "float64", name="x")
        made = scalars(point(make(x), [x], {x: VALUE}, gd.Session()).run())
        computed = made.evaluate(equation.formula for equation in made.equations)
        for equation in made.equations:
            assert computed[equation.formula] == pytest.approx(made.values[equation.target], rel=1e-12, abs=1e-12), name


def test_what_cannot_be_written_number_by_number_is_derived_by_matrices():
    x = gd.placeholder((2, 3), "float64", name="x")
    loss = gd.sum(gd.prod(x, axis=1))
    assert sheet(loss, (x, (0, 0)), {x: VALUE}).level == "matrix"
    with pytest.raises(DrawError, match=r"prod is a prod, which is not written number by number; derive it with"):
        sheet(loss, (x, (0, 0)), {x: VALUE}, level="scalar")


def test_large_graphs_are_refused_number_by_number():
    x, W = gd.placeholder((None, 64), "float64", name="x"), gd.Variable(np.zeros((64, 64)), name="W")
    loss = gd.mean(x @ W)
    with pytest.raises(DrawError, match=r"about 4,097 equations, expected at most 2,000; .*--level matrix"):
        sheet(loss, (W, (0, 0)), {x: np.ones((1, 64))}, level="scalar")
    assert sheet(loss, (W, (0, 0)), {x: np.ones((1, 64))}).level == "matrix"


def test_one_element_is_derived_at_a_time():
    x = gd.placeholder((2, 3), "float64", name="x")
    with pytest.raises(DrawError, match=r"x is f64\[2, 3\], and number by number .* as in x\[0, 0\]"):
        sheet(gd.sum(x), x, {x: VALUE}, level="scalar")


def test_labels_must_be_known():
    z, label = gd.placeholder((None, 3), "float64", name="z"), gd.placeholder((None,), "int64", name="label")
    loss = gd.mean(gd.cross_entropy(z, label))
    assert sheet(loss, (z, (0, 0))).level == "matrix"
    with pytest.raises(DrawError, match=r"label is i64\[N\], which the equations need as numbers; give values"):
        sheet(loss, (z, (0, 0)), level="scalar")


def test_what_depends_on_values_is_derived_by_matrices_without_them():
    x = gd.placeholder((3,), "float64", name="x")
    assert sheet(gd.max(x), (x, (0,))).level == "matrix"
    assert sheet(gd.max(x), (x, (0,)), {x: [1.0, 3.0, 2.0]}).level == "scalar"


@pytest.mark.parametrize("index", [(2, 0), (0,), (0, 0, 0), (-1, 0)])
def test_an_element_must_exist(index):
    x = gd.placeholder((2, 3), "float64", name="x")
    with pytest.raises(
        GradientError, match=r"x has no element \[.*\]: its shape is \(2, 3\), and indices count from 0"
    ):
        sheet(gd.sum(x), (x, index))


def test_the_session_of_the_user_stays_as_it_was():
    w = gd.Variable(np.ones(4, "float32"), name="w")
    session = gd.Session(seed=1)
    before = session.run(w).copy()
    sheet(gd.sum(gd.square(gd.dropout(w, 0.5))), w, {}, session, rate=0.1, ebp=True)
    assert session.state.step == 0
    np.testing.assert_array_equal(session.run(w), before)


def names_for(text: str) -> tuple[str, tuple[int, ...] | None] | None:
    W, W1, W2 = (
        gd.Variable(np.zeros(shape), name=name) for name, shape in (("W", (4, 3)), ("W1", (2, 2)), ("W2", (3, 1)))
    )
    b, s = gd.Variable(np.zeros(3), name="b"), gd.Variable(0.0, "float64", name="w22")
    loss = gd.sum(W) + gd.sum(W1) + gd.sum(W2) + gd.sum(b) + s
    target = asked(loss, text, {b: "β"})
    return None if target is None else (target.node.name, target.index)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("W", ("W", None)),
        ("W[0, 2]", ("W", (0, 2))),
        ("W[3,1]", ("W", (3, 1))),
        ("w11", ("W", (0, 0))),
        ("W43", ("W", (3, 2))),
        ("w₁₁", ("W", (0, 0))),
        ("w1_12", ("W1", (0, 1))),
        ("w⁽¹⁾₂₁", ("W1", (1, 0))),
        ("W2_3", ("W2", (2, 0))),
        ("b3", ("b", (2,))),
        ("β[1]", ("b", (1,))),
        ("w22", ("w22", None)),
        ("w51", None),
        ("q", None),
    ],
)
def test_what_is_typed_names_a_node_or_an_element(text, expected):
    assert names_for(text) == expected


def test_an_unknown_name_is_answered_with_the_known_ones():
    weight = gd.Variable(np.zeros((2, 2)), name="weight")
    message = str(unknown(gd.sum(weight), "wieght", {}))
    assert "has no node 'wieght'. Did you mean 'weight'? It has 'weight', 'sum'" in message
    assert "an element is W[0, 0], or w11 counted from 1" in message


def test_targets_may_be_given_in_any_form():
    x = gd.placeholder((2,), "float64", name="x")
    loss = gd.sum(gd.square(x))
    for wrt in ((x, (1,)), [(x, (1,))], Target(x, (1,)), [Target(x, (1,))]):
        assert [r.value for r in sheet(loss, wrt, {x: [3.0, 5.0]}).results] == [10.0]
