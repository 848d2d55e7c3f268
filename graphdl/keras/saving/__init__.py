"""Models as files that hold no code, and how classes of one's own come back from them."""

from graphdl.keras.saving.model import load_model, save_model
from graphdl.keras.saving.objects import register_keras_serializable

__all__ = ["load_model", "register_keras_serializable", "save_model"]
