"""The diff picture: what stays stays in its place, what changed has a badge, what is left out is counted."""

from __future__ import annotations

import xml.etree.ElementTree as ElementTree

import numpy as np
import pytest

import graphdl as gd
from graphdl.compile.pipeline import optimise
from graphdl.draw.diff import BADGES, diff
from graphdl.draw.optimisation.ledger import Ledger
from graphdl.draw.optimisation.union import union
from graphdl.draw.style import DARK, LIGHT, THEMES
from graphdl.draw.svg import to_svg
from graphdl.ir.graph import Graph
from graphdl.rewrite.engine import rewrite
from graphdl.rewrite.rules.algebra import ALGEBRA
from graphdl.rewrite.rules.pooling import POOLING
from graphdl.rewrite.rules.shapes import FUSE, SHAPES
from graphdl.rewrite.rules.stable import STABILISE, WHERE_SINK
from tests.draw.pictures import read
from tests.rewrite.instances import instances

RULES = {r.name: r for r in (*STABILISE, *WHERE_SINK, *ALGEBRA, *SHAPES, *POOLING, *FUSE)}
INSTANCES = [pytest.param(name, i, id=f"{name}-{number}") for name, number, i in instances()]
SVG = "{http://www.w3.org/2000/svg}"


def softened():
    x = gd.placeholder((None, 3), name="x")
    y = gd.placeholder((None, 3), name="y")
    z = gd.log(1 + gd.exp(x), name="softened") * 1 * y - -x
    return Graph({"total": gd.sum(z)})


def places(scene):
    """Where each node and wire of a picture is, by its id without the picture's prefix."""
    found = {}
    for group in ElementTree.fromstring(to_svg(scene)).findall(f"{SVG}g"):
        name = group.get("id", "").partition("-")[2]
        if name != "key":
            found[name] = [(m.get("x"), m.get("y"), m.get("d")) for m in group if m.tag in (f"{SVG}rect", f"{SVG}path")]
    return found


def changed(before, after):
    ledger = Ledger(before)
    return ledger, ledger.take_over(after)


def test_what_is_unchanged_stands_in_the_same_place_before_and_after():
    before = softened()
    after = optimise(before).graph
    frames = {show: places(diff(before, after, LIGHT, show=show)) for show in ("before", "both", "after")}
    assert set(frames["before"]) < set(frames["both"]) > set(frames["after"])
    assert set(frames["before"]) | set(frames["after"]) == set(frames["both"])
    for frame in frames.values():
        for name, place in frame.items():
            assert place == frames["both"][name]


def test_each_frame_has_the_nodes_of_its_graph():
    before = softened()
    after = optimise(before).graph
    for show, graph in (("before", before), ("after", after)):
        shown = read(to_svg(diff(before, after, LIGHT, show=show)))
        assert sum(name[0] == "n" and "-" not in name for name in shown) == len(graph)


@pytest.mark.parametrize(("name", "instance"), INSTANCES)
def test_the_union_has_every_node_and_every_wire_of_both_graphs(name, instance):
    before = Graph({"y": instance.make(*instance.inputs())})
    after = rewrite(before, [RULES[name]])[0]
    found = union(*changed(before, after), most=1000, whole=True)
    counts = {s: sum(m.status == s and m.node is not None for m in found.members) for s in ("same", *BADGES)}
    assert counts["same"] + counts["rewired"] + counts["removed"] == len(before)
    assert counts["same"] + counts["rewired"] + counts["added"] == len(after)
    wires = {s: sum(w.status == s and w.target[0] == "n" for w in found.wires) for s in ("same", "removed", "added")}
    assert wires["same"] + wires["removed"] == sum(len(node.inputs) for node in before.nodes)
    assert wires["same"] + wires["added"] == sum(len(node.inputs) for node in after.nodes)
    assert found.changed


@pytest.mark.parametrize(("name", "instance"), INSTANCES[::5])
def test_every_changed_node_has_its_badge_and_no_other_has_one(name, instance):
    before = Graph({"y": instance.make(*instance.inputs())})
    after = rewrite(before, [RULES[name]])[0]
    _, change = changed(before, after)
    signs = {f"n{i}": "−" for i in change.removed}
    signs |= {f"n{i}": "+" for i in change.added} | {f"n{i}": "~" for i in change.rewired}
    shown = read(to_svg(diff(before, after, LIGHT)))
    nodes = {i: s for i, s in shown.items() if "node" in s.classes and i[0] == "n"}
    assert {i: s.text("sign") for i, s in nodes.items() if s.text("sign")} == signs
    assert all(("strike" in s.parts) is (signs.get(i) == "−") for i, s in nodes.items())


def test_a_rewrite_that_only_moves_an_output_marks_the_output():
    x = gd.placeholder((3,), name="x")
    shown = read(to_svg(diff(Graph({"y": x * 1}), Graph({"y": x}), LIGHT)))
    (output,) = (s for i, s in shown.items() if i.startswith("o") and "node" in s.classes)
    assert output.text("sign") == "~"
    assert output.text("name") == "→ y"


def test_equal_graphs_built_apart_have_no_difference():
    def build():
        return optimise(softened()).graph

    _, change = changed(build(), build())
    assert change.is_nothing
    assert change.before == change.after


def test_a_layer_more_is_all_that_is_new_between_two_models_built_apart():
    def build(deep):
        x = gd.placeholder((None, 4), name="x")
        h = gd.tanh(x @ gd.Variable(np.zeros((4, 4), "f"), name="V"), name="h")
        h = gd.tanh(h @ gd.Variable(np.zeros((4, 4), "f"), name="more"), name="deeper") if deep else h
        return Graph({"y": gd.matmul(h, gd.Variable(np.zeros((4, 2), "f"), name="W"), name="y")})

    ledger, change = changed(build(deep=False), build(deep=True))
    assert sorted(ledger.node[i].label for i in change.added) == ["deeper", "matmul", "more"]
    assert [ledger.node[i].label for i in change.rewired] == ["y"]
    assert not change.removed


def test_a_large_graph_is_cut_down_and_says_by_how_much():
    x = gd.placeholder((3,), name="x")
    h = x
    for _ in range(300):
        h = gd.tanh(h + 0.5)
    before, after = Graph({"y": gd.log(gd.exp(h)) * 2}), Graph({"y": h * 2})
    ledger, change = changed(before, after)
    found = union(ledger, change, most=40, whole=True)
    nodes = [m for m in found.members if m.node is not None]
    assert len(nodes) < 12
    everything = len(before) + len(change.added)
    assert len(nodes) + found.left_out + found.changes_left_out == everything
    text = to_svg(diff(before, after, LIGHT, most=40))
    assert f"{found.left_out} unchanged nodes are left out" in text


def test_more_changes_than_there_is_room_for_are_counted_too():
    x = gd.placeholder((3,), name="x")
    before = Graph({f"y{i}": gd.log(gd.exp(x + i)) for i in range(60)})
    after = rewrite(before, STABILISE)[0]
    ledger, change = changed(before, after)
    found = union(ledger, change, most=30, whole=True)
    left = len(change.touched) - sum(m.node is not None for m in found.changed)
    assert found.changes_left_out == left > 0
    assert f"{left} more changed nodes are left out" in to_svg(diff(before, after, LIGHT, most=30))
    assert f"바뀐 노드 {left}개는" in to_svg(diff(before, after, LIGHT, most=30, language="ko"))


HOSTILE = ["</script><b>", "a\nb", "\"&'", "\u202eabc", "😀" * 40, "x" * 10_000, "{{before}} @steps@"]


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_names_do_no_harm(name):
    x = gd.placeholder((3,), name=name)
    before = Graph({name: gd.log(1 + gd.exp(x), name=name)})
    svg = to_svg(diff(before, optimise(before).graph, DARK, title=name))
    tags = {element.tag for element in ElementTree.fromstring(svg).iter()}
    assert tags <= {f"{SVG}{t}" for t in ("svg", "title", "g", "rect", "path", "polygon", "text")}
    assert len(svg) < 40_000


@pytest.mark.parametrize("theme", THEMES)
def test_a_badge_says_what_its_colour_says_in_every_theme(theme):
    before = softened()
    shown = read(to_svg(diff(before, optimise(before).graph, THEMES[theme])))
    assert {s.text("sign") for i, s in shown.items() if "node" in s.classes} == {"", "−", "+", "~"}


def test_without_graphviz_the_same_nodes_are_there():
    before = softened()
    after = optimise(before).graph
    shown = [read(to_svg(diff(before, after, LIGHT, time_limit=limit))) for limit in (20, 1e-9)]
    assert set(shown[0]) == set(shown[1])
