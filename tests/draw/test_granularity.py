"""The same story told more finely and more coarsely: nothing is lost, and each phase keeps its place."""

import re
from itertools import groupby

import pytest

import graphdl as gd
from graphdl.draw import trace
from graphdl.draw.digits import parsed
from graphdl.draw.granularity import GRANULARITIES, at_granularity
from graphdl.draw.model import Trace
from graphdl.errors import DrawError
from tests.draw import stories
from tests.draw.stories import ALL

every_story = pytest.mark.parametrize("story", ALL, ids=lambda story: story.__name__)
every_granularity = pytest.mark.parametrize("granularity", GRANULARITIES)


def _traced(made):
    return trace(made.loss, made.wrt, made.feeds)


@every_story
@every_granularity
def test_every_telling_ends_with_the_same_numbers(story, granularity):
    told = _traced(story())
    retold = at_granularity(told, granularity)
    assert retold.frame() == told.frame()
    assert (retold.nodes, retold.edges, retold.code) == (told.nodes, told.edges, told.code)


@every_story
@every_granularity
def test_every_telling_keeps_the_order_of_phases(story, granularity):
    told = _traced(story())
    phases = [key for key, _ in groupby(step.phase for step in told.steps)]
    assert [key for key, _ in groupby(s.phase for s in at_granularity(told, granularity).steps)] == phases


@every_story
def test_by_phase_each_phase_is_one_step(story):
    steps = at_granularity(_traced(story()), "phase").steps
    assert len({step.phase for step in steps}) == len(steps)


@every_story
def test_by_parts_each_step_brings_one_thing_along_one_wire(story):
    told = _traced(story())
    for step in at_granularity(told, "sub").steps:
        if step.phase == "backward":
            (lane,) = step.lanes
            assert step.active_edges == (lane.edge,)
            assert len(step.locals) + len(step.terms) <= 1


@every_story
def test_by_parts_a_product_comes_after_its_local_derivative(story):
    frame_of = {}
    for i, step in enumerate(at_granularity(_traced(story()), "sub").steps):
        for kind in ("locals", "terms"):
            frame_of.update({(kind, edge): i for edge in getattr(step, kind)})
    for (kind, edge), i in frame_of.items():
        if kind == "locals" and ("terms", edge) in frame_of:
            assert i < frame_of["terms", edge]


def test_the_arrivals_at_a_fork_are_steps_of_their_own():
    told = _traced(stories.fan_out())
    said = [s.caption["en"] for s in at_granularity(told, "sub").steps if "are added" in s.caption["en"]]
    arrivals = [re.search(r"∂L/∂x: (.*)\.$", text).group(1) for text in said if text.startswith("Gradients")]
    assert arrivals[:2] == ["1 of 3", "2 of 3"]
    terms, _, result = arrivals[2].partition(" = ")
    assert sorted(map(parsed, terms.split(" + "))) == [1, 3, 3]
    assert result == "7"


def test_by_layer_a_step_is_what_happens_in_one_scope():
    told = _traced(stories.layers(3))
    forward = [step for step in at_granularity(told, "layer").steps if step.phase == "forward"]
    scopes = [{told.by_id[node].scope for node in step.active_nodes} for step in forward]
    assert scopes == [{"dense_0"}, {"dense_1"}, {"dense_2"}, {"loss"}]
    backward = [step for step in at_granularity(told, "layer").steps if step.phase == "backward"]
    assert "(dense_2)" in backward[1].caption["en"]
    assert "∂loss/∂dense_2.kernel = ‖" in backward[1].caption["ko"]


def test_a_merged_step_shows_at_most_twelve_rules_and_they_lead_to_leaves():
    told = _traced(stories.layers(8))
    (step,) = [step for step in at_granularity(told, "phase").steps if step.phase == "backward"]
    source = {edge.id: edge.source for edge in told.edges}
    assert len(step.lanes) == 12
    assert all(told.by_id[source[lane.edge]].is_leaf for lane in step.lanes)


def test_updates_of_a_layer_are_one_step_and_the_next_run_comes_last():
    made = stories.layers(2)
    variables = gd.Graph(made.loss).variables
    slopes = gd.gradients(made.loss, variables)
    step = gd.group(*(gd.assign(v, v - 0.1 * g) for v, g in zip(variables, slopes, strict=True)))
    told = trace(made.loss, None, made.feeds, updates=step)
    layers = at_granularity(told, "layer").steps
    assert [s.phase for s in layers[-3:]] == ["update", "update", "again"]
    assert len(at_granularity(told, "op").steps[-5:]) == 5
    assert all(told.loss in step.stale for step in layers[-3:-1])


def test_a_word_that_is_no_granularity_is_refused():
    with pytest.raises(DrawError, match=r"no granularity 'layers'\. Did you mean 'layer'"):
        at_granularity(Trace((), ()), "layers")
