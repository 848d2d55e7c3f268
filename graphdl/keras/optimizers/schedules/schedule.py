"""What schedules have in common: called on a node they give a node, on a number a number."""

from __future__ import annotations

from functools import cached_property
from typing import Any

from graphdl.ir.leaves import placeholder
from graphdl.ir.node import Node
from graphdl.keras.checks import number
from graphdl.keras.lookup import Configured
from graphdl.ops.shape import cast
from graphdl.runtime.compiled import Compiled
from graphdl.runtime.session import Session


class Schedule(Configured):
    """A learning rate as a function of the step. Subclasses write it in `rate`."""

    def rate(self, step: Node) -> Node:
        """The rate after `step` steps; both are floats of one dtype."""
        raise NotImplementedError

    def __call__(self, step: Any) -> Any:
        """The rate after `step` steps: a node for a node, a float for a number."""
        if not isinstance(step, Node):
            return self.value(step)
        return self.rate(step if step.tensor.is_float else cast(step, "float32"))

    def value(self, step: float) -> float:
        """The rate after `step` steps, as a number."""
        (found,) = self._program(float(step))
        return float(found)

    @cached_property
    def _program(self) -> Compiled:
        step = placeholder((), "float64", name="step")
        rate = self.rate(step)
        return Session().compile(rate if rate is not step else rate + 0.0)


def positive(owner: Schedule, word: str, value: Any) -> float:
    """`value`, a number above 0."""
    return number(f"{type(owner).__name__}: {word}", value, above=True)
