"""Schedules against their closed forms."""

from __future__ import annotations

import json
import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import graphdl as gd
from graphdl import keras
from graphdl.errors import GraphError
from graphdl.keras.lookup import serialize
from graphdl.keras.optimizers import schedules
from graphdl.keras.optimizers.schedules import (
    CosineDecay,
    CosineDecayRestarts,
    ExponentialDecay,
    InverseTimeDecay,
    LinearWarmup,
    PiecewiseConstantDecay,
    PolynomialDecay,
    StepDecay,
)


def wave(share, alpha=0.0):
    return (1 - alpha) * 0.5 * (1 + math.cos(math.pi * share)) + alpha


def cycled(step, length, first, end, power):
    stretch = length * max(1, math.ceil(step / length))
    return (first - end) * (1 - step / stretch) ** power + end


def restarted(step, first, t_mul, m_mul, alpha):
    """By walking from stretch to stretch."""
    begin, length, height = 0.0, float(first), 1.0
    while step >= begin + length:
        begin, length, height = begin + length, length * t_mul, height * m_mul
    return (1 - alpha) * height * 0.5 * (1 + math.cos(math.pi * (step - begin) / length)) + alpha


CASES = [
    (ExponentialDecay(0.5, 10, 0.7), lambda s: 0.5 * 0.7 ** (s / 10)),
    (ExponentialDecay(0.5, 10, 0.7, staircase=True), lambda s: 0.5 * 0.7 ** (s // 10)),
    (StepDecay(0.5, drop=0.5, every=7), lambda s: 0.5 * 0.5 ** (s // 7)),
    (InverseTimeDecay(0.5, 10, 2.0), lambda s: 0.5 / (1 + 2 * s / 10)),
    (InverseTimeDecay(0.5, 10, 2.0, staircase=True), lambda s: 0.5 / (1 + 2 * (s // 10))),
    (PiecewiseConstantDecay([5, 20], [0.3, 0.2, 0.1]), lambda s: 0.3 if s <= 5 else 0.2 if s <= 20 else 0.1),
    (PolynomialDecay(0.5, 20), lambda s: (0.5 - 1e-4) * (1 - min(s, 20) / 20) + 1e-4),
    (PolynomialDecay(0.5, 20, 0.1, power=2.0), lambda s: 0.4 * (1 - min(s, 20) / 20) ** 2 + 0.1),
    (PolynomialDecay(0.5, 20, 0.1, power=0.5, cycle=True), lambda s: cycled(s, 20, 0.5, 0.1, 0.5)),
    (CosineDecay(0.5, 30), lambda s: 0.5 * wave(min(s, 30) / 30)),
    (CosineDecay(0.5, 30, alpha=0.1), lambda s: 0.5 * wave(min(s, 30) / 30, 0.1)),
    (
        CosineDecay(0.1, 30, warmup_target=0.5, warmup_steps=10),
        lambda s: 0.1 + 0.04 * s if s < 10 else 0.5 * wave(min(s - 10, 30) / 30),
    ),
    (CosineDecay(0.1, 30, warmup_target=0.5), lambda s: 0.5 * wave(min(s, 30) / 30)),
    (CosineDecayRestarts(0.5, 7), lambda s: 0.5 * restarted(s, 7, 2.0, 1.0, 0.0)),
    (CosineDecayRestarts(0.5, 7, t_mul=1.0, m_mul=0.8, alpha=0.1), lambda s: 0.5 * restarted(s, 7, 1.0, 0.8, 0.1)),
    (LinearWarmup(0.5, 10), lambda s: 0.05 * s if s < 10 else 0.5),
    (LinearWarmup(0.5, 10, start=0.1, after=0.2), lambda s: 0.1 + 0.04 * s if s < 10 else 0.2),
    (
        LinearWarmup(0.5, 10, after=ExponentialDecay(0.5, 10, 0.7)),
        lambda s: 0.05 * s if s < 10 else 0.5 * 0.7 ** ((s - 10) / 10),
    ),
]


@pytest.mark.parametrize(("schedule", "form"), CASES, ids=lambda case: type(case).__name__)
def test_a_schedule_is_its_closed_form(schedule, form):
    found = [schedule(step) for step in (*range(70), 1000)]
    np.testing.assert_allclose(found, [form(step) for step in (*range(70), 1000)], rtol=1e-12, atol=1e-15)


@given(step=st.integers(0, 10**6), case=st.sampled_from(CASES[:-3]))
@settings(max_examples=60, deadline=None)
def test_a_schedule_is_its_closed_form_after_any_number_of_steps(step, case):
    schedule, form = case
    if isinstance(schedule, CosineDecayRestarts):
        step %= 500  # floor(log(...)) is an integer or the one below it where a stretch begins
    np.testing.assert_allclose(schedule(step), form(step), rtol=1e-9, atol=1e-12)


def test_a_schedule_of_a_node_is_a_node():
    step = gd.placeholder((), "float32", name="step")
    rate = schedules.CosineDecay(0.5, 30)(step)
    assert rate.dtype == "float32"
    np.testing.assert_allclose(gd.Session().run(rate, {step: 15.0}), 0.25, rtol=1e-6)


@pytest.mark.parametrize("schedule", [schedule for schedule, _ in CASES], ids=lambda s: type(s).__name__)
def test_a_description_makes_the_same_schedule_again(schedule):
    again = schedules.get(json.loads(json.dumps(serialize(schedule))))
    assert repr(again) == repr(schedule)
    assert again(13) == schedule(13)


@pytest.mark.parametrize("schedule", [CosineDecay(0.1, 20, warmup_target=0.2, warmup_steps=5), StepDecay(0.1, 0.5, 4)])
def test_the_graph_of_a_model_has_the_schedule_in_it(schedule):
    model = keras.Sequential([keras.Input((1,)), keras.layers.Dense(1, use_bias=False, kernel_initializer="zeros")])
    model.compile(keras.optimizers.SGD(schedule), lambda t, y: gd.mean(y))
    model.fit(np.ones((12, 1)), np.ones((12, 1)), epochs=4, batch_size=4, verbose=0)
    expected = -sum(schedule(step) for step in range(12))
    np.testing.assert_allclose(model.get_weights()[0], [[expected]], rtol=1e-5)
    assert model.optimizer.learning_rate == schedule(12)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: ExponentialDecay(0.1, 0, 0.5), "ExponentialDecay: decay_steps is 0, expected a number above 0"),
        (lambda: StepDecay(0.1, 0.5, -1), "StepDecay: every is -1, expected a number above 0"),
        (lambda: CosineDecayRestarts(0.1, 0), "CosineDecayRestarts: first_decay_steps is 0, expected a number above 0"),
        (
            lambda: PiecewiseConstantDecay([1, 2], [0.1, 0.2]),
            "found 2 boundaries and 2 values, expected one value more than boundaries",
        ),
        (lambda: PiecewiseConstantDecay([2, 1], [1, 2, 3]), "boundaries are [2, 1], expected them to increase"),
        (lambda: schedules.get("cosine"), "a schedule is 'cosine', expected an object such as ExponentialDecay"),
        (lambda: schedules.get({"class_name": "CosinDecay", "config": {}}), "Did you mean 'CosineDecay'?"),
    ],
)
def test_a_wrong_schedule_is_refused(make, message):
    with pytest.raises(GraphError) as caught:
        make()
    assert message in str(caught.value)
