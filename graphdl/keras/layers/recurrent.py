"""Recurrent layers: a cell runs over the steps of sequences [N, T, ...], forward or backward in time."""

from __future__ import annotations

import copy
import inspect
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from graphdl.autodiff.scan import scan
from graphdl.errors import GraphError, ShapeError
from graphdl.ir.leaves import Variable, constant
from graphdl.ir.node import Node
from graphdl.ir.origin import name_scope
from graphdl.keras.calls import nodes_in
from graphdl.keras.layer import Layer
from graphdl.keras.layers.cells import Cell, GRUCell, LSTMCell, SimpleRNNCell
from graphdl.keras.layers.stacking import (
    StackedRNNCells,
    as_list,
    checked_cell,
    initial_state,
    masks_of,
    one_step,
    output_size,
)
from graphdl.ops.arithmetic import where
from graphdl.ops.indexing import take
from graphdl.ops.parts import stack
from graphdl.ops.shape import expand_dims, full, transpose

Step = Callable[[list[Node], list[Node]], tuple[list[Node], Node]]


class RNN(Layer):
    """Runs `cell` over the steps of a sequence; a list of cells is stacked.

    inputs             [N, T, ...]
    initial_state      a list of nodes [N, units], by default zeros
    mask               bool [N, T]: at steps that are not there the state stays, and the result is the one before
    result             the last one, [N, units]; with `return_sequences` those of all steps, [N, T, units]
    `return_state`     adds the last states: the layer gives a list
    `stateful`         a batch goes on from the last states of the batch before, in training, scores and predictions
                       alike, until `reset_states`; example i with example i, so the batch size is fixed
    `go_backwards`     the last step comes first, and the results are in the order in which they come about
    `unroll`           every step in the graph by itself, in a scope ``step_t``; for few steps
    """

    supports_masking = True
    # Variables that hold the last states, flat.
    states: list[Node]

    def __init__(
        self,
        cell: Any,
        return_sequences: bool = False,
        return_state: bool = False,
        go_backwards: bool = False,
        stateful: bool = False,
        unroll: bool = False,
        zero_output_for_mask: bool = False,
        **arguments: Any,
    ) -> None:
        super().__init__(**arguments)
        self.cell = StackedRNNCells(cell) if isinstance(cell, list | tuple) else checked_cell(cell)
        self.return_sequences, self.return_state = return_sequences, return_state
        self.go_backwards, self.unroll = go_backwards, unroll
        self.stateful, self.zero_output_for_mask = stateful, zero_output_for_mask
        if self.starts is not None:
            self.begin_with(self.starts)
        self._keep([])

    @property
    def differs_in_training(self) -> bool:
        """Whether the cell drops something in training."""
        return bool(self.cell.differs_in_training)

    @property
    def state_size(self) -> Any:
        """Widths of the cell's states."""
        return self.cell.state_size

    def check(self, x: Node) -> None:
        """Refuse what is no batch of sequences."""
        if x.ndim < 3:
            raise ShapeError(f"{self.name}: found {x.type}, expected sequences [N, T, D]")

    def build(self, input_shape: Any) -> None:
        """Variables for the states, where they are kept from batch to batch."""
        if not self.stateful:
            return
        if input_shape[0] is None:
            raise ShapeError(
                f"{self.name}: stateful=True keeps states for each example of a batch, and the inputs are "
                f"{input_shape}; say how many there are, as in keras.Input({input_shape[1:]}, batch_size=32)"
            )
        start = as_list(initial_state(self.cell, input_shape[0], self.dtype))
        self._keep([Variable(state, trainable=False, name=state.name) for state in nodes_in(start)])

    def _keep(self, states: list[Node]) -> None:
        # Not as an attribute that is set: variables that are become weights, and no file of weights holds states.
        self.__dict__["states"] = states

    def reset_states(self, states: Any = None) -> None:
        """Have the next batch begin with zeros, or with arrays, one for each state."""
        kept: list[Node] = self.states
        values = [np.zeros(state.shape) for state in kept] if states is None else as_list(states)
        if len(values) != len(kept):
            raise GraphError(f"{self.name}.reset_states: found {len(values)} arrays, expected {len(kept)}")
        if self.family is not None:
            for state, value in zip(kept, values, strict=True):
                self.family.session.assign(state, value)

    reset_state = reset_states

    def compute_output_shape(self, *input_shape: Any) -> Any:
        """Shape of the result; what is kept between batches has no part in it."""
        alike = copy.copy(self)
        alike.stateful = False
        return Layer.compute_output_shape(alike, *input_shape)

    def compute_mask(self, inputs: Any, mask: Any = None) -> Any:
        """Results of all steps are there where the steps are; a last one always is."""
        return mask if self.return_sequences else None

    def call(
        self,
        x: Node,
        initial_state: Any = None,
        mask: Node | None = None,
        training: bool = False,
        in_order: bool = False,
    ) -> Any:
        """The result, or a list with the last states behind it; `in_order` keeps the order of the sequence."""
        y, states = self.run(x, initial_state, mask, training)
        if self.stateful:
            for state, value in zip(self.states, nodes_in(states), strict=True):
                self.add_update(state, value, always=True)
        if self.return_sequences and self.go_backwards and not in_order:
            y = reversed_in_time(y)
        return [y, *states] if self.return_state else y

    def run(self, x: Node, given: Any, mask: Node | None, training: bool) -> tuple[Node, list[Any]]:
        """The last result, or those of all steps in the order of the sequence; and the last states."""
        start = self._start(x, given)
        stacks = (
            [time_first(x, "x")] if mask is None else [time_first(x, "x"), time_first(expand_dims(mask, 2), "mask")]
        )
        # The first state is the result, and zeros come before both: so one carry will do.
        is_zero = given is None and not self.stateful
        is_state = isinstance(self.cell, Cell) and is_zero and not self.zero_output_for_mask
        carries = list(nodes_in(start))
        if mask is not None and not is_state:
            carries.append(full((x.shape[0], output_size(self.cell)), 0.0, x.dtype, name="y"))
        step = self._step(start, masks_of(self.cell, x) if training else None, training, is_state)
        run = _written_out if self.unroll else scan
        last, ys = run(step, carries, stacks, reverse=self.go_backwards)
        y = time_first(ys, None) if self.return_sequences else ys[0 if self.go_backwards else -1]
        return y, like(start, last)

    def _step(self, start: list[Any], masks: Any, training: bool, is_state: bool) -> Step:
        def step(carries: list[Node], given: list[Node]) -> tuple[list[Node], Node]:
            y, states = one_step(self.cell, given[0], like(start, carries), training, masks)
            new = list(nodes_in(states))
            if len(given) == 1:
                return new, y
            (_, is_there) = given
            new = [where(is_there, after, before) for after, before in zip(new, carries, strict=False)]
            if is_state:
                return new, new[0]
            y = where(is_there, y, 0.0 if self.zero_output_for_mask else carries[-1])
            return [*new, y], y

        return step

    def _start(self, x: Node, given: Any) -> list[Any]:
        """The states before the first step, one or several for each cell."""
        if given is None:
            start = as_list(initial_state(self.cell, x.shape[0], x.dtype))
            return like(start, self.states) if self.stateful else start
        states, sizes = as_list(given), as_list(self.cell.state_size)
        if len(states) != len(sizes):
            raise GraphError(f"{self.name}: initial_state has {len(states)} parts, expected {len(sizes)}")
        return states


class SimpleRNN(RNN):
    """A fully connected recurrent layer, ``h' = tanh(x W + h U + b)``; arguments of `SimpleRNNCell` and of `RNN`."""

    cell_type: type[Cell] = SimpleRNNCell

    def __init__(self, units: int, activation: Any = "tanh", *others: Any, **arguments: Any) -> None:
        own = {name: arguments.pop(name) for name in _OF_LAYERS if name in arguments}
        # How it is computed is the compiler's business here.
        for name in ("implementation", "use_cudnn"):
            arguments.pop(name, None)
        cell = self.cell_type(units, activation, *others, **arguments)
        # One thing to whoever reads the graph: the weights are simple_rnn/kernel, not simple_rnn/cell/kernel.
        cell.name = cell.given_name = ""
        super().__init__(cell, **own)

    def __getattr__(self, name: str) -> Any:
        """What the cell was made with is to be had from the layer as well."""
        if name == "units" or name in self.cell_type.defaults():
            return getattr(self.__dict__["cell"], name)
        raise AttributeError(f"{type(self).__name__!r} object has no attribute {name!r}")

    @classmethod
    def defaults(cls) -> dict[str, Any]:
        """The arguments of the layer and of its cell that need not be given."""
        return {**RNN.defaults(), **cls.cell_type.defaults()}

    def get_config(self) -> dict[str, Any]:
        """The arguments of the layer and of its cell, by name."""
        config = super().get_config()
        in_order = config.pop("others", ())
        names = list(inspect.signature(self.cell_type).parameters)[2:]
        return {**config, **dict(zip(names, in_order, strict=False))}


class LSTM(SimpleRNN):
    """A long short-term memory, with states h, the result, and c, the memory; arguments of `LSTMCell` and of `RNN`."""

    cell_type = LSTMCell


class GRU(SimpleRNN):
    """A layer of gated recurrent units; arguments of `GRUCell` and of `RNN`."""

    cell_type = GRUCell


def time_first(x: Node, name: str | None) -> Node:
    """`x` with its first two axes exchanged: [N, T, ...] becomes [T, N, ...] and the other way round."""
    return transpose(x, (1, 0, *range(2, x.ndim)), name=name)


def reversed_in_time(x: Node) -> Node:
    """The sequences [N, T, ...] backwards."""
    length = x.shape[1]
    if isinstance(length, int):
        return take(x, np.arange(length - 1, -1, -1), axis=1)
    # A length that is known at run time only is counted in a loop, which begins with the last step.
    _, places = scan(lambda place, _: (place + 1, place), constant(0, "int64"), length=length, reverse=True)
    return take(x, places, axis=1)


def like(states: list[Any], leaves: Sequence[Node]) -> list[Any]:
    """`leaves` put together as `states` are, one or several for each cell."""
    rest = iter(leaves)
    return [[next(rest) for _ in part] if isinstance(part, list | tuple) else next(rest) for part in states]


def _written_out(step: Step, carries: list[Node], stacks: list[Node], reverse: bool) -> tuple[list[Node], Node]:
    """As `scan`, with every step in the graph by itself."""
    length = stacks[0].shape[0]
    if not isinstance(length, int):
        raise ShapeError(f"{stacks[0].label}: the number of steps is not known, so they cannot be unrolled")
    ys: dict[int, Node] = {}
    for t in range(length - 1, -1, -1) if reverse else range(length):
        with name_scope(f"step_{t + 1}"):
            carries, ys[t] = step(carries, [x[t] for x in stacks])
    return carries, stack([ys[t] for t in range(length)])


_OF_LAYERS = (
    "return_sequences", "return_state", "go_backwards", "stateful", "unroll", "zero_output_for_mask",
    "name", "trainable", "dtype", "activity_regularizer", "input_shape", "input_dim", "batch_input_shape",
    "batch_shape",
)  # fmt: skip

__all__ = ["GRU", "LSTM", "RNN", "SimpleRNN"]
