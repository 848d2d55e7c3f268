"""Optimizers and schedules beside those of Keras itself, in single precision.

Differences that are meant: `loss_scale_factor` is refused, since nothing is computed in half precision; a learning rate
is kept as it was given, where Keras rounds it to single precision; an optimizer that meets more variables than before
gives them slots, where Keras wants a new optimizer; `iterations` is 0 where no formula asks for it, as in plain SGD.
"""

from __future__ import annotations

import numpy as np
import pytest

import graphdl as gd
from graphdl.keras import optimizers
from graphdl.keras.optimizers import schedules
from tests.keras.beside import close, host, original, tensor

RNG = np.random.default_rng(0)

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
    ("Lamb", {}),
    ("Adafactor", {}),
    ("Adafactor", {"beta_2_decay": -0.5, "clip_threshold": 0.3, "relative_step": False}),
    ("Muon", {}),
    ("Muon", {"rms_rate": None, "nesterov": False, "ns_steps": 3, "adam_lr_ratio": 0.3}),
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
            for module in (schedules, original.optimizers.schedules)
        )
        ours = getattr(optimizers, name)(one, **own, **common)
        theirs = getattr(original.optimizers, name)(other, **own, **common)
        expected = [original.Variable(w) for w in STARTS]
        for gradients in GRADIENTS:
            theirs.apply([tensor(g) for g in gradients], expected)
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
    ours, theirs = getattr(schedules, name)(*arguments), getattr(original.optimizers.schedules, name)(*arguments)
    close([ours(step) for step in range(60)], [float(theirs(step)) for step in range(60)], 1e-6)
