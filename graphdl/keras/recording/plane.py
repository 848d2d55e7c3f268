"""The plane of a model with two features: where to ask for predictions, and how to keep the answers."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from graphdl.draw.training.recording import Surface
from graphdl.ir.node import Node

if TYPE_CHECKING:
    from graphdl.keras.models.model import Model
    from graphdl.keras.training import Head

Array = np.ndarray[Any, Any]

# Cells along one side.
SIZE = 50
# Room around the examples, as a share of the width they take.
_MARGIN = 0.12
_MOST_CLASSES = 16


@dataclass(frozen=True)
class Plane:
    """A surface, the cells to predict for (their middles, row by row from the top), and what the output is."""

    surface: Surface
    cells: Array
    squash: str

    def grid(self, outputs: Array) -> bytes:
        """The outputs for `cells` as one byte each; empty where they are not finite."""
        values = _squashed(outputs, self.squash)
        if not np.isfinite(values).all():
            return b""
        if self.surface.kind == "classes":
            levels = 256 // self.surface.classes
            return bytes((values.argmax(axis=1) * levels + np.rint(values.max(axis=1) * (levels - 1))).astype("u1"))
        value = values[:, -1]
        share = (value - self.surface.low) / (self.surface.high - self.surface.low)
        return bytes(np.rint(np.clip(share, 0, 1) * 255).astype("u1"))


def plane_of(model: Model, examples: Mapping[Node, Array]) -> Plane | None:
    """The plane of a model whose one input has two features; None for others, and for several numbers to predict."""
    head = _head(model)
    kind = _kind(head) if head is not None else None
    if head is None or kind is None:
        return None
    points, targets = examples[model.inputs[0]], examples[head.target]
    width = head.inferred.shape[1]
    labels = targets.argmax(axis=1) if targets.ndim == 2 and width > 1 else targets.reshape(len(targets))
    low, high = _range(labels) if kind == "value" else (0.0, 1.0)
    extent = _extent(points.astype(float))
    surface = Surface(
        kind=kind,
        extent=extent,
        size=SIZE,
        classes=max(2, width),
        low=low,
        high=high,
        points=tuple((_short(x), _short(y)) for x, y in points.tolist()),
        targets=tuple(map(_short, labels.tolist())),
    )
    return Plane(surface, _cells(extent).astype(points.dtype), _squash(head))


def _head(model: Model) -> Head | None:
    """The first output with its loss, where the model is a function of the plane."""
    if len(model.inputs) != 1 or model.inputs[0].shape[1:] != (2,) or isinstance(model.inputs[0].shape[0], int):
        return None
    return next((h for h in model.training.heads if h.inferred is model.outputs[0] and h.inferred.ndim == 2), None)


def _kind(head: Head) -> str | None:
    width = head.inferred.shape[1]
    if not isinstance(width, int):
        return None
    if head.loss.takes_classes or head.loss.is_probability:
        return "binary" if width <= 2 else "classes" if width <= _MOST_CLASSES else None
    return "value" if width == 1 else None


def _squash(head: Head) -> str:
    """What makes probabilities of the output, where the loss does it itself."""
    if not getattr(head.loss, "from_logits", False):
        return ""
    return "sigmoid" if head.loss.name == "binary_crossentropy" else "softmax"


def _squashed(outputs: Array, squash: str) -> Array:
    values = outputs.astype(float)
    with np.errstate(over="ignore"):
        if squash == "sigmoid":
            return np.asarray(1 / (1 + np.exp(-values)))
        if squash == "softmax":
            powers = np.exp(values - values.max(axis=1, keepdims=True))
            return np.asarray(powers / powers.sum(axis=1, keepdims=True))
    return values


def _range(targets: Array) -> tuple[float, float]:
    """The targets' range; as wide below 0 as above where they lie on both sides."""
    low, high = float(targets.min()), float(targets.max())
    if low < 0 < high:
        high = max(-low, high)
        low = -high
    return (low, high) if low < high else (low - 1, high + 1)


def _extent(points: Array) -> tuple[float, float, float, float]:
    """Left, right, bottom, top of a frame around the points; features of like range get one scale."""
    low, high = points.min(axis=0), points.max(axis=0)
    middle, half = (low + high) / 2, (high - low) / 2
    half = np.where(half > 0, half, 1.0)
    if half.min() > half.max() * 2 / 3:
        half = np.full(2, half.max())
    half = half * (1 + 2 * _MARGIN)
    left, bottom = (middle - half).tolist()
    right, top = (middle + half).tolist()
    return left, right, bottom, top


def _cells(extent: tuple[float, float, float, float]) -> Array:
    """The middles of the cells, row by row from the top."""
    left, right, bottom, top = extent
    places = (np.arange(SIZE) + 0.5) / SIZE
    across, down = np.meshgrid(left + (right - left) * places, top - (top - bottom) * places)
    return np.stack([across.ravel(), down.ravel()], axis=1)


def _short(number: float) -> float:
    """Four digits, which a point needs to be drawn."""
    return float(f"{number:.4g}")
