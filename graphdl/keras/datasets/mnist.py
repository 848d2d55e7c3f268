"""Handwritten digits of 28 x 28 pixels, 70,000 of them (LeCun, Cortes & Burges; CC BY-SA 3.0)."""

from __future__ import annotations

from typing import Any

import numpy as np

from graphdl.keras.datasets.store import KERAS, fetch
from graphdl.runtime.saving import read_arrays

Array = np.ndarray[Any, Any]

DIGEST = "731c5ac602752760c8e48fbffcf8c3b850d9dc2a2aedcf2cc48468fc17b673d1"


def load_data(path: str = "mnist.npz") -> tuple[tuple[Array, Array], tuple[Array, Array]]:
    """``(x_train, y_train), (x_test, y_test)``: 60,000 and 10,000 examples, downloaded the first time (11 MB).

    x  uint8 (n, 28, 28)  brightness from 0 to 255, to be scaled by the caller
    y  uint8 (n,)         the digit

    `path` is the name of the file in the cache. DataError where it is not there and cannot be downloaded.
    """
    arrays = read_arrays(fetch(path, f"{KERAS}mnist.npz", DIGEST))
    return (arrays["x_train"], arrays["y_train"]), (arrays["x_test"], arrays["y_test"])
