"""Many moments of one story: frames, handouts and animations, by the structure of what is written."""

import builtins
import io
import re
import warnings
import xml.etree.ElementTree as ElementTree
from time import perf_counter

import pytest

from graphdl.draw import draw, fonts, graphviz, trace
from graphdl.draw.outputs.document import joined
from graphdl.draw.palettes import THEMES
from graphdl.errors import DrawError, ExtraMissing
from tests.draw import stories
from tests.draw.pictures import read

pytest.importorskip("pygraphviz")


def told(story=stories.squared_neuron, **options):
    made = story()
    return trace(made.loss, feeds=made.feeds, **options)


NEURON = told()


def mark_places(svg):
    """Every shape, wire and text with where it is and what it is, without what it says."""
    root = ElementTree.fromstring(svg)
    keep = ("x", "y", "width", "height", "d", "points", "class", "text-anchor", "font-size")
    return [(mark.tag, *(mark.get(name) for name in keep)) for mark in root.iter() if mark.get("class") is not None]


@pytest.mark.parametrize("view", ["circuit", "rails", "blocks"])
@pytest.mark.parametrize("story", [stories.squared_neuron, stories.fan_out, stories.layers])
def test_nothing_moves_from_frame_to_frame(story, view):
    frames = draw(told(story), steps="all", view=view)
    sizes = {re.search(r'viewBox="[^"]*"', svg)[0] for svg in frames}
    assert len(sizes) == 1
    kept = [
        {
            place
            for place in mark_places(svg)
            if place[7] in ("shape", "wire", "lane", "pill", "arrow", "name", "rule-off")
        }
        for svg in frames
    ]
    assert all(places == kept[0] for places in kept)


def test_a_frame_says_below_the_picture_what_happens_in_it():
    (svg,) = [draw(NEURON, steps="9", lang="both")]
    panel = read(svg)["panel"]
    step = NEURON.steps[8]
    assert panel.texts["caption"] == [step.caption["en"], step.caption["ko"]]
    (lane,) = step.lanes
    assert panel.text("chain") == lane.chain == "∂loss/∂t₂ = ∂loss/∂loss · ∂loss/∂t₂"
    assert panel.text("rule") == lane.rule
    assert panel.text("numbers") == lane.numbers == "1 × (−0.5379) = −0.5379"
    assert panel.text("count") == "9 / 14"


@pytest.mark.parametrize("lang", ["en", "ko"])
def test_captions_are_in_the_language_asked_for(lang):
    for svg, step in zip(draw(NEURON, steps="all", lang=lang), NEURON.steps, strict=True):
        assert "".join(read(svg)["panel"].texts["caption"]).replace(" ", "") == step.caption[lang].replace(" ", "")


def test_a_picture_without_steps_has_no_words_below():
    assert "panel" not in read(draw(NEURON))
    assert "panel" not in read(draw(NEURON, step=3))


def test_long_captions_and_formulas_are_broken_into_lines_within_the_picture():
    found = told(stories.layers)
    for svg in draw(found, steps="forward", granularity="layer", lang="both"):
        root = ElementTree.fromstring(svg)
        panel = next(group for group in root.iter() if (group.get("id") or "").endswith("-panel"))
        lines = [float(text.get("y")) for text in panel if text.get("class") == "caption"]
        assert lines == sorted(lines)
        assert max(lines) < float(root.get("height"))


def test_a_title_stands_above_the_picture_and_names_it():
    plain, titled = read(draw(NEURON)), draw(NEURON, title="One <neuron>")
    assert read(titled)["heading"].text("heading") == "One <neuron>"
    assert ElementTree.fromstring(titled)[0].text == "One <neuron>"
    assert {*read(titled)} - {"heading"} == {*plain}


def test_coarser_stories_have_fewer_frames():
    counts = [len(draw(told(stories.layers), steps="all", granularity=g)) for g in ("phase", "layer", "op", "sub")]
    assert counts == sorted(counts)
    assert len(set(counts)) == 4


def page_count(pdf):
    """Pages as the file lists them: its root, whose tree of pages has so many leaves."""
    objects = {int(found[1]): found[2] for found in re.finditer(rb"(\d+) 0 obj(.*?)endobj", pdf, re.DOTALL)}
    root = int(re.search(rb"/Root (\d+) 0 R", pdf)[1])

    def leaves(number):
        body = objects[number]
        if re.search(rb"/Type\s*/Page\b(?!s)", body):
            return 1
        kids = re.search(rb"/Kids \[(.*?)\]", body, re.DOTALL)[1]
        return sum(leaves(int(kid)) for kid in re.findall(rb"(\d+) 0 R", kids))

    return leaves(int(re.search(rb"/Pages (\d+) 0 R", objects[root])[1]))


def test_a_pdf_has_a_page_for_each_step(tmp_path):
    path = draw(NEURON, tmp_path / "handout.pdf", steps="all", title="시험")
    assert path == tmp_path / "handout.pdf"
    pdf = path.read_bytes()
    assert page_count(pdf) == 14
    assert len(re.findall(rb"/MediaBox", pdf)) == 14
    assert "시험".encode("utf-16").hex().encode() in pdf
    assert page_count(draw(NEURON, tmp_path / "one.pdf").read_bytes()) == 1


def test_every_object_of_a_joined_pdf_is_where_the_table_says(tmp_path):
    pdf = draw(NEURON, tmp_path / "handout.pdf", steps="1-3").read_bytes()
    table = int(re.search(rb"startxref\s+(\d+)", pdf)[1])
    entries = re.findall(rb"(\d{10}) 00000 n", pdf[table:])
    assert len(entries) > 30
    for number, start in enumerate(map(int, entries), start=1):
        assert pdf[start:].startswith(b"%d 0 obj" % number)
    numbers = range(1, len(entries) + 1)
    assert {
        int(n) for n in re.findall(rb"\b(\d+) 0 R\b", re.sub(rb"stream.*?endstream", b"", pdf, flags=re.DOTALL))
    } <= {*numbers}


def test_the_same_handout_is_the_same_bytes(tmp_path):
    one, two = (draw(NEURON, tmp_path / name, steps="1-2").read_bytes() for name in ("a.pdf", "b.pdf"))
    assert one == two


def test_a_pdf_that_cannot_be_joined_says_what_to_do_instead():
    with pytest.raises(DrawError, match=r"write a file a step, as in 'steps-%03d\.pdf'"):
        joined([b"%PDF-1.7\n1 0 obj\nstream\nendobj\nstartxref\n9\n%%EOF\n"] * 2, "t")


@pytest.mark.parametrize("suffix", ["gif", "webp", "apng"])
def test_an_animation_has_a_frame_for_each_step_and_goes_round(tmp_path, suffix):
    image = pytest.importorskip("PIL.Image")
    path = draw(NEURON, tmp_path / f"story.{suffix}")
    with image.open(io.BytesIO(path.read_bytes())) as opened:
        assert opened.n_frames == len(NEURON.steps)
        assert opened.info.get("loop", 0) == 0
        durations = []
        for k in range(opened.n_frames):
            opened.seek(k)
            opened.load()
            durations.append(opened.info["duration"])
    assert min(durations) >= 900
    assert max(durations[:-1]) <= 4500 < durations[-1] or durations[-1] >= 2000
    assert len(set(durations)) > 3


@pytest.mark.parametrize(("suffix", "theme"), [("gif", "light"), ("gif", "dark"), ("webp", "light"), ("apng", "dark")])
def test_an_animation_has_the_very_colours_of_its_theme(tmp_path, suffix, theme):
    image = pytest.importorskip("PIL.Image")
    with image.open(draw(NEURON, tmp_path / f"s.{suffix}", steps="9-10", theme=theme)) as opened:
        frame = opened.convert("RGB")
    seen = {"#" + bytes(colour).hex() for _, colour in frame.getcolors(frame.width * frame.height)}
    look = THEMES[theme].look("loss")
    assert {THEMES[theme].background, look.fill} <= seen


def test_an_animation_of_chosen_steps_has_only_those(tmp_path):
    image = pytest.importorskip("PIL.Image")
    with image.open(draw(NEURON, tmp_path / "story.gif", steps="backward")) as opened:
        assert opened.n_frames == 5
    with image.open(draw(NEURON, tmp_path / "one.gif", steps="9")) as opened:
        assert opened.n_frames == 1


def test_an_animation_without_pillow_names_the_extra(tmp_path, monkeypatch):
    original = builtins.__import__

    def without(name, *rest, **options):
        if name == "PIL":
            raise ImportError("No module named 'PIL'")
        return original(name, *rest, **options)

    monkeypatch.setattr(builtins, "__import__", without)
    with pytest.raises(ExtraMissing, match=re.escape("pip install 'graphdl[pictures]'")):
        draw(NEURON, tmp_path / "story.gif")
    assert draw(NEURON, tmp_path / "story.png").exists()


def test_what_needs_no_paint_needs_no_graphviz(tmp_path, monkeypatch):
    broken = tmp_path / "worker.py"
    broken.write_text("import sys; sys.stderr.write('pygraphviz cannot be imported: no such module'); sys.exit(3)")
    monkeypatch.setattr(graphviz, "_WORKER", broken)
    for suffix in ("html", "svg", "dot", "mmd", "json", "txt"):
        assert draw(NEURON, tmp_path / f"p.{suffix}").stat().st_size > 500
    for suffix in ("png", "pdf", "gif"):
        with pytest.raises(DrawError, match="pygraphviz cannot be imported: no such module; install it with"):
            draw(NEURON, tmp_path / f"q.{suffix}", steps="1-2")
    assert list(tmp_path.glob("q*")) == []


def test_word_is_given_of_how_far_many_pictures_have_come(tmp_path):
    seen = []
    draw(NEURON, tmp_path / "s.png", steps="1-3", progress=lambda done, total: seen.append((done, total)))
    assert seen == [(1, 3), (2, 3), (3, 3)]


def test_fourteen_pictures_are_painted_by_one_process(tmp_path, monkeypatch):
    started = []
    original = graphviz.subprocess.Popen
    monkeypatch.setattr(graphviz.subprocess, "Popen", lambda *a, **o: started.append(1) or original(*a, **o))
    draw(NEURON, tmp_path / "s.png", steps="all")
    assert len(started) == 2  # one lays the graph out, one paints


@pytest.mark.parametrize("suffix", ["png", "pdf", "gif", "webp", "apng"])
def test_korean_captions_without_a_font_are_warned_about_once(tmp_path, monkeypatch, suffix):
    if suffix in ("gif", "webp", "apng"):
        pytest.importorskip("PIL")
    monkeypatch.setattr(fonts, "_has_font", lambda language: False)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        draw(NEURON, tmp_path / f"s.{suffix}", steps="1-3", lang="ko")
    (warning,) = caught
    assert "no Korean font is installed" in str(warning.message)
    assert warning.filename == __file__


def test_a_page_is_the_player_of_the_trace(tmp_path):
    path = draw(NEURON, tmp_path / "p.html", steps=9, lang="ko", theme="dark", title="뉴런 </script>")
    text = path.read_text("utf-8")
    assert text.lower().startswith("<!doctype html>")
    assert "<title>뉴런 &lt;/script&gt;</title>" in text
    assert NEURON.steps[8].caption["ko"] in text


def test_a_long_u_shaped_graph_is_back_as_blocks_in_less_than_two_seconds(tmp_path):
    found = told(lambda: stories.chain(500))
    took = []
    for _ in range(2):  # the better of two, since other work may run beside the tests
        start = perf_counter()
        draw(found, tmp_path / "u.svg")
        took.append(perf_counter() - start)
    assert min(took) < 2
    assert any("block" in shown.classes for shown in read((tmp_path / "u.svg").read_text("utf-8")).values())
