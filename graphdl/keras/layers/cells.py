"""One step of a recurrent network: cells take what a step is fed and the state, and give a result and the new state."""

from __future__ import annotations

from typing import Any, NamedTuple

from graphdl.errors import ShapeError
from graphdl.ir.node import Node
from graphdl.ir.origin import current_scope
from graphdl.ir.traverse import renamed
from graphdl.keras import activations, initializers
from graphdl.keras.checks import integer, share
from graphdl.keras.layer import Layer
from graphdl.keras.layers.arguments import add_weight, describe_weight
from graphdl.keras.random import generator_of, seed_of
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
    states: tuple[str, ...] = ("h",)

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
        seed: Any = None,
        **arguments: Any,
    ) -> None:
        super().__init__(**arguments)
        what = type(self).__name__
        self.units = integer(f"{what}: units", units)
        self.activation = activations.get(activation)
        self.use_bias = use_bias
        describe_weight(self, "kernel", kernel_initializer, kernel_regularizer, kernel_constraint)
        describe_weight(self, "recurrent", recurrent_initializer, recurrent_regularizer, recurrent_constraint)
        describe_weight(self, "bias", bias_initializer, bias_regularizer, bias_constraint)
        self.seed, self.seed_generator = seed, generator_of(seed)
        self.dropout = float(share(f"{what}: dropout", dropout))
        self.recurrent_dropout = float(share(f"{what}: recurrent_dropout", recurrent_dropout))

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
        self.kernel = add_weight(self, "kernel", (width, columns))
        self.recurrent_kernel = add_weight(self, "recurrent", (self.units, columns), "recurrent_kernel")
        self.bias = add_weight(self, "bias", self.bias_shape) if self.use_bias else None

    @property
    def bias_shape(self) -> tuple[int, ...]:
        """A number for each column of the kernels."""
        return (self.gates * self.units,)

    def get_initial_state(self, batch_size: Any = None, dtype: str | None = None) -> States:
        """Zeros."""
        return [full((batch_size, self.units), 0.0, dtype or self.dtype, name=name) for name in self.states]

    def masks(self, x: Node) -> Masks:
        """New dropout masks for steps like `x`."""
        count = self.gates if self.recurrent_dropout else 1
        of_x = [self._mask((x.shape[0], x.shape[-1]), self.dropout, x.dtype) for _ in range(count)]
        of_h = [self._mask((x.shape[0], self.units), self.recurrent_dropout, x.dtype) for _ in range(count)]
        return Masks(tuple(of_x) if self.dropout else None, tuple(of_h) if self.recurrent_dropout else None)

    def _mask(self, shape: tuple[Any, ...], rate: float, dtype: str) -> Node:
        return dropout(full(shape, 1.0, dtype), rate, name="mask", seed=seed_of(self.seed_generator))

    def call(self, x: Node, states: States, training: bool = False, masks: Masks | None = None) -> tuple[Node, States]:
        """The result of one step and the new states; `masks` as drawn for all steps, or new ones in training."""
        if masks is None:
            masks = self.masks(x) if training and self.differs_in_training else Masks()
        new = self.step(x, states, masks)
        return new[0], new

    def of_x(self, x: Node, masks: Masks) -> Node:
        """What comes of `x`: nothing before the loop is needed for it, so the compiler puts it there."""
        z = product(x, self.kernel, masks.x)
        return named("z_x", z if self.bias is None else z + self.bias_of_x)

    @property
    def bias_of_x(self) -> Node:
        """The bias that goes with the kernel."""
        assert self.bias is not None
        return self.bias

    def step(self, x: Node, states: States, masks: Masks) -> States:
        """The new states."""
        raise NotImplementedError


class SimpleRNNCell(Cell):
    """``h' = tanh(x W + h U + b)``: one step of a fully connected recurrent network (Elman 1990)."""

    def step(self, x: Node, states: States, masks: Masks) -> States:
        """The new h."""
        (h,) = states
        z = named("z", self.of_x(x, masks) + named("z_h", product(h, self.recurrent_kernel, masks.h)))
        return [named("h", self.activation(z))]


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


class _ForgetBias(initializers.Initializer):
    """Ones for the second of four gates, what `rest` gives for the others."""

    def __init__(self, rest: initializers.Initializer) -> None:
        self.rest = rest

    def __call__(self, shape: tuple[int, ...], dtype: str | None = None) -> Node:
        """The node to start from."""
        units = shape[0] // 4
        parts = [self.rest((units,), dtype), full((units,), 1.0, dtype), self.rest((2 * units,), dtype)]
        return concat(parts, axis=0)


class LSTMCell(GatedCell):
    """One step of a long short-term memory (Hochreiter & Schmidhuber 1997; forget gate: Gers et al. 2000).

    The gates stand in the kernels in the order i (input), f (forget), c (candidate), o (output)::

        c' = f c + i tanh(z_c)        h' = o tanh(c')

    `unit_forget_bias` starts the bias of f at 1, so that the memory is kept at first (Jozefowicz et al. 2015).
    """

    gates = 4
    states = ("h", "c")

    def __init__(
        self,
        units: int,
        activation: Any = "tanh",
        recurrent_activation: Any = "sigmoid",
        use_bias: bool = True,
        *,
        unit_forget_bias: bool = True,
        **arguments: Any,
    ) -> None:
        super().__init__(units, activation, recurrent_activation, use_bias, **arguments)
        self.unit_forget_bias = unit_forget_bias
        if unit_forget_bias:
            kept = vars(self)
            kept["bias_initializer"] = _ForgetBias(kept["bias_initializer"])

    def step(self, x: Node, states: States, masks: Masks) -> States:
        """The new h and c."""
        h, c = states
        z = named("z", self.of_x(x, masks) + named("z_h", product(h, self.recurrent_kernel, masks.h)))
        z_i, z_f, z_c, z_o = gates_of(z, "ifco")
        i, f, o = (named(n, self.recurrent_activation(part)) for n, part in zip("ifo", (z_i, z_f, z_o), strict=True))
        c = named("c", f * c + i * named("candidate", self.activation(z_c)))
        return [named("h", o * named("tanh_c", self.activation(c))), c]


class GRUCell(GatedCell):
    """One step of a gated recurrent unit (Cho et al. 2014).

    The gates stand in the kernels in the order z (update), r (reset), h (candidate)::

        h' = z h + (1 - z) tanh(x W_h + b_h + r (h U_h + b'_h))

    Without `reset_after`, r meets h before the product, ``(r h) U_h``, and there is one bias.
    """

    gates = 3

    def __init__(
        self,
        units: int,
        activation: Any = "tanh",
        recurrent_activation: Any = "sigmoid",
        use_bias: bool = True,
        *,
        reset_after: bool = True,
        **arguments: Any,
    ) -> None:
        super().__init__(units, activation, recurrent_activation, use_bias, **arguments)
        self.reset_after = reset_after

    @property
    def bias_shape(self) -> tuple[int, ...]:
        """With `reset_after` a row for what a step is fed, and one for the state."""
        return (2, 3 * self.units) if self.reset_after else (3 * self.units,)

    @property
    def bias_of_x(self) -> Node:
        """The first row, or the only one."""
        assert self.bias is not None
        return self.bias[0] if self.reset_after else self.bias

    def step(self, x: Node, states: States, masks: Masks) -> States:
        """The new h."""
        (h,) = states
        x_z, x_r, x_h = gates_of(self.of_x(x, masks), "zrh")
        if self.reset_after:
            of_h = product(h, self.recurrent_kernel, masks.h)
            h_z, h_r, h_h = gates_of(of_h if self.bias is None else of_h + self.bias[1], "zrh")
        else:
            of_z, of_r, kernel = split(self.recurrent_kernel, 3, axis=1)
            h_z, h_r = gates_of(product(h, concat([of_z, of_r], axis=1), masks.h and masks.h[:-1]), "zr")
        z = named("z", self.recurrent_activation(x_z + h_z))
        r = named("r", self.recurrent_activation(x_r + h_r))
        recurrent = r * h_h if self.reset_after else product(r * h, kernel, masks.h and masks.h[-1:])
        candidate = named("candidate", self.activation(x_h + recurrent))
        # z h + (1 - z) candidate, with one product less
        return [named("h", candidate + z * (h - candidate))]


def product(x: Node, kernel: Node, masks: tuple[Node, ...] | None) -> Node:
    """``x @ kernel`` with a dropout mask on `x`; several masks are for as many gates side by side in the kernel."""
    if masks is None:
        return matmul(x, kernel)
    if len(masks) == 1:
        return matmul(x * masks[0], kernel)
    parts = split(kernel, len(masks), axis=1)
    return concat([matmul(x * mask, part) for mask, part in zip(masks, parts, strict=True)], axis=1)


def gates_of(z: Node, names: str) -> list[Node]:
    """The parts of `z` that belong to each gate."""
    return [named(f"z_{name}", part) for name, part in zip(names, split(z, len(names), axis=1), strict=True)]


def named(name: str, node: Node) -> Node:
    """`node`, just built, under the name that formulas give it."""
    return renamed(node, name, current_scope()) if node.inputs else node


__all__ = ["Cell", "GRUCell", "LSTMCell", "SimpleRNNCell"]
