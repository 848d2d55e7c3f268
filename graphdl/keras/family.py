"""Layers that are called on each other's outputs: they share one session and the numbering of their names."""

from __future__ import annotations

from collections.abc import Container
from contextvars import ContextVar

from graphdl.ir.graph import Graph
from graphdl.ir.node import Node
from graphdl.runtime.session import Session

_seed: ContextVar[int] = ContextVar("seed", default=0)
_open: ContextVar[Family | None] = ContextVar("family", default=None)


class Family:
    """Models over common layers hold the same weights, so they run in one session.

    A name is numbered within the family (dense, dense_1), so the same program twice gives the same names twice.
    """

    def __init__(self) -> None:
        self.counts: dict[str, int] = {}
        self.seed = _seed.get()
        self._session: Session | None = None
        self._joined: Family | None = None

    @property
    def head(self) -> Family:
        """The family that this one has joined, or itself."""
        found = self
        while found._joined is not None:
            found = found._joined
        return found

    @property
    def session(self) -> Session:
        """Where the weights are; made when first asked for."""
        head = self.head
        if head._session is None:
            head._session = Session(seed=head.seed)
        return head._session

    def reset(self, seed: int) -> None:
        """Begin anew in a session like the present one, with its random numbers drawn from `seed`."""
        old = self.session
        self.head._session = Session(
            seed=seed,
            target=old.target.name,
            style=old.style,
            level=old.level,
            stabilise=old.stabilise,
            nan_guard=old.nan_guard,
        )

    def fresh(self, base: str) -> str:
        """`base`, numbered when it was given out before."""
        return numbered(self.head.counts, base)

    def join(self, other: Family) -> None:
        """Make `other` one with this family; weights that both have already come together in one session."""
        mine, theirs = self.head, other.head
        if mine is theirs:
            return
        if mine._session is not None and theirs._session is not None:
            mine._session.absorb(theirs._session)
        mine._session = mine._session or theirs._session
        for base, count in theirs.counts.items():
            mine.counts[base] = max(count, mine.counts.get(base, 0))
        theirs._joined = mine

    def start(self, variables: list[Node]) -> Session:
        """The session, which holds `variables` from now on; called in one order, so random streams are the same."""
        session = self.session
        session.adopt(Graph({str(i): v for i, v in enumerate(variables)}))
        return session


def numbered(counts: dict[str, int], base: str) -> str:
    """`base`, numbered when `counts` says that it was given out before."""
    count = counts.get(base, 0)
    counts[base] = count + 1
    return f"{base}_{count}" if count else base


def unused(name: str, taken: Container[str]) -> str:
    """`name`, numbered where it is taken."""
    found, count = name, 1
    while found in taken:
        found, count = f"{name}_{count}", count + 1
    return found


def open_family() -> Family:
    """The family that inputs join until a model is made of them."""
    found = _open.get()
    if found is None:
        found = Family()
        _open.set(found)
    return found


def close_family() -> None:
    """Let the next input begin a family of its own."""
    _open.set(None)


def set_seed(seed: int) -> None:
    """Models made from now on draw their random numbers from `seed`."""
    Session(seed=seed)  # refuses what is no seed
    _seed.set(int(seed))
    close_family()
