"""Every number of every backward step, against finite differences and NumPy: golden stories, networks and examples."""

from __future__ import annotations

import importlib.util
import math
import re
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import graphdl as gd
from graphdl.draw import Trace, trace
from graphdl.draw.digits import number, parsed
from graphdl.draw.subject import Subject, subject, values
from graphdl.ir.leaves import Noise
from graphdl.ir.node import Node
from graphdl.ir.types import TupleType
from graphdl.runtime.stepper import Stepper
from tests.draw import networks, stories
from tests.draw.stories import Story

EXAMPLES = Path(__file__).resolve().parents[2] / "examples"
# A step of a finite difference; values are doubles there, whatever the graph computes in.
STEP = 1e-5


def _example(name: str) -> Any:
    spec = importlib.util.spec_from_file_location(f"example_{name}", EXAMPLES / f"{name}.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def _of_file(name: str) -> Story:
    module = _example(name)
    return Story(module.loss, module.feeds)


def _by_numbers() -> Story:
    return Story(_example("course_network").by_numbers())


def _of_model(name: str, count: int = 3) -> Story:
    """The loss of a model on its first data."""
    if name.startswith("digits"):
        pytest.importorskip("sklearn")
    module = _example(name)
    training = module.model.training
    x, y = module.data if not isinstance(module.data[0], tuple) else module.data[0]
    arrays = [part for given in (x, y) for part in (given if isinstance(given, tuple | list) else [given])]
    arrays = [array for given in arrays for array in (given.values() if isinstance(given, dict) else [given])]
    feeds = {}
    for leaf, array in zip(gd.Graph(training.loss).placeholders, arrays, strict=True):
        part = np.asarray(array)[:count].astype(leaf.dtype)
        feeds[leaf] = part.reshape(-1, 1) if part.ndim < leaf.ndim else part
    return Story(training.loss, feeds, wrt=training.variables)


TOLD = {
    **{story.__name__: story for story in (*stories.ALL, *networks.NETWORKS)},
    "apple_shop.py": lambda: _of_file("apple_shop"),
    "chain_rule.py": lambda: _of_file("chain_rule"),
    "course_network.py": lambda: _of_file("course_network"),
    "course_network.py:by_numbers": _by_numbers,
    **{
        f"{name}.py": lambda name=name: _of_model(name)
        for name in (
            "linear_regression", "xor", "custom_op", "multi_output", "playground", "digits_mlp", "digits_dropout",
        )
    },
}  # fmt: skip
every_story = pytest.mark.parametrize("name", TOLD)


@cache
def _told(name: str) -> tuple[Story, Trace, Subject, dict[Node, Any]]:
    """A story, its trace, and the nodes behind the trace with all their values."""
    made = TOLD[name]()
    session = gd.Session(seed=1)
    found = subject(made.loss, made.wrt, None, True)
    known, _ = values(found, made.feeds, session)
    return made, trace(made.loss, made.wrt, made.feeds, session), found, known


def _directions(value: Any, seed: int) -> np.ndarray:
    return np.random.default_rng(seed).choice([-1.0, 1.0], np.shape(value))


def _along(graph: gd.Graph, feeds: Any, known: dict[Node, Any], at: Node, way: np.ndarray, read: Node) -> np.ndarray:
    """The derivative of `read` when `at` goes `way`, all in `known` held: by central differences, in doubles."""
    ends = []
    for h in (STEP, -STEP):
        stepper = Stepper(graph, feeds, gd.Session(seed=1))
        stepper.found.update(known)
        stepper.found[at] = np.asarray(known[at], "float64") + h * way
        ends.append(np.asarray(stepper.values()[read], "float64"))
    return (ends[0] - ends[1]) / (2 * STEP)


def _is_float(node: Node) -> bool:
    return not isinstance(node.type, TupleType) and node.tensor.is_float


@every_story
def test_what_each_step_sends_back_is_what_finite_differences_of_its_op_say(name):
    made, _, found, known = _told(name)
    graph, checked = gd.Graph({"loss": found.loss}), 0
    for target, lanes in found.visits:
        if isinstance(target.type, TupleType) or isinstance(target.op, Noise):
            continue
        held = {node: _wide(value) for node, value in known.items() if node is not target}
        for source in dict.fromkeys(lane.source for lane in lanes):
            sent = [known[lane.term] for lane in lanes if lane.source is source]
            if not _is_float(source):
                continue
            way = _directions(known[source], len(found.forward))
            upstream = known[found.gradient[target]]
            numeric = np.sum(np.asarray(upstream, "float64") * _along(graph, made.feeds, held, source, way, target))
            exact = sum(np.sum(np.asarray(term, "float64") * way) for term in sent)
            scale = sum(np.sum(np.abs(term)) for term in sent)
            assert abs(exact - numeric) <= 2e-4 * scale + 1e-9, (target, source, exact, numeric)
            checked += 1
    assert checked


def _wide(value: Any) -> Any:
    array = np.asarray(value)
    return array.astype("float64") if array.dtype.kind == "f" else value


@every_story
def test_each_gradient_is_that_of_the_loss_by_finite_differences(name):
    made, told, found, known = _told(name)
    graph = gd.Graph({"loss": found.loss})
    leaves = {node: _wide(value) for node, value in known.items() if not node.inputs}
    frame = told.frame()
    for node in found.required:
        if not _is_float(node) or node not in found.gradient:
            continue
        gradient = np.asarray(known[found.gradient[node]], "float64")
        way = _directions(known[node], 7)
        held = {**leaves, node: _wide(known[node])}
        numeric = _along(graph, made.feeds, held, node, way, found.loss)
        scale = np.sum(np.abs(gradient))
        assert abs(np.sum(gradient * way) - numeric) <= 5e-4 * scale + 1e-8, (node, gradient, numeric)
        shown = frame.gradients[found.ids[node]]
        assert shown.norm == pytest.approx(np.linalg.norm(gradient), rel=1e-6, abs=1e-300)


@every_story
def test_numbers_shown_are_those_of_the_arrays(name):
    """Of numbers and whole arrays, upstream × local = what is sent; and the trace holds what was computed."""
    _, told, found, known = _told(name)
    frame = told.frame()
    edge = {(edge.target, edge.slot): edge.id for edge in told.edges if edge.direction == "forward"}
    for lane in found.lanes:
        wire = edge[found.ids[lane.target], lane.slot]
        sent, term = np.asarray(known[lane.term], "float64"), frame.terms[wire]
        assert term.shape == sent.shape
        assert term.norm == pytest.approx(np.linalg.norm(sent), rel=1e-6, abs=1e-300)
        if term.data is not None:
            np.testing.assert_array_equal(np.reshape(term.data, term.shape), known[lane.term])
        if lane.local is not None and not isinstance(lane.upstream, tuple):
            product = np.asarray(known[lane.upstream], "float64") * known[lane.local]
            np.testing.assert_allclose(sent, product, rtol=2e-5, atol=1e-7 * np.max(np.abs(sent), initial=0.0))


@every_story
def test_each_line_of_numbers_says_what_its_numbers_come_to(name):
    """``[0, 1]: 0.1 × 2 + 0.3 × 1 = 0.5``: read, worked out, and held against the element that was sent."""
    _, told, *_ = _told(name)
    frame = told.frame()
    for lane in (lane for step in told.steps for lane in step.lanes if lane.numbers):
        place, sides, sign, result = _read(lane.numbers)
        exact = math.fsum(math.prod(map(parsed, factors)) for factors in sides)
        term = frame.terms[lane.edge]
        element = np.reshape(term.data, term.shape)[place]
        assert result == number(float(element)), lane.numbers
        rough = 2e-3 * math.fsum(abs(math.prod(map(parsed, factors))) for factors in sides)
        assert parsed(result) == pytest.approx(exact, abs=rough + 1e-12), lane.numbers
        assert (sign == "=") == (number(float(f"{exact:.12g}")) == result), lane.numbers


def _read(line: str) -> tuple[tuple[int, ...], list[list[str]], str, str]:
    """The place, the factors of each term, ``=`` or ``≈``, and the result."""
    found = re.fullmatch(r"(?:\[([\d, ]*)\]: )?(.*) ([=≈]) (\S+)", line)
    assert found, line
    place = tuple(int(i) for i in found[1].split(",")) if found[1] else ()
    terms = [[factor.strip("()") for factor in term.split(" × ")] for term in found[2].split(" + ")]
    return place, terms, found[3], found[4]


def test_numbers_are_worked_out_in_most_small_stories():
    counts = {name: sum(bool(lane.numbers) for step in _told(name)[1].steps for lane in step.lanes) for name in TOLD}
    assert all(counts[name] for name in ("xor", "layers", "fan_out", "course_network.py", "xor.py", "apple_shop.py"))
    assert sum(counts.values()) > 150
