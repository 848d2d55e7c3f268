"""Optimizers to which a matrix is more than its elements: Adafactor, and Muon beside the singular values."""

from __future__ import annotations

import numpy as np
import pytest

import graphdl as gd
from graphdl.keras import optimizers
from tests.keras import written_out as numpy_rules


def test_adafactor_keeps_mean_squares_of_the_rows_and_columns_of_a_matrix():
    rng = np.random.default_rng(0)
    start = rng.normal(size=(4, 3))
    w, g = gd.Variable(start, name="w"), gd.placeholder((4, 3), "float64", name="g")
    made = optimizers.Adafactor(0.3)
    step, session, rule, state = made.updates([g], [w]), gd.Session(), numpy_rules.adafactor(), {}
    assert sorted(slot.shape for slot in made.memory.values()) == [(), (), (3,), (4,)]
    for t in range(1, 9):
        value = rng.normal(size=(4, 3))
        session.run(step, {g: value})
        start = rule(start, value, state, t, 0.3)
    np.testing.assert_allclose(session.run(w), start, rtol=1e-10)


@pytest.mark.parametrize("shape", [(4, 7), (7, 4), (5, 5)])
def test_a_step_of_muon_goes_about_equally_far_in_all_directions_of_a_matrix(shape):
    gradient = np.random.default_rng(0).normal(size=shape) @ np.diag(np.geomspace(1, 20, shape[1]))
    w, session = gd.Variable(np.zeros(shape), name="w"), gd.Session()
    made = optimizers.Muon(1.0, weight_decay=None, rms_rate=None)
    session.run(made.updates([gd.constant(gradient)], [w]))
    u, _, v = np.linalg.svd(gradient, full_matrices=False)
    along = np.diag(u.T @ -session.run(w) @ v.T)
    assert along.min() > 0.6
    assert along.max() < 1.25


def test_muon_is_adam_for_what_is_no_matrix_or_excluded():
    shapes = {"bias": (3,), "table_embedding": (4, 3), "last": (4, 3), "kernel": (4, 3)}
    rng = np.random.default_rng(0)
    starts, gradients = ([rng.normal(size=shape) for shape in shapes.values()] for _ in range(2))

    def stepped(made):
        w, session = [gd.Variable(start, name=name) for name, start in zip(shapes, starts)], gd.Session()
        session.run(made.updates([gd.constant(g) for g in gradients], w))
        return session.run(w)

    muon = stepped(optimizers.Muon(0.1, exclude_layers=["^la"], weight_decay=None, adam_weight_decay=0.3))
    adam = stepped(optimizers.AdamW(0.1, weight_decay=0.3))
    assert [np.allclose(a, b, rtol=1e-12) for a, b in zip(muon, adam)] == [True, True, True, False]


def test_an_optimizer_that_is_not_here_is_refused_with_the_reason():
    with pytest.raises(AttributeError, match="has no LossScaleOptimizer: it is for half precision"):
        optimizers.LossScaleOptimizer
