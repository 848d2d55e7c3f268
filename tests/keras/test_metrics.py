"""Metrics against NumPy and scikit-learn, over batches of any sizes, and the accuracy that fits the shapes."""

from __future__ import annotations

import json

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import graphdl as gd
from graphdl import keras
from graphdl.errors import GraphError, ShapeError
from graphdl.keras import losses, metrics

RNG = np.random.default_rng(6)
P = RNG.uniform(size=(50, 4)).astype("float32")
Q = P / P.sum(-1, keepdims=True)
LABELS = RNG.integers(0, 4, size=50)
HOT = np.eye(4, dtype="float32")[LABELS]
BITS = (RNG.uniform(size=(50, 1)) > 0.5).astype("float32")
MANY = (RNG.uniform(size=(50, 4)) > 0.5).astype("float32")
W = RNG.uniform(0.1, 2, size=50).astype("float32")
T = RNG.normal(size=(50, 4))
Y = T + RNG.normal(size=(50, 4))


def value(identifier, targets, predictions, weight=None):
    t = gd.placeholder((None, *targets.shape[1:]), targets.dtype, name="t")
    y = gd.placeholder((None, *predictions.shape[1:]), predictions.dtype, name="y")
    metric = metrics.get(identifier, t, y)
    if weight is None:
        return gd.Session().run(metric(t, y), {t: targets, y: predictions})
    w = gd.placeholder((None, *weight.shape[1:]), weight.dtype, name="w")
    return gd.Session().run(metric(t, y, w), {t: targets, y: predictions, w: weight})


def over(metric, targets, predictions, cuts, weight=None):
    """The metric of batches cut there."""
    for batch in np.split(np.arange(len(targets)), cuts):
        metric.update_state(targets[batch], predictions[batch], None if weight is None else weight[batch])
    return metric.result()


def test_accuracies_are_shares_of_right_examples():
    right = (P.argmax(-1) == LABELS).mean()
    np.testing.assert_allclose(value("sparse_categorical_accuracy", LABELS, P), right, rtol=1e-6)
    np.testing.assert_allclose(value("categorical_accuracy", HOT, P), right, rtol=1e-6)
    np.testing.assert_allclose(value("binary_accuracy", BITS, P[:, :1]), ((P[:, :1] > 0.5) == BITS).mean(), rtol=1e-6)
    strict = metrics.BinaryAccuracy(threshold=0.9)
    np.testing.assert_allclose(value(strict, BITS, P[:, :1]), ((P[:, :1] > 0.9) == BITS).mean(), rtol=1e-6)
    np.testing.assert_allclose(value(metrics.Accuracy(), BITS, BITS), 1)
    ranks = (P[np.arange(50), LABELS][:, None] < P).sum(-1)
    for k in (1, 2, 4):
        np.testing.assert_allclose(value(metrics.TopKCategoricalAccuracy(k), HOT, P), (ranks < k).mean(), rtol=1e-6)
        found = value(metrics.SparseTopKCategoricalAccuracy(k), LABELS, P)
        np.testing.assert_allclose(found, (ranks < k).mean(), rtol=1e-6)


def test_scores_that_tie_are_all_among_the_top():
    scores = np.array([[0.2, 0.2, 0.2, 0.4]])
    assert [value(metrics.SparseTopKCategoricalAccuracy(2), np.array([i]), scores) for i in range(4)] == [1, 1, 1, 1]
    assert [value(metrics.SparseTopKCategoricalAccuracy(1), np.array([i]), scores) for i in range(4)] == [0, 0, 0, 1]


@pytest.mark.parametrize("name", ["accuracy", "acc"])
def test_accuracy_is_the_one_that_fits(name):
    right = (P.argmax(-1) == LABELS).mean()
    np.testing.assert_allclose(value(name, LABELS, P), right, rtol=1e-6)
    np.testing.assert_allclose(value(name, HOT, P), right, rtol=1e-6)
    np.testing.assert_allclose(value(name, BITS, P[:, :1]), ((P[:, :1] > 0.5) == BITS).mean(), rtol=1e-6)
    t, y = gd.placeholder((None, 1)), gd.placeholder((None, 1))
    assert metrics.get(name, t, y).name == name


@pytest.mark.parametrize("name", ["crossentropy", "ce"])
def test_crossentropy_is_the_one_that_fits(name):
    nats = -np.log(Q[np.arange(50), LABELS]).mean()
    np.testing.assert_allclose(value(name, LABELS, Q), nats, rtol=1e-5)
    np.testing.assert_allclose(value(name, HOT, Q), nats, rtol=1e-5)
    p = np.where(BITS > 0, P[:, :1], 1 - P[:, :1])
    np.testing.assert_allclose(value(name, BITS, P[:, :1]), -np.log(p).mean(), rtol=1e-5)


def test_errors_are_means():
    np.testing.assert_allclose(value("mse", P, P[::-1]), ((P - P[::-1]) ** 2).mean(), rtol=1e-5)
    np.testing.assert_allclose(value("mae", P, P[::-1]), np.abs(P - P[::-1]).mean(), rtol=1e-5)
    np.testing.assert_allclose(value(metrics.MeanSquaredError(), P, P[::-1]), ((P - P[::-1]) ** 2).mean(), rtol=1e-5)
    np.testing.assert_allclose(value(metrics.MeanAbsoluteError, P, P[::-1]), np.abs(P - P[::-1]).mean(), rtol=1e-5)
    np.testing.assert_allclose(value("rmse", T, Y), np.sqrt(((T - Y) ** 2).mean()), rtol=1e-12)
    cosine = (T * Y).sum(-1) / np.linalg.norm(T, axis=-1) / np.linalg.norm(Y, axis=-1)
    np.testing.assert_allclose(value("cosine_similarity", T, Y), cosine.mean(), rtol=1e-12)
    correlations = [np.corrcoef(t, y)[0, 1] for t, y in zip(T, Y, strict=True)]
    np.testing.assert_allclose(value("pearson_correlation", T, Y), np.mean(correlations), rtol=1e-9)


def counts(targets, predictions, threshold=0.5, weight=None):
    w = np.ones(len(targets)) if weight is None else weight
    w = np.broadcast_to(w.reshape(-1, *(1,) * (targets.ndim - 1)), targets.shape)
    above = predictions > threshold
    true = targets > 0
    return {
        key: (w * where).sum()
        for key, where in zip(
            ("tp", "fp", "tn", "fn"), (above & true, above & ~true, ~above & ~true, ~above & true), strict=True
        )
    }


@pytest.mark.parametrize("weight", [None, W], ids=["plain", "weighted"])
@pytest.mark.parametrize("threshold", [0.5, 0.2])
def test_decisions_are_counted_and_compared(weight, threshold):
    found = counts(MANY, P, threshold, weight)
    for made, expected in [
        (metrics.TruePositives, found["tp"]),
        (metrics.FalsePositives, found["fp"]),
        (metrics.TrueNegatives, found["tn"]),
        (metrics.FalseNegatives, found["fn"]),
        (metrics.Precision, found["tp"] / (found["tp"] + found["fp"])),
        (metrics.Recall, found["tp"] / (found["tp"] + found["fn"])),
    ]:
        np.testing.assert_allclose(value(made(threshold), MANY, P, weight), expected, rtol=1e-5)


def test_several_thresholds_give_several_numbers():
    expected = [counts(BITS, P[:, :1], t)["tp"] for t in (0.1, 0.5, 0.9)]
    assert value(metrics.TruePositives([0.1, 0.5, 0.9]), BITS, P[:, :1]).tolist() == expected


def test_precision_may_be_of_one_class_or_of_the_top_ones():
    of_class = counts(HOT[:, 2], P[:, 2])
    found = value(metrics.Precision(class_id=2), HOT, P)
    np.testing.assert_allclose(found, of_class["tp"] / (of_class["tp"] + of_class["fp"]), rtol=1e-6)
    top = np.argsort(-P, axis=-1)[:, :2]
    hits = sum(HOT[i, top[i]].sum() for i in range(50))
    np.testing.assert_allclose(value(metrics.Precision(top_k=2), HOT, P), hits / 100, rtol=1e-6)
    np.testing.assert_allclose(value(metrics.Recall(top_k=2), HOT, P), hits / 50, rtol=1e-6)


def test_the_course_s_rare_class_is_seen_by_recall_and_not_by_accuracy():
    targets, said = np.repeat([1.0, 0.0], [5, 95]), np.zeros(100)
    assert value("binary_accuracy", targets, said) == 0.95
    assert value("recall", targets, said) == 0
    assert value("precision", targets, said) == 0
    assert value(metrics.ConfusionMatrix(2), targets, said).tolist() == [[95, 0], [5, 0]]


@pytest.mark.parametrize("weight", [None, W], ids=["plain", "weighted"])
def test_scores_agree_with_scikit_learn(weight):
    sk = pytest.importorskip("sklearn.metrics")
    some = P[:, 0].round(2)
    area = sk.roc_auc_score(BITS[:, 0], some, sample_weight=weight)
    np.testing.assert_allclose(
        value(metrics.AUC(thresholds=np.unique(some)), BITS[:, 0], some, weight), area, rtol=1e-4
    )
    chosen = np.eye(4)[P.argmax(-1)]
    for average in (None, "micro", "macro", "weighted"):
        expected = sk.f1_score(HOT, chosen, average=average, sample_weight=weight)
        np.testing.assert_allclose(value(metrics.F1Score(average), HOT, P, weight), expected, rtol=1e-5)
    expected = sk.fbeta_score(MANY, P > 0.3, beta=2.0, average="macro", sample_weight=weight)
    found = value(metrics.FBetaScore("macro", 2.0, threshold=0.3), MANY, P, weight)
    np.testing.assert_allclose(found, expected, rtol=1e-5)
    for ours, theirs in [("uniform_average", "uniform_average"), ("variance_weighted_average", "variance_weighted")]:
        expected = sk.r2_score(T, Y, multioutput=theirs, sample_weight=weight)
        np.testing.assert_allclose(value(metrics.R2Score(ours), T, Y, weight), expected, rtol=1e-6)
    matrix = sk.confusion_matrix(LABELS, P.argmax(-1), sample_weight=weight)
    np.testing.assert_allclose(value(metrics.ConfusionMatrix(4), LABELS, P, weight), matrix, rtol=1e-5)
    shares = sk.jaccard_score(LABELS, P.argmax(-1), average=None, sample_weight=weight)
    found = value(metrics.OneHotMeanIoU(4), HOT, P, weight)
    np.testing.assert_allclose(found, shares.mean(), rtol=1e-5)


def test_points_on_the_curve_are_the_best_that_are_allowed():
    thresholds = np.linspace(0, 1, 200)
    found = [counts(BITS, P[:, :1], t) for t in thresholds]
    recall = np.array([c["tp"] / (c["tp"] + c["fn"]) for c in found])
    specificity = np.array([c["tn"] / (c["tn"] + c["fp"]) for c in found])
    precision = np.array([c["tp"] / max(1, c["tp"] + c["fp"]) for c in found])
    for made, expected in [
        (metrics.SensitivityAtSpecificity(0.6), recall[specificity >= 0.6].max()),
        (metrics.SpecificityAtSensitivity(0.6), specificity[recall >= 0.6].max()),
        (metrics.PrecisionAtRecall(0.6), precision[recall >= 0.6].max()),
        (metrics.RecallAtPrecision(0.55), recall[precision >= 0.55].max(initial=0)),
    ]:
        np.testing.assert_allclose(value(made, BITS, P[:, :1]), expected, rtol=1e-6)


BATCHED = [
    (metrics.MeanSquaredError, T, Y),
    (metrics.RootMeanSquaredError, T, Y),
    (metrics.CosineSimilarity, T, Y),
    (metrics.R2Score, T, Y),
    (metrics.SparseCategoricalAccuracy, LABELS, P),
    (metrics.BinaryAccuracy, MANY, P),
    (metrics.CategoricalCrossentropy, HOT, Q),
    (metrics.Precision, MANY, P),
    (metrics.Recall, MANY, P),
    (metrics.AUC, BITS, P[:, :1]),
    (lambda: metrics.AUC(curve="PR", multi_label=True), MANY, P),
    (metrics.F1Score, HOT, P),
    (lambda: metrics.ConfusionMatrix(4), LABELS, P),
    (lambda: metrics.PrecisionAtRecall(0.5), BITS, P[:, :1]),
]


@given(
    cuts=st.lists(st.integers(1, 49), max_size=5).map(lambda cuts: sorted(set(cuts))),
    case=st.sampled_from(BATCHED),
    weighted=st.booleans(),
)
@settings(max_examples=25, deadline=None)
def test_batches_of_any_sizes_add_up_to_the_whole(cuts, case, weighted):
    make, targets, predictions = case
    weight = W if weighted else None
    whole = value(make(), targets, predictions, weight)
    np.testing.assert_allclose(over(make(), targets, predictions, cuts, weight), whole, rtol=2e-5, atol=1e-6)


def test_a_metric_forgets_what_it_is_told_to():
    metric = metrics.Precision()
    assert metric.result() == 0
    over(metric, BITS, P[:, :1], [10])
    metric.reset_state()
    assert over(metric, BITS, BITS, [7]) == 1


def test_means_and_sums_of_values():
    mean, total = metrics.Mean(), metrics.Sum()
    for values, weights in [([1.0, 2.0, 3.0], None), ([10.0], None)]:
        mean.update_state(values, weights)
        total.update_state(values, weights)
    assert (mean.result(), total.result()) == (4.0, 16.0)
    mean.reset_state()
    mean.update_state([1.0, 5.0], [3.0, 1.0])
    assert mean.result() == 2.0


def test_fit_and_evaluate_report_the_metric_of_the_whole():
    x, y = RNG.normal(size=(47, 3)).astype("float32"), (RNG.uniform(size=(47, 1)) > 0.3).astype("float32")
    model = keras.Sequential([keras.Input((3,)), keras.layers.Dense(1, activation="sigmoid")])
    watched = ["accuracy", "Precision", metrics.Recall(name="found"), metrics.AUC(), "rmse"]
    model.compile(keras.optimizers.SGD(0.0), "binary_crossentropy", metrics=watched)
    history = model.fit(x, y, batch_size=10, epochs=2, verbose=0).history
    scores = model.evaluate(x, y, batch_size=20, verbose=0, return_dict=True)
    p = model.predict(x, verbose=0)
    found = counts(y, p)
    expected = {
        "accuracy": ((p > 0.5) == y).mean(),
        "Precision": found["tp"] / max(1, found["tp"] + found["fp"]),
        "found": found["tp"] / (found["tp"] + found["fn"]),
        "auc": over(metrics.AUC(), y, p, []),
        "rmse": np.sqrt(((p - y) ** 2).mean()),
    }
    for name, number in expected.items():
        np.testing.assert_allclose([*history[name], scores[name]], number, rtol=1e-5, err_msg=name)


def test_a_function_of_nodes_is_a_metric():
    def largest_error(t, y):
        return gd.max(gd.abs(t - y))

    t, y = gd.placeholder((None, 4)), gd.placeholder((None, 4))
    assert metrics.get(largest_error, t, y).name == "largest_error"
    np.testing.assert_allclose(value(largest_error, P, P[::-1]), np.abs(P - P[::-1]).max(), rtol=1e-6)


def test_a_loss_is_a_metric_too():
    for identifier in (losses.huber, losses.Huber(), "huber", "Huber"):
        np.testing.assert_allclose(value(identifier, T, Y), value(losses.Huber(), T, Y), rtol=1e-12)
    assert value("msle", P, P) == 0


@pytest.mark.parametrize("made", metrics.CLASSES, ids=lambda made: made.__name__)
def test_a_metric_goes_by_its_description(made):
    needed = {"k": 3} if "TopK" in made.__name__ else {}
    needed |= {"num_classes": 3} if made in (metrics.ConfusionMatrix, metrics.MeanIoU, metrics.OneHotMeanIoU) else {}
    if made in (metrics.IoU, metrics.OneHotIoU):
        needed = {"num_classes": 3, "target_class_ids": [0, 2]}
    for word in ("specificity", "sensitivity", "recall", "precision"):
        if made.__name__.lower().endswith(f"at{word}"):
            needed = {word: 0.5}
    metric = made(name="mine", **needed)
    t = gd.placeholder((None, 1))
    again = metrics.get(json.loads(json.dumps(metrics.serialize(metric))), t, t)
    assert type(again) is made
    assert again.get_config() == metric.get_config()
    assert again.name == "mine"


@pytest.mark.parametrize("name", ["auc", "AUC", "Precision", "f1_score", "r2", "mape", "RootMeanSquaredError"])
def test_a_metric_has_several_names(name):
    t, y = gd.placeholder((None, 4)), gd.placeholder((None, 4))
    assert isinstance(metrics.get(name, t, y), metrics.Metric)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: metrics.Precision(thresholds=2.0), "precision: a threshold is 2.0, expected a number from 0 to 1"),
        (lambda: metrics.AUC(num_thresholds=1), "AUC: num_thresholds is 1, expected an integer from 2"),
        (lambda: metrics.AUC(curve="RC"), "there is no curve 'RC'. Did you mean 'ROC'?"),
        (lambda: metrics.AUC(num_labels=3), "AUC: num_labels is for multi_label=True"),
        (lambda: metrics.F1Score("mean"), "there is no average 'mean'"),
        (lambda: metrics.FBetaScore(beta=0.0), "fbeta_score: beta is 0.0, expected a number above 0"),
        (lambda: metrics.R2Score(num_regressors=-1), "R2Score: num_regressors is -1, expected an integer from 0"),
        (lambda: metrics.TopKCategoricalAccuracy(0), "top_k_categorical_accuracy: k is 0, expected an integer from 1"),
        (lambda: metrics.RecallAtPrecision(1.5), "RecallAtPrecision: precision is 1.5, expected a number from 0 to 1"),
        (lambda: metrics.IoU(3, [3]), "class 3 is none of the 3 classes, from 0"),
        (lambda: metrics.ConfusionMatrix(1), "confusion_matrix: num_classes is 1, expected an integer from 2"),
    ],
)
def test_wrong_arguments_are_refused(make, message):
    with pytest.raises(GraphError) as caught:
        make()
    assert message in str(caught.value)


def test_scores_of_rows_refuse_single_numbers():
    t = gd.placeholder((None,))
    for metric in (metrics.R2Score(), metrics.F1Score(), metrics.AUC(multi_label=True)):
        with pytest.raises(ShapeError, match="expected a row"):
            metric(t, t)


@pytest.mark.parametrize(
    ("identifier", "message"),
    [("acuracy", "there is no metric 'acuracy'. Did you mean 'accuracy'?"), (3, "a metric is 3, expected a name")],
)
def test_a_wrong_metric_is_refused(identifier, message):
    with pytest.raises(GraphError) as caught:
        metrics.get(identifier, gd.placeholder((2,)), gd.placeholder((2,)))
    assert message in str(caught.value)
