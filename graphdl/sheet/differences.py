"""The gradient by central differences: the session runs again, in float64, with one number moved up and down."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np

from graphdl.ir.node import Node
from graphdl.runtime.check import with_moved
from graphdl.sheet.point import Point

# The error of a central difference is about h² from curvature and 1e-16 / h from rounding: least near 6e-6.
_STEP = 2.0**-17
# More elements than these are not all moved: the ones with the largest gradients are, and some others.
_MOST_MOVED = 64


@dataclass(frozen=True)
class Difference:
    """The slope of the loss along the element `index`, from losses at a distance of `step` behind and ahead."""

    index: tuple[int, ...]
    numeric: float
    step: float


class Mover:
    """Runs the loss of `point` with a node replaced by a placeholder, so that any node can be moved."""

    def __init__(self, point: Point, w: Node) -> None:
        assert point.feeds is not None, "there is nothing to run without numbers"
        self.point = point
        self.feeds = point.feeds
        self.value = np.asarray(point.session.run(w, point.feeds), "float64")
        self.loss, self.moved = with_moved(point.loss, w)

    def at(self, index: tuple[int, ...]) -> Difference:
        """The central difference for one element; its step is a power of two, so that moving by it is exact."""
        h = _STEP * 2.0 ** max(0, math.frexp(abs(float(self.value[index])))[1])
        return Difference(index, (self._loss(index, h) - self._loss(index, -h)) / (2 * h), h)

    def several(self, gradient: Any) -> list[Difference]:
        """Differences for all elements, or where there are many, for those with the largest gradients and others."""
        order = np.argsort(-np.abs(np.asarray(gradient)), axis=None)
        if order.size > _MOST_MOVED:
            others = np.linspace(0, order.size - 1, _MOST_MOVED // 2).astype(int)
            order = np.unique(np.concatenate([order[: _MOST_MOVED // 2], order[others]]))
        return [self.at(tuple(int(i) for i in np.unravel_index(place, self.value.shape))) for place in order]

    def _loss(self, index: tuple[int, ...], step: float) -> float:
        value = self.value.copy()
        value[index] += step
        self.point.session.state.step = 0
        return float(self.point.session.run(self.loss, {**self.feeds, self.moved: value}))
