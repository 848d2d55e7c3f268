"""Initial values: their bounds and moments."""

from __future__ import annotations

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
        (lambda: initializers.HeNormal(seed=3), "seed=3: initial values come from the one seed of the session"),
        (lambda: initializers.VarianceScaling(mode="fan"), "there is no mode 'fan'"),
        (lambda: initializers.get(3.0), "an initializer is 3.0, expected a name such as 'glorot_uniform'"),
    ],
)
def test_a_wrong_initializer_is_refused(make, message):
    with pytest.raises(GraphError) as caught:
        make()
    assert message in str(caught.value)
