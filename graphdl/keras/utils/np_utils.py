"""One-hot rows, under the name of their module in Keras 2."""

from __future__ import annotations

from typing import Any

import numpy as np

from graphdl.config import floatx
from graphdl.errors import DataError


def to_categorical(x: Any, num_classes: int | None = None) -> np.ndarray[Any, Any]:
    """A row of zeros with a one at the class of each example.

    >>> to_categorical([2, 0]).tolist()
    [[0.0, 0.0, 1.0], [1.0, 0.0, 0.0]]
    """
    labels = np.asarray(x)
    if labels.ndim > 1 and labels.shape[-1] == 1:
        labels = labels[..., 0]
    if labels.dtype.kind not in "iub" and not np.array_equal(labels, np.floor(labels)):
        raise DataError(f"to_categorical: found {labels.dtype} that are not whole, expected class numbers")
    labels = labels.astype("int64")
    classes = int(labels.max()) + 1 if num_classes is None else num_classes
    if labels.size and (labels.min() < 0 or labels.max() >= classes):
        raise DataError(
            f"to_categorical: found classes from {labels.min()} to {labels.max()}, expected 0 to {classes - 1}"
        )
    rows: np.ndarray[Any, Any] = np.eye(classes, dtype=floatx())[labels]
    return rows
