"""The history of training, which `fit` returns."""

from __future__ import annotations

from typing import Any

from graphdl.keras.callbacks.base import Callback


class History(Callback):
    """Loss and metrics of every epoch: `history` has a list for each name, `epoch` the numbers from 0."""

    watches_only = True

    def __init__(self) -> None:
        self.epoch: list[int] = []
        self.history: dict[str, list[float]] = {}

    def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
        """Append the numbers of the epoch."""
        self.epoch.append(epoch)
        for name, value in (logs or {}).items():
            self.history.setdefault(name, []).append(value)
