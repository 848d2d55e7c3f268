"""What all figures of recordings share: the runs, the snapshots shown, and panels side by side."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property

from graphdl.draw.scene import Group, Label, Mark, Scene
from graphdl.draw.style import Theme, fitted, one_line
from graphdl.draw.training.chart import TICK_SIZE, TITLE_SIZE
from graphdl.draw.training.recording import Layer, Recording, Snapshot
from graphdl.draw.training.texts import text

MARGIN = 16.0
HEAD = 26.0


@dataclass(frozen=True)
class Drawing:
    """Recordings to be drawn together at one of the snapshots of the first."""

    runs: tuple[Recording, ...]
    snapshot: int
    theme: Theme
    language: str

    @cached_property
    def shown(self) -> tuple[Snapshot, ...]:
        """The snapshot of each run: the last up to the step of the first run's."""
        step = self.runs[0].at(self.snapshot).step
        return tuple(run.up_to(step) for run in self.runs)

    def text(self, key: str) -> str:
        """Our words for `key`."""
        return text(key, self.language)

    def function(self, layer: Layer) -> str:
        """The activation function of a layer."""
        return layer.activation or self.text("linear")

    def moment(self, snapshot: Snapshot) -> str:
        """When a snapshot was taken: "step 120, epoch 3"."""
        return f"{self.text('step')} {snapshot.step}, {self.text('epoch')} {float(f'{snapshot.epoch:.3g}'):g}"


Panel = Callable[[int, float, float], list[Mark]]


def side_by_side(drawing: Drawing, title: str, width: float, height: float, panel: Panel) -> Scene:
    """One panel a run, each below the run's name and the moment; `panel` gets the run's place and its corner."""
    groups = []
    for place, (run, snapshot) in enumerate(zip(drawing.runs, drawing.shown, strict=True)):
        left = MARGIN + place * (width + MARGIN)
        heading = heading_of(drawing, place, left, width)
        aloud = f"{one_line(run.title)}, {drawing.moment(snapshot)}"
        groups.append(Group(f"run{place}", "run", aloud, (*heading, *panel(place, left, MARGIN + HEAD))))
    whole = len(drawing.runs) * (width + MARGIN) + MARGIN
    return Scene(whole, height + HEAD + 2 * MARGIN, drawing.theme.background, full_title(drawing, title), tuple(groups))


def heading_of(drawing: Drawing, place: int, left: float, width: float) -> list[Mark]:
    """The name of a run, and when it is shown."""
    moment = drawing.moment(drawing.shown[place])
    name = fitted(drawing.runs[place].title, width * 0.5, TITLE_SIZE + 1, bold=True)
    return [
        Label(left, MARGIN + 10, name, TITLE_SIZE + 1, drawing.theme.local, bold=True, anchor="start"),
        Label(left + width, MARGIN + 10, moment, TICK_SIZE + 1, drawing.theme.muted, anchor="end"),
    ]


def full_title(drawing: Drawing, title: str) -> str:
    """What is shown, of which runs, in one line."""
    return f"{title}: {' | '.join(one_line(run.title) for run in drawing.runs)}"
