"""House prices of 506 districts of Boston in 1978 (Harrison & Rubinfeld).

One of its 13 features is made from the share of Black residents, on the premise that prices follow segregation; for
anything but an exercise take `california_housing`.
"""

from __future__ import annotations

from graphdl.keras.datasets.housing import Split, load_prices

DIGEST = "f553886a1f8d56431e820c5b82552d9d95cfcb96d1e678153f8839538947dff5"


def load_data(path: str = "boston_housing.npz", test_split: float = 0.2, seed: int = 113) -> Split:
    """``(x_train, y_train), (x_test, y_test)``: 404 and 102 examples, downloaded the first time.

    x  float64 (n, 13)  as they were measured: standardise them
    y  float64 (n,)     median price, thousands of dollars

    DataError where the file is not in the cache and cannot be downloaded.
    """
    return load_prices("boston_housing.npz", path, DIGEST, test_split, seed)
