"""What one convolution of a graph does with one image: the numbers of a session's run, and where the window goes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from graphdl.autodiff.gradients import gradients
from graphdl.draw.model import Trace
from graphdl.errors import DrawError, did_you_mean, listed
from graphdl.ir.graph import Graph
from graphdl.ir.node import Node
from graphdl.ir.types import TensorType
from graphdl.ops.conv import Conv2D
from graphdl.runtime.session import Session

Array = np.ndarray[Any, Any]
Place = tuple[int, int]

# Larger images have pixels too small to see, and pages too large to send.
MOST_PIXELS = 40


@dataclass(frozen=True)
class Seen:
    """One image of a batch of `examples`, for the first of the kernel's `op.groups`.

    image     (H, W, C)
    kernel    (h, w, C, F)
    output    (H', W', F), and `gradient`, what arrives there; None where there is no loss
    """

    name: str
    op: Conv2D
    image: Array
    kernel: Array
    output: Array
    gradient: Array | None
    examples: int

    @property
    def places(self) -> Place:
        """At how many rows and columns the window stops."""
        return self.output.shape[0], self.output.shape[1]

    @property
    def windows(self) -> int:
        """How often it stops."""
        return self.places[0] * self.places[1]

    @cached_property
    def padded(self) -> Array:
        """The image with zeros around, as far as the window goes."""
        return np.pad(self.image, (*self.op.pads, (0, 0)))

    def at(self, window: int) -> Place:
        """The row and the column of the output that window number `window` fills."""
        row, column = divmod(window, int(self.places[1]))
        return row, column

    def taps(self, window: int) -> list[Place]:
        """The pixels of the padded image under each element of the kernel."""
        (down, right), (h, w) = self.at(window), self.kernel.shape[:2]
        (step, step_across), (wide, wide_across) = self.op.strides, self.op.dilation
        return [(down * step + i * wide, right * step_across + j * wide_across) for i in range(h) for j in range(w)]

    def is_padding(self, place: Place) -> bool:
        """Whether a pixel of the padded image is none of the image's own."""
        (top, _), (left, _) = self.op.pads
        height, width = self.image.shape[:2]
        return not (top <= place[0] < top + height and left <= place[1] < left + width)

    @cached_property
    def rows(self) -> Array:
        """The matrix of im2col, (H' W', h w C): what each window sees, in a row."""
        return np.array([self._row(window) for window in range(self.windows)])

    def _row(self, window: int) -> Array:
        return np.concatenate([self.padded[place] for place in self.taps(window)])

    @cached_property
    def columns(self) -> Array:
        """The kernel as a matrix, (h w C, F): a column for each filter."""
        return self.kernel.reshape(-1, self.kernel.shape[-1])

    @cached_property
    def filled(self) -> Array:
        """The output as a matrix, (H' W', F)."""
        return self.output.reshape(self.windows, -1)

    @cached_property
    def arriving(self) -> Array:
        """The gradient at the output as a matrix, (H' W', F)."""
        assert self.gradient is not None
        return self.gradient.reshape(self.windows, -1)

    @cached_property
    def sent(self) -> Array:
        """What each window sends back to what it saw, (H' W', h w C)."""
        return np.asarray(self.arriving @ self.columns.T)

    def element(self, column: int) -> tuple[int, int, int]:
        """Row, column and channel of the kernel's element in a column of the matrix.

        A column of im2col is a row of the kernel's matrix.
        """
        i, j, c = np.unravel_index(column, self.kernel.shape[:3])
        return int(i), int(j), int(c)


def seen(
    what: Any, feeds: Mapping[Any, Any] | None, session: Session | None, name: str = "", stabilise: bool = True
) -> Seen:
    """The convolution called `name`, or the first, in a model, graph or loss, on the first image of a run."""
    outputs, held = _outputs(what, session)
    graph = Graph(outputs)
    if graph.placeholders and feeds is None:
        raise DrawError(f"view 'window' shows numbers; give feeds= for {listed(p.label for p in graph.placeholders)}")
    node = _named(convolutions(graph), name)
    x, kernel = node.inputs
    loss = _loss(outputs)
    wanted = [x, kernel, node, *([] if loss is None else [gradients(loss, node, stabilise=stabilise)])]
    values = held.run(wanted, _needed(wanted, feeds or {}))
    return _first(node, *(np.asarray(value, "float64") for value in values))


def convolutions(graph: Graph) -> list[Node]:
    """The nodes that convolve images."""
    return [node for node in graph.nodes if isinstance(node.op, Conv2D)]


def _outputs(what: Any, session: Session | None) -> tuple[list[Node], Session]:
    """The nodes that were given, or those of a model: its loss where it is compiled."""
    if isinstance(what, Trace):
        raise DrawError("view 'window' needs the graph itself, which a trace does not hold; draw the loss or the model")
    if isinstance(what, Node):
        return [what], session or Session()
    if isinstance(what, Graph):
        return list(what.outputs.values()), session or Session()
    if hasattr(what, "start"):
        loss = [what.training.loss] if getattr(what, "is_compiled", False) else list(what.outputs)
        return loss, session or what.start()
    return list(what), session or Session()


def _named(found: Sequence[Node], name: str) -> Node:
    if not found:
        raise DrawError("there is no convolution here, which view 'window' shows")
    for node in found:
        if not name or node.label == name or node.label.startswith(f"{name}/"):
            return node
    names = [node.label for node in found]
    raise DrawError(f"there is no convolution {name!r}.{did_you_mean(name, names)} There is {listed(names)}")


def _loss(outputs: Sequence[Node]) -> Node | None:
    """The output, if there is one alone that can be differentiated."""
    if len(outputs) != 1 or not isinstance(outputs[0].type, TensorType):
        return None
    return outputs[0] if not outputs[0].ndim and outputs[0].tensor.is_float else None


def _needed(wanted: Sequence[Node], feeds: Mapping[Any, Any]) -> dict[Any, Any]:
    """Those of `feeds` that a run for `wanted` takes."""
    placeholders = Graph(list(dict.fromkeys(wanted))).placeholders
    keys = {key for node in placeholders for key in (node, node.label, node.name)}
    return {key: value for key, value in feeds.items() if key in keys}


def _first(node: Node, x: Array, kernel: Array, y: Array, dy: Array | None = None) -> Seen:
    """The first image, and what belongs to the first group of channels and filters."""
    assert isinstance(node.op, Conv2D)
    channels, filters = kernel.shape[2], kernel.shape[3] // node.op.groups
    found = Seen(
        node.label,
        node.op,
        x[0, ..., :channels],
        kernel[..., :filters],
        y[0, ..., :filters],
        None if dy is None else dy[0, ..., :filters],
        len(x),
    )
    _check_size(found)
    return found


def _check_size(found: Seen) -> None:
    height, width = found.padded.shape[:2]
    if max(height, width) > MOST_PIXELS:
        raise DrawError(
            f"{found.name} slides over {height} x {width} pixels with its padding, expected at most {MOST_PIXELS} a "
            "side; feed smaller images, or name another convolution, as in view='window:NAME'"
        )
