"""The gallery: every rewrite there is, each fired, each keeping the value."""

from __future__ import annotations

import importlib
import inspect
import pkgutil
import re
import xml.etree.ElementTree as ElementTree

import numpy as np
import pytest

import graphdl as gd
import graphdl.rewrite.passes as rewrite_passes
import graphdl.rewrite.rules as rules_package
from graphdl.compile import fold, loop_passes, pack
from graphdl.draw.optimisation.gallery import exhibits, rules_page
from graphdl.draw.optimisation.words import keys
from graphdl.ir.elementwise import Elementwise
from graphdl.ir.registry import all_ops, lookup
from graphdl.rewrite.engine import Rule
from graphdl.rewrite.rules.shapes import copying_rules
from tests.draw.test_optimisation import Reader

BY_NAME = {exhibit.name: exhibit for exhibit in exhibits()}


def library():
    """Every rule that a module of the rewrite library defines."""
    for module in pkgutil.iter_modules(rules_package.__path__):
        found = importlib.import_module(f"{rules_package.__name__}.{module.name}")
        yield from (value for value in vars(found).values() if isinstance(value, Rule))


def elementwise():
    return [op for _, op in all_ops() if isinstance(op, Elementwise)]


def test_every_rule_of_the_library_is_shown_once():
    assert len(BY_NAME) == len(exhibits())
    named = {rule.name for rule in library()} | {rule.name for rule in copying_rules(elementwise())}
    assert set(BY_NAME) == named | set(passes())


def passes():
    """Passes that rewrite without patterns: functions from a graph and a log to a graph."""
    for module in (rewrite_passes, fold, pack, loop_passes):
        for name, value in vars(module).items():
            is_ours = inspect.isfunction(value) and value.__module__ == module.__name__ and not name.startswith("_")
            if is_ours and list(inspect.signature(value).parameters) == ["graph", "log"]:
                yield name


@pytest.mark.parametrize("name", BY_NAME)
def test_each_rule_fired_and_changed_the_graph(name):
    exhibit = BY_NAME[name]
    assert exhibit.fired.firing.rule == name
    assert exhibit.fired.firing.kind == exhibit.kind
    assert exhibit.fired.firing.after in exhibit.fired.after.nodes or name in ("pack_updates", "drop_unread")
    assert str(exhibit.fired.before) != str(exhibit.fired.after)


@pytest.mark.parametrize("name", [n for n, e in BY_NAME.items() if e.fired.before.outputs])
def test_each_example_has_the_same_value_before_and_after(name):
    found = BY_NAME[name].fired
    random = np.random.default_rng(3)

    def value(node):
        if node.dtype == "bool":
            return random.random(node.shape) > 0.5
        return random.integers(0, 2, node.shape) if node.dtype == "int64" else random.uniform(0.2, 0.8, node.shape)

    feeds = {node: np.asarray(value(node), node.dtype) for node in found.before.placeholders}
    session = gd.Session(level=0, stabilise=False)
    for key, node in found.before.outputs.items():
        kept = {p: v for p, v in feeds.items() if p in found.after.placeholders}
        before, after = session.run(node, feeds), session.run(found.after.outputs[key], kept)
        np.testing.assert_allclose(before, after, rtol=2e-5, atol=1e-6)


def test_rules_made_for_each_op_name_all_ops_for_which_they_can_fire():
    names = {op.name for op in elementwise()}
    assert set(BY_NAME["elementwise_of_copies"].ops) == names
    several = {name for name in names if lookup(name).arity > 1}
    assert set(BY_NAME["implicit_broadcast"].ops) == several


def test_the_page_shows_every_rule_with_its_equation_picture_and_place():
    page = rules_page()
    articles = re.findall(r'<article class="rule.*?</article>', page, re.S)
    assert len(articles) == len(BY_NAME)
    for article, exhibit in zip(articles, exhibits(), strict=True):
        assert f'id="{exhibit.name}"' in article
        assert '<div class="equation"><math' in article or '<p class="why">' in article
        assert re.search(r"graphdl/[a-z_/]+\.py:\d+", article)
        svg = re.search(r"<svg.*?</svg>", article, re.S)[0]
        ElementTree.fromstring(svg)
        assert 'class="badge"' in svg
    reader = Reader()
    reader.feed(page)
    assert all(reference.startswith("#") for reference in reader.references)
    assert len(page.encode()) < 2_000_000


def test_the_page_can_begin_in_korean_and_in_the_dark():
    page = rules_page(theme="dark", language="ko")
    assert '<html lang="ko" data-theme="dark">' in page
    assert "변환 규칙" in page
    assert {e.section for e in exhibits()} <= set(keys())
