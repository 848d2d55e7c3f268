"""Callbacks that end training before its last epoch."""

from __future__ import annotations

import math
from typing import Any

from graphdl.keras.callbacks.base import Callback
from graphdl.keras.callbacks.monitor import Monitor


class EarlyStopping(Monitor):
    """Ends training when `monitor` has not got better for `patience` epochs.

    monitor               a name in the history; what is better follows from `mode`
    min_delta             a smaller change is no improvement
    baseline              the count of epochs begins anew only where the number is better than this, too
    restore_best_weights  at the end, go back to the weights of the best epoch
    start_from_epoch      epochs that are only watched at first
    """

    fleeting = (*Monitor.fleeting, "baseline", "restore_best_weights", "start_from_epoch")

    def __init__(
        self,
        monitor: str = "val_loss",
        min_delta: float = 0.0,
        patience: int = 0,
        verbose: int = 0,
        mode: str = "auto",
        baseline: float | None = None,
        restore_best_weights: bool = False,
        start_from_epoch: int = 0,
    ) -> None:
        super().__init__(monitor, mode, min_delta)
        self.patience = patience
        self.verbose = verbose
        self.baseline = baseline
        self.restore_best_weights = restore_best_weights
        self.start_from_epoch = start_from_epoch
        self._begin()

    def _begin(self) -> None:
        self.wait = self.stopped_epoch = self.best_epoch = 0
        self.best = None
        self.best_weights: list[Any] | None = None

    def on_train_begin(self, logs: Any = None) -> None:
        """Forget what was seen in another run."""
        self._begin()

    def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
        """Compare with the best so far."""
        value = self.current(logs)
        if value is None or epoch < self.start_from_epoch:
            return
        if self.restore_best_weights and self.best_weights is None:
            # A first value that is NaN improves on nothing, and still there must be weights to go back to.
            self._remember(epoch)
        self.wait += 1
        if self.improves(value, self.best):
            self.best = value
            self._remember(epoch)
            if self.baseline is None or self.improves(value, self.baseline):
                self.wait = 0
        elif self.wait >= self.patience and epoch > 0:
            self.stopped_epoch = epoch
            self.model.stop_training = True

    def on_train_end(self, logs: Any = None) -> None:
        """Say why it ended, and go back to the best weights if asked to."""
        if self.stopped_epoch and self.verbose:
            self.say(f"Epoch {self.stopped_epoch + 1}: early stopping")
        if self.best_weights is not None:
            if self.verbose:
                self.say(f"Restoring model weights from the end of the best epoch: {self.best_epoch + 1}.")
            self.model.set_weights(self.best_weights)

    def _remember(self, epoch: int) -> None:
        self.best_epoch = epoch
        if self.restore_best_weights:
            self.best_weights = self.model.get_weights()


class TerminateOnNaN(Callback):
    """Ends training at the first batch whose loss is NaN or infinite."""

    def on_train_batch_end(self, batch: int, logs: Any = None) -> None:
        """Look at the loss."""
        loss = (logs or {}).get("loss")
        if loss is not None and not math.isfinite(loss):
            self.say(f"Batch {batch}: the loss is {loss}; training ends. Which node is the first, nan_guard tells")
            self.model.stop_training = True
