"""Keras itself, to compare with: on its torch backend where torch is installed, otherwise on its numpy backend.

The numpy backend of Keras 3 computes parts of it with jax, which must be installed then. It has no gradients.
"""

from __future__ import annotations

import importlib.util
import os
from typing import Any

import numpy as np
import pytest

has_torch = importlib.util.find_spec("torch") is not None
os.environ.setdefault("KERAS_BACKEND", "torch" if has_torch else "numpy")
keras = pytest.importorskip("keras")

backend = keras.backend.backend()
needs_gradients = pytest.mark.skipif(
    backend != "torch", reason=f"the {backend} backend of Keras gives no gradients here"
)


def array(tensor: Any) -> np.ndarray[Any, Any]:
    """A tensor of the backend as an array."""
    found: np.ndarray[Any, Any] = keras.ops.convert_to_numpy(tensor)
    return found


def arrays(results: Any) -> list[np.ndarray[Any, Any]]:
    """One result or several as a list of arrays."""
    return [array(y) for y in (results if isinstance(results, list | tuple) else [results])]
