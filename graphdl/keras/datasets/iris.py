"""Three kinds of iris told apart by four lengths, 150 flowers, which scikit-learn carries (Fisher 1936)."""

from __future__ import annotations

from graphdl.keras.datasets.bundled import Split, load_bundled

FEATURES = (
    "sepal length",
    "sepal width",
    "petal length",
    "petal width",
)


def load_data() -> Split:
    """``(x_train, y_train), (x_test, y_test)``: 120 and 30 examples, x float32 (n, 4), y int64 from 0 to 2.

    The features are FEATURES, as they were measured: standardise them. ExtraMissing without scikit-learn.
    """
    return load_bundled("iris", "int64")
