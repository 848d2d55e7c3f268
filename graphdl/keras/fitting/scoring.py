"""Scoring and predicting, batch by batch."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from graphdl.keras.callbacks.base import Callback, CallbackList
from graphdl.keras.callbacks.progress import Progress
from graphdl.keras.fitting.batches import Arrays, Batches, Stream
from graphdl.keras.fitting.given import Given, read, read_inputs
from graphdl.keras.fitting.settings import size_or_usual
from graphdl.keras.fitting.steps import Means, bound_step, feeds_of, forget, sizes_of
from graphdl.keras.training import Training
from graphdl.runtime.compiled import Compiled
from graphdl.runtime.interrupt import Interrupt

if TYPE_CHECKING:
    from graphdl.keras.models.model import Model

Array = np.ndarray[Any, Any]


def source_of(model: Model, given: Given, size: int, shuffle: bool) -> tuple[Training, Batches]:
    """The training that takes what is given, and its batches."""
    if given.is_stream:
        plan, _, _ = read(model, given.first())
        return plan, Stream(model, given, plan, shuffle)
    plan, examples, n = read(model, given)
    return plan, Arrays(examples, n, size, shuffle, given.steps)


def evaluate(
    model: Model, given: Given, batch_size: int | None, verbose: Any, callbacks: Iterable[Any] | None
) -> dict[str, float]:
    """Loss and metrics over the examples, by name."""
    plan, source = source_of(model, given, size_or_usual(batch_size), shuffle=False)
    progress = Progress(verbose, source.steps)
    watching = _watching(model, callbacks, progress, source)
    program = plan.evaluate
    with program.stepping() as interrupt:
        scores = scored(plan, source, interrupt, watching, progress)
    progress.end(scores)
    return scores


def scored(
    plan: Training, source: Batches, interrupt: Interrupt, watching: CallbackList, progress: Progress | None = None
) -> dict[str, float]:
    """Loss and metrics over all batches, by name."""
    program = plan.evaluate
    source.restart()
    forget(program, plan.evaluation.totals)
    means = Means(plan.evaluation)
    watching.tell("on_test_begin", {})
    begin, end = watching.hooks("on_test_batch_begin"), watching.hooks("on_test_batch_end")
    for batch, (values, count) in enumerate(_run(program, source, interrupt, begin)):
        means.add(values, count)
        for hook in end:
            hook(batch, means.logs())
        if progress is not None and progress.in_place:
            progress.step(batch + 1, means.logs)
    scores = means.logs()
    watching.tell("on_test_end", scores)
    return scores


def predict(
    model: Model, given: Given, batch_size: int | None, verbose: Any, callbacks: Iterable[Any] | None
) -> list[Array]:
    """The outputs for all examples."""
    size = size_or_usual(batch_size)
    if given.is_stream:
        source: Batches = Stream(model, given, None, shuffle=False)
    else:
        source = Arrays(*read_inputs(model, given.x), size, False, given.steps)
    progress = Progress(verbose, source.steps)
    watching = _watching(model, callbacks, progress, source)
    watching.tell("on_predict_begin", {})
    parts = _predicted(model, source, progress, watching)
    watching.tell("on_predict_end", {})
    progress.end({})
    return _by_output(model, [np.concatenate(part) for part in zip(*parts, strict=True)])


def _predicted(model: Model, source: Batches, progress: Progress, watching: CallbackList) -> list[list[Array]]:
    program, to_host = model.prediction, model.session.target.to_host
    begin, end = watching.hooks("on_predict_batch_begin"), watching.hooks("on_predict_batch_end")
    parts = []
    with program.stepping() as interrupt:
        for batch, (values, _) in enumerate(_run(program, source, interrupt, begin)):
            parts.append([np.array(to_host(value)) for value in values])
            for hook in end:
                hook(batch, {"outputs": _by_output(model, parts[-1])})
            if progress.in_place:
                progress.step(batch + 1, dict)
    return parts


def _by_output(model: Model, arrays: list[Array]) -> list[Array]:
    """An array for each output; one that is there twice was computed once."""
    found = dict(zip(dict.fromkeys(model.outputs), arrays, strict=True))
    return [found[node] for node in model.outputs]


def on_batch(model: Model, given: Given, train: bool) -> dict[str, float]:
    """Loss and metrics of all examples together; with `train`, after them one step."""
    plan, examples, _ = read(model, given)
    program = plan.train if train else plan.evaluate
    scores = plan.scores if train else plan.evaluation
    if train:
        model.optimizer.set_rate(program.session)
    forget(program, scores.totals)
    feeds = [examples[node] for node in program.placeholders]
    values = program.step(feeds, sizes_of(program, feeds))
    return {name: float(value) for name, value in zip(scores.names, values, strict=True)}


def values_of(model: Model, x: Any, training: bool) -> list[Array]:
    """The outputs for the examples, all at once; with `training`, as they are in training, masks and all."""
    examples, _ = read_inputs(model, x)
    outputs = model.training_graph().outputs if training else model.outputs
    program = model.start().compile(outputs, fed=model.inputs) if training else model.prediction
    feeds = [examples[node] for node in program.placeholders]
    found = dict(zip(dict.fromkeys(outputs), program.step(feeds, sizes_of(program, feeds)), strict=True))
    return [np.array(found[node]) for node in outputs]


def _run(
    program: Compiled, source: Batches, interrupt: Interrupt, begin: list[Callable[..., None]]
) -> Iterator[tuple[Any, int]]:
    """What `program` gives for each batch, and the number of examples in it. Where it draws, each draws anew."""
    state, seed = program.session.state, program.session.seed
    draws = bool(program.graph.noise)
    for batch, (feeds, count) in enumerate(source.epoch(program, 0)):
        interrupt.check()
        for hook in begin:
            hook(batch, {})
        step = bound_step(program, sizes_of(program, feeds))
        yield step((seed, state.step), *feeds), count
        state.step += draws


def _watching(model: Model, callbacks: Iterable[Any] | None, progress: Progress, source: Batches) -> CallbackList:
    if isinstance(callbacks, Callback):
        callbacks = [callbacks]
    params: Mapping[str, Any] = {"epochs": 1, "steps": source.steps, "verbose": progress.verbose}
    return CallbackList(callbacks or (), model, progress, **params)


__all__ = ["evaluate", "feeds_of", "on_batch", "predict", "scored", "source_of", "values_of"]
