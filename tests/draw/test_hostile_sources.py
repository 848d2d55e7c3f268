"""The user's own file: its name, its lines and its scopes may hold anything, and stay texts in all that is drawn."""

from __future__ import annotations

import linecache
import re
import xml.etree.ElementTree as ElementTree
from html.parser import HTMLParser
from typing import Any

import pytest

import graphdl as gd
from graphdl.draw import draw, trace
from graphdl.draw.optimisation.viewer import optimisation
from graphdl.draw.player import page
from graphdl.sheet import sheet
from graphdl.sheet.writing import as_text
from tests.draw import stories

HOSTILE = [
    "</script><script>window.hacked = 1</script>",
    '"><img src=x onerror="window.hacked = 1">',
    '<!-- --> ]]> & \'quoted\' "twice" `` <img src=x onerror="window.hacked = 1"> ```',
    "\u202eright to left\u202c \u05d0\u05d1 \U0001f600\x07",
    "x" * 10_000,
    "${alert(1)} {{7*7}} @pictures@ \\end{document} $$",
]
SOURCE = """
x = gd.placeholder((None, 2), "float64", name="x")  # {0}
with gd.name_scope(scope):
    W = gd.Variable([[0.5, -1.0], [2.0, 0.25]], "float64", name="W"); z = x @ W  # {0}
with gd.name_scope(scope + "/inner"):
    L = gd.mean(gd.log(1 + gd.exp(z)), name="L")  # {0}
"""


def written(text: str) -> dict[str, Any]:
    """The names that a file defines which has `text` in its name, in its lines, and as the name of its scopes."""
    line = re.sub(r"[\n\r\x07]", " ", text)
    file = f"<{line[:200].replace('/', '_')}>.py"
    source = SOURCE.replace("{0}", line)
    linecache.cache[file] = (len(source), None, source.splitlines(True), file)
    names: dict[str, Any] = {"gd": gd, "scope": text.replace("/", "_")}
    exec(compile(source, file, "exec"), names)
    return names


@pytest.fixture(params=HOSTILE, ids=range(len(HOSTILE)))
def told(request):
    names = written(request.param)
    return names, trace(names["L"], feeds={"x": [[1.0, 2.0], [3.0, -1.0]]})


class _Tags(HTMLParser):
    def __init__(self, text: str) -> None:
        super().__init__()
        self.names: list[str] = []
        self.handlers: list[str] = []
        self.feed(text)
        self.close()

    def handle_starttag(self, tag: str, attrs: Any) -> None:
        self.names.append(tag)
        self.handlers += [key for key, _ in attrs if key.startswith("on")]


def _is_calm(text: str, like: str) -> None:
    """Nothing that runs, fetches or ends early that is not in a page of harmless names."""
    found, calm = _Tags(text), _Tags(like)
    assert found.handlers == []
    assert set(found.names) <= set(calm.names) | {"circle", "path", "rect", "polygon", "text", "g", "span", "div"}
    assert found.names.count("script") == calm.names.count("script")
    assert not {"\x00", "\x07", "\u202e"} & set(text)


def test_the_words_of_the_file_have_arrived(told):
    _, found = told
    assert any(node.source.startswith("W = gd.Variable") for node in found.nodes)
    assert all(re.search(r"\.py:\d+$|…$", node.origin) for node in found.forward)


def test_a_player_holds_them_as_texts(told):
    _, found = told
    text = page(found)
    _is_calm(text, page(trace(stories.xor().loss)))
    assert len(text) < 600_000


def test_every_picture_is_xml_of_shapes(told):
    _, found = told
    for view in ("circuit", "rails", "blocks"):
        root = ElementTree.fromstring(draw(found, view=view))
        tags = {element.tag.rpartition("}")[2] for element in root.iter()}
        assert tags <= {"svg", "title", "rect", "g", "text", "path", "polygon"}


def test_texts_for_other_programs_read_back(told, tmp_path):
    import pygraphviz

    _, found = told
    graph = pygraphviz.AGraph(str(draw(found, tmp_path / "a.dot")))
    assert {str(node) for node in graph.nodes()} == set(found.by_id)
    assert type(found).from_json(draw(found, tmp_path / "a.json").read_text("utf-8")) == found
    for suffix in (".mmd", ".txt", ".png"):
        assert draw(found, tmp_path / f"a{suffix}").stat().st_size > 100


def test_the_page_of_the_compiler_holds_them_as_texts(told):
    names, _ = told
    _is_calm(optimisation(names["L"]), optimisation(stories.xor().loss))


@pytest.mark.parametrize("suffix", [".html", ".md", ".tex"])
def test_sheets_hold_them_as_texts(told, suffix):
    names, _ = told
    text = as_text(sheet(names["L"], (names["W"], (0, 0)), {names["x"]: [[1.0, 2.0]]}), suffix)
    if suffix == ".md":
        # A code span ends at as many backticks as it began with.
        text = re.sub(r"(?<!`)(`+)(?!`)(.+?)(?<!`)\1(?!`)", "", text)
    assert not re.search(r"<script>window|<img", text)
    assert len(text) < 400_000
