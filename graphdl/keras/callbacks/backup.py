"""Training that can be interrupted at any moment and goes on as if nothing had happened, to the bit."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeGuard

from graphdl.errors import FormatError, GraphError, WriteError
from graphdl.files import sweep, write_atomically
from graphdl.ir.encoding import shown
from graphdl.keras.callbacks.base import Callback
from graphdl.keras.callbacks.memory import check_memories, memories, recall
from graphdl.keras.saving.archive import Archive, read_archive, write_archive
from graphdl.keras.saving.lock import Lock
from graphdl.keras.saving.objects import from_json, to_json
from graphdl.keras.saving.state import check_state, load_state, rate_of, state_of

if TYPE_CHECKING:
    from graphdl.keras.fitting import Fit
    from graphdl.keras.fitting.start import Start

# 2: callbacks say what they remember, and whether they only watch.
FORMAT, VERSION = "graphdl training", 2
_NAME = "training.graphdl"
Json = dict[str, Any]


class BackupAndRestore(Callback):
    """Keeps the state of training in a file, and goes on from there when `fit` is called again after an interruption.

    backup_dir         a folder; or a name that ends in .graphdl, the file itself
    save_freq          "epoch", or a number of steps, besides; after Ctrl-C it is kept in any case
    double_checkpoint  keep the state before last, too, under the name with .old behind it
    delete_checkpoint  remove the file at the end of training

    In the file: weights, what the optimizer remembers, running statistics, step, epoch, place within the epoch, sums of
    loss and metrics, learning rate, history, and those attributes of the other callbacks that are numbers, texts,
    arrays, and lists and dicts of them. The order of the examples and all noise follow from seed, epoch and step. It is
    written whole or not at all; two processes cannot use it at once. Model, data and batch size must be the same.
    """

    comes_last = True

    def __init__(
        self,
        backup_dir: str | os.PathLike[str],
        save_freq: str | int = "epoch",
        double_checkpoint: bool = False,
        delete_checkpoint: bool = True,
    ) -> None:
        given = Path(backup_dir)
        if not str(backup_dir):
            raise GraphError("BackupAndRestore: backup_dir is empty, expected a folder")
        if save_freq != "epoch" and (isinstance(save_freq, str | bool) or save_freq < 1):
            raise GraphError(f"BackupAndRestore: save_freq is {save_freq!r:.40}, expected 'epoch' or an integer from 1")
        self.path = given if given.suffix == ".graphdl" else given / _NAME
        self.save_freq = save_freq
        self.double_checkpoint = double_checkpoint
        self.delete_checkpoint = delete_checkpoint
        self._lock: Lock | None = None
        self._steps = 0

    def resume(self, fit: Fit) -> None:
        """Take over what the file has, if it is there."""
        # Asked for once: of batches that come one at a time it looks at the first.
        self.fit, self._conditions = fit, _conditions(fit)
        self._take_lock()
        sweep(self.path)
        if not self.path.exists():
            return
        archive = read_archive(self.path, FORMAT, VERSION)
        try:
            fit.start = self._start(archive)
        except FormatError as error:
            raise FormatError(f"{str(self.path)!r}: {error}") from None
        fit.start.restore()
        self._say_start(fit)

    def _say_start(self, fit: Fit) -> None:
        """Where training goes on, where it says anything at all."""
        if not fit.progress.verbose:
            return
        start, epochs = fit.start, fit.settings.epochs
        place = f"goes on in epoch {start.epoch + 1}" + (f" after step {start.step}" if start.step else "")
        self.say(f"{self.path}: " + (place if start.epoch < epochs else "training is done, nothing is left to do"))

    def on_train_batch_end(self, batch: int, logs: Any = None) -> None:
        """Keep the state, where steps are counted and it is time."""
        if isinstance(self.save_freq, int):
            self._steps += 1
            if self._steps % self.save_freq == 0:
                self._keep()

    def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
        """Keep the state between this epoch and the next, which may be that of a longer training."""
        self._keep(epoch + 1, logs)

    def on_interrupt(self) -> None:
        """Keep the state after the last whole step."""
        if self.fit.step:
            self._keep()

    def on_train_end(self, logs: Any = None) -> None:
        """Remove the file, where it is not to stay."""
        if self.delete_checkpoint:
            self.path.unlink(missing_ok=True)
            self._older.unlink(missing_ok=True)

    def let_go(self) -> None:
        """Let others use the file."""
        self._release()

    @property
    def _older(self) -> Path:
        return self.path.with_name(f"{self.path.name}.old")

    def _take_lock(self) -> None:
        self._release()
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            reason = "its folder is a file" if self.path.parent.is_file() else error.strerror
            raise WriteError(f"cannot write {str(self.path)!r}: {reason}") from error
        self._lock = Lock(self.path.with_name(f".{self.path.name}.lock"), f"the checkpoint {str(self.path)!r}")

    def _release(self) -> None:
        if self._lock is not None:
            self._lock.release()
            self._lock = None

    def _keep(self, next_epoch: int | None = None, logs: Any = None) -> None:
        """Write the state down: between two epochs, or within one."""
        fit = self.fit
        state, tensors = state_of(self.model, fit.plan, with_totals=True)
        epoch, step = (fit.epoch, fit.step) if next_epoch is None else (next_epoch, 0)
        totals, seen = fit.means.sums
        content: Json = {
            "position": {"epoch": epoch, "step": step, "totals": to_json(totals), "seen": seen},
            "logs": to_json(dict(logs or {})),
            "fit": self._conditions,
            "stop": bool(self.model.stop_training),
            "rate": rate_of(self.model.optimizer),
            "state": state,
            "callbacks": memories(self._others(), tensors),
        }
        if self.double_checkpoint and self.path.exists():
            write_atomically(self._older, self.path.read_bytes())
        write_archive(self.path, FORMAT, VERSION, content, tensors)

    def _others(self) -> list[Callback]:
        return [callback for callback in self.fit.watching if callback is not self]

    def _start(self, archive: Archive) -> Start:
        """Where to go on, after everything has been checked; nothing is changed yet."""
        from graphdl.keras.fitting.start import Start

        content, fit = archive.content, self.fit
        keys = {"position", "logs", "fit", "stop", "rate", "state", "callbacks"}
        if set(content) != keys or not isinstance(content["state"], dict) or not isinstance(content["position"], dict):
            raise FormatError(f"it holds {', '.join(sorted(content))}, expected {', '.join(sorted(keys))}")
        _check_conditions(content["fit"], self._conditions)
        check_state(self.model, content["state"], archive.tensors, fit.plan, with_totals=True)
        check_memories(str(self.path), content["callbacks"], self._others())
        epoch, step, sums = _place(content["position"], len(fit.plan.scores.names))
        if fit.source.steps is not None and step > fit.source.steps:
            raise FormatError(f"it says {step} steps of an epoch are done, which has {fit.source.steps}")
        if content["stop"]:
            epoch = max(fit.settings.epochs, epoch)
        logs = from_json(content["logs"], {})
        if not isinstance(logs, dict):
            raise FormatError(f"the numbers of the last epoch are {shown(logs)}, expected an object")
        return Start(epoch, step, sums, logs, lambda: self._restore(archive))

    def _restore(self, archive: Archive) -> None:
        content = archive.content
        load_state(self.model, content["state"], archive.tensors, self.fit.plan, with_totals=True)
        if content["rate"] is not None:
            self.model.optimizer.learning_rate = content["rate"]
        recall(content["callbacks"], self._others(), archive.tensors)


def _place(data: Json, count: int) -> tuple[int, int, tuple[list[float], int]]:
    """Epoch, step, and sums of `count` numbers with the examples seen; FormatError where they cannot be."""
    epoch, step, seen = (data.get(name) for name in ("epoch", "step", "seen"))
    totals = from_json(data.get("totals"), {})
    is_sums = isinstance(totals, list) and len(totals) == count and all(type(v) in (int, float) for v in totals)
    if not (_is_count(epoch) and _is_count(step) and _is_count(seen) and is_sums):
        raise FormatError(f"the place within the training is {shown(data)}, expected epoch, step, totals and seen")
    return epoch, step, (totals, seen)


def _is_count(value: Any) -> TypeGuard[int]:
    return type(value) is int and 0 <= value < 2**63


def _conditions(fit: Fit) -> Json:
    """What must be the same for the numbers to be the same."""
    return {
        "seed": fit.model.session.seed,
        "examples": fit.n,
        "batch_size": fit.settings.batch_size,
        "shuffle": fit.settings.shuffle,
        "steps": fit.source.limit,
        "initial_epoch": fit.settings.initial_epoch,
    }


def _check_conditions(found: Any, expected: Json) -> None:
    if not isinstance(found, dict) or set(found) != set(expected):
        raise FormatError(f"its conditions are {shown(found)}, expected {', '.join(expected)}")
    for name, value in expected.items():
        if found[name] != value:
            raise GraphError(
                f"the checkpoint is of a training with {name}={found[name]}, this one has {value}; "
                "go on as it began, or begin anew without it"
            )
