"""What compile takes, and what a model says of itself."""

from __future__ import annotations

import numpy as np
import pytest

import graphdl as gd
from graphdl import keras
from graphdl.errors import GraphError
from graphdl.keras import layers

RNG = np.random.default_rng(6)
X = RNG.normal(size=(30, 4)).astype("float32")
LABELS = np.arange(30) % 3


def classifier():
    return keras.Sequential([keras.Input((4,)), layers.Dense(3, activation="softmax")])


def two_heads():
    inputs = keras.Input((4,))
    return keras.Model(inputs, [layers.Dense(1, name="a")(inputs), layers.Dense(1, name="b")(inputs)])


def compiled(model=None, **options):
    model = model or classifier()
    model.compile(**{"optimizer": "sgd", "loss": "sparse_categorical_crossentropy", **options})
    return model


@pytest.mark.parametrize(
    "loss",
    [
        "sparse_categorical_crossentropy",
        keras.losses.SparseCategoricalCrossentropy(),
        keras.losses.SparseCategoricalCrossentropy,
        keras.losses.sparse_categorical_crossentropy,
        ["sparse_categorical_crossentropy"],
    ],
)
def test_a_loss_is_a_name_an_object_a_function_or_a_list_of_one(loss):
    model, twin = compiled(loss=loss), compiled()
    assert model.evaluate(X, LABELS, verbose=0) == twin.evaluate(X, LABELS, verbose=0)


@pytest.mark.parametrize("optimizer", ["adam", keras.optimizers.Adam(), keras.optimizers.Adam])
def test_an_optimizer_is_a_name_an_object_or_a_class(optimizer):
    assert compiled(optimizer=optimizer).optimizer.name == "adam"


def test_the_optimizer_is_rmsprop_where_none_is_said():
    model = classifier()
    model.compile(loss="sparse_categorical_crossentropy")
    assert type(model.optimizer).__name__ == "RMSprop"


def test_the_order_of_older_keras_is_understood():
    model = classifier()
    model.compile("sgd", "sparse_categorical_crossentropy", ["acc"])
    assert model.metrics_names == ["loss", "acc"]
    heads = two_heads()
    heads.compile("sgd", "mse", ["mae"], [1.0, 0.25])
    scores = heads.evaluate(X, [X[:, :1], X[:, 1:2]], verbose=0, return_dict=True)
    np.testing.assert_allclose(scores["loss"], scores["a_loss"] + 0.25 * scores["b_loss"], rtol=1e-5)
    heads.compile("sgd", "mse", [1.0, 0.25])
    again = heads.evaluate(X, [X[:, :1], X[:, 1:2]], verbose=0, return_dict=True)
    assert again["loss"] == scores["loss"]


def test_arguments_that_say_how_a_step_runs_change_nothing():
    plain, other = (
        compiled(),
        compiled(run_eagerly=True, jit_compile=True, steps_per_execution=8, auto_scale_loss=False),
    )
    for model in (plain, other):
        model.fit(X, LABELS, verbose=0)
    assert plain.digest() == other.digest()


@pytest.mark.parametrize(
    ("metrics", "names"),
    [
        ("acc", ["acc"]),
        (["accuracy"], ["accuracy"]),
        (["acc", "accuracy"], ["acc", "accuracy"]),
        ([["accuracy"]], ["accuracy"]),
        ({"dense": "accuracy"}, ["accuracy"]),
        ([keras.metrics.SparseCategoricalAccuracy(name="right")], ["right"]),
        (["accuracy", lambda t, y: gd.max(y, axis=-1)], ["accuracy", "<lambda>"]),
    ],
)
def test_metrics_are_names_objects_functions_lists_or_dicts(metrics, names):
    assert compiled(metrics=metrics).metrics_names == ["loss", *names]


def test_metrics_of_several_outputs():
    model = two_heads()
    model.compile("sgd", "mse", metrics=["mae", "mse", "mape"])
    assert model.metrics_names[3:] == ["a_mae", "a_mse", "a_mape", "b_mae", "b_mse", "b_mape"], "one list for all"
    model.compile("sgd", "mse", metrics=[["mae"], []])
    assert model.metrics_names[3:] == ["a_mae"]
    model.compile("sgd", "mse", metrics={"b": ["mae", "mse"]}, weighted_metrics={"b": "mae"})
    assert model.metrics_names[3:] == ["b_mae", "b_mse", "b_weighted_mae"]
    model.compile("sgd", "mse", metrics="mae")
    assert model.metrics_names[3:] == ["a_mae", "b_mae"]


def test_a_metric_that_does_not_fit_class_numbers_says_what_does():
    with pytest.raises(GraphError) as caught:
        compiled(metrics=["mse"])
    assert "metric 'mse' compares predictions f32[N, 3] with targets i64[N], the class numbers that" in str(
        caught.value
    )
    assert "keras.utils.to_categorical(y, 3)" in str(caught.value)


def test_the_rate_can_be_read_and_set():
    model = compiled(optimizer=keras.optimizers.SGD(0.5))
    assert model.optimizer.learning_rate == 0.5
    model.optimizer.learning_rate = 0.25
    assert model.optimizer.lr == 0.25


def test_history_is_kept_by_the_model():
    model = compiled(metrics=["acc"])
    history = model.fit(X, LABELS, epochs=2, verbose=0)
    assert model.history is history
    assert history.model is model
    assert history.params["epochs"] == 2
    assert history.params["steps"] == 1


def test_a_batch_is_trained_tested_and_predicted():
    model = compiled(metrics=["accuracy"])
    scores = model.test_on_batch(X, LABELS, return_dict=True)
    assert scores == model.train_on_batch(X, LABELS, return_dict=True), "scores of a step are from before it"
    assert list(scores) == ["loss", "accuracy"]
    assert np.array_equal(model.predict_on_batch(X), model.predict(X, verbose=0))
    assert np.array_equal(model.predict_classes(X, verbose=0), model.predict(X, verbose=0).argmax(-1))


def test_noise_that_is_drawn_in_prediction_is_drawn_anew_for_every_batch():
    inputs = keras.Input((4,))
    model = keras.Model(inputs, layers.Dropout(0.5)(inputs, training=True))
    ones = np.ones((64, 4), "float32")
    first, second = np.split(model.predict(ones, batch_size=32, verbose=0), 2)
    assert (first != second).any()
    assert (model.predict(ones, batch_size=64, verbose=0)[:32] != first).any()


def test_predicting_does_not_move_the_masks_of_training():
    def digest(look):
        keras.utils.set_random_seed(0)
        model = keras.Sequential([keras.Input((4,)), layers.Dropout(0.5), layers.Dense(1)])
        model.compile("sgd", "mse")
        for _ in range(2):
            model.train_on_batch(X, X[:, :1])
            if look:
                model.predict(X, verbose=0)
                model.evaluate(X, X[:, :1], verbose=0)
        return model.digest()

    assert digest(True) == digest(False)


def test_a_summary_tells_what_each_layer_costs():
    model = keras.Sequential([keras.Input((4,)), layers.Dense(3), layers.Activation("relu"), layers.Dense(2)])
    lines = []
    model.summary(print_fn=lines.append, show_cost=True)
    rows = [[cell.strip() for cell in line.split("│")[1:-1]] for line in lines[0].split("\n") if line.startswith("│")]
    # A product of N rows of 4 with a 4 by 3 matrix takes 2 * 4 * 3 * N operations, and the bias 3 * N.
    assert [row[3:] for row in rows] == [["27*N", "12*N"], ["3*N", "12*N"], ["14*N", "8*N"]]
    assert " FLOPs of a batch of N: 44*N" in lines[0]


def test_a_summary_lists_the_layers_of_models_within_it():
    inputs = keras.Input((4,))
    part = keras.Sequential([keras.Input((4,)), layers.Dense(3), layers.Dense(2)], name="part")
    model = keras.Model(inputs, part(inputs))
    lines = []
    model.summary(print_fn=lines.append, expand_nested=True)
    rows = [line.split("│")[1].strip() for line in lines[0].split("\n") if line.startswith("│")]
    assert rows == ["input_layer (InputLayer)", "part (Sequential)", "└ dense (Dense)", "└ dense_1 (Dense)"]
    model.summary(print_fn=lines.append, layer_range=["part", "part"])
    assert "input_layer (InputLayer)" not in lines[1]
    assert "part (Sequential)" in lines[1]
    with pytest.raises(GraphError, match=r"layer_range is .*, expected the names of two layers"):
        model.summary(layer_range=["part", "absent"])


def test_a_metric_of_several_numbers_is_refused():
    model = keras.Sequential([keras.Input((4,)), layers.Dense(3, "softmax")])
    with pytest.raises(GraphError, match=r"metric 'f1_score' gives f32\[3\], expected one number; .*average='macro'"):
        model.compile("sgd", "categorical_crossentropy", metrics=[keras.metrics.F1Score()])
