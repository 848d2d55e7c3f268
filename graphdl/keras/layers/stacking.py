"""Cells one above the other, and what a loop asks of any cell: ours, a user's, or a stack of them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from graphdl.errors import GraphError
from graphdl.ir.node import Node
from graphdl.keras.layer import Layer
from graphdl.keras.layers.cells import Cell
from graphdl.ops.shape import full


class StackedRNNCells(Layer):
    """Cells one above the other: each is fed the result of the one below, in the same step."""

    def __init__(self, cells: Sequence[Any], **arguments: Any) -> None:
        super().__init__(**arguments)
        if not cells:
            raise GraphError("StackedRNNCells: there are no cells")
        self.cells = [checked_cell(cell) for cell in cells]

    @property
    def state_size(self) -> list[int | list[int]]:
        """Widths of the states of each cell."""
        return [cell.state_size for cell in self.cells]

    @property
    def output_size(self) -> int:
        """Width of the result of the last cell."""
        return output_size(self.cells[-1])

    @property
    def differs_in_training(self) -> bool:
        """Whether some cell does."""
        return any(cell.differs_in_training for cell in self.cells)

    def get_initial_state(self, batch_size: Any = None, dtype: str | None = None) -> list[Any]:
        """The initial states of each cell."""
        return [initial_state(cell, batch_size, dtype or self.dtype) for cell in self.cells]

    def masks(self, x: Node) -> list[Any]:
        """Dropout masks of each cell."""
        drawn = []
        for cell in self.cells:
            drawn.append(masks_of(cell, x))
            x = full((x.shape[0], output_size(cell)), 0.0, x.dtype)
        return drawn

    def call(self, x: Node, states: list[Any], training: bool = False, masks: Any = None) -> tuple[Node, list[Any]]:
        """The result of the last cell, and the new states of each."""
        new = []
        for cell, state, mask in zip(self.cells, states, masks or [None] * len(self.cells), strict=True):
            x, after = one_step(cell, x, as_list(state), training, mask)
            new.append(after if isinstance(state, list | tuple) else after[0])
        return x, new


def one_step(cell: Any, x: Node, states: list[Any], training: bool, masks: Any) -> tuple[Node, list[Any]]:
    """The result of `cell` and its new states; masks are handed to cells that know them."""
    options = {} if masks is None else {"masks": masks}
    y, new = cell(x, states, training=training, **options)
    return y, as_list(new)


def checked_cell(cell: Any) -> Any:
    """`cell`, a layer that says how wide its states are."""
    if not isinstance(cell, Layer) or not hasattr(cell, "state_size"):
        raise GraphError(
            f"a cell is {cell!r:.60}, expected a layer with `state_size` and call(x, states), such as LSTMCell(32)"
        )
    return cell


def initial_state(cell: Any, batch_size: Any, dtype: str) -> Any:
    """What `cell` begins with: a node or a list of nodes, as its `state_size` is one number or several."""
    if isinstance(cell, StackedRNNCells):
        return cell.get_initial_state(batch_size, dtype)
    if isinstance(cell, Cell):
        found = cell.get_initial_state(batch_size, dtype)
    elif hasattr(cell, "get_initial_state"):
        found = as_list(cell.get_initial_state(batch_size=batch_size))
    else:
        found = [full((batch_size, size), 0.0, dtype, name="state") for size in as_list(cell.state_size)]
    return found if isinstance(cell.state_size, list | tuple) else found[0]


def masks_of(cell: Any, x: Node) -> Any:
    """Dropout masks for all steps of `cell`; None for one that draws its own."""
    known = isinstance(cell, Cell | StackedRNNCells) and cell.differs_in_training
    return cell.masks(x) if known else None


def output_size(cell: Any) -> int:
    """Width of the result of `cell`: that of its first state, unless it says otherwise."""
    found = getattr(cell, "output_size", None)
    return int(as_list(cell.state_size)[0] if found is None else found)


def as_list(states: Any) -> list[Any]:
    """One state as a list of one."""
    return list(states) if isinstance(states, list | tuple) else [states]


__all__ = ["StackedRNNCells"]
