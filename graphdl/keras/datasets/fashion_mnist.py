"""Pictures of clothes, 28 x 28 pixels, 70,000 of them in ten classes (Xiao, Rasul & Vollgraf 2017; MIT licence)."""

from __future__ import annotations

from typing import Any

import numpy as np

from graphdl.keras.datasets import idx
from graphdl.keras.datasets.store import KERAS, fetch

Array = np.ndarray[Any, Any]

CLASSES = (
    "T-shirt/top",
    "Trouser",
    "Pullover",
    "Dress",
    "Coat",
    "Sandal",
    "Shirt",
    "Sneaker",
    "Bag",
    "Ankle boot",
)
# MD5, which is what the authors publish.
FILES = {
    "train-images-idx3-ubyte.gz": "8d4fb7e6c68d591d4c3dfef9ec88bf0d",
    "train-labels-idx1-ubyte.gz": "25c81989df183df01b3e8a0aad5dffbe",
    "t10k-images-idx3-ubyte.gz": "bef4ecab320f06d8554ea6380940ec79",
    "t10k-labels-idx1-ubyte.gz": "bb300cfdad3c16e7a12a480ee83cd310",
}


def load_data() -> tuple[tuple[Array, Array], tuple[Array, Array]]:
    """``(x_train, y_train), (x_test, y_test)``: 60,000 and 10,000 examples, downloaded the first time (30 MB).

    x  uint8 (n, 28, 28)  brightness from 0 to 255, to be scaled by the caller
    y  int64 (n,)         the class, whose name is in CLASSES

    DataError where the files are not in the cache and cannot be downloaded.
    """
    paths = [fetch(f"fashion-mnist/{name}", f"{KERAS}{name}", digest) for name, digest in FILES.items()]
    return idx.load(paths[0], paths[1]), idx.load(paths[2], paths[3])
