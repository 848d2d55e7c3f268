"""What `compile` makes of a model: targets, losses, metrics, gradients and updates, all of them graph nodes."""

from graphdl.keras.training.graphs import Training
from graphdl.keras.training.heads import Head, Wanted
from graphdl.keras.training.scores import Scores

__all__ = ["Head", "Scores", "Training", "Wanted"]
