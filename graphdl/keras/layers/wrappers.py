"""Layers around a layer: in both directions of time, and for each step."""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any

from graphdl.errors import GraphError, ShapeError
from graphdl.ir.node import Node
from graphdl.keras.calls import nodes_in
from graphdl.keras.layer import Layer
from graphdl.keras.layers.recurrent import RNN
from graphdl.keras.lookup import by_name
from graphdl.ops.parts import concat
from graphdl.ops.shape import reshape

_MERGED: dict[str, Callable[[Node, Node], Node]] = {
    "concat": lambda a, b: concat([a, b], axis=-1),
    "sum": lambda a, b: a + b,
    "mul": lambda a, b: a * b,
    "ave": lambda a, b: (a + b) / 2,
}


class Bidirectional(Layer):
    """A recurrent layer run forward, and one like it run backward in time; the results of a step are merged.

    `merge_mode`      "concat", "sum", "mul" or "ave"; None gives both
    `backward_layer`  another layer for the way back, with `go_backwards`
    `weights`         arrays to begin with: those of the forward, then those of the backward layer
    The layer itself is copied, so its weights are not shared. Initial states are those of the forward, then of the
    backward layer; so are the states that `return_state` adds. Results at steps that are masked are zeros.
    """

    supports_masking = True

    def __init__(
        self,
        layer: RNN,
        merge_mode: str | None = "concat",
        weights: Any = None,
        backward_layer: RNN | None = None,
        **arguments: Any,
    ) -> None:
        if isinstance(layer, RNN) and layer.input_shape_hint is not None:
            arguments.setdefault("batch_input_shape", (layer.batch_size_hint, *layer.input_shape_hint))
        super().__init__(**arguments)
        self.merge_mode = merge_mode if merge_mode is None else _known(merge_mode)
        self.forward_layer = _copied(layer, "forward")
        if backward_layer is None:
            self.backward_layer = _copied(layer, "backward")
            self.backward_layer.go_backwards = True
        else:
            self.backward_layer = _checked(backward_layer)
        for part in (self.forward_layer, self.backward_layer):
            part.zero_output_for_mask = part.return_sequences
        self._check_pair()
        if weights is not None:
            half = len(weights) // 2
            self.forward_layer.begin_with(list(weights[:half]))
            self.backward_layer.begin_with(list(weights[half:]))

    @property
    def return_sequences(self) -> bool:
        """Whether the results of all steps are given."""
        return self.forward_layer.return_sequences

    @property
    def return_state(self) -> bool:
        """Whether the last states are given too."""
        return self.forward_layer.return_state

    @property
    def differs_in_training(self) -> bool:
        """Whether one of the layers does."""
        return any(part.differs_in_training for part in self.parts)

    def compute_mask(self, inputs: Any, mask: Any = None) -> Any:
        """Results of all steps are there where the steps are."""
        of_results = mask if self.return_sequences else None
        return [of_results, of_results] if self.merge_mode is None else of_results

    def call(self, x: Node, initial_state: Any = None, mask: Node | None = None) -> Any:
        """The merged result, or a list with the last states behind it."""
        states = [None, None] if initial_state is None else _halves(initial_state)
        given: dict[str, Any] = {} if mask is None else {"mask": mask}
        ahead, back = (
            layer(x, initial_state=state, in_order=True, **given)
            for layer, state in zip((self.forward_layer, self.backward_layer), states, strict=True)
        )
        last = [*ahead[1:], *back[1:]] if self.return_state else []
        y, y_back = (ahead[0], back[0]) if self.return_state else (ahead, back)
        merged = [y, y_back] if self.merge_mode is None else [_MERGED[self.merge_mode](y, y_back)]
        return [*merged, *last] if len(merged) + len(last) > 1 else merged[0]

    def _check_pair(self) -> None:
        ahead, back = self.forward_layer, self.backward_layer
        if ahead.go_backwards == back.go_backwards:
            raise GraphError(f"{self.name}: both layers go the same way; give the backward_layer go_backwards=True")
        for name in ("return_sequences", "return_state", "stateful"):
            if getattr(ahead, name) != getattr(back, name):
                raise GraphError(f"{self.name}: {name} is {getattr(ahead, name)} forward, {getattr(back, name)} back")


class TimeDistributed(Layer):
    """`layer` applied to each step of sequences [N, T, ...] by itself: one call, on all N T steps."""

    supports_masking = True

    def __init__(self, layer: Layer, **arguments: Any) -> None:
        super().__init__(**arguments)
        if not isinstance(layer, Layer):
            raise GraphError(f"TimeDistributed takes a layer, found {layer!r:.60}")
        self.layer = layer

    @property
    def differs_in_training(self) -> bool:
        """Whether the layer does."""
        return bool(self.layer.differs_in_training)

    def check(self, x: Node) -> None:
        """Refuse what has no steps."""
        if x.ndim < 3:
            raise ShapeError(f"{self.name}: found {x.type}, expected sequences [N, T, ...]")

    def call(self, x: Node) -> Node:
        """The layer's results, step by step."""
        y = self.layer(reshape(x, (-1, *x.shape[2:])))
        (result,) = nodes_in(y)
        return reshape(result, (*x.shape[:2], *result.shape[1:]))


def _checked(layer: RNN) -> RNN:
    if not isinstance(layer, RNN):
        raise GraphError(f"Bidirectional takes a recurrent layer such as LSTM(32), found {layer!r:.60}")
    return layer


def _copied(layer: RNN, way: str) -> RNN:
    if _checked(layer).built:
        raise GraphError(
            f"Bidirectional: {layer.name} has been called already; give it a layer that has no weights yet"
        )
    made = copy.deepcopy(layer)
    made.name = made.given_name = f"{way}_{layer.name}"
    return made


def _halves(states: Any) -> list[Any]:
    if not isinstance(states, list | tuple) or len(states) % 2:
        raise GraphError(
            "Bidirectional: initial_state is a list, the forward layer's states, then the backward layer's"
        )
    half = len(states) // 2
    return [list(states[:half]), list(states[half:])]


def _known(mode: str) -> str:
    return by_name("merge mode", mode, {name: name for name in _MERGED})


__all__ = ["Bidirectional", "TimeDistributed"]
