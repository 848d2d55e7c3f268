"""The snapshots of one training, from the first to the recording that is made of them."""

from __future__ import annotations

import bisect
import math
from collections.abc import Mapping
from dataclasses import asdict, replace
from typing import Any

import numpy as np

from graphdl.draw.training import Recording
from graphdl.draw.training.bins import GrowingHistogram
from graphdl.draw.training.recording import QUANTITIES, Curve, Number, Snapshot
from graphdl.ir.node import Node
from graphdl.keras.recording.plane import plane_of
from graphdl.keras.recording.probe import Array, Measured, Probe, Row, finite, is_chain, norm

# Epochs that the curves keep: more than a screen has pixels to spare.
_MOST_EPOCHS = 400


class Film:
    """Snapshots as they are taken, and the numbers of the epochs."""

    def __init__(
        self, model: Any, examples: Mapping[Node, Array], per_epoch: int | None, first_epoch: int, title: str | None
    ) -> None:
        self.model = model
        self.title = title or model.name
        self.per_epoch, self.first_epoch = per_epoch, first_epoch
        self.probe = Probe(model, examples)
        self.weights = self.probe.weights()
        self.plane = plane_of(model, examples)
        self.histograms = {key: [GrowingHistogram() for _ in self.probe.rows] for key in QUANTITIES}
        self.snapshots: list[Snapshot] = []
        self.epochs: list[tuple[int, dict[str, Number]]] = []

    def take(self, step: int) -> None:
        """Measure the model, as it is after `step` steps."""
        found = self.probe.measure()
        self._count(found)
        norms = tuple(map(norm, found.weights))
        moves = [after.astype(float) - before for after, before in zip(found.proposed, found.weights, strict=True)]
        snapshot = Snapshot(
            step=step,
            epoch=math.nan,
            scores=found.scores,
            gradient_norms=tuple(map(norm, found.gradients)),
            weight_norms=norms,
            update_ratios=tuple(map(_ratio, map(norm, moves), norms)),
            dead=tuple(map(_dead_share, self.probe.rows, found.activations)),
            histograms={},
            grid=b"" if self.plane is None else self.plane.grid(self.probe.predict(self.plane.cells)),
        )
        self.snapshots.append(snapshot)

    def drop(self, place: int) -> None:
        """Forget the snapshot at `place`."""
        del self.snapshots[place]
        for grown in self.histograms.values():
            for histogram in grown:
                del histogram.rows[place]

    def end_epoch(self, step: int, logs: Mapping[str, Any]) -> None:
        """Keep what `fit` reports after an epoch that ended with `step`."""
        self.epochs.append((step, {name: finite(value) for name, value in logs.items()}))

    def recording(self) -> Recording:
        """All of it, as plain data."""
        bins, counts = {}, {}
        for key, grown in self.histograms.items():
            trimmed = [histogram.trimmed() for histogram in grown]
            bins[key] = tuple(found for found, _ in trimmed)
            counts[key] = list(zip(*[rows for _, rows in trimmed], strict=True))
        snapshots = [
            replace(
                snapshot,
                epoch=self._epoch_of(snapshot.step),
                histograms={key: counts[key][place] if counts[key] else () for key in QUANTITIES},
            )
            for place, snapshot in enumerate(self.snapshots)
        ]
        fit = self.model.last_fit
        return Recording(
            title=self.title,
            layers=tuple(row.layer for row in self.probe.rows),
            weights=self.weights,
            chain=is_chain(self.model),
            optimizer=self.model.optimizer.name,
            rate=self.model.optimizer.learning_rate,
            batch_size=fit.batch_size,
            examples=self.probe.count,
            curves=self._curves(),
            bins=bins,
            snapshots=tuple(snapshots),
            surface=None if self.plane is None else self.plane.surface,
        )

    def remembered(self) -> dict[str, Any]:
        """All of it as plain data and arrays, to go on with in another run."""
        return {
            "snapshots": [_without_bytes(snapshot) for snapshot in self.snapshots],
            "epochs": [[step, logs] for step, logs in self.epochs],
            "histograms": {
                key: [{"exponent": h.exponent, "rows": np.array(h.rows)} for h in grown]
                for key, grown in self.histograms.items()
            },
        }

    def recall(self, found: Mapping[str, Any]) -> None:
        """Go on from what `remembered` gave."""
        self.snapshots = [_with_bytes(snapshot) for snapshot in found["snapshots"]]
        self.epochs = [(step, logs) for step, logs in found["epochs"]]
        for key, grown in self.histograms.items():
            for histogram, kept in zip(grown, found["histograms"][key], strict=True):
                histogram.exponent, histogram.rows = kept["exponent"], list(kept["rows"])

    def _epoch_of(self, step: int) -> float:
        """Epochs done after `step` steps; where none says how long one is, as long as they turned out to be."""
        if self.per_epoch:
            return self.first_epoch + step / self.per_epoch
        ends = [0, *(end for end, _ in self.epochs)]
        done = bisect.bisect_right(ends, step) - 1
        if done < len(ends) - 1:
            return self.first_epoch + done + (step - ends[done]) / (ends[done + 1] - ends[done])
        length = max(ends[-1] - ends[-2] if done else 0, step - ends[-1] + 1)
        return self.first_epoch + done + (step - ends[-1]) / length

    def _count(self, found: Measured) -> None:
        """Add the values of each layer to the histograms; weights and gradients are those of the kernel."""
        kernels = {w.layer: place for place, w in enumerate(self.weights) if w.is_kernel}
        for layer, activations in enumerate(found.activations):
            self.histograms["activations"][layer].add(activations)
            for key, arrays in (("weights", found.weights), ("gradients", found.gradients)):
                self.histograms[key][layer].add(arrays[kernels[layer]] if layer in kernels else np.empty(0))

    def _curves(self) -> tuple[Curve, ...]:
        kept = self.epochs
        if len(kept) > _MOST_EPOCHS:
            chosen = np.unique(np.linspace(0, len(kept) - 1, _MOST_EPOCHS).round().astype(int))
            kept = [kept[place] for place in chosen]
        names = dict.fromkeys(name for _, logs in kept for name in logs)
        return tuple(
            Curve(
                name,
                tuple(step for step, logs in kept if name in logs),
                tuple(logs[name] for _, logs in kept if name in logs),
            )
            for name in names
        )


def _without_bytes(snapshot: Snapshot) -> dict[str, Any]:
    """The snapshot as plain data; its epoch and histograms are worked out from the rest."""
    kept = {key: value for key, value in asdict(snapshot).items() if key not in ("epoch", "histograms")}
    return {**kept, "grid": np.frombuffer(snapshot.grid, "uint8")}


def _with_bytes(kept: Mapping[str, Any]) -> Snapshot:
    return Snapshot(**{**kept, "grid": kept["grid"].tobytes()}, epoch=math.nan, histograms={})


def _ratio(move: Number, size: Number) -> Number:
    """``move / size``, None where that is no number."""
    return move / size if move is not None and size else None


def _dead_share(row: Row, activations: Array) -> Number:
    """The share of a ReLU's units that are 0 for every example; None for other functions."""
    if row.layer.activation != "relu":
        return None
    units = activations.reshape(-1, activations.shape[-1])
    return float((units <= 0).all(axis=0).mean())
