"""The optimisation viewer: the story adds up, the page is whole and offline, and every firing is shown or counted."""

from __future__ import annotations

import re
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pytest

import graphdl as gd
from graphdl import keras
from graphdl.analysis.cost import cost
from graphdl.compile.pipeline import optimise, pipeline
from graphdl.draw.optimisation import words
from graphdl.draw.optimisation.chosen import chosen_steps
from graphdl.draw.optimisation.equation import equation_of
from graphdl.draw.optimisation.ledger import Ledger
from graphdl.draw.optimisation.story import MOST_ALIKE, matter, story
from graphdl.draw.optimisation.textual import passes_text
from graphdl.draw.optimisation.viewer import PACKAGE, optimisation, passes_scene
from graphdl.draw.optimisation.words import keys
from graphdl.draw.page import asset
from graphdl.draw.style import LIGHT
from graphdl.draw.svg import to_svg
from graphdl.errors import DrawError
from graphdl.ir.graph import Graph
from graphdl.rewrite.engine import rewrite
from graphdl.rewrite.rules.algebra import ALGEBRA
from graphdl.rewrite.rules.pooling import POOLING
from graphdl.rewrite.rules.shapes import SHAPES
from graphdl.rewrite.rules.stable import STABILISE, WHERE_SINK
from tests.draw.test_diff import HOSTILE
from tests.rewrite.instances import instances

CLEAN = (*STABILISE, *WHERE_SINK, *ALGEBRA, *SHAPES, *POOLING)


def classifier():
    """Two dense layers and a loss as students type it, with weights."""
    x = gd.placeholder((None, 4), "float64", name="x")
    t = gd.placeholder((None,), "int64", name="t")
    W = gd.Variable(np.linspace(-1, 1, 12).reshape(4, 3), name="W")
    b = gd.Variable(np.zeros(3), name="b")
    V = gd.Variable(np.linspace(1, -1, 6).reshape(3, 2), name="V")
    p = gd.softmax(gd.relu(x @ W + b) @ V)
    return gd.mean(-gd.log(gd.take_along(p, t)))


def network(layers):
    model = keras.Sequential(
        [
            keras.Input((8,)),
            *[keras.layers.Dense(8, activation="relu") for _ in range(layers)],
            keras.layers.Dense(4, activation="softmax"),
        ]
    )
    model.compile("adam", "sparse_categorical_crossentropy")
    return model


def crowd():
    x, y = gd.placeholder((2, 3), "float64", name="x"), gd.placeholder((3,), "float64", name="y")
    p = gd.exp(x) / gd.sum(gd.exp(x), axis=1, keepdims=True)
    z = gd.log(1 + gd.exp(x * 1 + 0)) * gd.log(p) + (1 - gd.sigmoid(y)) - -x
    return Graph({"z": gd.sum(z), "d": gd.gradients(gd.sum(z), x)})


def everything():
    yield "crowd", crowd()
    yield "classifier", matter(classifier()).whole
    yield "network", matter(network(2)).whole
    for name, number, instance in instances():
        if not number:
            yield name, Graph({"y": instance.make(*instance.inputs())})


@pytest.mark.parametrize("graph", [pytest.param(g, id=n) for n, g in everything()])
def test_after_each_firing_the_totals_are_those_of_the_graph_replayed_so_far(graph):
    log = []
    rewrite(graph, CLEAN, log=log)
    ledger = Ledger(graph)
    for k, firing in enumerate(log, start=1):
        change = ledger.fire(firing.before, firing.after)
        replayed = rewrite(graph, CLEAN, limit=k)[0]
        assert change.after.nodes == len(replayed)
        assert change.after.cost == cost(replayed).total


@pytest.mark.parametrize("graph", [pytest.param(g, id=n) for n, g in everything()])
def test_after_each_pass_the_ledger_holds_the_graph_that_the_pass_made(graph):
    done = Graph(graph.outputs, graph.updates, graph.placeholders)
    ledger = Ledger(done)
    for step in pipeline():
        log = []
        done = step.run(done, log)
        for firing in log:
            ledger.fire(firing.before, firing.after)
        ledger.take_over(done)
        assert ledger.total.nodes == len(done) == len(ledger.live)
        assert ledger.total.cost == cost(done).total
        assert {ledger.entry_of(node) for node in done.nodes} == set(ledger.live)


def test_what_stays_keeps_its_number_through_all_passes():
    loss = classifier()
    found = matter(loss)
    told = story(found)
    for name in ("x", "t", "W", "b", "V"):
        assert told.ledger.entry_of(found.whole[name]) == told.ledger.entry_of(found.written[name])


def test_the_story_has_every_firing_of_the_chain_rule_and_of_the_passes():
    found = matter(classifier())
    told = story(found)
    firings = [*found.derivation.firings, *optimise(found.whole).firings]
    assert [(e.rule, e.why, e.label) for e in told.events] == [(f.rule, f.why, f.before.label) for f in firings]
    assert [e.number for e in told.events] == list(range(1, len(firings) + 1))


def test_each_chapter_begins_where_the_last_one_ended():
    told = story(matter(network(1)))
    assert told.chapters[0].before == told.start
    for one, other in zip(told.chapters[:-1], told.chapters[1:], strict=True):
        assert one.after == other.before
    assert told.chapters[-1].after.nodes == len(told.final)


def test_every_firing_is_shown_or_counted_once():
    told = story(matter(network(8)))
    steps = chosen_steps(told, 10**9)
    numbers = [number for step in steps if step.event for number in (step.event.number, *step.more)]
    assert sorted(numbers) == [event.number for event in told.events]
    rules = [step.event.likeness for step in steps if step.event]
    assert all(rules.count(likeness) <= MOST_ALIKE for likeness in rules)
    assert any(step.more for step in steps)


def test_pictures_that_do_not_fit_are_left_out_and_the_page_says_so(monkeypatch):
    import graphdl.draw.optimisation.viewer as viewer

    whole = optimisation(network(3))
    monkeypatch.setattr(viewer, "MOST_PICTURE_BYTES", 20_000)
    page = optimisation(network(3))
    assert page.count("this picture was left out") > 10
    assert len(page) < len(whole) - 50_000


class Reader(HTMLParser):
    """Tags, attributes, and the texts of tables."""

    def __init__(self):
        super().__init__()
        self.tags, self.references, self.handlers = set(), [], []
        self.cells, self.row, self.table = {}, None, None

    def handle_starttag(self, tag, attributes):
        self.tags.add(tag)
        for name, value in attributes:
            if name in ("src", "href", "action", "data", "xlink:href", "srcset"):
                self.references.append(value)
            if name.startswith("on"):
                self.handlers.append(name)


def _page_of_classifier():
    return optimisation(classifier(), title="classifier")


def test_the_page_refers_to_nothing_outside_and_runs_no_handlers():
    for page in (_page_of_classifier(), optimisation(network(1), language="ko", theme="dark")):
        reader = Reader()
        reader.feed(page)
        assert all(reference.startswith("#") for reference in reader.references)
        assert not reader.handlers
        assert not reader.tags & {"iframe", "img", "link", "object", "embed", "base", "form"}
        outside = {found for found in re.findall(r"https?://[^\s\"'<)]+", page) if "w3.org" not in found}
        assert not outside
        assert "default-src 'none'" in page


def test_the_numbers_of_nodes_in_the_page_are_those_of_the_graphs():
    loss = classifier()
    whole = matter(loss).whole
    page = optimisation(loss)
    row = re.search(r'class="totals".*?<tbody><tr>(.*?)</tr>', page, re.S)[1]
    numbers = [int(n.replace(",", "")) for n in re.findall(r">([\d,]+)</span></td>", row)]
    assert numbers == [len(whole), len(optimise(whole).graph)]


def test_the_costs_in_the_page_are_those_of_the_graphs_at_the_sizes_asked_for():
    loss = classifier()
    whole = matter(loss).whole
    flops = [cost(g).total.at({"N": 7}).flops for g in (whole, optimise(whole).graph)]
    page = optimisation(loss, sizes={"N": 7})
    row = re.findall(r"<tr>.*?</tr>", re.search(r'class="totals".*?</table>', page, re.S)[0], re.S)[2]
    assert [int(n.replace(",", "")) for n in re.findall(r">([\d,]+)</span></td>", row)] == flops
    assert "N = 7" in page


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_names_are_text_everywhere(name):
    x = gd.placeholder((3,), "float64", name=name)
    w = gd.Variable(np.ones(3), name=name)
    with gd.name_scope("scope<script>"):
        loss = gd.sum(gd.log(1 + gd.exp(x * w), name=name), name=name)
    page = optimisation(loss, title=name)
    reader = Reader()
    reader.feed(page)
    assert not reader.handlers
    assert page.count("<script") == _page_of_classifier().count("<script")
    assert "\u202e" not in page
    assert len(page) < 400_000


def test_a_deep_network_makes_a_page_below_two_megabytes():
    page = optimisation(network(40))
    assert len(page.encode()) < 2_000_000
    assert "more like this" in page


def test_a_firing_in_the_body_of_a_loop_is_told_and_drawn_by_itself():
    x = gd.placeholder((5, 3), "float64", name="x")
    last, _ = gd.scan(lambda h, row: (gd.tanh(h * 1 + row), gd.exp(h)), gd.zeros(3, "float64"), x)
    told = story(matter(Graph({"y": last})))
    (event,) = (event for event in told.events if event.rule == "times_one")
    assert event.in_loop
    assert event.change.is_nothing
    assert [m.node.op.name for m in event.union.members if m.status == "removed" and m.node.inputs] == ["multiply"]
    assert told.chapters[-1].after.nodes == len(told.final)
    assert "in the body of a loop" in optimisation(Graph({"y": last}))


def test_a_graph_without_a_loss_and_a_graph_with_updates_have_pages():
    x = gd.placeholder((3,), name="x")
    w = gd.Variable(np.ones(3, "f"), name="w")
    assert "<article" in optimisation(Graph({"y": gd.exp(x) * 1}))
    assert "<article" in optimisation(gd.assign(w, w * 2))
    assert "<article" in optimisation([gd.exp(x), x + 1])


def test_a_page_is_written_whole_under_its_name(tmp_path):
    path = gd.draw.optimisation(classifier(), tmp_path / "passes.html")
    assert path.read_text("utf-8").startswith("<!doctype html>")
    with pytest.raises(DrawError, match=r"is no name of a page, expected one that ends in \.html"):
        optimisation(classifier(), tmp_path / "passes.svg")


def test_one_picture_shows_what_all_passes_changed():
    found = matter(classifier())
    svg = to_svg(passes_scene(found, LIGHT))
    after = optimise(found.whole, layout=False).graph
    assert f"{len(found.whole)} → {len(after)}" in svg


@pytest.mark.parametrize(
    ("why", "formula", "rest"),
    [
        ("log(1 + exp x) = softplus x, which is x where exp x overflows.", "log(1 + exp(x)) = softplus(x)", "which is"),
        ("(-x)(-y) = x y.", "(−x) · (−y) = x · y", ""),
        ("x^-1 = 1 / x.", "x^−1 = 1 / x", ""),
        ("x + 0 = x (the sign of a zero apart).", "x + 0 = x", "the sign of a zero apart."),
        (
            "sum(t log softmax z) = -cross-entropy(z, t), whose",
            "sum(t · log(softmax(z))) = −cross_entropy(z, t)",
            "whose",
        ),
        ("where(c, a, 0) b = where(c, a b, 0): a branch", "where(c, a, 0) · b = where(c, a · b, 0)", "a branch"),
        ("Two transposes are one, or none.", "", "Two transposes are one, or none."),
    ],
)
def test_the_equation_of_a_rule_is_read_from_its_docstring(why, formula, rest):
    found = equation_of(why)
    assert found[0] == formula
    assert found[1].startswith(rest)


def test_every_word_of_the_pages_is_there_in_korean():
    """Texts of templates, those asked for in the code, and what the passes say of themselves."""
    known = set(keys())
    folder = Path(words.__file__).parent
    for file in (*folder.glob("*.py"), folder.parent / "diff.py"):
        assert set(re.findall(r'(?:both|word|_in_both)\("([^"]+)"', file.read_text("utf-8"))) <= known
    for name in ("viewer.html", "gallery.html"):
        assert set(re.findall(r"\{\{([^}]+)\}\}", asset(name, PACKAGE))) <= known
    assert {step.what for step in pipeline()} <= known


def test_the_text_twin_adds_and_removes_what_the_passes_do():
    found = matter(classifier())
    text = passes_text(found)
    for part in text.split("\n\n"):
        head, tail = part.splitlines()[:2]
        before, after = (int(re.search(r": (\d+) nodes", line)[1]) for line in (head, tail))
        lines = [line for line in part.splitlines()[2:] if " = " in line and line[:2] in ("- ", "+ ")]
        gone, new = (sum(line[0] == sign for line in lines) for sign in "-+")
        assert after - before == new - gone
    assert "# log_of_softmax x1: log(softmax x) = log_softmax x" in text


def test_in_the_text_twin_a_node_keeps_its_name():
    x = gd.placeholder((3,), name="x")
    y = gd.exp(x) * 1 + gd.exp(x)
    text = passes_text(matter(Graph({"y": y})))
    assert "- multiply: f32[3] = multiply(exp, constant)" in text
    assert "- add: f32[3] = add(multiply, exp_1)" in text
    assert "+ add: f32[3] = add(exp, exp_1)" in text
    assert "+ add: f32[3] = add(exp, exp)" in text
