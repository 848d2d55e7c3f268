"""Boxes around the members of name scopes, where these stand together.

A box that would enclose a stranger, or cut another box, is left out: no box is better than one that lies.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from graphdl.draw.bounds import Extent
from graphdl.draw.scene import Box, Group, Label
from graphdl.draw.style import SMALL_SIZE, Theme, fitted, one_line

_PAD = 5.0
_TITLE = 14.0
_FEWEST = 2


def with_headroom(box: Extent, levels: int) -> Extent:
    """A member of a scope with the room above and below that so many boxes around it need."""
    return box[0], box[1] - (_PAD + _TITLE) * levels, box[2], box[3] + _PAD * levels


def scope_boxes(
    inside: Mapping[str, str], cells: Mapping[str, Extent], row: Mapping[str, int], theme: Theme
) -> list[Group]:
    """A box for each scope and row of the picture, outer ones first.

    inside   the scope of each cell that counts as a member; "" for none
    cells    where all cells are; those not in `inside` are strangers everywhere
    row      the row of each cell, where the picture is cut into rows
    """
    found: dict[tuple[str, int], Extent] = {}
    for scope in sorted(_scopes(inside), key=lambda s: (-s.count("/"), s)):
        members = {cell for cell, own in inside.items() if _within(own, scope)}
        if len(members) == len(inside):
            continue
        for k in sorted({row[cell] for cell in members}):
            here = [cell for cell in members if row[cell] == k]
            box = _box(scope, k, here, cells, found)
            if box and _is_free(box, scope, [cells[c] for c in cells if c not in members], found):
                found[scope, k] = box
    return [_group(f"z{i}", scope, box, theme) for i, ((scope, _), box) in enumerate(reversed(found.items()), start=1)]


def _scopes(inside: Mapping[str, str]) -> set[str]:
    """All scopes and those around them."""
    found: set[str] = set()
    for scope in set(inside.values()) - {""}:
        names = scope.split("/")
        found.update("/".join(names[:k]) for k in range(1, len(names) + 1))
    return found


def _within(scope: str, outer: str) -> bool:
    return scope == outer or scope.startswith(outer + "/")


def _box(
    scope: str, row: int, here: Iterable[str], cells: Mapping[str, Extent], found: Mapping[tuple[str, int], Extent]
) -> Extent | None:
    """Around the members and the boxes inside, with room for the name above."""
    members = [cells[cell] for cell in here]
    if len(members) < _FEWEST:
        return None
    members += [box for (inner, k), box in found.items() if k == row and _within(inner, scope)]
    lefts, tops, rights, bottoms = zip(*members, strict=True)
    return min(lefts) - _PAD, min(tops) - _PAD - _TITLE, max(rights) + _PAD, max(bottoms) + _PAD


def _is_free(box: Extent, scope: str, strangers: Iterable[Extent], found: Mapping[tuple[str, int], Extent]) -> bool:
    others = [other for (name, _), other in found.items() if not _within(name, scope)]
    return not any(_overlap(box, other) for other in (*strangers, *others))


def _overlap(a: Extent, b: Extent) -> bool:
    return a[0] < b[2] and b[0] < a[2] and a[1] < b[3] and b[1] < a[3]


def _group(id: str, scope: str, box: Extent, theme: Theme) -> Group:
    left, top, right, bottom = box
    name = fitted(one_line(scope), right - left - 16, SMALL_SIZE, bold=True)
    outline = Box(
        (left + right) / 2, (top + bottom) / 2, right - left, bottom - top, "none", theme.muted, 0.8, 8, part="scope"
    )
    label = Label(left + 8, top + 12, name, SMALL_SIZE, theme.muted, True, "start", theme.background, part="scope-name")
    return Group(id, "scope", f"scope {one_line(scope)}", (outline, label), scope=one_line(scope))
