"""Losses: Keras' formulas written out in NumPy, gradients against torch, and what happens at the edges."""

from __future__ import annotations

import json

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

import graphdl as gd
from graphdl.errors import GraphError
from graphdl.keras import losses

RNG = np.random.default_rng(5)
Z = RNG.normal(size=(6, 4))
Y = RNG.normal(size=(6, 4))
LABELS = np.array([0, 3, 1, 1, 2, 0])
HOT = np.eye(4)[LABELS]
BITS = (RNG.uniform(size=(6, 4)) > 0.5).astype("float64")
EPSILON = 1e-7


def softmax(z):
    e = np.exp(z - z.max(-1, keepdims=True))
    return e / e.sum(-1, keepdims=True)


def sigmoid(z):
    return 1 / (1 + np.exp(-z))


def value_and_gradient(loss, targets, z, through=None):
    """The loss and its gradient at `z`, with predictions ``through(z)``."""
    logits = gd.placeholder(z.shape, "float64", name="z")
    t = gd.placeholder(targets.shape, targets.dtype, name="t")
    made = loss(t, through(logits) if through else logits)
    return gd.Session().run([made, gd.gradients(made, logits)], {logits: z, t: targets})


def keras_binary(t, p):
    p = np.clip(p, EPSILON, 1 - EPSILON)
    return -(t * np.log(p) + (1 - t) * np.log(1 - p)).mean()


def keras_categorical(t, p):
    p = np.clip(p / p.sum(-1, keepdims=True), EPSILON, 1 - EPSILON)
    return -(t * np.log(p)).sum(-1).mean()


POSITIVE = np.exp(RNG.normal(size=(2, 6, 4)))
SIGNS = np.where(BITS > 0, 1.0, -1.0)


def unit(x):
    return x / np.linalg.norm(x, axis=-1, keepdims=True)


def huber(error, delta):
    size = np.abs(error)
    return np.where(size <= delta, error**2 / 2, delta * (size - delta / 2))


def keras_focal_binary(t, p, gamma, alpha=None):
    right = np.where(t > 0, p, 1 - p)
    price = 1.0 if alpha is None else np.where(t > 0, alpha, 1 - alpha)
    return -(price * (1 - right) ** gamma * np.log(right)).mean()


FORMULAS = [
    (losses.MeanSquaredError(), Y, Z, None, ((Z - Y) ** 2).mean()),
    (losses.MeanAbsoluteError(), Y, Z, None, np.abs(Z - Y).mean()),
    (losses.MeanAbsolutePercentageError(), Y, Z, None, 100 * np.abs((Z - Y) / Y).mean()),
    (
        losses.MeanSquaredLogarithmicError(),
        *POSITIVE,
        None,
        ((np.log1p(POSITIVE[0]) - np.log1p(POSITIVE[1])) ** 2).mean(),
    ),
    (losses.Huber(), 3 * Y, Z, None, huber(Z - 3 * Y, 1.0).mean()),
    (losses.Huber(0.3), Y, Z, None, huber(Z - Y, 0.3).mean()),
    (losses.LogCosh(), Y, Z, None, np.log(np.cosh(Z - Y)).mean()),
    (losses.CosineSimilarity(), Y, Z, None, -(unit(Y) * unit(Z)).sum(-1).mean()),
    (losses.CosineSimilarity(axis=0), Y, Z, None, -(unit(Y.T) * unit(Z.T)).sum(-1).mean()),
    (losses.BinaryCrossentropy(), BITS, Z, gd.sigmoid, keras_binary(BITS, sigmoid(Z))),
    (losses.BinaryCrossentropy(from_logits=True), BITS, Z, None, keras_binary(BITS, sigmoid(Z))),
    (losses.BinaryCrossentropy(), BITS, sigmoid(Z), None, keras_binary(BITS, sigmoid(Z))),
    (losses.CategoricalCrossentropy(), HOT, Z, gd.softmax, keras_categorical(HOT, softmax(Z))),
    (losses.CategoricalCrossentropy(from_logits=True), HOT, Z, None, keras_categorical(HOT, softmax(Z))),
    (losses.CategoricalCrossentropy(), HOT, np.exp(Z), None, keras_categorical(HOT, np.exp(Z))),
    (losses.CategoricalCrossentropy(axis=0), HOT.T, np.exp(Z.T), None, keras_categorical(HOT, np.exp(Z))),
    (losses.SparseCategoricalCrossentropy(), LABELS, Z, gd.softmax, keras_categorical(HOT, softmax(Z))),
    (losses.SparseCategoricalCrossentropy(from_logits=True), LABELS, Z, None, keras_categorical(HOT, softmax(Z))),
    (losses.SparseCategoricalCrossentropy(), LABELS, np.exp(Z), None, keras_categorical(HOT, np.exp(Z))),
    (
        losses.SparseCategoricalCrossentropy(ignore_class=1),
        LABELS,
        Z,
        gd.softmax,
        keras_categorical(HOT[LABELS != 1], softmax(Z[LABELS != 1])),
    ),
    (
        losses.CategoricalGeneralizedCrossEntropy(0.3),
        LABELS,
        Z,
        gd.softmax,
        ((1 - softmax(Z)[np.arange(6), LABELS] ** 0.3) / 0.3).mean(),
    ),
    (losses.BinaryFocalCrossentropy(), BITS, Z, gd.sigmoid, keras_focal_binary(BITS, sigmoid(Z), 2)),
    (
        losses.BinaryFocalCrossentropy(True, alpha=0.4, gamma=1.5, from_logits=True),
        BITS,
        Z,
        None,
        keras_focal_binary(BITS, sigmoid(Z), 1.5, 0.4),
    ),
    (
        losses.CategoricalFocalCrossentropy(alpha=0.4, gamma=1.5),
        HOT,
        Z,
        gd.softmax,
        -(0.4 * HOT * (1 - softmax(Z)) ** 1.5 * np.log(softmax(Z))).sum(-1).mean(),
    ),
    (
        losses.CategoricalFocalCrossentropy(alpha=[0.1, 0.2, 0.3, 0.4], from_logits=True),
        HOT,
        Z,
        None,
        -(np.array([0.1, 0.2, 0.3, 0.4]) * HOT * (1 - softmax(Z)) ** 2 * np.log(softmax(Z))).sum(-1).mean(),
    ),
    (losses.KLDivergence(), softmax(Y), Z, gd.softmax, (softmax(Y) * np.log(softmax(Y) / softmax(Z))).sum(-1).mean()),
    (losses.Poisson(), *POSITIVE, None, (POSITIVE[1] - POSITIVE[0] * np.log(POSITIVE[1] + EPSILON)).mean()),
    (losses.Hinge(), SIGNS, Z, None, np.maximum(1 - SIGNS * Z, 0).mean()),
    (losses.Hinge(), BITS, Z, None, np.maximum(1 - SIGNS * Z, 0).mean()),
    (losses.SquaredHinge(), BITS, Z, None, (np.maximum(1 - SIGNS * Z, 0) ** 2).mean()),
    (
        losses.CategoricalHinge(),
        HOT,
        Z,
        None,
        np.maximum(1 + ((1 - HOT) * Z).max(-1) - (HOT * Z).sum(-1), 0).mean(),
    ),
    (losses.Dice(), BITS, sigmoid(Z), None, 1 - 2 * (BITS * sigmoid(Z)).sum() / (BITS.sum() + sigmoid(Z).sum())),
    (
        losses.Tversky(0.3, 0.8, axis=-1),
        BITS,
        sigmoid(Z),
        None,
        np.mean(
            1
            - (BITS * sigmoid(Z)).sum(-1)
            / (
                (BITS * sigmoid(Z)).sum(-1)
                + 0.3 * (BITS * (1 - sigmoid(Z))).sum(-1)
                + 0.8 * ((1 - BITS) * sigmoid(Z)).sum(-1)
                + EPSILON
            )
        ),
    ),
]


@pytest.mark.parametrize(
    ("loss", "targets", "z", "through", "expected"), FORMULAS, ids=lambda x: getattr(x, "name", "")
)
def test_a_loss_is_its_formula(loss, targets, z, through, expected):
    found, gradient = value_and_gradient(loss, targets, z, through)
    np.testing.assert_allclose(found, expected, rtol=1e-6)
    step = 1e-6 * np.sign(gradient)
    ahead, _ = value_and_gradient(loss, targets, z + step, through)
    np.testing.assert_allclose(ahead - found, (gradient * step).sum(), rtol=1e-4)


@given(
    z=arrays("float64", (3, 4), elements=st.floats(-1e4, 1e4)),
    t=arrays("float64", (3, 4), elements=st.floats(-1e4, 1e4)),
)
@settings(max_examples=25, deadline=None)
def test_losses_of_numbers_are_finite_with_their_gradients_at_any_size(z, t):
    for loss in (
        losses.MeanSquaredError(),
        losses.Huber(),
        losses.LogCosh(),
        losses.CosineSimilarity(),
        losses.Hinge(),
    ):
        found, gradient = value_and_gradient(loss, t, z)
        assert np.isfinite(found)
        assert np.isfinite(gradient).all()
    found, _ = value_and_gradient(losses.LogCosh(), t, z)
    size = np.abs(z - t)
    np.testing.assert_allclose(found, (size + np.log1p(np.exp(-2 * size)) - np.log(2)).mean(), rtol=1e-9, atol=1e-9)


@given(
    z=arrays("float64", (3, 4), elements=st.floats(-1e3, 1e3)), labels=arrays("int64", 3, elements=st.integers(0, 3))
)
@settings(max_examples=25, deadline=None)
def test_focal_losses_of_logits_are_finite_with_their_gradients_at_any_size(z, labels):
    hot = np.eye(4)[labels]
    for loss in (
        losses.BinaryFocalCrossentropy(from_logits=True),
        losses.CategoricalFocalCrossentropy(from_logits=True),
    ):
        found, gradient = value_and_gradient(loss, hot, z)
        assert 0 <= found < np.inf
        assert np.isfinite(gradient).all()


def weighed(loss, targets, z, weight=None, mask=None):
    nodes = [gd.placeholder(np.shape(a), np.asarray(a).dtype) for a in (targets, z, weight, mask) if a is not None]
    given = dict(zip(("sample_weight", "mask"), nodes[2:], strict=False))
    if mask is not None and weight is None:
        given = {"mask": nodes[2]}
    made = loss(nodes[0], nodes[1], **given)
    fed = [np.asarray(a) for a in (targets, z, weight, mask) if a is not None]
    return gd.Session().run(made, dict(zip(nodes, fed, strict=True)))


WEIGHTS = np.array([0.0, 1.0, 0.5, 2.0, 3.0, 1.0])


def test_weights_of_examples_multiply_their_losses():
    each = ((Z - Y) ** 2).mean(-1)
    for reduction, expected in [
        ("sum_over_batch_size", (each * WEIGHTS).mean()),
        ("mean", (each * WEIGHTS).mean()),
        ("sum", (each * WEIGHTS).sum()),
        ("mean_with_sample_weight", (each * WEIGHTS).sum() / WEIGHTS.sum()),
        ("none", each * WEIGHTS),
    ]:
        found = weighed(losses.MeanSquaredError(reduction=reduction), Y, Z, WEIGHTS)
        np.testing.assert_allclose(found, expected, rtol=1e-12)
    nats = -np.log(softmax(Z))[np.arange(6), LABELS]
    found = weighed(losses.SparseCategoricalCrossentropy(from_logits=True), LABELS, Z, WEIGHTS)
    np.testing.assert_allclose(found, (nats * WEIGHTS).mean(), rtol=1e-12)


def test_weights_may_be_a_column_or_one_for_each_time():
    each = np.abs(Z - Y).reshape(2, 3, 4)
    found = weighed(losses.MeanAbsoluteError(), Y, Z, WEIGHTS[:, None])
    np.testing.assert_allclose(found, (np.abs(Z - Y).mean(-1) * WEIGHTS).mean(), rtol=1e-12)
    found = weighed(losses.MeanAbsoluteError(), Y.reshape(2, 3, 4), Z.reshape(2, 3, 4), WEIGHTS.reshape(2, 3))
    np.testing.assert_allclose(found, (each.mean(-1) * WEIGHTS.reshape(2, 3)).mean(), rtol=1e-12)
    found = weighed(losses.MeanAbsoluteError(), Y.reshape(2, 3, 4), Z.reshape(2, 3, 4), WEIGHTS[:2])
    np.testing.assert_allclose(found, (each.mean(-1) * WEIGHTS[:2, None]).mean(), rtol=1e-12)


def test_what_is_masked_does_not_count_even_where_it_is_infinite():
    mask = np.array([True, False, True, True, False, True])
    z = np.where(mask[:, None], Z, np.inf)
    each = ((Z - Y) ** 2).mean(-1)
    np.testing.assert_allclose(weighed(losses.MeanSquaredError(), Y, z, mask=mask), each[mask].mean(), rtol=1e-12)
    found = weighed(losses.MeanSquaredError(), Y, z, WEIGHTS, mask)
    np.testing.assert_allclose(found, (each * WEIGHTS)[mask].sum() / 4, rtol=1e-12)
    assert weighed(losses.MeanSquaredError(), Y, z, mask=np.zeros(6, bool)) == 0


def test_single_numbers_are_examples_of_their_own():
    found = weighed(losses.MeanSquaredError(), Y[:, 0], Z[:, 0], WEIGHTS)
    np.testing.assert_allclose(found, ((Z - Y)[:, 0] ** 2 * WEIGHTS).mean(), rtol=1e-12)


def test_targets_without_the_last_axis_fit_predictions_of_width_one():
    found = weighed(losses.MeanSquaredError(), Y[:, 0], Z[:, :1])
    np.testing.assert_allclose(found, ((Z - Y)[:, 0] ** 2).mean(), rtol=1e-12)
    found = weighed(losses.MeanSquaredError(), Y[:, 0].astype("float32"), Z[:, :1])
    np.testing.assert_allclose(found, ((Z - Y)[:, 0] ** 2).mean(), rtol=1e-6)


@pytest.mark.parametrize(
    ("targets", "z", "expected"),
    [
        (LABELS, Z, np.array([1, 5, 3, 3, 1, 1.0])),
        (HOT, Z, np.array([1, 5, 3, 3, 1, 1.0])),
        (LABELS[:, None], Z, np.array([1, 5, 3, 3, 1, 1.0])),
        (BITS[:, :1], Z[:, :1], np.where(BITS[:, 0] > 0, 3.0, 1.0)),
        (BITS[:, 0], Z[:, 0], np.where(BITS[:, 0] > 0, 3.0, 1.0)),
    ],
)
def test_weights_of_classes_become_weights_of_examples(targets, z, expected):
    t, y = gd.placeholder(targets.shape, targets.dtype), gd.placeholder(z.shape, "float64")
    weights = {1: 3.0, 3: 5.0} if z.shape[-1] == 4 else {1: 3}
    assert gd.Session().run(losses.class_weights(t, weights, y), {t: targets}).tolist() == expected.tolist()


def test_a_class_weight_for_no_class_is_refused():
    t, y = gd.placeholder((None,), "int64"), gd.placeholder((None, 4))
    with pytest.raises(GraphError, match="class_weight names class 4, expected an integer from 0 to 3"):
        losses.class_weights(t, {4: 1.0}, y)
    with pytest.raises(GraphError, match=r"class_weight of class 1 is -1\.0, expected a number from 0"):
        losses.class_weights(t, {1: -1.0}, y)


@pytest.mark.parametrize("made", losses.CLASSES, ids=lambda made: made.__name__)
def test_a_loss_goes_by_its_names_and_by_its_description(made):
    for word in (made.name, made.__name__, made, made.name.upper()):
        assert type(losses.get(word)) is made
    loss = made(reduction="sum", name="mine")
    again = losses.get(json.loads(json.dumps(losses.serialize(loss))))
    assert repr(again) == repr(loss) == f"{made.__name__}(reduction='sum', name='mine')"
    function = getattr(losses, made.name.removesuffix("_loss"))
    assert type(losses.get(function)) is made


def test_label_smoothing_draws_targets_to_the_mean():
    found, _ = value_and_gradient(losses.CategoricalCrossentropy(label_smoothing=0.1), HOT, Z, gd.softmax)
    np.testing.assert_allclose(found, keras_categorical(HOT * 0.9 + 0.1 / 4, softmax(Z)), rtol=1e-6)
    found, _ = value_and_gradient(losses.BinaryCrossentropy(label_smoothing=0.1), BITS, Z, gd.sigmoid)
    np.testing.assert_allclose(found, keras_binary(BITS * 0.9 + 0.05, sigmoid(Z)), rtol=1e-6)


def test_cross_entropy_of_softmax_is_exact_where_the_probability_is_zero():
    z = np.array([[0.0, 1000.0, 5.0]])
    found, gradient = value_and_gradient(losses.SparseCategoricalCrossentropy(), np.array([0]), z, gd.softmax)
    assert found == 1000
    assert gradient.tolist() == [[-1, 1, 0]]
    found, gradient = value_and_gradient(losses.CategoricalCrossentropy(), np.eye(3)[[0]], z, gd.softmax)
    assert found == 1000
    assert gradient.tolist() == [[-1, 1, 0]]


def test_cross_entropy_of_sigmoid_is_exact_where_the_probability_is_one():
    z = np.array([[800.0], [-800.0]])
    found, gradient = value_and_gradient(losses.BinaryCrossentropy(), np.array([[0.0], [1.0]]), z, gd.sigmoid)
    assert found == 800
    np.testing.assert_allclose(gradient, [[0.5], [-0.5]])


def test_other_probabilities_are_kept_off_zero_as_in_keras():
    found, _ = value_and_gradient(losses.BinaryCrossentropy(), np.array([[1.0]]), np.array([[0.0]]))
    np.testing.assert_allclose(found, -np.log(EPSILON), rtol=1e-9)


def test_sum_is_another_reduction():
    found, _ = value_and_gradient(losses.MeanSquaredError(reduction="sum"), Y, Z)
    np.testing.assert_allclose(found, ((Z - Y) ** 2).mean(-1).sum())


@pytest.mark.parametrize(
    ("function", "targets", "through", "expected"),
    [
        (losses.mse, Y, None, ((Z - Y) ** 2).mean(-1)),
        (losses.mae, Y, None, np.abs(Z - Y).mean(-1)),
        (losses.binary_crossentropy, BITS, gd.sigmoid, None),
        (losses.categorical_crossentropy, HOT, gd.softmax, -np.log(softmax(Z))[np.arange(6), LABELS]),
        (losses.sparse_categorical_crossentropy, LABELS, gd.softmax, -np.log(softmax(Z))[np.arange(6), LABELS]),
    ],
)
def test_a_loss_function_gives_a_value_for_each_example(function, targets, through, expected):
    z, t = gd.placeholder(Z.shape, "float64"), gd.placeholder(targets.shape, targets.dtype)
    found = gd.Session().run(function(t, through(z) if through else z), {z: Z, t: targets})
    if expected is None:
        p = sigmoid(Z)
        expected = -(BITS * np.log(p) + (1 - BITS) * np.log(1 - p)).mean(-1)
    np.testing.assert_allclose(found, expected, rtol=1e-9)


def test_losses_and_their_gradients_agree_with_torch():
    torch = pytest.importorskip("torch")
    cases = [
        (losses.MeanSquaredError(), Y, None, torch.nn.functional.mse_loss, torch.tensor(Y)),
        (losses.MeanAbsoluteError(), Y, None, torch.nn.functional.l1_loss, torch.tensor(Y)),
        (
            losses.BinaryCrossentropy(),
            BITS,
            gd.sigmoid,
            torch.nn.functional.binary_cross_entropy_with_logits,
            torch.tensor(BITS),
        ),
        (
            losses.SparseCategoricalCrossentropy(),
            LABELS,
            gd.softmax,
            torch.nn.functional.cross_entropy,
            torch.tensor(LABELS),
        ),
    ]
    for loss, targets, through, function, their_targets in cases:
        z = torch.tensor(Z, requires_grad=True)
        theirs = function(z, their_targets)
        theirs.backward()
        found, gradient = value_and_gradient(loss, targets, Z, through)
        np.testing.assert_allclose(found, theirs.item(), rtol=1e-12)
        np.testing.assert_allclose(gradient, z.grad.numpy(), rtol=1e-10, atol=1e-15)


def test_a_function_of_nodes_is_a_loss():
    loss = losses.get(lambda t, y: gd.square(t - y) * 3)
    found, _ = value_and_gradient(loss, Y, Z)
    np.testing.assert_allclose(found, 3 * ((Y - Z) ** 2).mean())


def test_a_loss_has_several_names():
    for name in ("mse", "MSE", "mean_squared_error", "MeanSquaredError", losses.mse, losses.MeanSquaredError):
        assert isinstance(losses.get(name), losses.MeanSquaredError)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: losses.get("categorical_crossentrpy"), "Did you mean 'categorical_crossentropy'?"),
        (lambda: losses.get(3), "a loss is 3, expected a name such as 'mse', a loss object or a function"),
        (lambda: losses.MeanSquaredError(reduction="average"), "there is no reduction 'average'"),
        (
            lambda: losses.BinaryCrossentropy(label_smoothing=1.5),
            "label_smoothing is 1.5, expected at least 0 and below 1",
        ),
        (lambda: losses.Huber(delta=0), "huber_loss: delta is 0, expected a number above 0"),
        (
            lambda: losses.SparseCategoricalCrossentropy(ignore_class="no"),
            "ignore_class is 'no', expected a class number",
        ),
        (lambda: losses.CategoricalGeneralizedCrossEntropy(q=1), "q is 1, expected above 0 and below 1"),
        (lambda: losses.get({"class": "mse"}), "the description of this loss has 'class', expected 'class_name'"),
    ],
)
def test_a_wrong_loss_is_refused(make, message):
    with pytest.raises(GraphError) as caught:
        make()
    assert message in str(caught.value)


def test_a_loss_function_that_returns_no_node_is_refused():
    with pytest.raises(GraphError, match="returns a float, expected a node"):
        losses.get(lambda t, y: 0.5)(gd.placeholder((2,)), gd.placeholder((2,)))
