"""Steps divided by the size of past gradients, element by element: Adagrad, RMSprop, Adadelta. ε is in the root."""

from __future__ import annotations

import math
from typing import Any

from graphdl.ir.node import Node
from graphdl.keras.optimizers.optimizer import Optimizer
from graphdl.keras.optimizers.schedules import Schedule
from graphdl.keras.optimizers.step import Pairs, Place
from graphdl.ops.arithmetic import sqrt, square


class Adagrad(Optimizer):
    """Steps divided by the root of the sum of all squares so far (Duchi, Hazan & Singer 2011)."""

    name = "adagrad"

    def __init__(
        self,
        learning_rate: float | Schedule = 0.001,
        initial_accumulator_value: float = 0.1,
        epsilon: float = 1e-7,
        **common: Any,
    ) -> None:
        super().__init__(learning_rate, **common)
        self._check(initial_accumulator_value=(initial_accumulator_value, 0, math.inf), epsilon=(epsilon, 0, math.inf))
        self.initial_accumulator_value, self.epsilon = initial_accumulator_value, epsilon

    def rule(self, g: Node, w: Node, at: Place) -> Pairs:
        """``a += g^2``, ``w -= rate g / sqrt(a + epsilon)``."""
        a = at.slot("accumulator", self.initial_accumulator_value)
        total = a + square(g)
        return [(a, total), (w, w - at.rate * g / sqrt(total + self.epsilon))]


class RMSprop(Optimizer):
    """Steps divided by the root of a running mean of squares (Hinton 2012); `centered`: of their variance."""

    name = "rmsprop"

    def __init__(
        self,
        learning_rate: float | Schedule = 0.001,
        rho: float = 0.9,
        momentum: float = 0.0,
        epsilon: float = 1e-7,
        centered: bool = False,
        **common: Any,
    ) -> None:
        super().__init__(learning_rate, **common)
        self._check(rho=(rho, 0, 1), momentum=(momentum, 0, 1), epsilon=(epsilon, 0, math.inf))
        self.rho, self.momentum, self.epsilon, self.centered = rho, momentum, epsilon, centered

    def rule(self, g: Node, w: Node, at: Place) -> Pairs:
        """``v = rho v + (1 - rho) g^2``, ``m = momentum m + rate g / sqrt(v + epsilon)``, ``w -= m``.

        Centered, v less the square of the mean gradient stands in the root.
        """
        v = at.slot("velocity")
        square_mean = self.rho * v + (1 - self.rho) * square(g)
        pairs = [(v, square_mean)]
        spread = square_mean
        if self.centered:
            mean = at.slot("average_gradient")
            mean_now = self.rho * mean + (1 - self.rho) * g
            pairs.append((mean, mean_now))
            spread = square_mean - square(mean_now)
        step = at.rate * g / sqrt(spread + self.epsilon)
        if self.momentum:
            m = at.slot("momentum")
            step = self.momentum * m + step
            pairs.append((m, step))
        return [*pairs, (w, w - step)]


class Adadelta(Optimizer):
    """Steps as long as past steps were, for gradients as large as past gradients (Zeiler 2012)."""

    name = "adadelta"

    def __init__(
        self, learning_rate: float | Schedule = 0.001, rho: float = 0.95, epsilon: float = 1e-7, **common: Any
    ) -> None:
        super().__init__(learning_rate, **common)
        self._check(rho=(rho, 0, 1), epsilon=(epsilon, 0, math.inf))
        self.rho, self.epsilon = rho, epsilon

    def rule(self, g: Node, w: Node, at: Place) -> Pairs:
        """``a = rho a + (1 - rho) g^2``, ``d = -g sqrt(b + epsilon) / sqrt(a + epsilon)``, then b likewise of d."""
        a, b = at.slot("accumulated_grad"), at.slot("accumulated_delta_var")
        squares = self.rho * a + (1 - self.rho) * square(g)
        step = -(sqrt(b + self.epsilon) * g / sqrt(squares + self.epsilon))
        steps = self.rho * b + (1 - self.rho) * square(step)
        return [(a, squares), (b, steps), (w, w + at.rate * step)]
