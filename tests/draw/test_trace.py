"""Traces: the numbers are right, and the story is told in order."""

import json
import re

import numpy as np
import pytest

import graphdl as gd
from graphdl.draw import Trace, draw, trace
from graphdl.draw.captions import CAPTIONS, LANGUAGES, ROLES
from graphdl.draw.digits import parsed
from graphdl.draw.model import PHASES
from graphdl.draw.tracefile import dumps
from graphdl.errors import DrawError, FormatError
from tests.draw import stories
from tests.draw.stories import ALL, SCALARS

every_story = pytest.mark.parametrize("story", ALL, ids=lambda story: story.__name__)
every_scalar_story = pytest.mark.parametrize("story", SCALARS, ids=lambda story: story.__name__)


def _traced(made):
    return trace(made.loss, made.wrt, made.feeds)


def _array(value):
    return np.array(value.data, dtype="float64").reshape(value.shape)


def _node(found, symbol):
    return next(node for node in found.forward if node.symbol == symbol)


@every_scalar_story
def test_the_numbers_are_those_of_the_book(story):
    made = story()
    found = _traced(made)
    frame = found.frame()
    if made.value is not None:
        assert frame.values[found.loss].data == pytest.approx(made.value)
    for name, slope in made.gradients.items():
        assert frame.gradients[_node(found, name).id].data == pytest.approx(slope)


@every_scalar_story
def test_gradients_are_slopes_by_finite_differences(story):
    made = story()
    found = _traced(made)
    frame = found.frame()
    session = gd.Session()
    for name in made.feeds:
        node = _node(found, name)
        if node.requires_grad:
            ends = [session.run(made.loss, {**made.feeds, name: made.feeds[name] + h}) for h in (1e-6, -1e-6)]
            assert frame.gradients[node.id].data == pytest.approx((ends[0] - ends[1]) / 2e-6, rel=1e-6, abs=1e-9)


@every_story
def test_what_a_lane_sends_is_upstream_times_local_derivative(story):
    found = _traced(story())
    frame = found.frame()
    checked = 0
    for edge in found.edges:
        if edge.id in frame.locals and frame.terms[edge.id].data is not None:
            upstream, local = frame.gradients[edge.target], frame.locals[edge.id]
            expected = _array(upstream) * _array(local)
            np.testing.assert_allclose(_array(frame.terms[edge.id]), expected, rtol=1e-6)
            checked += 1
    assert checked


@every_story
def test_a_gradient_is_the_sum_of_what_its_lanes_send(story):
    found = _traced(story())
    frame = found.frame()
    for node in found.forward:
        lanes = [e for e in found.edges if e.source == node.id and e.id in frame.terms]
        if node.requires_grad and lanes and frame.gradients[node.id].data is not None:
            total = sum(_array(frame.terms[edge.id]) for edge in lanes)
            np.testing.assert_allclose(_array(frame.gradients[node.id]), total, rtol=1e-6)


@every_story
def test_phases_follow_the_grammar(story):
    phases = "".join(chr(ord("a") + PHASES.index(step.phase)) for step in _traced(story()).steps)
    assert re.fullmatch("abc*def+g", phases)


@every_story
def test_steps_come_inputs_first_and_then_back(story):
    found = _traced(story())
    order = {node.id: i for i, node in enumerate(found.nodes)}
    forward = [order[s.node] for s in found.steps if s.phase in ("forward", "loss")]
    backward = [order[s.node] for s in found.steps if s.phase == "backward"]
    assert forward == sorted(forward)
    assert backward == sorted(backward, reverse=True)


@every_story
def test_each_value_and_each_gradient_becomes_known_once(story):
    found = _traced(story())
    for kind in ("values", "gradients", "locals", "terms"):
        seen = [key for step in found.steps for key in getattr(step, kind)]
        assert len(seen) == len(set(seen))
    assert set(found.frame().gradients) == {node.id for node in found.forward if node.requires_grad}


def test_gradients_are_absent_until_their_step_comes():
    found = _traced(stories.cs231n())
    backward = next(i for i, step in enumerate(found.steps) if step.phase == "seed")
    before, after = found.frame(backward - 1), found.frame(backward)
    assert before.gradients == {}
    assert list(after.gradients) == [found.loss]


def test_the_story_of_cs231n_in_formulas():
    found = _traced(stories.cs231n())
    first = next(step for step in found.steps if step.phase == "backward")
    assert [lane.chain for lane in first.lanes] == ["∂f/∂q = ∂f/∂f · ∂f/∂q", "∂f/∂z = ∂f/∂f · ∂f/∂z"]
    assert [lane.rule for lane in first.lanes] == ["∂f/∂q = z = −4", "∂f/∂z = q = 3"]
    assert [lane.numbers for lane in first.lanes] == ["1 × (−4) = −4", "1 × 3 = 3"]
    assert tuple(lane.edge for lane in first.lanes) == first.active_edges


def test_a_value_used_several_times_says_how_its_gradients_add_up():
    found = _traced(stories.fan_out())
    last = [step for step in found.steps if step.phase == "backward"][-1]
    x = _node(found, "x")
    terms, _, result = last.sums[x.id].partition(" = ")
    assert sorted(map(parsed, terms.split(" + "))) == [1, 3, 3]
    assert parsed(result) == 7
    assert [lane.arrival for lane in last.lanes][:-1] == ["2 of 3"]
    assert last.lanes[-1].arrival == last.sums[x.id]
    assert "x is used 3 times" in last.caption["en"]


def test_a_broadcast_says_why_its_gradient_is_a_sum():
    found = _traced(stories.xor())
    said = [step.caption["en"] for step in found.steps if "b1 was copied" in step.caption["en"]]
    assert len(said) == 1
    assert "(2,) → (N, 2)" in said[0]


def test_matrices_say_how_their_shapes_multiply():
    found = _traced(stories.xor())
    shapes = {lane.chain: lane.shapes for step in found.steps for lane in step.lanes}
    assert shapes["∂loss/∂W1 = Xᵀ · ∂loss/∂t₁"] == "(2, N) · (N, 2) → (2, 2)"


def test_one_element_of_a_matrix_product_and_of_a_sum_is_worked_out():
    x, w = gd.placeholder((None, 2), "float64", name="x"), gd.Variable(np.array([[0.5], [2.0]]), name="w")
    b = gd.Variable(np.array([1.0]), name="b")
    found = trace(gd.sum((x @ w + b) * 3.0), feeds={"x": np.array([[1.0, -2.0], [4.0, 5.0]])})
    worked = {lane.downstream: lane.numbers for step in found.steps for lane in step.lanes}
    assert worked["∂L/∂w"] == "[0, 0]: 1 × 3 + 4 × 3 = 15"
    assert worked["∂L/∂b"] == "[0]: 3 + 3 = 6"


def test_a_softmax_with_cross_entropy_sends_probabilities_minus_labels():
    found = _traced(stories.cross_entropy())
    chains = [f"{lane.chain} {lane.rule}" for step in found.steps for lane in step.lanes]
    assert any("∂loss/∂z = (softmax(z) − one_hot(y)) ⊙" in line for line in chains), chains
    z = np.array([[2.0, 1, -1], [0, 3, 0.5]])
    p = np.exp(z) / np.exp(z).sum(axis=1, keepdims=True)
    expected = (p - np.eye(3)[[0, 2]]) / 2
    np.testing.assert_allclose(_array(found.frame().gradients[_node(found, "z").id]), expected)


def test_data_has_no_gradient_where_weights_are_trained():
    found = _traced(stories.squared_neuron())
    required = {node.symbol for node in found.forward if node.is_leaf and node.requires_grad}
    assert required == {"w", "b"}
    assert all(edge.rule == "" for edge in found.edges if edge.source == _node(found, "x").id)


def test_nodes_know_where_they_were_written_and_which_lines_compute_them():
    found = _traced(stories.cs231n())
    q = _node(found, "q")
    assert re.fullmatch(r"stories\.py:\d+", q.origin)
    assert 'name="q"' in q.source
    assert [found.code[line - 1].split("  #")[0].strip() for line in q.code] == ["q = x + y"]


def test_gradient_nodes_know_whose_gradient_they_are_and_which_rule_built_them():
    found = _traced(stories.squared_neuron())
    w, times = _node(found, "w"), _node(found, "t₁")
    (gradient,) = [node for node in found.backward if w.id in node.gradient_for]
    assert gradient.kind == "parameter gradient"
    assert (gradient.grad_of, gradient.slot) == (times.id, 0)
    term = next(edge.term for edge in found.edges if edge.source == w.id)
    assert term == gradient.id


def test_the_stabilised_graph_is_traced_with_the_rules_that_fired():
    z = gd.Variable(np.array([0.0, 1000.0, 5.0]), name="z")
    found = trace(-gd.log(gd.exp(z) / gd.sum(gd.exp(z)))[0])
    assert found.frame().values[found.loss].data == 1000.0
    assert _array(found.frame().gradients[_node(found, "z").id]).tolist() == [-1.0, 1.0, 0.0]
    assert any(line.startswith("log_of_softmax") or "softmax" in line for line in found.firings)


def test_masks_are_moved_so_that_no_branch_multiplies_zero_by_infinity():
    x = gd.placeholder((), "float64", name="x")
    found = trace(gd.where(x > 0, gd.sqrt(x), 0.0), feeds={"x": 0.0})
    assert found.frame().gradients[_node(found, "x").id].data == 0.0


def test_a_gradient_that_is_zero_everywhere_says_why():
    w = gd.Variable(3.0, "float64", name="w")
    found = trace(gd.sign(w) * 2.0)
    last = found.steps[-1]
    assert last.gradients[_node(found, "w").id].data == 0.0
    assert "zero everywhere" in last.caption["en"]
    assert "sign is a step" in last.caption["en"]


def test_updates_are_told_after_the_gradients_and_make_what_follows_stale():
    made = stories.squared_neuron()
    w = next(n for n in gd.Graph(made.loss).variables if n.name == "w")
    step = gd.assign(w, w - 0.5 * gd.gradients(made.loss, w))
    found = trace(made.loss, None, made.feeds, updates=step)
    last = next(step for step in found.steps if step.phase == "update")
    slope = found.frame().gradients[_node(found, "w").id].data
    assert last.values[_node(found, "w").id].data == pytest.approx(0.8 - 0.5 * slope)
    assert {found.by_id[i].symbol for i in last.stale} == {"t₁", "z", "a", "t₂", "loss"}
    assert found.frame().values[_node(found, "w").id].data == pytest.approx(0.8)


def test_an_update_says_its_formula_over_the_gradients():
    made = stories.squared_neuron()
    w = next(n for n in gd.Graph(made.loss).variables if n.name == "w")
    step = gd.assign(w, w - 0.5 * gd.gradients(made.loss, w))
    (update,) = [s for s in trace(made.loss, None, made.feeds, updates=step).steps if s.phase == "update"]
    assert update.formula == "w = w − 0.5 · ∂loss/∂w"
    assert re.fullmatch(r"0\.8 → 0\.8\d+", update.substituted)


def test_updates_alone_are_traced_too():
    made = stories.squared_neuron()
    w = next(n for n in gd.Graph(made.loss).variables if n.name == "w")
    found = trace(gd.assign(w, w - 0.5 * gd.gradients(made.loss, w)), feeds=made.feeds)
    (update,) = [step for step in found.steps if step.phase == "update"]
    assert update.formula == "w = w − 0.5 · ∂L/∂w"
    assert {edge.direction for edge in found.edges} == {"forward", "backward", "across"}
    for view in ("rails", "blocks", "circuit"):
        assert draw(found, view=view).startswith("<svg")


def test_a_mask_in_the_middle_of_a_formula_keeps_its_place_in_the_story():
    x = gd.placeholder(("N",), "float64", name="x")
    found = trace(gd.sum(gd.where(x > 0, gd.log(x), 0.0) * x), feeds={x: np.array([1.0, 2.0, -1.0])})
    assert [node.op for node in found.forward if node.inputs] == ["greater", "log", "where", "multiply", "sum"]
    slope = _array(found.frame().gradients[_node(found, "x").id])
    np.testing.assert_allclose(slope, [1 + np.log(1), 1 + np.log(2), 0])


def test_a_size_that_is_divided_by_stands_in_brackets():
    x = gd.placeholder(("N", 4), "float64", name="x")
    (edge,) = [e for e in trace(gd.mean(x)).edges if e.rule]
    assert (edge.rule, edge.local_rule) == ("G / (4 · N)", "1 / (4 · N)")


def test_the_next_run_has_the_new_weights_and_says_what_becomes_of_the_loss():
    made = stories.squared_neuron()
    w = next(n for n in gd.Graph(made.loss).variables if n.name == "w")
    step = gd.assign(w, w - 0.5 * gd.gradients(made.loss, w))
    session = gd.Session()
    found = trace(made.loss, None, made.feeds, session, updates=step)
    again, new = found.steps[-1], found.steps[-2].values[_node(found, "w").id].data
    a = 1 / (1 + np.exp(-(new * 1.5 - 0.2)))
    assert again.phase == "again"
    assert again.values[found.loss].data == pytest.approx((a - 1) ** 2)
    assert found.frame(len(found.steps) - 2).stale == set(again.values)
    assert found.frame(len(found.steps) - 1).stale == set()
    old = found.frame().values[found.loss].data
    assert re.search(r"loss: 0\.\d+ → 0\.\d+ \(−0\.\d+\)", again.caption["en"])
    assert parsed(again.caption["en"].split("(")[1].split(")")[0]) == pytest.approx((a - 1) ** 2 - old, rel=1e-3)
    assert session.value(w) == 0.8


def test_values_come_from_the_session_that_is_given():
    w = gd.Variable(2.0, "float64", name="w")
    session = gd.Session()
    session.assign(w, 5.0)
    assert trace(w * w, session=session).frame().values["n2"].data == 25.0


def test_without_feeds_there_is_the_story_without_numbers():
    made = stories.cs231n()
    found = trace(made.loss)
    assert found.frame().values == {}
    assert [step.phase for step in found.steps] == [step.phase for step in _traced(made).steps]
    assert any(lane.chain for step in found.steps for lane in step.lanes)


def test_a_missing_feed_is_named():
    made = stories.cs231n()
    with pytest.raises(gd.FeedError, match="needs placeholder 'z'"):
        trace(made.loss, feeds={"x": 1.0, "y": 2.0})


def test_large_arrays_are_summed_up_and_small_ones_whole():
    x = gd.placeholder((None,), "float64", name="x")
    values = np.arange(100.0)
    value = trace(gd.sum(x), feeds={"x": values}).frame().values["n1"]
    assert (value.shape, value.data) == ((100,), None)
    assert (value.low, value.mean, value.high) == (0.0, 49.5, 99.0)
    assert value.norm == pytest.approx(np.linalg.norm(values))
    assert trace(gd.sum(x), feeds={"x": values[:3]}).frame().values["n1"].data == [0.0, 1.0, 2.0]


def test_split_values_are_traced_through():
    x = gd.placeholder((4,), "float64", name="x")
    a, b = gd.split(x, 2)
    found = trace(gd.sum(a * b), feeds={"x": [1.0, 2, 3, 4]})
    assert _array(found.frame().gradients[_node(found, "x").id]).tolist() == [3.0, 4.0, 1.0, 2.0]


@every_story
def test_json_is_strict_and_reads_back_as_the_same_trace(story):
    found = _traced(story())
    text = found.to_json()
    assert json.loads(text, parse_constant=pytest.fail)["format"] == "graphdl trace"
    assert not set("<>&") & set(text)
    assert Trace.from_json(text) == found
    assert dumps(Trace.from_json(text)) == text


def test_json_keeps_what_is_not_finite():
    x = gd.placeholder((3,), "float64", name="x")
    found = trace([x * 1.0], feeds={"x": [np.nan, np.inf, -np.inf]})
    data = Trace.from_json(found.to_json()).frame().values["n1"].data
    np.testing.assert_array_equal(data, [np.nan, np.inf, -np.inf])


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("nonsense", "a trace is JSON, found something else"),
        ("{}", 'a trace has "format": "graphdl trace", found another JSON'),
        ('{"format": "graphdl trace", "version": 99}', "the trace has version 99, expected 2"),
        ('{"format": "graphdl trace", "version": 2}', "the trace is damaged: KeyError: 'nodes'"),
        ('{"format": "graphdl trace", "version": 2, "nodes": [{}], "edges": []}', "the trace is damaged: TypeError"),
    ],
)
def test_other_json_is_refused(text, message):
    with pytest.raises(FormatError, match=re.escape(message)):
        Trace.from_json(text)


def test_captions_have_the_same_slots_in_both_languages():
    for templates in CAPTIONS.values():
        slots = [set(re.findall(r"\{(\w+)\}", templates[language])) for language in LANGUAGES]
        assert slots[0] == slots[1]
    assert all(set(words) == set(LANGUAGES) for words in ROLES.values())


def test_every_role_of_an_op_has_a_word():
    from graphdl.ir.registry import all_ops

    assert {op.role for _, op in all_ops() if op.role} <= set(ROLES)


def test_every_step_has_a_caption_in_both_languages():
    for step in _traced(stories.xor()).steps:
        assert all(step.caption[language].strip() for language in LANGUAGES)
        assert not re.search(r"[{}]", "".join(step.caption.values()))


def test_ids_differ_and_every_reference_has_its_node():
    found = _traced(stories.xor())
    ids = [thing.id for thing in (*found.nodes, *found.edges)]
    assert len(ids) == len(set(ids))
    assert {i for node in found.nodes for i in node.inputs} <= set(found.by_id)
    wires = {edge.id for edge in found.edges}
    assert {i for step in found.steps for i in step.active_edges} <= wires
    assert {i for step in found.steps for i in step.active_nodes} <= set(found.by_id)


def test_a_step_that_is_not_there_is_refused():
    with pytest.raises(DrawError, match="there is no step 99, expected 0 to 7"):
        _traced(stories.cs231n()).frame(99)


def test_a_graph_that_already_holds_its_gradients_is_told_apart():
    made = stories.squared_neuron()
    variables = gd.Graph(made.loss).variables
    found = trace(gd.Graph([made.loss, *gd.gradients(made.loss, variables)]), feeds=made.feeds)
    assert {node.symbol for node in found.forward if node.is_leaf} == {"x", "y", "w", "b"}
    assert {found.by_id[node.gradient_for[0]].symbol for node in found.backward if node.gradient_for} >= {"w"}
