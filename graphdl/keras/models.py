"""Models, under the names that Keras gives them."""

from typing import Any

from graphdl.keras.model import Model
from graphdl.keras.saving import load_model, save_model
from graphdl.keras.saving.description import described, rebuilt
from graphdl.keras.sequential import Sequential


def clone_model(model: Model) -> Any:
    """A model of the same layers, with weights of its own and not compiled."""
    return rebuilt(described(model), {})


__all__ = ["Model", "Sequential", "clone_model", "load_model", "save_model"]
