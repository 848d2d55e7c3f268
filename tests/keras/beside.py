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
# Otherwise jax computes in single precision whatever it is given, and compiles each step of each case anew.
os.environ.setdefault("JAX_ENABLE_X64", "1")
os.environ.setdefault("JAX_DISABLE_JIT", "1")
original = pytest.importorskip("keras", reason="needs keras")
BACKEND = original.backend.backend()
HAS_GRADIENTS = BACKEND != "numpy"
trained = pytest.mark.skipif(not HAS_GRADIENTS, reason="Keras does not train on NumPy")
needs_gradients = pytest.mark.skipif(not HAS_GRADIENTS, reason="Keras has no gradients on NumPy")


def tensor(array):
    """The array as Keras takes it."""
    return original.ops.convert_to_tensor(array)


def host(value):
    """An array of what Keras gives."""
    if BACKEND == "torch":
        value = value.detach()
    return np.asarray(original.ops.convert_to_numpy(value))


def several(results):
    """One result or several, as a list."""
    return list(results) if isinstance(results, list | tuple) else [results]


def value_and_slope(function, at):
    """What `function` of a tensor gives, and the gradient of its sum there; None where the backend has none."""
    results, slopes = results_and_slopes(lambda x: function(*x), [at])
    return results[0], slopes[0] if slopes else None


def results_and_slopes(function, arrays, weights=(), upstream=lambda k, shape: np.ones(shape, "float32")):
    """What `function` of a list of tensors gives, and the gradients of the sum of ``result_k * upstream(k, shape)``.

    The gradients are those of the weights, then of the arrays of floats; on a backend that has none there are none.
    """

    def total(values, tensors):
        with original.StatelessScope(state_mapping=list(zip(weights, values, strict=True))):
            results = several(function(tensors))
        return sum((y * tensor(upstream(k, tuple(y.shape)))).sum() for k, y in enumerate(results)), results

    slopes_on = {"torch": _slopes_on_torch, "jax": _slopes_on_jax}
    if BACKEND not in slopes_on:
        return [host(y) for y in several(function([tensor(a) for a in arrays]))], []
    results, slopes = slopes_on[BACKEND](total, [w.value for w in weights], arrays)
    return [host(y) for y in results], slopes


def _slopes_on_torch(total, values, arrays):
    import torch

    leaves = [torch.tensor(a, requires_grad=a.dtype.kind == "f") for a in arrays]
    found, results = total(values, leaves)
    sources = [*values, *(x for x in leaves if x.requires_grad)]
    slopes = torch.autograd.grad(found, sources, allow_unused=True)
    return results, [np.zeros(x.shape) if d is None else host(d) for x, d in zip(sources, slopes, strict=True)]


def _slopes_on_jax(total, values, arrays):
    import jax

    differentiated = jax.grad(total, (0, 1), has_aux=True, allow_int=True)
    (of_values, of_arrays), results = differentiated(values, [tensor(a) for a in arrays])
    floats = [d for a, d in zip(arrays, of_arrays, strict=True) if a.dtype.kind == "f"]
    return results, [host(d) for d in (*of_values, *floats)]


def close(found, expected, tolerance=3e-6):
    """Alike in shape, in what is no number, and up to `tolerance` in value."""
    found, expected = np.asarray(found, float), np.asarray(expected, float)
    assert found.shape == expected.shape
    assert (np.isnan(found) == np.isnan(expected)).all()
    found, expected = np.nan_to_num(found), np.nan_to_num(expected)
    assert np.abs(found - expected).max(initial=0) <= tolerance * (1 + np.abs(expected).max(initial=0))
