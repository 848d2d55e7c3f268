"""Calling the package, and what notebooks show."""

from __future__ import annotations

import base64
import re
import struct
import subprocess
import sys
import xml.etree.ElementTree as ElementTree
from html.parser import HTMLParser

import numpy as np
import pytest

import graphdl as gd
from graphdl.draw import graphviz, notebook
from graphdl.draw.log import to_log
from graphdl.draw.scene import Box, Group, Scene
from graphdl.errors import DrawError
from tests.draw import stories

HEAVY = {"pygraphviz", "networkx", "sympy"}
HOSTILE = [
    "</script><script>alert(1)</script>",
    '"><img src=x onerror=alert(1)>',
    "' onload='alert(1)",
    "</template></iframe><b>out</b>",
    "&lt;b&gt; &amp;quot; &#34;",
    "a\nb\tc",
    "\u202eright to left",
    "🍎" * 20,
    "x" * 10_000,
]


def _modules_after(statements):
    program = f"import sys; {statements}; print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    return set(done.stdout.split())


def test_importing_graphdl_loads_nothing_that_draws():
    assert not _modules_after("import graphdl") & {*HEAVY, "graphdl.draw"}


def test_drawing_loads_graphviz_in_another_process_only():
    assert not _modules_after("import graphdl as gd; gd.draw(gd.Variable(2.0) * 3.0)") & HEAVY


def test_the_package_can_be_called_and_imported_from():
    import graphdl.draw
    from graphdl.draw import draw, trace

    made = stories.fan_out()
    assert gd.draw(made.loss, feeds=made.feeds) == draw(made.loss, feeds=made.feeds)
    assert graphdl.draw is gd.draw
    assert gd.draw.trace is trace
    assert gd.draw(trace(made.loss, feeds=made.feeds)) == draw(made.loss, feeds=made.feeds)


def bundle(thing, **asked):
    data, sizes = thing._repr_mimebundle_(**asked)
    assert set(sizes) <= set(data)
    return data


def traced(story):
    return gd.draw.trace(story.loss, story.wrt, story.feeds)


def test_nodes_graphs_models_and_traces_show_a_picture_as_svg_as_png_and_in_words():
    from graphdl import keras

    story = stories.cs231n()
    loss, found = story.loss, traced(story)
    model = keras.Sequential([keras.Input((4,)), keras.layers.Dense(3)])
    graph = gd.Graph(loss)
    for thing, text in ((loss, repr(loss)), (graph, str(graph)), (found, to_log(found)), (model, repr(model))):
        data = bundle(thing)
        assert data["text/plain"] == text
        assert ElementTree.fromstring(data["image/svg+xml"]).tag.endswith("svg")
        assert base64.b64decode(data["image/png"], validate=True).startswith(b"\x89PNG\r\n")


def test_an_svg_brings_no_style_sheet_no_script_and_nothing_from_elsewhere():
    svg = bundle(traced(stories.xor()))["image/svg+xml"]
    tags = {element.tag.split("}")[1] for element in ElementTree.fromstring(svg).iter()}
    assert tags <= {"svg", "g", "title", "rect", "path", "polygon", "text", "tspan"}
    assert re.findall(r'\sstyle="([^"]*)"', svg) == ["max-width: 100%; height: auto"]
    assert not re.search(r'href=|url\(|https?://(?!www\.w3\.org/2000/svg")', svg)


def _ids(svg):
    return re.findall(r'\bid="([^"]+)"', svg)


def test_outputs_of_one_page_share_no_id_though_they_show_the_same_picture():
    loss = stories.cs231n().loss
    svgs = [bundle(loss)["image/svg+xml"] for _ in range(3)] + [bundle(stories.fan_out().loss)["image/svg+xml"]]
    ids = [name for svg in svgs for name in _ids(svg)]
    assert len(ids) > 20
    assert len(set(ids)) == len(ids)
    for svg in svgs:
        assert re.findall(r'aria-labelledby="([^"]+)"', svg) == [_ids(svg)[0]]


def test_the_same_output_has_the_same_text_but_for_its_ids():
    loss = stories.cs231n().loss
    one, other = (re.sub(r"(g[0-9a-f]{8}-)\d+", r"\1", bundle(loss)["image/svg+xml"]) for _ in range(2))
    assert one == other


def _wide():
    """Thirty operations one after the other."""
    return traced(stories.chain(30))


def test_a_wide_picture_is_shown_small_enough_for_a_page():
    data, sizes = _wide()._repr_mimebundle_()
    root = ElementTree.fromstring(data["image/svg+xml"])
    width, height = float(root.get("width")), float(root.get("height"))
    box = [float(number) for number in root.get("viewBox").split()]
    assert box[2] > 1000
    assert width <= 1000
    assert height / width == pytest.approx(box[3] / box[2], rel=0.05)
    assert sizes["image/svg+xml"] == sizes["image/png"] == {"width": round(width), "height": round(height)}


@pytest.mark.parametrize("story", [stories.cs231n(), stories.xor(), stories.chain(30)])
def test_a_png_has_more_pixels_than_the_page_shows_and_never_very_many(story):
    data, sizes = traced(story)._repr_mimebundle_()
    width, height = struct.unpack(">II", base64.b64decode(data["image/png"])[16:24])
    shown = sizes["image/png"]
    assert width > shown["width"]
    assert width * height < 6.1e6
    assert height / width == pytest.approx(shown["height"] / shown["width"], rel=0.05)


def test_the_png_of_a_huge_picture_stays_small():
    scene = Scene(
        20_000.0, 10_000.0, "#ffffff", "huge", (Group("n1", "node", "", (Box(100, 100, 50, 50, "#ffffff"),)),)
    )
    data, sizes = notebook.scene_bundle(scene)
    width, height = struct.unpack(">II", base64.b64decode(data["image/png"])[16:24])
    assert width * height < 6.1e6
    assert sizes["image/png"] == {"width": 1000, "height": 500}


def test_only_the_kinds_that_are_asked_for_are_made(monkeypatch):
    found = traced(stories.cs231n())
    assert set(bundle(found, exclude={"image/png"})) == {"text/plain", "image/svg+xml"}
    assert set(bundle(found, include={"image/png"})) == {"image/png"}

    def never(*arguments):
        raise AssertionError("nothing was asked to be painted")

    monkeypatch.setattr(graphviz, "run", never)
    assert set(bundle(found, include={"text/plain"})) == {"text/plain"}
    assert bundle(found, include={"text/plain"})["text/plain"] == to_log(found)


@pytest.mark.parametrize(
    ("error", "reason"),
    [
        (DrawError("no room"), "no room"),
        (KeyError("n7"), "KeyError: 'n7'"),
        (RecursionError("deep"), "RecursionError: deep"),
    ],
)
def test_what_cannot_be_drawn_shows_its_text_and_why_after_one_attempt(monkeypatch, error, reason):
    attempts = []

    def fails(*arguments):
        attempts.append(arguments)
        raise error

    monkeypatch.setattr(notebook, "picture", fails)
    loss = stories.cs231n().loss
    assert bundle(loss) == {"text/plain": f"{loss!r}\n(no picture: {reason})"}
    assert len(attempts) == 1


def test_a_picture_stays_when_its_png_cannot_be_painted(monkeypatch):
    def fails(*arguments):
        raise DrawError("pygraphviz cannot be imported")

    scene = notebook.picture(traced(stories.cs231n()), "auto", notebook.LIGHT, None, notebook.TIME_LIMIT, False)
    monkeypatch.setattr(graphviz, "run", fails)
    data, _ = notebook.scene_bundle(scene)
    assert set(data) == {"image/svg+xml", "text/plain"}
    assert data["text/plain"].endswith("(no picture: pygraphviz cannot be imported)")


def test_a_text_that_cannot_be_written_does_not_hide_the_picture(monkeypatch):
    def fails(trace):
        raise ValueError("no words")

    monkeypatch.setattr(notebook, "to_log", fails)
    data = bundle(traced(stories.cs231n()))
    assert data["text/plain"] == "(no text: ValueError: no words)"
    assert "image/svg+xml" in data


def test_a_split_value_shows_itself():
    assert "image/svg+xml" in bundle(gd.split(gd.placeholder((4,), name="x"), 2)[0])


def test_a_model_is_drawn_by_its_outputs_and_once_compiled_by_its_loss():
    from graphdl import keras

    model = keras.Sequential([keras.layers.Input((4,)), keras.layers.Dense(3, name="first"), keras.layers.Dense(1)])
    assert "forward: " in gd.draw(model)
    model.compile("sgd", "mse")
    svg = gd.draw(model)
    assert "forward and backward" in svg
    assert "forward and backward" in bundle(model)["image/svg+xml"]


def test_a_model_without_an_input_shape_says_why_it_has_no_picture():
    from graphdl import keras

    data = bundle(keras.Sequential([keras.layers.Dense(3)]))
    assert set(data) == {"text/plain"}
    assert "(no picture: " in data["text/plain"]


def test_a_program_shows_its_source_with_its_comments_paler():
    x = gd.placeholder((None,), name="x")
    program = gd.Session().compile(gd.sum(x * 2), style="readable")
    data = program._repr_mimebundle_()
    assert data["text/plain"] == program.source
    page = Page(data["text/html"])
    assert page.text == program.source
    comments = [line.partition("#")[2] for line in program.source.splitlines() if "#" in line]
    assert [tag for tag, _ in page.tags] == ["pre", *["span"] * len(comments)]


@pytest.mark.parametrize("name", HOSTILE, ids=lambda name: ascii(name[:12]))
def test_no_name_breaks_out_of_a_program(name):
    w = gd.Variable(1.0, name=f"{name} # '")
    program = gd.Session().compile(gd.square(w, name=name), style="readable")
    page = Page(program._repr_mimebundle_()["text/html"])
    assert {tag for tag, _ in page.tags} == {"pre", "span"}
    assert page.text == program.source


class Page(HTMLParser):
    """The tags of a piece of HTML with their attributes, and the text between them."""

    def __init__(self, text):
        super().__init__()
        self.tags, self.text = [], ""
        self.feed(text)
        self.close()

    def handle_starttag(self, tag, attributes):
        self.tags.append((tag, dict(attributes)))

    def handle_data(self, data):
        self.text += data


def test_a_player_is_a_page_in_a_frame_that_may_run_scripts_and_nothing_else():
    found = traced(stories.apple_shop())
    shown = found.player(height=480, language="ko")
    data = bundle(shown)
    assert set(data) == {"text/html", "image/png", "text/plain"}
    assert data["text/plain"] == to_log(found)
    page = Page(data["text/html"])
    assert [tag for tag, _ in page.tags] == ["iframe", "template", "img"]
    frame, _, image = (attributes for _, attributes in page.tags)
    assert frame["sandbox"] == "allow-scripts"
    assert frame["loading"] == "lazy"
    assert (frame["width"], frame["height"]) == ("100%", "480")
    assert frame["title"]
    assert frame["srcdoc"] == shown.page
    assert '<html lang="ko"' in shown.page
    assert image["src"] == f"data:image/png;base64,{data['image/png']}"
    assert not page.text


@pytest.mark.parametrize("name", HOSTILE, ids=lambda name: ascii(name[:12]))
def test_no_name_breaks_out_of_the_frame(name):
    x = gd.placeholder((), "float64", name=name)
    found = gd.draw.trace(gd.square(x, name=f"loss of {name}"), feeds={x: 3.0})
    shown = found.player()
    page = Page(bundle(shown, include={"text/html"})["text/html"])
    assert [tag for tag, _ in page.tags] == ["iframe", "template", "img"]
    frame = page.tags[0][1]
    assert set(frame) == {"srcdoc", "sandbox", "title", "loading", "width", "height", "style"}
    assert frame["srcdoc"] == shown.page
    assert not page.text
    inner = Page(shown.page)
    assert not [attributes for _, attributes in inner.tags if any(key.startswith("on") for key in attributes)]
    assert not [tag for tag, _ in inner.tags if tag in ("img", "b", "iframe")]


def test_a_player_without_a_picture_still_plays(monkeypatch):
    shown = traced(stories.apple_shop()).player()

    def fails(*arguments):
        raise DrawError("no room")

    monkeypatch.setattr(notebook, "picture", fails)
    data = bundle(shown)
    assert set(data) == {"text/html", "text/plain"}
    assert [tag for tag, _ in Page(data["text/html"]).tags] == ["iframe", "template", "pre"]
    assert data["text/plain"].endswith("(no picture: no room)")


def test_any_page_can_be_put_into_a_frame():
    shown = notebook.framed("<title>a & b</title>", height=300)
    data = bundle(shown)
    assert set(data) == {"text/html", "text/plain"}
    assert data["text/plain"] == repr(shown)
    page = Page(data["text/html"])
    assert [tag for tag, _ in page.tags] == ["iframe", "template", "pre"]
    assert page.tags[0][1]["srcdoc"] == "<title>a & b</title>"
    assert page.text == repr(shown)


@pytest.mark.parametrize("height", [0, -1, 3.5, "560px"])
def test_a_height_is_a_whole_number_of_pixels(height):
    with pytest.raises(
        DrawError, match=f"height is {re.escape(repr(height))}, expected pixels, a whole number such as 640"
    ):
        traced(stories.apple_shop()).player(height=height)


def test_a_player_refuses_a_language_it_does_not_speak():
    with pytest.raises(DrawError, match="there is no language 'fr'"):
        traced(stories.apple_shop()).player(language="fr")


def test_the_page_of_a_player_can_be_written_to_a_file(tmp_path):
    found = traced(stories.apple_shop())
    path = found.save_html(tmp_path / "apples.html", language="ko")
    assert path.read_text(encoding="utf-8") == found.player(language="ko").page


def test_traces_players_and_programs_are_short_in_print():
    found = traced(stories.xor())
    assert repr(found) == f"Trace({len(found.nodes)} nodes, {len(found.steps)} steps)"
    assert re.fullmatch(r"<page of \d+ kB, 640 pixels high; a trusted notebook shows it>", repr(found.player()))
    program = gd.Session().compile(gd.sum(gd.Variable(np.ones(3), name="w")))
    assert re.fullmatch(r"<program for .+, fast style, \d+ lines>", repr(program))
