"""A trace with the choices of one call of `draw`: what every writer reads."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from functools import cached_property

from graphdl.draw import graphviz
from graphdl.draw.granularity import at_granularity
from graphdl.draw.model import Trace
from graphdl.draw.outputs.panel import headed, with_panels
from graphdl.draw.picture import frames
from graphdl.draw.scene import Scene
from graphdl.draw.style import LIGHT, THEMES, Theme
from graphdl.draw.words import worded

# How far something that takes a while has come, and how far it has to go.
Progress = Callable[[int, int], None]


def unwatched(done: int, total: int) -> None:
    """Nobody is told."""


@dataclass(frozen=True)
class Drawing:
    """What to draw, and how. `steps` are places in the story as it is told at `granularity`, counted from 0.

    Without steps pictures show the end of the story, or its step number `moment`, without words.
    """

    told: Trace
    granularity: str = "op"
    steps: tuple[int, ...] = ()
    moment: int | None = None
    view: str = "auto"
    theme_name: str = "auto"
    languages: tuple[str, ...] = ("en",)
    title: str = ""
    time_limit: float = graphviz.TIME_LIMIT
    force: bool = False
    progress: Progress = unwatched

    @cached_property
    def trace(self) -> Trace:
        """The story in steps of the granularity that was chosen."""
        return at_granularity(self.told, self.granularity)

    @property
    def theme(self) -> Theme:
        """The palette; "auto" is light where nobody can be asked."""
        return THEMES.get(self.theme_name, LIGHT)

    @cached_property
    def scenes(self) -> tuple[Scene, ...]:
        """A picture for each step, all of one size and with everything in its place; one picture without steps."""
        scene = frames(self.trace, self.view, self.theme, self.time_limit, self.force)
        moments = (self.trace.frame(step) for step in self.steps or (self.moment,))
        drawn = [headed(worded(scene(moment), self.languages), self.title, self.theme) for moment in moments]
        if not self.steps:
            return tuple(drawn)
        return tuple(with_panels(drawn, self.trace, self.steps, self.languages, self.theme))

    def telling_all(self) -> Drawing:
        """The same with every step, where none was chosen."""
        return self if self.steps else replace(self, steps=tuple(range(len(self.trace.steps))))

    def counted(self, made: Iterator[bytes]) -> Iterator[bytes]:
        """`made`, with word of how far it has come."""
        for done, each in enumerate(made, start=1):
            yield each
            self.progress(done, max(len(self.steps), 1))
