"""How a model is trained, scored and asked: what `compile` says, and the calls that go by it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any, cast

from graphdl.analysis.lint import Finding
from graphdl.errors import GraphError
from graphdl.ir.origin import current_origin, origin
from graphdl.keras import fitting, losses, optimizers
from graphdl.keras.callbacks import History
from graphdl.keras.layer import Layer
from graphdl.keras.lint import lint_model, warn_of_examples, warn_of_structure
from graphdl.keras.models import ends
from graphdl.keras.training import Training, Wanted

if TYPE_CHECKING:
    from graphdl.keras.models.model import Model


class Trainer(Layer):
    """A layer that can be trained by itself: the part of a model that has to do with data."""

    optimizer: optimizers.Optimizer

    def __init__(self, **arguments: Any) -> None:
        super().__init__(**arguments)
        self._training: Training | None = None
        self.history: History | None = None
        self.last_fit: fitting.Settings | None = None
        self.stop_training = False

    @property
    def _model(self) -> Model:
        return cast("Model", self)

    def compile(
        self,
        optimizer: Any = "rmsprop",
        loss: Any = None,
        loss_weights: Any = None,
        metrics: Any = None,
        weighted_metrics: Any = None,
        run_eagerly: bool = False,
        steps_per_execution: int = 1,
        jit_compile: Any = "auto",
        auto_scale_loss: bool = True,
    ) -> None:
        """Say how to train: the optimizer, a loss, what else to watch, and the losses' weights.

        With several outputs, `loss`, `metrics` and `loss_weights` are lists in their order or dicts by name.
        `metrics` are those of the examples as they are, `weighted_metrics` those with the weights `fit` is given.
        The other arguments say in Keras how a step is executed; here it is always compiled, and they change nothing.
        """
        if _are_metrics(loss_weights):
            # The order of Keras 2: metrics, then weights.
            loss_weights, metrics = metrics, loss_weights
        self.optimizer = optimizers.get(optimizer)
        if isinstance(loss, str):
            loss = losses.get(loss)
        self._compiled_with = Wanted(loss, metrics, loss_weights, weighted_metrics)
        self._compiled_at = current_origin()
        self._training = None
        # What has been warned of since: each finding is said once.
        self.lint_registry: dict[Any, Any] = {}
        if self._model.is_built:
            _ = self.training

    @property
    def is_compiled(self) -> bool:
        """Whether `compile` has been called."""
        return "_compiled_with" in self.__dict__

    compiled = is_compiled

    @property
    def loss(self) -> Any:
        """What `compile` was told to make small; None before."""
        return self._compiled_with.loss if self.is_compiled else None

    @property
    def training(self) -> Training:
        """The loss, gradients, updates and programs that `compile` led to; made anew where layers were frozen since."""
        if not self.is_compiled:
            raise GraphError(f"{self.name} is not compiled; call model.compile(optimizer=..., loss=...) first")
        if self._training is None or self._training.trainable != tuple(self.trainable_variables):
            if self._compiled_with.loss is None and not self._model.losses:
                raise GraphError("compile needs a loss, such as loss='mse'")
            with origin(self._compiled_at):
                self._training = Training(self._model, self.optimizer, self._compiled_with)
            warn_of_structure(self._model)
        return self._training

    def fit(
        self,
        x: Any = None,
        y: Any = None,
        batch_size: int | None = None,
        epochs: int = 1,
        verbose: Any = "auto",
        callbacks: Iterable[Any] | None = None,
        validation_split: float = 0.0,
        validation_data: Any = None,
        shuffle: bool = True,
        class_weight: Mapping[int, float] | None = None,
        sample_weight: Any = None,
        initial_epoch: int = 0,
        steps_per_epoch: int | None = None,
        validation_steps: int | None = None,
        validation_batch_size: int | None = None,
        validation_freq: Any = 1,
    ) -> History:
        """Train for `epochs` passes over the examples, in batches of `batch_size` (32); returns the history.

        x, y               arrays, lists or dicts of them; or x alone gives batches (x, y) or (x, y, weights): a
                           generator, or an object with ``__getitem__`` and ``__len__`` such as a Sequence
        validation_split   the last part of the data, set aside before any shuffling, to be scored after each epoch
        validation_data    (x, y) or (x, y, weights) to score instead, or batches of them
        class_weight       a weight for each class of the one output; `sample_weight` one for each example
        steps_per_epoch    where an epoch ends, for batches without end
        validation_freq    score after every so many epochs, or after these

        The order of the examples in epoch e depends on the session's seed and on e alone. Ctrl-C keeps the weights
        of the last whole step.
        """
        source = fitting.Given(x, y, sample_weight, class_weight, steps_per_epoch)
        self._model.build_for(source.example())
        settings = fitting.Settings.checked(batch_size, epochs, shuffle, initial_epoch, class_weight)
        held = fitting.HeldOut(
            validation_split, validation_data, validation_steps, validation_batch_size, validation_freq
        )
        fit = fitting.Fit(self._model, settings, source, held)
        warn_of_examples(self._model, fit, 0.0 if validation_data is not None else validation_split)
        self.last_fit = settings
        return fit.run(verbose, callbacks)

    def evaluate(
        self,
        x: Any = None,
        y: Any = None,
        batch_size: int | None = None,
        verbose: Any = "auto",
        sample_weight: Any = None,
        steps: int | None = None,
        callbacks: Iterable[Any] | None = None,
        return_dict: bool = False,
    ) -> Any:
        """Loss and metrics over the examples: a number, a list in the order of `metrics_names`, or a dict."""
        source = fitting.Given(x, y, sample_weight, steps=steps)
        self._model.build_for(source.example())
        return _scores(fitting.evaluate(self._model, source, batch_size, verbose, callbacks), return_dict)

    def predict(
        self,
        x: Any,
        batch_size: int | None = None,
        verbose: Any = "auto",
        steps: int | None = None,
        callbacks: Iterable[Any] | None = None,
    ) -> Any:
        """The outputs for the examples `x`: an array, or a list or dict of arrays as the outputs were given."""
        source = fitting.Given(x, steps=steps)
        self._model.build_for(source.example())
        return ends.in_form(self._model.form, fitting.predict(self._model, source, batch_size, verbose, callbacks))

    def predict_on_batch(self, x: Any) -> Any:
        """The outputs for the examples `x`, all at once."""
        return self(x)

    def predict_classes(self, x: Any, batch_size: int | None = None, verbose: Any = "auto") -> Any:
        """The most probable class of each example; a probability above 1/2 is class 1. An old name (Keras 1 and 2).

        Today one writes ``model.predict(x).argmax(axis=-1)``.
        """
        found = self.predict(x, batch_size, verbose)
        return (found > 0.5).astype("int32") if found.shape[-1] == 1 else found.argmax(axis=-1)

    def train_on_batch(
        self,
        x: Any,
        y: Any = None,
        sample_weight: Any = None,
        class_weight: Mapping[int, float] | None = None,
        return_dict: bool = False,
    ) -> Any:
        """One step on one batch; returns loss and metrics as `evaluate` does, from before the step."""
        self._model.build_for(x)
        return _scores(
            fitting.on_batch(self._model, fitting.Given(x, y, sample_weight, class_weight), train=True), return_dict
        )

    def test_on_batch(self, x: Any, y: Any = None, sample_weight: Any = None, return_dict: bool = False) -> Any:
        """Loss and metrics of one batch."""
        self._model.build_for(x)
        return _scores(fitting.on_batch(self._model, fitting.Given(x, y, sample_weight), train=False), return_dict)

    def reset_metrics(self) -> None:
        """Forget what metrics have added up; an epoch, a scoring and a batch by itself begin with that anyway."""
        if self._training is not None:
            fitting.forget_totals(self._training)

    @property
    def metrics_names(self) -> list[str]:
        """What `evaluate` returns, by name."""
        return list(self.training.names)

    def lint(
        self, x: Any = None, y: Any = None, batch_size: int | None = None, validation_split: float = 0.0
    ) -> list[Finding]:
        """What a teacher would say about the model: findings in the order of your lines; with examples, about them too.

        Nothing is trained. `batch_size` and `validation_split` are those that `fit` will be given.
        """
        return lint_model(self._model, x, y, batch_size, validation_split)


def _are_metrics(given: Any) -> bool:
    """Whether what stands in the place of loss weights are names or objects of metrics."""
    parts = (
        list(given.values()) if isinstance(given, Mapping) else given if isinstance(given, list | tuple) else [given]
    )
    return any(part is not None and not isinstance(part, int | float) for part in parts)


def _scores(scores: dict[str, float], as_dict: bool) -> Any:
    """A number where there is but one, else a list; or the dict itself."""
    if as_dict:
        return scores
    return list(scores.values()) if len(scores) > 1 else next(iter(scores.values()))
