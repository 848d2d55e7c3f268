"""The buffer map: what it says about the program's memory is what the text of the program does."""

from __future__ import annotations

import ast
import re
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import graphdl as gd
from graphdl.compile.pipeline import optimise
from graphdl.draw.optimisation.buffers import buffer_map, program_of
from graphdl.draw.optimisation.memory_picture import MOST_ROWS, byte_text, memory_scene
from graphdl.draw.optimisation.story import matter
from graphdl.draw.style import LIGHT
from graphdl.draw.svg import to_svg
from graphdl.ir.dim import evaluate
from graphdl.ir.graph import Graph
from graphdl.ir.types import ITEMSIZE
from tests.draw.test_optimisation import classifier, crowd, network
from tests.random_graphs import grow, plans

SHARING = re.compile(r"\.(T|reshape\(|transpose\()|\[|xp\.broadcast_to\(|xp\.split\(")


def maps():
    yield "classifier", matter(classifier()).whole
    yield "crowd", crowd()
    yield "network", matter(network(3)).whole


MAPS = [pytest.param(buffer_map(program_of(optimise(g).graph)), id=n) for n, g in maps()]


class Text:
    """Reads and writes of buffers in the lines of a step, from its text alone."""

    def __init__(self, found):
        lines = found.module.text.splitlines()
        self.step = {n: lines[n - 1].split("  #")[0].strip() for n in range(found.first + 1, found.last + 1)}
        self.alias = {}
        for line in lines[: found.first - 1]:
            made = re.match(r"    (\w+) = (xp\.empty|(\w+)[.\[])", line)
            if made and made[2] == "xp.empty":
                self.alias[made[1]] = {made[1]}
            elif made and made[3] in self.alias:
                self.alias[made[1]] = self.alias[made[3]]
        self.reads, self.writes = {}, {}
        for number, text in self.step.items():
            self._line(number, text)

    def _line(self, number, text):
        (statement,) = ast.parse(text if not text.startswith("return") else "pass").body
        written = set()
        if isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Call):
            call = statement.value
            out = next((k.value for k in call.keywords if k.arg == "out"), None) or self._last(call)
            written = self._memory(out)
            out_name = getattr(out, "id", None)
            inner = [n for n in ast.walk(statement) if isinstance(n, ast.Name) and n is not out]
            assert out_name is not None, text
        else:
            inner = [n for n in ast.walk(statement) if isinstance(n, ast.Name)]
        read = {b for n in inner for b in self._memory(n)}
        self.reads[number], self.writes[number] = read, written
        if isinstance(statement, ast.Assign) and isinstance(statement.targets[0], ast.Name) and SHARING.search(text):
            first = next((n for n in ast.walk(statement.value) if isinstance(n, ast.Name) and n.id in self.alias), None)
            if first is not None and not text.endswith(".copy()"):
                self.alias[statement.targets[0].id] = self.alias[first.id]

    @staticmethod
    def _last(call):
        """The positional `out` of a ufunc, of a reduction, of a dot."""
        if isinstance(call.func, ast.Name) and call.func.id.endswith("_reduce"):
            return call.args[3]
        return call.args[-1]

    def _memory(self, name):
        return set(self.alias.get(getattr(name, "id", None), ()))

    def live(self):
        """For each line the buffers that hold something then: liveness, from the last line back."""
        found, after = {}, set()
        for number in sorted(self.step, reverse=True):
            found[number] = after | self.reads[number] | self.writes[number]
            after = (after - self.writes[number]) | self.reads[number]
        return found


@pytest.mark.parametrize("found", MAPS)
def test_bytes_held_at_each_line_are_those_of_a_liveness_analysis_of_the_text(found):
    size = {row.name: found.at(row.bytes) for row in found.rows if not row.is_variable}
    text = Text(found)
    end = next(n for n, line in text.step.items() if line.startswith("fetches = "))
    live = text.live()
    for number in range(found.first + 1, end + 1):
        assert found.live[number] == sum(size[b] for b in live[number]), text.step[number]
    assert found.peak[1] == max(found.live.values()) <= sum(size.values())
    assert found.live[found.peak[0]] == found.peak[1]


@pytest.mark.parametrize("found", MAPS)
def test_a_buffer_is_read_and_written_only_while_a_bar_stands_there(found):
    text = Text(found)
    for number in text.step:
        for buffer in text.reads[number] | text.writes[number]:
            standing = [b for b in found.bars if found.rows[b.row].name == buffer and b.first <= number <= b.last]
            assert standing, (number, buffer)


def overlapping(found):
    """Pairs of values that the map shows in one buffer at one line."""
    rows = {}
    for bar in found.bars:
        rows.setdefault(bar.row, []).append((bar.first, found.ends[bar.node]))
    return [(one, other) for spans in rows.values() for one, other in pairwise(spans) if other[0] <= one[1]]


@pytest.mark.parametrize("found", MAPS)
def test_two_values_never_stand_in_one_buffer_at_one_line(found):
    assert overlapping(found) == []


@settings(max_examples=40, deadline=None)
@given(plans, st.sets(st.integers(0, 15), min_size=1))
def test_no_program_has_two_values_in_one_buffer_at_one_line(plan, chosen):
    g = grow(plan)
    wanted = [g.nodes[i] for i in chosen if i < len(g.nodes)] or g.nodes[-1:]
    found = buffer_map(program_of(optimise(Graph({str(i): n for i, n in enumerate(wanted)})).graph))
    assert overlapping(found) == []
    assert all(found.first < bar.first <= found.ends[bar.node] <= found.last for bar in found.bars)


@pytest.mark.parametrize("found", MAPS)
def test_in_place_means_that_the_line_reads_the_buffer_it_writes(found):
    text = Text(found)
    places = [b for b in found.bars if b.over is not None and not found.rows[b.row].is_variable]
    assert places
    for bar in places:
        name = found.rows[bar.row].name
        lines = range(found.lines[bar.node][0], bar.first + 1)
        assert any(name in text.reads[n] for n in lines)
        assert name in text.writes[bar.first]


def test_the_workspace_is_that_of_the_plan_in_every_size():
    program = program_of(optimise(matter(network(2)).whole).graph)
    for n in (1, 32, 1000):
        found = buffer_map(program, {"N": n})
        planned = sum(evaluate(b.size, {"N": n}) * ITEMSIZE[b.dtype] for b in program.plan.buffers)
        assert found.at(found.workspace) == planned
        assert found.peak[1] <= planned <= found.at(found.unshared)


def test_a_chain_of_functions_is_computed_in_one_buffer_all_in_place():
    x = gd.placeholder((100,), "float64", name="x")
    h = x
    for _ in range(5):
        h = gd.exp(gd.sin(h))
    found = buffer_map(program_of(optimise(Graph({"y": h})).graph))
    assert len(found.rows) == 1
    assert [bar.over is not None for bar in found.bars] == [False] + [True] * 9
    assert found.peak[1] == 800


def test_a_new_value_written_into_its_variable_has_a_row_of_its_own():
    w = gd.Variable(np.ones(3, "f"), name="w")
    found = buffer_map(program_of(optimise(Graph((), [(w, w * 2)])).graph))
    assert [(row.name, row.is_variable) for row in found.rows] == [("w", True)]
    assert found.bars[0].over is w
    assert found.workspace == 0


def test_a_program_without_a_buffer_has_an_empty_map():
    x = gd.placeholder((3,), name="x")
    found = buffer_map(program_of(optimise(Graph({"y": x})).graph))
    assert found.bars == ()
    assert found.peak[1] == 0
    assert to_svg(memory_scene(found, LIGHT)).startswith("<svg")


def test_the_picture_has_a_bar_for_each_value_and_says_which_rows_it_leaves_out():
    found = MAPS[2].values[0]
    svg = to_svg(memory_scene(found, LIGHT))
    assert svg.count('class="bar ') == len(found.bars)
    assert f"line {found.peak[0]}" in svg
    xs = [gd.placeholder((i + 1,), "float64", name=f"x{i}") for i in range(MOST_ROWS + 5)]
    many = buffer_map(program_of(optimise(Graph({f"y{i}": gd.exp(x) for i, x in enumerate(xs)})).graph))
    assert len(many.rows) == MOST_ROWS + 5
    assert "5 smaller buffers are left out" in to_svg(memory_scene(many, LIGHT))
    assert "버퍼 5개는 생략" in to_svg(memory_scene(many, LIGHT, "ko"))


@pytest.mark.parametrize(("count", "text"), [(0, "0 B"), (1023, "1023 B"), (1024, "1 KB"), (1024**2 * 999, "999 MB")])
def test_bytes_are_written_as_people_read_them(count, text):
    assert byte_text(count) == text
