"""House prices of 20,640 districts of California in 1990 (Pace & Barry 1997)."""

from __future__ import annotations

from graphdl.errors import DataError
from graphdl.keras.datasets.housing import Split, load_prices

DIGEST = "1a2e3a52e0398de6463aebe6f4a8da34fb21fbb6b934cf88c3425e766f2a1a6f"
# The "small" set is the first rows of the large one.
SMALL = 600


def load_data(
    version: str = "large", path: str = "california_housing.npz", test_split: float = 0.2, seed: int = 113
) -> Split:
    """``(x_train, y_train), (x_test, y_test)``: 16,512 and 4,128 examples, downloaded the first time.

    x  float32 (n, 8)  as they were measured: standardise them
    y  float32 (n,)    median price, dollars

    `version` is "large", or "small" for 600 examples in all. DataError where the file cannot be had.
    """
    if version not in ("large", "small"):
        raise DataError(f"version is {version!r:.40}, expected 'large' or 'small'")
    most = SMALL if version == "small" else None
    return load_prices("california_housing.npz", path, DIGEST, test_split, seed, most)
