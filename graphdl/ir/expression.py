"""Python's operators, for everything that reads as mathematics: nodes, and patterns of nodes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from graphdl.ir import registry

if TYPE_CHECKING:
    from graphdl.ir.node import Node


class Expression:
    """Operators that build `add`, `multiply`, ... from the registry; `==` stays identity."""

    __slots__ = ()

    # NumPy must leave `array * node` to us.
    __array_ufunc__ = None

    def __add__(self, other: Any) -> Node:
        return registry.call("add", self, other)

    def __radd__(self, other: Any) -> Node:
        return registry.call("add", other, self)

    def __sub__(self, other: Any) -> Node:
        return registry.call("subtract", self, other)

    def __rsub__(self, other: Any) -> Node:
        return registry.call("subtract", other, self)

    def __mul__(self, other: Any) -> Node:
        return registry.call("multiply", self, other)

    def __rmul__(self, other: Any) -> Node:
        return registry.call("multiply", other, self)

    def __truediv__(self, other: Any) -> Node:
        return registry.call("divide", self, other)

    def __rtruediv__(self, other: Any) -> Node:
        return registry.call("divide", other, self)

    def __pow__(self, other: Any) -> Node:
        return registry.call("pow", self, other)

    def __rpow__(self, other: Any) -> Node:
        return registry.call("pow", other, self)

    def __matmul__(self, other: Any) -> Node:
        return registry.call("matmul", self, other)

    def __rmatmul__(self, other: Any) -> Node:
        return registry.call("matmul", other, self)

    def __neg__(self) -> Node:
        return registry.call("negative", self)

    def __abs__(self) -> Node:
        return registry.call("abs", self)

    def __lt__(self, other: Any) -> Node:
        return registry.call("less", self, other)

    def __le__(self, other: Any) -> Node:
        return registry.call("less_equal", self, other)

    def __gt__(self, other: Any) -> Node:
        return registry.call("greater", self, other)

    def __ge__(self, other: Any) -> Node:
        return registry.call("greater_equal", self, other)
