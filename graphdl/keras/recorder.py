"""Recording a training run: snapshots of gradients, weights, activations and predictions as `fit` goes on."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np

from graphdl.draw.training import Figure, Recording
from graphdl.errors import GraphError
from graphdl.ir.node import Node
from graphdl.keras.callbacks import Callback
from graphdl.keras.film import Film
from graphdl.keras.fitting import at_least

Array = np.ndarray[Any, Any]


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
              last are always taken. By default they are spaced by `snapshot_steps`
    epochs    after which epochs, counted from 1, instead of `steps`
    most      snapshots where neither is given
    examples  how many of the training examples everything is measured on; they lie evenly among them
    title     what pictures call the run; the model's name by default

    >>> recorder = Recorder()                                              # doctest: +SKIP
    >>> model.fit(x, y, callbacks=[recorder])                              # doctest: +SKIP
    >>> recorder.figure("gradients")                                       # doctest: +SKIP
    """

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
        self.most = at_least("most", most, 2)
        self.count = at_least("examples", examples, 1)
        self.title = title
        self._recording: Recording | None = None
        self._film: Film | None = None

    @property
    def has_begun(self) -> bool:
        """Whether there is anything to look at."""
        return self._film is not None or self._recording is not None

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
        per_epoch = self.params["steps"]
        first = self.params.get("initial_epoch", 0)
        self._film = Film(self.model, self.examples, per_epoch, first, self.title)
        self._wanted = self._chosen(per_epoch, (self.params["epochs"] - first) * per_epoch, first)
        self._step = 0
        self._film.take(0)

    def on_train_batch_end(self, batch: int, logs: Any = None) -> None:
        """Take a snapshot, where this step was chosen."""
        assert self._film is not None
        self._step += 1
        if self._step in self._wanted:
            self._film.take(self._step)

    def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
        """Keep the numbers of the epoch."""
        assert self._film is not None
        self._film.end_epoch(self._step, logs or {})

    def on_train_end(self, logs: Any = None) -> None:
        """Take the last snapshot."""
        assert self._film is not None
        if self._film.snapshots[-1].step != self._step:
            self._film.take(self._step)
        self._recording, self._film = self._film.recording(), None

    def _chosen(self, per_epoch: int, total: int, first: int) -> frozenset[int]:
        if self.epochs is not None:
            return frozenset((epoch - first) * per_epoch for epoch in self.epochs)
        return frozenset(snapshot_steps(total, self.most) if self.steps is None else self.steps)


def _moments(name: str, given: Iterable[int]) -> frozenset[int]:
    return frozenset(at_least(name, moment, 0) for moment in given)
