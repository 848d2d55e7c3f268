"""Callbacks that write down the numbers of the epochs: on the screen, and in a table."""

from __future__ import annotations

import csv
import os
from pathlib import Path
from typing import Any, TextIO

from graphdl.errors import WriteError
from graphdl.keras.callbacks.base import Callback
from graphdl.keras.progress import Progress


class ProgbarLogger(Callback):
    """The progress that `fit` prints; `fit` adds one by itself."""

    def __init__(self) -> None:
        self.shown: Progress | None = None

    def set_params(self, params: Any) -> None:
        """Print as `verbose` says."""
        super().set_params(params)
        assert self.progress is not None
        self.shown = self.progress

    def on_epoch_begin(self, epoch: int, logs: Any = None) -> None:
        """The heading of the epoch."""
        assert self.shown is not None
        self.shown.begin(epoch)

    def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
        """The line with its numbers."""
        assert self.shown is not None
        self.shown.end(logs or {})


class CSVLogger(Callback):
    """Writes a line of numbers after every epoch into a table, with a line of names above.

    append   go on in the file that is there, instead of beginning anew
    """

    fleeting = ("_names", "_has_names")

    def __init__(self, filename: str | os.PathLike[str], separator: str = ",", append: bool = False) -> None:
        self.filename = Path(filename)
        self.separator = separator
        self.append = append
        self._file: TextIO | None = None

    def on_train_begin(self, logs: Any = None) -> None:
        """Open the file."""
        self._has_names = self.append and self.filename.exists() and self.filename.stat().st_size > 0
        self._names: list[str] = []
        self._close()
        try:
            self._file = self.filename.open("a" if self.append else "w", newline="", encoding="utf-8")
        except OSError as error:
            raise WriteError(f"cannot write {str(self.filename)!r}: {error.strerror}") from error

    def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
        """Write a line; a name that an epoch lacks, such as val_loss before the first scoring, is NA."""
        assert self._file is not None
        writer = csv.writer(self._file, delimiter=self.separator, lineterminator="\n")
        found = dict(logs or {})
        if not self._names:
            names = sorted(found)
            scored = any(name.startswith("val_") for name in names)
            self._names = names if scored else [*names, *(f"val_{name}" for name in names)]
            if not self._has_names:
                writer.writerow(["epoch", *self._names])
        writer.writerow([epoch, *(found.get(name, "NA") for name in self._names)])
        self._file.flush()

    def on_train_end(self, logs: Any = None) -> None:
        """Close the file."""
        self._close()

    def _close(self) -> None:
        if self._file is not None:
            self._file.close()
            self._file = None
