"""Small data sets: modules with `load_data()`, and `toy(kind)` for points in the plane."""

from graphdl.keras.datasets import digits
from graphdl.keras.toy import toy

__all__ = ["digits", "toy"]
