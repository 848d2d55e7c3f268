"""Callbacks that watch one number, and know when it gets better."""

from __future__ import annotations

import math
import warnings
from collections.abc import Mapping
from typing import Any

from graphdl.errors import GraphError, listed
from graphdl.keras.callbacks.base import Callback

# Words in the names of metrics that are better the larger they are; all others are better the smaller they are.
_UP = (
    "acc",
    "auc",
    "precision",
    "recall",
    "f1",
    "fbeta",
    "iou",
    "r2",
    "specificity",
    "sensitivity",
    "similarity",
    "positives",
)
_UP_NOT = ("false_",)
_DOWN = (
    "loss",
    "error",
    "mse",
    "mae",
    "mape",
    "msle",
    "rmse",
    "entropy",
    "bce",
    "divergence",
    "hinge",
    "cosh",
    "poisson",
    "huber",
)


class Monitor(Callback):
    """Watches the number called `monitor`; a change of at most `min_delta` is none.

    mode   "min" or "max", what is better; "auto" tells it from the name
    """

    fleeting: tuple[str, ...] = ("monitor", "mode", "min_delta", "patience", "verbose")

    def __init__(self, monitor: str = "val_loss", mode: str = "auto", min_delta: float = 0.0) -> None:
        if mode not in ("auto", "min", "max"):
            raise GraphError(f"{type(self).__name__}: mode is {mode!r:.40}, expected 'auto', 'min' or 'max'")
        self.monitor = monitor
        self.mode = mode
        self.min_delta = abs(min_delta)
        self.best: float | None = None

    @property
    def rises(self) -> bool:
        """Whether larger is better."""
        return _is_better_up(type(self).__name__, self.monitor) if self.mode == "auto" else self.mode == "max"

    def current(self, logs: Mapping[str, Any] | None) -> float | None:
        """The number that is watched; None, with a warning, where there is none of that name."""
        found = (logs or {}).get(self.monitor)
        if found is None:
            hint = "; give fit validation_data or validation_split" if self.monitor.startswith("val_") else ""
            text = f"{type(self).__name__} watches {self.monitor!r}, and the epoch has {listed(logs or {})}{hint}"
            warnings.warn(text, UserWarning, stacklevel=2)
        return found

    def improves(self, value: float, on: float | None) -> bool:
        """Whether `value` is better than `on` by more than `min_delta`; anything is better than nothing."""
        if on is None:
            return True
        return value - self.min_delta > on if self.rises else value + self.min_delta < on


def _is_better_up(who: str, monitor: str) -> bool:
    name = monitor.removeprefix("val_").lower()
    if any(word in name for word in _UP) and not any(word in name for word in _UP_NOT):
        return True
    if any(word in name for word in (*_DOWN, *_UP_NOT)):
        return False
    raise GraphError(f"{who}: whether {monitor!r} is better large or small is not known; say mode='max' or mode='min'")


def shown(value: float | None) -> str:
    """A number in a message."""
    return "none" if value is None else f"{value:.5f}" if math.isfinite(value) else str(value)
