"""The outputs of a compiled model that have a loss: what `compile` says of each, and the target it is fed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, NamedTuple

from graphdl.errors import GraphError, did_you_mean, listed
from graphdl.ir.leaves import Placeholder
from graphdl.ir.node import Node
from graphdl.ir.op import build
from graphdl.ir.origin import name_scope
from graphdl.ir.types import TensorType
from graphdl.keras import losses
from graphdl.keras.losses import Loss


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


def heads_of(
    names: Sequence[str], trained: Sequence[Node], inferred: Sequence[Node], wanted: Wanted
) -> tuple[Head, ...]:
    """The outputs that have a loss, with a placeholder for the target of each."""
    by_loss = _by_output("loss", wanted.loss, names, spread=not isinstance(wanted.loss, list | tuple | dict))
    by_metric = _metrics_by_output("metrics", wanted.metrics, names)
    by_weighted = _metrics_by_output("weighted_metrics", wanted.weighted_metrics, names)
    by_weight = _by_output("loss_weights", wanted.loss_weights, names, spread=False)
    made = []
    for name, in_training, in_inference in zip(names, trained, inferred, strict=True):
        if by_loss.get(name) is None:
            continue
        loss, weight = losses.get(by_loss[name]), by_weight.get(name)
        made.append(
            Head(
                name,
                loss,
                1.0 if weight is None else float(weight),
                tuple(_as_list(by_metric.get(name))),
                _target(loss, in_inference, "y" if len(names) == 1 else f"y_{name}"),
                in_training,
                in_inference,
                weighted_metrics=tuple(_as_list(by_weighted.get(name))),
            )
        )
    return tuple(made)


def _target(loss: Loss, y_pred: Node, name: str) -> Node:
    with name_scope(""):
        return build(Placeholder(loss.target_type(y_pred)), name=name)


def retrained(heads: Sequence[Head], names: Sequence[str], trained: Sequence[Node]) -> tuple[Head, ...]:
    """The same heads, fed alike, over other outputs of the training graph."""
    now = dict(zip(names, trained, strict=True))
    return tuple(replace(head, trained=now[head.name]) for head in heads)


def with_sample_weights(head: Head, axes: int) -> Head:
    """The same head with a placeholder for weights: one for each example, or for each of `axes` axes of the target."""
    name = head.target.name or "y"
    kind = TensorType(head.inferred.dtype, head.target.shape[: max(axes, 1)])
    with name_scope(""):
        return replace(head, sample_weight=build(Placeholder(kind), name=f"{name}_weight"))


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
