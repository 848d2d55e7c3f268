"""Histograms of weights, activations and gradients, one small chart for each layer and quantity."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence

from graphdl.draw.digits import number
from graphdl.draw.scene import Box, Label, Mark, Scene
from graphdl.draw.style import fitted
from graphdl.draw.training.bins import rebinned, shared
from graphdl.draw.training.chart import TICK_SIZE, straight
from graphdl.draw.training.panels import Drawing, side_by_side
from graphdl.draw.training.recording import QUANTITIES, Bins

_WIDTH, _HEIGHT, _APART = 120.0, 44.0, 26.0
_LEFT, _HEAD = 74.0, 24.0
_TITLES = {"weights": "weights", "activations": "activations", "gradients": "∂L/∂W"}


def distributions(drawing: Drawing) -> Scene:
    """Rows of layers, columns of quantities; counts as log(1 + n), in the same bins for runs of one depth."""
    most = max(len(run.layers) for run in drawing.runs)
    width = _LEFT + len(QUANTITIES) * (_WIDTH + _APART) - _APART
    bins = shared(drawing.runs)

    def panel(place: int, left: float, top: float) -> list[Mark]:
        return [*_columns(drawing, left, top), *_rows(drawing, place, bins[place], left, top + _HEAD)]

    return side_by_side(drawing, drawing.text("histograms"), width, _HEAD + most * (_HEIGHT + _APART), panel)


def _columns(drawing: Drawing, left: float, top: float) -> Iterator[Mark]:
    for column, key in enumerate(QUANTITIES):
        x = left + _LEFT + column * (_WIDTH + _APART) + _WIDTH / 2
        yield Label(x, top + 8, drawing.text(_TITLES[key]), TICK_SIZE + 1, drawing.theme.local, bold=True)


def _rows(drawing: Drawing, place: int, bins: dict[str, list[Bins]], left: float, top: float) -> Iterator[Mark]:
    run, theme = drawing.runs[place], drawing.theme
    colours = {"weights": theme.looks["variable"].stroke, "activations": theme.value, "gradients": theme.gradient}
    for row, layer in enumerate(run.layers):
        y = top + row * (_HEIGHT + _APART)
        yield Label(
            left, y + 20, fitted(layer.name, _LEFT - 8, 11, bold=True), 11, theme.local, bold=True, anchor="start"
        )
        yield Label(left, y + 33, fitted(drawing.function(layer), _LEFT - 8, 9), 9, theme.muted, anchor="start")
        for column, key in enumerate(QUANTITIES):
            x = left + _LEFT + column * (_WIDTH + _APART)
            old, new = run.bins[key][row], bins[key][row]
            counts = rebinned(drawing.shown[place].histograms[key][row], old, new)
            largest = max(max(rebinned(s.histograms[key][row], old, new)) for s in run.snapshots)
            yield from _bars(counts, largest, x, y, colours[key])
            yield straight([(x, y + _HEIGHT), (x + _WIDTH, y + _HEIGHT)], theme.muted)
            yield from _ends(new, x, y + _HEIGHT + 11, theme.muted)


def _bars(counts: Sequence[int], largest: int, left: float, top: float, colour: str) -> Iterator[Mark]:
    width = _WIDTH / len(counts)
    for i, count in enumerate(counts):
        if count:
            height = max(1.0, _HEIGHT * math.log1p(count) / math.log1p(largest))
            yield Box(left + (i + 0.5) * width, top + _HEIGHT - height / 2, width * 0.92, height, colour)


def _ends(bins: Bins, left: float, y: float, ink: str) -> Iterator[Mark]:
    """The first edge, the last, and 0 where it lies between them."""
    high = bins.low + bins.width * bins.count
    yield Label(left, y, _short(bins.low), TICK_SIZE - 1.5, ink, anchor="start")
    yield Label(left + _WIDTH, y, _short(high), TICK_SIZE - 1.5, ink, anchor="end")
    share = -bins.low / (high - bins.low)
    if 0.25 < share < 0.75:
        yield Label(left + _WIDTH * share, y, "0", TICK_SIZE - 1.5, ink)


def _short(edge: float) -> str:
    return number(float(f"{edge:.2g}"))
