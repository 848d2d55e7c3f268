"""Steps along the gradient, or along its signs: SGD with its momenta, and Lion."""

from __future__ import annotations

from typing import Any

from graphdl.ir.node import Node
from graphdl.keras.optimizers.optimizer import Optimizer
from graphdl.keras.optimizers.schedules import Schedule
from graphdl.keras.optimizers.step import Pairs, Place
from graphdl.ops.arithmetic import sign


class SGD(Optimizer):
    """Gradient descent, with momentum where asked for (Polyak 1964), looking ahead if `nesterov` (1983)."""

    name = "SGD"

    def __init__(
        self, learning_rate: float | Schedule = 0.01, momentum: float = 0.0, nesterov: bool = False, **common: Any
    ) -> None:
        super().__init__(learning_rate, **common)
        self._check(momentum=(momentum, 0, 1))
        self.momentum, self.nesterov = momentum, nesterov

    def rule(self, g: Node, w: Node, at: Place) -> Pairs:
        """``w -= rate g``; with momentum ``m = momentum m - rate g`` and ``w += m``."""
        if not self.momentum:
            return [(w, w - at.rate * g)]
        m = at.slot("momentum")
        velocity = m * self.momentum - at.rate * g
        step = velocity * self.momentum - at.rate * g if self.nesterov else velocity
        return [(m, velocity), (w, w + step)]


class Lion(Optimizer):
    """Steps of one length in each direction, along the sign of a mean gradient (Chen et al. 2023)."""

    name = "lion"

    def __init__(
        self, learning_rate: float | Schedule = 0.001, beta_1: float = 0.9, beta_2: float = 0.99, **common: Any
    ) -> None:
        super().__init__(learning_rate, **common)
        self._check(beta_1=(beta_1, 0, 1), beta_2=(beta_2, 0, 1))
        self.beta_1, self.beta_2 = beta_1, beta_2

    def rule(self, g: Node, w: Node, at: Place) -> Pairs:
        """``w -= rate sign(beta_1 m + (1 - beta_1) g)``, then ``m = beta_2 m + (1 - beta_2) g``."""
        m = at.slot("momentum")
        direction = sign(m * self.beta_1 + g * (1 - self.beta_1))
        return [(m, m * self.beta_2 + g * (1 - self.beta_2)), (w, w - at.rate * direction)]
