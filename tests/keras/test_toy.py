"""The toy data sets: every point obeys the formula it was made by."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from graphdl import keras
from graphdl.errors import GraphError
from graphdl.keras.datasets.points import toy

KINDS = ("circle", "xor", "gauss", "spiral", "plane", "multi_gauss")
CLASSES = KINDS[:4]


@given(st.sampled_from(KINDS), st.integers(1, 60), st.floats(0, 1), st.integers(0, 9))
def test_points_and_targets_have_the_promised_types_and_come_again_for_the_same_seed(kind, n, noise, seed):
    x, y = toy(kind, n, noise, seed)
    assert (x.shape, x.dtype, y.shape) == ((n, 2), "float32", (n,))
    assert y.dtype == ("int64" if kind in CLASSES else "float32")
    assert np.isfinite(x).all()
    assert y.min() >= (0 if kind in CLASSES else -1)
    assert y.max() <= 1
    again = toy(kind, n, noise, seed)
    assert all(np.array_equal(a, b) for a, b in zip((x, y), again, strict=True))


@pytest.mark.parametrize("kind", KINDS)
def test_another_seed_gives_other_points(kind):
    if kind == "spiral":
        # Without noise the arms are where they are; only the order differs.
        assert sorted(map(tuple, toy(kind, 50, seed=0)[0])) == sorted(map(tuple, toy(kind, 50, seed=1)[0]))
    assert not np.array_equal(toy(kind, 50, 0.1, 0)[0], toy(kind, 50, 0.1, 1)[0])


def test_a_circle_has_a_disk_a_gap_and_a_ring():
    x, y = toy("circle", 400)
    radius = np.hypot(*x.T)
    assert radius[y == 1].max() <= 2.5
    assert 3.5 <= radius[y == 0].min() <= radius.max() <= 5.0001
    assert y.sum() == 200


def test_xor_is_one_where_both_features_have_one_sign():
    x, y = toy("xor", 400)
    assert np.array_equal(y, (np.sign(x[:, 0]) == np.sign(x[:, 1])).astype(int))
    assert 0.3 <= np.abs(x).min() <= np.abs(x).max() <= 5.3001


def test_gauss_is_two_clouds_whose_variance_grows_with_the_noise():
    for noise, variance in ((0.0, 0.5), (0.5, 4.0)):
        x, y = toy("gauss", 20_000, noise)
        assert x[y == 1].mean(axis=0) == pytest.approx([2, 2], abs=0.1)
        assert x[y == 0].mean(axis=0) == pytest.approx([-2, -2], abs=0.1)
        assert x[y == 1].var(axis=0) == pytest.approx([variance, variance], rel=0.05)


def test_the_arms_of_a_spiral_are_half_a_turn_apart():
    x, y = toy("spiral", 200)
    one, other = (sorted(map(tuple, x[y == c].round(4)), key=lambda p: np.hypot(*p)) for c in (1, 0))
    assert np.allclose(one, -np.array(other), atol=1e-3)
    radius = np.hypot(*x.T)
    angle = np.arctan2(x[:, 0], x[:, 1]) + np.where(y == 1, 0, np.pi)
    turns = radius / 5 * 1.75 * 2 * np.pi
    assert np.allclose(np.cos(angle - turns)[radius > 0.01], 1, atol=1e-4)


def test_the_plane_rises_along_both_features():
    x, y = toy("plane", 300)
    assert np.allclose(y, np.clip(x.sum(axis=1) / 10, -1, 1), atol=1e-6)


def test_hills_and_valleys_alternate_and_end_at_their_radius():
    x, y = toy("multi_gauss", 4000)
    hills = {(-4, 2.5): 1, (0, 2.5): -1, (4, 2.5): 1, (-4, -2.5): -1, (0, -2.5): 1, (4, -2.5): -1}
    for point, target in zip(x, y, strict=True):
        near = [sign * (1 - d / 2) for (u, v), sign in hills.items() if (d := np.hypot(point[0] - u, point[1] - v)) < 2]
        assert target == pytest.approx(max(near, key=abs, default=0), abs=1e-5)


@pytest.mark.parametrize("kind", ["circle", "xor"])
def test_noise_puts_points_on_the_wrong_side(kind):
    x, y = toy(kind, 2000, 0.5)
    clean = np.hypot(*x.T) < 2.5 if kind == "circle" else x[:, 0] * x[:, 1] >= 0
    assert 0.05 < (y != clean).mean() < 0.5


def test_classes_are_shuffled():
    _, y = keras.datasets.toy("gauss", 200)
    assert 60 < np.abs(np.diff(y)).sum() < 140


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"kind": "spirla"}, "there is no toy data set 'spirla'. Did you mean 'spiral'?"),
        ({"kind": "xor", "n": 0}, "n is 0, expected an integer from 1"),
        ({"kind": "xor", "noise": 50}, "toy: noise is 50, expected a number from 0 to 1"),
        ({"kind": "xor", "seed": -1}, "seed is -1, expected an integer from 0"),
    ],
)
def test_what_cannot_be_made_is_refused(arguments, message):
    with pytest.raises(GraphError) as error:
        toy(**arguments)
    assert str(error.value).startswith(message)
