"""Training: epochs, and the steps in them."""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

import numpy as np

from graphdl.errors import DataError, GraphError
from graphdl.ir.node import Node
from graphdl.keras.callbacks.base import Callback, CallbackList
from graphdl.keras.callbacks.history import History
from graphdl.keras.callbacks.logs import ProgbarLogger
from graphdl.keras.callbacks.progress import Progress
from graphdl.keras.fitting.batches import Arrays, Batches
from graphdl.keras.fitting.given import Given, HeldOut
from graphdl.keras.fitting.scoring import scored, source_of
from graphdl.keras.fitting.settings import Settings
from graphdl.keras.fitting.start import Start
from graphdl.keras.fitting.steps import Means, bound_step, forget, sizes_of
from graphdl.keras.training import Training
from graphdl.runtime.compiled import Compiled
from graphdl.runtime.interrupt import Interrupt

if TYPE_CHECKING:
    from graphdl.keras.models.model import Model

Array = np.ndarray[Any, Any]
Examples = dict[Node, Array]


class Fit:
    """One call of `fit`: the examples, what watches, and how far it has come (`epoch` and `step`, from 0)."""

    def __init__(self, model: Model, settings: Settings, given: Given, held: HeldOut) -> None:
        self.model = model
        self.settings = settings
        self.plan, self.source = source_of(model, given, settings.batch_size, settings.shuffle)
        self.held = held
        # What is scored after an epoch, by which training.
        self.scoring: tuple[Training, Batches] | None = None
        size = held.batch_size or settings.batch_size
        if held.given is not None:
            self.scoring = _validation(model, held, size)
        elif held.share:
            self.source, kept = _split(self.source, held.share, size, held.steps)
            # Weights of classes are for training; those of examples hold here, too.
            self.scoring = (self.plan if given.class_weight is None else model.training), kept
        self.epoch = self.step = 0

    @property
    def examples(self) -> Examples:
        """The arrays that are trained on; those of the first batch where batches come one at a time."""
        return dict(self.source.examples)

    @property
    def n(self) -> int:
        """How many examples there are in them."""
        return self.source.n

    @property
    def held_out(self) -> tuple[Examples, int] | None:
        """The arrays that are scored, and the number of examples."""
        if self.scoring is None or not isinstance(self.scoring[1], Arrays):
            return None
        return dict(self.scoring[1].examples), self.scoring[1].n

    def run(self, verbose: Any, callbacks: Iterable[Any] | None) -> History:
        """Train; everything has been checked before the first step."""
        settings, model = self.settings, self.model
        self.progress = Progress(verbose, self.source.steps, settings.epochs)
        self._say_size()
        history = model.history = History()
        given = [callbacks] if isinstance(callbacks, Callback) else list(callbacks or ())
        self.watching = self._watched_by([*given, history, ProgbarLogger()])
        model.stop_training = False
        self.start = Start(settings.initial_epoch)
        try:
            self.watching.tell("on_train_begin", {})
            self.watching.tell("resume", self)
            logs = self._epochs()
            model.optimizer.finalize_variable_values(model.session, self.plan.variables)
            self.watching.tell("on_train_end", logs)
        finally:
            self.watching.tell("let_go")
        return history

    def _watched_by(self, callbacks: list[Any]) -> CallbackList:
        """The callbacks, told what is trained and on what."""
        found = CallbackList(
            callbacks,
            self.model,
            self.progress,
            epochs=self.settings.epochs,
            steps=self.source.steps,
            verbose=self.progress.verbose,
            initial_epoch=self.settings.initial_epoch,
        )
        for callback in found:
            if type(callback).set_examples is not Callback.set_examples:
                callback.set_examples(self.examples)
        return found

    def _say_size(self) -> None:
        """Which batch size is used, where nobody has said one."""
        if self.progress.verbose and self.settings.is_usual_size and isinstance(self.source, Arrays):
            n, steps = self.source.n, self.source.steps
            size = f"batch_size is {self.settings.batch_size}, as none is given"
            self.progress.note(f"{size}: {n} examples are {steps} step{'' if steps == 1 else 's'} an epoch")

    def _epochs(self) -> dict[str, float]:
        """All epochs; returns the numbers of the last one."""
        program, logs = self.plan.train, self.start.logs
        try:
            with program.stepping() as interrupt:
                self.start.catch_up(self.source, program, self.settings)
                for epoch in range(self.start.epoch, self.settings.epochs):
                    self.epoch, self.step = epoch, 0
                    self.watching.tell("on_epoch_begin", epoch, {})
                    if self.start.is_within(epoch):
                        self.step = self.start.step
                        self.start.restore()
                    logs = self._pass(program, interrupt)
                    self._check_any(epoch)
                    self._finish(logs, interrupt)
                    if self.model.stop_training or self.source.is_exhausted:
                        break
        except KeyboardInterrupt:
            self.watching.tell("on_interrupt")
            where = f"epoch {self.epoch + 1} step {self.step}"
            self.progress.note(f"interrupted after {where}; the weights so far are kept")
            raise
        return logs

    def _check_any(self, epoch: int) -> None:
        if not self.step:
            raise DataError(f"x gives no batches in epoch {epoch + 1}")
        self.progress.steps = self.progress.steps or self.step

    def _finish(self, logs: dict[str, float], interrupt: Interrupt) -> None:
        """Score what was held out, and tell everybody."""
        if self.scoring is not None and self.held.is_due(self.epoch):
            plan, source = self.scoring
            scores = scored(plan, source, interrupt, self.watching)
            logs |= {f"val_{name}": value for name, value in scores.items()}
        self.watching.tell("on_epoch_end", self.epoch, logs)

    def _means(self, program: Compiled) -> Means:
        """What loss and metrics have added up to: nothing, or what an earlier run of the epoch came to."""
        means = Means(self.plan.scores)
        if self.step:
            means.go_on(*self.start.sums)
        else:
            forget(program, self.plan.scores.totals)
        return means

    def _pass(self, program: Compiled, interrupt: Interrupt) -> dict[str, float]:
        """One pass over the examples; returns loss and metrics, averaged over them."""
        session, optimizer = program.session, self.model.optimizer
        state, seed = session.state, session.seed
        begin, end = self.watching.hooks("on_train_batch_begin"), self.watching.hooks("on_train_batch_end")
        optimizer.set_rate(session)
        means = self.means = self._means(program)
        shows, step, bound = self.progress.in_place, None, 0
        for feeds, count in itertools.islice(self.source.epoch(program, self.epoch), self.step, None):
            interrupt.check()
            for hook in begin:
                hook(self.step, {})
            if begin or end:
                optimizer.set_rate(session)
            # Other sizes than that of the batch are the same for all examples in memory, not for those in a stream.
            if step is None or count != bound or not self.source.is_even:
                step, bound = bound_step(program, sizes_of(program, feeds)), count
            values = step((seed, state.step), *feeds)
            state.step += 1
            self.step += 1
            means.add(values, count)
            for hook in end:
                hook(self.step - 1, means.logs())
            if shows:
                self.progress.step(self.step, means.logs)
            if self.model.stop_training:
                break
        return means.logs()


def _validation(model: Model, held: HeldOut, size: int) -> tuple[Training, Batches]:
    given = Given.of(held.given, "validation_data", held.steps)
    try:
        return source_of(model, given, size, shuffle=False)
    except DataError as error:
        raise DataError(f"validation_data: {error}") from None


def _split(source: Batches, share: float, size: int, steps: int | None) -> tuple[Arrays, Arrays]:
    """The first examples to train on, and the last `share` of them to score."""
    if isinstance(share, bool) or not 0 < share < 1:
        raise GraphError(f"validation_split is {share!r}, expected a number between 0 and 1")
    if not isinstance(source, Arrays):
        raise DataError("validation_split takes examples as arrays; with batches, give validation_data")
    n = source.n
    first = math.floor(n * (1 - share))
    if first == 0 or first == n:
        raise DataError(f"validation_split={share} of {n} examples leaves {first} to train on and {n - first} to score")
    head = {node: array[:first] for node, array in source.examples.items()}
    tail = {node: array[first:] for node, array in source.examples.items()}
    trained = Arrays(head, first, source.size, source.shuffle, source.limit)
    return trained, Arrays(tail, n - first, size, False, steps)
