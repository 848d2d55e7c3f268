"""Histograms whose bins fit a whole run, though the values of later steps are not known when the first are counted."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from graphdl.draw.training.recording import QUANTITIES, Bins, Recording

Counts = np.ndarray[Any, np.dtype[np.int64]]

# Bins on each side of 0.
HALF = 32
# What is left of the bins where every value is 0.
_ZERO = Bins(0.0, 1.0, 1)


class GrowingHistogram:
    """Counts in `2 * HALF` equal bins around 0, whose width doubles when a value lies outside.

    Widths are powers of two, so two neighbours make one of the wider bins and no value ever changes sides:
    counts of earlier snapshots are added up pairwise, and stay exact.
    """

    def __init__(self) -> None:
        self.exponent: int | None = None
        self.rows: list[Counts] = []

    def add(self, values: np.ndarray[Any, Any]) -> None:
        """Count the finite ones of `values` as the next snapshot."""
        finite = values[np.isfinite(values)].astype(np.float64).ravel()
        self._reach(float(np.abs(finite).max(initial=0.0)))
        width = 2.0 ** (self.exponent or 0)
        places = np.clip(np.floor(finite / width).astype(np.int64) + HALF, 0, 2 * HALF - 1)
        self.rows.append(np.bincount(places, minlength=2 * HALF))

    def trimmed(self) -> tuple[Bins, tuple[tuple[int, ...], ...]]:
        """The bins from the first to the last that ever held a value, and the counts of each snapshot."""
        width = 2.0 ** (self.exponent or 0)
        used = np.flatnonzero(np.sum(self.rows, axis=0)) if self.rows else np.array([], int)
        first, last = (int(used[0]), int(used[-1])) if len(used) else (HALF, HALF)
        rows = tuple(tuple(map(int, row[first : last + 1])) for row in self.rows)
        return Bins((first - HALF) * width, width, last - first + 1), rows

    def _reach(self, largest: float) -> None:
        """Widen the bins until `largest` lies inside; the first values decide how wide they are to begin with."""
        if largest == 0:
            return
        # frexp: 2^(e-1) <= largest < 2^e.
        needed = math.frexp(largest)[1] - HALF.bit_length() + 1
        if self.exponent is None:
            self.exponent = needed
        for _ in range(min(needed - self.exponent, HALF.bit_length() + 1)):
            self.rows = [_paired(row) for row in self.rows]
        self.exponent = max(self.exponent, needed)


def _paired(row: Counts) -> Counts:
    """The same counts in bins of twice the width."""
    quarter = HALF // 2
    wide: Counts = np.zeros_like(row)
    wide[quarter : 3 * quarter] = row.reshape(-1, 2).sum(axis=1)
    return wide


def common(several: Sequence[Bins]) -> Bins:
    """Bins that hold what any of `several` hold, as wide as the widest; edges of all lie at multiples of a width.

    Those that never held anything but 0 have a place in bins of any width.
    """
    scaled = [b for b in several if b != _ZERO] or [_ZERO]
    width = max(b.width for b in scaled)
    first = min(math.floor(b.low / width) for b in scaled)
    last = max(math.ceil((b.low + b.width * b.count) / width) for b in scaled)
    if len(scaled) < len(several):
        first, last = min(first, 0), max(last, 1)
    return Bins(first * width, width, last - first)


def shared(runs: Sequence[Recording]) -> list[dict[str, list[Bins]]]:
    """The bins of each run; the same ones for layers in the same place where all runs are equally deep."""
    if len({len(run.layers) for run in runs}) > 1:
        return [{key: list(run.bins[key]) for key in QUANTITIES} for run in runs]
    layers = range(len(runs[0].layers))
    found = {key: [common([run.bins[key][layer] for run in runs]) for layer in layers] for key in QUANTITIES}
    return [found for _ in runs]


def rebinned(counts: Sequence[int], old: Bins, new: Bins) -> list[int]:
    """Counts in `old` bins as counts in the wider `new` ones; exact, since widths are powers of two."""
    found = [0] * new.count
    for place, count in enumerate(counts):
        found[math.floor((old.low + place * old.width - new.low) / new.width)] += count
    return found
