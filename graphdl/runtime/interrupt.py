"""Ctrl-C between steps, never inside one: half an update would be worse than waiting a millisecond."""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType


class Interrupt:
    """Whether Ctrl-C was pressed while it was held back."""

    def __init__(self) -> None:
        self.pressed = False

    def check(self) -> None:
        """Raise KeyboardInterrupt now, between two steps, if Ctrl-C was pressed."""
        if self.pressed:
            self.pressed = False
            raise KeyboardInterrupt


_active: Interrupt | None = None


@contextmanager
def held_back() -> Iterator[Interrupt]:
    """Hold Ctrl-C back until the end, or until `check` is called; nests; does nothing off the main thread."""
    global _active
    if threading.current_thread() is not threading.main_thread():
        yield Interrupt()
        return
    if _active is not None:
        yield _active
        return
    interrupt = _active = Interrupt()

    def press(number: int, frame: FrameType | None) -> None:
        interrupt.pressed = True

    before = signal.signal(signal.SIGINT, press)
    try:
        yield interrupt
    finally:
        _active = None
        signal.signal(signal.SIGINT, before)
    interrupt.check()
