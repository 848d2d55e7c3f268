"""The pictures of a page: every view drawn once, with a place for all that any step shows, and written tersely."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from html import escape
from typing import Any

from graphdl.draw.model import Frame, Trace
from graphdl.draw.scene import Label
from graphdl.draw.style import variables_theme
from graphdl.draw.svg import to_svg
from graphdl.draw.views import View, views

_GROUP_TITLE = re.compile(r"(<g [^>]*>)<title>[^<]*</title>")
_PICTURE_TITLE = re.compile(r'<title id="([^"]*)">([^<]*)</title>')
_PREFIX = re.compile(r'aria-labelledby="(\w+)-title"')
# The glow of a wire follows the wire: the script makes it when it is first needed.
_GLOW_OF_WIRE = re.compile(r'<path class="active"[^>]*/>')
# A group that stands for itself need not say so.
_ITSELF = re.compile(r'(<g id="[^"]*?-?(\w+)"[^>]*?) data-(?:nodes|edges)="\2"')
_MARK = re.compile(r'<(rect|path|text)( class="([^"]*)")?([^>]*?)(/?)>')
_LOOK = re.compile(
    r' (fill|stroke|stroke-width|stroke-dasharray|text-anchor|font-size|font-weight|paint-order)="([^"]*)"'
)


def drawn_views(trace: Trace, time_limit: float) -> tuple[View, ...]:
    """The views of the complete frame, in colours that the page's theme gives."""
    return views(trace, variables_theme(), time_limit, Frame.complete(trace))


class Pictures:
    """Views as HTML. What many marks share of their looks becomes a class of its own, which `css` defines."""

    def __init__(self) -> None:
        self._classes: dict[str, str] = {}

    def html(self, view: View, number: int) -> str:
        """One view, hidden unless it is the first."""
        svg = self._terse(interactive(to_svg(view.scene), f"v{number}"))
        return (
            f'<div class="picture" data-view="{escape(view.key)}" style="--width:{view.scene.width:.0f}"'
            f"{' hidden' if number else ''}>{svg}</div>"
        )

    @property
    def css(self) -> str:
        """The looks by class."""
        return "".join(f".{name}{{{look}}}\n" for look, name in self._classes.items())

    def _terse(self, svg: str) -> str:
        return _MARK.sub(self._mark, svg)

    def _mark(self, found: re.Match[str]) -> str:
        tag, _, part, rest, end = found.groups()
        looks = _LOOK.findall(rest)
        if not looks:
            return found.group()
        style = ";".join(f"{name}:{value}{'px' if name == 'font-size' else ''}" for name, value in looks)
        name = self._classes.setdefault(style, f"k{len(self._classes)}")
        return f'<{tag} class="{f"{part} " if part else ""}{name}"{_LOOK.sub("", rest)}{end}>'


def interactive(svg: str, prefix: str) -> str:
    """The picture without tooltips, whose texts tell the end of the story; a group of buttons, no flat image."""
    found = _PREFIX.search(svg)
    assert found is not None, "a picture has a title"
    svg = _GROUP_TITLE.sub(r"\1", svg).replace(f'"{found[1]}-', f'"{prefix}-')
    svg = _PICTURE_TITLE.sub(r'<desc id="\1">\2</desc>', svg)
    svg = _ITSELF.sub(r"\1", _GLOW_OF_WIRE.sub("", svg))
    return svg.replace('role="img"', 'role="group"', 1)


def pictures(found: Sequence[View], room: int, wanted: str | None = None) -> tuple[list[View], str, str]:
    """The views that fit into `room` bytes, as HTML, and their CSS.

    The first view and the one that is `wanted` are there in any case; then comes the first in narrow rows, and of the
    others smaller ones come before.
    """
    made = Pictures()
    texts = {view.key: made.html(view, number) for number, view in enumerate(found)}
    needed = (found[0].key, wanted)
    kept = []
    for view in sorted(found, key=lambda v: (v.key not in needed, v.key != "narrow", len(texts[v.key]))):
        room -= len(texts[view.key].encode())
        if room >= 0 or view.key in needed:
            kept.append(view)
    kept.sort(key=found.index)
    return kept, "".join(texts[view.key] for view in kept), made.css


def view_data(found: Iterable[View]) -> list[dict[str, Any]]:
    """What a script must know of the views beside the pictures: their names."""
    return [{"key": view.key, "title": view.title} for view in found]


def ranges(found: Iterable[View]) -> list[str]:
    """The slots that show from the least to the greatest gradient of several nodes: ``r:n3 n7``."""
    marks = (mark for view in found for group in view.scene.groups for mark in group.marks)
    slots = (mark.slot for mark in marks if isinstance(mark, Label))
    return sorted({slot for slot in slots if slot.startswith("r:")})
