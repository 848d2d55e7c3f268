"""How diabetes goes on in a year, 442 patients, which scikit-learn carries (Efron et al. 2004)."""

from __future__ import annotations

from graphdl.keras.datasets.bundled import Split, load_bundled

FEATURES = (
    "age",
    "sex",
    "body mass index",
    "blood pressure",
    "total cholesterol",
    "low-density lipoproteins",
    "high-density lipoproteins",
    "cholesterol / HDL",
    "log of triglycerides",
    "blood sugar",
)


def load_data() -> Split:
    """``(x_train, y_train), (x_test, y_test)``: 354 and 88 examples, x float32 (n, 10), y float32.

    The features are FEATURES, as they were measured: standardise them. ExtraMissing without scikit-learn.
    """
    return load_bundled("diabetes", "float32")
