"""Models whose layers stand one behind the other."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from graphdl.errors import GraphError
from graphdl.ir.node import Node
from graphdl.ir.origin import origin
from graphdl.keras.calls import LayerOutput
from graphdl.keras.family import Family, close_family
from graphdl.keras.fitting import data
from graphdl.keras.layer import Layer
from graphdl.keras.layers.core import InputLayer
from graphdl.keras.models.model import Model


class Sequential(Model):
    """Layers one behind the other. Without an input shape, the first data that come decide it."""

    default_name = "sequential"
    is_chain = True

    def __init__(
        self, layers: Iterable[Any] | None = None, name: str | None = None, trainable: bool = True, **arguments: Any
    ) -> None:
        super().__init__(name=name, **arguments)
        self.family = Family()
        self._stack: list[Any] = []
        self._chain: list[Node] = []
        for layer in layers or ():
            self.add(layer)
        if not trainable:
            self.trainable = False

    def add(self, layer: Any) -> None:
        """Put `layer` behind the others."""
        if not isinstance(layer, Layer | LayerOutput):
            raise GraphError(f"{self.name}.add takes layers, found {layer!r:.60}, a {type(layer).__name__}")
        if isinstance(layer, LayerOutput) and self._stack:
            raise GraphError(f"{self.name}: keras.Input comes first, found it behind {self._stack[-1]!r}")
        self._stack.append(layer)
        self.parts = self.layers
        if isinstance(layer, LayerOutput):
            self._begin(layer, 1)
        elif self._chain:
            self._extend(layer)
        elif len(self._stack) == 1 and _first_shape(layer) is not None:
            self._begin_with(layer)

    def pop(self) -> Layer | None:
        """Take the last layer away; it keeps its weights."""
        if not self.layers:
            return None
        last: Layer = self._stack.pop()
        self.parts = self.layers
        if self._chain:
            self._chain.pop()
            self._connect(self._chain[0], self._chain[-1])
        return last

    @property
    def is_built(self) -> bool:
        """Whether the input shape is known."""
        return bool(self.__dict__.get("_chain"))

    @property
    def layers(self) -> list[Layer]:
        """The layers, without the input."""
        found = [layer.call.layer if isinstance(layer, LayerOutput) else layer for layer in self._stack]
        return [layer for layer in dict.fromkeys(found) if not isinstance(layer, InputLayer)]

    def build(self, input_shape: Any) -> None:
        """Build for batches of this shape, whose first size is None."""
        if not self.is_built:
            with origin(self.written):
                self._begin_with(InputLayer(tuple(input_shape[1:])))

    def build_for(self, x: Any) -> None:
        """Without an input shape, take that of the examples `x`."""
        if self.is_built:
            return
        if not self._stack:
            raise GraphError(f"{self.name} has no layers; add some first")
        with origin(self.written):
            self._begin_with(InputLayer(data.example_shape(x)))

    def call(self, inputs: Any, mask: Any = None) -> Any:
        """Every layer on the result of the one before it."""
        for layer in self.layers:
            inputs = layer(inputs)
        return inputs

    def _begin_with(self, first: Layer) -> None:
        """The placeholder for the first layer, and the layers there are."""
        entry = first if isinstance(first, InputLayer) else InputLayer(_first_shape(first), _first_count(first))
        assert self.family is not None
        with origin(self.written):
            self._begin(entry.placeholder(self.family, "x"), int(entry is first and entry in self._stack))

    def _begin(self, start: LayerOutput, skip: int) -> None:
        self.family = start.call.family
        self._chain = [start]
        self._connect(start, start)
        close_family()
        for layer in self._stack[skip:]:
            self._extend(layer)

    def _extend(self, layer: Layer) -> None:
        if isinstance(layer, InputLayer):
            raise GraphError(f"{self.name}: {layer!r} comes first, found it behind other layers")
        self._chain.append(layer(self._chain[-1]))
        self._connect(self._chain[0], self._chain[-1])


def _first_shape(layer: Layer) -> Sequence[int | None] | None:
    """The shape of one example that a first layer says, if it says one."""
    if isinstance(layer, InputLayer):
        return layer.shape
    if isinstance(layer, Model) and layer.is_built:
        return tuple(size if isinstance(size, int) else None for size in layer.input.shape[1:])
    return layer.input_shape_hint


def _first_count(layer: Layer) -> int | None:
    """The batch size that a first layer says, if it says one."""
    if isinstance(layer, Model) and layer.is_built:
        size = layer.input.shape[0]
        return size if isinstance(size, int) else None
    return layer.batch_size_hint
