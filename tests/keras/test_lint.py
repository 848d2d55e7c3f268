"""Rules that need the model or its examples, and the warnings of compile and fit."""

from __future__ import annotations

import csv
import gzip
import warnings

import numpy as np
import pytest

import graphdl as gd
from graphdl import keras
from graphdl.errors import DataError, LintWarning
from graphdl.keras.lint import MODEL_RULES, lint

Dense = keras.layers.Dense
N = 200
RANDOM = np.random.default_rng(0)
X = RANDOM.normal(size=(N, 4))
CLASSES = RANDOM.integers(0, 3, N)
ROWS = np.eye(3)[CLASSES]
YES = (CLASSES > 0).astype(float)


def model(*layers):
    return keras.Sequential([keras.Input((4,)), *layers])


def compiled(made, loss="sparse_categorical_crossentropy", optimizer="sgd", metrics=None):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", LintWarning)
        made.compile(optimizer, loss, metrics=metrics)
    return made


def classifier(**how):
    return compiled(model(Dense(8, "relu"), Dense(3, "softmax")), **how)


def found(made, *data, **how):
    return [(finding.rule, finding.severity) for finding in made.lint(*data, **how)]


def test_a_good_classifier_is_left_in_peace():
    assert found(classifier(metrics=["accuracy"]), X, CLASSES) == []
    assert found(classifier(loss="categorical_crossentropy"), X, ROWS) == []


@pytest.mark.parametrize("loss", ["mse", "mae", "binary_crossentropy"])
@pytest.mark.parametrize("activation", ["relu", "tanh", "gelu", "elu", "leaky_relu", "silu", "softplus"])
def test_the_pairs_of_the_course_are_left_in_peace(loss, activation):
    last = Dense(1, "sigmoid") if loss == "binary_crossentropy" else Dense(1)
    assert found(compiled(model(Dense(8, activation), last), loss), X, YES) == []


def test_the_worked_line_of_the_course_is_left_in_peace():
    line = compiled(keras.Sequential([keras.Input((1,)), Dense(1)]), "mse")
    assert found(line, np.arange(-1.0, 5.0), np.arange(5.0, 11.0)) == []


@pytest.mark.parametrize(
    ("layers", "loss", "y", "expected"),
    [
        ([Dense(3, "softmax")], "mse", ROWS, ("softmax-mse", "warning")),
        ([Dense(3, "sigmoid")], "categorical_crossentropy", ROWS, ("sigmoid-classes", "warning")),
        ([Dense(3)], "categorical_crossentropy", ROWS, ("logits-as-probabilities", "error")),
        ([Dense(1)], "binary_crossentropy", YES, ("logits-as-probabilities", "error")),
        ([Dense(1, "softmax")], "binary_crossentropy", YES, ("one-unit-softmax", "error")),
        ([Dense(1, "sigmoid")], "categorical_crossentropy", YES, ("one-unit-softmax", "error")),
        ([Dense(8), Dense(1)], "mse", YES, ("linear-after-linear", "warning")),
        ([Dense(8, "sigmoid"), Dense(8, "sigmoid"), Dense(1)], "mse", YES, ("hidden-sigmoid", "warning")),
        ([Dense(1, "sigmoid")], "mse", YES * 9, ("targets-out-of-reach", "error")),
    ],
)
def test_the_rules_about_graphs_see_layers(layers, loss, y, expected):
    made = compiled(model(*layers), loss)
    assert found(made, X, y) == [expected]
    (finding,) = made.lint(X, y)
    assert finding.where.file == __file__
    assert "dense" in finding.message


@pytest.mark.parametrize(
    ("loss", "layer"),
    [
        (keras.losses.SparseCategoricalCrossentropy(from_logits=True), Dense(3, "softmax")),
        (keras.losses.BinaryCrossentropy(from_logits=True), Dense(1, "sigmoid")),
    ],
)
def test_an_activation_and_from_logits_are_one_too_many(loss, layer):
    y = CLASSES if layer.units == 3 else YES
    (rule,) = found(compiled(model(layer), loss), X, y)
    assert rule in [("softmax-twice", "error"), ("sigmoid-twice", "error")]


def test_dropout_between_linear_layers_does_not_hide_them():
    made = compiled(model(Dense(8), keras.layers.Dropout(0.5), Dense(1)), "mse")
    assert found(made, X, YES) == [("linear-after-linear", "warning")]


def test_dropout_breaks_the_symmetry_of_equal_weights():
    def layers(*between):
        zeros = {"kernel_initializer": "zeros"}
        return model(Dense(8, "tanh", **zeros), *between, Dense(1, **zeros))

    assert found(compiled(layers(), "mse"), X, YES) == [("symmetric-start", "error")]
    assert found(compiled(layers(keras.layers.Dropout(0.5)), "mse"), X, YES) == []


# ---- the rules about models


def test_one_hot_rows_and_class_numbers_are_told_apart():
    assert found(classifier(), X, ROWS) == [("one-hot-labels", "error")]
    categorical = classifier(loss="categorical_crossentropy")
    assert found(categorical, X, CLASSES) == [("integer-labels", "error")]
    assert found(categorical, X, CLASSES[:, None]) == [("integer-labels", "error")]
    for made, y in ((classifier(), ROWS), (categorical, CLASSES)):
        with pytest.raises(DataError):
            made.fit(X, y, verbose=0)


def test_amounts_are_no_targets_of_cross_entropy_and_fit_says_so():
    made = compiled(model(Dense(1, "sigmoid")), "binary_crossentropy")
    amounts = np.linspace(-1, 2, len(X))[:, None]
    with pytest.warns(LintWarning, match="the targets of dense go from -1 to 2, and binary_crossentropy takes"):
        made.fit(X, amounts, verbose=0)
    assert ("targets-beyond-probabilities", "error") in found(made, X, amounts)
    assert found(made, X, (amounts > 0).astype("f")) == []


def test_data_that_fit_would_refuse_are_refused_in_the_same_words():
    y = CLASSES.copy()
    y[7] = 3
    made = classifier()
    (finding,) = made.lint(X, y)
    with pytest.raises(DataError) as refusal:
        made.fit(X, y, verbose=0)
    assert (finding.rule, finding.message) == ("unusable-data", str(refusal.value))


def test_labels_of_several_outputs_are_looked_at_one_by_one():
    x = keras.Input((4,), name="x")
    h = Dense(8, "relu")(x)
    two = keras.Model(x, [Dense(3, "softmax", name="kind")(h), Dense(1, name="size")(h)])
    losses = {"kind": "sparse_categorical_crossentropy", "size": "mse"}
    compiled(two, losses)
    assert found(two, X, {"kind": CLASSES, "size": YES}) == []
    assert found(two, X, {"kind": ROWS, "size": YES}) == [("one-hot-labels", "error")]
    assert found(two, X, [ROWS, YES]) == [("one-hot-labels", "error")]


@pytest.mark.parametrize(("share", "fires"), [(0.95, True), (0.9, True), (0.8, False), (0.5, False)])
def test_an_accuracy_that_one_class_gives_away_is_told(share, fires):
    y = (np.arange(N) >= share * N).astype(float)
    made = compiled(model(Dense(1, "sigmoid")), "binary_crossentropy", metrics=["accuracy"])
    assert found(made, X, y) == ([("class-imbalance", "warning")] if fires else [])
    if fires:
        (finding,) = made.lint(X, y)
        constant = np.zeros(N)
        assert f"has an accuracy of {np.mean(constant == y):.0%}" in finding.message
    assert found(compiled(model(Dense(1, "sigmoid")), "binary_crossentropy"), X, y) == []


def test_accuracy_of_a_regression_is_told():
    made = compiled(model(Dense(1)), "mse", metrics=["accuracy"])
    assert found(made, X, X[:, 0]) == [("accuracy-of-regression", "warning")]
    assert found(made, X, YES) == []


@pytest.mark.parametrize(
    ("optimizer", "expected"),
    [
        (keras.optimizers.SGD(0.01), []),
        (keras.optimizers.SGD(0.1), []),
        (keras.optimizers.Adam(0.0001), []),
        (keras.optimizers.SGD(0.5), [("learning-rate", "hint")]),
        (keras.optimizers.SGD(2.0), [("learning-rate", "warning")]),
        (keras.optimizers.Adam(0.5), [("learning-rate", "warning")]),
        (keras.optimizers.Adam(1e-6), [("learning-rate", "warning")]),
        (keras.optimizers.SGD(0.0), [("learning-rate", "warning")]),
    ],
)
def test_learning_rates_outside_the_usual_are_told(optimizer, expected):
    assert found(compiled(model(Dense(1)), "mse", optimizer)) == expected


def test_a_batch_larger_than_the_data_is_told_only_where_it_was_asked_for():
    assert found(classifier(), X[:6], CLASSES[:6]) == []
    assert found(classifier(), X, CLASSES, batch_size=N) == []
    assert found(classifier(), X, CLASSES, batch_size=500) == [("batch-larger-than-data", "hint")]


def test_classes_that_only_the_validation_part_has_are_told():
    y = np.sort(np.arange(N) % 10)
    made = compiled(model(Dense(10, "softmax")))
    (finding,) = made.lint(X, y, validation_split=0.2)
    unseen = sorted(set(y[160:]) - set(y[:160]))
    assert (finding.rule, finding.severity) == ("unseen-classes", "error")
    assert f"class {', '.join(map(str, unseen))} appears only there" in finding.message
    order = RANDOM.permutation(N)
    assert found(made, X[order], y[order], validation_split=0.2) == []
    assert found(made, X, y) == []


def test_an_input_that_nothing_reads_is_told():
    x, z = keras.Input((4,), name="x"), keras.Input((4,), name="z")
    made = compiled(keras.Model([x, z], Dense(1)(x)), "mse")
    assert found(made, [X, X], YES) == [("unused-input", "warning")]


@pytest.mark.filterwarnings("ignore::graphdl.errors.ZeroGradientWarning")
def test_weights_that_lead_to_no_loss_are_told():
    x = keras.Input((4,))
    h = Dense(8, "relu")(x)
    two = keras.Model(x, [Dense(1, name="a")(h), Dense(1, name="b")(h)])
    compiled(two, {"a": "mse"})
    (finding,) = two.lint(X, {"a": YES})
    assert finding.message == "the loss does not depend on b/kernel, b/bias, so training leaves them as they are"
    before = two.get_layer("b").get_weights()
    two.fit(X, {"a": YES}, verbose=0)
    assert all(np.array_equal(p, q) for p, q in zip(before, two.get_layer("b").get_weights(), strict=True))
    compiled(two, "mse")
    assert found(two, X, {"a": YES, "b": YES}) == []


def test_a_mask_that_is_drawn_in_prediction_is_told():
    x = keras.Input((4,))
    masked = keras.layers.Dropout(0.5)(Dense(8, "relu")(x), training=True)
    made = compiled(keras.Model(x, Dense(1)(masked)), "mse")
    assert ("dropout-in-prediction", "warning") in found(made, X, YES)
    first, second = made.predict(np.repeat(X[:1], 2, axis=0), verbose=0)
    assert first != second
    usual = compiled(model(Dense(8, "relu"), keras.layers.Dropout(0.5), Dense(1)), "mse")
    assert found(usual, X, YES) == []


def test_large_targets_of_a_regression_are_told():
    made = compiled(model(Dense(1)), "mse")
    assert found(made, X, X[:, 0] * 1000) == [("unscaled-targets", "hint")]
    assert found(made, X, X[:, 0] * 10) == []


def test_a_model_without_an_input_shape_is_told_and_takes_that_of_the_data():
    made = keras.Sequential([Dense(3, "softmax")])
    compiled(made)
    (finding,) = made.lint()
    assert (finding.rule, finding.where.file) == ("missing-input-shape", __file__)
    assert not made.is_built
    assert found(made, X, CLASSES) == [("missing-input-shape", "hint")]
    assert made.output.shape[1] == 3


def test_every_rule_about_models_is_tried_here():
    assert {rule.code for rule in MODEL_RULES} == {
        "missing-input-shape",
        "unused-input",
        "dropout-in-prediction",
        "unused-weights",
        "learning-rate",
        "batch-larger-than-data",
        "class-imbalance",
        "accuracy-of-regression",
        "one-hot-labels",
        "integer-labels",
        "targets-beyond-probabilities",
        "unusable-data",
        "unseen-classes",
        "unscaled-targets",
    }


# ---- models that are not compiled, accuracy as a loss, the public function


def test_a_model_that_is_not_compiled_is_linted_without_a_loss():
    assert found(model(Dense(8), Dense(1))) == [("linear-after-linear", "warning")]
    assert found(model(Dense(8, "relu"), Dense(1)), X * 100) == [("unscaled-inputs", "warning")]


def test_accuracy_as_a_loss_is_an_error():
    def accuracy(t, p):
        return gd.cast(gd.equal(gd.argmax(t), gd.argmax(p)), "float32")

    made = compiled(model(Dense(3, "softmax")), accuracy)
    assert found(made, X, ROWS) == [("accuracy-as-loss", "error")]


def test_lint_takes_models_and_graphs_alike():
    made = compiled(model(Dense(3, "softmax")), "mse")
    assert lint(made, (X, ROWS)) == made.lint(X, ROWS)
    assert [f.rule for f in lint(made.training.loss)] == ["softmax-mse"]


def test_training_goes_the_same_way_with_and_without_linting():
    def digest(look):
        keras.utils.set_random_seed(3)
        made = compiled(model(Dense(8, "relu"), keras.layers.Dropout(0.5), Dense(3, "softmax")))
        if look:
            made.lint(X, CLASSES)
        made.fit(X, CLASSES, epochs=2, verbose=0)
        if look:
            made.lint(X, CLASSES)
        made.fit(X, CLASSES, epochs=1, verbose=0)
        return made.digest()

    assert digest(look=True) == digest(look=False)


# ---- warnings at use


def test_compile_warns_of_errors_at_the_line_of_the_layer():
    with pytest.warns(LintWarning) as record:
        model(Dense(3, "softmax")).compile("sgd", keras.losses.CategoricalCrossentropy(from_logits=True))
    (warning,) = record
    assert (warning.filename, "softmax-twice: " in str(warning.message)) == (__file__, True)
    assert str(warning.message).endswith("More: graphdl explain softmax-twice")


def test_compile_is_silent_about_matters_of_taste():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        model(Dense(3, "softmax")).compile(keras.optimizers.SGD(0.5), "mse")


def test_fit_warns_of_targets_it_cannot_reach_and_of_classes_it_never_sees():
    made = model(Dense(1, "sigmoid"))
    made.compile("sgd", "mse")
    with pytest.warns(LintWarning, match="targets-out-of-reach: the targets y go from 0 to 9, and dense only"):
        made.fit(X, YES * 9, verbose=0)
    sorted_labels = np.sort(np.arange(N) % 10)
    made = compiled(model(Dense(10, "softmax")))
    with pytest.warns(LintWarning, match=r"unseen-classes: validation_split=0.2 takes the last 40 examples"):
        made.fit(X, sorted_labels, validation_split=0.2, verbose=0)


def test_a_warning_is_given_once_by_a_model():
    made = model(Dense(1, "sigmoid"))
    made.compile("sgd", "mse")
    with warnings.catch_warnings(record=True) as record:
        warnings.simplefilter("default")
        made.fit(X, YES * 9, verbose=0)
        made.fit(X, YES * 9, verbose=0)
    assert len(record) == 1


def test_a_warning_can_be_silenced_as_any_other():
    with warnings.catch_warnings(record=True) as record:
        warnings.simplefilter("always")
        warnings.simplefilter("ignore", LintWarning)
        model(Dense(3)).compile("sgd", "categorical_crossentropy")
    assert record == []


def test_a_model_without_an_input_shape_is_warned_of_when_it_is_built():
    made = keras.Sequential([Dense(3)])
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        made.compile("sgd", "categorical_crossentropy")
    with pytest.warns(LintWarning, match="logits-as-probabilities"):
        made.fit(X, ROWS, verbose=0)


# ---- the networks of the course on its own data


def credit(folder):
    with (folder / "CreditCard.csv").open(encoding="utf-8", newline="") as file:
        table = list(csv.DictReader(file))
    names = ("reports", "age", "income", "expenditure", "dependents", "months", "majorcards", "active")
    x = np.array([[float(row[name]) for name in names] for row in table])
    return x, np.array([float(row["share"]) for row in table])


def test_the_credit_card_regression_needs_its_inputs_scaled_and_nothing_else(shared_data):
    x, y = credit(shared_data)
    made = compiled(keras.Sequential([keras.Input((8,)), Dense(16, "relu"), Dense(1)]), "mse", "adam", ["mae"])
    assert len(y) == 1319
    (finding,) = made.lint(x, y)
    assert finding.message.endswith("unscaled: column 3 from 0 to 3100")
    assert found(made, (x - x.mean(0)) / x.std(0), y) == []


def test_the_digits_of_the_course_need_division_by_255_and_nothing_else(shared_data):
    with gzip.open(shared_data / "mnist-t10k-images-idx3-ubyte.gz") as file:
        x = np.frombuffer(file.read(), "uint8", offset=16).reshape(-1, 784)
    with gzip.open(shared_data / "mnist-t10k-labels-idx1-ubyte.gz") as file:
        y = np.frombuffer(file.read(), "uint8", offset=8)
    layers = [Dense(width, "relu") for width in (64, 32)]
    made = keras.Sequential([keras.Input((784,)), *layers, Dense(10, "softmax")])
    compiled(made, "sparse_categorical_crossentropy", "adam", ["acc"])
    assert found(made, x, y) == [("unscaled-inputs", "warning")]
    assert found(made, x / 255, y) == []
