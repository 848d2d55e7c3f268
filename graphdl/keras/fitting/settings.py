"""How `fit` was asked to train."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from graphdl.keras.checks import integer

BATCH_SIZE = 32


@dataclass(frozen=True)
class Settings:
    """How `fit` was asked to train."""

    batch_size: int
    epochs: int
    shuffle: bool
    initial_epoch: int
    # Whether nobody said a batch size.
    is_usual_size: bool = False
    class_weight: Mapping[int, float] | None = None

    @classmethod
    def checked(
        cls,
        batch_size: int | None,
        epochs: int,
        shuffle: bool,
        initial_epoch: int,
        class_weight: Mapping[int, float] | None = None,
    ) -> Settings:
        """The settings, with Keras' 32 for a batch size of None."""
        size = size_or_usual(batch_size)
        first = integer("initial_epoch", initial_epoch, 0)
        return cls(size, integer("epochs", epochs), bool(shuffle), first, batch_size is None, class_weight)


def size_or_usual(batch_size: int | None) -> int:
    """The batch size, 32 where none is given."""
    return integer("batch_size", BATCH_SIZE if batch_size is None else batch_size)
