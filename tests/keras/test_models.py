"""Models: how layers connect, what they are called, whose weights they have."""

from __future__ import annotations

import numpy as np
import pytest

import graphdl as gd
from graphdl import keras
from graphdl.errors import FormatError, GraphError, WriteError
from graphdl.keras import layers

X = np.random.default_rng(1).normal(size=(5, 4)).astype("float32")


def mlp(**options):
    return keras.Sequential(
        [keras.Input((4,)), layers.Dense(3, activation="relu"), layers.Dense(2, activation="softmax")], **options
    )


def test_layers_stand_one_behind_the_other():
    model = mlp()
    W1, b1, W2, b2 = model.get_weights()
    z = np.maximum(X @ W1 + b1, 0) @ W2 + b2
    expected = np.exp(z) / np.exp(z).sum(-1, keepdims=True)
    np.testing.assert_allclose(model.predict(X, verbose=0), expected, rtol=1e-5)
    assert [layer.name for layer in model.layers] == ["dense", "dense_1"]
    assert model.count_params() == 4 * 3 + 3 + 3 * 2 + 2


def test_names_begin_anew_in_every_model():
    assert [layer.name for layer in mlp().layers] == [layer.name for layer in mlp().layers]
    for _ in range(2):
        inputs = keras.Input((4,))
        model = keras.Model(inputs, layers.Dense(2)(layers.Dense(2)(inputs)))
        assert [layer.name for layer in model.layers] == ["input_layer", "dense", "dense_1"]


def test_branches_of_one_model_have_different_names():
    a, b = keras.Input((4,), name="a"), keras.Input((4,), name="b")
    left, right = layers.Dense(2)(a), layers.Dense(2)(b)
    model = keras.Model([a, b], [left, right])
    assert [layer.name for layer in model.layers] == ["a", "b", "dense", "dense_1"]
    assert model.output_names == ("dense", "dense_1")


def test_two_layers_of_one_name_are_refused():
    inputs = keras.Input((4,))
    first = layers.Dense(2, name="same")(inputs)
    with pytest.raises(GraphError, match="two layers are called 'same'"):
        keras.Model(inputs, layers.Dense(2, name="same")(first))


@pytest.mark.parametrize(
    "begin",
    [
        lambda: [layers.Dense(3, input_shape=(4,))],
        lambda: [layers.Dense(3, input_dim=4)],
        lambda: [layers.InputLayer((4,)), layers.Dense(3)],
        lambda: [layers.InputLayer(shape=(4,)), layers.Dense(3)],
        lambda: [layers.InputLayer(input_shape=(4,)), layers.Dense(3)],
        lambda: [keras.Input(shape=(4,)), layers.Dense(3)],
        lambda: [layers.Dense(3)],
    ],
)
def test_a_sequential_begins_in_any_of_kerases_ways(begin):
    model = keras.Sequential(begin())
    assert model.predict(X, verbose=0).shape == (5, 3)
    assert [layer.name for layer in model.layers] == ["dense"]


def test_add_appends_layers():
    model = keras.Sequential()
    model.add(layers.Dense(3, input_shape=(4,)))
    model.add(layers.Activation("relu"))
    model.add(layers.Dense(1))
    assert model.output.shape[1] == 1
    assert [layer.name for layer in model.layers] == ["dense", "activation", "dense_1"]


def test_a_sequential_without_input_shape_says_so():
    model = keras.Sequential([layers.Dense(3)])
    assert not model.is_built
    with pytest.raises(GraphError, match=r"sequential has no input shape yet; begin it with keras.Input"):
        _ = model.outputs
    model.build((None, 4))
    assert model.count_params() == 15


def test_inputs_and_outputs_have_names():
    ids = keras.Input((4,), name="ids")
    extra = keras.Input((2,), name="extra")
    hidden = layers.Dense(3, name="hidden")(ids)
    both = gd.concat([hidden, extra], axis=-1)
    main = layers.Dense(1, name="main")(both)
    aux = layers.Dense(1, name="aux")(hidden)
    model = keras.Model(inputs=[ids, extra], outputs={"main": main, "help": aux})
    assert model.input_names == ("ids", "extra")
    assert model.output_names == ("main", "help")
    as_dict = model.predict({"extra": X[:, :2], "ids": X}, verbose=0)
    as_list = model.predict([X, X[:, :2]], verbose=0)
    assert list(as_dict) == list(as_list) == ["main", "help"]
    assert all((as_dict[name] == as_list[name]).all() for name in as_dict)
    with pytest.raises(GraphError, match="the model has 2 outputs"):
        _ = model.output


def test_graph_ops_stand_between_layers():
    inputs = keras.Input((4,))
    hidden = layers.Dense(3)(inputs)
    model = keras.Model(inputs, layers.Dropout(0.5)(gd.tanh(hidden) * 2.0))
    W, b = model.get_weights()
    np.testing.assert_allclose(model.predict(X, verbose=0), np.tanh(X @ W + b) * 2, rtol=1e-5)


def test_models_that_share_layers_share_weights():
    inputs = keras.Input((4,))
    hidden = layers.Dense(3, name="hidden")(inputs)
    encoder = keras.Model(inputs, hidden)
    whole = keras.Model(inputs, layers.Dense(4, name="back")(hidden))
    whole.compile("sgd", "mse")
    before = encoder.predict(X, verbose=0)
    whole.fit(X, X, epochs=2, verbose=0)
    W, b, _, _ = whole.get_weights()
    assert (encoder.predict(X, verbose=0) != before).any()
    np.testing.assert_allclose(encoder.predict(X, verbose=0), X @ W + b, rtol=1e-5)


def test_parts_with_inputs_of_their_own_become_one_model():
    a = keras.Input((4,), name="a")
    left = keras.Model(a, layers.Dense(2, name="left")(a))
    b = keras.Input((4,), name="b")
    right = keras.Model(b, layers.Dense(2, name="right")(b))
    both = keras.Model([left.input, right.input], layers.Dense(1)(gd.concat([left.output, right.output])))
    assert both.predict([X, X], verbose=0).shape == (5, 1)
    assert (left.get_weights()[0] == both.get_weights()[0]).all()


def test_training_and_inference_are_two_graphs_over_the_same_variables():
    inputs = keras.Input((4,))
    model = keras.Model(inputs, layers.Dense(1)(layers.Dropout(0.5)(layers.Dense(8)(inputs))))
    model.compile("sgd", "mse")
    plan = model.training
    trained, scored = gd.Graph(plan.loss), gd.Graph(plan.evaluation.loss)
    assert [n.label for n in trained.noise] == ["dropout/noise"]
    assert not scored.noise
    assert set(trained.variables) == set(scored.variables) == set(model.variables)


def test_a_model_without_dropout_has_one_graph():
    model = mlp()
    model.compile("sgd", "mse")
    assert model.training.evaluation is model.training.scores


def test_the_plan_of_training_is_open():
    model = mlp()
    model.compile("adam", "sparse_categorical_crossentropy", metrics=["acc"])
    plan = model.training
    assert [n.label for n in plan.inputs] == ["input_layer"]
    assert [str(n.type) for n in plan.targets] == ["i64[N]"]
    assert plan.names == ("loss", "acc")
    assert plan.variables == tuple(model.variables)
    assert [g.type for g in plan.gradients] == [w.type for w in plan.variables]
    assert plan.derivation.steps
    assert plan.updates.name == "adam"
    for program in (plan.train, plan.evaluate, plan.predict):
        assert program.source.startswith("import numpy as xp")


def test_a_frozen_layer_is_not_trained():
    model = mlp()
    model.layers[0].trainable = False
    model.compile("sgd", "mse")
    before = model.get_weights()
    model.fit(X, np.zeros((5, 2)), verbose=0)
    after = model.get_weights()
    assert [(a == b).all() for a, b in zip(before, after, strict=True)] == [True, True, False, False]


def test_weights_are_set_in_the_order_they_are_got():
    model = mlp()
    values = [np.full(w.shape, i, "float32") for i, w in enumerate(model.get_weights())]
    model.set_weights(values)
    assert all((a == b).all() for a, b in zip(model.get_weights(), values, strict=True))
    assert (model.layers[1].get_weights()[0] == 2).all()
    model.layers[1].set_weights([np.full((3, 2), 9), np.zeros(2)])
    assert (model.get_weights()[2] == 9).all()
    with pytest.raises(GraphError, match=r"set_weights: found 1 arrays \[\(2,\)\], expected 4"):
        model.set_weights([np.zeros(2)])


def test_the_digest_is_that_of_the_weights(tmp_path):
    model, twin = mlp(), mlp()
    assert model.digest() == twin.digest()
    twin.reset(seed=1)
    assert model.digest() != twin.digest()
    model.save_weights(tmp_path / "w.npz")
    twin.load_weights(tmp_path / "w.npz")
    assert model.digest() == twin.digest()
    with np.load(tmp_path / "w.npz", allow_pickle=False) as archive:
        assert archive.files == ["dense/kernel", "dense/bias", "dense_1/kernel", "dense_1/bias"]


def test_the_digest_does_not_depend_on_what_ran_first():
    first, second = mlp(), mlp()
    for model in (first, second):
        model.compile("adam", "mse")
    first.predict(X, verbose=0)
    first.fit(X, np.zeros((5, 2)), epochs=3, verbose=0)
    second.fit(X, np.zeros((5, 2)), epochs=3, verbose=0)
    assert first.digest() == second.digest()


def test_weights_that_do_not_fit_change_nothing(tmp_path):
    model = mlp()
    before = model.digest()
    np.savez(tmp_path / "other.npz", **{"dense/kernel": np.zeros((4, 3), "float32")})
    with pytest.raises(
        GraphError, match=r"does not fit sequential: it lacks 'dense/bias', 'dense_1/kernel', 'dense_1/bias'"
    ):
        model.load_weights(tmp_path / "other.npz")
    np.savez(tmp_path / "objects.npz", **{name: np.array([{}]) for name in model.variable_names})
    with pytest.raises(FormatError, match="pickled objects, which are never loaded"):
        model.load_weights(tmp_path / "objects.npz")
    with pytest.warns(UserWarning, match=r"w.h5' is written as an .npz of weights, which Keras does not read"):
        model.save_weights(tmp_path / "w.h5")
    model.load_weights(tmp_path / "w.h5")
    with pytest.raises(WriteError, match="cannot write"):
        model.save_weights(tmp_path / "absent" / "w.npz")
    assert model.digest() == before


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: keras.Model(X, X), "a model has no inputs" if X.size == 0 else "inputs of a model are nodes"),
        (lambda: keras.Model([], []), "a model has no inputs"),
        (lambda: keras.Sequential(["dense"]), "sequential.add takes layers, found 'dense', a str"),
        (lambda: keras.Sequential([layers.Dense(3), keras.Input((4,))]), "keras.Input comes first"),
        (lambda: keras.Sequential([keras.Input((4,)), layers.InputLayer((4,))]), "comes first, found it behind"),
        (lambda: mlp().get_layer("dense_2"), "there is no layer 'dense_2'. Did you mean 'dense_1'?"),
        (lambda: mlp().compile("sgd"), "compile needs a loss, such as loss='mse'"),
        (lambda: mlp().compile("sdg", "mse"), "there is no optimizer 'sdg'. Did you mean 'sgd'?"),
        (lambda: mlp().compile("sgd", "msee"), "there is no loss 'msee'. Did you mean 'mse'?"),
        (lambda: mlp().compile("sgd", "mse", metrics=["acuracy"]), "Did you mean 'accuracy'?"),
        (lambda: mlp().compile("sgd", {"other": "mse"}), "loss names 'other', which is no output"),
        (lambda: keras.Sequential().fit(X, X), "sequential has no layers; add some first"),
        (lambda: mlp().fit(X, X), "sequential is not compiled; call model.compile(optimizer=..., loss=...) first"),
        (lambda: mlp().evaluate(X, X), "is not compiled"),
    ],
)
def test_a_model_that_cannot_be_is_refused(make, message):
    with pytest.raises(GraphError) as caught:
        make()
    assert message in str(caught.value)


def test_an_output_that_depends_on_something_else_is_refused():
    a, b = keras.Input((4,), name="a"), keras.Input((4,), name="b")
    with pytest.raises(GraphError, match="the outputs depend on b, which is not among the inputs"):
        keras.Model(a, layers.Dense(1)(a + b))


def test_a_summary_lists_layers_shapes_and_weights():
    lines = []
    mlp().summary(print_fn=lines.append)
    (text,) = lines
    assert text == (
        'Model: "sequential"\n'
        "┏━━━━━━━━━━━━━━━━━┳━━━━━━━━━━━━━━┳━━━━━━━━━┓\n"
        "┃ Layer (type)    ┃ Output Shape ┃ Param # ┃\n"
        "┡━━━━━━━━━━━━━━━━━╇━━━━━━━━━━━━━━╇━━━━━━━━━┩\n"
        "│ dense (Dense)   │ (None, 3)    │      15 │\n"
        "├─────────────────┼──────────────┼─────────┤\n"
        "│ dense_1 (Dense) │ (None, 2)    │       8 │\n"
        "└─────────────────┴──────────────┴─────────┘\n"
        " Total params: 23 (92.00 B)\n"
        " Trainable params: 23 (92.00 B)\n"
        " Non-trainable params: 0 (0.00 B)\n"
        " FLOPs of a batch of N: 68*N\n"
        " Bytes of its activations: 36*N"
    )


def test_a_functional_summary_says_what_is_connected_to_what():
    inputs = keras.Input((4,), name="in")
    shared = layers.Dense(4, name="shared")
    model = keras.Model(inputs, shared(shared(inputs)))
    lines = []
    model.summary(print_fn=lines.append)
    rows = [[cell.strip() for cell in line.split("│")[1:-1]] for line in lines[0].split("\n") if line.startswith("│")]
    assert rows == [
        ["in (InputLayer)", "(None, 4)", "0", "-"],
        ["shared (Dense)", "(None, 4)", "20", "in"],
        ["shared (Dense)", "(None, 4)", "0", "shared"],
    ]


def test_a_summary_without_input_shape_says_so(capsys):
    keras.Sequential([layers.Dense(3)]).summary()
    assert capsys.readouterr().out == 'Model: "sequential" has no input shape yet\n'


def test_a_seed_that_is_none_is_refused():
    with pytest.raises(GraphError, match="seed is -1, expected an integer from 0"):
        keras.utils.set_random_seed(-1)


def test_layers_of_float64_make_a_model_of_float64():
    gd.set_floatx("float64")
    model = mlp()
    model.compile("adam", "mse")
    assert model.predict(X, verbose=0).dtype == np.float64
    model.fit(X, np.zeros((5, 2)), verbose=0)
    assert {w.dtype.name for w in model.get_weights()} == {"float64"}


def test_an_output_may_be_there_twice():
    inputs = keras.Input((4,))
    y = layers.Dense(2)(inputs)
    first, second = keras.Model(inputs, [y, y]).predict(X, verbose=0)
    assert (first == second).all()
    assert list(keras.Model(inputs, {"a": y, "b": y}).predict(X, verbose=0)) == ["a", "b"]
