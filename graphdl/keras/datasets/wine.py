"""Three growers of wine told apart by a chemical analysis, 178 wines, which scikit-learn carries (UCI, 1991)."""

from __future__ import annotations

from graphdl.keras.datasets.bundled import Split, load_bundled

FEATURES = (
    "alcohol",
    "malic acid",
    "ash",
    "alcalinity of ash",
    "magnesium",
    "total phenols",
    "flavanoids",
    "nonflavanoid phenols",
    "proanthocyanins",
    "colour intensity",
    "hue",
    "OD280/OD315",
    "proline",
)


def load_data() -> Split:
    """``(x_train, y_train), (x_test, y_test)``: 143 and 35 examples, x float32 (n, 13), y int64 from 0 to 2.

    The features are FEATURES, as they were measured: standardise them. ExtraMissing without scikit-learn.
    """
    return load_bundled("wine", "int64")
