"""Every test of this folder begins with seed 0 and a numbering of its own."""

from __future__ import annotations

import pytest

from graphdl import keras


@pytest.fixture(autouse=True)
def _fresh_seed():
    keras.utils.set_random_seed(0)
    yield
    keras.utils.set_random_seed(0)
