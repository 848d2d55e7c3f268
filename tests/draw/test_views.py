"""The views of a player: all is there, nothing twice, nothing overlaps, and folded cards tell the truth."""

import math
import re
import sys
import time
from collections import Counter
from functools import cache

import numpy as np
import pytest
from hypothesis import HealthCheck, Phase, given, settings

import graphdl as gd
from graphdl.draw import graphviz, trace
from graphdl.draw.blocks import blocks
from graphdl.draw.circuit import circuit_frames
from graphdl.draw.grouping import grouped
from graphdl.draw.layout import Cell, Link, place_all
from graphdl.draw.model import Frame
from graphdl.draw.rails import rail_frames
from graphdl.draw.repeats import folded
from graphdl.draw.scene import Box, Label
from graphdl.draw.style import LIGHT, text_width
from graphdl.draw.svg import to_svg
from graphdl.draw.views import views
from graphdl.draw.wrap import PAGE, PHONE
from graphdl.errors import DrawError
from tests.draw import networks, stories
from tests.draw.geometry import (
    curves,
    distance_to_outline,
    outside,
    overlap,
    overlapping_shapes,
    overlapping_texts,
    sampled,
    shape_of,
    shapes,
    texts_on_strange_shapes,
    tips,
)
from tests.random_graphs import grow, plans

EXAMPLES = [*stories.ALL, *networks.NETWORKS]
every_example = pytest.mark.parametrize("story", EXAMPLES, ids=lambda story: story.__name__)


def _traced(made):
    return trace(made.loss, made.wrt, made.feeds)


@cache
def _example(story):
    """The trace of an example and its views, drawn once for all tests."""
    found = _traced(story())
    return found, views(found)


def _without_graphviz(monkeypatch):
    def missing(*args, **options):
        raise DrawError("pygraphviz cannot be imported")

    monkeypatch.setattr(graphviz, "run", missing)
    monkeypatch.setattr(graphviz, "run_all", missing)


def _check_picture(scene):
    assert overlapping_texts(scene) == []
    assert texts_on_strange_shapes(scene) == []
    assert overlapping_shapes(scene) == []
    assert outside(scene) == []


@every_example
def test_texts_and_shapes_keep_apart_and_inside_the_picture_in_every_view(story):
    for view in _example(story)[1]:
        _check_picture(view.scene)


@every_example
def test_without_graphviz_they_do_as_well(story, monkeypatch):
    _without_graphviz(monkeypatch)
    for view in views(_example(story)[0]):
        _check_picture(view.scene)


@given(plans)
@settings(
    max_examples=10, deadline=None, derandomize=True, phases=[Phase.generate], suppress_health_check=list(HealthCheck)
)
def test_they_do_for_random_graphs(plan):
    grown = grow(plan)
    loss = gd.add_n(*(gd.sum(node) for node in grown.nodes)) if len(grown.nodes) > 1 else gd.sum(grown.nodes[0])
    feeds = {node.name: array for node, array in zip(grown.inputs, grown.arrays, strict=True)}
    for view in views(trace(loss, feeds=feeds, stabilise=False)):
        _check_picture(view.scene)


@every_example
def test_every_node_is_in_every_view_exactly_once(story):
    found, drawn_views = _example(story)
    forward, all_ = (Counter(node.id for node in nodes) for nodes in (found.forward, found.nodes))
    for view in drawn_views:
        assert Counter(node for nodes in view.members.values() for node in nodes) == (
            all_ if view.key == "rails" else forward
        )
        drawn = {group.id: group.nodes for group in view.scene.groups if group.kind.split()[0] in ("node", "block")}
        assert {name: set(nodes) for name, nodes in drawn.items()} == {
            name: set(nodes) for name, nodes in view.members.items()
        }


@every_example
def test_slots_are_there_and_none_is_there_twice(story):
    found, drawn_views = _example(story)
    last = found.frame()
    for view in drawn_views:
        slots = [m.slot for g in view.scene.groups for m in g.marks if isinstance(m, Box | Label) and m.slot]
        assert [slot for slot, count in Counter(slots).items() if count > 1] == []
        if view.key == "circuit":
            literal = {n.id for n in found.forward if n.kind == "constant" and not n.name}
            wanted = {f"v:{name}" for name in last.values if name in {n.id for n in found.forward} - literal}
            wanted |= {f"g:{name}" for name in last.gradients}
            wanted |= {f"l:{edge.id}" for edge in found.edges if edge.rule}
            assert set(slots) == wanted


@every_example
def test_every_node_and_wire_that_can_be_active_has_a_mark_for_it(story):
    for view in _example(story)[1]:
        for group in view.scene.groups:
            parts = [mark.part for mark in group.marks]
            if group.kind.split()[0] in ("node", "block", "edge"):
                assert parts.count("active") == 1, group.title


@every_example
def test_wires_end_on_the_outlines_of_what_they_go_into(story):
    found, drawn_views = _example(story)
    inline = {n.id for n in found.nodes if n.is_leaf and n.kind in ("constant", "gradient")}
    target = {edge.id: edge.target for edge in found.edges}
    for view in drawn_views:
        home = {node: name for name, nodes in view.members.items() for node in nodes}
        for group in view.scene.groups:
            if group.kind.startswith("edge"):
                wire = tips(group)[0]
                into = shape_of(view.scene, home[target[group.id]])
                assert distance_to_outline(wire, into) < 1, group.title
                assert target[group.id] not in inline


@every_example
def test_views_are_the_same_every_time(story):
    found, drawn_views = _example(story)
    assert views(found) == drawn_views


@pytest.mark.parametrize("story", [stories.fan_out, networks.digits, networks.residual, networks.twelve_inputs])
def test_no_frame_moves_anything(story):
    found = _example(story)[0]
    steps = {0, len(found.steps) // 2, len(found.steps) - 1}
    places = [
        {
            view.key: [
                (group.id, mark.x, mark.y, mark.width, mark.height)
                for group in view.scene.groups
                for mark in group.marks
                if isinstance(mark, Box) and mark.part in ("shape", "pill", "scope", "track")
            ]
            for view in views(found, frame=frame)
        }
        for frame in (Frame.complete(found), *(found.frame(step) for step in steps))
    ]
    assert all(place == places[0] for place in places)


def test_the_first_view_is_the_one_to_read():
    small, large = views(_traced(stories.apple_shop())), views(_traced(networks.deep()))
    assert [view.key for view in small] == ["circuit", "rails", "narrow"]
    assert [view.key for view in views(_traced(stories.square_of_sum()))] == ["circuit", "rails"]
    assert [view.key for view in large] == [
        "blocks",
        "rails",
        *(f"open:dense_{i}" for i in range(10)),
        "open:loss",
        "narrow",
    ]
    assert large[-1].members == large[0].members
    assert max(PHONE, large[-1].scene.width) < 1.35 * PHONE < large[0].scene.width
    assert small[0].title == {"en": "Circuit", "ko": "회로"}


def test_scopes_in_scopes_make_views_of_each_depth():
    found = {view.key: view for view in views(_traced(networks.nested()))}
    assert {"circuit", "blocks", "blocks:2", "open:encoder", "open:encoder/layer_0"} <= set(found)

    def cards(key):
        return [group.scope for group in found[key].scene.groups if group.kind == "block"]

    assert cards("blocks") == ["encoder", "decoder"]
    assert cards("blocks:2") == ["encoder/layer_0", "encoder/layer_1", "decoder/layer_0", "decoder/layer_1"]
    assert cards("open:encoder") == ["encoder/layer_0", "encoder/layer_1", "decoder"]
    assert cards("open:encoder/layer_0") == ["encoder/layer_1", "decoder"]


def test_a_box_around_a_scope_holds_its_members_and_nobody_else():
    found = _traced(networks.digits())
    (view,) = (view for view in views(found) if view.key == "circuit")
    boxes = [group for group in view.scene.groups if group.kind == "scope"]
    assert {group.scope for group in boxes} >= {"dense_0", "dense_1", "dense_2"}
    inside = {}
    for group in boxes:
        outline = group.marks[0]
        for node in (n for n in found.forward if n.id in view.members):
            shape = shape_of(view.scene, node.id)
            if abs(shape.x - outline.x) < outline.width / 2 and abs(shape.y - outline.y) < outline.height / 2:
                inside.setdefault(group.scope, set()).add(node.id)
    for scope in ("dense_0", "dense_1", "dense_2"):
        assert inside[scope] == {node.id for node in found.forward if node.scope == scope}


def test_layers_of_one_structure_are_folded_with_the_right_number():
    found = _traced(networks.dense([8] * 41))
    cards = folded(found, grouped(found))
    assert [card.title for card in cards] == ["dense_0", "dense_1 … dense_39", "loss"]
    assert cards[1].note == "+39 more like dense_0"
    kernels = [node for node in cards[1].nodes if node.name == "kernel"]
    assert {node.scope for node in kernels} == {f"dense_{i}" for i in range(1, 40)}
    scene = blocks(found, found.frame(), LIGHT, True, 20)
    texts = [mark.text for group in scene.groups for mark in group.marks if isinstance(mark, Label)]
    norms = [float(np.linalg.norm(found.frame().gradients[node.id].data)) for node in kernels]
    assert f"∂ ‖{min(norms):.4g}‖ … ‖{max(norms):.4g}‖".replace("e-0", "e−").replace("-", "−") in texts
    assert "39 kernel (8, 8)" in texts


def test_steps_that_share_their_parameters_are_one_card_that_says_so():
    found = _traced(networks.recurrent(30))
    cards = folded(found, grouped(found))
    assert [(card.title, card.note) for card in cards] == [
        ("shared parameters", ""),
        ("step_1 … step_30", "×30 same parameters"),
    ]
    assert [node.name for node in cards[1].inputs] == [f"x{t}" for t in range(1, 31)]
    scene = blocks(found, found.frame(), LIGHT, True, 20)
    assert "30 inputs x1 … x30" in [m.text for g in scene.groups for m in g.marks if isinstance(m, Label)]
    _check_picture(scene)


@pytest.mark.parametrize("odd", ["slope", "width", "op"])
def test_a_layer_that_differs_in_anything_is_not_folded_with_the_others(odd):
    x = gd.placeholder((None, 4), name="X")
    h = x
    for i in range(30):
        with gd.name_scope(f"layer_{i}"):
            h = h @ gd.Variable(np.eye(4, dtype="float32"), name="W")
            if i == 15:
                h = {
                    "slope": lambda h=h: gd.leaky_relu(h, 0.3),
                    "width": lambda h=h: gd.leaky_relu(gd.concat([h, h], -1), 0.2)[:, :4],
                    "op": lambda h=h: gd.elu(h, 0.2),
                }[odd]()
            else:
                h = gd.leaky_relu(h, 0.2)
    found = _traced(stories.Story(gd.mean(h, name="loss"), {"X": np.ones((2, 4), "float32")}))
    cards = folded(found, grouped(found))
    assert [(card.title, card.note) for card in cards if "layer" in card.title] == [
        ("layer_0", ""),
        ("layer_1 … layer_14", "+14 more like layer_0"),
        ("layer_15", ""),
        ("layer_16", ""),
        ("layer_17 … layer_29", "+13 more like layer_16"),
    ]


def test_few_blocks_are_never_folded():
    found = _traced(networks.deep())
    assert all(not block.parts for block in folded(found, grouped(found)))


def test_bars_are_as_long_as_the_logarithms_of_the_gradients():
    found = _traced(networks.deep())
    scene = blocks(found, found.frame(), LIGHT, True, 20)
    marks = [mark for group in scene.groups for mark in group.marks]
    length = {mark.slot: mark.width for mark in marks if isinstance(mark, Box) and mark.part == "bar"}
    whole = {mark.width for mark in marks if isinstance(mark, Box) and mark.part == "track"}
    norms = {f"b:{n.id}": found.frame().gradients[n.id].norm for n in found.forward if n.kind == "variable"}
    low, high = math.floor(math.log10(min(norms.values()))), math.ceil(math.log10(max(norms.values())))
    assert length.keys() == norms.keys()
    for slot, norm in norms.items():
        expected = whole.copy().pop() * (math.log10(norm) - low) / (high - low)
        assert length[slot] == pytest.approx(expected, abs=2.5)
    kernels = [length[f"b:{n.id}"] for n in found.forward if n.name == "kernel"]
    assert kernels == sorted(kernels), "gradients vanish towards the input"


def test_before_a_gradient_is_known_there_is_no_bar():
    found = _traced(networks.deep())
    scene = blocks(found, found.frame(0), LIGHT, True, 20)
    assert not any(mark.part == "bar" for group in scene.groups for mark in group.marks)


def test_wide_pictures_are_cut_into_rows_of_page_width():
    found = _traced(networks.deep())
    scene = circuit_frames(found, LIGHT, True, 20)(found.frame())
    uncut = circuit_frames(found, LIGHT, True, 20, width=None)(found.frame())
    assert scene.width < 1.35 * PAGE < uncut.width / 3

    def shown(of):
        return sorted((group.id, mark.text) for group in of.groups for mark in group.marks if isinstance(mark, Label))

    names = [pair for pair in shown(uncut) if not re.fullmatch(r"z\d+", pair[0])]
    assert [pair for pair in shown(scene) if not re.fullmatch(r"z\d+", pair[0])] == names


@pytest.mark.parametrize("story", [networks.digits, networks.residual, networks.lstm])
def test_wires_run_behind_no_shape_but_those_they_join_also_from_row_to_row(story):
    found, drawn_views = _example(story)
    ends = {edge.id: {edge.source, edge.target, edge.id} for edge in found.edges}
    (scene,) = (view.scene for view in drawn_views if view.key == "circuit")
    strangers = [
        (group.title, shape.group.id)
        for group in scene.groups
        if group.kind == "edge"
        for point in (p for part in ("wire", "lane") for curve in curves(group, part) for p in sampled(curve.points))
        for shape in shapes(scene)
        if shape.group.id not in ends[group.id] and overlap((*point, *point), shape.box, -2.0)
    ]
    assert strangers == []


def test_a_u_shaped_graph_of_500_ops_is_there_as_blocks_within_two_seconds():
    found = _traced(stories.chain(500))
    start = time.perf_counter()
    drawn = views(found, time_limit=1.0)
    assert time.perf_counter() - start < 2
    assert [view.key for view in drawn] == ["blocks", "narrow"]
    for view in drawn:
        _check_picture(view.scene)


def test_a_graphviz_that_hangs_is_given_up_and_the_layout_is_our_own(monkeypatch, tmp_path):
    worker = tmp_path / "worker.py"
    worker.write_text("import time\ntime.sleep(60)\n")
    monkeypatch.setattr(graphviz, "_WORKER", worker)
    start = time.perf_counter()
    found = views(_traced(networks.residual()), time_limit=0.3)
    assert time.perf_counter() - start < 5
    assert len(found) > 3
    placed = place_all([([Cell("a", 10, 10), Cell("b", 10, 10)], [Link("a", "b")])] * 2, time_limit=0.2)
    assert [each.engine for each in placed] == ["layers", "layers"]


def test_several_layouts_take_one_process(monkeypatch):
    started = []
    really = graphviz._started

    def counting(said):
        started.append(sys.executable)
        return really(said)

    monkeypatch.setattr(graphviz, "_started", counting)
    assert len(views(_traced(networks.digits()))) == 8
    assert len(started) == 1


def test_rails_that_would_be_nothing_but_turning_lines_stay_in_one_row():
    found = _traced(stories.chain(200))
    scene = rail_frames(found, LIGHT, 0.5)(found.frame())
    assert scene.width > 20 * PHONE
    assert len(to_svg(scene)) < 2_000_000


@pytest.mark.parametrize("kind", ["loss", "op", "variable", "placeholder"])
def test_the_glow_of_a_shape_follows_its_outline(kind):
    scene = views(_traced(stories.squared_neuron()))[0].scene
    groups = [group for group in scene.groups if group.kind == f"node {kind}"]
    assert groups
    for group in groups:
        glow, shape = (next(m for m in group.marks if isinstance(m, Box) and m.part == p) for p in ("active", "shape"))
        assert (glow.width - shape.width, glow.height - shape.height) == (8, 8)
        assert glow.radius == pytest.approx(shape.radius + 4)


@pytest.mark.parametrize("story", stories.ALL, ids=lambda story: story.__name__)
def test_every_text_of_every_frame_fits_its_pill(story):
    found = _traced(story())
    scene = circuit_frames(found, LIGHT, True, 20.0)
    complete = scene(Frame.complete(found))
    room = {g.id: m.width for g in complete.groups for m in g.marks if isinstance(m, Box) and m.part == "pill"}
    for step in range(len(found.steps)):
        for group in scene(found.frame(step)).groups:
            for mark in group.marks:
                if isinstance(mark, Label) and mark.part == "local":
                    assert text_width(mark.text, mark.size, True) <= room[group.id]
