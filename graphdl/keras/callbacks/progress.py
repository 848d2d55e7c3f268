"""How far training is, as Keras users know it: a bar on a terminal, a line an epoch elsewhere."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Mapping
from typing import Any, TextIO

from graphdl.errors import GraphError

Logs = Mapping[str, float]

_WIDTH = 20
# The bar is drawn again at most so often, in seconds.
_INTERVAL = 0.1


class Progress:
    """Prints ``Epoch 1/5``, a bar of steps that grows in place, and the numbers at the end of each epoch.

    `verbose` is 0 for silence, 1 for the bar, 2 for a line an epoch. Off a terminal nothing is drawn in place.
    `steps` is None until an epoch has shown how many there are.
    """

    def __init__(self, verbose: Any, steps: int | None, epochs: int | None = None, out: TextIO | None = None) -> None:
        self.verbose = _checked(verbose)
        self.steps, self.epochs = steps, epochs
        self.out = out or sys.stdout
        self.in_place = self.verbose == 1 and bool(getattr(self.out, "isatty", lambda: False)())
        self.began = self.drawn = time.perf_counter()
        self.length = self.done = 0

    def begin(self, epoch: int | None = None) -> None:
        """The heading of an epoch, counted from 0."""
        self.began = self.drawn = time.perf_counter()
        self.done = 0
        if self.verbose and self.epochs is not None and epoch is not None:
            self._put(f"Epoch {epoch + 1}/{self.epochs}\n")

    def step(self, done: int, logs: Callable[[], Logs]) -> None:
        """After `done` steps; `logs` is asked only when the bar is drawn."""
        self.done = done
        now = time.perf_counter()
        if now - self.drawn < _INTERVAL:
            return
        self.drawn = now
        took = now - self.began
        time_left = _seconds(took if self.steps is None else took / done * (self.steps - done))
        self._redraw(f"{self._bar(done)} {time_left}{_numbers(logs())}")

    def end(self, logs: Logs) -> None:
        """The finished line."""
        if not self.verbose:
            return
        took = time.perf_counter() - self.began
        steps = self.steps or self.done
        bar = self._bar(steps) if self.in_place else f"{steps}/{steps}"
        dash = "" if self.in_place else " -"
        self._redraw(f"{bar}{dash} {_seconds(took)} {_per_step(took / max(steps, 1))}{_numbers(logs)}")
        self._put("\n")
        self.length = 0

    def note(self, text: str) -> None:
        """A line of its own."""
        self._put(("\n" if self.length else "") + text + "\n")
        self.length = 0

    def _bar(self, done: int) -> str:
        if self.steps is None:
            return f"{done}/unknown"
        full = _WIDTH * done // max(self.steps, 1)
        width = len(str(self.steps))
        return f"{done:>{width}}/{self.steps} {'━' * full}{'╌' * (_WIDTH - full)}"

    def _redraw(self, line: str) -> None:
        if self.in_place:
            self._put("\r" + line + " " * (self.length - len(line)))
            self.length = len(line)
        else:
            self._put(line)

    def _put(self, text: str) -> None:
        try:
            self.out.write(text)
        except UnicodeEncodeError:
            self.out.write(text.replace("━", "=").replace("╌", "-").encode("ascii", "replace").decode())
        self.out.flush()


def say(text: str, progress: Progress | None = None) -> None:
    """Print a line of its own, beside the bar of `progress` if there is one."""
    (progress or Progress(0, 0)).note(text)


def _checked(verbose: Any) -> int:
    if verbose == "auto":
        return 1
    if verbose not in (0, 1, 2):
        raise GraphError(f"verbose is {verbose!r:.40}, expected 0, 1, 2 or 'auto'")
    return int(verbose)


def _numbers(logs: Logs) -> str:
    return "".join(f" - {name}: {_number(value)}" for name, value in logs.items())


def _number(value: float) -> str:
    """As Keras prints it: four decimals, or four digits where that would be zeros."""
    return f"{value:.4f}" if abs(value) >= 1e-3 or value == 0 else f"{value:.4e}"


def _seconds(seconds: float) -> str:
    if seconds >= 3600:
        return f"{int(seconds) // 3600}:{int(seconds) % 3600 // 60:02d}:{int(seconds) % 60:02d}"
    return f"{int(seconds) // 60}:{int(seconds) % 60:02d}" if seconds >= 60 else f"{seconds:.0f}s"


def _per_step(seconds: float) -> str:
    if seconds >= 1:
        return f"{seconds:.0f}s/step"
    return f"{seconds * 1e3:.0f}ms/step" if seconds >= 1e-3 else f"{seconds * 1e6:.0f}us/step"
