"""Files by their suffix, clear refusals, and what hostile names cannot do."""

import json
import os
import re
import subprocess
import sys
import xml.etree.ElementTree as ElementTree
from pathlib import Path

import numpy as np
import pytest

import graphdl as gd
from graphdl.draw import draw, graphviz, trace
from graphdl.draw.layout import Cell, Link, place
from graphdl.draw.picture import picture
from graphdl.draw.style import LIGHT, one_line
from graphdl.draw.xdot import to_background
from graphdl.errors import DrawError
from tests.draw import stories
from tests.draw.pictures import by_symbol

pygraphviz = pytest.importorskip("pygraphviz")

HOSTILE = [
    '<b>bold</b> & "quoted"',
    "back\\slash\\N\\G\\",
    "two\nlines\tand\ra tab",
    "</script><script>alert(1)</script>",
    "\u202eright to left \u05d0\u05d1",
    "😀 emoji",
    "x" * 10_000,
    "\x00nul\x07bell",
    '"; import os',
    "]]> --> &#0; &nbsp;",
    "lone \ud800 surrogate",
    "a, b] -> c [shape=star",
]


def _drawn(path, **options):
    made = stories.squared_neuron()
    return draw(made.loss, path, feeds=made.feeds, **options)


def test_the_suffix_says_the_format(tmp_path):
    paths = [_drawn(tmp_path / f"picture.{suffix}") for suffix in ("svg", "png", "pdf", "dot", "json", "txt")]
    svg, png, pdf, dot, trace_file, text = (path.read_bytes() for path in paths)
    assert ElementTree.fromstring(svg).tag.endswith("svg")
    assert png.startswith(b"\x89PNG")
    assert pdf.startswith(b"%PDF")
    assert len(pygraphviz.AGraph(string=dot.decode()).nodes()) == len(json.loads(trace_file)["nodes"])
    assert "∂loss/∂w = ∂loss/∂t₁ · ∂t₁/∂w" in text.decode()
    assert list(tmp_path.iterdir()) == unordered(paths)


class unordered(list):
    def __eq__(self, other):
        return sorted(self) == sorted(other)


def test_png_has_the_proportions_of_the_picture(tmp_path):
    svg = ElementTree.fromstring(_drawn(None))
    png = _drawn(tmp_path / "picture.PNG").read_bytes()
    width, height = (int.from_bytes(png[i : i + 4], "big") for i in (16, 20))
    assert width / height == pytest.approx(float(svg.get("width")) / float(svg.get("height")), rel=0.01)
    assert width == pytest.approx(float(svg.get("width")) * 2, rel=0.01)


def test_an_unknown_suffix_lists_the_known_ones(tmp_path):
    known = ".html, .svg, .png, .pdf, .gif, .webp, .apng, .dot, .mmd, .json, .txt"
    with pytest.raises(DrawError, match=f"ends in '.htm', expected one of {known}. Did you mean '.html'?"):
        _drawn(tmp_path / "picture.htm")
    with pytest.raises(DrawError, match="ends in 'nothing', expected one of"):
        _drawn(tmp_path / "picture")


def test_an_unwritable_path_is_refused_and_leaves_nothing_behind(tmp_path):
    with pytest.raises(gd.GraphdlError, match=r"cannot write .*missing.*No such file or directory"):
        _drawn(tmp_path / "missing" / "picture.svg")
    (tmp_path / "folder.svg").mkdir()
    with pytest.raises(gd.GraphdlError, match="cannot write"):
        _drawn(tmp_path / "folder.svg")
    assert [path.name for path in tmp_path.iterdir()] == ["folder.svg"]


def test_a_failure_leaves_the_old_file_as_it_was(tmp_path):
    path = tmp_path / "picture.png"
    path.write_text("old")
    with pytest.raises(DrawError, match="needed more than"):
        _drawn(path, time_limit=1e-6)
    assert path.read_text() == "old"


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"view": "circut"}, "there is no view 'circut'. Did you mean 'circuit'? It is one of auto, circuit"),
        ({"theme": "lite"}, "there is no theme 'lite'. Did you mean 'light'? It is one of auto, light, dark, mono"),
        ({"step": 99}, "there is no step 99, expected 0 to"),
    ],
)
def test_unknown_words_are_refused_with_a_suggestion(options, message):
    with pytest.raises(DrawError, match=re.escape(message)):
        _drawn(None, **options)


def test_what_is_no_graph_is_refused():
    with pytest.raises(DrawError, match="draw was given 3, a int; expected a node, a list of nodes, a graph, a model"):
        draw(3)
    with pytest.raises(DrawError, match="gradients are drawn for one loss"):
        x = gd.placeholder((), name="x")
        draw([x * 1.0, x * 2.0], wrt=[x])


def test_too_many_nodes_are_refused_unless_forced():
    made = stories.chain(3)
    x = gd.placeholder((2100,), "float64", name="x")
    many = [gd.placeholder((), "float64", name=f"x{i}") for i in range(2100)]
    wide = gd.add_n(*many)
    with pytest.raises(DrawError, match=r"2101 nodes to show, expected at most 2000; draw view='blocks'"):
        draw(wide, view="circuit")
    assert draw(made.loss, force=True).startswith("<svg")
    assert x.shape == (2100,)


@pytest.mark.parametrize("view", ["circuit", "rails", "blocks"])
def test_hostile_names_are_only_text(tmp_path, view):
    leaves = [gd.Variable(float(i + 1), "float64", name=name) for i, name in enumerate(HOSTILE)]
    with gd.name_scope('scope"<&>\\'):
        loss = gd.add_n(*leaves, name=HOSTILE[0])
    svg = draw(loss, view=view)
    root = ElementTree.fromstring(svg)
    assert {element.tag.rpartition("}")[2] for element in root.iter()} <= {
        "svg", "title", "rect", "g", "text", "path", "polygon",
    }  # fmt: skip
    assert max(len(text) for text in root.itertext()) < 2000
    for suffix, head in ((".png", b"\x89PNG"), (".pdf", b"%PDF")):
        assert draw(loss, tmp_path / f"hostile{suffix}", view=view).read_bytes().startswith(head)


def test_hostile_names_arrive_whole_in_dot_and_json(tmp_path):
    leaves = [gd.Variable(float(i + 1), "float64", name=name) for i, name in enumerate(HOSTILE)]
    found = trace(gd.add_n(*leaves))
    path = draw(found, tmp_path / "hostile.dot")
    read = pygraphviz.AGraph(str(path))
    assert {str(node) for node in read.nodes()} == set(found.by_id)
    assert {str(node) for node in read.nodes()} == {node.attr["id"] for node in read.nodes()}
    for node in found.forward:
        shown = read.get_node(node.id).attr["label"].split("\\nf64")[0]
        expected = node.symbol if node.is_leaf else f"+ {node.symbol}"
        assert shown.replace("\\\\", "\\") == expected
    names = [node["name"] for node in json.loads(found.to_json())["nodes"] if node["kind"] == "variable"]
    assert names == [one_line(name) for name in HOSTILE]


def test_a_long_name_is_cut_in_the_picture():
    x = gd.Variable(1.0, "float64", name="x" * 10_000)
    (shown,) = [found for found in by_symbol(draw(x * 2.0)).values() if "variable" in found.classes]
    assert shown.text("name").endswith("…")
    assert len(shown.text("name")) < 30


def test_bytes_are_the_same_in_every_process(tmp_path):
    program = (
        "from tests.draw import stories; from graphdl.draw import draw\n"
        "for story in stories.ALL:\n"
        "    made = story()\n"
        "    for view in ('circuit', 'rails', 'blocks'):\n"
        "        print(draw(made.loss, feeds=made.feeds, view=view))\n"
    )
    root = Path(__file__).resolve().parents[2]
    runs = [
        subprocess.run(
            [sys.executable, "-c", program],
            env={**os.environ, "PYTHONHASHSEED": seed, "PYTHONPATH": str(root)},
            capture_output=True,
            check=True,
            cwd=root,
        ).stdout
        for seed in ("1", "2")
    ]
    assert runs[0] == runs[1]
    assert runs[0].count(b"<svg") == 3 * len(stories.ALL)


def test_a_u_shaped_graph_of_500_nodes_comes_back_as_blocks_in_seconds():
    from time import perf_counter

    made = stories.chain(500)
    start = perf_counter()
    svg = draw(made.loss, feeds=made.feeds)
    assert perf_counter() - start < 5
    assert 'class="block"' in svg


def test_a_layout_that_takes_too_long_is_stopped_and_done_another_way():
    cells = [Cell(f"n{i}", 40, 20) for i in range(1, 200)]
    links = [Link(f"n{i}", f"n{j}") for i in range(1, 200) for j in range(i + 1, 200, 7)]
    placed = place(cells, links, time_limit=0.05)
    assert placed.engine == "layers"
    assert set(placed.at) == {cell.id for cell in cells}
    assert len(placed.paths) == len(links)


def test_pictures_need_no_graphviz_but_png_says_what_is_missing(tmp_path, monkeypatch):
    broken = tmp_path / "worker.py"
    broken.write_text("import sys; sys.stderr.write('pygraphviz cannot be imported: no such module'); sys.exit(3)")
    monkeypatch.setattr(graphviz, "_WORKER", broken)
    shown = by_symbol(_drawn(None))
    assert shown["loss"].text("value") == "0.07233"
    assert _drawn(tmp_path / "graph.dot").exists()
    with pytest.raises(DrawError, match="pygraphviz cannot be imported: no such module; install it with"):
        _drawn(tmp_path / "picture.png")


def test_layers_of_our_own_overlap_nothing_and_run_from_left_to_right(monkeypatch, tmp_path):
    broken = tmp_path / "worker.py"
    broken.write_text("import sys; sys.exit(3)")
    monkeypatch.setattr(graphviz, "_WORKER", broken)
    random = np.random.default_rng(0)
    cells = [Cell(f"n{i}", *random.uniform(10, 60, 2)) for i in range(60)]
    links = [Link(f"n{i}", f"n{j}") for i in range(60) for j in random.integers(i + 1, 61, 2) if j < 60]
    placed = place(cells, links)
    size = {cell.id: (cell.width, cell.height) for cell in cells}
    for i, a in enumerate(cells):
        for b in cells[:i]:
            (x, y), (u, v) = placed.at[a.id], placed.at[b.id]
            apart_x = abs(x - u) >= (size[a.id][0] + size[b.id][0]) / 2 - 1e-6
            apart_y = abs(y - v) >= (size[a.id][1] + size[b.id][1]) / 2 - 1e-6
            assert apart_x or apart_y
    for link, path in zip(links, placed.paths, strict=True):
        assert path[0] == pytest.approx(
            (placed.at[link.source][0] + size[link.source][0] / 2, placed.at[link.source][1])
        )
        assert path[-1] == pytest.approx(
            (placed.at[link.target][0] - size[link.target][0] / 2, placed.at[link.target][1])
        )
        assert path[0][0] < path[-1][0]


def test_nothing_is_written_to_the_terminal(tmp_path, capfd):
    _drawn(tmp_path / "picture.png")
    assert capfd.readouterr() == ("", "")


def test_korean_text_without_a_font_is_warned_about(tmp_path, monkeypatch):
    from graphdl.draw import fonts

    monkeypatch.setattr(fonts, "_has_font", lambda language: False)
    loss = gd.Variable(1.0, name="손실") * 2.0
    with pytest.warns(UserWarning, match="no Korean font is installed"):
        draw(loss, tmp_path / "picture.png")


def test_a_folder_that_is_not_there_is_noticed_before_anything_is_drawn(tmp_path, monkeypatch):
    def drawn(*args):
        raise AssertionError("drawn in vain")

    monkeypatch.setattr("graphdl.draw.outputs.drawing.frames", drawn)
    for name in ("absent/a.svg", "absent/step-%03d.png", "absent/a.html"):
        with pytest.raises(gd.WriteError, match=r"cannot write '.*absent/.*': No such file or directory"):
            draw(stories.apple_shop().loss, tmp_path / name)
    (tmp_path / "file").write_text("")
    with pytest.raises(gd.WriteError, match=r"cannot write '.*file/a.svg': Not a directory"):
        draw(stories.apple_shop().loss, tmp_path / "file" / "a.svg")


def test_a_text_without_letters_does_not_end_the_painting():
    """Graphviz drops all that comes behind an empty text."""
    made = stories.squared_neuron()
    found = trace(made.loss, feeds=made.feeds)
    assert '<text class="local" data-slot' in draw(found, step=3)
    assert " 0 -" not in to_background(picture(found, "circuit", LIGHT, 3, 20.0, False))
