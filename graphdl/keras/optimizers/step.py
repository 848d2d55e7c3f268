"""What optimizers share while they build the graph of one step: its number, its rate, the slots of each variable."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cached_property, partial
from typing import Any

from graphdl.ir.dim import Shape
from graphdl.ir.leaves import Variable, constant
from graphdl.ir.node import Node
from graphdl.ops.arithmetic import equal, floor, sqrt, square, where
from graphdl.ops.reduce import sum
from graphdl.ops.shape import broadcast_to, cast

Pairs = list[tuple[Node, Node]]


@dataclass
class Step:
    """One step: its counter, made when a formula first asks for it; `pairs` are updates of what all variables share.

    every    the number of batches whose gradients make one step
    memory   what the optimizer remembers, by what it is: every graph of the same optimizer has the same variables
    """

    dtype: str
    every: int = 1
    memory: dict[Any, Node] = field(default_factory=dict)
    pairs: Pairs = field(default_factory=list)

    @cached_property
    def batches(self) -> Node:
        """How many batches came before; the counter goes up with this one."""
        return self.remembered("iterations", lambda: Variable(0, "int64", trainable=False, name="iterations"))

    @cached_property
    def after(self) -> Node:
        """How many batches there are with this one."""
        return self.batches + 1

    @property
    def counted(self) -> Pairs:
        """The counter's update, where there is a counter."""
        return [(self.batches, self.after)] if "batches" in vars(self) else []

    @cached_property
    def t(self) -> Node:
        """The number of this step, from 1, a float."""
        count = self.after if self.every == 1 else whole(self.batches, self.every) + 1
        return cast(count, self.dtype, name="t")

    @cached_property
    def is_due(self) -> Node:
        """Whether this batch is the last of those that make one step."""
        return divides(self.after, self.every)

    def changed(self, old: Node, new: Node) -> Node:
        """`new` where the step is due, `old` before."""
        return new if self.every == 1 else where(self.is_due, new, old)

    def number(self, start: float, name: str) -> Node:
        """A number to remember from step to step; say with `becomes` what it turns into."""
        make = partial(Variable, start, self.dtype, trainable=False, name=name)
        return self.remembered((name, self.dtype), make)

    def remembered(self, key: Any, make: Callable[[], Node]) -> Node:
        """The variable that goes by `key`, made where there is none yet."""
        if key not in self.memory:
            self.memory[key] = make()
        return self.memory[key]

    def becomes(self, number: Node, new: Node) -> None:
        """Let `number` be `new` after this step."""
        self.pairs.append((number, self.changed(number, new)))


@dataclass(frozen=True)
class Place:
    """One variable in one step, with what `prepare` found for all of them."""

    variable: Node
    step: Step
    common_rate: Node
    shared: Any

    @property
    def rate(self) -> Node:
        """The learning rate, in the variable's dtype."""
        return self.typed(self.common_rate)

    @property
    def t(self) -> Node:
        """The number of this step, from 1, in the variable's dtype."""
        return self.typed(self.step.t)

    def slot(self, name: str, start: float = 0.0, shape: Shape | None = None) -> Node:
        """A variable like this one (or of another `shape`), filled with `start` before the first step."""
        w = self.variable

        def make() -> Node:
            initial = broadcast_to(constant(start, w.dtype), w.shape if shape is None else shape)
            return Variable(initial, trainable=False, name=f"{w.label}/{name}")

        return self.step.remembered((w, name), make)

    def typed(self, node: Node) -> Node:
        """`node` in the variable's dtype."""
        return node if node.dtype == self.variable.dtype else cast(node, self.variable.dtype)


def whole(count: Node, parts: int) -> Node:
    """``count // parts`` as a float64, exact up to 2**53."""
    return floor(cast(count, "float64") / parts)


def divides(count: Node, parts: int) -> Node:
    """Whether `count` is a multiple of `parts`."""
    return equal(whole(count, parts) * parts, cast(count, "float64"))


def norm(x: Node) -> Node:
    """The Euclidean norm of all elements of `x`."""
    return sqrt(sum(square(x)))
