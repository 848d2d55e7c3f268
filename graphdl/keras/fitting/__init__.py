"""The loops: over epochs and batches, over batches to score, over batches to predict."""

from graphdl.keras.fitting.given import Given, HeldOut, read_examples
from graphdl.keras.fitting.loop import Fit
from graphdl.keras.fitting.scoring import evaluate, on_batch, predict, values_of
from graphdl.keras.fitting.settings import BATCH_SIZE, Settings
from graphdl.keras.fitting.steps import bound_step, forget_totals

__all__ = [
    "BATCH_SIZE",
    "Fit",
    "Given",
    "HeldOut",
    "Settings",
    "bound_step",
    "evaluate",
    "forget_totals",
    "on_batch",
    "predict",
    "read_examples",
    "values_of",
]
