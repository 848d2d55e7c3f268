"""Momentum whose matrices are made orthogonal, so that a step goes equally far in all directions; Adam elsewhere."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from typing import Any

from graphdl.ir.node import Node
from graphdl.keras.checks import number
from graphdl.keras.optimizers.optimizer import Optimizer
from graphdl.keras.optimizers.schedules import Schedule
from graphdl.keras.optimizers.step import Pairs, Place, Step, norm
from graphdl.ops.arithmetic import sqrt, square
from graphdl.ops.shape import transpose
from graphdl.ops.transcendental import power

# What the norm is kept above before the iteration.
_LEAST_NORM = 1e-7


class Muon(Optimizer):
    """Orthogonalised momentum for matrices, AdamW for all else (Jordan et al. 2024; Liu et al. 2025).

    exclude_layers       regular expressions: matrices in whose names one matches are left to AdamW
    exclude_embeddings   so are embeddings
    muon_a, muon_b, muon_c, ns_steps   the iteration of Newton and Schulz, ``X = a X + (b A + c A^2) X``, ``A = X X'``
    rms_rate             steps are scaled to this size of Adam's, times the root of the longer side; None: as they are
    """

    name = "muon"

    def __init__(
        self,
        learning_rate: float | Schedule = 0.001,
        adam_beta_1: float = 0.9,
        adam_beta_2: float = 0.999,
        adam_weight_decay: float | None = 0.004,
        epsilon: float = 1e-7,
        weight_decay: float | None = 0.004,
        *,
        exclude_layers: Sequence[str] | None = None,
        exclude_embeddings: bool = True,
        muon_a: float = 3.4445,
        muon_b: float = -4.7750,
        muon_c: float = 2.0315,
        adam_lr_ratio: float = 1.0,
        momentum: float = 0.95,
        ns_steps: int = 5,
        nesterov: bool = True,
        rms_rate: float | None = 0.2,
        **common: Any,
    ) -> None:
        super().__init__(learning_rate, weight_decay=weight_decay, **common)
        self._check_betas(adam_beta_1=adam_beta_1, adam_beta_2=adam_beta_2)
        self._check(epsilon=(epsilon, 0, math.inf), momentum=(momentum, 0, 1), ns_steps=(ns_steps, 1, math.inf))
        if adam_weight_decay is not None:
            number("Muon: adam_weight_decay", adam_weight_decay)
        self.adam_beta_1, self.adam_beta_2, self.epsilon = adam_beta_1, adam_beta_2, epsilon
        self.adam_weight_decay, self.adam_lr_ratio = adam_weight_decay, adam_lr_ratio
        self.exclude_layers, self.exclude_embeddings = exclude_layers, exclude_embeddings
        self.muon_a, self.muon_b, self.muon_c, self.ns_steps = muon_a, muon_b, muon_c, ns_steps
        self.momentum, self.nesterov, self.rms_rate = momentum, nesterov, rms_rate

    def is_for_adam(self, variable: Node) -> bool:
        """Whether this variable is no matrix, or excluded."""
        label = variable.label
        is_embedding = self.exclude_embeddings and "embedding" in label.lower()
        return variable.ndim != 2 or is_embedding or any(re.search(part, label) for part in self.exclude_layers or ())

    def decay_of(self, variable: Node) -> float | None:
        """The weight decay of this variable, of which there are two, if any."""
        if self.is_for_adam(variable):
            return None if self.spares(variable) else self.adam_weight_decay
        return super().decay_of(variable)

    def prepare(self, rate: Node, step: Step) -> Node:
        """``sqrt(1 - beta_2^t) / (1 - beta_1^t)``, Adam's correction of the start from zero."""
        return sqrt(1 - power(self.adam_beta_2, step.t)) / (1 - power(self.adam_beta_1, step.t))

    def rule(self, g: Node, w: Node, at: Place) -> Pairs:
        """``m = momentum m + g``, ``w -= rate rms_rate sqrt(longer side) orthogonal(g + momentum m)``, or Adam."""
        m = at.slot("momentum")
        if self.is_for_adam(at.variable):
            return self._adam(g, w, m, at)
        mean = self.momentum * m + g
        step = self.orthogonal(g + self.momentum * mean if self.nesterov else mean)
        scale = 1.0 if self.rms_rate is None else self.rms_rate * math.sqrt(max(map(int, at.variable.shape)))
        return [(m, mean), (w, w - at.rate * step * scale)]

    def _adam(self, g: Node, w: Node, m: Node, at: Place) -> Pairs:
        v = at.slot("velocity")
        mean, square_mean = m + (g - m) * (1 - self.adam_beta_1), v + (square(g) - v) * (1 - self.adam_beta_2)
        alpha = at.rate * self.adam_lr_ratio * at.typed(at.shared)
        return [(m, mean), (v, square_mean), (w, w - alpha * mean / (sqrt(square_mean) + self.epsilon))]

    def orthogonal(self, x: Node) -> Node:
        """Nearly U V' for ``x = U S V'``: the iteration draws all singular values to about 1."""
        rows, columns = map(int, x.shape)
        wide = transpose(x) if rows > columns else x
        wide = wide / (norm(wide) + _LEAST_NORM)
        for _ in range(self.ns_steps):
            products = wide @ transpose(wide)
            wide = self.muon_a * wide + (self.muon_b * products + self.muon_c * products @ products) @ wide
        return transpose(wide) if rows > columns else wide
