"""Noise: its distribution in training, nothing in inference, the same in a replay."""

from __future__ import annotations

import numpy as np
import pytest

from graphdl import keras
from graphdl.errors import GraphError, ShapeError
from graphdl.keras import layers

from .calls import in_training, normal, outputs_of

ALL = [
    layers.Dropout(0.3),
    layers.Dropout(0.3, noise_shape=(None, 1, None)),
    layers.SpatialDropout1D(0.3),
    layers.GaussianDropout(0.3),
    layers.AlphaDropout(0.3),
    layers.GaussianNoise(0.3),
]


@pytest.mark.parametrize("make", [lambda x=layer: x for layer in ALL], ids=[type(layer).__name__ for layer in ALL])
def test_noise_is_for_training_only(make):
    x = normal(4, 5, 6)
    model, y = outputs_of(make(), x)
    assert (y == x).all()
    assert "noise" not in model.prediction.source
    assert (in_training(make(), x) != x).any()
    assert (in_training(make(), x) == in_training(make(), x)).all()
    assert (in_training(make(), x) != in_training(make(), x, seed=4)).any()


@pytest.mark.parametrize(
    ("layer", "shape", "alike"),
    [
        (layers.SpatialDropout1D(0.4), (50, 7, 20), (1,)),
        (layers.SpatialDropout2D(0.4), (50, 3, 4, 20), (1, 2)),
        (layers.Dropout(0.4, noise_shape=(None, 1, 20)), (50, 7, 20), (1,)),
        (layers.Dropout(0.4, noise_shape=(1, None, None)), (50, 20, 50), (0,)),
    ],
    ids=["1D", "2D", "noise_shape", "batch"],
)
def test_whole_channels_are_dropped_together(layer, shape, alike):
    y = in_training(layer, np.ones(shape, "float32"))
    np.testing.assert_allclose(np.unique(y), [0, 1 / 0.6], rtol=1e-6)
    assert (y.max(alike) == y.min(alike)).all()
    assert abs((y == 0).mean() - 0.4) < 0.05


def test_gaussian_dropout_multiplies_by_numbers_of_mean_one():
    y = in_training(layers.GaussianDropout(0.2), np.ones((200, 500), "float32"))
    assert abs(y.mean() - 1) < 0.01
    assert abs(y.std() - np.sqrt(0.25)) < 0.01


def test_gaussian_noise_adds_numbers_of_the_given_deviation():
    y = in_training(layers.GaussianNoise(0.1), np.full((200, 500), 5.0, "float32"))
    assert abs(y.mean() - 5) < 0.001
    assert abs(y.std() - 0.1) < 0.001


def test_alpha_dropout_keeps_mean_zero_and_variance_one():
    y = in_training(layers.AlphaDropout(0.1), normal(400, 500))
    assert abs(y.mean()) < 0.01
    assert abs(y.var() - 1) < 0.02


def test_a_rate_of_zero_leaves_one_graph():
    assert not layers.Dropout(0).differs_in_training
    assert (
        in_training(layers.GaussianDropout(0), normal(3, 4)) == in_training(layers.Dropout(0), normal(3, 4))
    ).size == 12


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: layers.Dropout(1), "Dropout: rate is 1, expected at least 0 and below 1"),
        (lambda: layers.SpatialDropout2D(-0.1), "SpatialDropout2D: rate is -0.1, expected at least 0 and below 1"),
        (lambda: layers.GaussianNoise(2), "GaussianNoise: stddev is 2, expected a number from 0 to 1"),
        (lambda: layers.GaussianNoise(0.1, seed=-1), "seed is -1, expected an integer from 0 to 2**63 - 1"),
        (lambda: layers.Dropout(0.5)(keras.Input((3,), dtype="int32")), "found i32[N, 3], expected floats"),
        (
            lambda: layers.Dropout(0.5, noise_shape=(None, 2))(keras.Input((3,)), training=True),
            "noise_shape is (None, 2), expected (N, 3) or 1 along axes",
        ),
        (lambda: layers.SpatialDropout1D(0.5)(keras.Input((3,)), training=True), "expected [N, T, C]"),
    ],
)
def test_what_cannot_be_is_named(make, message):
    with pytest.raises((GraphError, ShapeError)) as caught:
        make()
    assert message in str(caught.value)
