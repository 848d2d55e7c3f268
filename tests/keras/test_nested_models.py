"""Models called on nodes: shared, nested, joined; their weights, gradients and names."""

from __future__ import annotations

import numpy as np
import pytest

import graphdl as gd
from graphdl import keras
from graphdl.errors import GraphError
from graphdl.keras import layers

RNG = np.random.default_rng(8)
X = RNG.normal(size=(30, 4)).astype("float32")
Z = RNG.normal(size=(30, 4)).astype("float32")
Y = RNG.normal(size=(30, 1)).astype("float32")


def encoder(**options):
    return keras.Sequential([keras.Input((4,)), layers.Dense(3, activation="tanh"), layers.Dense(2)], **options)


def siamese():
    part = encoder(name="encoder")
    a, b = keras.Input((4,), name="a"), keras.Input((4,), name="b")
    model = keras.Model([a, b], layers.Dense(1, name="out")(part(a) - part(b)))
    return part, model


def written_out(weights, x, z):
    """The siamese network in NumPy."""
    W1, b1, W2, b2, W, b = weights
    left, right = np.tanh(x @ W1 + b1) @ W2 + b2, np.tanh(z @ W1 + b1) @ W2 + b2
    return (left - right) @ W + b


def test_a_model_called_twice_has_its_weights_once():
    part, model = siamese()
    assert [layer.name for layer in model.layers] == ["a", "b", "encoder", "out"]
    assert model.count_params() == part.count_params() + 3 == 26
    np.testing.assert_allclose(
        model.predict([X, Z], verbose=0), written_out(model.get_weights(), X, Z), rtol=1e-4, atol=1e-6
    )


def test_the_gradients_of_a_shared_model_are_the_sums_over_its_calls():
    gd.set_floatx("float64")
    _, model = siamese()
    model.compile(keras.optimizers.SGD(1.0), "mse")
    before = model.get_weights()

    def loss(weights):
        return float(np.mean((written_out(weights, X.astype("float64"), Z.astype("float64")) - Y) ** 2))

    model.fit([X, Z], Y, batch_size=30, shuffle=False, verbose=0)
    for place, (old, new) in enumerate(zip(before, model.get_weights(), strict=True)):
        slopes = np.zeros_like(old)
        for index in np.ndindex(old.shape):
            sides = []
            for step in (1e-6, -1e-6):
                moved = [w.copy() for w in before]
                moved[place][index] += step
                sides.append(loss(moved))
            slopes[index] = (sides[0] - sides[1]) / 2e-6
        np.testing.assert_allclose(old - new, slopes, rtol=1e-5, atol=1e-7)


def test_training_the_whole_trains_the_part():
    part, model = siamese()
    model.compile("sgd", "mse")
    before = part.predict(X, verbose=0)
    model.fit([X, Z], Y, verbose=0)
    after = part.predict(X, verbose=0)
    assert (before != after).any()
    W1, b1, W2, b2, _, _ = model.get_weights()
    np.testing.assert_allclose(after, np.tanh(X @ W1 + b1) @ W2 + b2, rtol=1e-5, atol=1e-6)


def test_nodes_of_a_model_within_stand_in_its_scope():
    _, model = siamese()
    scopes = {node.scope for node in gd.Graph(model.outputs).nodes if node.op.name == "matmul"}
    assert scopes == {"encoder/dense", "encoder/dense_1", "out"}


def test_models_nest_to_any_depth():
    model = encoder()
    for _ in range(4):
        inputs = keras.Input((4,))
        model = keras.Model(inputs, layers.Dense(2)(model(inputs)))
    assert model.predict(X, verbose=0).shape == (30, 2)
    assert len(model.get_weights()) == 12
    assert len(set(model.variable_names)) == 12


def test_a_model_within_masks_in_training_only():
    part = keras.Sequential([keras.Input((4,)), layers.Dropout(0.5)], name="drop")
    inputs = keras.Input((4,))
    model = keras.Model(inputs, part(inputs) * 1.0)
    assert np.array_equal(model.predict(X, verbose=0), X)
    trained = model(X, training=True)
    assert set(np.unique((trained / X).round(4))) == {0.0, 2.0}
    model.compile("sgd", "mse")
    plan = model.training
    assert [node.label for node in gd.Graph(plan.loss).noise] == ["drop/dropout/noise"]
    assert not gd.Graph(plan.evaluation.loss).noise


def test_moving_statistics_of_a_model_within_move():
    part = keras.Sequential([keras.Input((4,)), layers.BatchNormalization(momentum=0.5)])
    inputs = keras.Input((4,))
    model = keras.Model(inputs, layers.Dense(1)(part(inputs)))
    model.compile(keras.optimizers.SGD(0.0), "mse")
    model.fit(X, Y, batch_size=30, epochs=1, verbose=0)
    mean, variance = part.get_weights()[2:]
    np.testing.assert_allclose(mean, X.mean(0) / 2, rtol=1e-4, atol=1e-6)
    np.testing.assert_allclose(variance, 0.5 + X.var(0) / 2, rtol=1e-4)


def test_statistics_of_a_shared_layer_move_once_a_call_in_their_order():
    norm = layers.BatchNormalization(momentum=0.5, center=False, scale=False)
    a, b = keras.Input((4,), name="a"), keras.Input((4,), name="b")
    model = keras.Model([a, b], layers.Dense(1)(layers.Concatenate()([norm(a), norm(b)])))
    model.compile(keras.optimizers.SGD(0.0), "mse")
    model.fit([X, Z], Y, batch_size=30, verbose=0)
    np.testing.assert_allclose(norm.get_weights()[0], X.mean(0) / 4 + Z.mean(0) / 2, rtol=1e-4, atol=1e-6)


def test_penalties_of_a_shared_layer_count_once():
    dense = layers.Dense(4, kernel_regularizer=keras.regularizers.L2(0.1), use_bias=False)
    inputs = keras.Input((4,))
    inner = keras.Model(inputs, dense(inputs))
    x = keras.Input((4,))
    model = keras.Model(x, dense(inner(x)))
    model.compile("sgd", "mse")
    (W,) = model.get_weights()
    error = X @ W @ W - Z
    np.testing.assert_allclose(
        model.evaluate(X, Z, batch_size=30, verbose=0), (error**2).mean() + 0.1 * (W**2).sum(), rtol=1e-5
    )


def test_layers_add_losses_of_their_own_wherever_they_are():
    class Sparse(layers.Layer):
        def call(self, x):
            self.add_loss(gd.mean(gd.abs(x)))
            return x

    inner = keras.Sequential([keras.Input((4,)), Sparse()])
    inputs = keras.Input((4,))
    model = keras.Model(inputs, inner(inputs) * 1.0)
    model.compile("sgd", "mse")
    np.testing.assert_allclose(
        model.evaluate(X, Z, batch_size=30, verbose=0), ((X - Z) ** 2).mean() + np.abs(X).mean(), rtol=1e-5
    )
    alone = keras.Sequential([keras.Input((4,)), Sparse()])
    alone.compile("sgd")
    np.testing.assert_allclose(alone.evaluate(X, verbose=0, batch_size=30), np.abs(X).mean(), rtol=1e-5)


def test_inputs_and_outputs_may_be_lists_or_dicts():
    a, b = keras.Input((4,), name="a"), keras.Input((4,), name="b")
    model = keras.Model({"left": a, "right": b}, {"sum": a + b, "difference": layers.Dense(2)(a - b)})
    found = model.predict({"right": Z, "left": X}, verbose=0)
    assert list(found) == ["sum", "difference"]
    np.testing.assert_allclose(found["sum"], X + Z, rtol=1e-6)
    nodes = model({"left": b, "right": a})
    assert list(nodes) == ["sum", "difference"]
    listed = model([a, b])
    assert [node.shape[1] for node in listed.values()] == [4, 2]


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda m, x: m([x, x]), "encoder is called on 2 nodes, expected 1: 'x'"),
        (lambda m, x: m(keras.Input((5,), name="wide")), "encoder is called on wide: f32[N, 5], expected x: f32[N, 4]"),
        (lambda m, x: m({"other": x}), "encoder is called on 'other', and lacks 'x'"),
    ],
)
def test_a_model_called_on_what_does_not_fit_is_refused(call, message):
    x = keras.Input((4,), name="x")
    model = keras.Model(x, layers.Dense(2)(x), name="encoder")
    with pytest.raises(GraphError) as caught:
        call(model, x)
    assert message in str(caught.value)


def test_unnamed_models_within_a_model_are_numbered():
    inputs = keras.Input((4,))
    parts = [encoder(), encoder()]
    model = keras.Model(inputs, layers.Add()([part(inputs) for part in parts]))
    assert [part.name for part in parts] == ["sequential", "sequential_1"]
    assert len(model.get_weights()) == 8


def test_a_sequential_begins_with_a_model_or_ends_in_one():
    first = keras.Sequential([encoder(), layers.Dense(1)])
    assert first.predict(X, verbose=0).shape == (30, 1)
    last = keras.Sequential([layers.Dense(4), encoder()])
    assert last.predict(X, verbose=0).shape == (30, 2)
    lazy = keras.Sequential([keras.Sequential([layers.Dense(3)]), layers.Dense(1)])
    assert lazy.predict(X, verbose=0).shape == (30, 1)
    assert [w.shape for w in lazy.get_weights()] == [(4, 3), (3,), (3, 1), (1,)]


def test_files_name_weights_by_their_place_whatever_ran_first(tmp_path):
    (_part, model), (other_part, other) = siamese(), siamese()
    model.save_weights(tmp_path / "w.npz")
    other_part.predict(X, verbose=0)
    other.load_weights(tmp_path / "w.npz")
    for a, b in zip(model.get_weights(), other.get_weights(), strict=True):
        assert np.array_equal(a, b)
    with np.load(tmp_path / "w.npz") as archive:
        assert archive.files[:2] == ["encoder/dense/kernel", "encoder/dense/bias"]
        assert archive.files[-1] == "out/bias"


def test_the_last_layer_may_be_taken_away():
    model = keras.Sequential([keras.Input((4,)), layers.Dense(3), layers.Dense(2)])
    model.compile("sgd", "mse")
    whole = model.predict(X, verbose=0)
    kernel, bias = model.layers[0].get_weights()
    last = model.pop()
    assert whole.shape == (30, 2)
    assert last.name == "dense_1"
    np.testing.assert_allclose(model.predict(X, verbose=0), X @ kernel + bias, rtol=1e-5, atol=1e-6)
    model.add(layers.Dense(1))
    model.fit(X, Y, verbose=0)
    assert model.output.shape[1] == 1
    assert keras.Sequential().pop() is None


def test_a_clone_has_weights_of_its_own():
    _, model = siamese()
    again = keras.models.clone_model(model)
    assert [w.shape for w in again.get_weights()] == [w.shape for w in model.get_weights()]
    again.set_weights(model.get_weights())
    assert np.array_equal(again.predict([X, Z], verbose=0), model.predict([X, Z], verbose=0))
    rebuilt = keras.Model.from_config(model.get_config())
    assert [layer.name for layer in rebuilt.layers] == [layer.name for layer in model.layers]


def decoder():
    return keras.Sequential(
        [keras.Input((2,)), layers.Dropout(0.5), layers.Dense(3, activation="tanh"), layers.Dense(4)]
    )


def trained(part, x, y):
    part.compile("adam", "mse")
    part.fit(x, y, epochs=2, batch_size=10, verbose=0)
    return part


def test_parts_that_were_trained_apart_keep_their_weights_in_one_model():
    code = Z[:, :2]
    first, second = trained(encoder(), X, code), trained(decoder(), code, X)
    before = [*first.get_weights(), *second.get_weights()]
    x = keras.Input((4,))
    both = keras.Model(x, second(first(x)))
    for old, new in zip(before, both.get_weights(), strict=True):
        assert (old == new).all()
    W1, b1, W2, b2, W3, b3, W4, b4 = before
    inner = np.tanh((np.tanh(X @ W1 + b1) @ W2 + b2) @ W3 + b3)
    np.testing.assert_allclose(both.predict(X, verbose=0), inner @ W4 + b4, rtol=1e-4, atol=1e-6)
    assert first.session.state is second.session.state is both.session.state
    assert both.session.state.step == 6
    assert [layer.name for layer in both.layers[1:]] == ["sequential", "sequential_1"]


def test_parts_and_the_model_they_joined_are_trained_in_turn():
    code = Z[:, :2]
    first, second = trained(encoder(), X, code), trained(decoder(), code, X)
    x = keras.Input((4,))
    both = trained(keras.Model(x, second(first(x))), X, X)
    assert (first.get_weights()[0] == both.get_weights()[0]).all()
    first.fit(X, code, verbose=0)
    second.fit(code, X, verbose=0)
    for part, old in zip((*first.get_weights(), *second.get_weights()), both.get_weights(), strict=True):
        assert (part == old).all()


def test_what_an_optimizer_remembers_moves_with_its_model():
    """Trained on alone after its weights have moved, a part goes on as if they had not."""

    def run(joins):
        keras.utils.set_random_seed(4)
        part, other = trained(encoder(), X, Z[:, :2]), decoder()
        other.predict(Z[:, :2], verbose=0)
        if joins:
            x = keras.Input((2,))
            keras.Model(x, part(other(x)))
        part.fit(X, Z[:, :2], epochs=2, batch_size=10, verbose=0)
        return part.get_weights()

    for moved, stayed in zip(run(joins=True), run(joins=False), strict=True):
        assert moved.tobytes() == stayed.tobytes()


def test_layers_and_inputs_of_models_that_ran_apart_become_one_model():
    one, two = encoder(name="one"), encoder(name="two")
    expected = one.predict(X, verbose=0) - two.predict(Z, verbose=0)
    both = keras.Model([one.input, two.input], one.output - two.output)
    np.testing.assert_allclose(both.predict([X, Z], verbose=0), expected, rtol=1e-5, atol=1e-7)


def test_a_program_from_before_its_variables_moved_says_so():
    one, two = encoder(name="one"), encoder(name="two")
    programs = [model.prediction for model in (one, two)]
    keras.Model([one.input, two.input], one.output - two.output)
    with pytest.raises(GraphError, match="compiled before its variables moved to another session; compile again"):
        for program in programs:
            program(X)
