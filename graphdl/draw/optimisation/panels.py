"""The panels of the optimisation viewer as HTML: totals, the stops of the story, the table of passes, the chart."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from html import escape

from graphdl.analysis.table import dim_text
from graphdl.draw.diff import notes
from graphdl.draw.optimisation.chosen import Step
from graphdl.draw.optimisation.equation import equation_html
from graphdl.draw.optimisation.ledger import Change, Totals
from graphdl.draw.optimisation.memory_picture import byte_text
from graphdl.draw.optimisation.story import Chapter, Event, Story
from graphdl.draw.optimisation.union import Union
from graphdl.draw.optimisation.words import LANGUAGES, both, word
from graphdl.draw.style import one_line
from graphdl.ir.dim import Dim, evaluate

_CHART_WIDTH, _CHART_HEIGHT = 900, 90
_MOST_POINTS = 600
_LONGEST_POLYNOMIAL = 60


@dataclass(frozen=True)
class Amounts:
    """Costs in plain numbers at these sizes, and as polynomials where they are short."""

    sizes: Mapping[str, int]

    def bytes(self, totals: Totals) -> Dim:
        """Bytes read and written."""
        return totals.cost.read + totals.cost.written

    def three(self, totals: Totals) -> tuple[Dim, Dim, Dim]:
        """Nodes, operations, bytes."""
        return totals.nodes, totals.cost.flops, self.bytes(totals)

    def at(self, dim: Dim) -> int:
        """`dim` in plain numbers."""
        return evaluate(dim, self.sizes)

    def text(self, dim: Dim, unit: str = "") -> str:
        """A number as a cell shows it, with the polynomial to point at."""
        number = self.at(dim)
        shown = byte_text(number) if unit == "bytes" else f"{number:,}"
        return f'<span class="number" title="{polynomial(dim)}">{escape(shown.replace("-", "−"))}</span>'

    def saved(self, before: Dim, after: Dim, unit: str = "") -> str:
        """The difference, with its sign; a dash where there is none."""
        difference = after - before
        number = self.at(difference)
        if difference == 0:
            return '<span class="muted">—</span>'
        sign, way = ("+", "more") if number > 0 else ("−", "less")
        shown = byte_text(abs(number)) if unit == "bytes" else f"{abs(number):,}"
        exact = polynomial(difference)
        is_shown = not isinstance(difference, int) and len(exact) <= _LONGEST_POLYNOMIAL
        symbolic = f" <small>{exact}</small>" if is_shown else ""
        return f'<span class="number {way}" title="{exact}">{sign}{escape(shown)}</span>{symbolic}'


def polynomial(dim: Dim) -> str:
    """A size as mathematics writes it, escaped: ``128·N + 4``."""
    return escape(dim_text(dim).replace("*", "·").replace("-", "−"))


_UNITS = (("nodes", ""), ("FLOPs", ""), ("bytes moved", "bytes"))


def totals_table(told: Story, amounts: Amounts) -> str:
    """Nodes, operations and bytes at the beginning of the passes, at their end, and what they saved."""
    start = next((c.after for c in told.chapters if c.name == "chain rule"), told.start)
    end = told.chapters[-1].after if told.chapters else told.start
    rows = []
    for (name, unit), before, after in zip(_UNITS, amounts.three(start), amounts.three(end), strict=True):
        share = _share(amounts.at(before), amounts.at(after))
        cells = f"<td>{amounts.text(before, unit)}</td><td>{amounts.text(after, unit)}</td>"
        rows.append(f'<tr><th scope="row">{both(name)}</th>{cells}<td>{share}</td></tr>')
    head = "".join(f'<th scope="col">{both(name)}</th>' for name in ("before the passes", "after them", "change"))
    return f'<table class="totals"><thead><tr><td></td>{head}</tr></thead><tbody>{"".join(rows)}</tbody></table>'


def _share(before: int, after: int) -> str:
    if not before or before == after:
        return "—"
    part = (after - before) / before
    way = "less" if part < 0 else "more"
    return f'<span class="{way}">{"−" if part < 0 else "+"}{abs(part):.1%}</span>'


def step_panel(told: Story, step: Step, amounts: Amounts, number: int) -> str:
    """One stop of the story as an article."""
    chapter = told.chapters[step.chapter]
    event = step.event
    told_by = _event_words(told, step, event, amounts) if event else _chapter_words(told, chapter, amounts)
    picture = _picture(step) or _no_picture(chapter, step)
    return f'<article class="step" id="step-{number}" data-index="{number}">{told_by}{picture}</article>'


def _event_words(told: Story, step: Step, event: Event, amounts: Amounts) -> str:
    total = len(told.events)
    chapter = told.chapters[step.chapter]
    where = f"{both('firing')} {event.number} / {total} · {escape(chapter.name)}"
    kind = f'<span class="kind {event.kind}" title="{escape(word(event.kind, "en"))}">{both(event.kind)}</span>'
    parts = [
        f'<p class="where">{where}</p><h2><code>{escape(event.rule)}</code> {kind}</h2>',
        equation_html(event.why),
        _written(event),
        f'<p class="muted">{both("in the body of a loop, which counts as one node here")}</p>' if event.in_loop else "",
        savings(event.change, told, amounts),
        _more(step),
    ]
    return f'<div class="words">{"".join(parts)}</div>'


def _written(event: Event) -> str:
    at, source = event.written
    line = f" <code>{escape(one_line(source, 120))}</code>" if source else ""
    by = f"<br>{both('written at')} <b>{escape(one_line(at))}</b>{line}" if at else ""
    return f'<p class="at">{both("at")} <code>{escape(one_line(event.label, 80))}</code>{by}</p>'


def savings(change: Change, told: Story, amounts: Amounts) -> str:
    """What one rewrite saved, and what all did up to here."""
    start = next((c.after for c in told.chapters if c.name == "chain rule"), told.start)
    return _savings_table(change.before, change.after, start, amounts)


def _savings_table(before: Totals, after: Totals, start: Totals, amounts: Amounts) -> str:
    rows = []
    for (name, unit), was, now in zip(_UNITS, amounts.three(before), amounts.three(after), strict=True):
        cells = f"<td>{amounts.text(was, unit)}</td><td>{amounts.text(now, unit)}</td>"
        rows.append(f'<tr><th scope="row">{both(name)}</th>{cells}<td>{amounts.saved(was, now, unit)}</td></tr>')
    head = "".join(f'<th scope="col">{both(name)}</th>' for name in ("before", "after", "change"))
    return f'<table class="savings"><thead><tr><td></td>{head}</tr></thead><tbody>{"".join(rows)}</tbody></table>'


def _more(step: Step) -> str:
    """Firings like this one that the page leaves out."""
    if not step.more:
        return ""
    numbers = ", ".join(map(str, step.named)) + (", …" if len(step.more) > len(step.named) else "")
    count = len(step.more)
    english = f"×{count} more like this: firings {numbers}" if count > 1 else f"1 more like this: firing {numbers}"
    korean = f"같은 변환이 {count}번 더 있음: {numbers}번째"
    return f'<p class="more"><span class="en">{english}</span><span class="ko" lang="ko">{korean}</span></p>'


def _chapter_words(told: Story, chapter: Chapter, amounts: Amounts) -> str:
    rules: dict[str, int] = {}
    for event in chapter.events:
        rules[event.rule] = rules.get(event.rule, 0) + 1
    counted = "".join(f"<li><code>{escape(rule)}</code> ×{count}</li>" for rule, count in rules.items())
    fired = f'<ul class="rules">{counted}</ul>' if counted else f'<p class="muted">{both("no rule fired")}</p>'
    rest = ""
    if chapter.rest is not None and chapter.name != "chain rule":
        rest = f"<p>{both(_rest_words(chapter.rest))}</p>"
    parts = [
        f'<p class="where">{both("pass")} · {len(chapter.events)} {both("firings")}</p>',
        f"<h2>{escape(chapter.name)}</h2><p>{both(chapter.what)}</p>",
        "" if chapter.name == "chain rule" else fired,
        rest,
        _savings_table(chapter.before, chapter.after, told.start, amounts),
    ]
    return f'<div class="words">{"".join(parts)}</div>'


def _rest_words(rest: Change) -> str:
    """What a pass did beside its firings: constants and sizes that are equal are kept once."""
    return "besides, equal constants and sizes are kept once" if rest.removed and not rest.added else "besides firings"


def _picture(step: Step) -> str:
    if step.svg:
        return f'<div class="drawn"><div class="picture" tabindex="0">{step.svg}</div>{_notes(step.union)}</div>'
    if step.union is not None:
        return f'<p class="muted none">{both("this picture was left out to keep the page small")}</p>'
    return ""


def _no_picture(chapter: Chapter, step: Step) -> str:
    """Why a pass that changed something has no picture of its own."""
    if step.event is not None or chapter.rest is None:
        return ""
    return (
        f'<p class="muted none">{both("no picture: so many new nodes are better seen in the views of the graph")}</p>'
    )


def _notes(union: Union | None) -> str:
    """What the picture leaves out, in both languages."""
    if union is None:
        return ""
    english, korean = (" · ".join(notes(union, language)) for language in LANGUAGES)
    if not english:
        return ""
    return f'<p class="muted small"><span class="en">{english}</span><span class="ko" lang="ko">{korean}</span></p>'


def passes_table(told: Story, steps: Sequence[Step], amounts: Amounts) -> str:
    """Every pass in a row, for readers and for print."""
    rows = []
    for i, chapter in enumerate(told.chapters):
        first = next(k for k, step in enumerate(steps) if step.chapter == i)
        cells = "".join(
            f"<td>{amounts.saved(was, now, unit)}</td>"
            for (_, unit), was, now in zip(
                _UNITS, amounts.three(chapter.before), amounts.three(chapter.after), strict=True
            )
        )
        rows.append(
            f'<tr><th scope="row"><a href="#s={first}" data-step="{first}">{escape(chapter.name)}</a></th>'
            f"<td>{both(chapter.what)}</td><td>{len(chapter.events)}</td><td>{chapter.after.nodes}</td>{cells}</tr>"
        )
    names = ("pass", "what it does", "firings", "nodes after it", "nodes", "FLOPs", "bytes moved")
    head = "".join(f'<th scope="col">{both(name)}</th>' for name in names)
    return f'<table class="passes"><thead><tr>{head}</tr></thead><tbody>{"".join(rows)}</tbody></table>'


def chart(told: Story, amounts: Amounts) -> str:
    """Nodes after each firing as a line of steps; chapters without firings move it, too."""
    heights = _heights(told)
    most = max((nodes for _, nodes in heights), default=1)
    last = max(len(told.events), 1)

    def point(number: int, nodes: int) -> tuple[float, float]:
        return number / last * _CHART_WIDTH, _CHART_HEIGHT - nodes / most * (_CHART_HEIGHT - 12)

    path = ""
    for k, (number, nodes) in enumerate(heights):
        x, y = point(number, nodes)
        path += f"M{x:.1f},{y:.1f}" if not k else f"H{x:.1f}V{y:.1f}"
    title = both("nodes after each firing")
    return (
        f'<figure class="chart"><figcaption class="muted">{title} ({heights[0][1]} → {heights[-1][1]})</figcaption>'
        f'<svg viewBox="0 0 {_CHART_WIDTH} {_CHART_HEIGHT}" preserveAspectRatio="none" aria-hidden="true" '
        f'data-last="{last}"><path d="{path}"/><line id="mark" x1="0" x2="0" y1="0" y2="{_CHART_HEIGHT}"/></svg>'
        "</figure>"
    )


def _heights(told: Story) -> list[tuple[int, int]]:
    """Firing by firing the number of nodes, thinned out where there are very many."""
    found = [(0, told.start.nodes)]
    number = 0
    for chapter in told.chapters:
        for event in chapter.events:
            number = event.number
            found.append((number, event.change.after.nodes))
        if found[-1][1] != chapter.after.nodes:
            found.append((number, chapter.after.nodes))
    every = max(len(found) // _MOST_POINTS, 1)
    return [*found[:-1:every], found[-1]]
