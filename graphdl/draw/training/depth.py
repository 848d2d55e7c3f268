"""The picture of vanishing gradients: the norm of each layer's gradient, from the input to the output."""

from __future__ import annotations

from collections.abc import Iterator

from graphdl.draw.digits import number
from graphdl.draw.scene import Box, Label, Mark, Scene
from graphdl.draw.style import SMALL_SIZE, fitted
from graphdl.draw.training import vanishing
from graphdl.draw.training.chart import TICK_SIZE, Frame, Scale, dot, log_range, straight
from graphdl.draw.training.panels import Drawing, side_by_side
from graphdl.draw.training.recording import Recording

_PLOT = 210.0
_LEFT, _HEAD, _FOOT = 46.0, 26.0, 60.0
_SUBSCRIPTS = str.maketrans("0123456789", "₀₁₂₃₄₅₆₇₈₉")


def depth(drawing: Drawing) -> Scene:
    """Bars of log10 of the norms, one panel a run, on one scale that fits all snapshots."""
    most = max(len(run.layers) for run in drawing.runs)
    width = max(240.0, 44.0 * most)
    low, high = norm_range(drawing.runs)

    def panel(place: int, left: float, top: float) -> list[Mark]:
        run = drawing.runs[place]
        x = Scale("linear", 0, max(1, len(run.layers)), left + _LEFT, left + _LEFT + width)
        frame = Frame(x, Scale("log", low, high, top + _HEAD + _PLOT, top + _HEAD), drawing.theme)
        marks = frame.axes(drawing.text("gradients"), "", x_ticks=False)
        limits = vanishing.most(run.kernel_norms(drawing.shown[place]), run.layers) if run.chain else None
        return [*marks, *_bars(drawing, frame, place, limits), *(_limit(drawing, frame, limits) if limits else ())]

    return side_by_side(drawing, drawing.text("gradients"), _LEFT + width, _HEAD + _PLOT + _FOOT, panel)


def norm_range(runs: tuple[Recording, ...]) -> tuple[float, float]:
    """Decades that hold the norms of all kernels in all snapshots."""
    return log_range(norm for run in runs for snapshot in run.snapshots for norm in run.kernel_norms(snapshot))


def _bars(drawing: Drawing, frame: Frame, place: int, limits: list[float] | None) -> Iterator[Mark]:
    run, theme = drawing.runs[place], drawing.theme
    norms = run.kernel_norms(drawing.shown[place])
    trained = {weight.layer for weight in run.weights if weight.is_kernel}
    bottom, apart = frame.y.start, frame.x(1) - frame.x(0)
    for i, (layer, norm) in enumerate(zip(run.layers, norms, strict=True)):
        x = frame.x(i + 0.5)
        y = frame.y(min(max(norm or 0, frame.y.low), frame.y.high))
        if norm:
            yield Box(x, (y + bottom) / 2, apart * 0.62, bottom - y, theme.gradient)
        # An empty place could be mistaken for a bar too short to be seen.
        said = "—" if i not in trained else "NaN/∞" if norm is None else short_power(norm)
        # The number stands above the dashed line, too.
        free = min(y, frame.y(limits[i])) if limits and frame.y.holds(limits[i]) else y
        yield Label(x, free - 5, said, SMALL_SIZE - 1, theme.gradient)
        yield Label(x, bottom + 15, f"W{i + 1}".translate(_SUBSCRIPTS), TICK_SIZE + 1, theme.local, bold=True)
        yield Label(x, bottom + 28, fitted(layer.name, apart - 2, 8), 8, theme.muted)
        yield Label(x, bottom + 39, fitted(drawing.function(layer), apart - 2, 8), 8, theme.muted)
    yield Label(frame.x.end, bottom + 54, drawing.text("depth"), TICK_SIZE, theme.muted, anchor="end")


def short_power(norm: float) -> str:
    """A norm in as few letters as fit over a bar.

    >>> short_power(0.0314), short_power(4.2e-7)
    ('0.031', '4e−7')
    """
    return number(float(f"{norm:.2g}")) if norm >= 1e-3 or norm == 0 else number(float(f"{norm:.1g}"))


def _limit(drawing: Drawing, frame: Frame, limits: list[float]) -> Iterator[Mark]:
    """The line that sigmoids would leave of the last layer's gradient."""
    ink = drawing.theme.local
    points = [(frame.x(i + 0.5), frame.y(norm)) for i, norm in enumerate(limits) if frame.y.holds(norm)]
    if len(points) > 1:
        yield straight(points, ink, 1.4, dashed=True)
    for x, y in points:
        yield dot(x, y, ink, size=4)
    left, below = frame.x.start, frame.y.start + 51
    yield straight([(left, below), (left + 20, below)], ink, 1.4, dashed=True)
    yield Label(left + 25, below + 3, drawing.text("limit"), TICK_SIZE - 1, ink, anchor="start")
