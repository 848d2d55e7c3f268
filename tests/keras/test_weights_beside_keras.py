"""Penalties, constraints and initial values of weights beside those of Keras itself.

Differences that are meant: initial values have the same distribution, but not the same numbers, for the generators
differ.
"""

from __future__ import annotations

import numpy as np
import pytest

import graphdl as gd
from graphdl.keras import constraints, initializers, regularizers
from tests.keras.beside import BACKEND, close, host, original, tensor

W = np.random.default_rng(0).normal(size=(5, 3)).astype("f")


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
    if BACKEND == "numpy" and "columns" in arguments:
        pytest.skip("the original normalises columns of NumPy arrays as if they were rows, and fails")
    ours = {"regularizers": regularizers, "constraints": constraints}[module]
    expected = getattr(getattr(original, module), name)(*arguments)(tensor(W))
    close(gd.Session().run(getattr(ours, name)(*arguments)(gd.constant(W))), host(expected))


@pytest.mark.parametrize("name", sorted({made.__name__ for made in initializers.KNOWN.values()}))
def test_initial_values_have_the_same_distribution(name):
    shape = (16, 2, 9) if name == "STFT" else (3, 3, 80, 100) if name not in ("Identity",) else (200, 300)
    ours = gd.Session(seed=1).run(gd.Variable(getattr(initializers, name)()(shape, "float32"), name="w"))
    theirs = host(getattr(original.initializers, name)()(shape))
    spread = theirs.std() or 1.0
    shares = np.linspace(0.02, 0.98, 13)
    assert abs(ours.mean() - theirs.mean()) < 0.03 * spread
    assert abs(ours.std() / spread - theirs.std() / spread) < 0.03
    assert np.abs(np.quantile(ours, shares) - np.quantile(theirs, shares)).max() < 0.06 * spread
