"""The step log, JSON, DOT and Mermaid: read back as what they show, whatever names are in them."""

import json
import re
import xml.etree.ElementTree as ElementTree

import pytest

import graphdl as gd
from graphdl.draw import draw, trace
from tests.draw import stories

pytest.importorskip("pygraphviz")


def told(story=stories.squared_neuron, **options):
    made = story()
    return trace(made.loss, feeds=made.feeds, **options)


NEURON = told()


def test_the_log_tells_the_chosen_steps_with_their_own_numbers(tmp_path):
    lines = draw(NEURON, tmp_path / "s.txt", steps="9,10", lang="both").read_text("utf-8").splitlines()
    assert lines[0] == f" 9. {NEURON.steps[8].caption['en']}"
    assert lines[1] == f"    {NEURON.steps[8].caption['ko']}"
    assert [line[:3] for line in lines if re.match(r"[ \d]\d\.", line)] == [" 9.", "10."]


def test_the_trace_as_json_is_told_at_the_granularity_asked_for(tmp_path):
    path = draw(NEURON, tmp_path / "t.json", granularity="phase")
    assert [s["phase"] for s in json.loads(path.read_text("utf-8"))["steps"]] == list(
        dict.fromkeys(step.phase for step in NEURON.steps)
    )


def test_dot_and_mermaid_show_only_what_is_known_at_a_step(tmp_path):
    for suffix in ("dot", "mmd"):
        early, late = (draw(NEURON, tmp_path / f"{n}.{suffix}", steps=n).read_text("utf-8") for n in (2, 14))
        assert "0.7311" not in early
        assert "0.7311" in late
        assert not re.search(r"(\\n|<br/>)∂ ", early)
        assert re.search(r"(\\n|<br/>)∂ −0.1586", late)


def mermaid(text):
    """Ids with their labels, arrows, and classes of a flowchart in our manner; anything else fails."""
    lines = text.splitlines()
    start = lines.index("flowchart LR")
    head = lines[3:start] if lines[0] == "---" else lines[:start]
    if lines[0] == "---":
        assert json.loads(lines[1].removeprefix("title: ")) is not None
        assert lines[2] == "---"
    assert all(line.startswith("%% ") for line in head)
    assert "%%{" not in text
    nodes, arrows, classes = {}, [], []
    for line in lines[start + 1 :]:
        node = re.fullmatch(r"  ([nb]\d+)[\[(]{1,2}\[?\"(.*)\"\]?[\])]{1,2}:::(\w+)", line)
        arrow = re.fullmatch(r"  ([nb]\d+) (-->|-\.->|-\.-) ([nb]\d+)", line)
        style = re.fullmatch(r"  (classDef \w+|linkStyle [\d,]+) [\w:#,\- ]+", line)
        assert node or arrow or style, line
        if node:
            nodes[node[1]] = node[2]
        elif arrow:
            arrows.append((arrow[1], arrow[3]))
        else:
            classes.append(style[1])
    return nodes, arrows, classes


def test_mermaid_has_the_nodes_and_wires_of_the_graph(tmp_path):
    nodes, arrows, _ = mermaid(draw(NEURON, tmp_path / "n.mmd").read_text("utf-8"))
    assert set(nodes) == {node.id for node in NEURON.forward}
    assert sorted(arrows) == sorted((e.source, e.target) for e in NEURON.edges if e.direction == "forward")
    rails, arrows, styles = mermaid(draw(NEURON, tmp_path / "r.mmd", view="rails").read_text("utf-8"))
    assert set(rails) == set(NEURON.by_id)
    assert len(arrows) == len(NEURON.edges)
    assert any(style.startswith("linkStyle") for style in styles)


def test_mermaid_falls_back_to_blocks_and_says_so_where_it_would_refuse(tmp_path):
    leaves = [gd.placeholder((), "float64", name=f"x{i}") for i in range(600)]
    text = draw(gd.add_n(*leaves), tmp_path / "wide.mmd", view="circuit").read_text("utf-8")
    assert "%% 600 edges are more than Mermaid draws (500); here are blocks" in text
    long = draw(told(lambda: stories.chain(290)), tmp_path / "long.mmd", view="rails").read_text("utf-8")
    assert re.search(r"%% \d+ (edges|characters) are more than Mermaid (draws|reads) \(\d+\); here are blocks", long)
    assert len(mermaid(long)[0]) < 60


HOSTILE = [
    '<b>bold</b> & "quoted"',
    "back\\slash\\N\\G\\",
    "two\nlines\tand\ra tab",
    "</script><script>alert(1)</script>",
    "\u202eright to left \u05d0\u05d1",
    "😀 emoji",
    "x" * 10_000,
    "\x00nul\x07bell",
    "`**md**` $$x^2$$ fa:fa-ban",
    "%%{init: {'theme':'x'}}%%",
    '"] --> z; click n1 call alert()',
    "end",
]


@pytest.mark.parametrize("suffix", ["svg", "dot", "mmd", "json", "txt"])
def test_hostile_names_in_every_place_are_only_text(tmp_path, suffix):
    """Names of leaves, ops, scopes, and the title, in every step."""
    leaves = [gd.Variable(float(i + 1), "float64", name=name) for i, name in enumerate(HOSTILE)]
    with gd.name_scope('scope"<&>\\'):
        total = gd.multiply(gd.add_n(*leaves, name=HOSTILE[3]), leaves[0], name=HOSTILE[9])
    found = trace(total)
    steps = None if suffix == "json" else "all"
    made = draw(found, tmp_path / f"h.{suffix}", steps=steps, title=HOSTILE[3] + HOSTILE[0])
    for path in made if isinstance(made, list) else [made]:
        text = path.read_text("utf-8")
        assert not {"\x00", "\x07", "\u202e"} & set(text)
        _CHECKS[suffix](text, found)


def _svg_holds_shapes_only(text, found):
    tags = {element.tag.rpartition("}")[2] for element in ElementTree.fromstring(text).iter()}
    assert tags <= {"svg", "title", "rect", "g", "text", "path", "polygon"}


def _dot_reads_back(text, found):
    import pygraphviz

    assert {str(node) for node in pygraphviz.AGraph(string=text).nodes()} == set(found.by_id)


def _mermaid_reads_back(text, found):
    nodes, _, _ = mermaid(text)
    assert set(nodes) == {node.id for node in found.forward}
    for label in nodes.values():
        assert not set(label.replace("<br/>", "")) & set('"<>&`{}[]%\\$')


def _json_is_whole(text, found):
    assert json.loads(text)["format"] == "graphdl trace"
    assert "<" not in text


def _log_has_its_lines(text, found):
    assert [line for line in text.splitlines() if re.match(r" *\d+\. ", line)] == [
        f"{k:{len(str(len(found.steps)))}}. {step.caption['en']}" for k, step in enumerate(found.steps, start=1)
    ]


_CHECKS = {
    "svg": _svg_holds_shapes_only,
    "dot": _dot_reads_back,
    "mmd": _mermaid_reads_back,
    "json": _json_is_whole,
    "txt": _log_has_its_lines,
}
