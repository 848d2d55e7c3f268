"""Rates along waves of the cosine, and the rise before them."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from graphdl.ir.leaves import constant
from graphdl.ir.node import Node
from graphdl.keras.lookup import serialize
from graphdl.keras.optimizers.schedules.schedule import Schedule, positive
from graphdl.ops.arithmetic import floor, less, maximum, minimum, where
from graphdl.ops.transcendental import cos, log, power


class CosineDecay(Schedule):
    """Half a wave from the initial rate down to `alpha` times it (Loshchilov & Hutter 2017).

    With a `warmup_target` the rate first rises to it in a straight line over `warmup_steps`, and falls from there.
    """

    def __init__(
        self,
        initial_learning_rate: float,
        decay_steps: float,
        alpha: float = 0.0,
        name: str = "CosineDecay",
        warmup_target: float | None = None,
        warmup_steps: float = 0,
    ) -> None:
        self.initial_learning_rate, self.alpha, self.name = initial_learning_rate, alpha, name
        self.decay_steps = positive(self, "decay_steps", decay_steps)
        self.warmup_target, self.warmup_steps = warmup_target, warmup_steps

    def rate(self, step: Node) -> Node:
        """A rise, then a wave."""
        if self.warmup_target is None:
            return self.initial_learning_rate * self._wave(minimum(step, self.decay_steps))
        step = minimum(step, self.decay_steps + self.warmup_steps)
        falling = self.warmup_target * self._wave(step - self.warmup_steps)
        if not self.warmup_steps:
            return falling
        rise = (self.warmup_target - self.initial_learning_rate) / self.warmup_steps
        return where(less(step, self.warmup_steps), rise * step + self.initial_learning_rate, falling)

    def _wave(self, step: Node) -> Node:
        return _half_wave(step / self.decay_steps, self.alpha)


class CosineDecayRestarts(Schedule):
    """Waves of CosineDecay one after the other, each `t_mul` times as long and `m_mul` times as high as the last."""

    def __init__(
        self,
        initial_learning_rate: float,
        first_decay_steps: float,
        t_mul: float = 2.0,
        m_mul: float = 1.0,
        alpha: float = 0.0,
        name: str = "SGDRDecay",
    ) -> None:
        self.initial_learning_rate, self.alpha, self.name = initial_learning_rate, alpha, name
        self.first_decay_steps = positive(self, "first_decay_steps", first_decay_steps)
        self.t_mul, self.m_mul = positive(self, "t_mul", t_mul), m_mul

    def rate(self, step: Node) -> Node:
        """The wave of this stretch."""
        done = step / self.first_decay_steps
        if self.t_mul == 1:
            restarts = floor(done)
            share = done - restarts
        else:
            restarts = floor(log(1 - done * (1 - self.t_mul)) / math.log(self.t_mul))
            length = power(self.t_mul, restarts)
            share = (done - (1 - length) / (1 - self.t_mul)) / length
        height = 1.0 if self.m_mul == 1 else power(self.m_mul, restarts)
        return self.initial_learning_rate * _half_wave(share, self.alpha, height)


class LinearWarmup(Schedule):
    """From `start` in a straight line to `target` over `warmup_steps` steps; then `after`, which begins at its 0.

    `after` is a rate or another schedule; `target` by default.
    """

    def __init__(
        self,
        target: float,
        warmup_steps: float,
        start: float = 0.0,
        after: float | Schedule | Mapping[str, Any] | None = None,
        name: str = "LinearWarmup",
    ) -> None:
        self.target, self.start, self.name = target, start, name
        self.after = _read(after) if isinstance(after, Mapping) else after
        self.warmup_steps = positive(self, "warmup_steps", warmup_steps)

    def rate(self, step: Node) -> Node:
        """A rise, then what comes after."""
        rise = (self.target - self.start) / self.warmup_steps * step + self.start
        if isinstance(self.after, Schedule):
            later: Any = self.after.rate(maximum(step - self.warmup_steps, 0.0))
        else:
            later = constant(self.target if self.after is None else self.after, step.dtype)
        return where(less(step, self.warmup_steps), rise, later)

    def get_config(self) -> dict[str, Any]:
        """The arguments it was made with."""
        after = serialize(self.after) if isinstance(self.after, Schedule) else self.after
        return {**super().get_config(), "after": after}


def _half_wave(share: Node, alpha: float, height: Node | float = 1.0) -> Node:
    """From `height` at 0 to `alpha` at 1."""
    wave = (1 + cos(math.pi * share)) * (0.5 * height)
    return (1 - alpha) * wave + alpha if alpha else wave


def _read(description: Mapping[str, Any]) -> Schedule:
    from graphdl.keras.optimizers import schedules

    return schedules.get(description)
