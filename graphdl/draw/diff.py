"""Two graphs in one picture: laid out once for both, so that nothing moves but what changed.

Gone nodes are struck out (−), new ones have a thick border (+), those that read something else are marked ~.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Literal

from graphdl.draw import graphviz
from graphdl.draw.bounds import bounds, moved_group
from graphdl.draw.cards import Card, Row, card_marks
from graphdl.draw.layout import Cell, Link, Placed, Task, place_all
from graphdl.draw.optimisation.ledger import Ledger
from graphdl.draw.optimisation.union import MOST_SHOWN, Member, Status, Union, Wire, union
from graphdl.draw.optimisation.words import Language, word
from graphdl.draw.paths import heading, straight
from graphdl.draw.scene import Box, Curve, Group, Label, Mark, Point, Scene, arrowhead
from graphdl.draw.style import SMALL_SIZE, Theme, one_line, text_width
from graphdl.ir.graph import Graph
from graphdl.ir.leaves import Constant, Noise, Packed, Size, VariableLeaf, scalar_of
from graphdl.ir.node import Node
from graphdl.ir.origin import forward_of, user_of
from graphdl.ir.text import short_value

Show = Literal["both", "before", "after"]

BADGES: dict[Status, str] = {"removed": "−", "added": "+", "rewired": "~"}
_HIDDEN: dict[Show, Status | None] = {"both": None, "before": "added", "after": "removed"}
_MARGIN = 14.0
_BADGE = 15.0
_LINE = 18.0
_LONGEST_NAME = 26
_LEAST_CHANGED = 52.0


def diff(
    before: Graph,
    after: Graph,
    theme: Theme,
    *,
    show: Show = "both",
    most: int = MOST_SHOWN,
    language: Language = "en",
    title: str = "",
    time_limit: float = graphviz.TIME_LIMIT,
) -> Scene:
    """What changed from `before` to `after`: both graphs in one picture, or one of them in its place there.

    Graphs of more than about `most` nodes are cut down to what changed and its neighbours, and a note says how many
    nodes are left out.
    """
    ledger = Ledger(before)
    change = ledger.take_over(after)
    found = union(ledger, change, most, whole=True)
    name = title or f"{word('before and after', language)}: {len(before)} → {len(after)} {word('nodes', language)}"
    return union_scene(found, theme, name, show, language, time_limit)


def union_scene(
    found: Union,
    theme: Theme,
    title: str,
    show: Show = "both",
    language: Language = "en",
    time_limit: float = graphviz.TIME_LIMIT,
    words: bool = True,
) -> Scene:
    """The picture of a union; with `show` only the graph before or after, where it stands in the whole.

    Without `words` it has no key and no note, so that it is in no language.
    """
    (placed,) = place_all([_task(found)], time_limit)
    return _scene(found, placed, theme, title, show, language, words)


def union_scenes(
    found: Sequence[tuple[Union, str]], theme: Theme, time_limit: float = graphviz.TIME_LIMIT
) -> list[Scene]:
    """The pictures of many unions with their titles, without words, laid out by one process in `time_limit` for all."""
    placed = place_all([_task(each) for each, _ in found], time_limit)
    return [_scene(each, p, theme, title, "both", "en", False) for (each, title), p in zip(found, placed, strict=True)]


def _scene(
    found: Union, placed: Placed, theme: Theme, title: str, show: Show, language: Language, words: bool
) -> Scene:
    groups = [_wire(wire, path, theme) for wire, path in zip(found.wires, placed.paths, strict=True)]
    groups += [_member(member, placed.at[member.id], theme, language) for member in found.members]
    left, top, right, bottom = bounds(groups)
    shown = [moved_group(group, _MARGIN - left, _MARGIN - top) for group in groups if not _is_hidden(group, show)]
    width, y = max(right - left, 120.0), bottom - top + 2 * _MARGIN
    lines: list[tuple[Status | Literal[""], str]] = []
    if words:
        lines = [*_key(found, language), *(("", text) for text in notes(found, language))]
    marks, width, y = _written(lines, width, y, theme)
    legend = [Group("key", "legend", word("key", language), tuple(marks))] if marks else []
    return Scene(width + 2 * _MARGIN, y, theme.background, one_line(title), (*shown, *legend))


def notes(found: Union, language: Language) -> list[str]:
    """What the picture leaves out, in words."""
    texts = []
    if found.changes_left_out:
        texts.append(word("{} more changed nodes are left out", language).format(found.changes_left_out))
    if found.left_out:
        texts.append(word("{} unchanged nodes are left out", language).format(found.left_out))
    return texts


def _task(found: Union) -> Task:
    cards = [_card(member) for member in found.members]
    leaves = {member.id for member in found.members if member.node is not None and member.node.op.is_leaf}
    links = [Link(wire.source, wire.target, 1 if wire.source in leaves else 8) for wire in found.wires]
    return [Cell(card.id, card.width, card.height) for card in cards], links


def _is_hidden(group: Group, show: Show) -> bool:
    hidden = _HIDDEN[show]
    return hidden is not None and hidden in group.kind.split()


def _card(member: Member) -> Card:
    node = member.node
    # The badge of a changed node must not hide a short name.
    least = 0.0 if member.status == "same" else _LEAST_CHANGED
    if node is None:
        return Card(member.id, "constant", one_line(f"→ {member.text}", _LONGEST_NAME), (), least)
    rows = [] if scalar_of(node) is not None or isinstance(node.op, Size) else [Row(str(node.type))]
    if node.op.is_leaf:
        return Card(member.id, kind_of(node), one_line(_leaf_text(node), _LONGEST_NAME), tuple(rows), least)
    named = [Row(one_line(node.label, 34))] if node.name else []
    return Card(member.id, kind_of(node), op_text(node), tuple(named + rows))


def op_text(node: Node) -> str:
    """The op as a card shows it: its sign, where it has one, and its name."""
    glyph = node.op.glyph
    return f"{glyph}  {node.op.name}" if glyph and glyph not in ("²", "ᵀ") and glyph != node.op.name else node.op.name


def kind_of(node: Node) -> str:
    """The kind of node, as themes have looks for it."""
    if isinstance(node.op, Constant | Size):
        return "constant"
    if isinstance(node.op, VariableLeaf | Packed):
        return "variable"
    if isinstance(node.op, Noise):
        return "noise"
    if node.op.is_leaf:
        return "placeholder"
    return "gradient" if forward_of(node) is not None else "op"


def _leaf_text(node: Node) -> str:
    if isinstance(node.op, Constant):
        return node.label if node.name else short_value(node.op)
    return str(node.op.dim) if isinstance(node.op, Size) else node.label


def _member(member: Member, at: Point, theme: Theme, language: Language) -> Group:
    card = _card(member)
    marks = card_marks(card, at, _themed(theme, card.kind, member.status))
    left, top = at[0] - card.width / 2, at[1] - card.height / 2
    colour = status_colour(member.status, theme)
    if member.status == "removed":
        strike = straight((left + 4, top + 11), (left + card.width - 4, top + 11))
        marks.insert(1, Curve(strike, colour, 1.3, part="strike"))
    if member.status in BADGES:
        marks += badge(member.status, left, top, theme)
    kind = f"node {card.kind.replace(' ', '-')} {member.status}"
    return Group(member.id, kind, _spoken(member, language), tuple(marks))


def badge(status: Status, x: float, y: float, theme: Theme) -> list[Mark]:
    """A disc with the sign of a change, its middle at (x, y)."""
    colour = status_colour(status, theme)
    disc = Box(x, y, _BADGE, _BADGE, colour, theme.background, 1.5, _BADGE / 2, part="badge")
    return [disc, Label(x, y + 4.6, BADGES[status], 13.0, theme.background, bold=True, part="sign")]


def status_colour(status: Status, theme: Theme) -> str:
    """Colours that stay apart for every kind of colour blindness; the badge says the same."""
    looks = {"removed": theme.gradient, "added": theme.value, "rewired": theme.look("variable").stroke}
    return looks.get(status, theme.wire)


def _themed(theme: Theme, kind: str, status: Status) -> Theme:
    """The theme in which the look of `kind` is that of a changed node."""
    look, colour = theme.look(kind), status_colour(status, theme)
    if status == "removed":
        look = replace(look, fill="none", stroke=theme.muted, text=theme.muted, weight=1.0, dashed=True, bold=False)
    elif status in BADGES:
        look = replace(look, stroke=colour, weight=2.4, dashed=False)
    return replace(theme, looks={**theme.looks, kind: look})


def _wire(wire: Wire, path: tuple[Point, ...], theme: Theme) -> Group:
    colour = status_colour(wire.status, theme)
    weight = {"same": 1.2, "removed": 1.8, "added": 2.6, "rewired": 2.6}[wire.status]
    marks: tuple[Mark, ...] = (
        Curve(path, colour, weight, dashed=wire.status == "removed"),
        arrowhead(path[-1], heading(path), colour, 6.0 if wire.status == "same" else 8.0),
    )
    title = f"{wire.status} wire" if wire.status != "same" else "wire"
    return Group(f"{wire.source}-{wire.target}-{wire.slot}-{wire.status}", f"edge {wire.status}", title, marks)


def _spoken(member: Member, language: Language) -> str:
    status = f"{word(member.status, language)}: " if member.status != "same" else ""
    node = member.node
    if node is None:
        return f"{status}{word('output', language)} {one_line(member.text)}"
    user = user_of(node)
    at = f", {one_line(str(user))}" if user else ""
    return f"{status}{one_line(node.label)} = {node.op.name}, {node.type}{at}"


def _key(found: Union, language: Language) -> list[tuple[Status, str]]:
    present = {member.status for member in found.members} | {wire.status for wire in found.wires}
    statuses: Sequence[Status] = ("removed", "added", "rewired")
    return [(status, word(status, language)) for status in statuses if status in present]


def _written(
    lines: Sequence[tuple[Status | Literal[""], str]], width: float, y: float, theme: Theme
) -> tuple[list[Mark], float, float]:
    """Badges with their meaning side by side, then a line for each note."""
    marks: list[Mark] = []
    x = _MARGIN
    entries = [(status, text) for status, text in lines if status]
    for status, text in entries:
        need = _BADGE + 5 + text_width(text, SMALL_SIZE) + 14
        if x > _MARGIN and x + need - 14 > _MARGIN + width:
            x, y = _MARGIN, y + _LINE
        marks += badge(status, x + _BADGE / 2, y, theme)
        marks.append(Label(x + _BADGE + 5, y + 3.6, text, SMALL_SIZE, theme.muted, anchor="start"))
        x += need
        width = max(width, need)
    y += _LINE if entries else 0
    for _, text in (line for line in lines if not line[0]):
        marks.append(Label(_MARGIN, y + 3.6, text, SMALL_SIZE, theme.muted, anchor="start", part="note"))
        width, y = max(width, text_width(text, SMALL_SIZE)), y + _LINE
    return marks, width, y
