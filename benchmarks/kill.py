"""Run with ``python -m benchmarks.kill [times [seed]]``: training is killed at random moments, until it is done.

After each kill -9 the checkpoint must be whole and no step behind the last one seen; at the end, weights, optimizer and
history must be those of a training that nobody killed, to the bit, and no file may be left beside the checkpoint.
"""

from __future__ import annotations

import json
import os
import random
import signal
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np

from graphdl import keras
from graphdl.keras import layers
from graphdl.keras.callbacks.backup import FORMAT, VERSION
from graphdl.keras.saving.archive import read_archive

EPOCHS, BATCH = 4, 8
RNG = np.random.default_rng(2)
X = RNG.standard_normal((60, 6)).astype("float32")
Y = (X[:, :3].sum(axis=1) > X[:, 3:].sum(axis=1)).astype("int64")


def train(folder: Path | None, save_freq: str | int = 1) -> str:
    """Train, with a checkpoint in `folder` after every step; a text of everything that must be equal."""
    keras.utils.set_random_seed(3)
    model = keras.Sequential(
        [keras.Input((6,)), layers.Dense(16, activation="relu"), layers.Dropout(0.2), layers.Dense(2, "softmax")]
    )
    model.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"])
    stopping = keras.callbacks.EarlyStopping("val_loss", patience=2, restore_best_weights=True)
    plateau = keras.callbacks.ReduceLROnPlateau("val_loss", patience=0, factor=0.5)
    backup = [] if folder is None else [keras.callbacks.BackupAndRestore(folder, save_freq, delete_checkpoint=False)]
    callbacks = [stopping, plateau, *backup]
    history = model.fit(
        X, Y, batch_size=BATCH, epochs=EPOCHS, validation_split=0.2, verbose=0, callbacks=callbacks
    ).history
    slots = [model.session.value(v).tobytes().hex() for v, _ in model.training.updates.pairs]
    return json.dumps([model.digest(), slots, model.session.state.step, model.optimizer.learning_rate, history])


class Killer:
    """Starts trainings over one checkpoint and kills them; what it sees of the file may never get worse."""

    def __init__(self, folder: Path, seconds: float, chance: random.Random) -> None:
        self.folder, self.seconds, self.chance = folder, seconds, chance
        # All kills, and those that came after the checkpoint had moved on; the last step seen in it.
        self.kills = self.moved = self.step = 0

    def until_done(self) -> str:
        """What the training that was allowed to finish says."""
        self.step = 0
        while True:
            said = self._once(self.chance.uniform(0, self.seconds))
            if said is not None:
                assert os.listdir(self.folder) == ["training.graphdl"], f"left behind: {os.listdir(self.folder)}"
                (self.folder / "training.graphdl").unlink()
                return said
            self._look()

    def _once(self, patience: float) -> str | None:
        """What a training in another process says, if it is done before it is killed."""
        reader, writer = os.pipe()
        child = os.fork()
        if child == 0:
            _finish(lambda: os.write(writer, train(self.folder).encode()))
        os.close(writer)
        deadline = time.monotonic() + patience
        while time.monotonic() < deadline:
            done, status = os.waitpid(child, os.WNOHANG)
            if done:
                assert status == 0, f"the training failed with status {status}"
                return _read(reader)
            time.sleep(0.0005)
        os.kill(child, signal.SIGKILL)
        _, status = os.waitpid(child, 0)
        said = _read(reader)
        self.kills += os.WIFSIGNALED(status)
        return said if not os.WIFSIGNALED(status) else None

    def _look(self) -> None:
        """The checkpoint is whole, and has not gone back."""
        path = self.folder / "training.graphdl"
        if path.exists():
            step = read_archive(path, FORMAT, VERSION).content["state"]["step"]
            assert step >= self.step, f"the checkpoint went back from step {self.step} to {step}"
            self.moved += step > self.step
            self.step = step
        else:
            assert self.step == 0, f"the checkpoint of step {self.step} is gone"


def _finish(work: Callable[[], object]) -> None:
    """Leave a forked process without the farewells of the one it was forked from."""
    try:
        work()
        os._exit(0)
    except BaseException as error:
        print(repr(error), file=sys.stderr)
        os._exit(1)


def _read(reader: int) -> str:
    with os.fdopen(reader, "rb") as file:
        return file.read().decode()


def kill(times: int, seed: int = 0) -> tuple[int, int, int]:
    """Kill at least so often; how often it was, how often with a newer checkpoint, and in how many trainings.

    AssertionError where anything is lost.
    """
    expected = train(None)
    chance = random.Random(seed)
    with tempfile.TemporaryDirectory() as folder:
        started = time.monotonic()
        assert train(Path(folder)) == expected, "a checkpoint changes the training"
        (Path(folder) / "training.graphdl").unlink()
        killer = Killer(Path(folder), time.monotonic() - started, chance)
        runs = 0
        while killer.kills < times:
            assert killer.until_done() == expected, "a training that was killed ended in other numbers"
            runs += 1
        return killer.kills, killer.moved, runs


if __name__ == "__main__":
    wanted = [int(word) for word in sys.argv[1:]]
    kills, moved, runs = kill(*(wanted or [200]))
    print(
        f"killed {kills} times in {runs} trainings, {moved} times with a newer checkpoint than before: "
        "no damaged file, no step back, and every training ended in the same bits"
    )
