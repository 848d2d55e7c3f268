"""What is frozen does not move: weights as they were, and nothing remembered for them."""

from __future__ import annotations

import numpy as np

from graphdl import keras
from graphdl.keras import layers

RNG = np.random.default_rng(2)
X = RNG.normal(size=(40, 4)).astype("float32")
Y = RNG.normal(size=(40, 1)).astype("float32")


def mlp():
    return keras.Sequential([keras.Input((4,)), layers.Dense(3, activation="relu"), layers.Dense(1)])


def moved(model, **options):
    """Which weights a fit moves."""
    before = model.get_weights()
    model.fit(X, Y, verbose=0, **options)
    return [bool((a != b).any()) for a, b in zip(before, model.get_weights(), strict=True)]


def slots(model):
    return [name for name in model.session.state.names.values() if "momentum" in name or "velocity" in name]


def test_a_frozen_layer_keeps_its_weights_and_has_no_slots():
    model = mlp()
    model.layers[0].trainable = False
    model.compile("adam", "mse")
    assert moved(model) == [False, False, True, True]
    assert len(slots(model)) == 4, "two for each of two weights"
    assert [w.label for w in model.trainable_weights] == ["dense_1/kernel", "dense_1/bias"]
    assert [w.label for w in model.non_trainable_weights] == ["dense/kernel", "dense/bias"]
    assert model.trainable_variables == model.trainable_weights


def test_a_frozen_model_is_frozen_whole():
    model = mlp()
    model.trainable = False
    assert not model.trainable_weights
    assert [layer.trainable for layer in model.layers] == [False, False]
    model.compile("sgd", "mse")
    assert moved(model) == [False] * 4
    model.trainable = True
    assert moved(model) == [True] * 4, "what was frozen when it was compiled may be thawed later"


def test_freezing_after_compiling_holds_from_the_next_fit():
    model = mlp()
    model.compile("sgd", "mse")
    assert moved(model) == [True] * 4
    model.layers[-1].trainable = False
    assert moved(model) == [True, True, False, False]


def test_a_frozen_part_of_a_model_stays_while_the_rest_learns():
    part = mlp()
    part.compile("sgd", "mse")
    part.fit(X, Y, verbose=0)
    part.trainable = False
    inputs = keras.Input((4,))
    model = keras.Model(inputs, layers.Dense(1)(part(inputs)))
    model.compile("adam", "mse")
    assert moved(model) == [False] * 4 + [True] * 2
    assert len(slots(model)) == 4


def test_a_layer_may_be_frozen_from_the_start():
    model = keras.Sequential([keras.Input((4,)), layers.Dense(3, trainable=False), layers.Dense(1)])
    model.compile("sgd", "mse")
    assert moved(model) == [False, False, True, True]


def test_penalties_of_frozen_weights_do_not_count():
    model = keras.Sequential([keras.Input((4,)), layers.Dense(1, kernel_regularizer=keras.regularizers.L2(1.0))])
    model.compile("sgd", "mse")
    with_penalty = model.evaluate(X, Y, verbose=0)
    model.trainable = False
    model.compile("sgd", "mse")
    np.testing.assert_allclose(
        with_penalty - model.evaluate(X, Y, verbose=0), (model.get_weights()[0] ** 2).sum(), rtol=1e-4
    )


def test_frozen_normalisation_uses_what_it_has_seen():
    model = keras.Sequential([keras.Input((4,)), layers.BatchNormalization(), layers.Dense(1)])
    model.layers[0].trainable = False
    model.compile("sgd", "mse")
    assert moved(model) == [False] * 4 + [True] * 2 if len(model.get_weights()) == 6 else False


def test_constraints_hold_after_every_step():
    model = keras.Sequential([keras.Input((4,)), layers.Dense(3, kernel_constraint=keras.constraints.MaxNorm(0.5))])
    model.compile(keras.optimizers.SGD(1.0), "mse")
    model.fit(X, RNG.normal(size=(40, 3)) * 10, verbose=0)
    assert np.linalg.norm(model.get_weights()[0], axis=0).max() <= 0.5 + 1e-5


def test_a_unit_that_is_not_trained_by_name_says_so():
    model = mlp()
    model.layers[0].trainable = False
    lines = []
    model.summary(print_fn=lines.append, show_trainable=True)
    rows = [line.split("│")[1:-1] for line in lines[0].splitlines() if line.startswith("│")]
    assert [row[-1].strip() for row in rows] == ["N", "Y"]
    assert " Non-trainable params: 15 (60.00 B)" in lines[0]
