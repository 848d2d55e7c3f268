"""The outputs of a compiled model with their losses and metrics, and the numbers that are made of them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, NamedTuple

from graphdl.errors import GraphError, ShapeError, did_you_mean, listed
from graphdl.ir.leaves import Placeholder, Variable, constant
from graphdl.ir.node import Node
from graphdl.ir.op import build
from graphdl.ir.origin import name_scope
from graphdl.ir.text import plain
from graphdl.ir.types import TensorType
from graphdl.keras import losses, metrics
from graphdl.keras.losses import Loss
from graphdl.keras.tracing import mask_of
from graphdl.ops.shape import broadcast_to


class Wanted(NamedTuple):
    """What `compile` was told to make small and to watch, for one output or for several by name or in order."""

    loss: Any = None
    metrics: Any = None
    loss_weights: Any = None
    weighted_metrics: Any = None


@dataclass(frozen=True)
class Head:
    """An output with its loss: `target` is fed, `trained` and `inferred` are the predictions in the two graphs.

    `sample_weight` is fed too, where examples have weights.
    """

    name: str
    loss: Loss
    weight: float
    metrics: tuple[Any, ...]
    target: Node
    trained: Node
    inferred: Node
    sample_weight: Node | None = None
    weighted_metrics: tuple[Any, ...] = ()


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


def heads_of(
    names: Sequence[str],
    trained: Sequence[Node],
    inferred: Sequence[Node],
    wanted: Wanted,
    known: Sequence[Head] = (),
) -> tuple[Head, ...]:
    """The outputs that have a loss, with a placeholder for the target of each; those of `known` are fed already."""
    if known:
        now = dict(zip(names, trained, strict=True))
        return tuple(replace(head, trained=now[head.name]) for head in known)
    by_loss = _by_output("loss", wanted.loss, names, spread=not isinstance(wanted.loss, list | tuple | dict))
    by_metric, by_weighted = (
        _metrics_by_output(what, given, names)
        for what, given in (("metrics", wanted.metrics), ("weighted_metrics", wanted.weighted_metrics))
    )
    by_weight = _by_output("loss_weights", wanted.loss_weights, names, spread=False)
    made = []
    for name, in_training, in_inference in zip(names, trained, inferred, strict=True):
        if by_loss.get(name) is None:
            continue
        found = losses.get(by_loss[name])
        with name_scope(""):
            own = "y" if len(names) == 1 else f"y_{name}"
            target = build(Placeholder(found.target_type(in_inference)), name=own)
        made.append(
            Head(
                name,
                found,
                1.0 if by_weight.get(name) is None else float(by_weight[name]),
                tuple(_as_list(by_metric.get(name))),
                target,
                in_training,
                in_inference,
                weighted_metrics=tuple(_as_list(by_weighted.get(name))),
            )
        )
    return tuple(made)


def with_sample_weights(head: Head, axes: int) -> Head:
    """The same head with a placeholder for weights: one for each example, or for each of `axes` axes of the target."""
    name = head.target.name or "y"
    kind = TensorType(head.inferred.dtype, head.target.shape[: max(axes, 1)])
    with name_scope(""):
        return replace(head, sample_weight=build(Placeholder(kind), name=f"{name}_weight"))


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
            name = _free(f"{prefix}{second if taken else ''}{made.name}", watched)
            with name_scope(name):
                watched[name], sums = _measured(made, head, y_pred, weight)
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
        if weight is None and not hasattr(metric, "sums"):
            return metric.batch(head.target, y_pred), {}
        return _running(metric.parts(head.target, y_pred, weight), metric.of_sums)
    except ShapeError as error:
        raise GraphError(_no_metric(metric, head)) from error


def _running(sums: Mapping[str, Node], result: Callable[[dict[str, Node]], Node]) -> tuple[Node, dict[Node, Node]]:
    """What `result` makes of the sums over all batches up to this one, and the variables that hold them."""
    after: dict[str, Node] = {}
    totals: dict[Node, Node] = {}
    for name, batch in sums.items():
        start = broadcast_to(constant(0, batch.dtype), batch.shape)
        held = Variable(start, batch.dtype, trainable=False, name=name)
        after[name] = totals[held] = held + batch
    return result(after), totals


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


def _metrics_by_output(what: str, given: Any, names: Sequence[str]) -> dict[str, Any]:
    """The metrics of each output; a plain list that does not fit the outputs is meant for all of them."""
    if len(names) == 1 and not isinstance(given, Mapping):
        inner = isinstance(given, list | tuple) and len(given) == 1 and isinstance(given[0], list | tuple)
        return {names[0]: given[0] if inner else given}
    flat = isinstance(given, list | tuple) and not any(isinstance(part, list | tuple | dict | None) for part in given)
    if isinstance(given, str) or callable(given) or (flat and len(given) != len(names)):
        return dict.fromkeys(names, given)
    return _by_output(what, given, names, spread=False)


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
    if spread or (len(names) == 1 and not isinstance(given, list | tuple)):
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
