"""Recording a training run: snapshots of gradients, weights, activations and predictions as `fit` goes on."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np

from graphdl.draw.training import Figure, Recording
from graphdl.errors import GraphError
from graphdl.ir.node import Node
from graphdl.keras.callbacks import Callback
from graphdl.keras.checks import integer
from graphdl.keras.recording.film import Film

Array = np.ndarray[Any, Any]

# Where the number of steps is not known: each snapshot so much later than the one before it.
_GROWTH = 1.05


def snapshot_steps(total: int, most: int = 60) -> tuple[int, ...]:
    """At most `most` steps from 0 to `total`, both among them, each about as many times the one before it.

    >>> snapshot_steps(1000, 9)
    (0, 1, 3, 8, 21, 55, 145, 381, 1000)
    """
    if total < most:
        return tuple(range(total + 1))
    steps = [0, 1 if most > 2 else total]
    for left in range(most - 2, 0, -1):
        last = steps[-1]
        steps.append(max(last + 1, round(last * (total / last) ** (1 / left))))
    return tuple(steps)


class Recorder(Callback):
    """A callback that records training; afterwards `recording` is what it saw. Training is the same to the bit.

    steps     after which steps to take a snapshot, counted over all epochs, 0 for before the first; the first and the
              last are always taken. By default they are spaced by `snapshot_steps`, or, where nobody knows how many
              steps there will be, taken often and thinned out
    epochs    after which epochs, counted from 1, instead of `steps`
    most      snapshots where neither is given
    examples  how many of the training examples everything is measured on; they lie evenly among them
    title     what pictures call the run; the model's name by default

    A training that is resumed by `BackupAndRestore` goes on with its recording.

    >>> recorder = Recorder()                                              # doctest: +SKIP
    >>> model.fit(x, y, callbacks=[recorder])                              # doctest: +SKIP
    >>> recorder.figure("gradients")                                       # doctest: +SKIP
    """

    watches_only = True

    def __init__(
        self,
        steps: Iterable[int] | None = None,
        *,
        epochs: Iterable[int] | None = None,
        most: int = 60,
        examples: int = 500,
        title: str | None = None,
    ) -> None:
        if steps is not None and epochs is not None:
            raise GraphError("Recorder takes steps or epochs, found both")
        self.steps = None if steps is None else _moments("steps", steps)
        self.epochs = None if epochs is None else _moments("epochs", epochs)
        self.most = integer("most", most, 2)
        self.count = integer("examples", examples)
        self.title = title
        self._recording: Recording | None = None
        self._film: Film | None = None
        # Whether an epoch has: before that, a training may yet be refused.
        self.has_begun = False

    @property
    def recording(self) -> Recording:
        """What has been recorded, up to now while training goes on."""
        if self._film is not None:
            self._recording = self._film.recording()
        if self._recording is None:
            raise GraphError("nothing is recorded yet; call model.fit(..., callbacks=[recorder]) first")
        return self._recording

    def figure(self, kind: str = "loss", *others: Recording, **options: Any) -> Figure:
        """A picture of the recording, as `Recording.figure` makes it."""
        return self.recording.figure(kind, *others, **options)

    def set_examples(self, examples: Mapping[Node, Array]) -> None:
        """Keep the fixed examples."""
        n = len(next(iter(examples.values())))
        # An input of a fixed batch size takes as many, no more and no fewer.
        sizes = [node.shape[0] for node in examples if isinstance(node.shape[0], int)]
        chosen = np.linspace(0, n - 1, min([n, self.count, *sizes])).round().astype(int)
        self.examples = {node: array[chosen] for node, array in examples.items()}

    def on_train_begin(self, logs: Any = None) -> None:
        """Take the first snapshot."""
        per_epoch, first = self.params["steps"], self.params.get("initial_epoch", 0)
        self._film = Film(self.model, self.examples, per_epoch, first, self.title)
        self._wanted = self._chosen(per_epoch, first)
        self._step = self._before = 0
        self._film.take(0)

    def on_epoch_begin(self, epoch: int, logs: Any = None) -> None:
        """Know how many steps were done before, in an interrupted run too."""
        assert self._film is not None
        self.has_begun = True
        self._before = self._step or (epoch - self._film.first_epoch) * (self._film.per_epoch or 0)

    def on_train_batch_end(self, batch: int, logs: Any = None) -> None:
        """Take a snapshot, where this step was chosen."""
        self._step = self._before + batch + 1
        if self._is_wanted(self._step):
            self._take()

    def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
        """Keep the numbers of the epoch, and take a snapshot, where this epoch was chosen."""
        assert self._film is not None
        self._film.end_epoch(self._step, logs or {})
        if self.epochs is not None and epoch + 1 in self.epochs:
            self._take()

    def on_train_end(self, logs: Any = None) -> None:
        """Take the last snapshot."""
        assert self._film is not None
        self._take()
        self.has_begun = True
        self._recording, self._film = self._film.recording(), None

    def remembered(self) -> dict[str, Any]:
        """What has been recorded, and how far."""
        film = None if self._film is None else self._film.remembered()
        return {"_step": self._step, "_before": self._before, "film": film}

    def recall(self, found: Mapping[str, Any]) -> None:
        """Go on with an earlier recording."""
        assert self._film is not None
        self._step, self._before = found["_step"], found["_before"]
        if found["film"] is not None:
            self._film.recall(found["film"])

    def _take(self) -> None:
        """A snapshot, if there is none of this step yet."""
        assert self._film is not None
        if self._film.snapshots[-1].step == self._step:
            return
        self._film.take(self._step)
        if self._wanted is None and len(self._film.snapshots) > self.most:
            self._film.drop(_nearest([snapshot.step for snapshot in self._film.snapshots]))

    def _is_wanted(self, step: int) -> bool:
        if self._wanted is not None:
            return step in self._wanted
        assert self._film is not None
        last = self._film.snapshots[-1].step
        return step >= max(last + 1, round(last * _GROWTH))

    def _chosen(self, per_epoch: int | None, first: int) -> frozenset[int] | None:
        """The steps to take a snapshot after, as far as they are known before training; None where they are not."""
        if self.epochs is not None:
            return frozenset()
        if self.steps is not None:
            return self.steps
        if per_epoch is None:
            return None
        return frozenset(snapshot_steps((self.params["epochs"] - first) * per_epoch, self.most))


def _nearest(steps: Sequence[int]) -> int:
    """The place between the ends whose neighbours' ratio is least, so that there it is missed least.

    >>> _nearest([0, 1, 10, 11, 12, 100])
    3
    """
    return min(range(1, len(steps) - 1), key=lambda place: (steps[place + 1] + 1) / (steps[place - 1] + 1))


def _moments(name: str, given: Iterable[int]) -> frozenset[int]:
    return frozenset(integer(name, moment, 0) for moment in given)
