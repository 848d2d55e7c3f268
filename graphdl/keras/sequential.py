"""Models whose layers stand one behind the other."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from graphdl.errors import GraphError
from graphdl.ir.node import Node
from graphdl.ir.origin import current_origin, origin
from graphdl.keras import data
from graphdl.keras.family import Family, close_family
from graphdl.keras.layer import Layer, LayerOutput
from graphdl.keras.layers import InputLayer
from graphdl.keras.model import Model


class Sequential(Model):
    """Layers one behind the other. Without an input shape, the first data that come decide it."""

    default_name = "sequential"
    is_chain = True

    def __init__(self, layers: Iterable[Any] = (), name: str | None = None) -> None:
        self.name = name or self.default_name
        self.family = Family()
        self.written = current_origin()
        self._stack: list[Any] = []
        self._last: Node | None = None
        self._training = None
        self.history = None
        self.last_fit = None
        for layer in layers:
            self.add(layer)

    def add(self, layer: Any) -> None:
        """Put `layer` behind the others."""
        if not isinstance(layer, Layer | LayerOutput):
            raise GraphError(f"{self.name}.add takes layers, found {layer!r:.60}, a {type(layer).__name__}")
        if isinstance(layer, LayerOutput) and self._stack:
            raise GraphError(f"{self.name}: keras.Input comes first, found it behind {self._stack[-1]!r}")
        self._stack.append(layer)
        if isinstance(layer, LayerOutput):
            self._begin(layer, 1)
        elif self._last is not None:
            self._extend(layer)
        elif len(self._stack) == 1 and (isinstance(layer, InputLayer) or layer.input_shape_hint is not None):
            self._begin_with(layer)

    @property
    def is_built(self) -> bool:
        """Whether the input shape is known."""
        return self._last is not None

    @property
    def layers(self) -> list[Layer]:
        """The layers, without the input."""
        found = [layer.call.layer if isinstance(layer, LayerOutput) else layer for layer in self._stack]
        return [layer for layer in dict.fromkeys(found) if not isinstance(layer, InputLayer)]

    def build(self, input_shape: Sequence[int | None]) -> None:
        """Build for batches of this shape, whose first size is None."""
        if not self.is_built:
            with origin(self.written):
                self._begin_with(InputLayer(tuple(input_shape[1:])))

    def __getattr__(self, name: str) -> Any:
        if name in ("inputs", "outputs", "output_names"):
            raise GraphError(
                f"{self.name} has no input shape yet; begin it with keras.Input(shape=(...)), or call fit with data"
            )
        raise AttributeError(f"{type(self).__name__!r} object has no attribute {name!r}")

    def build_for(self, x: Any) -> None:
        """Without an input shape, take that of the examples `x`."""
        if self.is_built:
            return
        if not self._stack:
            raise GraphError(f"{self.name} has no layers; add some first")
        with origin(self.written):
            self._begin_with(InputLayer(data.example_shape(x)))

    def _begin_with(self, first: Layer) -> None:
        """The placeholder for the first layer, and the layers there are."""
        entry = first if isinstance(first, InputLayer) else InputLayer(first.input_shape_hint)
        with origin(self.written):
            self._begin(entry.placeholder(self.family, "x"), int(entry is first and entry in self._stack))

    def _begin(self, start: LayerOutput, skip: int) -> None:
        self.family = start.call.family
        self._last = start
        self._start = start
        self._connect(start, start)
        close_family()
        for layer in self._stack[skip:]:
            self._extend(layer)

    def _extend(self, layer: Layer) -> None:
        assert self._last is not None
        if isinstance(layer, InputLayer):
            raise GraphError(f"{self.name}: {layer!r} comes first, found it behind other layers")
        self._last = layer(self._last)
        self._connect(self._start, self._last)
