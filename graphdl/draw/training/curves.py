"""Curves over the steps of training: loss, accuracy, whatever was watched, with the moment that is shown."""

from __future__ import annotations

from collections.abc import Iterator

from graphdl.draw.scene import Group, Label, Mark, Scene
from graphdl.draw.style import fitted, one_line
from graphdl.draw.training.chart import TICK_SIZE, Frame, Number, Scale, dot, log_range, straight
from graphdl.draw.training.colours import blend, of_run
from graphdl.draw.training.panels import HEAD, MARGIN, Drawing, full_title, heading_of
from graphdl.draw.training.recording import Curve, Recording

_WIDTH, _HEIGHT = 420.0, 240.0
_LEFT, _LEGEND = 44.0, 150.0
# Curves that fall by more than this are drawn on a logarithmic scale.
_WIDE = 200.0


def curves(drawing: Drawing, name: str) -> Scene:
    """All runs in one chart: what `name` was on the fixed examples, and below it what `fit` reported."""
    left, top = MARGIN + _LEFT, MARGIN + 24 + (HEAD if len(drawing.runs) == 1 else 0)
    last = max(run.snapshots[-1].step for run in drawing.runs)
    x = Scale("steps", 0, max(last, 1), left, left + _WIDTH)
    y = _height_scale(list(_values(drawing, name)), top)
    frame = Frame(x, y, drawing.theme)
    marks = frame.axes(drawing.text(name), drawing.text("step"))
    for place, run in enumerate(drawing.runs):
        marks += _run(drawing, frame, place, run, name)
    marks += _legend(drawing, name, left + _WIDTH + 18, top)
    marks += heading_of(drawing, 0, MARGIN, _LEFT + _WIDTH) if len(drawing.runs) == 1 else []
    whole = Group("curves", "chart", full_title(drawing, drawing.text(name)), tuple(marks))
    width, height = left + _WIDTH + _LEGEND + MARGIN, top + _HEIGHT + 36 + MARGIN
    return Scene(width, height, drawing.theme.background, whole.title, (whole,))


def reported(run: Recording, name: str) -> tuple[Curve, Curve | None, Curve | None]:
    """`name` on the fixed examples; its means over the epochs; those of the validation."""
    fixed = Curve(name, tuple(s.step for s in run.snapshots), tuple(s.scores.get(name) for s in run.snapshots))
    by_name = {curve.name: curve for curve in run.curves}
    return fixed, by_name.get(name), by_name.get(f"val_{name}")


def _values(drawing: Drawing, name: str) -> Iterator[Number]:
    for run in drawing.runs:
        for curve in reported(run, name):
            if curve is not None:
                yield from curve.values


def _height_scale(values: list[Number], top: float) -> Scale:
    numbers = [v for v in values if v is not None]
    low, high = min(numbers, default=0.0), max(numbers, default=1.0)
    if low > 0 and high > _WIDE * low:
        return Scale("log", *log_range(numbers, 60), top + _HEIGHT, top)
    low = min(0.0, low)
    return Scale("linear", low, high if high > low else low + 1, top + _HEIGHT, top)


def _run(drawing: Drawing, frame: Frame, place: int, run: Recording, name: str) -> Iterator[Mark]:
    fixed, means, validation = reported(run, name)
    colour = of_run(place, drawing.theme.name)
    if means is not None:
        yield from frame.line(means.steps, means.values, blend(drawing.theme.background, colour, 0.4), 1.2)
    if validation is not None:
        yield from frame.line(validation.steps, validation.values, colour, 1.4, dashed=True)
    yield from frame.line(fixed.steps, fixed.values, colour, 2.0)
    shown = drawing.shown[place]
    value = shown.scores.get(name)
    if place == 0:
        x = frame.x(shown.step)
        yield straight([(x, frame.y.start), (x, frame.y.end)], drawing.theme.muted, dashed=True)
    if value is not None and frame.y.holds(value):
        yield dot(frame.x(shown.step), frame.y(value), colour, drawing.theme.background, 9)


def _legend(drawing: Drawing, name: str, left: float, top: float) -> Iterator[Mark]:
    """What each line is; several runs are told apart by colour and by their order at the end."""
    theme = drawing.theme
    if len(drawing.runs) > 1:
        for place, run in enumerate(drawing.runs):
            y = top + 10 + 20 * place
            yield straight([(left, y - 4), (left + 22, y - 4)], of_run(place, theme.name), 2.4)
            yield Label(left + 28, y, fitted(run.title, _LEGEND - 30, 11), 11, theme.local, anchor="start")
        top += 20 * len(drawing.runs) + 14
    colour = of_run(0, theme.name) if len(drawing.runs) == 1 else theme.muted
    _, means, validation = reported(drawing.runs[0], name)
    lines = [("on examples", colour, 2.0, False)]
    if means is not None:
        lines.append(("epoch mean", blend(theme.background, colour, 0.4), 1.2, False))
    if validation is not None:
        lines.append(("held out", colour, 1.4, True))
    for i, (key, stroke, weight, dashed) in enumerate(lines):
        y = top + 10 + 18 * i
        yield straight([(left, y - 4), (left + 22, y - 4)], stroke, weight, dashed)
        yield Label(left + 28, y, one_line(drawing.text(key)), TICK_SIZE, theme.muted, anchor="start")
