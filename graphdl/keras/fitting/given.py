"""What `fit`, `evaluate` and `predict` are given: arrays, or batches that come one at a time; weights of examples."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from graphdl.errors import DataError, GraphError
from graphdl.ir.node import Node
from graphdl.keras.fitting import data
from graphdl.keras.training import Head, Training

if TYPE_CHECKING:
    from graphdl.keras.models.model import Model

Array = np.ndarray[Any, Any]
Examples = dict[Node, Array]
Weights = dict[str, Array]


class Given:
    """The examples as the user gives them; `steps` is where an epoch ends, if it is said."""

    def __init__(
        self,
        x: Any = None,
        y: Any = None,
        sample_weight: Any = None,
        class_weight: Mapping[int, float] | None = None,
        steps: int | None = None,
    ) -> None:
        self.x, self.y = x, y
        self.sample_weight, self.class_weight = sample_weight, class_weight
        self.steps = steps
        self.is_stream = is_stream(x)
        if self.is_stream and (y is not None or sample_weight is not None):
            raise DataError("y and sample_weight come with the batches of x, as in yield x, y, sample_weight")
        if sample_weight is not None and class_weight is not None:
            raise GraphError("fit takes class_weight or sample_weight, found both; multiply them into sample_weight")
        # A generator gives its first batch once: it is put back in front of the others.
        self._ahead: Any = None

    @classmethod
    def of(cls, given: Any, what: str, steps: int | None = None) -> Given:
        """From (x, y), (x, y, weights) or batches; DataError names `what` otherwise."""
        if is_stream(given):
            return cls(given, steps=steps)
        if not isinstance(given, list | tuple) or len(given) not in (2, 3):
            raise DataError(f"{what} is a {type(given).__name__}, expected a pair (x, y), or (x, y, sample_weight)")
        x, y, weights = (*given, None)[:3]
        return cls(x, y, weights, steps=steps)

    def example(self) -> Any:
        """Something that has the shape of x: x itself, or that of the first batch."""
        return self.first().x if self.is_stream else self.x

    def first(self) -> Given:
        """The first batch of a stream."""
        if not hasattr(self.x, "__next__"):
            found = next(self.epoch(range(1) if hasattr(self.x, "__getitem__") else None), None)
        else:
            if self._ahead is None:
                self._ahead = next(self.x, None)
            found = None if self._ahead is None else self._batch(self._ahead)
        if found is None:
            raise DataError("x gives no batches")
        return found

    def epoch(self, order: Sequence[int] | None = None) -> Iterator[Given]:
        """The batches of a stream from its beginning, or where it is; `order` is for one with ``__getitem__``."""
        if hasattr(self.x, "__next__"):
            ahead, self._ahead = self._ahead, None
            batches: Iterator[Any] = itertools.chain([] if ahead is None else [ahead], self.x)
        elif order is not None:
            batches = (self.x[int(place)] for place in order)
        else:
            batches = iter(self.x)
        return (self._batch(batch) for batch in batches)

    def _batch(self, batch: Any) -> Given:
        parts = batch if isinstance(batch, tuple) else (batch,)
        if not 1 <= len(parts) <= 3:
            raise DataError(f"a batch is a tuple of {len(parts)}, expected (x, y) or (x, y, sample_weight)")
        x, y, weights = (*parts, None, None)[:3]
        return Given(x, y, weights, self.class_weight if weights is None else None)

    @property
    def length(self) -> int | None:
        """The number of batches of a stream, where it can be told."""
        return len(self.x) if hasattr(self.x, "__len__") else getattr(self.x, "num_batches", None)


@dataclass(frozen=True)
class HeldOut:
    """What `fit` scores after an epoch: a share of the examples, or others; and how, and when."""

    share: float = 0.0
    given: Any = None
    steps: int | None = None
    batch_size: int | None = None
    every: Any = 1

    def is_due(self, epoch: int) -> bool:
        """Whether to score after the epoch, counted from 0."""
        if isinstance(self.every, int):
            return (epoch + 1) % self.every == 0
        return epoch + 1 in self.every


def is_stream(x: Any) -> bool:
    """Whether `x` gives batches one at a time, instead of being all the examples."""
    if x is None or isinstance(x, np.ndarray | list | tuple | Mapping | Node | str | bytes):
        return False
    if hasattr(x, "__array__") or hasattr(x, "to_numpy"):
        return False
    return hasattr(x, "__iter__") or hasattr(x, "__next__") or hasattr(x, "__getitem__")


def read_examples(model: Model, x: Any, y: Any) -> tuple[Examples, int]:
    """Checked arrays for the inputs and targets of a compiled model, and the number of examples."""
    plan = model.training
    arrays_x = data.inputs(model.inputs, model.input_names, x)
    if y is None and plan.heads:
        raise DataError("y is missing: training and scoring need a target for each example")
    arrays_y = data.targets(plan.heads, y, model.output_names) if plan.heads else {}
    names = data.labels("x", model.input_names) + data.labels("y", [head.name for head in plan.heads])
    examples = {**arrays_x, **arrays_y}
    return examples, data.count(dict(zip(names, examples.values(), strict=True)))


def read_inputs(model: Model, x: Any) -> tuple[Examples, int]:
    """Checked arrays for the inputs alone."""
    examples = data.inputs(model.inputs, model.input_names, x)
    return examples, data.count(dict(zip(data.labels("x", model.input_names), examples.values(), strict=True)))


def read(model: Model, given: Given) -> tuple[Training, Examples, int]:
    """The training that takes what is given, with weights of examples where it has any; the arrays, and how many."""
    examples, n = read_examples(model, given.x, given.y)
    plan = model.training
    found = _class_weights(plan, examples, given.class_weight)
    if given.sample_weight is not None:
        found = _sample_weights(plan, given.sample_weight, n)
    plan = plan.weighted({name: array.ndim for name, array in found.items()})
    for head in plan.heads:
        if head.sample_weight is not None:
            examples[head.sample_weight] = found[head.name].astype(head.sample_weight.dtype)
    return plan, examples, n


def _sample_weights(plan: Training, given: Any, n: int) -> Weights:
    """The weights of the examples for each output: one array for all, or a list or dict of arrays."""
    names = [head.name for head in plan.heads]
    if isinstance(given, Mapping):
        unknown = [name for name in given if name not in names]
        if unknown:
            raise DataError(f"sample_weight names {unknown[0]!r}, which has no loss; there is {names}")
        parts = dict(given)
    elif isinstance(given, list | tuple) and len(names) > 1 and len(given) == len(names):
        parts = dict(zip(names, given, strict=True))
    else:
        parts = dict.fromkeys(names, given)
    by_name = {head.name: head for head in plan.heads}
    return {name: _weights(by_name[name], value, n) for name, value in parts.items() if value is not None}


def _weights(head: Head, value: Any, n: int) -> Array:
    array = data.as_array("sample_weight", value)
    if array.ndim == 2 and array.shape[1] == 1 and head.inferred.ndim <= 2:
        array = array[:, 0]
    if not array.ndim or len(array) != n:
        raise DataError(f"sample_weight has shape {array.shape}, expected one number for each of {n} examples")
    if array.ndim > max(head.target.ndim, 1):
        raise DataError(f"sample_weight has {array.ndim} axes, more than the targets {head.target.type}")
    if array.dtype.kind == "f":
        data.check_finite("sample_weight", array)
    return array


def _class_weights(plan: Training, examples: Examples, given: Mapping[int, float] | None) -> Weights:
    """The weight of each example's class; 1 for classes that are not named."""
    if given is None:
        return {}
    if not isinstance(given, Mapping):
        raise GraphError(f"class_weight is a {type(given).__name__}, expected a dict such as {{0: 1.0, 1: 5.0}}")
    if len(plan.heads) != 1:
        raise GraphError(f"class_weight is for models with one loss, found {len(plan.heads)}; use sample_weight")
    (head,) = plan.heads
    labels = examples[head.target]
    if labels.ndim > 1:
        labels = labels.argmax(axis=-1) if labels.shape[-1] != 1 else labels[..., 0]
    if labels.ndim != 1:
        raise GraphError(f"class_weight is for one class an example, and {head.name} has {labels.shape[1:]} of them")
    labels = np.round(labels).astype("int64")
    weights = np.ones(len(labels), "float64")
    for label, weight in given.items():
        weights[labels == int(label)] = float(weight)
    return {head.name: weights}
