"""Adam and its kin: the mean gradient, divided by a size of gradients, both freed of their start from zero.

Their ε is outside the root.
"""

from __future__ import annotations

import math
from typing import Any

from graphdl.ir.node import Node
from graphdl.keras.checks import number
from graphdl.keras.optimizers.optimizer import Optimizer
from graphdl.keras.optimizers.schedules import Schedule
from graphdl.keras.optimizers.step import Pairs, Place, Step, norm
from graphdl.ops.arithmetic import abs, divide, greater, logical_and, maximum, sqrt, square, where
from graphdl.ops.transcendental import power

# By which Nadam's momentum grows (Dozat 2016, section 2).
_NADAM_DECAY = 0.96


class _Adaptive(Optimizer):
    """What the family has in common: two decays and an epsilon."""

    def __init__(
        self,
        learning_rate: float | Schedule = 0.001,
        beta_1: float = 0.9,
        beta_2: float = 0.999,
        epsilon: float = 1e-7,
        **common: Any,
    ) -> None:
        super().__init__(learning_rate, **common)
        self._check_betas(beta_1=beta_1, beta_2=beta_2)
        self._check(epsilon=(epsilon, 0, math.inf))
        self.beta_1, self.beta_2, self.epsilon = beta_1, beta_2, epsilon

    def means(self, g: Node, at: Place) -> tuple[Node, Node, Node, Node]:
        """The slots m and v, and what they become: ``m + (g - m)(1 - beta_1)``, ``v + (g^2 - v)(1 - beta_2)``."""
        m, v = at.slot("momentum"), at.slot("velocity")
        return m, v, m + (g - m) * (1 - self.beta_1), v + (square(g) - v) * (1 - self.beta_2)


class Adam(_Adaptive):
    """Steps of a length that the mean and the mean square of past gradients decide (Kingma & Ba 2015).

    With `amsgrad` the largest mean square so far counts (Reddi, Kale & Kumar 2018).
    """

    name = "adam"

    def __init__(
        self,
        learning_rate: float | Schedule = 0.001,
        beta_1: float = 0.9,
        beta_2: float = 0.999,
        epsilon: float = 1e-7,
        amsgrad: bool = False,
        **common: Any,
    ) -> None:
        super().__init__(learning_rate, beta_1, beta_2, epsilon, **common)
        self.amsgrad = amsgrad

    def prepare(self, rate: Node, step: Step) -> Node:
        """``alpha = rate sqrt(1 - beta_2^t) / (1 - beta_1^t)``, which corrects the start from zero (section 3)."""
        return divide(rate * sqrt(1 - power(self.beta_2, step.t)), 1 - power(self.beta_1, step.t), name="alpha")

    def rule(self, g: Node, w: Node, at: Place) -> Pairs:
        """``m += (g - m)(1 - beta_1)``, ``v += (g^2 - v)(1 - beta_2)``, ``w -= alpha m / (sqrt(v) + epsilon)``."""
        m, v, mean, square_mean = self.means(g, at)
        pairs = [(m, mean), (v, square_mean)]
        size = square_mean
        if self.amsgrad:
            largest = at.slot("velocity_hat")
            size = maximum(largest, square_mean)
            pairs.append((largest, size))
        return [*pairs, (w, w - at.typed(at.shared) * mean / (sqrt(size) + self.epsilon))]


class AdamW(Adam):
    """Adam whose weights decay by themselves, not through the gradient (Loshchilov & Hutter 2019)."""

    name = "adamw"

    def __init__(
        self,
        learning_rate: float | Schedule = 0.001,
        weight_decay: float = 0.004,
        beta_1: float = 0.9,
        beta_2: float = 0.999,
        epsilon: float = 1e-7,
        amsgrad: bool = False,
        **common: Any,
    ) -> None:
        number("AdamW: weight_decay", weight_decay)
        super().__init__(learning_rate, beta_1, beta_2, epsilon, amsgrad, weight_decay=weight_decay, **common)


class Lamb(_Adaptive):
    """Adam's step, as long for each variable as the variable itself is large (You et al. 2020)."""

    name = "lamb"

    def prepare(self, rate: Node, step: Step) -> tuple[Node, Node]:
        """``1 - beta_1^t`` and ``1 - beta_2^t``"""
        return 1 - power(self.beta_1, step.t), 1 - power(self.beta_2, step.t)

    def rule(self, g: Node, w: Node, at: Place) -> Pairs:
        """``d = (m / (1 - beta_1^t)) / (sqrt(v / (1 - beta_2^t)) + epsilon)``, ``w -= rate d |w| / |d|``."""
        m, v, mean, square_mean = self.means(g, at)
        of_mean, of_square = map(at.typed, at.shared)
        step = (mean / of_mean) / (sqrt(square_mean / of_square) + self.epsilon)
        return [(m, mean), (v, square_mean), (w, w - _trust(norm(w), norm(step)) * at.rate * step)]


def _trust(weight: Node, step: Node) -> Node:
    """The ratio of two norms; 1 where one of them is 0."""
    has_both = logical_and(greater(weight, 0.0), greater(step, 0.0))
    return where(has_both, weight / where(has_both, step, 1.0), 1.0)


class Adamax(_Adaptive):
    """Adam by the largest gradient, forgotten slowly, in place of the mean square (Kingma & Ba 2015, section 7.1)."""

    name = "adamax"

    def prepare(self, rate: Node, step: Step) -> Node:
        """``1 - beta_1^t``"""
        return 1 - power(self.beta_1, step.t)

    def rule(self, g: Node, w: Node, at: Place) -> Pairs:
        """``m += (g - m)(1 - beta_1)``, ``u = max(beta_2 u, |g|)``, ``w -= rate m / ((1 - beta_1^t)(u + epsilon))``."""
        m, u = at.slot("momentum"), at.slot("norm")
        mean, size = m + (g - m) * (1 - self.beta_1), maximum(u * self.beta_2, abs(g))
        return [(m, mean), (u, size), (w, w - at.rate * mean / (at.typed(at.shared) * (size + self.epsilon)))]


class Nadam(_Adaptive):
    """Adam that looks ahead as Nesterov's momentum does (Dozat 2016)."""

    name = "nadam"

    def prepare(self, rate: Node, step: Step) -> tuple[Node, Node, Node]:
        """Factors of the mean and of the gradient, and ``1 - beta_2^t``.

        The momentum of step t is ``u = beta_1 (1 - 0.96^t / 2)``; products of all momenta take the place of beta_1^t.
        """
        u, ahead = (self.beta_1 * (1 - 0.5 * power(_NADAM_DECAY, n)) for n in (step.t, step.t + 1))
        product = step.number(1.0, "u_product")
        now = product * u
        step.becomes(product, now)
        return ahead / (1 - now * ahead), (1 - u) / (1 - now), 1 - power(self.beta_2, step.t)

    def rule(self, g: Node, w: Node, at: Place) -> Pairs:
        """``w -= rate d / (sqrt(v / (1 - beta_2^t)) + epsilon)``, where d is ahead of the mean gradient."""
        m, v, mean, square_mean = self.means(g, at)
        of_mean, of_gradient, correction = map(at.typed, at.shared)
        direction = of_mean * mean + of_gradient * g
        step = at.rate * direction / (sqrt(square_mean / correction) + self.epsilon)
        return [(m, mean), (v, square_mean), (w, w - step)]
