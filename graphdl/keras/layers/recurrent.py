"""Recurrent layers: a cell runs over the steps of sequences [N, T, ...], forward or backward in time."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from graphdl.autodiff.loops import scan
from graphdl.errors import GraphError, ShapeError
from graphdl.ir.dim import Dim
from graphdl.ir.node import Node
from graphdl.ir.origin import name_scope
from graphdl.keras.layer import Layer
from graphdl.keras.layers.cells import (
    Cell,
    GRUCell,
    LSTMCell,
    SimpleRNNCell,
    StackedRNNCells,
    checked_cell,
    initial_state,
    masks_of,
    one_step,
)
from graphdl.keras.tracing import mapped, nodes_in
from graphdl.ops.arithmetic import where
from graphdl.ops.indexing import take
from graphdl.ops.parts import stack
from graphdl.ops.shape import expand_dims, full, transpose

# A step: what it is fed and whether it is there, the states and the result before; the result and the states after.
Step = Callable[[Node, Node | None, list[Node]], tuple[Node, list[Node]]]


class RNN(Layer):
    """Runs `cell` over the steps of a sequence; a list of cells is stacked.

    inputs             [N, T, ...]
    initial_state      a list of nodes [N, units], by default zeros
    mask               bool [N, T]: at steps that are not there the state stays, and the result is the one before
    result             the last one, [N, units]; with `return_sequences` those of all steps, [N, T, units]
    `return_state`     adds the last states: the layer gives a list
    `go_backwards`     the last step comes first, and the results are in the order in which they come about
    `unroll`           every step in the graph by itself, in a scope ``step_t``; for few steps
    """

    supports_masking = True

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

    def compute_mask(self, inputs: Any, mask: Any = None) -> Any:
        """Results of all steps are there where the steps are; a last one always is."""
        return mask if self.return_sequences else None

    def call(self, x: Node, initial_state: Any = None, mask: Node | None = None, training: bool = False) -> Any:
        """The result, or a list with the last states behind it."""
        y, states = self.run(x, initial_state, mask, training)
        if self.return_sequences and self.go_backwards:
            y = reversed_in_time(y)
        return [y, *states] if self.return_state else y

    def run(self, x: Node, initial_state: Any, mask: Node | None, training: bool) -> tuple[Node, list[Any]]:
        """The last result, or those of all steps in the order of the sequence; and the last states."""
        start = self._start(x, initial_state)
        begins_at_zero = isinstance(self.cell, Cell) and initial_state is None
        step = self._step(x, start, training, mask is not None and not begins_at_zero)
        run = _written_out if self.unroll else _folded
        carries = list(nodes_in(start))
        if mask is not None and not begins_at_zero:
            carries.append(self._zeros(x, start, training))
        ys, last = run(step, x, mask, carries, self.go_backwards, self.return_sequences)
        return ys, _like(start, last)

    def _start(self, x: Node, given: Any) -> list[Any]:
        """The states before the first step, one or several for each cell."""
        if given is None:
            found = initial_state(self.cell, x.shape[0], x.dtype)
            return found if isinstance(found, list) else [found]
        states = list(given) if isinstance(given, list | tuple) else [given]
        sizes = self.state_size if isinstance(self.state_size, list | tuple) else [self.state_size]
        if len(states) != len(sizes):
            raise GraphError(f"{self.name}: initial_state has {len(states)} parts, expected {len(sizes)}")
        return states
