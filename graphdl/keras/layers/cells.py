"""One step of a recurrent network: cells take what a step is fed and the state, and give a result and the new state."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

from graphdl.errors import GraphError, ShapeError
from graphdl.ir.node import Node
from graphdl.ir.origin import current_scope
from graphdl.ir.traverse import renamed
from graphdl.keras import activations, initializers
from graphdl.keras.layer import Layer
from graphdl.ops.linalg import matmul
from graphdl.ops.parts import concat, split
from graphdl.ops.random import dropout
from graphdl.ops.shape import full

States = list[Node]


class Masks(NamedTuple):
    """Dropout masks of a cell: for what a step is fed, and for the state. None where nothing is dropped.

    They are drawn once and serve every step (Gal & Ghahramani 2016); with recurrent dropout each gate has its own.
    """

    x: tuple[Node, ...] | None = None
    h: tuple[Node, ...] | None = None


class Cell(Layer):
    """What the cells have in common: a kernel for what a step is fed, one for the state, and a bias.

    Each of the `gates` has `units` columns of the kernels. A call gives the result and the list of new states.
    """

    gates = 1
    # Names of the states; the first one is the result as well.
    states = ("h",)

    def __init__(
        self,
        units: int,
        activation: Any = "tanh",
        use_bias: bool = True,
        kernel_initializer: Any = "glorot_uniform",
        recurrent_initializer: Any = "orthogonal",
        bias_initializer: Any = "zeros",
        kernel_regularizer: Any = None,
        recurrent_regularizer: Any = None,
        bias_regularizer: Any = None,
        kernel_constraint: Any = None,
        recurrent_constraint: Any = None,
        bias_constraint: Any = None,
        dropout: float = 0.0,
        recurrent_dropout: float = 0.0,
        seed: None = None,
        **arguments: Any,
    ) -> None:
        super().__init__(**arguments)
        what = type(self).__name__
        if isinstance(units, bool) or not isinstance(units, int) or units < 1:
            raise GraphError(f"{what}: units is {units!r:.40}, expected an integer from 1")
        refuse_seed(what, seed)
        self.units = units
        self.activation = activations.get(activation)
        self.use_bias = use_bias
        self.kernel_initializer, self.recurrent_initializer = kernel_initializer, recurrent_initializer
        self.bias_initializer = bias_initializer
        self.kernel_regularizer, self.recurrent_regularizer = kernel_regularizer, recurrent_regularizer
        self.bias_regularizer = bias_regularizer
        self.kernel_constraint, self.recurrent_constraint = kernel_constraint, recurrent_constraint
        self.bias_constraint, self.seed = bias_constraint, seed
        self.dropout = _rate(what, "dropout", dropout)
        self.recurrent_dropout = _rate(what, "recurrent_dropout", recurrent_dropout)

    @property
    def state_size(self) -> int | list[int]:
        """Width of each state."""
        return self.units if len(self.states) == 1 else [self.units] * len(self.states)

    @property
    def output_size(self) -> int:
        """Width of the result."""
        return self.units

    @property
    def differs_in_training(self) -> bool:
        """Masks are drawn in training only."""
        return bool(self.dropout or self.recurrent_dropout)

    def build(self, input_shape: Any) -> None:
        """Kernels with the gates side by side, and a bias."""
        width = input_shape[-1]
        if width is None:
            raise ShapeError(f"{self.name or type(self).__name__}: the width of a step is not known")
        columns = self.gates * self.units
        self.kernel = self._weight("kernel", (width, columns))
        self.recurrent_kernel = self._weight("recurrent_kernel", (self.units, columns))
        self.bias = self._weight("bias", self.bias_shape) if self.use_bias else None

    @property
    def bias_shape(self) -> tuple[int, ...]:
        """A number for each column of the kernels."""
        return (self.gates * self.units,)

    def _weight(self, name: str, shape: tuple[int, ...]) -> Node:
        which = name.removesuffix("_kernel")
        return self.add_weight(
            shape,
            self.start(which),
            name=name,
            regularizer=getattr(self, f"{which}_regularizer"),
            constraint=getattr(self, f"{which}_constraint"),
        )

    def start(self, which: str) -> Any:
        """The initializer of "kernel", "recurrent" or "bias"."""
        return getattr(self, f"{which}_initializer")

    def get_initial_state(self, batch_size: Any = None) -> States:
        """Zeros."""
        return [full((batch_size, self.units), 0.0, self.dtype, name=name) for name in self.states]

    def masks(self, x: Node) -> Masks:
        """New dropout masks for steps like `x`."""
        count = self.gates if self.recurrent_dropout else 1
        of_x = [_mask((x.shape[0], x.shape[-1]), self.dropout, x.dtype) for _ in range(count)]
        of_h = [_mask((x.shape[0], self.units), self.recurrent_dropout, x.dtype) for _ in range(count)]
        return Masks(tuple(of_x) if self.dropout else None, tuple(of_h) if self.recurrent_dropout else None)

    def call(self, x: Node, states: States, training: bool = False, masks: Masks | None = None) -> tuple[Node, States]:
        """The result of one step and the new states; `masks` as drawn for all steps, or new ones in training."""
        if masks is None:
            masks = self.masks(x) if training and self.differs_in_training else Masks()
        new = self.step(x, states, masks)
        return new[0], new

    def step(self, x: Node, states: States, masks: Masks) -> States:
        """The new states."""
        raise NotImplementedError


class SimpleRNNCell(Cell):
    """``h' = tanh(x W + h U + b)``: one step of a fully connected recurrent network (Elman 1990)."""

    def step(self, x: Node, states: States, masks: Masks) -> States:
        """The new h."""
        (h,) = states
        z = product(x, self.kernel, masks.x) if self.bias is None else product(x, self.kernel, masks.x) + self.bias
        return [named("h", self.activation(z + product(h, self.recurrent_kernel, masks.h)))]


class GatedCell(Cell):
    """A cell with gates, which have an activation of their own; what `Cell` takes besides is given by name."""

    def __init__(
        self,
        units: int,
        activation: Any = "tanh",
        recurrent_activation: Any = "sigmoid",
        use_bias: bool = True,
        **arguments: Any,
    ) -> None:
        super().__init__(units, activation, use_bias, **arguments)
        self.recurrent_activation = activations.get(recurrent_activation)


class LSTMCell(GatedCell):
    """One step of a long short-term memory (Hochreiter & Schmidhuber 1997; forget gate: Gers et al. 2000).

    The gates stand in the kernels in the order i (input), f (forget), c (candidate), o (output)::

        c' = f c + i tanh(z_c)        h' = o tanh(c')

    `unit_forget_bias` starts the bias of f at 1, so that the memory is kept at first (Jozefowicz et al. 2015).
    """

    gates = 4
    states = ("h", "c")

    def __init__(self, *args: Any, unit_forget_bias: bool = True, **arguments: Any) -> None:
        super().__init__(*args, **arguments)
        self.unit_forget_bias = unit_forget_bias

    def start(self, which: str) -> Any:
        """The initializers as given, but for the bias of f."""
        given = super().start(which)
        if which != "bias" or not self.unit_forget_bias:
            return given
        u, rest = self.units, initializers.get(given)
        return lambda shape, dtype=None: concat(
            [rest((u,), dtype), full((u,), 1.0, dtype), rest((2 * u,), dtype)], axis=0
        )

    def step(self, x: Node, states: States, masks: Masks) -> States:
        """The new h and c."""
        h, c = states
        z = product(x, self.kernel, masks.x) if self.bias is None else product(x, self.kernel, masks.x) + self.bias
        z = named("z", z + product(h, self.recurrent_kernel, masks.h))
        z_i, z_f, z_c, z_o = split(z, 4, axis=1)
        i, f, o = (named(n, self.recurrent_activation(part)) for n, part in zip("ifo", (z_i, z_f, z_o), strict=True))
        c = named("c", f * c + i * self.activation(z_c))
        return [named("h", o * self.activation(c)), c]


class GRUCell(GatedCell):
    """One step of a gated recurrent unit (Cho et al. 2014).

    The gates stand in the kernels in the order z (update), r (reset), h (candidate)::

        h' = z h + (1 - z) tanh(x W_h + b_h + r (h U_h + b'_h))

    Without `reset_after`, r meets h before the product, ``(r h) U_h``, and there is one bias.
    """

    gates = 3

    def __init__(self, *args: Any, reset_after: bool = True, **arguments: Any) -> None:
        super().__init__(*args, **arguments)
        self.reset_after = reset_after

    @property
    def bias_shape(self) -> tuple[int, ...]:
        """With `reset_after` a row for what a step is fed, and one for the state."""
        return (2, 3 * self.units) if self.reset_after else (3 * self.units,)

    def step(self, x: Node, states: States, masks: Masks) -> States:
        """The new h."""
        (h,) = states
        of_x = product(x, self.kernel, masks.x)
        if self.bias is not None:
            of_x = of_x + (self.bias[0] if self.reset_after else self.bias)
        x_z, x_r, x_h = split(of_x, 3, axis=1)
        if self.reset_after:
            of_h = product(h, self.recurrent_kernel, masks.h)
            h_z, h_r, h_h = split(of_h if self.bias is None else of_h + self.bias[1], 3, axis=1)
        else:
            of_z, of_r, kernel = split(self.recurrent_kernel, 3, axis=1)
            of_gates = concat([of_z, of_r], axis=1)
            h_z, h_r = split(product(h, of_gates, masks.h and masks.h[:-1]), 2, axis=1)
        z = named("z", self.recurrent_activation(x_z + h_z))
        r = named("r", self.recurrent_activation(x_r + h_r))
        recurrent = r * h_h if self.reset_after else product(r * h, kernel, masks.h and masks.h[-1:])
        candidate = named("candidate", self.activation(x_h + recurrent))
        return [named("h", z * h + (1 - z) * candidate)]


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

    def get_initial_state(self, batch_size: Any = None) -> list[Any]:
        """The initial states of each cell."""
        return [initial_state(cell, batch_size, self.dtype) for cell in self.cells]

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
            x, after = one_step(cell, x, _as_list(state), training, mask)
            new.append(after if isinstance(state, list | tuple) else after[0])
        return x, new


def one_step(cell: Any, x: Node, states: list[Any], training: bool, masks: Any) -> tuple[Node, list[Any]]:
    """The result of `cell` and its new states; masks are handed to cells that know them."""
    options = {} if masks is None else {"masks": masks}
    y, new = cell(x, states, training=training, **options)
    return y, _as_list(new)


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
        return cell.get_initial_state(batch_size)
    if hasattr(cell, "get_initial_state"):
        found = _as_list(cell.get_initial_state(batch_size=batch_size))
    else:
        found = [full((batch_size, size), 0.0, dtype, name="state") for size in _as_list(cell.state_size)]
    return found if isinstance(cell.state_size, list | tuple) else found[0]


def masks_of(cell: Any, x: Node) -> Any:
    """Dropout masks for all steps of `cell`; None for one that draws its own."""
    known = isinstance(cell, Cell | StackedRNNCells) and cell.differs_in_training
    return cell.masks(x) if known else None


def output_size(cell: Any) -> int:
    """Width of the result of `cell`: that of its first state, unless it says otherwise."""
    found = getattr(cell, "output_size", None)
    return int(_as_list(cell.state_size)[0] if found is None else found)


def product(x: Node, kernel: Node, masks: tuple[Node, ...] | None) -> Node:
    """``x @ kernel`` with a dropout mask on `x`; several masks are for as many gates side by side in the kernel."""
    if masks is None:
        return matmul(x, kernel)
    if len(masks) == 1:
        return matmul(x * masks[0], kernel)
    parts = split(kernel, len(masks), axis=1)
    return concat([matmul(x * mask, part) for mask, part in zip(masks, parts, strict=True)], axis=1)


def named(name: str, node: Node) -> Node:
    """`node`, just built, under the name that formulas give it."""
    return renamed(node, name, current_scope()) if node.inputs else node


def refuse_seed(what: str, seed: object) -> None:
    """GraphError where a layer is given a seed of its own."""
    if seed is not None:
        raise GraphError(
            f"{what}: seed={seed!r}: masks come from the one seed of the session; "
            "set it with keras.utils.set_random_seed(...) before the model is built"
        )


def _mask(shape: tuple[Any, ...], rate: float, dtype: str) -> Node:
    return dropout(full(shape, 1.0, dtype), rate, name="mask")


def _rate(what: str, name: str, rate: Any) -> float:
    if isinstance(rate, bool) or not isinstance(rate, int | float) or not 0 <= rate < 1:
        raise GraphError(f"{what}: {name} is {rate!r:.40}, expected at least 0 and below 1")
    return float(rate)


def _as_list(states: Any) -> list[Any]:
    return list(states) if isinstance(states, list | tuple) else [states]


__all__ = ["Cell", "GRUCell", "LSTMCell", "SimpleRNNCell", "StackedRNNCells"]
