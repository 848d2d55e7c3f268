"""Handwritten digits of 8 x 8 pixels, 1797 of them, which scikit-learn carries (Alpaydin & Kaynak, UCI, 1998)."""

from __future__ import annotations

from typing import Any

import numpy as np

from graphdl.errors import ExtraMissing

# The last examples are the test set; they were written by other people than most of the first.
TEST_EXAMPLES = 360

Array = np.ndarray[Any, Any]


def load_data() -> tuple[tuple[Array, Array], tuple[Array, Array]]:
    """``(x_train, y_train), (x_test, y_test)``: 1437 and 360 examples, always the same.

    x  float32 (n, 64)  brightness from 0 to 16, to be scaled by the caller
    y  int64 (n,)       the digit

    The order is shuffled once with a fixed seed, so both parts hold every writer. ExtraMissing without scikit-learn.
    """
    try:
        from sklearn.datasets import load_digits
    except ImportError as error:
        raise ExtraMissing(
            "the digits need scikit-learn, which is not installed: pip install 'graphdl[data]'"
        ) from error
    x, y = load_digits(return_X_y=True)
    order = np.random.Generator(np.random.Philox(1797)).permutation(len(x))
    x, y = x.astype("float32")[order], y.astype("int64")[order]
    return (x[:-TEST_EXAMPLES], y[:-TEST_EXAMPLES]), (x[-TEST_EXAMPLES:], y[-TEST_EXAMPLES:])
