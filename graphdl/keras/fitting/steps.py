"""One step of a program on arrays that have been checked, and the means of what it gives."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

import numpy as np

from graphdl.errors import DataError
from graphdl.ir.node import Node
from graphdl.ir.text import plain
from graphdl.keras.training import Scores, Training
from graphdl.runtime.autopsy import guarded_step
from graphdl.runtime.compiled import Compiled
from graphdl.runtime.feeds import settle

Array = np.ndarray[Any, Any]
Sizes = dict[str, int]


def bound_step(program: Compiled, sizes: int | Sizes) -> Callable[..., Any]:
    """The step for batches of these sizes; under a NaN guard, one that names the first bad node."""
    found = {"N": sizes} if isinstance(sizes, int) else sizes
    if program.session.nan_guard:
        state = program.session.state

        def guarded(key: tuple[int, int], *arrays: Array) -> Any:
            values = guarded_step(program, list(arrays), found)
            state.step = key[1]  # the loop counts
            return values

        return guarded
    return program.bind(found)


def sizes_of(program: Compiled, feeds: Sequence[Any]) -> Sizes:
    """The symbolic sizes that the arrays settle: N, and those of axes of any length.

    DataError where a batch is not as long as the model was built for, FeedError where sizes contradict each other.
    """
    sizes: Sizes = {}
    seen: dict[str, Node] = {}
    for node, array in zip(program.placeholders, feeds, strict=True):
        for dim, size in zip(node.shape, array.shape, strict=True):
            if isinstance(dim, int) and dim != size:
                raise DataError(
                    f"{plain(node.label)} is {node.type}, and a batch of {size} comes; the batch size is fixed: give "
                    f"batch_size={dim}, and examples whose number it divides"
                )
        settle(node, array.shape, sizes, seen)
    return sizes


def feeds_of(program: Compiled, examples: Mapping[Node, Array]) -> list[Any]:
    """The examples in the order the program takes them, where it runs."""
    return [program.session.target.to_device(examples[node]) for node in program.placeholders]


def forget_totals(plan: Training) -> None:
    """Set what the metrics of `plan` have added up, in training and in scoring, back to zero."""
    state = plan.model.session.state
    for variable in (*plan.scores.totals, *plan.evaluation.totals):
        if variable in state.names:
            state.arrays[state.names[variable]][...] = 0


def forget(program: Compiled, variables: Iterable[Node]) -> None:
    """Set what metrics have added up back to zero."""
    state = program.session.state
    for variable in variables:
        state.arrays[state.names[variable]][...] = 0


class Means:
    """Loss and metrics over the batches so far: means over their examples, or as the metric itself keeps them."""

    def __init__(self, scores: Scores) -> None:
        self.names = scores.names
        self._is_running = [name in scores.running for name in self.names]
        self._totals = [0.0] * len(self.names)
        self._seen = 0

    def add(self, values: Iterable[Any], count: int) -> None:
        """Take in what a batch of `count` examples gave."""
        self._seen += count
        totals = self._totals
        for i, value in enumerate(values):
            totals[i] = float(value) if self._is_running[i] else totals[i] + float(value) * count

    @property
    def sums(self) -> tuple[list[float], int]:
        """What has been added up, and over how many examples: `go_on` continues from there."""
        return list(self._totals), self._seen

    def go_on(self, totals: Sequence[float], seen: int) -> None:
        """Continue from what `sums` were at another time."""
        self._totals, self._seen = list(totals), seen

    def logs(self) -> dict[str, float]:
        """The numbers by name."""
        seen = max(self._seen, 1)
        return {
            name: total if running else total / seen
            for name, total, running in zip(self.names, self._totals, self._is_running, strict=True)
        }
