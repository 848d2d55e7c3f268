"""Batches that a class of the user's makes, one at a time: for data that do not fit in memory."""

from __future__ import annotations

from typing import Any


class PyDataset:
    """Batches by number: subclasses write ``__len__``, how many there are, and ``__getitem__(i)``, the batch (x, y).

    `fit` goes through them in an order of its own in every epoch. `on_epoch_end` is called after each. The arguments
    say in Keras how batches are fetched ahead of time; here each is made when its turn has come.
    """

    def __init__(self, workers: int = 1, use_multiprocessing: bool = False, max_queue_size: int = 10) -> None:
        self.workers = workers
        self.use_multiprocessing = use_multiprocessing
        self.max_queue_size = max_queue_size

    def __getitem__(self, index: int) -> Any:
        raise NotImplementedError(f"{type(self).__name__} has no method __getitem__(self, index)")

    def __len__(self) -> int:
        raise NotImplementedError(f"{type(self).__name__} has no method __len__(self)")

    def on_epoch_begin(self) -> None:
        """Before the first batch of an epoch."""

    def on_epoch_end(self) -> None:
        """After the last batch of an epoch."""


Sequence = PyDataset
