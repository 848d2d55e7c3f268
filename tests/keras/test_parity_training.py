"""Keras itself, where it is installed: optimizers, schedules, losses, metrics, penalties, constraints, initial values.

Keras runs on torch, which it needs for this; all in single precision.
"""

from __future__ import annotations

import importlib.util
import os

import numpy as np
import pytest

import graphdl as gd
from graphdl.keras import constraints, initializers, losses, metrics, optimizers, regularizers
from graphdl.keras.optimizers import schedules

if importlib.util.find_spec("torch"):
    os.environ.setdefault("KERAS_BACKEND", "torch")
their = pytest.importorskip("keras", reason="needs keras")
torch = pytest.importorskip("torch", reason="needs torch")
if their.backend.backend() != "torch":
    pytest.skip("keras runs on another backend", allow_module_level=True)

RNG = np.random.default_rng(0)
C = 4


def host(tensor):
    return np.asarray(their.ops.convert_to_numpy(tensor))


def close(found, expected, tolerance=3e-6):
    found, expected = np.asarray(found, float), np.asarray(expected, float)
    assert found.shape == expected.shape
    assert np.abs(found - expected).max(initial=0) <= tolerance * (1 + np.abs(expected).max(initial=0))


OPTIMIZERS = [
    ("SGD", {}),
    ("SGD", {"momentum": 0.9}),
    ("SGD", {"momentum": 0.9, "nesterov": True}),
    ("RMSprop", {}),
    ("RMSprop", {"momentum": 0.5}),
    ("RMSprop", {"rho": 0.5, "momentum": 0.3, "centered": True}),
    ("Adam", {}),
    ("Adam", {"amsgrad": True}),
    ("Adam", {"beta_1": 0.5, "beta_2": 0.8}),
    ("AdamW", {}),
    ("Adadelta", {}),
    ("Adagrad", {"initial_accumulator_value": 0.5}),
    ("Adamax", {"beta_2": 0.5}),
    ("Nadam", {}),
    ("Nadam", {"beta_1": 0.5}),
    ("Ftrl", {}),
    ("Ftrl", {"l1_regularization_strength": 0.1, "l2_regularization_strength": 0.2, "beta": 0.1}),
    ("Ftrl", {"l2_shrinkage_regularization_strength": 0.1, "learning_rate_power": -0.7}),
    ("Lion", {}),
]
COMMON = [
    {},
    {"weight_decay": 0.01},
    {"clipnorm": 0.5},
    {"global_clipnorm": 0.7},
    {"clipvalue": 0.2},
    {"use_ema": True, "ema_momentum": 0.8, "ema_overwrite_frequency": 3},
    {"use_ema": True, "ema_momentum": 0.8},
    {"gradient_accumulation_steps": 3},
]
SHAPES = [(3, 2), (2,)]
STARTS = [RNG.normal(size=shape).astype("f") for shape in SHAPES]
GRADIENTS = [[RNG.normal(size=shape).astype("f") for shape in SHAPES] for _ in range(20)]


@pytest.mark.parametrize("common", COMMON, ids=lambda c: " ".join(c) or "plain")
@pytest.mark.parametrize(("name", "own"), OPTIMIZERS)
def test_twenty_steps_of_an_optimizer(name, own, common):
    for rate in (0.05, "falling"):
        one, other = (
            module.ExponentialDecay(0.1, 5, 0.7) if rate == "falling" else rate
            for module in (schedules, their.optimizers.schedules)
        )
        ours = getattr(optimizers, name)(one, **own, **common)
        theirs = getattr(their.optimizers, name)(other, **own, **common)
        expected = [their.Variable(w) for w in STARTS]
        for gradients in GRADIENTS:
            theirs.apply([their.ops.convert_to_tensor(g) for g in gradients], expected)
        w = [gd.Variable(start, name=f"w{i}") for i, start in enumerate(STARTS)]
        fed = [gd.placeholder(shape, name=f"g{i}") for i, shape in enumerate(SHAPES)]
        step, session = ours.updates(fed, w), gd.Session()
        for gradients in GRADIENTS:
            session.run(step, dict(zip(fed, gradients, strict=True)))
        if ours.use_ema:
            ours.finalize_variable_values(session)
            theirs.finalize_variable_values(expected)
        for mine, yours in zip(session.run(w), expected, strict=True):
            close(mine, host(yours.value))


@pytest.mark.parametrize(
    ("name", "arguments"),
    [
        ("ExponentialDecay", (0.1, 10, 0.5, True)),
        ("InverseTimeDecay", (0.1, 10, 0.5)),
        ("PiecewiseConstantDecay", ([5, 20], [0.1, 0.05, 0.01])),
        ("PolynomialDecay", (0.1, 20, 0.01, 2.0)),
        ("PolynomialDecay", (0.1, 20, 0.01, 0.5, True)),
        ("CosineDecay", (0.1, 20, 0.1)),
        ("CosineDecay", (0.0, 20, 0.1, "c", 0.2, 10)),
        ("CosineDecayRestarts", (0.1, 7)),
        ("CosineDecayRestarts", (0.1, 7, 1.0, 0.9, 0.1)),
    ],
)
def test_schedules(name, arguments):
    ours, theirs = getattr(schedules, name)(*arguments), getattr(their.optimizers.schedules, name)(*arguments)
    close([ours(step) for step in range(60)], [float(theirs(step)) for step in range(60)], 1e-6)


def softmax(z):
    return np.exp(z) / np.exp(z).sum(-1, keepdims=True)


def numbers(n):
    return RNG.normal(size=(n, C)).astype("f"), RNG.normal(size=(n, C)).astype("f")


def positive(n):
    return tuple(RNG.uniform(0.1, 3, size=(2, n, C)).astype("f"))


def bits(n):
    return RNG.integers(0, 2, size=(n, C)).astype("f"), RNG.uniform(0.01, 0.99, size=(n, C)).astype("f")


def bit_logits(n):
    return bits(n)[0], (3 * RNG.normal(size=(n, C))).astype("f")


def hot(n):
    return np.eye(C, dtype="f")[RNG.integers(0, C, n)], softmax(RNG.normal(size=(n, C))).astype("f")


def hot_logits(n):
    return hot(n)[0], (3 * RNG.normal(size=(n, C))).astype("f")


def classes(n):
    return RNG.integers(0, C, n), hot(n)[1]


def class_logits(n):
    return RNG.integers(0, C, n), hot_logits(n)[1]


LOSSES = [
    *((name, {}, numbers) for name in ("MeanSquaredError", "MeanAbsoluteError", "LogCosh", "CosineSimilarity")),
    ("MeanAbsolutePercentageError", {}, numbers),
    ("MeanSquaredLogarithmicError", {}, positive),
    ("Huber", {"delta": 0.3}, numbers),
    ("Poisson", {}, positive),
    ("KLDivergence", {}, lambda n: (hot(n)[1], hot(n)[1])),
    ("Hinge", {}, bit_logits),
    ("SquaredHinge", {}, bit_logits),
    ("CategoricalHinge", {}, hot_logits),
    ("Dice", {"axis": (1,)}, bits),
    ("Tversky", {"alpha": 0.3, "beta": 0.8, "axis": (1,)}, bits),
    ("CategoricalGeneralizedCrossEntropy", {"q": 0.2}, classes),
    ("SparseCategoricalCrossentropy", {}, classes),
    ("SparseCategoricalCrossentropy", {"from_logits": True, "ignore_class": 1}, class_logits),
]
for smoothing in (0.0, 0.2):
    for from_logits in (False, True):
        given = {"from_logits": from_logits, "label_smoothing": smoothing}
        LOSSES += [
            ("BinaryCrossentropy", given, bit_logits if from_logits else bits),
            ("BinaryFocalCrossentropy", {**given, "apply_class_balancing": True}, bit_logits if from_logits else bits),
            ("CategoricalCrossentropy", given, hot_logits if from_logits else hot),
            ("CategoricalFocalCrossentropy", {**given, "gamma": 1.5}, hot_logits if from_logits else hot),
        ]


@pytest.mark.parametrize("reduction", ["sum_over_batch_size", "sum", "mean_with_sample_weight", "none"])
@pytest.mark.parametrize(("name", "arguments", "data"), LOSSES)
def test_losses_and_their_gradients(name, arguments, data, reduction):
    ours = getattr(losses, name)(reduction=reduction, **arguments)
    theirs = getattr(their.losses, name)(reduction=reduction, **arguments)
    targets, predictions = data(7)
    for weight in (None, RNG.uniform(0, 2, size=7).astype("f")):
        y = torch.tensor(predictions, requires_grad=True)
        expected = theirs(torch.tensor(targets), y, None if weight is None else torch.tensor(weight))
        expected.sum().backward()
        t, p, w = gd.placeholder(targets.shape, targets.dtype), gd.placeholder(predictions.shape), gd.placeholder((7,))
        made = ours(t, p) if weight is None else ours(t, p, w)
        gradient = gd.gradients(gd.sum(made) if made.ndim else made, p)
        fed = {t: targets, p: predictions} | ({} if weight is None else {w: weight})
        value, slope = gd.Session().run([made, gradient], fed)
        close(value, expected.detach().numpy(), 1e-5)
        close(slope, y.grad.numpy(), 1e-5)


METRICS = [
    *((name, {}, numbers) for name in ("MeanSquaredError", "RootMeanSquaredError", "MeanAbsoluteError", "R2Score")),
    *((name, {}, numbers) for name in ("CosineSimilarity", "LogCoshError", "PearsonCorrelation", "Hinge")),
    ("ConcordanceCorrelation", {}, numbers),
    ("R2Score", {"class_aggregation": "variance_weighted_average", "num_regressors": 2}, numbers),
    ("BinaryAccuracy", {"threshold": 0.7}, bits),
    ("CategoricalAccuracy", {}, hot),
    ("SparseCategoricalAccuracy", {}, classes),
    ("TopKCategoricalAccuracy", {"k": 2}, hot),
    ("SparseTopKCategoricalAccuracy", {"k": 3}, classes),
    ("BinaryCrossentropy", {}, bits),
    ("CategoricalCrossentropy", {}, hot),
    ("SparseCategoricalCrossentropy", {"ignore_class": 1}, classes),
    *((name, {}, bits) for name in ("TruePositives", "FalsePositives", "TrueNegatives", "FalseNegatives")),
    *((name, {"thresholds": [0.2, 0.5]}, bits) for name in ("Precision", "Recall")),
    *((name, {"top_k": 2, "class_id": 1}, hot) for name in ("Precision", "Recall")),
    ("SensitivityAtSpecificity", {"specificity": 0.5}, bits),
    ("SpecificityAtSensitivity", {"sensitivity": 0.5}, bits),
    ("PrecisionAtRecall", {"recall": 0.5}, bits),
    ("RecallAtPrecision", {"precision": 0.5}, bits),
    *(("F1Score", {"average": average}, hot) for average in (None, "micro", "macro", "weighted")),
    ("FBetaScore", {"beta": 2.0, "threshold": 0.5}, bits),
]
for curve in ("ROC", "PR", "PRGAIN"):
    for method in ("interpolation", "majoring", "minoring"):
        METRICS.append(("AUC", {"curve": curve, "summation_method": method}, bits))
METRICS += [
    ("AUC", {"multi_label": True, "label_weights": [1.0, 2.0, 3.0, 0.0]}, bits),
    ("AUC", {"thresholds": [0.1, 0.33, 0.9]}, bits),
    ("AUC", {"from_logits": True}, bit_logits),
]


@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize(("name", "arguments", "data"), METRICS)
def test_metrics_over_ragged_batches(name, arguments, data, weighted):
    ours, theirs = getattr(metrics, name)(**arguments), getattr(their.metrics, name)(**arguments)
    for n in (5, 1, 8, 3):
        targets, predictions = data(n)
        weight = RNG.uniform(0.1, 2, size=n).astype("f") if weighted else None
        ours.update_state(targets, predictions, weight)
        theirs.update_state(targets, predictions, weight)
    close(ours.result(), host(theirs.result()))


@pytest.mark.parametrize(("name", "data"), [("MeanIoU", classes), ("OneHotMeanIoU", hot)])
def test_overlaps_without_weights(name, data):
    ours, theirs = getattr(metrics, name)(C), getattr(their.metrics, name)(C)
    for n in (5, 8):
        targets, predictions = data(n)
        predictions = predictions if name.startswith("OneHot") else RNG.integers(0, C, n)
        ours.update_state(targets, predictions)
        theirs.update_state(targets, predictions)
    close(ours.result(), host(theirs.result()))


W = RNG.normal(size=(5, 3)).astype("f")


@pytest.mark.parametrize(
    ("module", "name", "arguments"),
    [
        ("regularizers", "L1", (0.1,)),
        ("regularizers", "L2", (0.1,)),
        ("regularizers", "L1L2", (0.1, 0.2)),
        ("regularizers", "OrthogonalRegularizer", (0.3,)),
        ("regularizers", "OrthogonalRegularizer", (0.3, "columns")),
        ("constraints", "MaxNorm", (1.0,)),
        ("constraints", "MaxNorm", (1.0, 1)),
        ("constraints", "NonNeg", ()),
        ("constraints", "UnitNorm", (1,)),
        ("constraints", "MinMaxNorm", (0.5, 1.0, 0.3, 1)),
    ],
)
def test_regularizers_and_constraints(module, name, arguments):
    ours = {"regularizers": regularizers, "constraints": constraints}[module]
    expected = getattr(getattr(their, module), name)(*arguments)(their.ops.convert_to_tensor(W))
    close(gd.Session().run(getattr(ours, name)(*arguments)(gd.constant(W))), host(expected))


@pytest.mark.parametrize("name", sorted({made.__name__ for made in initializers.KNOWN.values()}))
def test_initial_values_have_the_same_distribution(name):
    shape = (16, 2, 9) if name == "STFT" else (3, 3, 40, 50) if name not in ("Identity",) else (200, 300)
    their.utils.set_random_seed(0)
    ours = gd.Session(seed=1).run(gd.Variable(getattr(initializers, name)()(shape, "float32"), name="w"))
    theirs = host(getattr(their.initializers, name)()(shape))
    spread = theirs.std() or 1.0
    shares = np.linspace(0.02, 0.98, 13)
    assert abs(ours.mean() - theirs.mean()) < 0.03 * spread
    assert abs(ours.std() / spread - theirs.std() / spread) < 0.03
    assert np.abs(np.quantile(ours, shares) - np.quantile(theirs, shares)).max() < 0.06 * spread
