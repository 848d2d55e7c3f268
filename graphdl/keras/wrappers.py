"""Models as scikit-learn's estimators: fit, predict, score, and parameters by name."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from typing import Any, Self

import numpy as np

from graphdl.errors import GraphError
from graphdl.keras.callbacks import History
from graphdl.keras.models.model import Model
from graphdl.keras.saving.description import copied

Array = np.ndarray[Any, Any]


class Estimator:
    """A model that is built and trained anew by every `fit`.

    model   a function that returns a compiled model, or a compiled model, whose architecture is taken over; `build_fn`
            is an older name

    Other parameters go to the function where it takes them, and otherwise to `Model.fit`, such as epochs and
    batch_size.
    """

    kind = ""

    def __init__(self, model: Any = None, *, build_fn: Any = None, **parameters: Any) -> None:
        self.model = build_fn if model is None else model
        if not (callable(self.model) or isinstance(self.model, Model)):
            found = f"found {self.model!r:.40}"
            raise GraphError(f"{type(self).__name__}: model is a function that returns a compiled model, {found}")
        self.parameters = parameters
        self.model_: Model | None = None
        self.history_: History | None = None
        for name in parameters:
            if name not in (*self._of_function(), *_FIT):
                raise TypeError(f"{type(self).__name__} takes no {name!r}; neither its model's function nor fit does")

    def get_params(self, deep: bool = True) -> dict[str, Any]:
        """What it was made with, by name."""
        return {"model": self.model, **self.parameters}

    def set_params(self, **parameters: Any) -> Self:
        """Change parameters; the next `fit` goes by them."""
        given = {**self.get_params(), **parameters}
        self.__init__(**given)  # type: ignore[misc]
        return self

    def fit(self, X: Any, y: Any, **options: Any) -> Self:
        """Build the model and train it; `options` are those of `Model.fit`, for this time."""
        self.model_ = self._built()
        given = {name: value for name, value in self.parameters.items() if name in _FIT}
        self.history_ = self.model_.fit(np.asarray(X), self.encoded(np.asarray(y)), **{**given, **options})
        return self

    def encoded(self, y: Array) -> Array:
        """The targets as the model takes them."""
        return y

    def outputs(self, X: Any) -> Array:
        """What the trained model gives."""
        if self.model_ is None:
            raise GraphError(f"{type(self).__name__} has not been fitted; call fit(X, y) first")
        found = self.model_.predict(np.asarray(X), verbose=0)
        if not isinstance(found, np.ndarray):
            raise GraphError(f"{type(self).__name__} is for models with one output, found {len(found)}")
        return found

    def _of_function(self) -> Mapping[str, Any]:
        return {} if isinstance(self.model, Model) else inspect.signature(self.model).parameters

    def _built(self) -> Model:
        if isinstance(self.model, Model):
            made: Model = copied(self.model)
            made.compile(self.model.optimizer, **self.model._compiled_with._asdict())
            return made
        make: Callable[..., Any] = self.model
        names = self._of_function()
        found = make(**{name: value for name, value in self.parameters.items() if name in names})
        if not isinstance(found, Model) or not found.is_compiled:
            raise GraphError(f"{type(self).__name__}: the model's function returns {found!r:.60}, no compiled model")
        return found

    def __sklearn_tags__(self) -> Any:
        """What scikit-learn asks estimators about themselves."""
        from sklearn.utils import ClassifierTags, InputTags, RegressorTags, Tags, TargetTags

        return Tags(
            estimator_type=self.kind,
            target_tags=TargetTags(required=True),
            classifier_tags=ClassifierTags() if self.kind == "classifier" else None,
            regressor_tags=RegressorTags() if self.kind == "regressor" else None,
            input_tags=InputTags(),
        )

    def __repr__(self) -> str:
        return f"{type(self).__name__}({', '.join(f'{k}={v!r:.40}' for k, v in self.get_params().items())})"


class KerasClassifier(Estimator):
    """A model that tells classes, which may be any labels: one-hot rows, or one label an example."""

    kind = "classifier"
    classes_: Array

    def encoded(self, y: Array) -> Array:
        """Class numbers from 0, or one-hot rows where those are given."""
        if y.ndim > 1 and y.shape[-1] > 1:
            self.classes_ = np.arange(y.shape[-1])
            return y
        self.classes_, numbers = np.unique(y.reshape(-1), return_inverse=True)
        assert self.model_ is not None
        is_sparse = not self.model_.is_built or any(h.loss.takes_classes for h in self.model_.training.heads)
        if is_sparse or len(self.classes_) == 2:
            return numbers
        rows: Array = np.eye(len(self.classes_), dtype="float32")[numbers]
        return rows

    def predict_proba(self, X: Any) -> Array:
        """The probability of each class."""
        found = self.outputs(X)
        return np.hstack([1 - found, found]) if found.shape[-1] == 1 else found

    def predict(self, X: Any) -> Array:
        """The most probable class of each example."""
        found: Array = self.classes_[self.predict_proba(X).argmax(axis=-1)]
        return found

    def score(self, X: Any, y: Any) -> float:
        """The share of examples that are told right."""
        labels = np.asarray(y)
        if labels.ndim > 1 and labels.shape[-1] > 1:
            labels = labels.argmax(axis=-1)
        return float(np.mean(self.predict(X) == labels.reshape(-1)))


class KerasRegressor(Estimator):
    """A model that tells amounts."""

    kind = "regressor"

    def predict(self, X: Any) -> Array:
        """The prediction for each example."""
        found = self.outputs(X)
        return found[:, 0] if found.ndim == 2 and found.shape[1] == 1 else found

    def score(self, X: Any, y: Any) -> float:
        """The share of the variance of `y` that is explained, R^2: 1 at best, 0 for always saying the mean."""
        y, found = np.asarray(y, "float64"), self.predict(X)
        left = np.square(y - found.reshape(y.shape)).sum()
        return float(1 - left / np.square(y - y.mean(axis=0)).sum())


SKLearnClassifier, SKLearnRegressor = KerasClassifier, KerasRegressor
_FIT = tuple(name for name in inspect.signature(Model.fit).parameters if name not in ("self", "x", "y"))

__all__ = ["Estimator", "KerasClassifier", "KerasRegressor", "SKLearnClassifier", "SKLearnRegressor"]
