"""Every op of the registry has a picture, a story, and numbers that fit together."""

import xml.etree.ElementTree as ElementTree

import numpy as np
import pytest

import graphdl as gd
from graphdl.draw import draw, graphviz, trace
from graphdl.errors import DrawError
from graphdl.ir.op import build
from graphdl.ir.types import TupleType
from tests.ops.checks import all_cases

CASES = [case for case in all_cases() if case.number == 0]


@pytest.fixture(autouse=True)
def _without_graphviz(monkeypatch):
    """Layers of our own: as good for what is shown, and a hundred times faster to start."""

    def missing(*args, **options):
        raise DrawError("not here")

    monkeypatch.setattr(graphviz, "run", missing)


def _loss(case):
    """The op, made a scalar, and what it is fed; None for an op that has no floats to differentiate."""
    inputs = case.inputs("float64")
    node = build(case.op, *inputs)
    if isinstance(node.type, TupleType):
        node = gd.pick(node, 0)
    feeds = dict(zip(inputs, case.arrays("float64"), strict=True))
    return (gd.sum(node) if node.tensor.is_float and node.ndim else node), feeds


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
@pytest.mark.filterwarnings("ignore::graphdl.errors.ZeroGradientWarning")
def test_an_op_is_drawn_and_its_gradients_are_the_sums_of_their_lanes(case):
    loss, feeds = _loss(case)
    found = trace(loss, feeds=feeds)
    frame = found.frame()
    for node in found.forward:
        terms = [frame.terms[e.id].data for e in found.edges if e.source == node.id and e.id in frame.terms]
        if terms and node.id in frame.gradients and all(term is not None for term in terms):
            total = np.sum([np.array(term) for term in terms], axis=0)
            np.testing.assert_allclose(np.array(frame.gradients[node.id].data), total, rtol=1e-12)
    for view in ("circuit", "rails", "blocks"):
        assert ElementTree.fromstring(draw(found, view=view)).tag.endswith("svg")
    assert found == type(found).from_json(found.to_json()) or "nan" in found.to_json()


def test_the_walk_meets_every_op_that_has_a_sample():
    assert len({case.name for case in CASES}) > 70
