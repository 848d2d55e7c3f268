"""Which firings a page shows with a picture: all of them while there is room, else a few of each kind, and counts."""

from __future__ import annotations

from collections.abc import Hashable
from dataclasses import dataclass, replace

from graphdl.draw.diff import union_scenes
from graphdl.draw.optimisation.story import MOST_ALIKE, Event, Story
from graphdl.draw.optimisation.union import Union
from graphdl.draw.style import variables_theme
from graphdl.draw.svg import to_svg

# Pictures take Graphviz some time each.
MOST_PICTURES = 90
_MOST_NAMED = 12


@dataclass(frozen=True)
class Step:
    """One stop of the page: a firing, or the pass as a whole (`event` is None). `svg` is empty where there is no room.

    `more` are numbers of other firings like this one that have no stop of their own; `number` is that of the last
    firing up to here.
    """

    chapter: int
    number: int
    event: Event | None
    union: Union | None
    svg: str = ""
    more: tuple[int, ...] = ()

    @property
    def named(self) -> tuple[int, ...]:
        """The first few of `more`."""
        return self.more[:_MOST_NAMED]


def chosen_steps(told: Story, most_bytes: int) -> list[Step]:
    """The stops of a story, with pictures that take at most `most_bytes` together."""
    alike = MOST_ALIKE
    while alike > 1 and sum(event.union is not None for event in _shown(told, alike)) > MOST_PICTURES:
        alike -= 1
    shown = {event.number for event in _shown(told, alike)}
    others = _others(told, shown)
    steps, number = [], 0
    for i, chapter in enumerate(told.chapters):
        steps.append(Step(i, number, None, chapter.union))
        for event in chapter.events:
            number = event.number
            if number in shown:
                steps.append(Step(i, number, event, event.union, more=others.get(number, ())))
    return _with_pictures(told, steps, most_bytes)


def _shown(told: Story, alike: int) -> list[Event]:
    """The first few of each likeness."""
    seen: dict[Hashable, int] = {}
    found = []
    for event in told.events:
        seen[event.likeness] = seen.get(event.likeness, 0) + 1
        if seen[event.likeness] <= alike:
            found.append(event)
    return found


def _others(told: Story, shown: set[int]) -> dict[int, tuple[int, ...]]:
    """For the last shown firing of each likeness the numbers of those that are not shown."""
    last: dict[Hashable, int] = {}
    hidden: dict[int, list[int]] = {}
    for event in told.events:
        if event.number in shown:
            last[event.likeness] = event.number
        else:
            hidden.setdefault(last[event.likeness], []).append(event.number)
    return {number: tuple(found) for number, found in hidden.items()}


def _with_pictures(told: Story, steps: list[Step], most_bytes: int) -> list[Step]:
    """The stops with their SVGs, first come, first served; the page says where one is left out."""
    drawn = [(k, step.union) for k, step in enumerate(steps) if step.union is not None and step.union.members]
    drawn = drawn[:MOST_PICTURES]
    scenes = union_scenes([(union, _title(told, steps[k])) for k, union in drawn], variables_theme())
    found = list(steps)
    for (k, _), scene in zip(drawn, scenes, strict=True):
        svg = to_svg(scene)
        most_bytes -= len(svg.encode())
        found[k] = replace(steps[k], svg=svg if most_bytes >= 0 else "")
    return found


def _title(told: Story, step: Step) -> str:
    event = step.event
    return told.chapters[step.chapter].name if event is None else f"{event.rule}: {event.label}"
