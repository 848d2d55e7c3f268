"""The same elements in another form: flattened, reshaped, permuted, repeated, padded, cut, enlarged."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from graphdl.errors import GraphError, ShapeError
from graphdl.ir.dim import exact_div, numel
from graphdl.ir.leaves import constant
from graphdl.ir.node import Node
from graphdl.ir.types import shape_text
from graphdl.keras.layer import Layer
from graphdl.keras.layers.arguments import around, channels_last, check_rank, known_size, one_of, positive, sizes
from graphdl.keras.shapes import shapes_of
from graphdl.ops.linalg import matmul
from graphdl.ops.parts import pad
from graphdl.ops.shape import broadcast_to, expand_dims, reshape, transpose

Array = np.ndarray[Any, Any]

_SERIES, _IMAGES = "[N, T, C]", "images [N, H, W, C]"


class Flatten(Layer):
    """Each example as one row."""

    def __init__(self, data_format: Any = None, **arguments: Any) -> None:
        super().__init__(**arguments)
        self.data_format = channels_last(self, data_format)

    def call(self, x: Node) -> Node:
        """The same elements in the same order."""
        if x.ndim == 1:
            return expand_dims(x, 1)
        return reshape(x, (x.shape[0], numel(x.shape[1:])))


class Reshape(Layer):
    """Each example in another shape; one size may be -1, which is whatever the others leave."""

    def __init__(self, target_shape: Any, **arguments: Any) -> None:
        super().__init__(**arguments)
        if isinstance(target_shape, int):
            raise ShapeError(
                f"Reshape: target_shape={target_shape} is a number, expected a tuple; write ({target_shape},)"
            )
        self.target_shape = tuple(target_shape)
        if [size for size in self.target_shape if size == -1] not in ([], [-1]):
            raise ShapeError(f"Reshape: target_shape is {self.target_shape}, expected -1 at most once")

    def call(self, x: Node) -> Node:
        """The same elements in the same order."""
        total = numel(x.shape[1:])
        rest = exact_div(total, numel(tuple(size for size in self.target_shape if size != -1)))
        if rest is None or (rest != 1 and -1 not in self.target_shape):
            raise ShapeError(f"{self.name}: {total} elements an example do not make {shape_text(self.target_shape)}")
        return reshape(x, (x.shape[0], *(rest if size == -1 else size for size in self.target_shape)))


class Permute(Layer):
    """Each example with its axes in another order; `dims` counts them from 1."""

    def __init__(self, dims: Any, **arguments: Any) -> None:
        super().__init__(**arguments)
        self.dims = tuple(dims)
        if sorted(self.dims) != list(range(1, len(self.dims) + 1)):
            raise GraphError(f"Permute: dims is {self.dims}, expected the axes 1 to {len(self.dims)} in some order")

    def call(self, x: Node) -> Node:
        """The same elements along permuted axes."""
        check_rank(self, x, len(self.dims) + 1, f"examples of {len(self.dims)} axes")
        return transpose(x, (0, *self.dims))


class RepeatVector(Layer):
    """A row `n` times one below the other: [N, D] becomes [N, n, D]."""

    def __init__(self, n: int, **arguments: Any) -> None:
        super().__init__(**arguments)
        self.n = positive(self, "n", n)

    def call(self, x: Node) -> Node:
        """Copies of `x` along a new axis."""
        check_rank(self, x, 2, "rows [N, D]")
        return broadcast_to(expand_dims(x, 1), (x.shape[0], self.n, x.shape[1]))


class ZeroPadding1D(Layer):
    """Zeros before and behind a series."""

    def __init__(self, padding: Any = 1, data_format: Any = None, **arguments: Any) -> None:
        super().__init__(**arguments)
        ((before, behind),) = around(self, "padding", padding, 1)
        self.padding = (before, behind)
        self.data_format = channels_last(self, data_format)

    def call(self, x: Node) -> Node:
        """`x` with zeros around."""
        check_rank(self, x, 3, _SERIES)
        return pad(x, ((0, 0), self.padding, (0, 0)))


class ZeroPadding2D(Layer):
    """Zeros around images: above, below, left, right."""

    def __init__(self, padding: Any = (1, 1), data_format: Any = None, **arguments: Any) -> None:
        super().__init__(**arguments)
        self.padding = around(self, "padding", padding, 2)
        self.data_format = channels_last(self, data_format)

    def call(self, x: Node) -> Node:
        """`x` with zeros around."""
        check_rank(self, x, 4, _IMAGES)
        return pad(x, ((0, 0), *self.padding, (0, 0)))


class Cropping1D(Layer):
    """A series without its first and last elements."""

    def __init__(self, cropping: Any = (1, 1), **arguments: Any) -> None:
        super().__init__(**arguments)
        ((before, behind),) = around(self, "cropping", cropping, 1)
        self.cropping = (before, behind)

    def call(self, x: Node) -> Node:
        """What is left of `x`."""
        check_rank(self, x, 3, _SERIES)
        return x[:, _inside(self, x, 1, self.cropping)]


class Cropping2D(Layer):
    """Images without what is cut off above, below, left and right."""

    def __init__(self, cropping: Any = ((0, 0), (0, 0)), data_format: Any = None, **arguments: Any) -> None:
        super().__init__(**arguments)
        self.cropping = around(self, "cropping", cropping, 2)
        self.data_format = channels_last(self, data_format)

    def call(self, x: Node) -> Node:
        """What is left of `x`."""
        check_rank(self, x, 4, _IMAGES)
        rows, columns = self.cropping
        return x[:, _inside(self, x, 1, rows), _inside(self, x, 2, columns)]


class UpSampling1D(Layer):
    """A series with each element `size` times."""

    def __init__(self, size: int = 2, **arguments: Any) -> None:
        super().__init__(**arguments)
        self.size = positive(self, "size", size)

    def call(self, x: Node) -> Node:
        """`x`, longer."""
        check_rank(self, x, 3, _SERIES)
        return _repeated(x, 1, self.size)


class UpSampling2D(Layer):
    """Images enlarged: each pixel repeated ("nearest"), or the pixels between interpolated.

    Interpolation is "bilinear", "bicubic" (Keys 1981, a = -1/2), "lanczos3" or "lanczos5".
    """

    def __init__(
        self, size: Any = (2, 2), data_format: Any = None, interpolation: str = "nearest", **arguments: Any
    ) -> None:
        super().__init__(**arguments)
        self.size = sizes(self, "size", size, 2)
        self.data_format = channels_last(self, data_format)
        self.interpolation = one_of(self, "interpolation", interpolation, ("nearest", *_WINDOWS))

    def call(self, x: Node) -> Node:
        """`x`, larger."""
        check_rank(self, x, 4, _IMAGES)
        for axis, factor in enumerate(self.size, start=1):
            known_size(self, shapes_of(x), axis)
            if factor > 1:
                is_copied = self.interpolation == "nearest"
                x = _repeated(x, axis, factor) if is_copied else _interpolated(x, axis, factor, self.interpolation)
        return x


def _cubic(d: Array) -> Array:
    near, far = (1.5 * d - 2.5) * d * d + 1, ((-0.5 * d + 2.5) * d - 4) * d + 2
    return np.where(d < 1, near, np.where(d < 2, far, 0))


def _lanczos(radius: int) -> Callable[[Array], Array]:
    return lambda d: np.where(d < radius, np.sinc(d) * np.sinc(d / radius), 0)


# How much a pixel counts at a distance of so many pixels.
_WINDOWS: dict[str, Callable[[Array], Array]] = {
    "bilinear": lambda d: np.maximum(0, 1 - d),
    "bicubic": _cubic,
    "lanczos3": _lanczos(3),
    "lanczos5": _lanczos(5),
}


def between(length: int, factor: int, interpolation: str = "bilinear") -> Array:
    """The matrix that makes `length` pixels `factor` times as many.

    Pixels are squares: the middle of new pixel i is at (i + 1/2) / factor - 1/2 of the old ones. At the border those
    there are share the weights of those there are not.

    >>> between(2, 2).tolist()
    [[1.0, 0.0], [0.75, 0.25], [0.25, 0.75], [0.0, 1.0]]
    """
    at = (np.arange(length * factor) + 0.5) / factor - 0.5
    weights = _WINDOWS[interpolation](np.abs(at[:, None] - np.arange(length)))
    shares: Array = weights / weights.sum(axis=1, keepdims=True)
    return shares


def _interpolated(x: Node, axis: int, factor: int, interpolation: str) -> Node:
    size = x.shape[axis]
    assert isinstance(size, int)
    order = [i for i in range(x.ndim) if i != axis] + [axis]
    weights = constant(between(size, factor, interpolation).T, x.dtype)
    back = [order.index(i) for i in range(x.ndim)]
    return transpose(matmul(transpose(x, order), weights), back)


def _repeated(x: Node, axis: int, times: int) -> Node:
    """Each element along `axis` so many times."""
    before, size, behind = x.shape[:axis], x.shape[axis], x.shape[axis + 1 :]
    copies = broadcast_to(expand_dims(x, axis + 1), (*before, size, times, *behind))
    return reshape(copies, (*before, size * times, *behind))


def _inside(layer: Layer, x: Node, axis: int, cut: tuple[int, int]) -> slice:
    size = known_size(layer, shapes_of(x), axis)
    if sum(cut) >= size:
        raise ShapeError(f"{layer.name}: cuts {cut[0]} and {cut[1]} of the {size} elements of axis {axis} of {x.type}")
    return slice(cut[0], size - cut[1])
