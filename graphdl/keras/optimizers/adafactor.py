"""Adam with little memory: of a matrix, mean squares are kept for rows and columns, not for each element."""

from __future__ import annotations

import math
from typing import Any

from graphdl.ir.node import Node
from graphdl.keras.optimizers.optimizer import Optimizer
from graphdl.keras.optimizers.schedules import Schedule
from graphdl.keras.optimizers.step import Pairs, Place, Step
from graphdl.ops.arithmetic import maximum, minimum, sqrt, square
from graphdl.ops.reduce import mean
from graphdl.ops.shape import expand_dims
from graphdl.ops.transcendental import power


class Adafactor(Optimizer):
    """Steps as long as the weights are large, divided by factored mean squares (Shazeer & Stern 2018).

    The rate is at most 1 / sqrt(t), with `relative_step` or without, as in Keras.
    """

    name = "adafactor"

    def __init__(
        self,
        learning_rate: float | Schedule = 0.001,
        beta_2_decay: float = -0.8,
        epsilon_1: float = 1e-30,
        epsilon_2: float = 1e-3,
        clip_threshold: float = 1.0,
        relative_step: bool = True,
        **common: Any,
    ) -> None:
        super().__init__(learning_rate, **common)
        self._check(beta_2_decay=(beta_2_decay, -math.inf, 0), clip_threshold=(clip_threshold, 0, math.inf))
        self._check(epsilon_1=(epsilon_1, 0, math.inf), epsilon_2=(epsilon_2, 0, math.inf))
        self.beta_2_decay, self.clip_threshold, self.relative_step = beta_2_decay, clip_threshold, relative_step
        self.epsilon_1, self.epsilon_2 = epsilon_1, epsilon_2

    def prepare(self, rate: Node, step: Step) -> tuple[Node, Node]:
        """``min(rate, 1 / sqrt(t))``, and the share of the old mean squares, ``1 - t^beta_2_decay``."""
        return minimum(rate, 1 / sqrt(step.t)), 1 - power(step.t, self.beta_2_decay)

    def rule(self, g: Node, w: Node, at: Place) -> Pairs:
        """``u = g / sqrt(v)``, ``w -= rate max(epsilon_2, rms(w)) u / max(1, rms(u) / clip_threshold)``."""
        rate, kept = map(at.typed, at.shared)
        spread, pairs = self._spread(square(g) + self.epsilon_1, kept, at)
        step = g / sqrt(spread)
        step = step / maximum(_rms(step) / self.clip_threshold, 1.0)
        return [*pairs, (w, w - rate * maximum(_rms(w), self.epsilon_2) * step)]

    def _spread(self, squares: Node, kept: Node, at: Place) -> tuple[Node, Pairs]:
        """Mean squares of all elements: of a matrix, the product of those of its rows and columns."""
        shape = at.variable.shape
        if len(shape) < 2:
            v = at.slot("velocity")
            now = kept * v + (1 - kept) * squares
            return now, [(v, now)]
        r, c = at.slot("rows", shape=shape[:-1]), at.slot("columns", shape=(*shape[:-2], shape[-1]))
        rows = kept * r + (1 - kept) * mean(squares, axis=-1)
        columns = kept * c + (1 - kept) * mean(squares, axis=-2)
        share = rows / mean(rows, axis=-1, keepdims=True)
        return expand_dims(share, -1) * expand_dims(columns, -2), [(r, rows), (c, columns)]


def _rms(x: Node) -> Node:
    """The root of the mean square of all elements."""
    return sqrt(mean(square(x)))
