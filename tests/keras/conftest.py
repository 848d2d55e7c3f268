"""Every test of this folder begins with seed 0 and a numbering of its own, here and in Keras."""

from __future__ import annotations

import pytest

from graphdl import keras


@pytest.fixture(autouse=True)
def _fresh_seed():
    keras.utils.set_random_seed(0)
    yield
    keras.utils.set_random_seed(0)


@pytest.fixture(autouse=True)
def _keras_afresh(request):
    """For modules that import `original`, Keras itself."""
    original = getattr(request.module, "original", None)
    if original is not None:
        original.utils.clear_session(free_memory=False)
        original.utils.set_random_seed(0)
        original.config.set_floatx("float32")
