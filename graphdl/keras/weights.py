"""What holds weights: its own and those of its parts, in the order of Keras, with what keeps them small or bounded."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from graphdl.errors import GraphError, ShapeError
from graphdl.ir.dim import numel
from graphdl.ir.leaves import Variable, VariableLeaf
from graphdl.ir.node import Node
from graphdl.ir.origin import at_scope, name_scope, origin
from graphdl.ir.types import FLOATS, as_dtype
from graphdl.keras import constraints, initializers, regularizers
from graphdl.keras.family import Family
from graphdl.keras.tracing import current_tracing


class Weights:
    """Variables, and parts that hold variables of their own; attributes that are either become part of it."""

    name: str
    dtype: str

    def __init__(self, trainable: bool = True, starts: Sequence[Any] | None = None) -> None:
        self.parts: list[Any] = []
        self.own_weights: list[Node] = []
        self.regularizers: dict[Node, Any] = {}
        self.constraints: dict[Node, Any] = {}
        self.family: Family | None = None
        # Arrays that weights begin with, in the order in which they are made; None leaves it to initializers.
        self.starts = None if starts is None else list(starts)
        self.trainable = trainable

    def add_weight(
        self,
        shape: Any = (),
        initializer: Any = None,
        name: str | None = None,
        trainable: bool = True,
        dtype: Any = None,
        regularizer: Any = None,
        constraint: Any = None,
    ) -> Node:
        """A new variable of the layer, starting from what the initializer gives ("glorot_uniform").

        A regularizer adds a term to the loss; a constraint keeps the new values of training within bounds.
        """
        sizes, kind = self._fixed(shape), as_dtype(dtype or self.dtype)
        if self.starts is not None:
            initializer = self._next_start(name)
        elif initializer is None:
            initializer = "glorot_uniform" if kind in FLOATS else "zeros"
        start = initializers.get(initializer)(sizes, kind)
        with name_scope("" if current_tracing() else self.name):
            weight = Variable(start, kind, trainable=trainable, name=name or "weight")
        self.own_weights.append(weight)
        if regularizer is not None:
            self.regularizers[weight] = regularizers.get(regularizer)
        if constraint is not None:
            self.constraints[weight] = constraints.get(constraint)
        return weight

    def _fixed(self, shape: Any) -> tuple[int, ...]:
        if isinstance(shape, str):
            raise GraphError(f"add_weight: the shape comes first, found {shape!r}; write name={shape!r}")
        sizes = (shape,) if isinstance(shape, int) else tuple(shape)
        if not all(isinstance(size, int | np.integer) for size in sizes):
            raise ShapeError(f"{self.name}: the shape of a weight is {sizes}, expected fixed sizes")
        return tuple(map(int, sizes))

    def begin_with(self, weights: list[Any]) -> None:
        """Have the weights of the layer and its parts, not yet made, begin with these arrays in their order."""
        self.starts = weights
        for part in self.parts:
            part.begin_with(weights)

    def _check_starts(self) -> None:
        if self.starts:
            raise GraphError(f"{self.name}: weights has {len(self.starts)} arrays more than the layer has weights")
        for part in self.parts:
            part._check_starts()

    def _next_start(self, name: str | None) -> Any:
        assert self.starts is not None
        if not self.starts:
            raise GraphError(f"{self.name}: weights has no array for {name or 'the next weight'}")
        return np.asarray(self.starts.pop(0))

    @property
    def trainable(self) -> bool:
        """Whether training changes the weights; set False to freeze them. Parts of the layer follow."""
        return self._trainable

    @trainable.setter
    def trainable(self, value: bool) -> None:
        self._trainable = bool(value)
        for part in self.parts:
            part.trainable = value

    @property
    def weights(self) -> list[Node]:
        """All weights: those that can be trained, those that cannot, then those of the layer's parts."""
        own = sorted(self.own_weights, key=lambda w: not _can_be_trained(w))
        return list(dict.fromkeys([*own, *(w for part in self.parts for w in part.weights)]))

    @property
    def variables(self) -> list[Node]:
        """All weights."""
        return self.weights

    @property
    def trainable_weights(self) -> list[Node]:
        """Weights that training changes; none of a frozen layer, whatever its parts say."""
        if not self.trainable:
            return []
        own = [w for w in self.own_weights if _can_be_trained(w)]
        return list(dict.fromkeys([*own, *(w for part in self.parts for w in part.trainable_weights)]))

    @property
    def non_trainable_weights(self) -> list[Node]:
        """Weights that training leaves as they are, or changes otherwise than by the gradient."""
        trained = set(self.trainable_weights)
        return [w for w in self.weights if w not in trained]

    trainable_variables = trainable_weights
    non_trainable_variables = non_trainable_weights

    def regularization(self) -> list[Node]:
        """A term of the loss for each regularised weight that is trained."""
        regularizers = self.regularized()
        return [self._penalty(w, regularizers[w]) for w in self.trainable_weights if w in regularizers]

    def _penalty(self, weight: Node, regularizer: Any) -> Node:
        with at_scope(weight.scope), name_scope("regularization"), origin(weight.origin):
            term: Node = regularizer(weight)
            return term

    def regularized(self) -> dict[Node, Any]:
        """The weights whose size is part of the loss, each with its regularizer."""
        found = dict(self.regularizers)
        for part in self.parts:
            found |= part.regularized()
        return found

    def constrained(self) -> dict[Node, Any]:
        """The weights that are kept within bounds, each with its constraint."""
        found = dict(self.constraints)
        for part in self.parts:
            found |= part.constrained()
        return found

    def count_params(self) -> int:
        """How many numbers the weights hold."""
        return int(np.sum([count_elements(w) for w in self.weights], dtype=int))

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
            raise GraphError(
                f"{self.name}.set_weights: found {len(found)} arrays {found}, expected {len(expected)} {expected}"
            )
        if self.family is not None:
            session = self.family.start(self.weights)
            for weight, array in zip(self.weights, arrays, strict=True):
                session.assign(weight, array)

    def __setattr__(self, name: str, value: Any) -> None:
        """Set an attribute; layers and variables among them become parts of this layer."""
        object.__setattr__(self, name, value)
        if "parts" not in self.__dict__ or name in _BOOKKEEPING:
            return
        for found in _held(value):
            if isinstance(found, Weights) and found not in self.parts:
                self.parts.append(found)
            elif isinstance(found, Node) and found not in self.own_weights:
                self.own_weights.append(found)


_BOOKKEEPING = ("parts", "own_weights", "results", "regularizers", "constraints")


def _held(value: Any) -> Iterator[Any]:
    """Layers and variables in an attribute: one, or a list, tuple or dict of them."""
    if isinstance(value, Weights) or (isinstance(value, Node) and isinstance(value.op, VariableLeaf)):
        yield value
    elif isinstance(value, list | tuple | Mapping):
        for part in value.values() if isinstance(value, Mapping) else value:
            yield from _held(part)


def _can_be_trained(weight: Node) -> bool:
    return bool(getattr(weight.op, "trainable", True))


def count_elements(variable: Node) -> int:
    """How many numbers the variable holds."""
    count = numel(variable.shape)
    assert isinstance(count, int)
    return count
