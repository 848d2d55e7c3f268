"""Initial values: their bounds and moments."""

from __future__ import annotations

import json

import numpy as np
import pytest

import graphdl as gd
from graphdl.errors import GraphError
from graphdl.keras import initializers

SHAPE = (300, 200)


def drawn(identifier, shape=SHAPE, seed=0):
    w = gd.Variable(initializers.get(identifier)(shape, "float32"), name="w")
    return gd.Session(seed=seed).run(w)


@pytest.mark.parametrize(
    ("name", "limit"),
    [
        ("glorot_uniform", np.sqrt(6 / 500)),
        ("he_uniform", np.sqrt(6 / 300)),
        ("lecun_uniform", np.sqrt(3 / 300)),
        ("random_uniform", 0.05),
    ],
)
def test_uniform_values_fill_their_interval(name, limit):
    w = drawn(name)
    assert w.dtype == np.float32
    assert -limit <= w.min() < -0.99 * limit
    assert 0.99 * limit < w.max() <= limit
    assert abs(w.std() - limit / np.sqrt(3)) < 0.01 * limit


@pytest.mark.parametrize(
    ("name", "stddev"),
    [("glorot_normal", np.sqrt(2 / 500)), ("he_normal", np.sqrt(2 / 300)), ("lecun_normal", np.sqrt(1 / 300))],
)
def test_truncated_values_have_the_wanted_variance_and_no_tail(name, stddev):
    w = drawn(name)
    assert abs(w.std() / stddev - 1) < 0.01
    assert abs(w).max() <= 2 * stddev / 0.8796 * 1.0001


def test_normal_values_have_a_tail():
    w = drawn("random_normal")
    assert abs(w.std() / 0.05 - 1) < 0.01
    assert abs(w).max() > 3 * 0.05
    assert abs(drawn("truncated_normal")).max() <= 2 * 0.05


def test_zeros_ones_and_constants():
    assert (drawn("zeros") == 0).all()
    assert (drawn("ones") == 1).all()
    assert (drawn(initializers.Constant(2.5)) == 2.5).all()
    table = np.arange(6.0).reshape(2, 3)
    assert (drawn(initializers.Constant(table), (2, 3)) == table).all()


def test_a_constant_of_another_shape_is_refused():
    with pytest.raises(GraphError, match=r"an initial value has shape \(2,\), expected that of the variable, \(3,\)"):
        drawn(initializers.Constant([1.0, 2.0]), (3,))


def test_the_seed_decides_the_values():
    assert (drawn("he_normal", seed=1) == drawn("he_normal", seed=1)).all()
    assert (drawn("he_normal", seed=1) != drawn("he_normal", seed=2)).any()


def test_orthogonal_matrices_leave_lengths_alone():
    for shape in [(40, 40), (40, 90), (90, 40), (3, 3, 4, 16), (1, 5)]:
        w = drawn("orthogonal", shape).reshape(-1, shape[-1])
        few = w @ w.T if w.shape[0] <= w.shape[1] else w.T @ w
        np.testing.assert_allclose(few, np.eye(len(few)), atol=1e-6)
    w = drawn(initializers.Orthogonal(gain=2.0), (20, 20))
    np.testing.assert_allclose(w @ w.T, 4 * np.eye(20), atol=1e-5)


def test_orthogonal_matrices_are_those_of_a_qr_decomposition():
    shape = (70, 50)
    found = initializers.get("orthogonal")(shape, "float64")
    (normal,) = [node for node in gd.Graph(found).nodes if node.op.name == "noise"]
    a, w = gd.Session().run([normal, found])
    q, r = np.linalg.qr(a.T)
    np.testing.assert_allclose(w, q * np.sign(np.diag(r)), atol=1e-12)


def test_no_turn_is_more_likely_than_another():
    turn, session = initializers.get("orthogonal")((2, 2), "float64"), gd.Session()
    angles = [np.arctan2(w[1, 0], w[0, 0]) for w in (session.run(turn) for _ in range(300))]
    counts, _ = np.histogram(angles, 6, (-np.pi, np.pi))
    assert ((counts - 50) ** 2 / 50).sum() < 20.5  # chi-squared of 5 degrees of freedom, 99.9 %


def test_the_identity_has_its_gain_on_the_diagonal():
    assert (drawn("identity", (3, 3)) == np.eye(3)).all()
    assert (drawn(initializers.Identity(2.5), (2, 4)) == 2.5 * np.eye(2, 4)).all()


def test_fourier_kernels_are_windowed_waves():
    window = np.hanning(16)
    times, turns = np.arange(16)[:, None], np.arange(9) / 16
    expected = np.cos(2 * np.pi * times * turns) * window[:, None] / np.sqrt((window**2).sum())
    np.testing.assert_allclose(drawn("stft", (16, 2, 9))[:, 1], expected, atol=1e-6)
    plain = initializers.STFT("imag", window=None)
    np.testing.assert_allclose(drawn(plain, (16, 1, 9))[:, 0], -np.sin(2 * np.pi * times * turns), atol=1e-6)


def test_a_function_or_an_array_is_an_initializer():
    assert (drawn(lambda shape, dtype: gd.full(shape, 3.0, dtype), (2, 3)) == 3).all()
    assert (drawn(lambda shape, dtype: np.arange(6).reshape(shape), (2, 3)) == [[0, 1, 2], [3, 4, 5]]).all()
    assert (drawn(np.eye(3), (3, 3)) == np.eye(3)).all()


def test_axes_say_what_inputs_and_outputs_are():
    made = initializers.GlorotUniform(input_axes=(0,), output_axes=(1, 2))
    assert made.variance((10, 4, 5)) == 2 / 30
    assert abs(drawn(made, (100, 40, 50)).std() / np.sqrt(2 / 2100) - 1) < 0.01


@pytest.mark.parametrize("name", initializers.KNOWN)
def test_a_description_makes_the_same_initializer_again(name):
    made = initializers.get(name)
    again = initializers.get(json.loads(json.dumps(initializers.serialize(made))))
    assert type(again) is type(made)
    assert again.get_config() == made.get_config()
    assert repr(again) == repr(made) == f"{type(made).__name__}()"


def test_the_course_table_has_the_rows_of_sigmoid_and_tanh_where_they_belong():
    table = initializers.course_table(300, 200)
    a, b = np.sqrt(6 / 500), np.sqrt(2 / 500)
    assert [table[word].r for word in ("sigmoid", "tanh", "relu")] == pytest.approx([4 * a, a, np.sqrt(2) * a])
    assert [table[word].s for word in ("sigmoid", "tanh", "relu")] == pytest.approx([4 * b, b, np.sqrt(2) * b])
    assert [table[word].noted_r for word in ("sigmoid", "tanh")] == pytest.approx([a, 4 * a])
    assert all(entry.r**2 / 3 == pytest.approx(entry.s**2) for entry in table.entries)


def test_the_course_table_prints_the_names_of_its_schemes():
    table = initializers.course_table(300, 200)
    assert [entry.named for entry in table.entries] == [
        "4 times glorot_uniform, glorot_normal",
        "glorot_uniform, glorot_normal",
        "he_uniform, he_normal for m = n",
    ]
    lines = str(table).splitlines()
    assert lines[0] == "a layer of m = 300 inputs and n = 200 units"
    assert lines[3].split()[-4:] == ["n))", "0.0632", "glorot_uniform,", "glorot_normal"]


@pytest.mark.parametrize("activation", ["sigmoid", "tanh", "relu"])
def test_the_course_table_is_what_its_initializers_draw(activation):
    entry = initializers.course_table(300, 200)[activation]
    uniform, normal = drawn(entry.initializer()), drawn(entry.initializer("normal"))
    assert abs(uniform).max() <= entry.r
    assert abs(uniform).max() > 0.99 * entry.r
    for w in (uniform, normal):
        assert abs(w.std() / entry.s - 1) < 0.01
    assert abs(normal).max() > 3 * entry.s
    same = entry.initializer().variance((300, 300))
    for name in (word.strip() for word in entry.named.split(" for ")[0].split("times ")[-1].split(",")):
        factor = 16 if "times" in entry.named else 1
        assert initializers.get(name).variance((300, 300)) * factor == pytest.approx(same)


def test_class_names_are_names_too():
    assert isinstance(initializers.get("GlorotUniform"), initializers.GlorotUniform)
    assert isinstance(initializers.get(initializers.Zeros), initializers.Zeros)


def test_fans_of_a_convolution_count_the_field():
    assert initializers.fans((3, 3, 16, 32)) == (144, 288)
    assert initializers.fans((7,)) == (7, 7)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: initializers.get("glorot"), "there is no initializer 'glorot'"),
        (lambda: initializers.get("he_norm"), "Did you mean 'he_normal'?"),
        (lambda: initializers.HeNormal(seed=0.5), "seed is 0.5, expected an integer from 0 to 2**63 - 1"),
        (lambda: initializers.VarianceScaling(mode="fan"), "there is no mode 'fan'"),
        (lambda: initializers.VarianceScaling(scale=0), "VarianceScaling: scale is 0, expected a number above 0"),
        (lambda: initializers.Orthogonal()((3,)), "Orthogonal is for matrices, found the shape (3,)"),
        (lambda: initializers.Identity()((3,)), "Identity is for matrices, found the shape (3,)"),
        (lambda: initializers.STFT(window=[1.0, 2.0])((3, 1, 2)), "the window has shape (2,), expected (3,)"),
        (lambda: initializers.STFT(side="left"), "there is no side 'left'"),
        (lambda: initializers.get(3.0), "an initializer is 3.0, expected a name such as 'glorot_uniform'"),
    ],
)
def test_a_wrong_initializer_is_refused(make, message):
    with pytest.raises(GraphError) as caught:
        make()
    assert message in str(caught.value)
