"""What metrics have in common: numbers that add up over batches, and what is made of their sums.

So a metric of an epoch is that of all its examples, however the batches fall: sums and counts are kept, never means of
means. In a model they are variables of the graph; on arrays `update_state`, `result` and `reset_state` do the same.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from graphdl.config import floatx
from graphdl.errors import GraphError
from graphdl.ir.leaves import constant, placeholder, size
from graphdl.ir.node import Node
from graphdl.ir.types import FLOATS, as_dtype
from graphdl.keras.lookup import Configured
from graphdl.keras.losses import Loss
from graphdl.keras.losses.loss import in_dtype, weight_like
from graphdl.ops.arithmetic import equal, where
from graphdl.ops.reduce import mean, sum
from graphdl.ops.shape import cast
from graphdl.runtime.session import Session

Sums = Mapping[str, Node]


class Metric(Configured):
    """A number to watch. Subclasses say in `values` what is averaged over the examples."""

    name: str = "metric"

    def __init__(self, name: str | None = None, dtype: Any = None) -> None:
        self.name = name or self.name
        self.dtype = None if dtype is None else as_dtype(dtype)
        self._batches = _Batches(self)

    def values(self, y_true: Node, y_pred: Node) -> Node:
        """What to average."""
        raise NotImplementedError

    def parts(self, y_true: Node, y_pred: Node, sample_weight: Node | None = None) -> dict[str, Node]:
        """What this batch adds to the sums over all batches: here values, and how many there are."""
        return mean_parts(self.floats(y_true, y_pred), sample_weight)

    def result(self, sums: Sums | None = None) -> Any:
        """The number of these sums, a node; without them, that of the arrays given to `update_state`."""
        if sums is None:
            return self._batches.result()
        return self.of_sums(sums)

    def of_sums(self, sums: Sums) -> Node:
        """The number that the sums make."""
        return ratio(sums["total"], sums["count"])

    def __call__(self, *given: Any, **named: Any) -> Any:
        """Of nodes, the number of one batch, a node; of arrays, the number of all batches with this one."""
        if any(isinstance(part, Node) for part in (*given, *named.values())):
            return self.batch(*given, **named)
        self.update_state(*given, **named)
        return self.result()

    def batch(self, y_true: Node, y_pred: Node, sample_weight: Node | None = None) -> Node:
        """The number of one batch."""
        if sample_weight is not None:
            return self.of_sums(self.parts(y_true, y_pred, sample_weight))
        values = self.floats(y_true, y_pred)
        return mean(values) if values.ndim else values

    def floats(self, y_true: Node, y_pred: Node) -> Node:
        """The values as floats."""
        y_pred = in_dtype(y_pred, self.dtype)
        values = self.values(y_true, y_pred)
        return values if values.dtype in FLOATS else cast(values, float_of(y_pred))

    def update_state(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> None:
        """Add a batch of arrays."""
        self._batches.add(y_true, y_pred, sample_weight)

    def reset_state(self) -> None:
        """Forget all batches."""
        self._batches.forget()

    # As Keras 2 called it.
    reset_states = reset_state

    def __repr__(self) -> str:
        return f"<{type(self).__name__} name={self.name}>"


class Accumulated(Metric):
    """A metric that no mean over examples gives: what it adds up is in `sums`, what that makes in `of_sums`."""

    def sums(self, y_true: Node, y_pred: Node, sample_weight: Node | None = None) -> dict[str, Node]:
        """What this batch adds to the sums over all batches, by name."""
        raise NotImplementedError

    def of_sums(self, sums: Sums) -> Node:
        """The number that the sums make."""
        raise NotImplementedError

    def parts(self, y_true: Node, y_pred: Node, sample_weight: Node | None = None) -> dict[str, Node]:
        """What this batch adds to the sums over all batches."""
        return self.sums(y_true, in_dtype(y_pred, self.dtype), sample_weight)

    def batch(self, y_true: Node, y_pred: Node, sample_weight: Node | None = None) -> Node:
        """The number of one batch."""
        return self.of_sums(self.parts(y_true, y_pred, sample_weight))


class FunctionMetric(Metric):
    """A metric of the user's own: a function of nodes (targets, predictions), and further arguments of it."""

    def __init__(self, fn: Callable[..., Node], name: str | None = None, dtype: Any = None, **arguments: Any) -> None:
        super().__init__(name or getattr(fn, "__name__", "metric"), dtype)
        self.function, self.arguments = fn, arguments

    def values(self, y_true: Node, y_pred: Node) -> Node:
        """What the function gives."""
        found = self.function(y_true, y_pred, **self.arguments)
        if not isinstance(found, Node):
            raise GraphError(f"metric {self.name} returns a {type(found).__name__}, expected a node")
        return found


class LossMetric(Metric):
    """A loss that is watched."""

    def __init__(self, loss: Loss, name: str | None = None, dtype: Any = None) -> None:
        super().__init__(name or loss.name, dtype)
        self.loss = loss

    def values(self, y_true: Node, y_pred: Node) -> Node:
        """The loss of each example."""
        return self.loss.call(*self.loss.fitted(y_true, y_pred))

    def batch(self, y_true: Node, y_pred: Node, sample_weight: Node | None = None) -> Node:
        """The mean over the batch."""
        if sample_weight is not None:
            return super().batch(y_true, y_pred, sample_weight)
        return self.loss.reduced(*self.loss.fitted(y_true, in_dtype(y_pred, self.dtype)))


class _Batches:
    """The sums of a metric over arrays, in double precision, and the programs that make them."""

    def __init__(self, metric: Metric) -> None:
        self.metric = metric
        self.totals: dict[str, np.ndarray[Any, Any]] = {}
        self._programs: dict[Any, Any] = {}

    def add(self, *given: Any) -> None:
        """Add what these arrays give; None stands for one that is not there."""
        arrays = [None if a is None else np.asarray(a) for a in given]
        key = tuple(None if a is None else (a.dtype.name, a.shape[1:], a.ndim) for a in arrays)
        if key not in self._programs:
            self._programs[key] = self._program(arrays)
        names, program = self._programs[key]
        values = program(*[a for a in arrays if a is not None])
        for name, value in zip(names, values, strict=True):
            self.totals[name] = self.totals.get(name, np.float64(0)) + np.asarray(value, "float64")

    def forget(self) -> None:
        """Begin anew, with sums of the same shapes."""
        self.totals = {name: np.zeros_like(total) for name, total in self.totals.items()}

    def _program(self, arrays: list[Any]) -> tuple[list[str], Callable[..., Any]]:
        nodes = [
            None if a is None else placeholder((None, *a.shape[1:]) if a.ndim else (), a.dtype, name=f"given{i}")
            for i, a in enumerate(arrays)
        ]
        fed = [node for node in nodes if node is not None]
        parts = self.metric.parts(*nodes)  # type: ignore[arg-type]
        session, kept = Session(), list(parts.values())
        return list(parts), lambda *batch: session.run(kept, dict(zip(fed, batch, strict=True)))

    def result(self) -> Any:
        """The number so far: a float, or an array where the metric has several."""
        if not self.totals:
            return 0.0
        nodes = {name: constant(total) for name, total in self.totals.items()}
        found = Session().run(self.metric.of_sums(nodes))
        return float(found) if np.ndim(found) == 0 else found


def mean_parts(values: Node, sample_weight: Node | None) -> dict[str, Node]:
    """The sum over the examples of their means, each times its weight, and the sum of the weights."""
    if not values.ndim:
        one = constant(1.0, values.dtype)
        return {"total": values, "count": one if sample_weight is None else mean(weight_like(sample_weight, values))}
    if sample_weight is None:
        return {"total": sum(per_example(values)), "count": size(values.shape[0], values.dtype)}
    weight = in_dtype(sample_weight, values.dtype)
    if values.ndim > weight.ndim > 0:
        values = mean(values, axis=tuple(range(weight.ndim, values.ndim)))
    weight = weight_like(weight, values)
    return {"total": sum(per_example(values * weight)), "count": sum(per_example(weight))}


def per_example(values: Node) -> Node:
    """The mean of each example's values."""
    return mean(values, axis=tuple(range(1, values.ndim))) if values.ndim > 1 else values


def ratio(a: Node, b: Node) -> Node:
    """``a / b``, and 0 where `b` is 0."""
    nothing = equal(b, 0.0)
    return where(nothing, 0.0, a / where(nothing, 1.0, b))


def float_of(node: Node) -> str:
    """The dtype of `node` where that is a float, else the default one."""
    return node.dtype if node.dtype in FLOATS else floatx()
