"""A moment of a training run: the weights after some steps, and the batch that the next step takes."""

from __future__ import annotations

import math
from collections.abc import Mapping
from contextlib import suppress
from typing import Any

from graphdl.compile.kernels.random import permutation
from graphdl.keras.callbacks import Callback
from graphdl.keras.fitting import read_examples
from graphdl.keras.models import Model
from graphdl_cli.data import Data, find_data
from graphdl_cli.failures import UserError
from graphdl_cli.loading import Loaded, kind_of


def train_for(loaded: Loaded, steps: int) -> Mapping[Any, Any]:
    """Train the file's model on its data for so many steps, as `graphdl train` does; returns the next step's batch."""
    model, data = _trainable(loaded)
    size = loaded.positive("batch_size", 32)
    examples, n = read_examples(model, data.x, data.y)
    an_epoch = math.ceil(n / size)
    if steps:
        epochs = math.ceil(steps / an_epoch)
        with suppress(_ReachedError):
            model.fit(data.x, data.y, batch_size=size, epochs=epochs, verbose=0, callbacks=[_Until(steps)])
    epoch, first = divmod(steps, an_epoch)
    chosen = permutation((model.session.seed, epoch), n)[first * size : (first + 1) * size]
    return {node: array[chosen] for node, array in examples.items()}


def _trainable(loaded: Loaded) -> tuple[Model, Data]:
    model = loaded.value
    if not isinstance(model, Model):
        raise UserError(f"--at-step trains a model, and {loaded.path}:{loaded.name} is {kind_of(model)}")
    if not model.is_compiled:
        raise UserError(f"--at-step trains; {model.name} is not compiled: call model.compile(optimizer=..., loss=...)")
    return model, find_data(loaded, None, None)


class _ReachedError(Exception):
    """Training has come as far as it should."""


class _Until(Callback):
    """Stops training after so many steps."""

    def __init__(self, steps: int) -> None:
        self.left = steps

    def on_train_batch_end(self, batch: int, logs: Any = None) -> None:
        """One step less to go."""
        self.left -= 1
        if not self.left:
            raise _ReachedError
