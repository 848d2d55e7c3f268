"""Several inputs made one: sums, products, means, the largest, side by side, inner products."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import reduce
from typing import Any

from graphdl.errors import GraphError, ShapeError
from graphdl.ir.leaves import constant
from graphdl.ir.node import Node
from graphdl.ir.text import plain
from graphdl.ir.types import broadcast_shapes, normalise_axis
from graphdl.keras.layer import Layer
from graphdl.keras.layers.normalization import unit
from graphdl.ops import arithmetic
from graphdl.ops.linalg import matmul
from graphdl.ops.parts import concat
from graphdl.ops.shape import broadcast_to, expand_dims, reshape, transpose


class _Merge(Layer):
    """What merging layers share: they are called on a list of nodes."""

    supports_masking = True

    def call(self, xs: Sequence[Node]) -> Node:
        """The inputs as one."""
        return self.merge(_alike(self, _several(self, xs)))

    def compute_mask(self, inputs: Any, mask: Any = None) -> Any:
        """A step counts where it counts in one of the inputs; there is no mask where one input has none."""
        masks = list(mask) if isinstance(mask, list | tuple) else [mask]
        return None if any(m is None for m in masks) else reduce(arithmetic.logical_or, masks)

    def merge(self, xs: Sequence[Node]) -> Node:
        """The inputs as one, when they have as many axes as each other."""
        raise NotImplementedError


class Add(_Merge):
    """The sum of the inputs."""

    def merge(self, xs: Sequence[Node]) -> Node:
        """``x1 + x2 + ...``."""
        return reduce(arithmetic.add, xs)


class Subtract(_Merge):
    """The first of two inputs less the second."""

    def merge(self, xs: Sequence[Node]) -> Node:
        """``x1 - x2``."""
        first, second = _two(self, xs)
        return first - second


class Multiply(_Merge):
    """The product of the inputs, element by element.

    A step that is masked in an input counts as 1 there, so what is not there changes nothing; the result is 0 at steps
    that are masked in all.
    """

    def call(self, xs: Sequence[Node], mask: Any = None) -> Node:
        """The product of what is there."""
        nodes = _several(self, xs)
        masks = _masks(nodes, mask)
        factors = [_where(m, x, constant(1, x.dtype)) for m, x in zip(masks, nodes, strict=True)]
        y = self.merge(_alike(self, factors))
        return _where(self.compute_mask(nodes, masks), y, constant(0, y.dtype))

    def merge(self, xs: Sequence[Node]) -> Node:
        """``x1 x2 ...``."""
        return reduce(arithmetic.multiply, xs)


class Average(_Merge):
    """The mean of the inputs, element by element."""

    def merge(self, xs: Sequence[Node]) -> Node:
        """``(x1 + x2 + ...) / n``."""
        return reduce(arithmetic.add, xs) / len(xs)


class _Extreme(_Merge):
    """The largest or the smallest of the inputs; at a step that is masked in one of them the others are compared."""

    def call(self, xs: Sequence[Node], mask: Any = None) -> Node:
        """The extreme of what is there."""
        nodes = _several(self, xs)
        masks = _masks(nodes, mask)
        y, known = nodes[0], masks[0]
        for x, there in zip(nodes[1:], masks[1:], strict=True):
            y, x = _alike(self, [y, x])
            x = _where(there, x, y)
            y = self.merge([_where(known, y, x), x])
            known = None if known is None or there is None else arithmetic.logical_or(known, there)
        return y


class Maximum(_Extreme):
    """The largest of the inputs, element by element."""

    def merge(self, xs: Sequence[Node]) -> Node:
        """``max(x1, x2)``."""
        return reduce(arithmetic.maximum, xs)


class Minimum(_Extreme):
    """The smallest of the inputs, element by element."""

    def merge(self, xs: Sequence[Node]) -> Node:
        """``min(x1, x2)``."""
        return reduce(arithmetic.minimum, xs)


class Concatenate(Layer):
    """The inputs one behind the other along `axis`; their other sizes agree."""

    supports_masking = True

    def __init__(self, axis: int = -1, **arguments: Any) -> None:
        super().__init__(**arguments)
        self.axis = axis

    def call(self, xs: Sequence[Node]) -> Node:
        """The inputs, put together."""
        nodes = _several(self, xs)
        axis = normalise_axis(self.axis, nodes[0].ndim)
        rests = [(*x.shape[:axis], *x.shape[axis + 1 :]) for x in nodes]
        if any(x.ndim != nodes[0].ndim for x in nodes) or any(rest != rests[0] for rest in rests):
            expected = f"expected shapes that differ in axis {axis} only{_to_try(nodes)}"
            raise ShapeError(f"{self.name}: found {_described(nodes)}, {expected}")
        return concat(nodes, axis=axis)

    def compute_mask(self, inputs: Any, mask: Any = None) -> Any:
        """Masks one behind the other along time; otherwise a step counts where it counts in one of the inputs."""
        masks = list(mask) if isinstance(mask, list | tuple) else [mask]
        if all(m is None for m in masks):
            return None
        full = [_all_of(x) if m is None else m for m, x in zip(masks, inputs, strict=True)]
        if normalise_axis(self.axis, inputs[0].ndim) == 1:
            return concat(full, axis=1)
        return reduce(arithmetic.logical_or, full)


class Dot(Layer):
    """Inner products of two inputs along `axes`, example by example; cosines where they are normalised first.

    `axes` is one axis for both or a pair. [N, D] and [N, D] over axis 1 give [N, 1]; [N, S, D] and [N, T, D] over
    axis 2 give [N, S, T].
    """

    supports_masking = True

    def __init__(self, axes: Any, normalize: bool = False, **arguments: Any) -> None:
        super().__init__(**arguments)
        pair = (axes, axes) if isinstance(axes, int) else tuple(axes)
        if len(pair) != 2 or not all(isinstance(axis, int) for axis in pair) or 0 in pair:
            raise GraphError(f"Dot: axes is {axes!r:.40}, expected an axis from 1, or a pair of them")
        self.axes = axes
        self.normalize = normalize

    def compute_mask(self, inputs: Any, mask: Any = None) -> None:
        """None: along what is summed over there are no steps left."""

    def call(self, xs: Sequence[Node]) -> Node:
        """The inner products."""
        first, second = _two(self, _several(self, xs))
        left, right = (self.axes,) * 2 if isinstance(self.axes, int) else self.axes
        left, right = normalise_axis(left, first.ndim), normalise_axis(right, second.ndim)
        if first.shape[left] != second.shape[right]:
            raise ShapeError(
                f"{self.name}: found {_described((first, second))}, expected one size along axes {left} and {right}"
            )
        if self.normalize:
            first, second = unit(first, left), unit(second, right)
        return _inner(first, second, left, right)


def _inner(a: Node, b: Node, left: int, right: int) -> Node:
    """Products of matrices: the axis summed over is the last of `a` and the second of `b`."""
    kept_a = [i for i in range(1, a.ndim) if i != left]
    kept_b = [i for i in range(1, b.ndim) if i != right]
    shape = (a.shape[0], *(a.shape[i] for i in kept_a), *(b.shape[i] for i in kept_b))
    rows = reshape(_ordered(a, (0, *kept_a, left)), (a.shape[0], _product(a, kept_a), a.shape[left]))
    columns = reshape(_ordered(b, (0, right, *kept_b)), (b.shape[0], b.shape[right], _product(b, kept_b)))
    return reshape(matmul(rows, columns), shape if len(shape) > 1 else (*shape, 1))


def _ordered(x: Node, order: tuple[int, ...]) -> Node:
    return x if order == tuple(range(x.ndim)) else transpose(x, order)


def _product(x: Node, axes: Sequence[int]) -> Any:
    total: Any = 1
    for axis in axes:
        total = total * x.shape[axis]
    return total


def _masks(xs: Sequence[Node], mask: Any) -> list[Node | None]:
    """The mask of each input, where the inputs have as many axes as each other."""
    alike = isinstance(mask, list | tuple) and len({x.ndim for x in xs}) == 1
    return list(mask) if alike else [None] * len(xs)


def _where(mask: Node | None, x: Node, other: Node) -> Node:
    """`x` where the mask of its steps, if there is one, is True, and `other` elsewhere."""
    if mask is None or mask.ndim >= x.ndim:
        return x
    steps = reshape(mask, (*mask.shape, *(1,) * (x.ndim - mask.ndim)))
    return arithmetic.where(steps, x, other)


def _all_of(x: Node) -> Node:
    """A mask of series `x` in which every step counts."""
    return broadcast_to(constant(True), x.shape[:2])


def _several(layer: Layer, xs: Any) -> list[Node]:
    if isinstance(xs, Node) or not xs:
        found = "one node" if isinstance(xs, Node) else "an empty one"
        raise GraphError(f"{layer.name} is called on a list of nodes, as in {layer.name}([a, b]); found {found}")
    return list(xs)


def _two(layer: Layer, xs: Sequence[Node]) -> tuple[Node, Node]:
    if len(xs) != 2:
        raise GraphError(f"{layer.name} takes two inputs, found {len(xs)}")
    return xs[0], xs[1]


def _alike(layer: Layer, xs: list[Node]) -> list[Node]:
    """The inputs with as many axes each, new ones of size 1 behind the batch; ShapeError where they do not fit."""
    most = max(x.ndim for x in xs)
    grown = [expand_dims(x, list(range(1, 1 + most - x.ndim))) if x.ndim < most else x for x in xs]
    try:
        reduce(broadcast_shapes, (x.shape for x in grown))
    except ShapeError as error:
        raise ShapeError(
            f"{layer.name}: found {_described(xs)}, expected shapes that fit each other{_to_try(xs)}"
        ) from error
    return grown


def _described(xs: Sequence[Node]) -> str:
    return ", ".join(f"{plain(x.label)}: {x.type}" for x in xs)


def _function(layer: type[Layer]) -> Callable[..., Node]:
    def merged(inputs: Sequence[Node], **arguments: Any) -> Node:
        result: Node = layer(**arguments)(inputs)
        return result

    merged.__name__ = layer.__name__.lower()
    merged.__doc__ = f"`{layer.__name__}` of a list of inputs; further arguments are those of the layer."
    return merged


add = _function(Add)
subtract = _function(Subtract)
multiply = _function(Multiply)
average = _function(Average)
maximum = _function(Maximum)
minimum = _function(Minimum)


def concatenate(inputs: Sequence[Node], axis: int = -1, **arguments: Any) -> Node:
    """The inputs one behind the other along `axis`."""
    result: Node = Concatenate(axis, **arguments)(inputs)
    return result


def dot(inputs: Sequence[Node], axes: Any = -1, **arguments: Any) -> Node:
    """Inner products of two inputs along `axes`."""
    result: Node = Dot(axes, **arguments)(inputs)
    return result


def _to_try(xs: Sequence[Node]) -> str:
    """What to try where lengths that nobody has said keep the inputs apart."""
    lengths = {size for x in xs for size in x.shape[1:] if not isinstance(size, int)}
    return "; unknown lengths may differ: say them, as in Input(shape=(100,))" if len(lengths) > 1 else ""
