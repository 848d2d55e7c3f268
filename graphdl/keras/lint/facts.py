"""What rules about models look at: the model, how it is compiled, and the examples as `fit` would take them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from graphdl.analysis.lint.facts import Facts
from graphdl.errors import DataError
from graphdl.ir.graph import Graph
from graphdl.ir.leaves import Noise
from graphdl.ir.node import Node
from graphdl.ir.origin import User
from graphdl.ir.traverse import ancestors
from graphdl.keras.fitting import data, read_examples
from graphdl.runtime.lint import facts_of

if TYPE_CHECKING:
    from graphdl.keras.models.model import Model
    from graphdl.keras.training import Head, Training

Array = np.ndarray[Any, Any]
# So many examples, spread over the data, are enough to look at values.
LOOKED_AT = 512


@dataclass(frozen=True)
class ModelFacts:
    """A model with its examples, read as `fit` reads them; `refusal` is what `fit` would say against them."""

    model: Model
    had_shape: bool = True
    batch_size: int | None = None
    validation_split: float = 0.0
    y: Any = None
    examples: Mapping[Node, Array] = field(default_factory=dict)
    n: int = 0
    refusal: DataError | None = None

    @property
    def plan(self) -> Training | None:
        """The loss and what belongs to it, where the model is built and compiled."""
        return self.model.training if self.model.is_compiled and self.model.is_built else None

    @property
    def heads(self) -> tuple[Head, ...]:
        """The outputs that have a loss."""
        return self.plan.heads if self.plan is not None else ()

    @property
    def compiled_at(self) -> User | None:
        """The line that compiles the model."""
        found = getattr(self.model, "_compiled_at", None)
        return found if isinstance(found, User) and found.line else None

    def with_examples(self, x: Any) -> ModelFacts:
        """These facts with the examples `x` and `y`."""
        if x is None or (self.y is None and self.plan is not None):
            return self
        try:
            examples, n = self._read(x)
        except DataError as error:
            return replace(self, refusal=error)
        return replace(self, examples=examples, n=n)

    def _read(self, x: Any) -> tuple[Mapping[Node, Array], int]:
        model = self.model
        if self.plan is not None:
            return read_examples(model, x, self.y)
        arrays = data.inputs(model.inputs, model.input_names, x)
        return arrays, data.count(dict(zip(data.labels("x", model.input_names), arrays.values(), strict=True)))

    def given(self, head: Head) -> Array | None:
        """The targets of `head` as the user gave them, where they are numbers."""
        value = self.y
        if isinstance(value, Mapping):
            value = value.get(head.name)
        elif len(self.heads) > 1:
            several = isinstance(value, list | tuple) and len(value) == len(self.heads)
            value = value[self.heads.index(head)] if several else None
        try:
            return data.as_array(head.name, value) if value is not None else None
        except DataError:
            return None

    def labels(self, head: Head) -> Array | None:
        """The class of each example, where the targets of `head` are classes."""
        values = self.examples.get(head.target)
        if values is None:
            return None
        if head.loss.takes_classes:
            return values.reshape(-1)
        if values.ndim == 2 and values.shape[1] > 1:
            return values.argmax(axis=1) if _is_one_hot(values) else None
        flat = values.reshape(-1)
        return flat if values.size == len(values) and bool(np.isin(flat, (0, 1)).all()) else None

    def of_graph(self) -> Facts:
        """The loss as it is evaluated, without the masks of training; the outputs where there is no loss."""
        model, plan, some = self.model, self.plan, self._some()
        if plan is None:
            graph = Graph(dict(zip(model.output_names, model.outputs, strict=True)))
            return facts_of(graph, some, model.start())
        return facts_of(Graph({"loss": plan.evaluation.loss}), some, model.start(), is_masked(plan))

    def _some(self) -> dict[Node, Array] | None:
        """Examples from all over the data."""
        if not self.n:
            return None
        rows = np.unique(np.linspace(0, self.n - 1, min(self.n, LOOKED_AT)).astype("int64"))
        return {node: array[rows] for node, array in self.examples.items()}


def is_masked(plan: Training) -> bool:
    """Whether training draws masks."""
    return any(isinstance(node.op, Noise) for node in ancestors([plan.loss]))


def _is_one_hot(values: Array) -> bool:
    return bool(np.isin(values, (0, 1)).all() and (values.sum(axis=1) == 1).all())
