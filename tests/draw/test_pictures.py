"""Pictures: what stands where, in words rather than in pixels."""

import re
import xml.etree.ElementTree as ElementTree

import pytest

import graphdl as gd
from graphdl.draw import draw, trace
from graphdl.draw.bounds import bounds, extent
from graphdl.draw.circuit import circuit_frames
from graphdl.draw.digits import number
from graphdl.draw.rails import rail_frames
from graphdl.draw.scene import Box
from graphdl.draw.style import THEMES
from tests.draw import stories
from tests.draw.pictures import by_symbol, read
from tests.draw.stories import ALL

every_story = pytest.mark.parametrize("story", ALL, ids=lambda story: story.__name__)
VIEWS = ("circuit", "rails", "forward", "blocks")


def _drawn(made, **options):
    return draw(made.loss, wrt=made.wrt, feeds=made.feeds, **options)


def test_the_apple_shop_shows_values_above_and_gradients_below():
    shown = by_symbol(_drawn(stories.apple_shop()))
    rows = {name: (node.text("value"), node.text("gradient")) for name, node in shown.items()}
    assert rows == {
        "apple": ("100", "2.2"),
        "count": ("2", "110"),
        "tax": ("1.1", "200"),
        "t₁": ("200", "1.1"),
        "price": ("220", "1"),
    }


def test_pills_show_the_local_derivatives():
    edges = [found for found in read(_drawn(stories.cs231n())).values() if "edge" in found.classes]
    pills = {found.title.partition(",")[0]: found.text("local") for found in edges}
    assert pills == {
        "wire from x to q": "×1",
        "wire from y to q": "×1",
        "wire from q to f": "×(−4)",
        "wire from z to f": "×3",
    }


def test_a_fork_has_a_dot_and_its_gradient_row_is_a_sum():
    svg = _drawn(stories.fan_out())
    x = by_symbol(svg)["x"]
    assert "fork" in x.parts
    assert re.fullmatch(r"Σ (1|3) \+ (1|3) \+ (1|3) = 7", x.text("gradient"))
    pills = sorted(found.text("local") for found in read(svg).values() if "from x" in found.title)
    assert pills == ["1 × 1 = 1", "1 × 3 = 3", "1 × 3 = 3"]


def test_not_computed_zero_and_not_required_are_three_different_things():
    w, dead = gd.Variable(-2.0, "float64", name="w"), gd.placeholder((), "float64", name="x")
    found = trace(gd.relu(w * dead), feeds={"x": 3.0})
    seed = next(i for i, step in enumerate(found.steps) if step.phase == "seed")
    before, after = by_symbol(draw(found, step=seed)), by_symbol(draw(found))
    assert (before["w"].text("gradient"), before["w"].text("no-gradient")) == ("", "")
    assert "lane" in before["w"].parts
    assert (after["w"].text("gradient"), after["w"].parts.count("zero")) == ("0", 1)
    assert (after["x"].text("no-gradient"), "lane" in after["x"].parts) == ("—", False)
    assert "gradient not computed yet" in before["w"].title
    assert "gradient 0.0" in after["w"].title or "gradient -0.0" in after["w"].title
    assert "no gradient is asked for" in after["x"].title


def test_shapes_say_the_kind_as_well_as_colours_do():
    shown = by_symbol(_drawn(stories.squared_neuron(), theme="mono"))
    kinds = {name: node.classes[1] for name, node in shown.items()}
    assert kinds["x"] == "placeholder"
    assert kinds["w"] == "variable"
    assert kinds["z"] == "op"
    assert kinds["loss"] == "loss"


@every_story
@pytest.mark.parametrize("view", VIEWS)
def test_every_view_is_whole_xml_with_ids_of_its_own(story, view):
    svg = _drawn(story(), view=view)
    root = ElementTree.fromstring(svg)
    ids = [element.get("id") for element in root.iter() if element.get("id")]
    assert len(ids) == len(set(ids))
    assert len({found.partition("-")[0] for found in ids}) == 1
    width, height = float(root.get("width")), float(root.get("height"))
    assert root.get("viewBox") == f"0 0 {root.get('width')} {root.get('height')}"
    assert width > 0
    assert height > 0
    assert "<style" not in svg
    assert not re.search(r"(href|src|url)\s*[=(]", svg)


@every_story
@pytest.mark.parametrize("view", ["circuit", "rails"])
def test_everything_lies_inside_the_picture_and_no_two_shapes_overlap(story, view):
    made = story()
    found = trace(made.loss, made.wrt, made.feeds)
    theme = THEMES["light"]
    frames = circuit_frames(found, theme, True, 20) if view == "circuit" else rail_frames(found, theme, 20)
    scene = frames(found.frame())
    left, top, right, bottom = bounds(scene.groups)
    assert left >= 0
    assert top >= 0
    assert right <= scene.width
    assert bottom <= scene.height
    boxes = [m for g in scene.groups for m in g.marks if isinstance(m, Box) and m.part in ("shape", "pill")]
    assert [(a, b) for i, a in enumerate(boxes) for b in boxes[:i] if _overlap(extent(a), extent(b))] == []


@every_story
def test_numbers_overlap_no_shape_and_no_other_number(story):
    made = story()
    found = trace(made.loss, made.wrt, made.feeds)
    scene = circuit_frames(found, THEMES["light"], True, 20)(found.frame())
    marks = [mark for group in scene.groups for mark in group.marks]
    texts = [extent(mark) for mark in marks if mark.part in ("value", "gradient", "local")]
    shapes = [extent(mark) for mark in marks if mark.part == "shape"]
    assert [(a, b) for i, a in enumerate(texts) for b in (*texts[:i], *shapes) if _overlap(a, b)] == []


def _overlap(a, b):
    return a[0] < b[2] and b[0] < a[2] and a[1] < b[3] and b[1] < a[3]


@pytest.mark.parametrize("view", VIEWS)
def test_nothing_moves_from_frame_to_frame(view):
    made = stories.neuron()
    found = trace(made.loss, made.wrt, made.feeds)
    places = {
        tuple(
            sorted(
                re.findall(r'<rect class="(?:shape|pill)" x="([\d.]+)" y="([\d.]+)"', draw(found, step=k, view=view))
            )
        )
        for k in range(len(found.steps))
    }
    assert len(places) == 1


def test_the_active_nodes_of_a_step_are_lit():
    made = stories.cs231n()
    found = trace(made.loss, made.wrt, made.feeds)
    last = len(found.steps) - 2
    lit = {name for name, node in by_symbol(draw(found, step=last)).items() if "active" in node.parts}
    assert lit == {"q", "x", "y"}
    assert not any("active" in node.parts for node in by_symbol(draw(found)).values())


def test_rails_show_the_gradient_nodes_below_their_values():
    svg = _drawn(stories.squared_neuron(), view="rails")
    shown = by_symbol(svg)
    assert shown["∂loss/∂w"].classes == ("node", "parameter-gradient")
    assert shown["∂loss/∂w"].texts["row"] == ["−0.1586"]
    assert "= ∂loss/∂b" in shown["∂loss/∂z"].texts["row"]
    found = trace(stories.squared_neuron().loss, feeds={"x": 1.5, "y": 1.0})
    boxes = _middles(rail_frames(found, THEMES["light"], 20)(found.frame()))
    for node in found.backward:
        if node.gradient_for:
            value, gradient = boxes[node.gradient_for[0]], boxes[node.id]
            assert value[0] == pytest.approx(gradient[0])
            assert value[1] < gradient[1]


def _middles(scene):
    found = {}
    for group in scene.groups:
        shapes = [mark for mark in group.marks if isinstance(mark, Box) and mark.part == "shape"]
        if shapes:
            found[group.id] = (shapes[0].x, shapes[0].y)
    return found


def test_blocks_show_scopes_with_parameters_shapes_and_gradient_norms():
    made = stories.layers(depth=2, width=8)
    found = trace(made.loss, None, made.feeds)
    shown = {
        g.title.partition(":")[0].removeprefix("block "): g
        for g in read(draw(found, view="blocks")).values()
        if "block" in g.classes
    }
    assert set(shown) == {"dense_0", "dense_1", "loss"}
    assert shown["dense_0"].texts["row"][1:] == ["kernel (8, 8)", "bias (8,)"]
    kernel = next(node for node in found.forward if node.symbol == "dense_0.kernel")
    norm = found.frame().gradients[kernel.id].norm
    assert shown["dense_0"].texts["gradient"][0] == f"∂ ‖{norm:.4g}‖"


def test_scopes_that_share_a_front_are_told_apart_behind_it():
    with gd.name_scope("model"):
        y = stories.layers(depth=3, width=4).loss
    titles = [found.title for found in read(draw(y, view="blocks")).values() if "block" in found.classes]
    assert {title.partition(":")[0] for title in titles if "model" in title} >= {
        "block model/dense_0",
        "block model/loss",
    }


def test_a_leaf_that_every_block_reads_is_named_on_the_cards_instead_of_wired():
    made = stories.chain(200)
    found = trace(made.loss, None, made.feeds)
    svg = draw(found, view="blocks")
    shown = read(svg)
    cards = {group.title.partition(":")[0].removeprefix("block "): group for group in shown.values()}
    assert all("reads x" in group.texts["row"] for title, group in cards.items() if title.startswith("operations"))
    assert not any("from x" in group.title for group in shown.values() if "edge" in group.classes)
    assert by_symbol(svg)["x"].text("gradient").endswith(number(found.frame().gradients["n1"].data))


def test_the_view_follows_the_size_of_the_graph():
    small, large = stories.chain(40), stories.chain(41)
    assert "node" in str(_drawn(small))
    assert 'class="block"' not in _drawn(small)
    assert 'class="block"' in _drawn(large)


def test_a_view_too_small_for_the_graph_gives_way_to_blocks_with_a_note():
    svg = _drawn(stories.chain(301), view="circuit")
    assert "301 operations are too many for view &#x27;circuit&#x27; (300 at most); here are blocks" in svg
    assert 'class="block"' in svg


def test_a_forward_picture_has_no_backward_lanes():
    shown = by_symbol(_drawn(stories.apple_shop(), view="forward"))
    assert all("lane" not in node.parts and not node.text("gradient") for node in shown.values())
    assert shown["price"].text("value") == "220"


def test_a_picture_without_feeds_shows_the_rules_instead_of_numbers():
    svg = draw(stories.apple_shop().loss)
    pills = {found.text("local") for found in read(svg).values() if "edge" in found.classes}
    assert pills == {"×count", "×apple", "×tax", "×t₁"}
    assert all(node.text("value") == "" for node in by_symbol(svg).values())


def test_several_outputs_are_drawn_forward():
    x = gd.placeholder((), "float64", name="x")
    shown = by_symbol(draw([gd.exp(x, name="up"), gd.negative(x, name="down")], feeds={"x": 0.0}))
    assert {name: node.text("value") for name, node in shown.items()} == {"x": "0", "up": "1", "down": "0"}


def test_operands_whose_order_matters_are_named_below_the_shape():
    x, y = gd.placeholder((), "float64", name="x"), gd.placeholder((), "float64", name="y")
    shown = by_symbol(draw(gd.subtract(x, y, name="d")))
    assert shown["d"].texts["caption"] == ["d = x − y"]


@pytest.mark.parametrize("theme", THEMES)
def test_each_theme_uses_its_own_colours_only(theme):
    svg = _drawn(stories.squared_neuron(), theme=theme, view="rails") + _drawn(stories.squared_neuron(), theme=theme)
    known = set(re.findall(r"#[0-9a-f]{6}", repr(THEMES[theme])))
    assert set(re.findall(r"#[0-9a-f]{6}", svg)) <= known
