"""What schedules have in common: called on a node they give a node, on a number a number."""

from __future__ import annotations

import inspect
from collections.abc import Mapping
from functools import cached_property
from typing import Any, Self

from graphdl.errors import GraphError
from graphdl.ir.leaves import placeholder
from graphdl.ir.node import Node
from graphdl.ops.shape import cast
from graphdl.runtime.compiled import Compiled
from graphdl.runtime.session import Session


class Schedule:
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

    def get_config(self) -> dict[str, Any]:
        """The arguments it was made with."""
        return {word: getattr(self, word) for word in inspect.signature(type(self)).parameters}

    @classmethod
    def from_config(cls, config: Mapping[str, Any]) -> Self:
        """The schedule of these arguments."""
        return cls(**config)

    def __repr__(self) -> str:
        default = {word: p.default for word, p in inspect.signature(type(self)).parameters.items()}
        words = {word: getattr(self, word) for word in default}
        changed = [f"{word}={value!r}" for word, value in words.items() if value != default[word]]
        return f"{type(self).__name__}({', '.join(changed)})"


def positive(owner: Schedule, word: str, value: Any) -> float:
    """`value`, or GraphError where it is no number above 0."""
    if isinstance(value, bool) or not isinstance(value, int | float) or not value > 0:
        raise GraphError(f"{type(owner).__name__}: {word} is {value!r:.40}, expected a number above 0")
    return value
