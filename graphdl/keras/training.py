"""What `compile` makes of a model: targets, loss, metrics, gradients and updates, all of them graph nodes."""

from __future__ import annotations

import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

from graphdl.autodiff.gradients import Derivation, derive
from graphdl.compile.page import Style
from graphdl.errors import GraphError, ZeroGradientWarning, did_you_mean, listed
from graphdl.ir.graph import Updates
from graphdl.ir.leaves import Placeholder
from graphdl.ir.node import Node
from graphdl.ir.op import build
from graphdl.ir.origin import Rewriting, current_origin, name_scope, origin
from graphdl.ir.traverse import ancestors, carried, moved
from graphdl.keras import losses, metrics
from graphdl.keras.layer import LayerOutput
from graphdl.keras.losses import Loss
from graphdl.keras.optimizers import Optimizer
from graphdl.runtime.compiled import Compiled

if TYPE_CHECKING:
    from graphdl.keras.models import Model


@dataclass(frozen=True)
class Head:
    """An output with its loss: `target` is fed, `trained` and `inferred` are the predictions in the two graphs."""

    name: str
    loss: Loss
    weight: float
    metrics: tuple[Any, ...]
    target: Node
    trained: Node
    inferred: Node


@dataclass(frozen=True)
class Scores:
    """The loss and the other numbers that are watched, by their names in the history; the loss is the first."""

    loss: Node
    metrics: dict[str, Node]

    @property
    def nodes(self) -> tuple[Node, ...]:
        """Loss, then metrics."""
        return (self.loss, *self.metrics.values())

    @property
    def names(self) -> tuple[str, ...]:
        """The keys of the history."""
        return ("loss", *self.metrics)


class Training:
    """The two graphs of a compiled model, training and inference, over the same variables.

    inputs, targets   placeholders
    loss, metrics     of the training graph; those of the inference graph are in `evaluation`
    gradients         of the loss, for `variables`, with the `derivation` that led to them
    updates           what the optimizer makes of them
    train, evaluate, predict   programs of the model's session
    """

    def __init__(
        self, model: Model, optimizer: Optimizer, loss: Any, metrics: Any = None, loss_weights: Any = None
    ) -> None:
        self.model = model
        self.optimizer = optimizer
        self.written = current_origin()
        self.inputs = model.inputs
        self.heads = _heads(model, loss, metrics, loss_weights)
        self.targets = tuple(head.target for head in self.heads)
        self.scores = _scores(self.heads, training=True)
        has_two_graphs = any(head.trained is not head.inferred for head in self.heads)
        self.evaluation = _scores(self.heads, training=False) if has_two_graphs else self.scores

    @property
    def loss(self) -> Node:
        """The loss in training."""
        return self.scores.loss

    @property
    def metrics(self) -> dict[str, Node]:
        """The metrics in training, by name."""
        return self.scores.metrics

    @property
    def names(self) -> tuple[str, ...]:
        """What the history has: "loss", then the metrics."""
        return self.scores.names

    @cached_property
    def variables(self) -> tuple[Node, ...]:
        """Variables that training changes: those of the model that reach the loss."""
        wanted = self.model.trainable_variables
        reached = set(ancestors([self.loss]))
        lost = [v.label for v in wanted if v not in reached]
        if lost:
            text = f"the loss does not depend on {listed(lost)}, so training leaves them as they are"
            warnings.warn(text, ZeroGradientWarning, stacklevel=2)
        return tuple(v for v in wanted if v in reached)

    @cached_property
    def derivation(self) -> Derivation:
        """The chain rule from the loss to the variables."""
        return derive(self.loss, self.variables)

    @property
    def gradients(self) -> tuple[Node, ...]:
        """One for each of `variables`."""
        return self.derivation.gradients

    @cached_property
    def updates(self) -> Updates:
        """New values of the variables and of what the optimizer remembers."""
        for reason in self.derivation.zero_because.values():
            warnings.warn(reason, ZeroGradientWarning, stacklevel=2)
        with origin(self.written):
            return self.optimizer.updates(self.gradients, self.variables) if self.variables else Updates(())

    @property
    def train(self) -> Compiled:
        """One step of training: feeds inputs and targets, gives loss and metrics, updates the variables."""
        return self.train_in(self.model.start().style)

    def train_in(self, style: Style) -> Compiled:
        """The same step in the given style of source; same bits."""
        fetches = [self.derivation.loss if self.variables else self.loss, *self.metrics.values()]
        return self.model.start().compile(fetches, self.updates, style)

    @property
    def evaluate(self) -> Compiled:
        """Loss and metrics without training."""
        return self.model.start().compile(self.evaluation.nodes)

    @property
    def predict(self) -> Compiled:
        """The outputs."""
        return self.model.prediction


def in_training(outputs: Sequence[Node]) -> tuple[Node, ...]:
    """`outputs` as they are in training, where a layer such as dropout does more; the variables are the same."""
    became: dict[Node, Node] = {}
    for node in ancestors(outputs):
        new = carried(node, became)
        if isinstance(node, LayerOutput) and node.call.layer.differs_in_training:
            with Rewriting("training", node):
                (x,) = moved(node.call.inputs, became)
                new = node.call.layer.call(x, training=True)
        if new is not node:
            became[node] = new
    return moved(outputs, became)


def _heads(model: Model, loss: Any, metrics: Any, weights: Any) -> tuple[Head, ...]:
    names = model.output_names
    by_loss = _by_output("loss", loss, names, spread=not isinstance(loss, list | tuple | dict))
    by_metric = _by_output("metrics", metrics, names, spread=False) if len(names) > 1 else {names[0]: metrics}
    by_weight = _by_output("loss_weights", weights, names, spread=False)
    made = []
    for name, trained, inferred in zip(names, in_training(model.outputs), model.outputs, strict=True):
        if by_loss.get(name) is None:
            continue
        found = losses.get(by_loss[name])
        with name_scope(""):
            own = "y" if len(names) == 1 else f"y_{name}"
            target = build(Placeholder(found.target_type(inferred)), name=own)
        watched = tuple(_as_list(by_metric.get(name)))
        weight = by_weight.get(name)
        made.append(Head(name, found, 1.0 if weight is None else float(weight), watched, target, trained, inferred))
    if not made:
        raise GraphError(f"compile: no output has a loss; the outputs are {listed(names)}")
    return tuple(made)


def _scores(heads: tuple[Head, ...], training: bool) -> Scores:
    several = len(heads) > 1
    parts: dict[str, Node] = {}
    watched: dict[str, Node] = {}
    for head in heads:
        y_pred = head.trained if training else head.inferred
        prefix = f"{head.name}_" if several else ""
        with name_scope(f"{prefix}loss" if several else "loss"):
            parts[f"{prefix}loss"] = head.loss(head.target, y_pred)
        for metric in head.metrics:
            made = metrics.get(metric, head.target, y_pred)
            with name_scope(f"{prefix}{made.name}"):
                watched[_free(f"{prefix}{made.name}", watched)] = made(head.target, y_pred)
    with name_scope("loss"):
        total = _weighted(list(parts.values()), [head.weight for head in heads])
    return Scores(total, {**(parts if several else {}), **watched})


def _weighted(parts: list[Node], weights: list[float]) -> Node:
    terms = [part if weight == 1 else part * weight for part, weight in zip(parts, weights, strict=True)]
    total = terms[0]
    for term in terms[1:]:
        total = total + term
    if total.ndim or not total.tensor.is_float:
        raise GraphError(f"the loss is {total.type}, expected one float")
    return total


def _by_output(what: str, given: Any, names: Sequence[str], spread: bool) -> dict[str, Any]:
    """`given` for each output: a mapping by name, a list in the order of the outputs, or one for all if `spread`."""
    if given is None:
        return {}
    if isinstance(given, Mapping):
        for name in given:
            if name not in names:
                raise GraphError(
                    f"compile: {what} names {name!r}, which is no output.{did_you_mean(str(name), names)} "
                    f"The outputs are {listed(names)}"
                )
        return dict(given)
    if spread:
        return dict.fromkeys(names, given)
    if not isinstance(given, list | tuple) or len(given) != len(names):
        found = f"{len(given)} entries" if isinstance(given, list | tuple) else repr(given)
        raise GraphError(
            f"compile: {what} has {found} for {len(names)} outputs; give one for each of {listed(names)}, or a dict"
        )
    return dict(zip(names, given, strict=True))


def _as_list(given: Any) -> list[Any]:
    if given is None:
        return []
    if isinstance(given, Mapping):
        return [item for part in given.values() for item in _as_list(part)]
    return list(given) if isinstance(given, list | tuple) else [given]


def _free(name: str, taken: Mapping[str, Node]) -> str:
    count = 1
    found = name
    while found in taken:
        found, count = f"{name}_{count}", count + 1
    return found
