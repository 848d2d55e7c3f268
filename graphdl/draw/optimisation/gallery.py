"""The gallery of rules: every rewrite there is, each really fired on a small graph made from its own pattern."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from html import escape
from pathlib import Path
from typing import Any

import graphdl
from graphdl.compile.fold import fold_constants
from graphdl.compile.loop_passes import drop_unread
from graphdl.compile.pack import pack_updates
from graphdl.draw.diff import union_scenes
from graphdl.draw.optimisation.equation import equation_html
from graphdl.draw.optimisation.ledger import Change, Ledger
from graphdl.draw.optimisation.samples import (
    Fired,
    fired,
    foldable,
    half_read_loop,
    many_summands,
    repeated,
    two_updates,
)
from graphdl.draw.optimisation.union import union
from graphdl.draw.optimisation.viewer import PACKAGE, filled
from graphdl.draw.optimisation.words import both
from graphdl.draw.page import asset, html_page
from graphdl.draw.style import theme_css, variables_theme
from graphdl.draw.svg import to_svg
from graphdl.ir.elementwise import Elementwise
from graphdl.ir.graph import Graph
from graphdl.ir.registry import all_ops
from graphdl.rewrite.engine import Firing, Rule
from graphdl.rewrite.passes import accumulate, merge_equal
from graphdl.rewrite.rules.algebra import ALGEBRA
from graphdl.rewrite.rules.pooling import POOLING
from graphdl.rewrite.rules.shapes import FUSE, SHAPES, copying_rules
from graphdl.rewrite.rules.stable import STABILISE, WHERE_SINK

_HOME = Path(graphdl.__file__).parent.parent


@dataclass(frozen=True)
class Exhibit:
    """One rewrite: its name and kind, the first line of its docstring and the rest, its source, and a firing of it.

    `ops` names the ops it is made for, where there is one such rule for each of many.
    """

    section: str
    name: str
    kind: str
    why: str
    more: str
    where: str
    source: str
    fired: Fired
    ops: tuple[str, ...] = ()


def rules_page(theme: str = "auto", language: str = "en") -> str:
    """The gallery as one offline HTML file; themes and languages are those of the other pages."""
    shown = exhibits()
    pictures = _pictures(shown)
    sections = list(dict.fromkeys(exhibit.section for exhibit in shown))
    parts = {
        "count": str(len(shown)),
        "contents": "".join(_contents(section, shown) for section in sections),
        "sections": "\n".join(_section(section, shown, pictures) for section in sections),
    }
    return html_page(
        title="graphdl: rewrite rules",
        language=language,
        styles=[theme_css(), asset("viewer.css", PACKAGE), asset("gallery.css", PACKAGE)],
        scripts=[asset("gallery.js", PACKAGE)],
        body=filled(asset("gallery.html", PACKAGE), parts),
        data={"kind": "gallery"},
        theme=theme,
    )


@cache
def exhibits() -> tuple[Exhibit, ...]:
    """Every rule and every pass that rewrites without patterns, in the order of the pipeline."""
    return (
        *_of_rules("stabilise", STABILISE),
        *_of_rules("where", WHERE_SINK),
        *_of_rules("algebra", ALGEBRA),
        *_of_rules("shapes", SHAPES),
        *_of_rules("pooling", POOLING),
        *_of_rules("fuse", FUSE),
        *_of_families("fuse", copying_rules([op for _, op in all_ops() if isinstance(op, Elementwise)])),
        *map(_of_pass, _PASSES),
    )


def _of_rules(section: str, rules: Iterable[Rule]) -> Iterator[Exhibit]:
    for rule in rules:
        found = fired(rule)
        assert found is not None, f"no graph was found in which {rule.name} fires"
        yield _exhibit(section, rule, found)


def _of_families(section: str, rules: Iterable[Rule]) -> Iterator[Exhibit]:
    """Rules of one name, one for each op: the first that fires, and the names of all ops for which it does."""
    families: dict[str, list[tuple[Rule, Fired]]] = {}
    for rule in rules:
        found = fired(rule)
        if found is not None:
            families.setdefault(rule.name, []).append((rule, found))
    for several in families.values():
        ops = tuple(sorted(pattern.op_name for rule, _ in several for pattern in rule.patterns))
        rule, found = next((pair for pair in several if pair[0].patterns[0].op_name == "add"), several[0])
        yield _exhibit(section, rule, found, ops)


def _exhibit(section: str, rule: Rule, found: Fired, ops: tuple[str, ...] = ()) -> Exhibit:
    _, _, more = (inspect.getdoc(rule.build) or "").partition("\n")
    return Exhibit(
        section, rule.name, rule.kind, rule.why, more.strip(), _where(rule.build), _source(rule.build), found, ops
    )


Pass = Callable[[Graph, list[Firing]], Graph]
_PASSES: tuple[tuple[Pass, Callable[[], Graph]], ...] = (
    (fold_constants, foldable),
    (merge_equal, repeated),
    (drop_unread, half_read_loop),
    (accumulate, many_summands),
    (pack_updates, two_updates),
)


def _of_pass(pair: tuple[Pass, Callable[[], Graph]]) -> Exhibit:
    run, sample = pair
    log: list[Firing] = []
    before = sample()
    after = run(before, log)
    firing = log[0]
    more = inspect.getdoc(run) or ""
    return Exhibit("passes", run.__name__, firing.kind, firing.why, more, _where(run), "", Fired(before, after, firing))


def _where(function: Any) -> str:
    """The file and line at which a rule is defined."""
    path = Path(inspect.getsourcefile(function) or "")
    _, line = inspect.getsourcelines(function)
    return f"{path.relative_to(_HOME).as_posix() if path.is_relative_to(_HOME) else path.name}:{line}"


def _source(function: Any) -> str:
    return inspect.getsource(function).rstrip()


def _contents(section: str, shown: Iterable[Exhibit]) -> str:
    links = "".join(
        f'<li><a href="#{exhibit.name}">{escape(exhibit.name)}</a></li>'
        for exhibit in shown
        if exhibit.section == section
    )
    return f"<li><b>{both(section)}</b><ul>{links}</ul></li>"


def _section(section: str, shown: Iterable[Exhibit], pictures: Mapping[str, str]) -> str:
    cards = "\n".join(_card(exhibit, pictures[exhibit.name]) for exhibit in shown if exhibit.section == section)
    head = f'<h2>{both(section)}</h2><p class="muted">{both(_SECTIONS[section])}</p>'
    return f'<section class="rules-of">{head}{cards}</section>'


_SECTIONS = {
    "stabilise": "always: right where the formula as typed is not",
    "where": "always: a branch that is not chosen never meets infinity",
    "algebra": "from level 1: what the chain rule leaves behind",
    "shapes": "from level 1: plumbing that cancels",
    "pooling": "from level 1: the largest of a window is found first",
    "fuse": "from level 2: fewer passes over memory, the same bits",
    "passes": "rewrites that are more than a pattern",
}


def _pictures(shown: Iterable[Exhibit]) -> dict[str, str]:
    """The picture of each exhibit, by its name."""
    drawn = [(exhibit.name, union(*_changed(exhibit.fired), whole=True), exhibit.why) for exhibit in shown]
    scenes = union_scenes([(found, f"{name}: {why}") for name, found, why in drawn], variables_theme())
    return {name: to_svg(scene) for (name, _, _), scene in zip(drawn, scenes, strict=True)}


def _changed(found: Fired) -> tuple[Ledger, Change]:
    """The firing in a ledger; a pass that changes more than what it names is taken over whole."""
    ledger = Ledger(found.before)
    if found.firing.rule in (pack_updates.__name__, drop_unread.__name__):
        return ledger, ledger.take_over(found.after)
    return ledger, ledger.fire(found.firing.before, found.firing.after)


def _card(exhibit: Exhibit, svg: str) -> str:
    saved = len(exhibit.fired.before), len(exhibit.fired.after)
    source = f"<pre>{escape(exhibit.source)}</pre>" if exhibit.source else ""
    shown = f"<details><summary><code>{escape(exhibit.where)}</code></summary>{source}</details>"
    parts = [
        f'<h3><code>{escape(exhibit.name)}</code> <span class="kind">{both(exhibit.kind)}</span></h3>',
        equation_html(exhibit.why),
        f'<p class="muted">{escape(exhibit.more)}</p>' if exhibit.more else "",
        _family(exhibit.ops),
        f'<p class="muted small">{saved[0]} → {saved[1]} {both("nodes")}</p>',
        shown if source else f"<p><code>{escape(exhibit.where)}</code></p>",
    ]
    words = f'<div class="words">{"".join(parts)}</div>'
    return (
        f'<article class="rule step current" id="{escape(exhibit.name)}">{words}'
        f'<div class="picture" tabindex="0">{svg}</div></article>'
    )


def _family(ops: tuple[str, ...]) -> str:
    if not ops:
        return ""
    names = ", ".join(ops)
    return f'<p class="small">{both("one such rule for each of")} <code>{escape(names)}</code></p>'
