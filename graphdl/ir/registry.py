"""Every op by name, and the functions that `Node`'s operators call: the one way up from `ir` to `ops`."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

from graphdl.errors import FormatError, did_you_mean

if TYPE_CHECKING:
    from graphdl.ir.node import Node
    from graphdl.ir.op import Op

_ops: dict[str, type[Op] | Op] = {}
_builders: dict[str, Callable[..., Any]] = {}


def register_op(name: str, entry: type[Op] | Op) -> None:
    """Make `entry` (a class with attributes, or the one instance of an op without any) known by `name`."""
    assert name not in _ops, f"two ops are called {name}"
    _ops[name] = entry


def lookup(name: str) -> type[Op] | Op:
    """The op called `name`; FormatError with a suggestion when there is none."""
    if name not in _ops:
        raise FormatError(f"there is no op {name!r}.{did_you_mean(name, _ops)}")
    return _ops[name]


def all_ops() -> Iterator[tuple[str, type[Op] | Op]]:
    """Every op with its name, in alphabetical order."""
    return iter(sorted(_ops.items()))


def register_builder(name: str, function: Callable[..., Any]) -> None:
    """Let `Node`'s operators reach `function` as `name`."""
    _builders[name] = function


def builder(name: str) -> Callable[..., Any]:
    """The function registered as `name`."""
    return _builders[name]


def call(name: str, *args: Any) -> Node:
    """The node that the builder `name` makes of `args`."""
    node: Node = _builders[name](*args)
    return node
