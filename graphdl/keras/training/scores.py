"""The numbers that are made of the outputs: losses, their sum, and metrics."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from graphdl.errors import GraphError, ShapeError, listed
from graphdl.ir.leaves import Variable, constant
from graphdl.ir.node import Node
from graphdl.ir.origin import name_scope
from graphdl.ir.text import plain
from graphdl.keras import metrics
from graphdl.keras.calls import mask_of
from graphdl.keras.family import unused
from graphdl.keras.losses.loss import weight_like
from graphdl.keras.training.heads import Head
from graphdl.ops.shape import broadcast_to, cast


@dataclass(frozen=True)
class Scores:
    """The loss and the other numbers that are watched, by their names in the history; the loss is the first.

    `totals` are what metrics add up over the batches of an epoch: variables with their new values. `running` are the
    names of the numbers made of them, which are true of the epoch so far and not of the batch alone.
    """

    loss: Node
    metrics: dict[str, Node]
    totals: dict[Node, Node] = field(default_factory=dict)
    running: frozenset[str] = frozenset()

    @property
    def nodes(self) -> tuple[Node, ...]:
        """Loss, then metrics."""
        return (self.loss, *self.metrics.values())

    @property
    def names(self) -> tuple[str, ...]:
        """The keys of the history."""
        return ("loss", *self.metrics)


def scores_of(heads: Sequence[Head], added: Sequence[Node], names: Sequence[str], training: bool) -> Scores:
    """The losses of the outputs with their weights and the terms that layers have added; and the metrics."""
    several = len(heads) > 1
    parts: dict[str, Node] = {}
    watched: dict[str, Node] = {}
    totals: dict[Node, Node] = {}
    running = set()
    for head in heads:
        y_pred = head.trained if training else head.inferred
        prefix = f"{head.name}_" if several else ""
        with name_scope(f"{prefix}loss" if several else "loss"):
            parts[f"{prefix}loss"] = _loss(head, y_pred)
        for metric, weight, second in _watched(head):
            made = metrics.get(metric, head.target, y_pred)
            taken = f"{prefix}{made.name}" in watched
            name = unused(f"{prefix}{second if taken else ''}{made.name}", watched)
            with name_scope(name):
                watched[name], sums = _measured(made, head, y_pred, weight)
            _check_number(name, watched[name])
            totals |= sums
            running |= {name} if sums else set()
    with name_scope("loss"):
        total = _weighted([*parts.values(), *added], [*(head.weight for head in heads), *(1.0 for _ in added)], names)
    return Scores(total, {**(parts if several else {}), **watched}, totals, frozenset(running))


def _watched(head: Head) -> Iterator[tuple[Any, Node | None, str]]:
    """Each metric with the weights of the examples, if they count for it, and what tells it from one without."""
    for metric in head.metrics:
        yield metric, None, ""
    for metric in head.weighted_metrics:
        yield metric, head.sample_weight, "weighted_"


def _loss(head: Head, y_pred: Node) -> Node:
    """The loss of one output; with weights of the examples, and without what the mask of its predictions leaves out."""
    weight, mask = head.sample_weight, mask_of(head.inferred)
    if weight is None and mask is None:
        return head.loss(head.target, y_pred)
    return head.loss(head.target, y_pred, weight, mask)


def _measured(metric: Any, head: Head, y_pred: Node, weight: Node | None) -> tuple[Node, dict[Node, Node]]:
    """A metric, and what it adds up over the batches: nothing, where it is a mean over the batch."""
    try:
        if not hasattr(metric, "sums"):
            weight = _there(mask_of(head.inferred), weight, y_pred)
        if weight is None and not hasattr(metric, "sums"):
            return metric.batch(head.target, y_pred), {}
        return _running(metric.parts(head.target, y_pred, weight), metric.of_sums)
    except ShapeError as error:
        raise GraphError(_no_metric(metric, head)) from error


def _there(mask: Node | None, weight: Node | None, y_pred: Node) -> Node | None:
    """Weights that leave out what the mask of the predictions leaves out, as means do in Keras."""
    if mask is None:
        return weight
    there = cast(mask, y_pred.dtype)
    return there if weight is None else there * weight_like(weight, there)


def _running(sums: Mapping[str, Node], result: Callable[[dict[str, Node]], Node]) -> tuple[Node, dict[Node, Node]]:
    """What `result` makes of the sums over all batches up to this one, and the variables that hold them."""
    after: dict[str, Node] = {}
    totals: dict[Node, Node] = {}
    for name, batch in sums.items():
        start = broadcast_to(constant(0, batch.dtype), batch.shape)
        held = Variable(start, batch.dtype, trainable=False, name=name)
        after[name] = totals[held] = held + batch
    return result(after), totals


def _check_number(name: str, value: Node) -> None:
    if value.ndim:
        raise GraphError(
            f"metric {plain(name)!r} gives {value.type}, expected one number; say how the classes are averaged, as in "
            "F1Score(average='macro') or R2Score(class_aggregation='uniform_average')"
        )


def _no_metric(metric: Any, head: Head) -> str:
    what = f"metric {plain(metric.name)!r} compares predictions {head.inferred.type} with targets {head.target.type}"
    if not head.loss.takes_classes:
        return f"{what}, whose shapes do not fit"
    classes = head.inferred.shape[-1]
    return (
        f"{what}, the class numbers that {head.loss.name} takes; watch 'accuracy' instead, or give rows of "
        f"probabilities as targets: loss='categorical_crossentropy' with keras.utils.to_categorical(y, {classes})"
    )


def _weighted(parts: list[Node], weights: list[float], names: Sequence[str]) -> Node:
    if not parts:
        raise GraphError(f"compile: no output has a loss; the outputs are {listed(names)}")
    terms = [part if weight == 1 else part * weight for part, weight in zip(parts, weights, strict=True)]
    total = terms[0]
    for term in terms[1:]:
        total = total + term
    if total.ndim or not total.tensor.is_float:
        raise GraphError(f"the loss is {total.type}, expected one float")
    return total
