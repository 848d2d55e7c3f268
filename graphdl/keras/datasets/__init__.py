"""Small data sets, each a module with `load_data()`."""

from graphdl.keras.datasets import digits

__all__ = ["digits"]
