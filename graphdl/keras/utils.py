"""What Keras keeps under this name: the seed, one-hot rows, sequences of one length, a grid of images."""

from __future__ import annotations

from typing import Any

import numpy as np

from graphdl.config import floatx
from graphdl.draw.images import image_grid
from graphdl.errors import DataError
from graphdl.keras.family import set_seed as set_random_seed
from graphdl.keras.preprocessing.sequence import pad_sequences
from graphdl.keras.sequence import PyDataset, Sequence


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


__all__ = ["PyDataset", "Sequence", "image_grid", "pad_sequences", "set_random_seed", "to_categorical"]
