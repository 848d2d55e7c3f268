"""One program that measures a model on fixed examples without changing anything: what snapshots are made of."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import numpy as np

from graphdl.draw.training.recording import Layer, Number, Weight
from graphdl.ir.dim import numel
from graphdl.ir.node import Node
from graphdl.keras.calls import LayerOutput

if TYPE_CHECKING:
    from graphdl.keras.models import Model

Array = np.ndarray[Any, Any]

ACTIVATIONS = frozenset(
    (
        "sigmoid",
        "tanh",
        "relu",
        "leaky_relu",
        "elu",
        "selu",
        "gelu",
        "silu",
        "softplus",
        "exp",
        "softmax",
        "log_softmax",
    )
)
# Random numbers are drawn as in this step, whichever step it is: masks are the same in all snapshots.
_STEP = 0


@dataclass(frozen=True)
class Row:
    """A layer with a kernel and the node its activation function ends in."""

    layer: Layer
    node: Node
    variables: tuple[Node, ...]


@dataclass(frozen=True)
class Measured:
    """What one run of the probe found; arrays by variable or by layer."""

    scores: dict[str, Number]
    weights: list[Array]
    gradients: list[Array]
    proposed: list[Array]
    activations: list[Array]


class Probe:
    """Fetches scores, gradients, activations and proposed weights of a compiled model in one run.

    The gradients are those of the training loss, dropout included; scores and activations are those of inference.
    Make it before training begins: the model's own program is compiled first, so that it is what it would be alone.
    """

    def __init__(self, model: Model, examples: Mapping[Node, Array]) -> None:
        self.model = model
        self.plan = plan = model.training
        self.session = plan.train.session
        model.optimizer.set_rate(self.session)
        self.rows = rows(model)
        self.variables = plan.variables
        proposed = dict(plan.updates.pairs)
        self.parts = {
            "scores": plan.evaluation.nodes,
            "weights": self.variables,
            "gradients": plan.gradients if self.variables else (),
            "proposed": tuple(proposed[v] for v in self.variables),
            "activations": tuple(row.node for row in self.rows),
        }
        fetches = list(dict.fromkeys(node for part in self.parts.values() for node in part))
        self.places = {node: place for place, node in enumerate(fetches)}
        self.program = self.session.compile(fetches)
        self.examples = dict(examples)
        self.count = len(next(iter(self.examples.values())))

    def weights(self) -> tuple[Weight, ...]:
        """The trained variables, with their layers."""
        names = self.session.state.names
        owner = {v: place for place, row in enumerate(self.rows) for v in row.variables}
        kernels = {kernel_of(row.variables) for row in self.rows}
        return tuple(Weight(names[v], owner.get(v), v in kernels, tuple(map(int, v.shape))) for v in self.variables)

    def measure(self) -> Measured:
        """What is true of the model now."""
        feeds = [self.examples[node] for node in self.program.placeholders]
        values = self._run(self.program, feeds, self.count)
        found = {key: [values[self.places[node]] for node in nodes] for key, nodes in self.parts.items()}
        scores = dict(zip(self.plan.names, map(finite, found.pop("scores")), strict=True))
        return Measured(scores, **found)

    def predict(self, points: Array) -> Array:
        """The first output for these inputs of the one input."""
        return self._run(self.model.prediction, [points], len(points))[0]

    def _run(self, program: Any, feeds: list[Array], n: int) -> list[Array]:
        """The fetches as arrays of our own. Neither the step nor a variable changes."""
        target = self.session.target
        with program.stepping():
            step = program.bind({"N": n})
            values = step((self.session.seed, _STEP), *[target.to_device(feed) for feed in feeds])
            return [np.array(target.to_host(value)) for value in values]


def rows(model: Model) -> tuple[Row, ...]:
    """The layers with kernels in the order they were called, each with the activation that follows it."""
    following = {node.call.inputs[0]: node for node in model.calls if _is_activation(node)}
    found: dict[Any, Row] = {}
    for node in model.calls:
        layer = node.call.layer
        if layer not in found and kernel_of(tuple(layer.weights)) is not None:
            end = node if activation_of(node) else following.get(node, node)
            found[layer] = Row(Layer(layer.name, activation_of(end), _units(end)), end, tuple(layer.weights))
    return tuple(found.values())


def _is_activation(node: LayerOutput) -> bool:
    """Whether `node` is the result of a layer without weights that is an activation function and no more."""
    return bool(node.call.inputs and not node.call.layer.weights and activation_of(node))


def kernel_of(variables: tuple[Node, ...]) -> Node | None:
    """The first trained variable with two axes or more."""
    return next((v for v in variables if v.ndim > 1 and getattr(v.op, "trainable", True)), None)


def activation_of(node: Node) -> str:
    """The name of the activation function that `node` is the result of, "" for any other node."""
    return node.op.name if node.op.name in ACTIVATIONS else ""


def is_chain(model: Model) -> bool:
    """Whether every layer has its input from the one before it alone."""
    calls = model.calls
    return all(call.call.inputs == (before,) for before, call in pairwise(calls))


def _units(node: LayerOutput) -> int:
    units = numel(node.shape[1:])
    return units if isinstance(units, int) else 0


def norm(array: Array) -> Number:
    """The Euclidean norm of all elements, in double precision."""
    return finite(math.sqrt(float(np.square(array.astype(np.float64)).sum())))


def finite(value: Any) -> Number:
    """`value` as a float, None where it is not finite."""
    number = float(value)
    return number if math.isfinite(number) else None
