"""The optimisation viewer: the story of the passes and the buffer map of the program, in one offline HTML file."""

from __future__ import annotations

import re
from collections.abc import Mapping
from html import escape
from pathlib import Path
from typing import Any

from graphdl.compile.pipeline import optimise
from graphdl.config import DEFAULT_LEVEL, Level
from graphdl.draw import graphviz
from graphdl.draw.diff import Show, diff
from graphdl.draw.optimisation.buffers import BufferMap, buffer_map, program_of
from graphdl.draw.optimisation.chosen import Step, chosen_steps
from graphdl.draw.optimisation.memory_picture import MOST_ROWS, byte_text, memory_scene
from graphdl.draw.optimisation.panels import Amounts, chart, passes_table, polynomial, step_panel, totals_table
from graphdl.draw.optimisation.story import Matter, Story, matter, story
from graphdl.draw.optimisation.union import MOST_SHOWN
from graphdl.draw.optimisation.words import LANGUAGES, Language, both, word
from graphdl.draw.page import asset, html_page
from graphdl.draw.scene import Scene
from graphdl.draw.style import Theme, one_line, theme_css, variables_theme
from graphdl.draw.svg import to_svg
from graphdl.errors import DrawError
from graphdl.files import write_atomically
from graphdl.ir.node import Node
from graphdl.ir.origin import user_of

PACKAGE = "graphdl.draw.optimisation"
# A page is to stay below 2 MB; pictures take most of it.
MOST_PICTURE_BYTES = 1_200_000
_TITLE = "what the compiler makes of it"
# Lines of source that a page shows, and letters of a line.
_MOST_LINES = 1200
_LONGEST_LINE = 240


def optimisation(
    what: Any,
    path: str | Path | None = None,
    *,
    wrt: Any = None,
    sizes: Mapping[str, int] | None = None,
    level: Level = DEFAULT_LEVEL,
    stabilise: bool = True,
    language: str = "en",
    theme: str = "auto",
    title: str | None = None,
) -> str | Path:
    """How `what` is compiled, as a page: HTML text, or the path of the file written when `path` is given.

    what   a model, a graph, a scalar loss (with its gradients for `wrt`), a node or a list of nodes
    sizes  numbers for the symbolic sizes, such as ``{"N": 32}``, which is what each is by default

    The page tells every firing of every pass, what it saved, and which buffer of the program holds what.
    """
    text = page_of(story(matter(what, wrt, stabilise), level, stabilise), sizes, language, theme, title)
    if path is None:
        return text
    if Path(path).suffix.lower() not in (".html", ".htm"):
        raise DrawError(f"{str(path)!r} is no name of a page, expected one that ends in .html")
    return write_atomically(path, text)


def passes_scene(
    found: Matter,
    theme: Theme,
    *,
    level: Level = DEFAULT_LEVEL,
    stabilise: bool = True,
    show: Show = "both",
    language: Language = "en",
    title: str = "",
    most: int = MOST_SHOWN,
    time_limit: float = graphviz.TIME_LIMIT,
) -> Scene:
    """One picture of all that the passes changed, apart from packing, which only serves the fast style."""
    before = found.whole
    after = optimise(before, level, stabilise, layout=False).graph
    return diff(before, after, theme, show=show, most=most, language=language, title=title, time_limit=time_limit)


def page_of(
    told: Story,
    sizes: Mapping[str, int] | None = None,
    language: str = "en",
    theme: str = "auto",
    title: str | None = None,
) -> str:
    """The page of a story."""
    found = buffer_map(program_of(told.final), sizes)
    amounts = Amounts(found.sizes)
    steps = chosen_steps(told, MOST_PICTURE_BYTES)
    heading = title or word(_TITLE, "ko" if language == "ko" else "en")
    return html_page(
        title=heading,
        language=language,
        styles=[theme_css(), asset("viewer.css", PACKAGE)],
        scripts=[asset("viewer.js", PACKAGE)],
        body=_body(told, steps, found, amounts, escape(one_line(title)) if title else both(_TITLE)),
        data=_data(told, steps, found),
        theme=theme,
    )


def _body(told: Story, steps: list[Step], found: BufferMap, amounts: Amounts, title: str) -> str:
    parts = {
        "title": title,
        "totals": totals_table(told, amounts),
        "sizes": escape(", ".join(f"{name} = {n}" for name, n in found.sizes.items()) or "—"),
        "chapters": _timeline(told, steps),
        "last": str(len(steps) - 1),
        "chart": chart(told, amounts),
        "steps": "\n".join(step_panel(told, step, amounts, i) for i, step in enumerate(steps)),
        "memory": to_svg(memory_scene(found, variables_theme(), words=False)),
        "memory-words": _memory_words(found),
        "memory-left": _rows_left_out(found),
        "code": _code(found),
        "passes": passes_table(told, steps, amounts),
    }
    return filled(asset("viewer.html", PACKAGE), parts)


def filled(template: str, parts: Mapping[str, str]) -> str:
    """The template with ``@name@`` filled in and ``{{words}}`` in both languages; what is filled in is left alone."""
    return _BLANK.sub(lambda found: parts[found[1]] if found[1] else both(found[2]), template)


_BLANK = re.compile(r"@([a-z-]+)@|\{\{([^}]+)\}\}")


def _timeline(told: Story, steps: list[Step]) -> str:
    """A button for each chapter, as wide as it has steps."""
    buttons = []
    for i, chapter in enumerate(told.chapters):
        mine = [k for k, step in enumerate(steps) if step.chapter == i]
        quiet = not chapter.events and chapter.rest is None
        name = escape(chapter.name)
        buttons.append(
            f'<button type="button" class="chapter{" quiet" if quiet else ""}" data-step="{mine[0]}" '
            f'style="flex-grow:{len(mine)}" title="{name}: {len(chapter.events)}">'
            f"<b>{name}</b><small>{len(chapter.events) or '·'}</small></button>"
        )
    return "".join(buttons)


def _memory_words(found: BufferMap) -> str:
    count = sum(not row.is_variable for row in found.rows)
    values = sum(not found.rows[bar.row].is_variable for bar in found.bars)
    places = sum(bar.over is not None for bar in found.bars)
    line, held = found.peak
    numbers = {
        "buffers": str(count),
        "values": str(values),
        "workspace": byte_text(found.at(found.workspace)),
        "unshared": byte_text(found.at(found.unshared)),
        "held": byte_text(held),
        "line": str(line),
        "places": str(places),
    }
    english = _MEMORY["en"].format(**numbers)
    korean = _MEMORY["ko"].format(**numbers)
    exact = f"<code>{polynomial(found.workspace)}</code>"
    in_sizes = f'<span class="muted">{both("workspace in bytes")}: {exact}</span>'
    return f'<p><span class="en">{english}</span><span class="ko" lang="ko">{korean}</span> {in_sizes}</p>'


def _rows_left_out(found: BufferMap) -> str:
    left = len(found.rows) - MOST_ROWS
    return _in_both("{} smaller buffers are left out", left) if left > 0 else ""


def _in_both(text: str, *values: object) -> str:
    """A text with values put in, in both languages."""
    english, korean = (escape(word(text, language).format(*values)) for language in LANGUAGES)
    return f'<span class="en">{english}</span><span class="ko" lang="ko">{korean}</span>'


_MEMORY = {
    "en": "{buffers} buffers serve {values} values: {workspace} of workspace, where a buffer for each value would take "
    "{unshared}. Most is held at line {line}: {held}. {places} values are written over one that they read.",
    "ko": "버퍼 {buffers}개가 값 {values}개를 담습니다. 작업 공간: {workspace} (값마다 버퍼를 따로 두면 {unshared}). "
    "최대 사용: {line}번째 줄에서 {held}. 값 {places}개는 읽은 값 위에 바로 기록됩니다.",
}


def _code(found: BufferMap) -> str:
    """The lines of the step, numbered; one that belongs to a node can be chosen."""
    text = found.module.text.splitlines()
    rows = []
    for number in range(found.first, min(found.last, found.first + _MOST_LINES) + 1):
        line = text[number - 1]
        shown = escape(line if len(line) <= _LONGEST_LINE else line[:_LONGEST_LINE] + "…")
        own = ' tabindex="0" role="button"' if number in found.module.nodes else ""
        rows.append(f'<li value="{number}" data-line="{number}"{own}><code>{shown}</code></li>')
    left = found.last - found.first - _MOST_LINES
    more = f'<p class="muted">{both("lines left out")}: {left}</p>' if left > 0 else ""
    return f'<ol class="code">{"".join(rows)}</ol>{more}'


def _data(told: Story, steps: list[Step], found: BufferMap) -> dict[str, Any]:
    """What the scripts need: the nodes that are shown somewhere, the lines of each, bars, where each step belongs."""
    lines = _lines(told, found)
    drawn = [member.id for step in steps if step.svg and step.union for member in step.union.members]
    shown = {int(name[1:]) for name in drawn if name[0] == "n"}
    bars = [[told.ledger.entry_of(b.node), b.first, found.ends[b.node]] for b in found.bars]
    chosen = sorted(shown | set(lines.values()) | {bar[0] for bar in bars if bar[0] is not None})
    born, gone = _births(told)
    final = {told.ledger.entry_of(node) for node in told.final.nodes}
    users = _Users()
    nodes = {i: [*_node(told.ledger.node[i], users), born.get(i), gone.get(i), i in final] for i in chosen}
    named = {born.get(i) for i in chosen} | {gone.get(i) for i in chosen}
    stops = {step.event.number: k for k, step in enumerate(steps) if step.event is not None}
    return {
        "kind": "optimisation",
        "users": list(users.known),
        "nodes": nodes,
        "steps": [[step.chapter, step.number] for step in steps],
        "events": {
            event.number: [event.rule, stops.get(event.number)] for event in told.events if event.number in named
        },
        "lines": lines,
        "bars": bars,
    }


class _Users:
    """Lines of the user's, each kept once."""

    def __init__(self) -> None:
        self.known: dict[tuple[str, str], int] = {}

    def number(self, node: Node) -> int | None:
        """The place of the line behind `node`; None where it is not known."""
        user = user_of(node)
        if user is None:
            return None
        return self.known.setdefault((one_line(str(user)), one_line(user.source())), len(self.known))


def _births(told: Story) -> tuple[dict[int, int], dict[int, int]]:
    """The firing that added each entry, and the one that removed it."""
    born: dict[int, int] = {}
    gone: dict[int, int] = {}
    for event in told.events:
        born.update(dict.fromkeys(event.change.added, event.number))
        gone.update(dict.fromkeys(event.change.removed, event.number))
    return born, gone


def _node(node: Node, users: _Users) -> list[Any]:
    """Label, op, type, and the number of the user's line."""
    return [one_line(node.label, 120), node.op.name, str(node.type), users.number(node)]


def _lines(told: Story, found: BufferMap) -> dict[int, int]:
    """The entry behind each line of the step."""
    lines: dict[int, int] = {}
    for number, node in found.module.nodes.items():
        entry = told.ledger.entry_of(node)
        if found.first < number <= found.first + _MOST_LINES and entry is not None:
            lines[number] = entry
    return lines
