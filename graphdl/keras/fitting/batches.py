"""Where batches come from: examples in memory, cut and shuffled; or a stream that gives them one at a time."""

from __future__ import annotations

import math
import warnings
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from graphdl.compile.kernels.random import permutation
from graphdl.errors import DataError
from graphdl.ir.node import Node
from graphdl.keras.fitting.given import Given, read, read_inputs
from graphdl.keras.fitting.steps import feeds_of
from graphdl.keras.training import Training
from graphdl.runtime.compiled import Compiled

if TYPE_CHECKING:
    from graphdl.keras.models.model import Model

Array = np.ndarray[Any, Any]
Batch = tuple[list[Any], int]


class Arrays:
    """Examples in memory. With `steps`, an epoch is so many batches, and the next one goes on from there."""

    # Whether batches of one length are alike in all sizes.
    is_even = True

    def __init__(self, examples: Mapping[Node, Array], n: int, size: int, shuffle: bool, steps: int | None) -> None:
        self.examples, self.n, self.size, self.shuffle = examples, n, size, shuffle
        self.of_pass = math.ceil(n / size)
        self.limit = steps
        self.steps = steps or self.of_pass
        self.is_exhausted = False
        self._pass: Iterator[Any] | None = None
        self._left = 0

    def restart(self) -> None:
        """Let the next epoch begin with the first batch."""
        self._pass = None

    def epoch(self, program: Compiled, epoch: int) -> Iterator[Batch]:
        """The batches of an epoch: feeds in the order of the program, and the number of examples in them."""
        feeds = feeds_of(program, self.examples)
        if self.limit is None:
            yield from ((_taken(feeds, chosen), count) for chosen, count in self._chosen(program, epoch))
            return
        if self._pass is None or not self._left:
            self._pass, self._left = self._chosen(program, epoch), self.of_pass
        for _ in range(self.limit):
            if not self._left:
                _warn_of_end(self.limit, self.of_pass)
                return
            self._left -= 1
            chosen, count = next(self._pass)
            yield _taken(feeds, chosen), count

    def _chosen(self, program: Compiled, epoch: int) -> Iterator[tuple[Any, int]]:
        order = permutation((program.session.seed, epoch), self.n) if self.shuffle else None
        for start in range(0, self.n, self.size):
            stop = min(start + self.size, self.n)
            yield slice(start, stop) if order is None else order[start:stop], stop - start


class Stream:
    """Batches from outside, read and checked as they come."""

    is_even = False

    def __init__(self, model: Model, given: Given, plan: Training | None, shuffle: bool) -> None:
        self.model, self.given, self.plan = model, given, plan
        self.shuffle = shuffle
        self.limit = given.steps
        self.steps = given.steps or given.length
        self.is_exhausted = False
        self._batches: Iterator[Given] | None = None

    @property
    def n(self) -> int:
        """How many examples the first batch has."""
        return self._read(self.given.first())[1]

    @property
    def examples(self) -> Mapping[Node, Array]:
        """Those of the first batch."""
        return self._read(self.given.first())[0]

    def epoch(self, program: Compiled, epoch: int) -> Iterator[Batch]:
        """The batches of an epoch: feeds in the order of the program, and the number of examples in them."""
        if self._batches is None or self.limit is None:
            self._tell("on_epoch_begin")
            self._batches = self.given.epoch(self._order(program, epoch))
        count = 0
        while self.limit is None or count < self.limit:
            batch = next(self._batches, None)
            if batch is None:
                self._ended(count)
                break
            count += 1
            examples, n = self._read(batch)
            yield feeds_of(program, examples), n
        if self.limit is None:
            self._tell("on_epoch_end")

    def restart(self) -> None:
        """Let the next epoch begin with the first batch; a generator goes on from where it is."""
        self._batches = None

    def _order(self, program: Compiled, epoch: int) -> Any:
        """The order of the batches of something with a length and ``__getitem__``."""
        if not (hasattr(self.given.x, "__getitem__") and self.given.length):
            return None
        n = self.given.length
        return permutation((program.session.seed, epoch), n) if self.shuffle else range(n)

    def _ended(self, count: int) -> None:
        """What gives no more is asked no more; what can begin anew does so in the next epoch."""
        self.is_exhausted = hasattr(self.given.x, "__next__")
        self._batches = None
        if self.limit is not None and count < self.limit:
            _warn_of_end(self.limit, count)

    def _read(self, batch: Given) -> tuple[Mapping[Node, Array], int]:
        if self.plan is None:
            return read_inputs(self.model, batch.x)
        plan, examples, n = read(self.model, batch)
        if plan is not self.plan:
            raise DataError("some batches have sample weights and some have none; give them with all, or with none")
        return examples, n

    def _tell(self, hook: str) -> None:
        if hasattr(self.given.x, hook):
            getattr(self.given.x, hook)()


Batches = Arrays | Stream


def _taken(feeds: list[Any], chosen: Any) -> list[Any]:
    return [array[chosen] for array in feeds]


def _warn_of_end(wanted: int, found: int) -> None:
    warnings.warn(
        f"the data end after {found} of {wanted} steps; training goes on without the rest. Give fewer steps_per_epoch, "
        "or a generator that begins anew by itself",
        UserWarning,
        stacklevel=2,
    )
