"""What watches training from outside; the history is the first of them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


class Callback:
    """Called as training goes on; `model` and `params` are set before it begins."""

    model: Any = None
    params: Mapping[str, Any] = {}

    def set_model(self, model: Any) -> None:
        """Watch `model`."""
        self.model = model

    def set_params(self, params: Mapping[str, Any]) -> None:
        """Know the number of epochs and steps."""
        self.params = params

    def set_examples(self, examples: Mapping[Any, Any]) -> None:
        """Know what is trained on: an array for each input and target of the model."""

    def on_train_begin(self, logs: Any = None) -> None:
        """Before the first epoch."""

    def on_train_end(self, logs: Any = None) -> None:
        """After the last epoch."""

    def on_epoch_begin(self, epoch: int, logs: Any = None) -> None:
        """Before the epoch, counted from 0."""

    def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
        """After the epoch, with loss, metrics and those of the validation."""

    def on_train_batch_end(self, batch: int, logs: Any = None) -> None:
        """After the step, counted from 0 in each epoch, with the means of loss and metrics over the epoch so far."""


class History(Callback):
    """Loss and metrics of every epoch: `history` has a list for each name, `epoch` the numbers from 0."""

    def __init__(self) -> None:
        self.epoch: list[int] = []
        self.history: dict[str, list[float]] = {}

    def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
        """Append the numbers of the epoch."""
        self.epoch.append(epoch)
        for name, value in (logs or {}).items():
            self.history.setdefault(name, []).append(value)
