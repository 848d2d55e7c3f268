"""A trace as plain data: the graph, its values and gradients, and the story in steps.

Pictures and players read only this.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from graphdl.errors import DrawError
from graphdl.files import write_atomically

if TYPE_CHECKING:
    from graphdl.draw.notebook import Framed

PHASES = ("graph", "feed", "forward", "loss", "seed", "backward", "summary", "update", "again")
# Steps of these phases come after the gradients.
_AFTER = ("update", "again")

# Ops of the user's graph beyond which a picture shows blocks, and cards beyond which it is refused.
MOST_OPS_IN_CIRCUIT = 40
MOST_OPS_IN_RAILS = 300
MOST_VISIBLE = 2000


@dataclass(frozen=True)
class Value:
    """An array as pictures need it: `data` (nested lists) when it is small, its extremes, mean and norm always."""

    shape: tuple[int, ...]
    dtype: str
    data: Any = None
    low: float | None = None
    mean: float | None = None
    high: float | None = None
    norm: float | None = None

    @property
    def scalar(self) -> Any:
        """The number, for a value without axes."""
        return self.data if not self.shape else None


@dataclass(frozen=True)
class TraceNode:
    """One node. `kind` is placeholder, variable, constant, noise, op, loss, gradient or parameter gradient.

    `gradient_for` are the forward nodes whose whole gradient this node is; `grad_of` and `slot` name the forward
    op, and which of its inputs, whose chain rule built it. `code` are lines of the program, counted from 1.
    """

    id: str
    kind: str
    op: str
    label: str = ""
    symbol: str = ""
    type: str = ""
    shape: str = ""
    dtype: str = ""
    inputs: tuple[str, ...] = ()
    name: str | None = None
    glyph: str = ""
    role: str = ""
    commutes: bool = False
    formula: str = ""
    scope: str = ""
    origin: str = ""
    source: str = ""
    gradient_for: tuple[str, ...] = ()
    grad_of: str | None = None
    slot: int | None = None
    rule: str | None = None
    requires_grad: bool = False
    code: tuple[int, ...] = ()

    @property
    def is_backward(self) -> bool:
        """Whether the chain rule built it."""
        return self.kind in ("gradient", "parameter gradient")

    @property
    def is_leaf(self) -> bool:
        """Whether it is given, not computed."""
        return not self.inputs


@dataclass(frozen=True)
class TraceEdge:
    """A wire into input `slot` of `target`; `rule` is what its backward lane does to the gradient, in symbols.

    `term` is the node that is the gradient sent back along it; `is_scalar` says that only numbers meet there.
    `direction` is forward, backward, or across (a value of one pass that the other reads).
    """

    id: str
    source: str
    target: str
    slot: int
    direction: str = "forward"
    rule: str = ""
    local_rule: str = ""
    is_scalar: bool = False
    term: str | None = None


@dataclass(frozen=True)
class LaneRule:
    """The chain rule along one wire, in the parts that a formula is set from.

    downstream   what is sent back: ``∂L/∂x``
    upstream     what has arrived at the op: ``∂L/∂u``
    times        ``·`` for numbers, ``⊙`` for arrays element by element; empty where the rule is no such product
    local        the local derivative, ``∂u/∂x``; empty likewise
    derivative   what that is: ``y``; without a local derivative what is sent: ``∂L/∂z · Wᵀ``
    value        what that is worth, where it is one number: ``= −4``, ``≈ 0.1966``
    numbers      with the numbers put in: ``1 × (−4) = −4``; for arrays one element: ``[0, 1]: 0.1 × 2 + 0.3 × 1 = 0.5``
    shapes       how shapes multiply: ``(N, 128) · (128, 784) → (N, 784)``
    arrival      where several gradients meet, which this one is, or the sum: ``1 of 2``, ``6 + 1 = 7``
    """

    edge: str
    downstream: str
    upstream: str
    times: str = ""
    local: str = ""
    derivative: str = ""
    value: str = ""
    numbers: str = ""
    shapes: str = ""
    arrival: str = ""

    @property
    def chain(self) -> str:
        """``∂L/∂x = ∂L/∂u · ∂u/∂x``; without a local derivative ``∂L/∂x = ∂L/∂z · Wᵀ``."""
        product = f"{self.upstream} {self.times} {self.local}" if self.local else self.derivative
        return f"{self.downstream} = {product}"

    @property
    def rule(self) -> str:
        """``∂u/∂x = y = −4``; empty without a local derivative."""
        if not self.local:
            return ""
        return f"{self.local} = {self.derivative}{self.value and f' {self.value}'}"


@dataclass(frozen=True)
class Step:
    """One move: what is active, what becomes known (by id), the formulas, and the caption in English and Korean.

    `formula` and `substituted` belong to forward steps, in symbols and with the numbers put in; `lanes` to backward
    steps, one for each wire along which a gradient is sent. `stale` are nodes whose values belong to old weights.
    """

    phase: str
    node: str | None = None
    active_nodes: tuple[str, ...] = ()
    active_edges: tuple[str, ...] = ()
    values: dict[str, Value] = field(default_factory=dict)
    gradients: dict[str, Value] = field(default_factory=dict)
    locals: dict[str, Value] = field(default_factory=dict)
    terms: dict[str, Value] = field(default_factory=dict)
    stale: tuple[str, ...] = ()
    formula: str = ""
    substituted: str = ""
    lanes: tuple[LaneRule, ...] = ()
    sums: dict[str, str] = field(default_factory=dict)
    caption: dict[str, str] = field(default_factory=dict)
    code: tuple[int, ...] = ()


@dataclass
class Frame:
    """All that is known at one moment. What is absent has not been computed yet."""

    values: dict[str, Value] = field(default_factory=dict)
    gradients: dict[str, Value] = field(default_factory=dict)
    locals: dict[str, Value] = field(default_factory=dict)
    terms: dict[str, Value] = field(default_factory=dict)
    sums: dict[str, str] = field(default_factory=dict)
    stale: set[str] = field(default_factory=set)
    active_nodes: tuple[str, ...] = ()
    active_edges: tuple[str, ...] = ()

    @staticmethod
    def complete(trace: Trace) -> Frame:
        """Everything that is ever known, everything active: a picture of it has a place for all that a step shows."""
        frame = trace.frame()
        frame.active_nodes = tuple(node.id for node in trace.nodes)
        frame.active_edges = tuple(edge.id for edge in trace.edges)
        return frame


@dataclass(frozen=True)
class Trace:
    """A graph and its story. Steps hold only what changes; `frame(k)` adds them up to step k.

    `code` is the program of the graph as it is shown, a line a node; `executed` that of the optimised graph.
    """

    nodes: tuple[TraceNode, ...]
    edges: tuple[TraceEdge, ...]
    steps: tuple[Step, ...] = ()
    scopes: tuple[str, ...] = ()
    code: tuple[str, ...] = ()
    executed: tuple[str, ...] = ()
    loss: str | None = None
    wrt: tuple[str, ...] = ()
    firings: tuple[str, ...] = ()
    sizes: dict[str, int] = field(default_factory=dict)

    @cached_property
    def by_id(self) -> dict[str, TraceNode]:
        """The nodes by their ids."""
        return {node.id: node for node in self.nodes}

    @cached_property
    def forward(self) -> tuple[TraceNode, ...]:
        """The nodes of the user's graph, inputs first."""
        return tuple(node for node in self.nodes if not node.is_backward)

    @cached_property
    def backward(self) -> tuple[TraceNode, ...]:
        """The nodes that the chain rule built, inputs first."""
        return tuple(node for node in self.nodes if node.is_backward)

    @property
    def has_backward(self) -> bool:
        """Whether gradients are asked for."""
        return any(node.requires_grad for node in self.nodes)

    @property
    def ops(self) -> int:
        """Number of ops of the user's graph."""
        return sum(1 for node in self.forward if node.inputs)

    def frame(self, step: int | None = None) -> Frame:
        """What is known after step number `step`, counted from 0; by default when all gradients are there.

        Updates are left out then: new weights beside values that the old ones gave would not fit together.
        """
        last = self._told if step is None else self._number(step) + 1
        frame = Frame()
        for each in self.steps[:last]:
            for kind in ("values", "gradients", "locals", "terms", "sums"):
                getattr(frame, kind).update(getattr(each, kind))
            frame.stale.update(each.stale)
            frame.stale.difference_update(each.values)
        if step is not None:
            frame.active_nodes = self.steps[step].active_nodes
            frame.active_edges = self.steps[step].active_edges
        return frame

    @property
    def _told(self) -> int:
        """Number of steps before the first update."""
        return sum(1 for step in self.steps if step.phase not in _AFTER)

    def _number(self, step: int) -> int:
        if not -len(self.steps) <= step < len(self.steps):
            raise DrawError(f"there is no step {step}, expected 0 to {len(self.steps) - 1}")
        return step % len(self.steps)

    def to_json(self) -> str:
        """The trace as JSON, strict (no NaN literals) and safe inside an HTML script element."""
        from graphdl.draw.tracefile import dumps

        return dumps(self)

    @staticmethod
    def from_json(text: str) -> Trace:
        """The trace that `to_json` wrote; FormatError when `text` is something else."""
        from graphdl.draw.tracefile import loads

        return loads(text)

    def save(self, path: str | Path) -> Path:
        """Write the JSON to `path`, whole or not at all."""
        return write_atomically(path, self.to_json())

    def player(self, height: int = 640, language: str = "en", **options: Any) -> Framed:
        """A page that plays the steps, for a notebook to show, `height` pixels high.

        language   "en" or "ko", for the captions; `options` are those of `graphdl.draw.player.page`
        """
        from graphdl.draw.notebook import player

        return player(self, height, language, **options)

    def save_html(self, path: str | Path, language: str = "en", **options: Any) -> Path:
        """Write that page as one file, whole or not at all: it needs no network, and can be sent to anyone."""
        from graphdl.draw.player import page

        return write_atomically(path, page(self, language=language, **options))

    def __repr__(self) -> str:
        return f"Trace({len(self.nodes)} nodes, {len(self.steps)} steps)"

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> tuple[dict[str, str], dict[str, Any]]:
        from graphdl.draw.notebook import mimebundle

        return mimebundle(self, include, exclude)
