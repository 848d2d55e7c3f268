"""Callbacks that change the learning rate between epochs."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any

import numpy as np

from graphdl.errors import GraphError
from graphdl.keras.callbacks.base import Callback
from graphdl.keras.callbacks.monitor import Monitor


class LearningRateScheduler(Callback):
    """Sets the learning rate of each epoch to ``schedule(epoch, learning_rate)``, or ``schedule(epoch)``."""

    def __init__(self, schedule: Callable[..., float], verbose: int = 0) -> None:
        self.schedule = schedule
        self.verbose = verbose

    def on_epoch_begin(self, epoch: int, logs: Any = None) -> None:
        """Ask for the rate of this epoch."""
        rate = self.schedule(epoch, self.model.optimizer.learning_rate) if self._takes_two else self.schedule(epoch)
        if isinstance(rate, bool) or not isinstance(rate, float | np.floating):
            raise GraphError(f"LearningRateScheduler: schedule({epoch}) is {rate!r:.40}, expected a float")
        self.model.optimizer.learning_rate = float(rate)
        if self.verbose:
            self.say(f"Epoch {epoch + 1}: LearningRateScheduler setting learning rate to {float(rate)}.")

    def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
        """Write the rate into the history."""
        if logs is not None:
            logs["learning_rate"] = self.model.optimizer.learning_rate

    @property
    def _takes_two(self) -> bool:
        try:
            inspect.signature(self.schedule).bind(0, 0.0)
        except TypeError:
            return False
        return True


class ReduceLROnPlateau(Monitor):
    """Multiplies the learning rate by `factor` when `monitor` has not got better for `patience` epochs.

    cooldown   epochs after a change in which none are counted
    min_lr     the rate never gets smaller
    """

    fleeting = (*Monitor.fleeting, "factor", "cooldown", "min_lr")

    def __init__(
        self,
        monitor: str = "val_loss",
        factor: float = 0.1,
        patience: int = 10,
        verbose: int = 0,
        mode: str = "auto",
        min_delta: float = 1e-4,
        cooldown: int = 0,
        min_lr: float = 0.0,
    ) -> None:
        super().__init__(monitor, mode, min_delta)
        if not 0 < factor < 1:
            raise GraphError(f"ReduceLROnPlateau: factor is {factor!r:.40}, expected a number between 0 and 1")
        self.factor = factor
        self.patience = patience
        self.verbose = verbose
        self.cooldown = cooldown
        self.min_lr = min_lr
        self.on_train_begin()

    def on_train_begin(self, logs: Any = None) -> None:
        """Forget what was seen in another run."""
        self.best = None
        self.wait = self.cooldown_counter = 0

    def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
        """Compare with the best so far."""
        if logs is not None:
            logs["learning_rate"] = self.model.optimizer.learning_rate
        value = self.current(logs)
        if value is None:
            return
        if self.cooldown_counter:
            self.cooldown_counter -= 1
            self.wait = 0
        if self.improves(value, self.best):
            self.best = value
            self.wait = 0
        elif not self.cooldown_counter:
            self.wait += 1
            if self.wait >= self.patience:
                self._reduce(epoch)

    def _reduce(self, epoch: int) -> None:
        rate = self.model.optimizer.learning_rate
        if rate <= self.min_lr:
            return
        new = max(rate * self.factor, self.min_lr)
        self.model.optimizer.learning_rate = new
        self.cooldown_counter, self.wait = self.cooldown, 0
        if self.verbose:
            self.say(f"Epoch {epoch + 1}: ReduceLROnPlateau reducing learning rate to {new}.")
