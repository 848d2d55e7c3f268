"""Follow the regularised leader, which makes weights that are exactly 0."""

from __future__ import annotations

import math
from typing import Any

from graphdl.errors import GraphError
from graphdl.ir.node import Node
from graphdl.keras.optimizers.optimizer import Optimizer
from graphdl.keras.optimizers.schedules import Schedule
from graphdl.keras.optimizers.step import Pairs, Place
from graphdl.ops.arithmetic import clip, square
from graphdl.ops.transcendental import pow


class Ftrl(Optimizer):
    """The best weights for all gradients so far, with penalties L1 and L2 (McMahan et al. 2013, algorithm 1).

    `beta` adds to L2 as in the paper; `l2_shrinkage_regularization_strength` adds ``2 s w`` to the gradient.
    """

    name = "ftrl"

    def __init__(
        self,
        learning_rate: float | Schedule = 0.001,
        learning_rate_power: float = -0.5,
        initial_accumulator_value: float = 0.1,
        l1_regularization_strength: float = 0.0,
        l2_regularization_strength: float = 0.0,
        l2_shrinkage_regularization_strength: float = 0.0,
        beta: float = 0.0,
        **common: Any,
    ) -> None:
        super().__init__(learning_rate, **common)
        if not learning_rate_power <= 0:
            raise GraphError(f"Ftrl: learning_rate_power is {learning_rate_power!r:.40}, expected 0 or less")
        self._check(
            initial_accumulator_value=(initial_accumulator_value, 0, math.inf),
            l1_regularization_strength=(l1_regularization_strength, 0, math.inf),
            l2_regularization_strength=(l2_regularization_strength, 0, math.inf),
            l2_shrinkage_regularization_strength=(l2_shrinkage_regularization_strength, 0, math.inf),
            beta=(beta, 0, math.inf),
        )
        self.learning_rate_power, self.initial_accumulator_value = learning_rate_power, initial_accumulator_value
        self.l1_regularization_strength = l1_regularization_strength
        self.l2_regularization_strength = l2_regularization_strength
        self.l2_shrinkage_regularization_strength = l2_shrinkage_regularization_strength
        self.beta = beta

    def rule(self, g: Node, w: Node, at: Place) -> Pairs:
        """``z += g + 2 s w - (n'^p - n^p) w / rate``, ``w = (clip(z, -l1, l1) - z) / (n'^p / rate + 2 l2)``.

        n' = n + g^2 is the sum of squares, p = -learning_rate_power.
        """
        n, z = at.slot("accumulator", self.initial_accumulator_value), at.slot("linear")
        l1, p = self.l1_regularization_strength, -self.learning_rate_power
        shrunk = (
            g + 2 * self.l2_shrinkage_regularization_strength * w if self.l2_shrinkage_regularization_strength else g
        )
        total = n + square(g)
        size = pow(total, p)
        linear = z + (shrunk - (size - pow(n, p)) / at.rate * w)
        quadratic = size / at.rate + 2 * self._l2(at.rate)
        return [(n, total), (z, linear), (w, (clip(linear, -l1, l1) - linear) / quadratic)]

    def _l2(self, rate: Node) -> Any:
        l2 = self.l2_regularization_strength
        return l2 + self.beta / (2 * rate) if self.beta else l2
