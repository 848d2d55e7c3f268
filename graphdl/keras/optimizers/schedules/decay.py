"""Rates that only fall: geometrically, as a hyperbola, as a power, by steps."""

from __future__ import annotations

from collections.abc import Sequence

from graphdl.errors import GraphError
from graphdl.ir.leaves import constant
from graphdl.ir.node import Node
from graphdl.keras.optimizers.schedules.schedule import Schedule, positive
from graphdl.ops.arithmetic import floor, less_equal, maximum, minimum, where
from graphdl.ops.transcendental import power


class ExponentialDecay(Schedule):
    """``initial decay_rate^(step / decay_steps)``; a `staircase` goes down at whole multiples of `decay_steps`."""

    def __init__(
        self,
        initial_learning_rate: float,
        decay_steps: float,
        decay_rate: float,
        staircase: bool = False,
        name: str = "ExponentialDecay",
    ) -> None:
        self.initial_learning_rate, self.decay_rate = initial_learning_rate, decay_rate
        self.decay_steps = positive(self, "decay_steps", decay_steps)
        self.staircase, self.name = staircase, name

    def rate(self, step: Node) -> Node:
        """A geometric sequence."""
        return self.initial_learning_rate * power(self.decay_rate, _periods(step, self.decay_steps, self.staircase))


class StepDecay(ExponentialDecay):
    """The rate times `drop` after every `every` steps: ``initial drop^floor(step / every)``."""

    def __init__(self, initial_learning_rate: float, drop: float, every: float, name: str = "StepDecay") -> None:
        super().__init__(initial_learning_rate, positive(self, "every", every), drop, True, name)
        self.drop, self.every = drop, every


class InverseTimeDecay(Schedule):
    """``initial / (1 + decay_rate step / decay_steps)``; a `staircase` goes down at multiples of `decay_steps`."""

    def __init__(
        self,
        initial_learning_rate: float,
        decay_steps: float,
        decay_rate: float,
        staircase: bool = False,
        name: str = "InverseTimeDecay",
    ) -> None:
        self.initial_learning_rate, self.decay_rate = initial_learning_rate, decay_rate
        self.decay_steps = positive(self, "decay_steps", decay_steps)
        self.staircase, self.name = staircase, name

    def rate(self, step: Node) -> Node:
        """A hyperbola."""
        return self.initial_learning_rate / (1 + self.decay_rate * _periods(step, self.decay_steps, self.staircase))


class PiecewiseConstantDecay(Schedule):
    """``values[0]`` up to and with step ``boundaries[0]``, then ``values[1]``, and so on."""

    def __init__(self, boundaries: Sequence[float], values: Sequence[float], name: str = "PiecewiseConstant") -> None:
        self.boundaries, self.values, self.name = list(boundaries), list(values), name
        if len(self.boundaries) != len(self.values) - 1:
            raise GraphError(
                f"PiecewiseConstantDecay: found {len(self.boundaries)} boundaries and {len(self.values)} values, "
                "expected one value more than boundaries"
            )
        if self.boundaries != sorted(set(self.boundaries)):
            raise GraphError(f"PiecewiseConstantDecay: boundaries are {self.boundaries}, expected them to increase")

    def rate(self, step: Node) -> Node:
        """A staircase."""
        found = constant(self.values[-1], step.dtype)
        for boundary, value in zip(reversed(self.boundaries), reversed(self.values[:-1]), strict=True):
            found = where(less_equal(step, float(boundary)), value, found)
        return found


class PolynomialDecay(Schedule):
    """``(initial - end)(1 - step / decay_steps)^power + end``, then `end`; or, with `cycle`, over a longer stretch."""

    def __init__(
        self,
        initial_learning_rate: float,
        decay_steps: float,
        end_learning_rate: float = 0.0001,
        power: float = 1.0,
        cycle: bool = False,
        name: str = "PolynomialDecay",
    ) -> None:
        self.initial_learning_rate, self.end_learning_rate = initial_learning_rate, end_learning_rate
        self.decay_steps = positive(self, "decay_steps", decay_steps)
        self.power, self.cycle, self.name = power, cycle, name

    def rate(self, step: Node) -> Node:
        """A power of what is left."""
        length = self.decay_steps
        share = self._of_cycle(step) if self.cycle else minimum(step, length) / length
        left = 1 - share
        curve = left if self.power == 1 else power(left, self.power)
        return (self.initial_learning_rate - self.end_learning_rate) * curve + self.end_learning_rate

    def _of_cycle(self, step: Node) -> Node:
        """How much is over of the smallest whole number of stretches, at least one, that holds `step`."""
        stretches = maximum(-floor(-step / self.decay_steps), 1.0)
        return step / (stretches * self.decay_steps)


def _periods(step: Node, length: float, staircase: bool) -> Node:
    """How many lengths `step` is; whole ones for a staircase."""
    periods = step / length
    return floor(periods) if staircase else periods
