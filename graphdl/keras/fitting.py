"""The loops: over epochs and batches, over batches to score, over batches to predict."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np

from graphdl.compile.kernels import permutation
from graphdl.errors import DataError, GraphError
from graphdl.ir.node import Node
from graphdl.keras import data
from graphdl.keras.callbacks import Callback, History
from graphdl.keras.progress import Progress
from graphdl.runtime.autopsy import guarded_step
from graphdl.runtime.compiled import Compiled
from graphdl.runtime.interrupt import Interrupt

if TYPE_CHECKING:
    from graphdl.keras.models import Model

Array = np.ndarray[Any, Any]
Examples = dict[Node, Array]

BATCH_SIZE = 32


@dataclass(frozen=True)
class Settings:
    """How `fit` was asked to train."""

    batch_size: int
    epochs: int
    shuffle: bool
    initial_epoch: int

    @classmethod
    def checked(cls, batch_size: int | None, epochs: int, shuffle: bool, initial_epoch: int) -> Settings:
        """The settings, with Keras' 32 for a batch size of None."""
        size = at_least("batch_size", BATCH_SIZE if batch_size is None else batch_size, 1)
        first = at_least("initial_epoch", initial_epoch, 0)
        return cls(size, at_least("epochs", epochs, 1), bool(shuffle), first)


class Fit:
    """One call of `fit`: the examples, what watches, and how far it has come (`epoch` and `step`, from 0)."""

    def __init__(self, model: Model, settings: Settings, x: Any, y: Any, held_out: tuple[float, Any]) -> None:
        self.model = model
        self.plan = model.training
        self.settings = settings
        self.examples, self.n = read_examples(model, x, y)
        self.held_out: tuple[Examples, int] | None = None
        share, given = held_out
        if given is not None:
            self.held_out = _validation(model, given)
        elif share:
            self.examples, self.held_out, self.n = _split(self.examples, self.n, share)
        self.epoch = self.step = 0

    def run(self, verbose: Any, callbacks: Sequence[Callback]) -> History:
        """Train; everything has been checked before the first step."""
        settings, steps = self.settings, math.ceil(self.n / self.settings.batch_size)
        self.progress = Progress(verbose, steps, settings.epochs)
        history = History()
        self.watching = (*callbacks, history)
        # What overrides nothing costs nothing: most callbacks leave the steps alone.
        self.watching_steps = [c for c in self.watching if _watches_steps(c)]
        params = {"epochs": settings.epochs, "steps": steps, "verbose": self.progress.verbose}
        params["initial_epoch"] = settings.initial_epoch
        for callback in self.watching:
            callback.set_model(self.model)
            callback.set_params(params)
            callback.set_examples(self.examples)
            callback.on_train_begin()
        self._epochs()
        for callback in self.watching:
            callback.on_train_end()
        return history

    def _epochs(self) -> None:
        program = self.plan.train
        try:
            with program.stepping() as interrupt:
                feeds = _feeds(program, self.examples)
                for epoch in range(self.settings.initial_epoch, self.settings.epochs):
                    self.epoch, self.step = epoch, 0
                    self.progress.begin(epoch)
                    for callback in self.watching:
                        callback.on_epoch_begin(epoch)
                    self._finish(self._pass(program, feeds, interrupt), interrupt)
        except KeyboardInterrupt:
            where = f"epoch {self.epoch + 1} step {self.step}"
            self.progress.note(f"interrupted after {where}; the weights so far are kept")
            raise

    def _finish(self, logs: dict[str, float], interrupt: Interrupt) -> None:
        """Score what was held out, and tell everybody."""
        if self.held_out is not None:
            size = self.settings.batch_size
            scores = _scores(self.plan.evaluate, self.plan.names, self.held_out, size, interrupt)
            logs |= {f"val_{name}": value for name, value in scores.items()}
        self.progress.end(logs)
        for callback in self.watching:
            callback.on_epoch_end(self.epoch, logs)

    def _pass(self, program: Compiled, feeds: list[Array], interrupt: Interrupt) -> dict[str, float]:
        """One pass over the examples; returns loss and metrics, averaged over them."""
        session = program.session
        state, seed, size, n = session.state, session.seed, self.settings.batch_size, self.n
        self.model.optimizer.set_rate(session)
        order = permutation((seed, self.epoch), n) if self.settings.shuffle else None
        totals = [0.0] * len(self.plan.names)
        step = bound_step(program, min(size, n))
        shows = self.progress.in_place
        for start in range(0, n, size):
            interrupt.check()
            count = min(size, n - start)
            if count < size < n:
                step = bound_step(program, count)
            chosen = slice(start, start + count) if order is None else order[start : start + count]
            values = step((seed, state.step), *[array[chosen] for array in feeds])
            state.step += 1
            self.step += 1
            for i, value in enumerate(values):
                totals[i] += float(value) * count
            for callback in self.watching_steps:
                callback.on_train_batch_end(self.step - 1, self._means(totals))
            if shows:
                self.progress.step(self.step, partial(self._means, totals))
        return self._means(totals)

    def _means(self, totals: list[float]) -> dict[str, float]:
        seen = min(self.step * self.settings.batch_size, self.n)
        return {name: total / seen for name, total in zip(self.plan.names, totals, strict=True)}


def _watches_steps(callback: Callback) -> bool:
    return type(callback).on_train_batch_end is not Callback.on_train_batch_end


def bound_step(program: Compiled, size: int) -> Callable[..., Any]:
    """The step for batches of `size`; under a NaN guard, one that names the first bad node."""
    if program.session.nan_guard:
        state = program.session.state

        def guarded(key: tuple[int, int], *arrays: Array) -> Any:
            values = guarded_step(program, list(arrays), {"N": size})
            state.step = key[1]  # the loop counts
            return values

        return guarded
    return program.bind({"N": size})


def read_examples(model: Model, x: Any, y: Any) -> tuple[Examples, int]:
    """Checked arrays for the inputs and targets of a compiled model, and the number of examples."""
    plan = model.training
    arrays_x = data.inputs(model.inputs, model.input_names, x)
    if y is None:
        raise DataError("y is missing: training and scoring need a target for each example")
    arrays_y = data.targets(plan.heads, y, model.output_names)
    names = data.labels("x", model.input_names) + data.labels("y", [head.name for head in plan.heads])
    examples = {**arrays_x, **arrays_y}
    return examples, data.count(dict(zip(names, examples.values(), strict=True)))


def evaluate(model: Model, x: Any, y: Any, batch_size: int | None, verbose: Any) -> dict[str, float]:
    """Loss and metrics over the examples, by name."""
    plan = model.training
    size = at_least("batch_size", BATCH_SIZE if batch_size is None else batch_size, 1)
    examples, n = read_examples(model, x, y)
    progress = Progress(verbose, math.ceil(n / size))
    program = plan.evaluate
    with program.stepping() as interrupt:
        scores = _scores(program, plan.names, (examples, n), size, interrupt, progress)
    progress.end(scores)
    return scores


def predict(model: Model, x: Any, batch_size: int | None, verbose: Any) -> list[Array]:
    """The outputs for all examples."""
    size = at_least("batch_size", BATCH_SIZE if batch_size is None else batch_size, 1)
    examples = data.inputs(model.inputs, model.input_names, x)
    n = data.count(dict(zip(data.labels("x", model.input_names), examples.values(), strict=True)))
    program = model.prediction
    progress = Progress(verbose, math.ceil(n / size))
    parts = []
    with program.stepping() as interrupt:
        for values, _ in _batches(program, examples, n, size, interrupt, progress):
            parts.append([program.session.target.to_host(value) for value in values])
    progress.end({})
    whole = (np.concatenate(part) for part in zip(*parts, strict=True))
    found = dict(zip(dict.fromkeys(model.outputs), whole, strict=True))
    return [found[node] for node in model.outputs]


def train_on_batch(model: Model, x: Any, y: Any) -> dict[str, float]:
    """One step on all examples together; returns loss and metrics from before it."""
    examples, n = read_examples(model, x, y)
    program = model.training.train
    model.optimizer.set_rate(program.session)
    values = program.step([examples[node] for node in program.placeholders], {"N": n})
    return {name: float(value) for name, value in zip(model.training.names, values, strict=True)}


def _scores(
    program: Compiled,
    names: Sequence[str],
    scored: tuple[Examples, int],
    size: int,
    interrupt: Interrupt,
    progress: Progress | None = None,
) -> dict[str, float]:
    """Means over the examples of what `program` gives for each batch."""
    examples, n = scored
    totals = [0.0] * len(names)
    for values, count in _batches(program, examples, n, size, interrupt, progress):
        for i, value in enumerate(values):
            totals[i] += float(value) * count
    return {name: total / n for name, total in zip(names, totals, strict=True)}


def _batches(
    program: Compiled, examples: Examples, n: int, size: int, interrupt: Interrupt, progress: Progress | None
) -> Iterator[tuple[Any, int]]:
    """What `program` gives for each batch, and the number of examples in it."""
    session = program.session
    feeds = _feeds(program, examples)
    for start in range(0, n, size):
        interrupt.check()
        stop = min(start + size, n)
        step = bound_step(program, stop - start)
        yield step((session.seed, session.state.step), *[array[start:stop] for array in feeds]), stop - start
        if progress is not None and progress.in_place:
            progress.step(start // size + 1, dict)


def _feeds(program: Compiled, examples: Examples) -> list[Array]:
    """The examples in the order the program takes them, where it runs."""
    return [program.session.target.to_device(examples[node]) for node in program.placeholders]


def _validation(model: Model, given: Any) -> tuple[Examples, int]:
    if not isinstance(given, list | tuple) or len(given) != 2:
        raise DataError(f"validation_data is a {type(given).__name__}, expected a pair (x, y)")
    try:
        return read_examples(model, *given)
    except DataError as error:
        raise DataError(f"validation_data: {error}") from None


def _split(examples: Examples, n: int, share: float) -> tuple[Examples, tuple[Examples, int], int]:
    """The first examples to train on, and the last `share` of them to score."""
    if isinstance(share, bool) or not 0 < share < 1:
        raise GraphError(f"validation_split is {share!r}, expected a number between 0 and 1")
    first = math.floor(n * (1 - share))
    if first == 0 or first == n:
        raise DataError(f"validation_split={share} of {n} examples leaves {first} to train on and {n - first} to score")
    return (
        {node: array[:first] for node, array in examples.items()},
        ({node: array[first:] for node, array in examples.items()}, n - first),
        first,
    )


def at_least(name: str, value: Any, least: int) -> int:
    """`value` as an integer; GraphError when it is none, or too small."""
    if isinstance(value, bool) or not isinstance(value, int | np.integer) or value < least:
        raise GraphError(f"{name} is {value!r:.40}, expected an integer from {least}")
    return int(value)
