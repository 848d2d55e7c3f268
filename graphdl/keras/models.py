"""Models, under the names that Keras gives them."""

from graphdl.keras.model import Model
from graphdl.keras.sequential import Sequential

__all__ = ["Model", "Sequential"]
