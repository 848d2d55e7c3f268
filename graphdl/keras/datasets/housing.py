"""House prices by district, in the order and split that Keras gives them."""

from __future__ import annotations

from typing import Any

import numpy as np

from graphdl.errors import DataError
from graphdl.keras.datasets.store import KERAS, fetch
from graphdl.runtime.saving import read_arrays

Array = np.ndarray[Any, Any]
Split = tuple[tuple[Array, Array], tuple[Array, Array]]


def load_prices(name: str, path: str, digest: str, test_split: float, seed: int, most: int | None = None) -> Split:
    """``(x_train, y_train), (x_test, y_test)`` of Keras' file `name`, shuffled from `seed`.

    With `most`, only so many of its first rows.
    """
    if not 0 <= test_split < 1:
        raise DataError(f"test_split is {test_split!r}, expected at least 0 and below 1")
    arrays = read_arrays(fetch(path, KERAS + name, digest))
    x, y = arrays["x"][:most], arrays["y"][:most]
    order = np.arange(len(x))
    # The generator that Keras uses, so that both give the same examples.
    np.random.RandomState(seed).shuffle(order)
    x, y = x[order], y[order]
    first = int(len(x) * (1 - test_split))
    return (x[:first], y[:first]), (x[first:], y[first:])
