"""Recordings of training: they say what is true, and watching changes nothing."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from graphdl import keras
from graphdl.draw.training import Recording
from graphdl.draw.training.recording import QUANTITIES
from graphdl.errors import GraphError
from graphdl.keras.callbacks import Callback
from graphdl.keras.recording.recorder import Recorder, snapshot_steps

Dense, Dropout = keras.layers.Dense, keras.layers.Dropout
X, Y = keras.datasets.toy("circle", 70, noise=0.1)


def sigmoid(z):
    return 1 / (1 + np.exp(-z))


def model_of(*layers, optimizer="sgd", loss="binary_crossentropy", features=2, dtype=None, metrics=("accuracy",)):
    keras.utils.set_random_seed(3)
    model = keras.Sequential([keras.Input((features,), dtype=dtype), *layers])
    model.compile(optimizer, loss, metrics=list(metrics))
    return model


def small(**options):
    return model_of(Dense(5, "tanh"), Dense(1, "sigmoid"), **options)


def recorded(model, x=X, y=Y, recorder=None, **options):
    recorder = recorder or Recorder()
    settings = {"epochs": 3, "batch_size": 32, "verbose": 0} | options
    model.fit(x, y, callbacks=[recorder], **settings)
    return recorder.recording


class Weights(Callback):
    """Keeps the weights after every step."""

    def on_train_begin(self, logs=None):
        self.kept = [self.model.get_weights()]

    def on_train_batch_end(self, batch, logs=None):
        self.kept.append(self.model.get_weights())


# --- watching changes nothing


def with_everything(optimizer, style="fast", nan_guard=False):
    model = model_of(Dense(8, "relu"), Dropout(0.3), Dense(6, "sigmoid"), Dropout(0.2), Dense(1, "sigmoid"))
    model.compile(optimizer, "binary_crossentropy", metrics=["accuracy"])
    model.session.style = style
    model.session.nan_guard = nan_guard
    return model


@pytest.mark.parametrize(
    ("optimizer", "options"),
    [("adam", {}), ("sgd", {}), ("adam", {"style": "readable"}), ("adam", {"nan_guard": True})],
    ids=["adam", "sgd", "readable", "guarded"],
)
def test_training_is_the_same_to_the_bit_with_and_without_a_recorder(optimizer, options):
    ends = []
    for callbacks in ([], [Recorder()], [Recorder(steps=[5])]):
        model = with_everything(optimizer, **options)
        history = model.fit(X, Y, epochs=4, batch_size=32, validation_split=0.2, verbose=0, callbacks=callbacks)
        state = model.session.state
        ends.append((state.digest(), state.step, history.history))
    assert ends[0] == ends[1] == ends[2]


def test_a_model_trains_on_as_if_it_had_not_been_recorded():
    digests = []
    for callbacks in ([], [Recorder()]):
        model = with_everything("adam")
        model.fit(X, Y, epochs=2, verbose=0, callbacks=callbacks)
        model.fit(X, Y, epochs=2, verbose=0)
        digests.append(model.digest())
    assert digests[0] == digests[1]


def test_masks_are_the_same_in_all_snapshots():
    model = with_everything(keras.optimizers.SGD(0.0))
    first, *others = recorded(model).snapshots
    assert {s.gradient_norms for s in others} == {first.gradient_norms}
    assert {s.scores["loss"] for s in others} == {first.scores["loss"]}


# --- what is measured is true


def by_hand(weights, x, y):
    """Loss, gradients and activations of tanh and sigmoid layers under binary cross-entropy, written out."""
    W1, b1, W2, b2 = (w.astype(float) for w in weights)
    x = x.astype(float)
    h = np.tanh(x @ W1 + b1)
    p = sigmoid(h @ W2 + b2)[:, 0]
    loss = -np.mean(y * np.log(p) + (1 - y) * np.log(1 - p))
    d2 = ((p - y) / len(y))[:, None]
    d1 = (d2 @ W2.T) * (1 - h**2)
    return loss, [x.T @ d1, d1.sum(0), h.T @ d2, d2.sum(0)], [h, p[:, None]]


def test_snapshots_say_what_numpy_says_of_the_weights_of_their_step():
    model, keeper, recorder = small(), Weights(), Recorder()
    model.fit(X, Y, epochs=3, batch_size=32, verbose=0, callbacks=[keeper, recorder])
    snapshots = recorder.recording.snapshots
    assert [s.step for s in snapshots] == list(range(10))
    for snapshot, weights in zip(snapshots, keeper.kept, strict=True):
        loss, gradients, _ = by_hand(weights, X, Y)
        assert snapshot.scores["loss"] == pytest.approx(loss, rel=1e-5)
        assert snapshot.gradient_norms == pytest.approx([np.linalg.norm(g) for g in gradients], rel=1e-4)
        assert snapshot.weight_norms == pytest.approx([np.linalg.norm(w) for w in weights], rel=1e-6)
        for ratio, gradient, w in zip(snapshot.update_ratios, gradients, weights, strict=True):
            if w.any():
                assert ratio == pytest.approx(0.01 * np.linalg.norm(gradient) / np.linalg.norm(w), rel=1e-2)
            else:
                assert ratio is None, "a bias that is still zero has no size to compare with"


def test_norms_of_a_deep_net_agree_with_finite_differences():
    layers = [Dense(3, "sigmoid"), Dense(3, "sigmoid"), Dense(2, "tanh"), Dense(1)]
    model = model_of(*layers, loss="mse", dtype="float64", metrics=())
    x, y = X.astype("float64"), Y.astype("float64")
    norms = recorded(model, x, y, epochs=1).snapshots[-1].gradient_norms
    weights = model.get_weights()
    for place, norm in enumerate(norms):
        slopes = []
        for index in np.ndindex(weights[place].shape):
            ends = []
            for shift in (1e-5, -1e-5):
                moved = [w.copy() for w in weights]
                moved[place][index] += shift
                model.set_weights(moved)
                ends.append(model.evaluate(x, y, batch_size=len(x), verbose=0))
            slopes.append((ends[0] - ends[1]) / 2e-5)
        assert norm == pytest.approx(np.linalg.norm(slopes), rel=1e-5)


@pytest.mark.parametrize("optimizer", ["adam", keras.optimizers.SGD(0.1, momentum=0.9, nesterov=True)], ids=str)
def test_update_ratios_are_those_of_the_step_that_follows(optimizer):
    keeper, recorder = Weights(), Recorder()
    model = small(optimizer=optimizer)
    model.fit(X, Y, epochs=5, batch_size=len(X), shuffle=False, verbose=0, callbacks=[keeper, recorder])
    snapshots = recorder.recording.snapshots[:-1]
    for snapshot, before, after in zip(snapshots, keeper.kept, keeper.kept[1:], strict=False):
        for ratio, w, new in zip(snapshot.update_ratios, before, after, strict=True):
            if w.any():
                moved = np.linalg.norm(new.astype(float) - w)
                assert ratio == pytest.approx(moved / np.linalg.norm(w.astype(float)), rel=1e-3)


def test_histograms_count_every_value_in_the_bins_of_the_run():
    model, recorder = small(optimizer="adam"), Recorder()
    recording = recorded(model, recorder=recorder, epochs=20)
    _, gradients, activations = by_hand(model.get_weights(), X, Y)
    kernels = [w.astype(float) for w in model.get_weights()[::2]]
    for key, arrays in zip(QUANTITIES, (kernels, activations, gradients[::2]), strict=True):
        for layer, array in enumerate(arrays):
            bins = recording.bins[key][layer]
            edges = bins.low + bins.width * np.arange(bins.count + 1)
            expected, _ = np.histogram(array, edges)
            found = recording.snapshots[-1].histograms[key][layer]
            assert sum(found) == array.size
            if key == "weights":
                assert list(found) == expected.tolist()
            assert np.abs(np.cumsum(found) - np.cumsum(expected)).max() <= 2, "but for rounding at an edge"


def test_dead_units_are_those_that_are_zero_for_every_example():
    layers = [Dense(8, "relu"), Dense(4, "sigmoid"), Dense(4), keras.layers.ReLU(), Dense(1)]
    model = model_of(*layers, optimizer=keras.optimizers.SGD(0.0), loss="mse")
    weights = model.get_weights()
    weights[1][:3] = -1e3
    weights[5][:] = -1e3
    model.set_weights(weights)
    first = recorded(model).snapshots[0]
    assert first.dead[0] == 3 / 8 + (np.maximum(X @ weights[0] + weights[1], 0) == 0).all(0)[3:].sum() / 8
    assert first.dead[1:] == (None, 1.0, None)
    assert first.gradient_norms[4] == 0, "and no gradient passes them"


def test_validation_and_means_of_epochs_are_those_of_the_history():
    model, recorder = small(), Recorder()
    history = model.fit(X, Y, epochs=4, validation_split=0.2, verbose=0, callbacks=[recorder])
    curves = {curve.name: curve for curve in recorder.recording.curves}
    assert {name: list(curve.values) for name, curve in curves.items()} == history.history
    assert curves["val_loss"].steps == (2, 4, 6, 8)
    assert recorder.recording.examples == 56


def test_a_layer_is_named_with_the_activation_that_follows_it():
    layers = [Dense(4), keras.layers.Activation("tanh"), Dropout(0.5), Dense(3, "relu"), Dense(2), Dense(1, "sigmoid")]
    recording = recorded(model_of(*layers))
    assert [(layer.name, layer.activation, layer.units) for layer in recording.layers] == [
        ("dense", "tanh", 4),
        ("dense_1", "relu", 3),
        ("dense_2", "", 2),
        ("dense_3", "sigmoid", 1),
    ]
    assert recording.chain
    assert [(w.name, w.layer, w.is_kernel) for w in recording.weights][:2] == [
        ("dense/kernel", 0, True),
        ("dense/bias", 0, False),
    ]


def test_a_model_with_branches_two_outputs_and_frozen_layers_is_recorded():
    a, b = keras.Input((3,), name="a"), keras.Input((2,), name="b")
    shared = Dense(4, "relu", name="shared", trainable=False)(a)
    one = Dense(1, name="one")(shared)
    two = Dense(3, "softmax", name="two")(Dense(4, "tanh")(b))
    model = keras.Model([a, b], [one, two])
    model.compile("adam", ["mse", "sparse_categorical_crossentropy"])
    random = np.random.default_rng(0)
    x = [random.normal(size=(20, 3)), random.normal(size=(20, 2))]
    recording = recorded(model, x, [random.normal(size=(20, 1)), random.integers(0, 3, 20)])
    assert not recording.chain
    assert recording.surface is None
    assert "shared/kernel" not in [w.name for w in recording.weights]
    shared_layer = [layer.name for layer in recording.layers].index("shared")
    assert recording.kernel_norms(recording.snapshots[0])[shared_layer] is None
    assert set(recording.snapshots[0].scores) == {"loss", "one_loss", "two_loss"}
    assert Recording.from_json(recording.to_json()) == recording


# --- the plane


def cells(surface):
    """Where the prediction is asked for: middles of cells, row by row from the top, written out."""
    left, right, bottom, top = surface.extent
    step_x, step_y = (right - left) / surface.size, (top - bottom) / surface.size
    return np.array(
        [
            (left + (column + 0.5) * step_x, top - (row + 0.5) * step_y)
            for row in range(surface.size)
            for column in range(surface.size)
        ]
    )


def test_the_grid_is_what_predict_says():
    model = small(optimizer="adam")
    recording = recorded(model, epochs=10)
    expected = model.predict(cells(recording.surface), verbose=0)[:, 0]
    found = np.frombuffer(recording.snapshots[-1].grid, "u1") / 255
    assert np.abs(found - expected).max() <= 0.5 / 255 + 1e-5
    assert recording.surface.size == 50


def test_the_grid_lies_the_right_way_up():
    model = model_of(Dense(1, "sigmoid"))
    model.compile(keras.optimizers.SGD(0.0), "binary_crossentropy")
    for kernel, brighter in (([[0.0], [1.0]], "top"), ([[1.0], [0.0]], "right")):
        model.set_weights([np.array(kernel), np.zeros(1)])
        grid = np.frombuffer(recorded(model).snapshots[0].grid, "u1").reshape(50, 50).astype(int)
        if brighter == "top":
            assert (np.diff(grid, axis=0) <= 0).all()
            assert grid[0, 0] > 200 > 50 > grid[-1, 0]
        else:
            assert (np.diff(grid, axis=1) >= 0).all()
            assert grid[0, -1] > 200 > 50 > grid[0, 0]


def test_the_extent_holds_all_points_and_keeps_their_shape():
    x = np.array([[0.0, 0.0], [1.0, 0.0], [0.0, 1.2], [1.0, 1.2]])
    surface = recorded(small(), x, np.array([0, 1, 1, 0])).surface
    left, right, bottom, top = surface.extent
    assert left < 0 < 1 < right
    assert bottom < 0 < 1.2 < top
    assert right - left == pytest.approx(top - bottom)
    assert surface.points == ((0, 0), (1, 0), (0, 1.2), (1, 1.2))
    assert surface.targets == (0, 1, 1, 0)


def test_several_classes_are_kept_as_winner_and_probability():
    y = (X[:, 0] > 0).astype(int) + (X[:, 1] > 0)
    model = model_of(Dense(6, "tanh"), Dense(3, "softmax"), loss="sparse_categorical_crossentropy", optimizer="adam")
    recording = recorded(model, y=y, epochs=10)
    expected = model.predict(cells(recording.surface), verbose=0)
    found = [recording.surface.winner(byte) for byte in recording.snapshots[-1].grid]
    assert [place for place, _ in found] == expected.argmax(axis=1).tolist()
    assert [p for _, p in found] == pytest.approx(expected.max(axis=1).tolist(), abs=0.5 / 84 + 1e-5)


@pytest.mark.parametrize(
    ("last", "loss", "y", "kind"),
    [
        (Dense(1), keras.losses.BinaryCrossentropy(from_logits=True), Y, "binary"),
        (Dense(2), keras.losses.SparseCategoricalCrossentropy(from_logits=True), Y, "binary"),
        (Dense(2, "softmax"), "categorical_crossentropy", np.eye(2)[Y], "binary"),
    ],
    ids=["logit", "logits", "one-hot"],
)
def test_two_classes_are_the_probability_of_the_second_however_they_are_written(last, loss, y, kind):
    model = model_of(Dense(4, "tanh"), last, loss=loss, metrics=())
    recording = recorded(model, y=y)
    output = model.predict(cells(recording.surface), verbose=0).astype(float)
    if output.shape[1] == 1:
        expected = sigmoid(output[:, 0])
    else:
        expected = output[:, 1] if last.activation.__name__ == "softmax" else sigmoid(output[:, 1] - output[:, 0])
    assert recording.surface.kind == kind
    assert recording.surface.targets == tuple(Y)
    assert np.abs(np.frombuffer(recording.snapshots[-1].grid, "u1") / 255 - expected).max() <= 0.5 / 255 + 1e-5


def test_numbers_to_predict_are_kept_between_the_ends_of_their_range():
    x, y = keras.datasets.toy("plane", 60)
    model = model_of(Dense(4, "tanh"), Dense(1), loss="mse", metrics=())
    recording = recorded(model, x, y)
    surface = recording.surface
    assert surface.kind == "value"
    assert (surface.low, surface.high) == pytest.approx((-np.abs(y).max(), np.abs(y).max()))
    expected = np.clip(model.predict(cells(surface), verbose=0)[:, 0], surface.low, surface.high)
    found = [surface.level(byte) for byte in recording.snapshots[-1].grid]
    assert found == pytest.approx(expected.tolist(), abs=(surface.high - surface.low) / 510 + 1e-5)


@pytest.mark.parametrize("features", [1, 3])
def test_other_numbers_of_features_have_no_plane(features):
    x = np.random.default_rng(0).normal(size=(20, features))
    recording = recorded(small(features=features), x, x[:, 0] > 0)
    assert recording.surface is None
    assert {s.grid for s in recording.snapshots} == {b""}


# --- when


@given(st.integers(0, 100_000), st.integers(2, 80))
def test_snapshot_steps_rise_from_the_first_to_the_last_by_growing_gaps(total, most):
    steps = snapshot_steps(total, most)
    assert steps[0] == 0
    assert steps[-1] == total
    assert len(steps) == min(most, total + 1)
    gaps = np.diff(steps)
    assert (gaps >= 1).all()
    # A gap is rounded to a whole step, so it may be two shorter than the one before it.
    assert (np.diff(gaps) >= -2).all()
    if total >= most > 3:
        ratios = [b / a for a, b in pairwise(steps) if a >= 50]
        assert not ratios or max(ratios) <= min(ratios) * 1.1


def test_snapshots_are_taken_when_asked_and_at_both_ends():
    assert [s.step for s in recorded(small(), recorder=Recorder(steps=[2, 7])).snapshots] == [0, 2, 7, 9]
    assert [s.step for s in recorded(small(), recorder=Recorder(epochs=[1, 2])).snapshots] == [0, 3, 6, 9]
    found = recorded(small(), recorder=Recorder(most=4), epochs=10).snapshots
    assert [s.step for s in found] == [0, 1, 5, 30]
    assert [round(s.epoch, 3) for s in found] == [0, 0.333, 1.667, 10]


def test_training_that_goes_on_counts_its_epochs_on():
    recording = recorded(small(), recorder=Recorder(epochs=[4]), epochs=5, initial_epoch=3)
    assert [(s.step, s.epoch) for s in recording.snapshots] == [(0, 3), (3, 4), (6, 5)]


def test_the_fixed_examples_lie_evenly_among_all():
    x, y = np.repeat(np.arange(100.0), 2).reshape(100, 2), np.arange(100) % 2
    recording = recorded(small(), x, y, recorder=Recorder(examples=4))
    assert recording.examples == 4
    assert recording.surface.points == ((0, 0), (33, 33), (66, 66), (99, 99))


def test_an_interrupted_run_is_recorded_as_far_as_it_came():
    class Stop(Callback):
        def on_epoch_end(self, epoch, logs=None):
            if epoch == 1:
                raise KeyboardInterrupt

    recorder = Recorder()
    with pytest.raises(KeyboardInterrupt):
        small().fit(X, Y, epochs=9, batch_size=32, verbose=0, callbacks=[recorder, Stop()])
    assert recorder.recording.snapshots[-1].step == 6


def test_a_run_that_diverges_is_recorded_without_numbers_that_json_does_not_know():
    model = model_of(Dense(4, "relu"), Dense(1), loss="mse", optimizer=keras.optimizers.SGD(1e12), metrics=())
    recording = recorded(model)
    last = recording.snapshots[-1]
    assert last.scores == {"loss": None}
    assert last.gradient_norms[-1] is None
    assert last.grid == b""
    assert Recording.from_json(recording.to_json()) == recording


def test_hooks_after_a_step_get_the_means_of_the_epoch_so_far():
    seen = []

    class Watch(Callback):
        def on_train_batch_end(self, batch, logs=None):
            seen.append((batch, logs["loss"]))

    history = small().fit(X, Y, epochs=2, batch_size=32, verbose=0, callbacks=[Watch()])
    assert [batch for batch, _ in seen] == [0, 1, 2, 0, 1, 2]
    assert [seen[2][1], seen[5][1]] == history.history["loss"]


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: Recorder(steps=[1], epochs=[1]), "Recorder takes steps or epochs, found both"),
        (lambda: Recorder(steps=[-1]), "steps is -1, expected an integer from 0"),
        (lambda: Recorder(most=1), "most is 1, expected an integer from 2"),
        (lambda: Recorder(examples=0), "examples is 0, expected an integer from 1"),
        (
            lambda: Recorder().recording,
            "nothing is recorded yet; call model.fit(..., callbacks=[recorder]) first",
        ),
    ],
)
def test_what_cannot_be_recorded_is_refused(make, message):
    with pytest.raises(GraphError) as error:
        make()
    assert str(error.value) == message
