"""Where a node comes from. Ambient: set once around a piece of work, read by every node built inside."""

from __future__ import annotations

import contextlib
import linecache
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from graphdl.ir.node import Node

# No user's lines: ours, and the frames of context managers between ours.
_HOME = os.path.dirname(os.path.dirname(os.path.abspath(__file__))) + os.sep
_NOT_THE_USER = (_HOME, contextlib.__file__)


class User(NamedTuple):
    """Built by the line `line` of the user's `file`."""

    file: str
    line: int

    def __str__(self) -> str:
        return f"{os.path.basename(self.file)}:{self.line}"

    def source(self) -> str:
        """The user's line itself, or nothing when the file is gone."""
        return linecache.getline(self.file, self.line).strip()


class Vjp(NamedTuple):
    """Built by the chain rule for the forward node `of`; `slot` is the input whose gradient it is."""

    of: Node
    slot: int | None

    def __str__(self) -> str:
        where = "" if self.slot is None else f", input {self.slot}"
        return f"vjp of {self.of.label}{where}"


class Rewrite(NamedTuple):
    """Built by the rule `rule` in place of the node `replaced`."""

    rule: str
    replaced: Node

    def __str__(self) -> str:
        return f"{self.rule} of {self.replaced.label}"


Origin = User | Vjp | Rewrite

_origin: ContextVar[Origin | None] = ContextVar("origin", default=None)
_scope: ContextVar[str] = ContextVar("scope", default="")
_standing: ContextVar[Node | None] = ContextVar("standing", default=None)


def current_origin() -> Origin:
    """The ambient origin, or the innermost line outside graphdl that is being executed."""
    return _origin.get() or _user_line()


def current_standing() -> Node | None:
    """The node in whose place new nodes are built, if they replace one."""
    return _standing.get()


def current_scope() -> str:
    """The ambient scope, such as ``model/dense``, or nothing."""
    return _scope.get()


@contextmanager
def origin(value: Origin) -> Iterator[None]:
    """Nodes built inside come from `value`."""
    token = _origin.set(value)
    try:
        yield
    finally:
        _origin.reset(token)


@contextmanager
def name_scope(name: str) -> Iterator[str]:
    """Nodes built inside are named ``name/...``; scopes nest as in TensorFlow."""
    outer = _scope.get()
    scope = f"{outer}/{name}" if outer and name else name or outer
    token = _scope.set(scope)
    try:
        yield scope
    finally:
        _scope.reset(token)


class Rewriting:
    """Nodes built inside come from the rule `rule` in place of `node`: its scope, its place in listings.

    One plain class instead of three context managers: rules enter it a hundred thousand times.
    """

    __slots__ = ("node", "origin", "tokens")

    def __init__(self, rule: str, node: Node) -> None:
        self.origin = Rewrite(rule, node)
        self.node = node

    def __enter__(self) -> None:
        node = self.node
        self.tokens = (_origin.set(self.origin), _scope.set(node.scope), _standing.set(node))

    def __exit__(self, *exception: object) -> None:
        origin, scope, standing = self.tokens
        _origin.reset(origin)
        _scope.reset(scope)
        _standing.reset(standing)


@contextmanager
def at_scope(scope: str) -> Iterator[None]:
    """Nodes built inside live in exactly this scope, whatever surrounds it."""
    token = _scope.set(scope)
    try:
        yield
    finally:
        _scope.reset(token)


def user_of(node: Node) -> User | None:
    """The user's line behind `node`, followed through rewrites and the chain rule."""
    found: Origin = node.origin
    while not isinstance(found, User):
        found = found.of.origin if isinstance(found, Vjp) else found.replaced.origin
    return found if found.line else None


def forward_of(node: Node) -> Node | None:
    """The forward node whose derivative `node` belongs to, or None for a forward node."""
    found: Origin = node.origin
    while isinstance(found, Rewrite):
        found = found.replaced.origin
    return found.of if isinstance(found, Vjp) else None


def written_at(node: Node) -> str:
    """The clause ``written at mlp.py:17  h @ W``, or nothing when the line is not known."""
    user = user_of(node)
    return f"written at {user}  {user.source()}".rstrip() if user else ""


def _user_line() -> User:
    frame = sys._getframe(2)
    while frame is not None:
        file = frame.f_code.co_filename
        if not file.startswith(_NOT_THE_USER):
            return User(file, frame.f_lineno)
        frame = frame.f_back  # type: ignore[assignment]
    return User("", 0)
