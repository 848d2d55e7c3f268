"""The picture of a model, under the name of its module in Keras 2."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from graphdl.draw import draw
from graphdl.errors import DrawError, listed

if TYPE_CHECKING:
    from graphdl.keras.models.model import Model

# What Keras shows when asked is always shown, and a picture of vectors has no resolution.
_OPTIONS = (
    "show_shapes",
    "show_dtype",
    "show_layer_names",
    "show_layer_activations",
    "show_trainable",
    "expand_nested",
    "rankdir",
    "dpi",
)


def plot_model(model: Model, to_file: str | Path = "model.png", view: str = "blocks", **options: Any) -> Any:
    """The path of a picture of `model`, a card for each layer; views and kinds of files as in `graphdl.draw`.

    Options of Keras are taken and change nothing: the cards tell all that they could ask for.
    """
    unknown = [word for word in options if word not in _OPTIONS]
    if unknown:
        raise DrawError(f"plot_model has no option {listed(unknown)}; it has to_file, view and {listed(_OPTIONS)}")
    return draw(model, to_file, view=view)
