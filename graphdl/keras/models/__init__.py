"""Models, under the names that Keras gives them."""

from typing import Any

from graphdl.keras.models.model import Model
from graphdl.keras.models.sequential import Sequential
from graphdl.keras.saving import load_model, save_model
from graphdl.keras.saving.description import copied


def clone_model(model: Model) -> Any:
    """A model of the same layers, with weights of its own and not compiled."""
    return copied(model)


__all__ = ["Model", "Sequential", "clone_model", "load_model", "save_model"]
