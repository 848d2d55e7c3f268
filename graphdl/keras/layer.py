"""What layers have in common: a name, weights, and calls that build graph nodes in the layer's scope."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from graphdl.config import floatx
from graphdl.errors import GraphError, ShapeError
from graphdl.ir.dim import numel
from graphdl.ir.leaves import Variable
from graphdl.ir.node import Node
from graphdl.ir.op import build
from graphdl.ir.origin import at_scope, current_origin, origin
from graphdl.ir.traverse import ancestors
from graphdl.ir.types import FLOATS, as_dtype
from graphdl.keras import initializers
from graphdl.keras.family import Family
from graphdl.keras.lookup import refuse_unknown
from graphdl.ops.shape import Reshape


@dataclass(frozen=True)
class Call:
    """One use of a layer: what it was called on, and whose family the result belongs to."""

    layer: Layer
    inputs: tuple[Node, ...]
    family: Family


class LayerOutput(Node):
    """A node that is the result of a layer, and remembers which."""

    __slots__ = ("call",)
    call: Call

    @classmethod
    def of(cls, node: Node, call: Call) -> LayerOutput:
        """`node` with the layer that made it; a node that the layer did not build is passed on by a reshape."""
        if node in call.inputs or isinstance(node, LayerOutput):
            node = build(Reshape(node.shape), node, name="identity")
        made = cls(node.op, node.inputs, node.type, node.name, node.scope, node.origin, node.place)
        object.__setattr__(made, "call", call)
        return made


class Layer:
    """A piece of a network. Subclasses make their weights in `build` and their nodes in `call`.

    Calling a layer on a node builds its nodes in the scope of its name. Called again, it uses the same weights.
    """

    def __init__(self, *, name: str | None = None, trainable: bool = True, dtype: Any = None, **arguments: Any) -> None:
        self.given_name = name
        self.name = name or snake_case(type(self).__name__)
        self.trainable = trainable
        self.dtype = as_dtype(dtype or floatx())
        self.given_dtype = dtype is not None
        self.weights: list[Node] = []
        self.family: Family | None = None
        self.input_shape_hint = _shape_hint(type(self).__name__, arguments)
        self.written = current_origin()
        refuse_unknown(type(self).__name__, arguments, ("name", "trainable", "dtype", "input_shape", "input_dim"))

    def build(self, x: Node) -> None:
        """Make the weights for inputs like `x`."""

    def call(self, x: Node, training: bool = False) -> Node:
        """The result for `x`; `training` where it differs in training."""
        raise NotImplementedError

    @property
    def differs_in_training(self) -> bool:
        """Whether the layer's result differs between training and inference."""
        return False

    def __call__(self, inputs: Any, training: bool = False) -> Node:
        """The layer's result for `inputs`, a node."""
        if not isinstance(inputs, Node):
            raise GraphError(
                f"{self.name} is called on a {type(inputs).__name__}, expected a node such as keras.Input(...)"
            )
        family = self._join(inputs)
        with at_scope(self.name), origin(self.written):
            if not self.weights:
                self._follow(inputs)
                self.build(inputs)
            return LayerOutput.of(self.call(inputs, training=training), Call(self, (inputs,), family))

    @property
    def trainable_weights(self) -> list[Node]:
        """Weights that training changes."""
        return [w for w in self.weights if self.trainable and getattr(w.op, "trainable", True)]

    @property
    def variables(self) -> list[Node]:
        """All weights."""
        return list(self.weights)

    def count_params(self) -> int:
        """How many numbers the weights hold."""
        return sum(count_elements(w) for w in self.weights)

    def get_weights(self) -> list[np.ndarray[Any, Any]]:
        """The present values of the weights."""
        if self.family is None:
            return []
        session = self.family.start(self.weights)
        return [session.value(w) for w in self.weights]

    def set_weights(self, values: Sequence[Any]) -> None:
        """Set the weights, in the order of `get_weights`."""
        arrays = [np.asarray(value) for value in values]
        found, expected = [a.shape for a in arrays], [w.shape for w in self.weights]
        if found != expected:
            raise GraphError(f"{self.name}.set_weights: found arrays of shapes {found}, expected {expected}")
        if self.family is not None:
            session = self.family.start(self.weights)
            for weight, array in zip(self.weights, arrays, strict=True):
                session.assign(weight, array)

    def add_weight(
        self, shape: tuple[int, ...], initializer: Any = "glorot_uniform", name: str = "weight", trainable: bool = True
    ) -> Node:
        """A new variable of the layer, starting from what the initializer gives."""
        start = initializers.get(initializer)(shape, self.dtype)
        weight = Variable(start, self.dtype, trainable=trainable, name=name)
        self.weights.append(weight)
        return weight

    def __repr__(self) -> str:
        return f"<{type(self).__name__} name={self.name}>"

    def _follow(self, inputs: Node) -> None:
        """Compute in the precision of `inputs`, unless the layer was given one."""
        if not self.given_dtype and inputs.dtype in FLOATS:
            self.dtype = inputs.dtype

    def _join(self, inputs: Node) -> Family:
        """Belong to the family of `inputs`; an unnamed layer gets its number there."""
        family = family_of(inputs)
        if self.family is None:
            self.family = family
            if self.given_name is None:
                self.name = family.fresh(self.name)
        self.family.join(family)
        return self.family


def family_of(node: Node) -> Family:
    """The family of the layers that `node` depends on; a new one when there are none."""
    if isinstance(node, LayerOutput):
        return node.call.family
    found = [n.call.family for n in ancestors([node]) if isinstance(n, LayerOutput)]
    return found[-1] if found else Family()


def snake_case(name: str) -> str:
    """Keras' way from a class to a layer's name.

    >>> snake_case("InputLayer"), snake_case("ReLU"), snake_case("Dense")
    ('input_layer', 're_lu', 'dense')
    """
    return re.sub(r"(?<=[a-z])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])", "_", name).lower()


def as_example_shape(shape: Any, what: str) -> tuple[int | None, ...]:
    """The shape of one example, a tuple of integers."""
    if isinstance(shape, int | np.integer):
        raise ShapeError(f"{what}={shape!r} is a number, expected a tuple; write {what}=({shape},)")
    if not isinstance(shape, tuple | list):
        raise ShapeError(f"{what}={shape!r:.40} is a {type(shape).__name__}, expected a tuple such as (784,)")
    for size in shape:
        if size is not None and (isinstance(size, bool) or not isinstance(size, int | np.integer) or size < 1):
            raise ShapeError(f"{what}={tuple(shape)!r}: {size!r} is no size, expected integers from 1")
    return tuple(size if size is None else int(size) for size in shape)


def _shape_hint(layer: str, arguments: dict[str, Any]) -> tuple[int | None, ...] | None:
    """What `input_shape=` or `input_dim=` say, as older notes write on the first layer."""
    if "input_dim" in arguments:
        width = arguments.pop("input_dim")
        return as_example_shape((width,), f"{layer}: input_dim")
    if "input_shape" in arguments:
        return as_example_shape(arguments.pop("input_shape"), "input_shape")
    return None


def described(node: Node) -> str:
    """Shape of a layer's result as Keras prints it, with None for the batch."""
    sizes = [size if isinstance(size, int) else None for size in node.shape]
    return str(tuple(sizes))


def count_elements(variable: Node) -> int:
    """How many numbers the variable holds."""
    count = numel(variable.shape)
    assert isinstance(count, int)
    return count
