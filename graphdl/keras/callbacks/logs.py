"""Callbacks that write down the numbers of the epochs: on the screen, and in a table."""

from __future__ import annotations

import csv
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any, TextIO

from graphdl.errors import WriteError
from graphdl.keras.callbacks.base import Callback
from graphdl.keras.callbacks.progress import Progress


class ProgbarLogger(Callback):
    """The progress that `fit` prints; `fit` adds one by itself."""

    watches_only = True

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

    A training that is resumed goes on behind the lines of the epochs that it does not repeat.
    """

    watches_only = True
    fleeting = ("filename", "separator", "append", "_file")

    def __init__(self, filename: str | os.PathLike[str], separator: str = ",", append: bool = False) -> None:
        self.filename = Path(filename)
        self.separator = separator
        self.append = append
        self._file: TextIO | None = None

    def on_train_begin(self, logs: Any = None) -> None:
        """Open the file; what is in it stays until the first line is written."""
        self._close()
        self._names: list[str] = []
        try:
            self._file = self.filename.open("a", newline="", encoding="utf-8")
        except OSError as error:
            raise WriteError(f"cannot write {str(self.filename)!r}: {error.strerror}") from error
        # Bytes that stay when the next line is written.
        self._end = self._file.tell() if self.append and self._file.seekable() else 0

    def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
        """Write a line; a name that an epoch lacks, such as val_loss before the first scoring, is NA."""
        assert self._file is not None
        found = dict(logs or {})
        is_first = not self._names
        self._names = self._names or _columns(found)
        if self._file.seekable():
            is_first = self._at_end(self._file)
        writer = csv.writer(self._file, delimiter=self.separator, lineterminator="\n")
        if is_first:
            writer.writerow(["epoch", *self._names])
        writer.writerow([epoch, *(found.get(name, "NA") for name in self._names)])
        self._file.flush()
        self._end = self._file.tell() if self._file.seekable() else 0

    def _at_end(self, file: TextIO) -> bool:
        """Go behind the lines that stay; whether there are none."""
        # What lies there is of another training, or of epochs that are done once more.
        file.truncate(min(self._end, file.seek(0, os.SEEK_END)))
        return file.seek(0, os.SEEK_END) == 0

    def on_train_end(self, logs: Any = None) -> None:
        """Close the file."""
        self._close()

    def _close(self) -> None:
        if self._file is not None:
            self._file.close()
            self._file = None


def _columns(logs: Mapping[str, Any]) -> list[str]:
    """The names in order; where nothing is scored yet, with columns for when it is."""
    names = sorted(logs)
    scored = any(name.startswith("val_") for name in names)
    return names if scored else [*names, *(f"val_{name}" for name in names)]
