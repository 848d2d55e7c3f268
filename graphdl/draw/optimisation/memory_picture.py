"""The buffer map as a picture: a row a buffer, a bar a value, lines of the program from left to right."""

from __future__ import annotations

from graphdl.analysis.table import dim_text
from graphdl.draw.optimisation.buffers import Bar, BufferMap, Row
from graphdl.draw.optimisation.words import Language, word
from graphdl.draw.paths import straight, with_corners
from graphdl.draw.scene import Box, Curve, Group, Label, Mark, Point, Polygon, Scene
from graphdl.draw.style import SMALL_SIZE, Theme, fitted, one_line, text_width
from graphdl.ir.origin import forward_of

# Rows that are shown; the largest come first where there are more.
MOST_ROWS = 60
_WIDEST, _NARROWEST, _WIDTH = 56.0, 2.5, 860.0
_ROW = 20.0
_BAR = 15.0
_GUTTER = 190.0
_CHART = 56.0
_MARGIN = 14.0
_TOP = 34.0
_UNITS = ("B", "KB", "MB", "GB", "TB")


def column(found: BufferMap) -> float:
    """Points that one line of the program takes."""
    lines = max(found.last - found.first, 1)
    return min(max(_WIDTH / lines, _NARROWEST), _WIDEST)


def memory_scene(found: BufferMap, theme: Theme, language: Language = "en", words: bool = True) -> Scene:
    """Live bytes on top, below them the buffers with the values they hold, then variables written in place.

    Without `words` it has no key and names nothing, so that it is in no language.
    """
    rows = _shown_rows(found)
    height = _TOP + _CHART + 14 + _ROW * len(rows)
    groups = [_chart(found, theme, language, words), _peak(found, height, theme, language, words)]
    groups += [_name(found, found.rows[row], i, theme) for i, row in enumerate(rows)]
    place = {row: i for i, row in enumerate(rows)}
    groups += [_bar(found, k, bar, place[bar.row], theme) for k, bar in enumerate(found.bars) if bar.row in place]
    axis, bottom = _axis(found, height, theme, language, words), height + 14
    if words:
        key, bottom = _key(found, len(rows), bottom, theme, language)
        groups.append(key)
    width = _x(found, found.last + 1) + _MARGIN
    return Scene(width, bottom + _MARGIN, theme.background, word("buffer map", language), (axis, *groups))


def _shown_rows(found: BufferMap) -> list[int]:
    """All rows, or the largest, in the order of the plan."""
    order = range(len(found.rows))
    largest = sorted(order, key=lambda i: -found.at(found.rows[i].bytes))[:MOST_ROWS]
    return sorted(largest)


def _x(found: BufferMap, line: float) -> float:
    """The left edge of a line's column."""
    return _GUTTER + (line - found.first - 1) * column(found)


def _y(place: int) -> float:
    """The middle of a row."""
    return _TOP + _CHART + 14 + _ROW * (place + 0.5)


def _chart(found: BufferMap, theme: Theme, language: Language, words: bool) -> Group:
    """Bytes of the workspace that hold something, line for line, as steps."""
    floor = _TOP + _CHART
    most = max(found.at(found.workspace), 1)
    outline: list[Point] = [(_x(found, found.first + 1), floor)]
    for line, held in found.live.items():
        y = floor - _CHART * held / most
        outline += [(_x(found, line), y), (_x(found, line + 1), y)]
    outline.append((_x(found, found.last + 1), floor))
    marks: list[Mark] = [
        Polygon(tuple(outline), theme.look("placeholder").fill, part="live"),
        Curve(with_corners(outline), theme.value, 1.4, part="outline"),
        Label(_GUTTER - 10, floor - _CHART + 9, byte_text(most), SMALL_SIZE, theme.muted, anchor="end"),
        Label(_GUTTER - 10, floor - 1, "0", SMALL_SIZE, theme.muted, anchor="end"),
        Curve(straight((_GUTTER, floor - _CHART), (_x(found, found.last + 1), floor - _CHART)), theme.muted, 0.6, True),
    ]
    if words:
        name = word("held at each line", language)
        marks.append(Label(_MARGIN, floor - _CHART / 2 + 3, name, SMALL_SIZE, theme.muted, anchor="start"))
    return Group("live", "live", word("held at each line", language), tuple(marks))


def _peak(found: BufferMap, height: float, theme: Theme, language: Language, words: bool) -> Group:
    """An upright line where most is held."""
    line, held = found.peak
    x = _x(found, line + 0.5)
    text = f"{word('most at once', language)}: {byte_text(held)}, {word('line', language)} {line}"
    shown = text if words else f"{byte_text(held)} ({line})"
    wide = text_width(shown, SMALL_SIZE, bold=True) / 2
    at = min(max(x, _GUTTER + wide), max(_x(found, found.last + 1) - wide, _GUTTER + wide))
    marks: tuple[Mark, ...] = (
        Curve(straight((x, _TOP - 6), (x, height)), theme.gradient, 1.4, True, part="peak"),
        Label(at, _TOP - 12, shown, SMALL_SIZE, theme.gradient, bold=True, halo=theme.background),
    )
    return Group("peak", "peak", text, marks)


def _name(found: BufferMap, row: Row, place: int, theme: Theme) -> Group:
    y = _y(place) + 3.5
    left = fitted(one_line(row.name), 96, SMALL_SIZE, bold=True)
    size = byte_text(found.at(row.bytes))
    marks: tuple[Mark, ...] = (
        Label(_MARGIN, y, left, SMALL_SIZE, theme.local, bold=True, anchor="start", part="name"),
        Label(_GUTTER - 10, y, size, SMALL_SIZE, theme.muted, anchor="end", part="size"),
        Curve(straight((_GUTTER, y + 6.5), (_x(found, found.last + 1), y + 6.5)), theme.muted, 0.25),
    )
    text = f"{one_line(row.name)}: {row.what}, {dim_text(row.bytes)} bytes"
    return Group(f"row{place}", "row", text, marks)


def _bar(found: BufferMap, number: int, bar: Bar, place: int, theme: Theme) -> Group:
    left, right = _x(found, bar.first), _x(found, found.ends[bar.node] + 1)
    y, width = _y(place), max(right - left - 1, 2.0)
    kind = "variable" if found.rows[bar.row].is_variable else _kind(bar)
    look = theme.look(kind)
    stroke = theme.value if kind == "op" else look.stroke
    fill = theme.look("placeholder").fill if kind == "op" else look.fill
    marks: list[Mark] = [Box(left + width / 2, y, width, _BAR, fill, stroke, 1.0, 3)]
    if bar.over is not None:
        tip = (left + 6.5, y)
        marks.append(Polygon(((left, y - _BAR / 2), tip, (left, y + _BAR / 2)), stroke, part="in-place"))
    room = width - (10 if bar.over is not None else 4)
    text = fitted(one_line(bar.node.label), room, SMALL_SIZE - 0.5)
    if len(text) > 2:
        start = left + (8 if bar.over is not None else 3)
        marks.append(Label(start, y + 3.4, text, SMALL_SIZE - 0.5, look.text, anchor="start", part="value"))
    return Group(f"m{number}", f"bar {kind}", _spoken(found, bar), tuple(marks))


def _kind(bar: Bar) -> str:
    return "gradient" if forward_of(bar.node) is not None else "op"


def _spoken(found: BufferMap, bar: Bar) -> str:
    row = found.rows[bar.row]
    over = f", over {one_line(bar.over.label)}" if bar.over is not None else ""
    lines = f"lines {bar.first} to {found.ends[bar.node]}"
    return f"{one_line(bar.node.label)}: {bar.node.type} in {one_line(row.name)}, {lines}{over}"


def _axis(found: BufferMap, height: float, theme: Theme, language: Language, words: bool) -> Group:
    """Numbers of lines below the rows."""
    every = next(n for n in (1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 10**9) if n * column(found) > 28)
    lines = [n for n in range(found.first + 1, found.last + 1) if n % every == 0]
    marks: list[Mark] = [
        Curve(straight((_x(found, n + 0.5), _TOP), (_x(found, n + 0.5), height)), theme.muted, 0.25) for n in lines
    ]
    marks += [Label(_x(found, n + 0.5), height + 12, str(n), SMALL_SIZE, theme.muted) for n in lines]
    name = word("line of the program", language)
    if words:
        marks.append(Label(_GUTTER - 10, height + 12, name, SMALL_SIZE, theme.muted, anchor="end"))
    return Group("axis", "axis", name, tuple(marks))


def _key(found: BufferMap, rows: int, y: float, theme: Theme, language: Language) -> tuple[Group, float]:
    """What the colours of the bars mean, the mark of writing in place, and what is left out."""
    kinds = list(dict.fromkeys("variable" if found.rows[b.row].is_variable else _kind(b) for b in found.bars))
    names = {
        "op": "value",
        "gradient": "value of the backward pass",
        "variable": "new value, written into its variable",
    }
    marks: list[Mark] = []
    x, y = _MARGIN, y + 16
    for kind in kinds:
        look = theme.look(kind)
        fill, stroke = (theme.look("placeholder").fill, theme.value) if kind == "op" else (look.fill, look.stroke)
        marks.append(Box(x + 11, y, 22, 11, fill, stroke, 1.0, 3))
        x = _said(marks, x + 27, y, word(names[kind], language), theme)
    if any(bar.over is not None for bar in found.bars):
        marks.append(Polygon(((x, y - 6), (x + 6, y), (x, y + 6)), theme.value))
        x = _said(marks, x + 11, y, word("written over the value it reads", language), theme)
    if rows < len(found.rows):
        y += 17
        text = word("{} smaller buffers are left out", language).format(len(found.rows) - rows)
        marks.append(Label(_MARGIN, y + 3.5, text, SMALL_SIZE, theme.muted, anchor="start", part="note"))
    return Group("key", "legend", word("key", language), tuple(marks)), y + 6


def _said(marks: list[Mark], x: float, y: float, text: str, theme: Theme) -> float:
    marks.append(Label(x, y + 3.5, text, SMALL_SIZE, theme.muted, anchor="start"))
    return x + text_width(text, SMALL_SIZE) + 16


def byte_text(count: int) -> str:
    """A number of bytes as people read it.

    >>> byte_text(512), byte_text(20480), byte_text(3_500_000)
    ('512 B', '20 KB', '3.34 MB')
    """
    if abs(count) < 1024:
        return f"{count} B"
    power = next((p for p in (1, 2, 3) if abs(count) < 1000 * 1024**p), 4)
    return f"{count / 1024**power:.3g} {_UNITS[power]}"
