"""Which steps of a story are meant: "all", "12", "1-5", "3,7", "backward", or several of these."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from typing import Protocol

from graphdl.draw.model import PHASES
from graphdl.errors import DrawError, did_you_mean

_RANGE = re.compile(r"(\d+)\s*-\s*(\d+)", re.ASCII)
_NUMBER = re.compile(r"\d+", re.ASCII)
_EXPECTED = (
    "expected 'all', a step such as '12', a range such as '1-5', a phase such as 'backward', or several: '1,7-9'"
)

Steps = str | int | Iterable[int]


class Phased(Protocol):
    """A step of some phase."""

    @property
    def phase(self) -> str:
        """One of PHASES."""


class Told(Protocol):
    """A story in steps: a trace, or what else is told so."""

    @property
    def steps(self) -> Sequence[Phased]:
        """Its steps, in order."""


def chosen_steps(trace: Told, steps: Steps) -> tuple[int, ...]:
    """The places of `steps` in ``trace.steps``, counted from 0, in the order of the story.

    Words and numbers of `steps` count from 1, as the step log does. DrawError names what is no step, and what is.
    """
    if isinstance(steps, bool) or not isinstance(steps, str | int | Iterable):
        raise DrawError(f"steps is {steps!r:.60}, {_EXPECTED}")
    parts = steps.split(",") if isinstance(steps, str) else [steps] if isinstance(steps, int) else list(steps)
    found = {place for part in parts for place in _places(trace, part)}
    if not found:
        raise DrawError(f"steps is {steps!r:.60}, {_EXPECTED}")
    return tuple(sorted(found))


def _places(trace: Told, part: object) -> Iterable[int]:
    text = str(part).strip().lower()
    if isinstance(part, bool) or not isinstance(part, str | int) or not text:
        raise DrawError(f"steps names {part!r:.60}, {_EXPECTED}")
    if text == "all":
        return range(len(trace.steps))
    if text in PHASES:
        return _of_phase(trace, text)
    ends = _RANGE.fullmatch(text)
    if ends:
        return _between(trace, *ends.groups())
    if not _NUMBER.fullmatch(text.removeprefix("-")):
        raise DrawError(
            f"there is no step {part!r:.60}.{did_you_mean(text, ('all', *PHASES))} {_EXPECTED.capitalize()}"
        )
    return (_place(trace, text),)


def _of_phase(trace: Told, phase: str) -> list[int]:
    found = [place for place, step in enumerate(trace.steps) if step.phase == phase]
    if not found:
        told = ", ".join(dict.fromkeys(step.phase for step in trace.steps)) or "no steps"
        raise DrawError(f"this story has no step of phase {phase!r}; it has {told}")
    return found


def _between(trace: Told, first: str, last: str) -> range:
    start, stop = _place(trace, first), _place(trace, last)
    if start > stop:
        raise DrawError(f"steps {first}-{last} run backwards; write {last}-{first}")
    return range(start, stop + 1)


def _place(trace: Told, text: str) -> int:
    # More digits than any story has steps; int() would refuse thousands of them in words of its own.
    number = int(text) if len(text) < 10 else -1
    if not 1 <= number <= len(trace.steps):
        raise DrawError(f"there is no step {text:.20}, expected 1 to {len(trace.steps)}")
    return number - 1
