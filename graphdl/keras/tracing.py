"""What layers leave behind while their nodes are built: terms of the loss, and new values of variables."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import TYPE_CHECKING, Any

from graphdl.ir.node import Node
from graphdl.ir.traverse import substitute
from graphdl.keras.calls import Call, LayerOutput, mapped, mask_of
from graphdl.keras.family import Family

if TYPE_CHECKING:
    from graphdl.keras.layer import Layer


class Tracing:
    """What layers leave behind while their nodes are built: terms of the loss, and new values of variables."""

    def __init__(self, training: bool, family: Family) -> None:
        self.training = training
        self.family = family
        self.inside: list[Layer] = []
        self.losses: list[Node] = []
        self.values: dict[Node, Node] = {}
        # Those of the variables that predictions change as well.
        self.lasting: set[Node] = set()
        # How often those who draw random numbers have drawn.
        self._draws: Counter[Any] = Counter()

    def count(self, drawer: Any) -> int:
        """Which of the draws of `drawer` in this graph comes now, from 0."""
        self._draws[drawer] += 1
        return self._draws[drawer] - 1

    @property
    def updates(self) -> dict[Node, Node]:
        """What is changed in every program."""
        return {variable: self.values[variable] for variable in self.values if variable in self.lasting}

    @contextmanager
    def of(self, layer: Layer) -> Iterator[None]:
        """Nodes built inside are those of `layer`."""
        token = _tracing.set(self)
        self.inside.append(layer)
        try:
            yield
        finally:
            self.inside.pop()
            _tracing.reset(token)


_tracing: ContextVar[Tracing | None] = ContextVar("tracing", default=None)


def current_tracing() -> Tracing | None:
    """Where the layer whose `call` is running leaves its losses and updates; None outside of all layers."""
    return _tracing.get()


def results_of(result: Any, call: Call, tracing: Tracing) -> Any:
    """What a layer gave, with each node remembering the call; losses and updates read these nodes too."""
    became: dict[Node, Node] = {}

    def remember(node: Node) -> Node:
        if node not in became:
            became[node] = LayerOutput.of(node, call, len(became), mask_of(node))
        return became[node]

    made = mapped(remember, result)
    own = {node: new for node, new in became.items() if node not in call.inputs}
    call.losses = substitute(tracing.losses, own) if tracing.losses else ()
    updates = tracing.updates
    call.updates = dict(zip(updates, substitute(updates.values(), own), strict=True))
    return made
