"""Optimizers as graphs: from gradients to new values, with the formulas and defaults of Keras 3."""

from __future__ import annotations

from typing import Any

from graphdl.keras.lookup import Kind, serialize
from graphdl.keras.optimizers import schedules
from graphdl.keras.optimizers.accumulated import Adadelta, Adagrad, RMSprop
from graphdl.keras.optimizers.adafactor import Adafactor
from graphdl.keras.optimizers.adam import Adam, Adamax, AdamW, Lamb, Nadam
from graphdl.keras.optimizers.descent import SGD, Lion
from graphdl.keras.optimizers.ftrl import Ftrl
from graphdl.keras.optimizers.muon import Muon
from graphdl.keras.optimizers.optimizer import Optimizer
from graphdl.keras.optimizers.schedules import Schedule
from graphdl.keras.optimizers.surfaces import SURFACES, Surface
from graphdl.keras.optimizers.trajectories import Trajectories, trajectories

CLASSES: tuple[type[Optimizer], ...] = (
    *(SGD, RMSprop, Adam, AdamW, Adadelta, Adagrad, Adamax, Nadam, Ftrl, Lion),
    *(Lamb, Adafactor, Muon),
)
KNOWN: dict[str, type[Optimizer]] = {made.__name__: made for made in CLASSES}
# What Keras has beside them, and why it is not here.
_ABSENT = {
    "LossScaleOptimizer": "it is for half precision, and graphdl computes in float32 or float64",
    "MultiOptimizer": "one optimizer trains all variables of a model; Muon chooses its formula by shape",
    "ScheduleFreeAdamW": "AdamW with a schedule such as CosineDecay is the nearest",
}


def __getattr__(name: str) -> Any:
    why = f": {_ABSENT[name]}" if name in _ABSENT else ""
    raise AttributeError(f"graphdl.keras.optimizers has no {name}{why}")


_KIND: Kind[Optimizer] = Kind(
    "an optimizer",
    Optimizer,
    {name.lower(): made for name, made in KNOWN.items()},
    "a name such as 'adam', or an object",
)
get, deserialize = _KIND.get, _KIND.deserialize


__all__ = [
    "KNOWN",
    "SGD",
    "SURFACES",
    "Adadelta",
    "Adafactor",
    "Adagrad",
    "Adam",
    "AdamW",
    "Adamax",
    "Ftrl",
    "Lamb",
    "Lion",
    "Muon",
    "Nadam",
    "Optimizer",
    "RMSprop",
    "Schedule",
    "Surface",
    "Trajectories",
    "deserialize",
    "get",
    "schedules",
    "serialize",
    "trajectories",
]
