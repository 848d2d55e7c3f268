"""Generated source while it is written: lines, the node behind each, the comment beside each."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

from graphdl.ir.node import Node
from graphdl.ir.origin import Rewrite, Vjp
from graphdl.ir.text import plain

Style = Literal["readable", "fast"]
_COMMENT_COLUMN = 52


@dataclass(frozen=True)
class Module:
    """Generated source: the text, the node behind each line (by line number), and large constants it is handed.

    `kernels` names the kernels that it calls; `body` is the text without header and kernels.
    """

    text: str
    nodes: dict[int, Node]
    style: Style
    constants: dict[str, Node]
    kernels: frozenset[str] = frozenset()
    first: int = 0

    @property
    def body(self) -> str:
        """The text behind header and kernels: constants and functions."""
        return "\n".join(self.text.splitlines()[self.first :]).strip("\n") + "\n"

    def line(self, number: int) -> str:
        """Line `number`, counted from 1."""
        return self.text.splitlines()[number - 1]


@dataclass
class Page:
    """Lines being written, with the node behind each."""

    lines: list[str] = field(default_factory=list)
    nodes: dict[int, Node] = field(default_factory=dict)

    def put(self, text: str = "", node: Node | None = None, comment: str = "") -> None:
        """Add a line."""
        if node is not None:
            self.nodes[len(self.lines) + 1] = node
        self.lines.append(f"{text:<{_COMMENT_COLUMN}}  # {comment}" if comment else text)

    def append(self, other: Page) -> None:
        """Add the lines of another page."""
        for number, line in enumerate(other.lines, start=1):
            self.put(line, other.nodes.get(number))


def chain_rule_term(node: Node) -> str:
    """For a node of the backward pass, the term of the chain rule it computes: ``= dL/d(h) * d(h)/d(W)``.

    A node on the way to a term says ``in`` instead; only the one that completes it has a name.
    """
    origin = node.origin
    summed = node.op.name == "add_n"
    while isinstance(origin, Rewrite):
        summed = summed or origin.rule == "accumulate"
        origin = origin.replaced.origin
    if not isinstance(origin, Vjp):
        return ""
    of = plain(origin.of.label)
    if summed:
        return f" = dL/d({of}), summed over its uses"
    if origin.slot is None:
        return f", in the chain rule at {of}"
    word = " =" if node.name else ", in"
    return f"{word} dL/d({of}) * d({of})/d({plain(origin.of.inputs[origin.slot].label)})"
