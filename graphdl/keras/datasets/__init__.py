"""Data sets: modules with `load_data()`, files of one's own, and `toy(kind)` for points in the plane.

digits, iris, wine, breast_cancer, diabetes                          come with scikit-learn
mnist, fashion_mnist, imdb, boston_housing, california_housing       are downloaded once and kept
rdatasets.load(name), idx.load(images, labels), table.load(path, target)   read tables and images
reviews.load_data(path)                                              reads labelled sentences
"""

from graphdl.keras.datasets import (
    boston_housing,
    breast_cancer,
    california_housing,
    diabetes,
    digits,
    fashion_mnist,
    idx,
    imdb,
    iris,
    mnist,
    rdatasets,
    reviews,
    table,
    wine,
)
from graphdl.keras.datasets.points import toy

__all__ = [
    "boston_housing",
    "breast_cancer",
    "california_housing",
    "diabetes",
    "digits",
    "fashion_mnist",
    "idx",
    "imdb",
    "iris",
    "mnist",
    "rdatasets",
    "reviews",
    "table",
    "toy",
    "wine",
]
