"""Scoring and predicting with the averages of the weights that an optimizer keeps (Polyak & Juditsky 1992)."""

from __future__ import annotations

from typing import Any

from graphdl.errors import GraphError
from graphdl.keras.callbacks.base import Callback


class SwapEMAWeights(Callback):
    """Puts the averages of an optimizer with ``use_ema=True`` in the weights' places while examples are scored.

    swap_on_epoch   at the end of each epoch too, until the next begins, for callbacks that stand behind this one,
                    such as ModelCheckpoint
    """

    fleeting = ("swap_on_epoch",)

    def __init__(self, swap_on_epoch: bool = False) -> None:
        self.swap_on_epoch = swap_on_epoch
        # The weights that training goes on with, while averages are in their places.
        self._own: list[Any] | None = None

    def set_model(self, model: Any) -> None:
        """Refuse an optimizer that keeps no averages."""
        super().set_model(model)
        if not model.optimizer.use_ema:
            raise GraphError(f"SwapEMAWeights: {model.optimizer.name} keeps no averages; compile it with use_ema=True")

    def on_train_begin(self, logs: Any = None) -> None:
        """Forget what was put aside in another run."""
        self._own = None

    def on_epoch_begin(self, epoch: int, logs: Any = None) -> None:
        """Go on training with the weights themselves."""
        self._put_back()

    def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
        """Show the averages to other callbacks, if asked to."""
        if self.swap_on_epoch:
            self._put_averages()

    def on_train_end(self, logs: Any = None) -> None:
        """The averages stay: `fit` ends with them."""
        self._own = None

    def on_test_begin(self, logs: Any = None) -> None:
        """Score with the averages."""
        self._put_averages()

    def on_test_end(self, logs: Any = None) -> None:
        """Put the weights back."""
        self._put_back()

    def on_predict_begin(self, logs: Any = None) -> None:
        """Predict with the averages."""
        self._put_averages()

    def on_predict_end(self, logs: Any = None) -> None:
        """Put the weights back."""
        self._put_back()

    def _put_averages(self) -> None:
        optimizer, session = self.model.optimizer, self.model.start()
        if self._own is None:
            self._own = [session.value(variable) for variable in optimizer.averages]
            optimizer.finalize_variable_values(session)

    def _put_back(self) -> None:
        if self._own is not None:
            for variable, value in zip(self.model.optimizer.averages, self._own, strict=True):
                self.model.session.assign(variable, value)
            self._own = None
