"""Tumours of the breast, malignant (0) or benign (1), 569 of them, which scikit-learn carries (Wolberg et al. 1995)."""

from __future__ import annotations

from graphdl.keras.datasets.bundled import Split, load_bundled

_MEASURES = (
    "radius",
    "texture",
    "perimeter",
    "area",
    "smoothness",
    "compactness",
    "concavity",
    "concave points",
    "symmetry",
    "fractal dimension",
)
FEATURES = tuple(f"{which} {measure}" for which in ("mean", "error of", "worst") for measure in _MEASURES)


def load_data() -> Split:
    """``(x_train, y_train), (x_test, y_test)``: 456 and 113 examples, x float32 (n, 30), y int64.

    The features are FEATURES, as they were measured: standardise them. ExtraMissing without scikit-learn.
    """
    return load_bundled("breast_cancer", "int64")
