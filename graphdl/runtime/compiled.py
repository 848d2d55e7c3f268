"""A program ready to run in its session."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

from graphdl.compile.emit import Module, Style, emit
from graphdl.compile.load import Loaded
from graphdl.compile.markup import to_html
from graphdl.compile.pipeline import Optimised
from graphdl.compile.program import Program
from graphdl.errors import FetchError, GraphError
from graphdl.ir.node import Node
from graphdl.runtime.feeds import Sizes, read_feeds
from graphdl.runtime.interrupt import Interrupt, held_back

if TYPE_CHECKING:
    from graphdl.runtime.session import Session

# Workspaces kept for so many different batch sizes of one program.
_KEPT_SIZES = 4


class Compiled:
    """A program ready to run in its session; calling it with the feeds in order runs one step.

    `source` is the text that runs, `graph` the optimised graph it was made from, `optimised` the firings that
    led there. `placeholders` are the feeds it takes.
    """

    def __init__(self, session: Session, optimised: Optimised, style: Style, asked: str) -> None:
        self.session = session
        self.optimised = optimised
        self.graph = optimised.graph
        self.asked = asked
        self.style = style
        session.adopt(self.graph)
        self._state = session.state
        self.program = Program(self.graph, session.state.names, session.state.streams)
        self.module: Module = emit(self.program, style, session.target.header)
        self.loaded = Loaded(self.module, session.target.to_device)
        self._bound: OrderedDict[tuple[int, ...], Callable[..., Any]] = OrderedDict()
        self._exchanges = -1
        # A run that draws or updates is a step: the next one draws other numbers.
        self.counts = bool(self.graph.updates or self.graph.noise)

    @property
    def source(self) -> str:
        """The text that runs."""
        return self.module.text

    def __repr__(self) -> str:
        return f"<program for {self.asked}, {self.style} style, {len(self.source.splitlines())} lines>"

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> dict[str, str]:
        """The source."""
        return {"text/plain": self.source, "text/html": to_html(self.source)}

    @property
    def placeholders(self) -> tuple[Node, ...]:
        """What it is fed, in order."""
        return self.graph.placeholders

    def __call__(self, *feeds: Any) -> tuple[Any, ...]:
        """Values of the fetches; variables are updated. Feeds are checked as in `Session.run`."""
        if len(feeds) != len(self.placeholders):
            raise FetchError(f"{self.asked} takes {len(self.placeholders)} feeds, found {len(feeds)}")
        arrays, sizes = read_feeds(self.graph, dict(zip(self.placeholders, feeds, strict=True)), self.asked)
        return self.step(arrays, sizes)

    def step(self, arrays: list[Any], sizes: Sizes) -> tuple[Any, ...]:
        """Run once on arrays that have been checked."""
        to_device = self.session.target.to_device
        if self.session.target.name != "numpy":
            arrays = [to_device(a) for a in arrays]
        # One run at a time: programs of a session share its variables, runs of a program its workspace.
        with self.stepping():
            values = self._run(arrays, sizes)
            self.session.state.step += self.counts
        return tuple(map(self.session.target.to_host, values))

    @contextmanager
    def stepping(self) -> Iterator[Interrupt]:
        """Around many steps in a row, which the caller counts: what `step` does around one, done once.

        Gives the interrupt to check between two steps.
        """
        if self.session.state is not self._state:
            # The text has the names that the variables had before they moved.
            raise GraphError(f"{self.asked} was compiled before its variables moved to another session; compile again")
        with self.session.lock, held_back() as interrupt, np.errstate(all="ignore"), self.loaded.explained():
            yield interrupt

    def bind(self, sizes: Sizes) -> Callable[..., Any]:
        """The step function for these sizes: called with the key (seed, step) and the feeds, it gives the fetches.

        In the fast style it has a workspace of its own, kept for the sizes used last. Call it inside `stepping`.
        """
        if self.style == "readable":
            return self._pure_step
        if self._exchanges != self.session.state.arrays.exchanges:
            self._bound.clear()
        key = tuple(sizes[name] for name in self.program.sizes)
        step: Callable[..., Any] | None = self._bound.get(key)
        if step is None:
            with np.errstate(all="ignore"), self.loaded.explained():
                namespace = self.loaded.fresh()
                namespace["bind"](self.session.state.arrays, sizes)
                step = namespace["step"]
            self._bound[key] = step
            self._exchanges = self.session.state.arrays.exchanges
        self._bound.move_to_end(key)
        if len(self._bound) > _KEPT_SIZES:
            self._bound.popitem(last=False)
        return step

    def _run(self, arrays: list[Any], sizes: Sizes) -> tuple[Any, ...]:
        values: tuple[Any, ...] = self.bind(sizes)((self.session.seed, self.session.state.step), *arrays)
        return values

    def _pure_step(self, key: tuple[int, int], *arrays: Any) -> tuple[Any, ...]:
        """A step in the readable style, whose function leaves writing the new values to us."""
        values, updates = self.propose(key, *arrays)
        self.accept(updates)
        return values

    def propose(self, key: tuple[int, int], *arrays: Any) -> tuple[tuple[Any, ...], dict[str, Any]]:
        """Values of the fetches, and beside them what variables would become; nothing is changed."""
        found: tuple[tuple[Any, ...], dict[str, Any]]
        found = self.pure.namespace["step"](self.session.state.arrays, key, *arrays)
        return found

    def accept(self, updates: dict[str, Any]) -> None:
        """Write new values, all of which were computed before the first is written."""
        # A new value may be a view of a variable that is about to change.
        for name, value in {name: value.copy() for name, value in updates.items()}.items():
            self.session.state.arrays[name][...] = value

    @cached_property
    def pure(self) -> Loaded:
        """The program in the readable style, whose step is a pure function; made once, when it is first needed."""
        if self.style == "readable":
            return self.loaded
        return Loaded(emit(self.program, "readable", self.session.target.header), self.session.target.to_device)
