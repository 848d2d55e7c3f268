"""Keras itself, for the tests that compare with it: `original`, on torch, or on jax where torch is absent.

A test module imports this one and is skipped where Keras or both backends are absent. KERAS_BACKEND decides between
backends; on that of NumPy, which needs jax as well, nothing is trained and nothing has a gradient.
"""

from __future__ import annotations

import importlib.util
import os

import numpy as np
import pytest

_FOUND = [name for name in ("torch", "jax") if importlib.util.find_spec(name)]
if not _FOUND:
    pytest.skip("needs torch or jax", allow_module_level=True)
os.environ.setdefault("KERAS_BACKEND", _FOUND[0])
original = pytest.importorskip("keras", reason="needs keras")
BACKEND = original.backend.backend()
trained = pytest.mark.skipif(BACKEND == "numpy", reason="Keras does not train on NumPy")


@pytest.fixture(autouse=True)
def keras_afresh():
    """Keras numbers what it makes, and draws from one seed; every test begins with the first number."""
    original.utils.clear_session(free_memory=False)
    original.utils.set_random_seed(0)


def tensor(array):
    """The array as Keras takes it."""
    return original.ops.convert_to_tensor(array)


def host(value):
    """An array of what Keras gives."""
    if BACKEND == "torch":
        value = value.detach()
    return np.asarray(original.ops.convert_to_numpy(value))


def value_and_slope(function, at):
    """What `function` of a tensor gives, and the gradient of its sum there; None where the backend has none."""
    if BACKEND == "torch":
        x = tensor(at).clone().requires_grad_(True)
        value = function(x)
        value.sum().backward()
        return host(value), host(x.grad)
    value = host(function(tensor(at)))
    if BACKEND != "jax":
        return value, None
    import jax

    return value, host(jax.grad(lambda x: function(x).sum())(tensor(at)))


def close(found, expected, tolerance=3e-6):
    """Alike in shape, in what is no number, and up to `tolerance` in value."""
    found, expected = np.asarray(found, float), np.asarray(expected, float)
    assert found.shape == expected.shape
    assert (np.isnan(found) == np.isnan(expected)).all()
    found, expected = np.nan_to_num(found), np.nan_to_num(expected)
    assert np.abs(found - expected).max(initial=0) <= tolerance * (1 + np.abs(expected).max(initial=0))
