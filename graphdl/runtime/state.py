"""The state of a session: the value of each variable by name, the streams of random leaves, the step."""

from __future__ import annotations

import hashlib
import itertools
import zlib
from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np

from graphdl.errors import FormatError, did_you_mean, listed
from graphdl.ir.leaves import Noise
from graphdl.ir.node import Node
from graphdl.ir.text import plain


class Arrays(dict[str, Any]):
    """Arrays by name that count how often one was exchanged: programs hold on to the arrays themselves."""

    def __init__(self) -> None:
        super().__init__()
        self.exchanges = 0

    def __setitem__(self, name: str, array: Any) -> None:
        self.exchanges += 1
        super().__setitem__(name, array)


class State:
    """Variables in the order they were first met; their arrays stay where they are and change in place."""

    def __init__(self) -> None:
        self.names: dict[Node, str] = {}
        # By name; programs that pack variables keep the packed arrays here too, and make the variables views of them.
        self.arrays = Arrays()
        self.streams: dict[Node, int] = {}
        self.step = 0

    def name_variables(self, variables: Iterable[Node]) -> list[Node]:
        """Give each variable that is new here a unique name; returns the new ones."""
        new = [v for v in dict.fromkeys(variables) if v not in self.names]
        taken = set(self.names.values())
        for variable in new:
            name, count = plain(variable.label), 0
            while name in taken:
                count += 1
                name = f"{plain(variable.label)}_{count}"
            taken.add(name)
            self.names[variable] = name
        return new

    def number_streams(self, leaves: Iterable[Node], owner: str = "run") -> None:
        """Give each random leaf that is new here and has no seed a stream of its own, made from `owner` and its label.

        So a stream does not depend on what else the session has met, and a resumed run draws the same numbers.
        """
        taken = set(self.streams.values())
        for leaf in leaves:
            if leaf not in self.streams and isinstance(leaf.op, Noise) and leaf.op.seed is None:
                stream = _stream(f"{owner}:{leaf.label}", taken)
                taken.add(stream)
                self.streams[leaf] = stream

    def absorb(self, other: State) -> None:
        """Take over the variables of `other` and copies of their values; a name that is taken here gets a number.

        The step becomes the later one, so no random number is drawn twice.
        """
        for variable in self.name_variables(other.names):
            self.arrays[self.names[variable]] = other.arrays[other.names[variable]].copy()
        self.step = max(self.step, other.step)

    def named(self) -> dict[str, Any]:
        """The value of each variable by name, in the order they were first met."""
        return {name: self.arrays[name] for name in self.names.values()}

    def digest(self, names: Iterable[str] | None = None) -> str:
        """SHA-256 over the named arrays (all by default): name, dtype, shape and bytes of each, in order."""
        total = hashlib.sha256()
        for name in names or self.names.values():
            array = np.asarray(self.arrays[name], order="C")
            total.update(f"{name} {array.dtype} {array.shape}\n".encode())
            total.update(array.tobytes())
        return total.hexdigest()

    def load(self, arrays: Mapping[str, Any], step: int) -> None:
        """Take over `arrays`, which must be exactly the variables met so far; nothing changes on an error."""
        _check_same(self.named(), arrays)
        for name, array in arrays.items():
            self.arrays[name][...] = array
        self.step = step


def _stream(name: str, taken: set[int]) -> int:
    """A number from `name`, which is tried with 0, 1, ... behind it until it is free."""
    for count in itertools.count():
        stream = zlib.crc32(f"{name}#{count}".encode())
        if stream not in taken:
            return stream
    raise AssertionError


def _check_same(mine: Mapping[str, Any], theirs: Mapping[str, Any]) -> None:
    for name in theirs:
        if name not in mine:
            raise FormatError(f"the file has {name!r}, which is no variable here.{did_you_mean(name, mine)}")
    missing = [name for name in mine if name not in theirs]
    if missing:
        raise FormatError(f"the file lacks {listed(missing)}")
    for name, array in theirs.items():
        found, expected = (array.dtype, array.shape), (mine[name].dtype, mine[name].shape)
        if found != expected:
            raise FormatError(
                f"{name!r} is {found[0]}{list(found[1])} in the file, expected {expected[0]}{list(expected[1])}"
            )
