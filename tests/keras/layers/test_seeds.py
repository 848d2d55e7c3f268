"""Seeds of layers and initializers: the same numbers in every session, in the readable style, and in the script."""

from __future__ import annotations

import subprocess
import sys

import numpy as np
import pytest

import graphdl as gd
from graphdl import keras
from graphdl.export.script import write_script
from graphdl.ir.serialize import graph_from_json, graph_to_json
from graphdl.keras import initializers, layers

from .calls import in_training, normal

X = normal(6, 5, 8)


def philox(seed, stream, shape, step=0):
    """What the generator of that key draws, uniform on [0, 1)."""
    keyed = np.random.Philox(key=[seed, stream], counter=[0, 0, step, 0])
    return np.random.Generator(keyed).random(shape, "float32")


@pytest.mark.parametrize(
    "make",
    [
        lambda seed: layers.Dropout(0.4, seed=seed),
        lambda seed: layers.Dropout(0.4, noise_shape=(None, 1, None), seed=seed),
        lambda seed: layers.SpatialDropout1D(0.4, seed=seed),
        lambda seed: layers.GaussianDropout(0.4, seed=seed),
        lambda seed: layers.AlphaDropout(0.4, seed=seed),
        lambda seed: layers.GaussianNoise(0.4, seed=seed),
        lambda seed: layers.LSTM(
            8, dropout=0.4, recurrent_dropout=0.3, seed=seed, kernel_initializer="ones", recurrent_initializer="ones"
        ),
    ],
    ids=["Dropout", "noise_shape", "SpatialDropout1D", "GaussianDropout", "AlphaDropout", "GaussianNoise", "LSTM"],
)
def test_noise_with_a_seed_does_not_depend_on_that_of_the_session(make):
    first = in_training(make(5), X, seed=1)
    assert (in_training(make(5), X, seed=2) == first).all()
    assert (in_training(make(keras.random.SeedGenerator(5)), X, seed=2) == first).all()
    assert (in_training(make(6), X, seed=1) != first).any()
    assert (in_training(make(None), X, seed=1) != in_training(make(None), X, seed=2)).any()


def test_a_seed_is_the_key_of_the_generator():
    y = in_training(layers.Dropout(0.4, seed=5), X)
    np.testing.assert_allclose(y, X * (philox(5, 0, X.shape) >= 0.4) / 0.6, rtol=1e-6)


def test_a_layer_called_twice_draws_anew_and_a_graph_built_again_draws_the_same():
    def outputs():
        inputs = keras.Input((8,))
        drop = layers.Dropout(0.5, seed=3)
        return keras.Model(inputs, [drop(inputs), drop(inputs)])(np.ones((20, 8), "float32"), training=True)

    (a, b), (c, d) = outputs(), outputs()
    assert (a != b).any()
    assert (a == c).all()
    assert (b == d).all()


def test_each_step_of_training_draws_other_numbers():
    y = layers.Dropout(0.5, seed=3)(keras.Input((8,), name="x"), training=True)
    session = gd.Session(seed=9)
    first, second = (session.run(y, {"x": np.ones((4, 8), "float32")}) for _ in range(2))
    assert ((first > 0) == (philox(3, 0, (4, 8)) >= 0.5)).all()
    assert ((second > 0) == (philox(3, 0, (4, 8), step=1) >= 0.5)).all()


@pytest.mark.parametrize(
    "kind",
    ["RandomNormal", "RandomUniform", "TruncatedNormal", "GlorotUniform", "HeNormal", "LecunUniform", "Orthogonal"],
)
def test_an_initializer_with_an_integer_gives_the_same_numbers_each_time(kind):
    def two(seed, of_session):
        made = getattr(initializers, kind)(seed=seed)
        return gd.Session(seed=of_session).run([made((7, 5), "float32"), made((7, 5), "float32")])

    first, second = two(4, 1)
    assert (first == second).all()
    assert (first == two(4, 2)[0]).all()
    third, fourth = two(keras.random.SeedGenerator(4), 1)
    assert (third == first).all()
    assert (third != fourth).any(), "a generator goes on to the next numbers"


def test_random_values_of_keras_are_nodes():
    seed = keras.random.SeedGenerator(2)
    draws = [
        keras.random.uniform((3, 4), 1.0, 3.0, seed=2),
        keras.random.uniform((3, 4), seed=seed),
        keras.random.normal((3, 4), mean=5.0, stddev=0.0, seed=seed),
        keras.random.truncated_normal((500,), seed=seed),
        keras.random.dropout(gd.constant(np.ones((3, 4), "float32")), 0.25, seed=2),
    ]
    scaled, plain, fives, within, dropped = gd.Session(seed=8).run(draws)
    np.testing.assert_allclose(scaled, 1 + 2 * philox(2, 0, (3, 4)), rtol=1e-6)
    assert (plain == philox(2, 0, (3, 4))).all()
    assert (fives == 5).all()
    assert np.abs(within).max() <= 2
    np.testing.assert_allclose(dropped, (philox(2, 0, (3, 4)) >= 0.25) / 0.75, rtol=1e-6)


def test_a_seed_shows_in_the_listing_and_is_kept_in_files():
    y = gd.random_uniform((2, 3), seed=7) + gd.random_normal((2, 3), seed=(7, 4))
    graph = gd.Graph(y)
    assert "noise uniform, seed 7" in str(graph)
    again = graph_from_json(graph_to_json(graph))
    first, second = (gd.Session(seed=s).run(g.outputs) for s, g in ((1, graph), (2, again)))
    assert all((a == b).all() for a, b in zip(first.values(), second.values(), strict=True))


def test_models_and_scripts_keep_seeds(tmp_path):
    model = keras.Sequential(
        [
            keras.Input((8,)),
            layers.Dense(6, kernel_initializer=initializers.HeNormal(seed=1)),
            layers.Dropout(0.3, seed=keras.random.SeedGenerator(2)),
            layers.Dense(1),
        ]
    )
    model.compile("sgd", "mse")
    x, y = normal(12, 8), normal(12, 1)
    write_script(tmp_path / "train.py", model, (x, y), style="fast", epochs=2, batch_size=4)
    kernel = model.get_weights()[0]
    model.save(tmp_path / "model.graphdl")
    model.fit(x, y, epochs=2, batch_size=4, verbose=0)
    ran = subprocess.run([sys.executable, tmp_path / "train.py", "--digest", "--quiet"], capture_output=True, text=True)
    assert ran.stdout.strip() == model.digest()
    other = keras.models.load_model(tmp_path / "model.graphdl")
    other.reset(seed=77)
    assert (other.get_weights()[0] == kernel).all()
    assert other.layers[1].get_config()["seed"].seed == 2
