"""Optimizers side by side on one loss surface: where each goes, step by step."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from graphdl.errors import GraphError
from graphdl.ir.leaves import Variable, placeholder
from graphdl.ir.node import Node
from graphdl.keras.checks import integer
from graphdl.keras.optimizers.optimizer import Optimizer
from graphdl.keras.optimizers.surfaces import Surface, surface_of
from graphdl.runtime.session import Session

if TYPE_CHECKING:
    from graphdl.draw.training.figures import Figure

Array = np.ndarray[Any, Any]

# Grid points along one side, from which heights are read.
SIZE = 81


@dataclass(frozen=True)
class Path:
    """Where one optimizer went: `points` (steps + 1, 2) and the loss at each; it ends where numbers cease."""

    name: str
    points: Array
    losses: Array

    @property
    def ended_well(self) -> bool:
        """Whether all its steps led to finite numbers."""
        return bool(np.isfinite(self.points).all() and np.isfinite(self.losses).all())

    def first_below(self, loss: float) -> int | None:
        """The number of the first step after which the loss is at most this."""
        below = np.flatnonzero(self.losses <= loss)
        return int(below[0]) if len(below) else None


@dataclass(frozen=True)
class Trajectories:
    """Paths on a surface; `figure` draws them, `str` is a table of where they end."""

    surface: Surface
    paths: tuple[Path, ...]

    def __getitem__(self, name: str) -> Path:
        """The path of that name."""
        for path in self.paths:
            if path.name == name:
                return path
        raise GraphError(f"there is no path {name!r}; there is {', '.join(path.name for path in self.paths)}")

    def heights(self, size: int = SIZE) -> Array:
        """The loss on a grid of `size` x `size` points over the extent, row by row from the top."""
        left, right, bottom, top = self.surface.extent
        across, down = np.meshgrid(np.linspace(left, right, size), np.linspace(top, bottom, size))
        return loss_at(self.surface, across.ravel(), down.ravel()).reshape(size, size)

    def figure(self, step: int = -1, theme: str = "light", language: str = "en") -> Figure:
        """A picture of the paths up to `step` over lines of equal loss."""
        from graphdl.keras.optimizers.picture import picture

        return picture(self, step, theme, language)

    def __str__(self) -> str:
        """A line for each: its end, and the loss there."""
        width = max(len(path.name) for path in self.paths)
        lines = [
            f"{path.name:<{width}}  ({path.points[-1, 0]:8.4f}, {path.points[-1, 1]:8.4f})  loss {path.losses[-1]:.6g}"
            for path in self.paths
        ]
        return "\n".join([f"{self.surface.name}, after {len(self.paths[0].points) - 1} steps", *lines])


def trajectories(
    loss: Any = "valley",
    start: Sequence[float] | None = None,
    optimizers: Any = ("sgd", "adam"),
    steps: int = 100,
    extent: Sequence[float] | None = None,
) -> Trajectories:
    """Where `optimizers` go from one start on one loss, in double precision.

    loss        "valley", "rosenbrock", "beale", "saddle", or a function of two nodes x and y
    optimizers  names or objects, in a list, or a dict with the names they are to go by
    extent      left, right, bottom, top of what is looked at

    >>> print(trajectories("valley", (1, 1), {"SGD(0.1)": SGD(0.1)}, steps=2))     # doctest: +SKIP
    """
    surface = surface_of(loss, start, extent)
    integer("steps", steps)
    named = _named(optimizers)
    if not named:
        raise GraphError("trajectories needs an optimizer, found none")
    return Trajectories(surface, tuple(_path(name, made, surface, steps) for name, made in named.items()))


def _named(optimizers: Any) -> dict[str, Optimizer]:
    from graphdl.keras.optimizers import get

    if isinstance(optimizers, Mapping):
        return {str(name): get(made) for name, made in optimizers.items()}
    given = list(optimizers) if isinstance(optimizers, list | tuple) else [optimizers]
    found: dict[str, Optimizer] = {}
    for one in given:
        made = get(one)
        name = base = type(made).__name__
        count = 1
        while name in found:
            count += 1
            name = f"{base} {count}"
        found[name] = made
    return found


def _path(name: str, optimizer: Optimizer, surface: Surface, steps: int) -> Path:
    w = Variable(np.array(surface.start), name="w")
    loss = _checked(surface.loss(w[0], w[1]), surface)
    session, updates = Session(), optimizer.minimize(loss, [w])
    points, values = [np.array(surface.start)], []
    for _ in range(steps):
        height, _ = session.run([loss, updates])
        values.append(float(height))
        points.append(session.value(w))
    values.append(float(session.run(loss)))
    return Path(name, np.array(points), np.array(values))


def loss_at(surface: Surface, x: Array, y: Array) -> Array:
    """The loss at many points."""
    places = [placeholder((None,), "float64", name=name) for name in ("x", "y")]
    found = surface.loss(*places)
    with np.errstate(all="ignore"):
        return np.asarray(Session().run(found, dict(zip(places, (x, y), strict=True))))


def _checked(loss: Any, surface: Surface) -> Node:
    if not isinstance(loss, Node) or loss.ndim or not loss.tensor.is_float:
        found = loss.type if isinstance(loss, Node) else f"a {type(loss).__name__}"
        raise GraphError(f"the loss {surface.name} of two numbers is {found}, expected one float")
    return loss
