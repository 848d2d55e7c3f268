"""Saving the model, or its weights, as training goes on."""

from __future__ import annotations

import os
import warnings
from collections.abc import Mapping
from typing import Any

from graphdl.errors import GraphError, listed
from graphdl.keras.callbacks.monitor import Monitor, shown


class ModelCheckpoint(Monitor):
    """Saves the model after every epoch, or every `save_freq` steps.

    filepath           may hold ``{epoch:02d}``, ``{batch}`` and names of the history, such as ``{val_loss:.2f}``
    save_best_only     only when `monitor` is better than ever before
    save_weights_only  the weights alone, as `model.save_weights` writes them
    save_freq          "epoch", or a number of steps

    After `fit` the model holds the weights of the *last* epoch; where only the best are saved, a line printed at the
    end says so, and how to get them back.
    """

    watches_only = True
    fleeting = (*Monitor.fleeting, "filepath", "save_best_only", "save_weights_only", "save_freq")

    def __init__(
        self,
        filepath: str | os.PathLike[str],
        monitor: str = "val_loss",
        verbose: int = 0,
        save_best_only: bool = False,
        save_weights_only: bool = False,
        mode: str = "auto",
        save_freq: str | int = "epoch",
        initial_value_threshold: float | None = None,
    ) -> None:
        super().__init__(monitor, mode)
        if save_freq != "epoch" and (isinstance(save_freq, str | bool) or save_freq < 1):
            raise GraphError(f"ModelCheckpoint: save_freq is {save_freq!r:.40}, expected 'epoch' or an integer from 1")
        self.filepath = os.fspath(filepath)
        self.verbose = verbose
        self.save_best_only = save_best_only
        self.save_weights_only = save_weights_only
        self.save_freq = save_freq
        self.best = initial_value_threshold
        self.latest: str | None = None
        self._best_epoch: int | None = None
        self._epoch = self._steps = 0

    def on_train_begin(self, logs: Any = None) -> None:
        """Find out now whether the number can be watched, not after the first epoch."""
        if self.save_best_only:
            _ = self.rises

    def on_epoch_begin(self, epoch: int, logs: Any = None) -> None:
        """Know which epoch it is."""
        self._epoch = epoch

    def on_train_batch_end(self, batch: int, logs: Any = None) -> None:
        """Save, where steps are counted and it is time."""
        if isinstance(self.save_freq, int):
            self._steps += 1
            if self._steps >= self.save_freq:
                self._steps = 0
                self._save({"batch": batch + 1, **(logs or {})})

    def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
        """Save, where epochs are counted."""
        self._epoch = epoch
        if self.save_freq == "epoch":
            self._save(logs or {})

    def on_train_end(self, logs: Any = None) -> None:
        """The reminder that the model does not hold what was saved as the best."""
        if self.save_best_only and self.latest is not None and self._best_epoch != self._epoch:
            call = f"load_weights({self.latest!r})"
            how = f"model.{call}" if self.save_weights_only else f"keras.models.load_model({self.latest!r})"
            which = f"epoch {self._best_epoch + 1}" if self._best_epoch is not None else "the best epoch"
            self.say(
                f"the model holds the weights of the last epoch, {self._epoch + 1}; "
                f"those of {which}, the best {self.monitor}, come back with {how}"
            )

    def _save(self, logs: Mapping[str, Any]) -> None:
        path = self._path(logs)
        if not self._is_wanted(logs, path):
            return
        folder = os.path.dirname(path)
        if folder:
            os.makedirs(folder, exist_ok=True)
        if self.save_weights_only:
            self.model.save_weights(path)
        else:
            self.model.save(path)
        self.latest, self._best_epoch = path, self._epoch

    def _path(self, logs: Mapping[str, Any]) -> str:
        try:
            return self.filepath.format(**{"epoch": self._epoch + 1, **logs})
        except (KeyError, IndexError, ValueError) as error:
            raise GraphError(
                f"ModelCheckpoint: filepath {self.filepath!r} cannot be filled in ({error}); "
                f"there is {listed(['epoch', *logs])}"
            ) from None

    def _is_wanted(self, logs: Mapping[str, Any], path: str) -> bool:
        epoch, what = self._epoch + 1, "weights" if self.save_weights_only else "model"
        if not self.save_best_only:
            self._tell(f"Epoch {epoch}: saving {what} to {path}")
            return True
        value = logs.get(self.monitor)
        if value is None:
            text = f"ModelCheckpoint saves {what} without comparing: {self.monitor!r} is not among {listed(logs)}"
            warnings.warn(text, UserWarning, stacklevel=2)
            return True
        if not self.improves(value, self.best):
            self._tell(f"Epoch {epoch}: {self.monitor} did not improve from {shown(self.best)}")
            return False
        self._tell(
            f"Epoch {epoch}: {self.monitor} improved from {shown(self.best)} to {shown(value)}, saving {what} to {path}"
        )
        self.best = value
        return True

    def _tell(self, text: str) -> None:
        if self.verbose:
            self.say(text)
