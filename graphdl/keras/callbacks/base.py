"""What a callback hears of, and the list of those that listen."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from graphdl.errors import GraphError
from graphdl.keras.callbacks.progress import Progress, say


class Callback:
    """Called as training goes on; `model` and `params` are set before it begins.

    Batches and epochs are counted from 0. `logs` is a dict of loss and metrics: of a batch end, their means over
    the epoch so far; of an epoch end, those of the epoch, with ``val_`` ones where something is held out.
    """

    model: Any = None
    params: Mapping[str, Any] = {}
    progress: Progress | None = None
    # Whether it is told after the others, to see what they made of it.
    comes_last = False
    # Whether training is the same without it, so that a resumed run may have it or not.
    watches_only = False
    # Attributes that a resumed run has of its own: how it was made, and what it holds.
    fleeting: tuple[str, ...] = ()

    def set_model(self, model: Any) -> None:
        """Watch `model`."""
        self.model = model

    def set_params(self, params: Mapping[str, Any]) -> None:
        """Know the number of epochs and steps."""
        self.params = params

    def set_examples(self, examples: Mapping[Any, Any]) -> None:
        """Know what is trained on: an array for each input and target of the model."""

    def say(self, text: str) -> None:
        """Print a line of its own, beside the progress bar if there is one."""
        say(text, self.progress)

    def on_train_begin(self, logs: Any = None) -> None:
        """Before the first epoch."""

    def resume(self, fit: Any) -> None:
        """After `on_train_begin`: where an earlier run was interrupted, have `fit.start` say where to go on."""

    def remembered(self) -> dict[str, Any]:
        """What a resumed run takes over, by name; what of it is no plain data is left out."""
        return {name: value for name, value in vars(self).items() if name not in (*_OF_RUN, *self.fleeting)}

    def recall(self, found: Mapping[str, Any]) -> None:
        """Take over what `remembered` gave in an earlier run."""
        for name, value in found.items():
            if name not in self.fleeting:
                setattr(self, name, value)

    def on_interrupt(self) -> None:
        """After Ctrl-C, between two steps."""

    def let_go(self) -> None:
        """At the very end, after a failure too: give back what the callback holds."""

    def on_train_end(self, logs: Any = None) -> None:
        """After the last epoch, with its numbers."""

    def on_epoch_begin(self, epoch: int, logs: Any = None) -> None:
        """Before the epoch."""

    def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
        """After the epoch, with loss, metrics and those of the validation. What is added to `logs` is remembered."""

    def on_batch_begin(self, batch: int, logs: Any = None) -> None:
        """An older name of `on_train_batch_begin`."""

    def on_batch_end(self, batch: int, logs: Any = None) -> None:
        """An older name of `on_train_batch_end`."""

    def on_train_batch_begin(self, batch: int, logs: Any = None) -> None:
        """Before the step."""
        self.on_batch_begin(batch, logs)

    def on_train_batch_end(self, batch: int, logs: Any = None) -> None:
        """After the step, with the means of loss and metrics over the epoch so far."""
        self.on_batch_end(batch, logs)

    def on_test_begin(self, logs: Any = None) -> None:
        """Before examples are scored, by `evaluate` or after an epoch."""

    def on_test_end(self, logs: Any = None) -> None:
        """After scoring, with loss and metrics."""

    def on_test_batch_begin(self, batch: int, logs: Any = None) -> None:
        """Before a batch is scored."""

    def on_test_batch_end(self, batch: int, logs: Any = None) -> None:
        """After a batch is scored, with the means so far."""

    def on_predict_begin(self, logs: Any = None) -> None:
        """Before the first prediction."""

    def on_predict_end(self, logs: Any = None) -> None:
        """After the last prediction."""

    def on_predict_batch_begin(self, batch: int, logs: Any = None) -> None:
        """Before a batch is predicted."""

    def on_predict_batch_end(self, batch: int, logs: Any = None) -> None:
        """After a batch is predicted; ``logs["outputs"]`` are the arrays."""


# Attributes that `fit` sets.
_OF_RUN = ("model", "params", "progress")

Hook = Callable[..., None]
# What the older names of a hook are.
_ALIASES = {"on_train_batch_begin": "on_batch_begin", "on_train_batch_end": "on_batch_end"}


class CallbackList:
    """Several callbacks as one: each hook calls that of every one, in order."""

    def __init__(self, callbacks: Iterable[Any], model: Any, progress: Progress, **params: Any) -> None:
        self.callbacks = tuple(callbacks)
        for callback in self.callbacks:
            if not isinstance(callback, Callback):
                raise GraphError(
                    f"a callback is {callback!r:.60}, a {type(callback).__name__}; expected keras.callbacks.Callback"
                )
            callback.progress = progress
            callback.set_model(model)
            callback.set_params(params)
        self.callbacks = tuple(sorted(self.callbacks, key=lambda callback: callback.comes_last))

    def __iter__(self) -> Any:
        return iter(self.callbacks)

    def hooks(self, name: str) -> list[Hook]:
        """The methods called `name` of those callbacks that do something there: the others cost nothing."""
        return [getattr(callback, name) for callback in self.callbacks if _overrides(callback, name)]

    def tell(self, name: str, *arguments: Any) -> None:
        """Call the hook `name` of each callback."""
        for hook in self.hooks(name):
            hook(*arguments)


def _overrides(callback: Callback, name: str) -> bool:
    names = [name, *([_ALIASES[name]] if name in _ALIASES else [])]
    own = any(each in vars(callback) for each in names)
    return own or any(getattr(type(callback), each) is not getattr(Callback, each) for each in names)


class LambdaCallback(Callback):
    """A callback made of functions, one for each hook that is given: ``LambdaCallback(on_epoch_end=f)``."""

    def __init__(
        self,
        on_epoch_begin: Hook | None = None,
        on_epoch_end: Hook | None = None,
        on_train_begin: Hook | None = None,
        on_train_end: Hook | None = None,
        on_train_batch_begin: Hook | None = None,
        on_train_batch_end: Hook | None = None,
        **hooks: Hook,
    ) -> None:
        given = {
            "on_epoch_begin": on_epoch_begin,
            "on_epoch_end": on_epoch_end,
            "on_train_begin": on_train_begin,
            "on_train_end": on_train_end,
            "on_train_batch_begin": on_train_batch_begin,
            "on_train_batch_end": on_train_batch_end,
            **hooks,
        }
        for name, hook in given.items():
            if not hasattr(Callback, name) or not name.startswith("on_"):
                raise TypeError(f"LambdaCallback takes no {name!r}; its arguments are the hooks of Callback")
            if hook is not None:
                setattr(self, name, hook)
