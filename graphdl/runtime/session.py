"""Sessions: hold the variables, compile what is asked for, run it."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from graphdl.collection import collector_paused
from graphdl.compile.emit import Style
from graphdl.compile.pipeline import optimise
from graphdl.compile.targets import target as find_target
from graphdl.config import DEFAULT_LEVEL, Level
from graphdl.errors import FetchError, GraphError
from graphdl.ir.graph import Graph, Updates
from graphdl.ir.leaves import Packed, VariableLeaf, checked_seed
from graphdl.ir.node import Node
from graphdl.runtime.compiled import Compiled
from graphdl.runtime.feeds import read_feeds
from graphdl.runtime.saving import load_state, save_state
from graphdl.runtime.state import State

if TYPE_CHECKING:
    from graphdl.runtime.profile import Timing
    from graphdl.runtime.stepper import Stepper


class Initializer:
    """Asked of `run`, sets every variable the session knows back to its initial value."""

    def __repr__(self) -> str:
        return "global_variables_initializer()"


def global_variables_initializer() -> Initializer:
    """TensorFlow's way to start; graphdl's sessions initialise a variable when they first meet it."""
    return Initializer()


class Session:
    """Runs graphs and holds the values of their variables, in TensorFlow 1's words.

    seed     key of every random number drawn, initial values included
    target   "numpy" or "cupy"
    style    of the programs it runs: "fast" or "readable"; same bits
    level    of optimisation: 0 what is right, 1 and clean, 2 and fused; never changes what is right
    stabilise  False leaves formulas as typed, to study what goes wrong
    nan_guard  True stops at the first NaN or infinity and names the node it comes from
    """

    def __init__(
        self,
        graph: Graph | None = None,
        *,
        seed: int = 0,
        target: str = "numpy",
        style: Style = "fast",
        level: Level = DEFAULT_LEVEL,
        stabilise: bool = True,
        nan_guard: bool = False,
    ) -> None:
        self.seed = checked_seed(seed)
        self.target = find_target(target)
        self.style: Style = style
        self.level: Level = level
        self.stabilise = stabilise
        self.nan_guard = nan_guard
        self.state = State()
        self.lock = threading.RLock()
        self._programs: dict[tuple[Any, ...], Compiled] = {}
        if graph is not None:
            self.adopt(graph)

    def __enter__(self) -> Session:
        return self

    def __exit__(self, *exception: object) -> None:
        self.close()

    def close(self) -> None:
        """Let go of compiled programs and their workspaces; the variables stay."""
        self._programs.clear()

    def run(self, fetches: Any, feed_dict: Mapping[Any, Any] | None = None) -> Any:
        """Values of `fetches` in the shape asked: a node, a list, a dict, or updates to apply (which give None).

        Placeholders are fed by node or by name. Variables are read first and updated together at the end.

        Raises FetchError for what cannot be asked for, FeedError for a feed that is missing, unknown or of another
        dtype or shape, and with `nan_guard` NonFiniteError, which names the first node with NaN or infinity.
        """
        nodes, updates, start, rebuild = _flattened(fetches)
        if start:
            self.initialise()
        if not nodes and not updates.pairs:
            return rebuild([])
        compiled = self.compile(nodes, updates)
        arrays, sizes = read_feeds(compiled.graph, self._only_known(feed_dict, compiled), compiled.asked)
        if self.nan_guard:
            from graphdl.runtime.autopsy import guarded_step

            return rebuild(list(guarded_step(compiled, arrays, sizes)))
        return rebuild(list(compiled.step(arrays, sizes)))

    def compile(
        self,
        fetches: Iterable[Node] | Node,
        updates: Updates | None = None,
        style: Style | None = None,
        fed: Iterable[Node] = (),
    ) -> Compiled:
        """The program for these fetches and updates, compiled once for all batch sizes; its `.source` is the text.

        `fed` are placeholders to tell a size by where what is computed reads none that has it.
        """
        nodes = (fetches,) if isinstance(fetches, Node) else tuple(dict.fromkeys(fetches))
        pairs = updates.pairs if updates else ()
        key = (nodes, pairs, style or self.style, tuple(fed))
        compiled = self._programs.get(key)
        if compiled is None:
            graph = Graph(nodes, pairs, fed=key[-1])
            asked = nodes[0].label if nodes else updates.name if updates else "run"
            compiled = self._programs[key] = self._compiled(graph, style or self.style, asked)
        return compiled

    @collector_paused()
    def _compiled(self, graph: Graph, style: Style, asked: str) -> Compiled:
        return Compiled(self, optimise(graph, self.level, self.stabilise, layout=style == "fast"), style, asked)

    def stepper(
        self, fetches: Any, feed_dict: Mapping[Any, Any] | None = None, updates: Updates | None = None
    ) -> Stepper:
        """A run of `fetches` one node at a time, with this session's variables; nothing is updated."""
        from graphdl.runtime.stepper import Stepper

        return Stepper(fetches, feed_dict, self, updates)

    def profile(self, fetches: Iterable[Node] | Node, feed_dict: Mapping[Any, Any] | None = None) -> list[Timing]:
        """Where the time of a run goes, node by node, slowest first."""
        from graphdl.runtime.profile import profile

        return profile(self.compile(fetches), feed_dict or {})

    def adopt(self, graph: Graph) -> None:
        """Meet the variables and random leaves of `graph`, giving new variables their initial values."""
        self.state.number_streams(graph.noise)
        packed = [part for pack in graph.packs if isinstance(pack.op, Packed) for part in pack.op.parts]
        updated = [v for v, _ in graph.updates if isinstance(v.op, VariableLeaf)]
        new = self.state.name_variables([*graph.variables, *packed, *updated])
        if new:
            self._initialise(new)

    def absorb(self, other: Session) -> None:
        """Take over the variables of `other`, with their values; from now on both sessions hold one state.

        What `other` has compiled is compiled again when it is next asked for.
        """
        if self.target.name != other.target.name:
            raise GraphError(f"variables on {other.target.name} cannot move into a session on {self.target.name}")
        self.state.absorb(other.state)
        other.close()
        other.state, other.lock = self.state, self.lock

    def initialise(self) -> None:
        """Set every variable met so far back to its initial value, and the step to 0."""
        self._initialise(list(self.state.names))
        self.state.step = 0

    def initial_values(self, variables: Iterable[Node]) -> Compiled:
        """The program that computes where `variables` start."""
        starts = {self.state.names[v]: v.op.initial for v in variables if isinstance(v.op, VariableLeaf)}
        for name, initial in starts.items():
            self.state.number_streams(Graph(initial).noise, owner=name)
        graph = Graph(starts)
        if graph.placeholders or graph.variables:
            wrong = (*graph.placeholders, *graph.variables)[0]
            raise GraphError(f"an initial value depends on {wrong.label}; it may use only constants and random values")
        return Compiled(self, optimise(graph, self.level, self.stabilise), "readable", "initial values")

    def value(self, variable: Node) -> np.ndarray[Any, Any]:
        """A copy of the present value of `variable`."""
        self.adopt(Graph(variable))
        if isinstance(variable.op, Packed):
            return np.concatenate([self.value(part).reshape(-1) for part in variable.op.parts])
        return np.array(self.target.to_host(self.state.arrays[self.state.names[variable]]))

    def assign(self, variable: Node, value: Any) -> None:
        """Set `variable` to `value`, which must have its shape; it is cast to its dtype."""
        self.adopt(Graph(variable))
        array = np.asarray(value)
        if array.shape != variable.shape:
            raise GraphError(f"{variable.label} is {variable.type}, found a value of shape {array.shape}")
        self.state.arrays[self.state.names[variable]][...] = self.target.to_device(array.astype(variable.dtype))

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write every variable met so far, and the step, to an .npz file, whole or not at all."""
        arrays = {name: self.target.to_host(array) for name, array in self.state.named().items()}
        save_state(path, arrays, self.state.step)

    def load(self, path: str | os.PathLike[str], variables: Iterable[Node] = ()) -> None:
        """Take over what `save` wrote: it must hold exactly the variables met so far, and those in `variables`.

        FormatError names what is missing, unknown or of another shape; then nothing has changed.
        """
        self.adopt(Graph({str(i): v for i, v in enumerate(variables)}))
        self.state.load(*load_state(path))

    def _initialise(self, variables: list[Node]) -> None:
        compiled = self.initial_values(variables)
        with np.errstate(all="ignore"), compiled.loaded.explained():
            values, _ = compiled.loaded.namespace["step"]({}, (self.seed, 0))
        for variable, value in zip(variables, values, strict=True):
            name = self.state.names[variable]
            array = self.target.to_device(np.array(self.target.to_host(value), variable.dtype))
            if name in self.state.arrays:
                self.state.arrays[name][...] = array
            else:
                self.state.arrays[name] = array

    def _only_known(self, feed_dict: Mapping[Any, Any] | None, compiled: Compiled) -> dict[Any, Any]:
        """`feed_dict` without placeholders this program does not need; unknown names stay, to be refused."""
        needed = set(compiled.placeholders)
        return {
            k: v
            for k, v in (feed_dict or {}).items()
            if not (isinstance(k, Node) and k.op.name == "placeholder") or k in needed
        }


def _flattened(fetches: Any) -> tuple[list[Node], Updates, bool, Callable[[list[Any]], Any]]:
    """The nodes in `fetches`, its updates, whether to initialise, and how to put values back in the shape asked."""
    places: dict[Node, int] = {}
    updates: list[Updates] = []
    initializers: list[Initializer] = []

    def visit(item: Any) -> Callable[[list[Any]], Any]:
        if isinstance(item, Node):
            place = places.setdefault(item, len(places))
            return lambda values: _scalar(values[place])
        if isinstance(item, Updates):
            updates.append(item)
            return lambda values: None
        if isinstance(item, Initializer):
            initializers.append(item)
            return lambda values: None
        if isinstance(item, Mapping):
            parts = {key: visit(part) for key, part in item.items()}
            return lambda values: {key: part(values) for key, part in parts.items()}
        if isinstance(item, list | tuple):
            several = [visit(part) for part in item]
            return lambda values: type(item)([part(values) for part in several])
        raise FetchError(
            f"run was asked for {item!r:.60}, a {type(item).__name__}; "
            "expected a node, a list or dict of them, or updates"
        )

    rebuild = visit(fetches)
    return list(places), Updates([pair for u in updates for pair in u.pairs]), bool(initializers), rebuild


def _scalar(value: Any) -> Any:
    """NumPy scalars for values without axes, as NumPy itself gives them."""
    return value[()] if isinstance(value, np.ndarray) and not value.ndim else value
