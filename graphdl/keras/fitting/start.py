"""Where training begins: at an epoch, or within one where an earlier run was interrupted."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from graphdl.keras.fitting.batches import Arrays, Batches
from graphdl.keras.fitting.settings import Settings
from graphdl.runtime.compiled import Compiled


@dataclass(frozen=True)
class Start:
    """The first epoch, the steps of it that are done already, and what their loss and metrics have added up to.

    `restore` puts the model and the callbacks back to what they were after that step; `logs` are the numbers of the
    last whole epoch.
    """

    epoch: int
    step: int = 0
    sums: tuple[list[float], int] = ([], 0)
    logs: dict[str, float] = field(default_factory=dict)
    restore: Callable[[], None] = lambda: None

    def is_within(self, epoch: int) -> bool:
        """Whether the epoch has been begun by an earlier run."""
        return epoch == self.epoch and self.step > 0

    def catch_up(self, source: Batches, program: Compiled, settings: Settings) -> None:
        """Draw the batches of the epochs that are done, where the next ones depend on how many were drawn."""
        if isinstance(source, Arrays) and source.limit is None:
            return
        for epoch in range(settings.initial_epoch, self.epoch):
            for _ in source.epoch(program, epoch):
                pass
