"""The small sets that scikit-learn carries, each in one order and one split for ever."""

from __future__ import annotations

from typing import Any

import numpy as np

from graphdl.errors import ExtraMissing

Array = np.ndarray[Any, Any]
Split = tuple[tuple[Array, Array], tuple[Array, Array]]

# The last fifth is the test set.
TEST_SHARE = 0.2


def load_bundled(name: str, target: str) -> Split:
    """``(x_train, y_train), (x_test, y_test)`` of ``sklearn.datasets.load_<name>``, shuffled once with a fixed seed.

    x is float32, y of dtype `target`. ExtraMissing without scikit-learn.
    """
    try:
        from sklearn import datasets
    except ImportError as error:
        raise ExtraMissing(
            f"the {name} data need scikit-learn, which is not installed: pip install 'graphdl[data]'"
        ) from error
    x, y = getattr(datasets, f"load_{name}")(return_X_y=True)
    order = np.random.Generator(np.random.Philox(len(x))).permutation(len(x))
    x, y = x.astype("float32")[order], y.astype(target)[order]
    first = len(x) - int(len(x) * TEST_SHARE)
    return (x[:first], y[:first]), (x[first:], y[first:])
