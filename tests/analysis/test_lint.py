"""Every rule about graphs fires where it should and is silent where it should; what it says is true."""

from __future__ import annotations

import inspect
import math
import string

import numpy as np
import pytest
from hypothesis import given

import graphdl as gd
from graphdl.analysis.lint import GRAPH_RULES, RULES, Facts, findings_in, rule_called
from graphdl.errors import GraphError
from graphdl.ir.graph import Graph
from graphdl.ir.text import listing
from graphdl.keras.lint import MODEL_RULES, lint
from tests.random_graphs import grow, plans

N = 40


def x(width=4):
    return gd.placeholder((None, width), "float64", name="x")


def targets(width=3, name="t"):
    return gd.placeholder((None, width), "float64", name=name)


def weights(rows, columns, name="W"):
    return gd.Variable(gd.random_normal((rows, columns), dtype="float64"), name=name)


def logits(classes=3):
    return x() @ weights(4, classes)


def codes(what, feeds=None):
    return sorted({finding.rule for finding in lint(what, feeds)})


def one_hot_loss(p, t):
    return -gd.mean(gd.sum(t * gd.log(p), axis=-1))


# ---- what fires, and the nearest thing that does not


def softmax_mse():
    return gd.mean(gd.square(gd.softmax(logits()) - targets()))


def typed_softmax_mse():
    z = logits()
    return gd.mean(gd.square(targets() - gd.exp(z) / gd.sum(gd.exp(z), axis=1, keepdims=True)))


def distillation():
    """Two softmaxes compared: meant."""
    return gd.mean(gd.square(gd.softmax(logits()) - gd.softmax(targets())))


def softmax_cross_entropy():
    return gd.mean(gd.cross_entropy(logits(), targets()))


def softmax_twice():
    return gd.mean(gd.cross_entropy(gd.softmax(logits()), targets()))


def softmax_of_log_softmax():
    """The same as once: meant or harmless."""
    return one_hot_loss(gd.softmax(gd.log_softmax(logits())), targets())


def nested_softmax():
    return gd.mean(gd.square(gd.softmax(gd.softmax(logits()))))


def sigmoid_twice():
    return gd.mean(gd.sigmoid_cross_entropy(gd.sigmoid(logits(1)), targets(1)))


def two_layers_of_sigmoid():
    return gd.mean(gd.sigmoid_cross_entropy(gd.sigmoid(logits(2)) @ weights(2, 1, "V"), targets(1)))


def one_unit_softmax():
    return gd.mean(gd.square(gd.softmax(logits(1))))


def two_unit_softmax():
    return gd.mean(gd.cross_entropy(logits(2), targets(2)))


def share_of_one_unit():
    p = gd.sigmoid(logits(1))
    return -gd.mean(targets(1) * gd.log(gd.clip(p / gd.sum(p, axis=-1, keepdims=True), 1e-7, 1 - 1e-7)))


def share_of_the_batch():
    """Divided by the sum over the examples, not over the classes: weights of examples."""
    p = gd.sigmoid(logits(1))
    return gd.mean(targets(1) * p / gd.sum(p, axis=0, keepdims=True))


def one_sided():
    return one_hot_loss(gd.sigmoid(logits()), targets())


def two_sided():
    p, t = gd.sigmoid(logits()), targets()
    return -gd.mean(gd.sum(t * gd.log(p) + (1 - t) * gd.log(1 - p), axis=-1))


def normalised_sigmoid():
    p = gd.sigmoid(logits())
    return one_hot_loss(gd.clip(p / gd.sum(p, axis=-1, keepdims=True), 1e-7, 1 - 1e-7), targets())


def clipped_linear():
    return one_hot_loss(gd.clip(logits(), 1e-7, 1 - 1e-7), targets())


def clipped_sigmoid():
    p, t = gd.clip(gd.sigmoid(logits()), 1e-7, 1 - 1e-7), targets()
    return -gd.mean(t * gd.log(p) + (1 - t) * gd.log(1 - p))


def clipped_feed():
    """Probabilities that are fed are the user's to know."""
    return one_hot_loss(gd.clip(targets(3, "p"), 1e-7, 1 - 1e-7), targets())


def relu_then_softmax():
    return gd.mean(gd.cross_entropy(gd.relu(logits()), targets()))


def relu_then_sigmoid():
    return gd.mean(gd.sigmoid_cross_entropy(gd.relu(logits(1)), targets(1)))


def relu_then_layer_then_softmax():
    return gd.mean(gd.cross_entropy(gd.relu(logits()) @ weights(3, 3, "V"), targets()))


def attention():
    """A softmax over scores of relu features, inside the network: meant."""
    scores = gd.softmax(gd.relu(logits(3)))
    return gd.mean(gd.square((scores * logits(3)) @ weights(3, 3, "V") - targets()))


def broadcast():
    t = gd.placeholder((None,), "float64", name="t")
    return gd.mean(gd.square(x() @ weights(4, 1) - t))


def column_and_column():
    return gd.mean(gd.square(x() @ weights(4, 1) - targets(1)))


def all_pairs():
    """A table of differences of one row: meant."""
    r = gd.squeeze(x() @ weights(4, 1), 1)
    t = gd.placeholder((None,), "float64", name="t")
    return gd.mean(gd.square(gd.expand_dims(r, 1) - t))


def linear_linear():
    return gd.mean(gd.square(x() @ weights(4, 5) @ weights(5, 3, "V") - targets()))


def linear_bias_linear():
    h = x() @ weights(4, 5) + gd.Variable(np.zeros(5), name="b")
    return gd.mean(gd.square(h @ weights(5, 3, "V") - targets()))


def linear_relu_linear():
    return gd.mean(gd.square(gd.relu(x() @ weights(4, 5)) @ weights(5, 3, "V") - targets()))


def shared_projection():
    """Two branches read what lies between: it is worth a layer."""
    h = x() @ weights(4, 5)
    return gd.mean(gd.square(h @ weights(5, 3, "V") - targets())) + gd.mean(gd.square(gd.tanh(h)))


def sigmoid_stack(depth):
    h = x()
    for i in range(depth):
        h = gd.sigmoid(h @ weights(4, 4, f"W{i}"))
    return gd.mean(gd.square(h @ weights(4, 3, "V") - targets()))


def skipping_sigmoid():
    """A way around each sigmoid: the gradient need not shrink."""
    h = x() @ weights(4, 4, "U")
    for i in range(3):
        h = h + gd.sigmoid(h) @ weights(4, 4, f"W{i}")
    return gd.mean(gd.square(h @ weights(4, 3, "V") - targets()))


def gated():
    """A gate is multiplied, and no layer of sigmoid."""
    h = gd.sigmoid(x() @ weights(4, 4)) * gd.tanh(x() @ weights(4, 4, "U"))
    return gd.mean(gd.square(h @ weights(4, 3, "V") - targets()))


def alike(rows, columns, name):
    return gd.Variable(np.full((rows, columns), 0.5), name=name)


def symmetric():
    return gd.mean(gd.square(gd.tanh(x() @ alike(4, 5, "W")) @ alike(5, 3, "V") - targets()))


def symmetric_below_only():
    return gd.mean(gd.square(gd.tanh(x() @ alike(4, 5, "W")) @ weights(5, 3, "V") - targets()))


def logistic_from_zero():
    return gd.mean(gd.cross_entropy(x() @ gd.Variable(np.zeros((4, 3)), name="W"), targets()))


def accuracy():
    hits = gd.equal(gd.argmax(logits()), gd.argmax(targets()))
    return gd.mean(gd.cast(hits, "float64"))


def held_back():
    b = gd.Variable(np.zeros(3), name="b")
    return gd.mean(gd.square(logits() + gd.stop_gradient(b) - targets()))


def relu_log():
    return gd.mean(gd.log(gd.relu(logits())))


def relu_log_safe():
    return gd.mean(gd.log(gd.relu(logits()) + 1e-7))


def linear_log():
    return gd.mean(gd.log(logits()))


def fed_log():
    return gd.mean(gd.log(x()) @ weights(4, 1))


def entropy():
    p = gd.softmax(logits())
    return gd.mean(gd.sum(p * gd.log(p), axis=-1))


def normalised():
    h = logits()
    return gd.mean(gd.square(h / gd.sum(h * h, axis=1, keepdims=True) - targets()))


def normalised_safely():
    h = logits()
    return gd.mean(gd.square(h / gd.sqrt(gd.sum(h * h, axis=1, keepdims=True) + 1e-6) - targets()))


def divided_by_weight():
    """A weight passes 0 but does not stay there."""
    return gd.mean(x() / gd.Variable(2.0, "float64", name="w"))


def distance():
    return gd.mean(gd.sqrt(gd.sum(gd.square(logits() - targets()), axis=1)))


def squared_distance():
    return gd.mean(gd.sum(gd.square(logits() - targets()), axis=1))


FIRES = [
    ("softmax-mse", softmax_mse),
    ("softmax-mse", typed_softmax_mse),
    ("softmax-twice", softmax_twice),
    ("softmax-twice", nested_softmax),
    ("sigmoid-twice", sigmoid_twice),
    ("one-unit-softmax", one_unit_softmax),
    ("one-unit-softmax", share_of_one_unit),
    ("sigmoid-classes", one_sided),
    ("sigmoid-classes", normalised_sigmoid),
    ("logits-as-probabilities", clipped_linear),
    ("relu-before-probability", relu_then_softmax),
    ("relu-before-probability", relu_then_sigmoid),
    ("targets-broadcast", broadcast),
    ("linear-after-linear", linear_linear),
    ("linear-after-linear", linear_bias_linear),
    ("hidden-sigmoid", lambda: sigmoid_stack(1)),
    ("hidden-sigmoid", lambda: sigmoid_stack(4)),
    ("symmetric-start", symmetric),
    ("accuracy-as-loss", accuracy),
    ("no-gradient", held_back),
    ("log-of-zero", relu_log),
    ("log-of-zero", linear_log),
    ("division-by-zero", normalised),
    ("root-of-zero", distance),
]
SILENT = [
    distillation,
    softmax_cross_entropy,
    softmax_of_log_softmax,
    two_unit_softmax,
    share_of_the_batch,
    two_sided,
    clipped_sigmoid,
    clipped_feed,
    relu_then_layer_then_softmax,
    attention,
    column_and_column,
    all_pairs,
    linear_relu_linear,
    shared_projection,
    skipping_sigmoid,
    gated,
    symmetric_below_only,
    logistic_from_zero,
    relu_log_safe,
    fed_log,
    entropy,
    normalised_safely,
    divided_by_weight,
    squared_distance,
]


@pytest.mark.parametrize(("code", "loss"), FIRES, ids=lambda part: part if isinstance(part, str) else part.__name__)
def test_a_rule_fires_and_no_other_does(code, loss):
    assert codes(loss()) == [code]


@pytest.mark.parametrize("loss", SILENT, ids=lambda loss: loss.__name__)
def test_what_is_well_made_is_left_in_peace(loss):
    assert codes(loss()) == []


def test_every_rule_about_graphs_is_tried():
    on_data = {
        "non-finite",
        "unscaled-inputs",
        "dead-relu",
        "saturated-units",
        "targets-out-of-reach",
        "targets-no-probabilities",
    }
    assert {code for code, _ in FIRES} | on_data == {found.code for found in GRAPH_RULES}


def test_a_layer_of_sigmoid_below_two_layers_is_found_only_once():
    findings = lint(two_layers_of_sigmoid())
    assert [(f.rule, f.severity) for f in findings] == [("hidden-sigmoid", "hint")]


# ---- on data


def rows(low, high, width=4, seed=0):
    return np.random.default_rng(seed).uniform(low, high, (N, width))


@pytest.mark.parametrize(
    ("low", "high", "fires"), [(0, 255, True), (-0.001, 0.001, True), (0, 1, False), (0, 16, False)]
)
def test_inputs_far_from_1_are_unscaled(low, high, fires):
    place, t = x(), targets(1)
    loss = gd.mean(gd.square(place @ weights(4, 1) - t))
    assert codes(loss, {place: rows(low, high), t: rows(0, 1, 1)}) == (["unscaled-inputs"] if fires else [])


def test_inputs_that_the_graph_scales_are_scaled():
    place = x()
    loss = gd.mean(gd.square((place / 255) @ weights(4, 1)))
    assert codes(loss, {place: rows(0, 255)}) == []


def test_the_worst_column_is_named_with_its_range():
    place = x()
    data = rows(0, 1)
    data[:, 2] = np.linspace(-50, 700, N)
    (found,) = lint(gd.mean(gd.square(place @ weights(4, 1))), {place: data})
    assert found.message == "x goes into a layer unscaled: column 2 from -50 to 700"


def test_units_that_are_never_positive_are_counted():
    place = x(3)
    bias = np.array([-100.0, -100.0, -100.0, 0.0])
    loss = gd.mean(gd.relu(place @ gd.Variable(np.ones((3, 4)), name="W") + gd.Variable(bias, name="b")))
    (found,) = lint(loss, {place: rows(0, 1, 3)})
    assert (found.rule, found.message) == (
        "dead-relu",
        f"3 of 4 units of relu are 0 for all {N} examples: no gradient passes them",
    )
    alive = gd.mean(gd.relu(place @ gd.Variable(np.ones((3, 4)), name="W") + 0.5))
    assert codes(alive, {place: rows(0, 1, 3)}) == []


@pytest.mark.parametrize("activation", [gd.sigmoid, gd.tanh])
def test_hidden_units_at_the_ends_of_their_activation_are_saturated(activation):
    place = x()
    for size, expected in ((50.0, True), (0.1, False)):
        W0 = gd.Variable(np.random.default_rng(1).normal(size=(4, 8)) * size, name="W0")
        loss = gd.mean(gd.square(activation(place @ W0) @ weights(8, 1)))
        assert ("saturated-units" in codes(loss, {place: rows(-1, 1)})) is expected


def test_derivatives_below_0_02_are_what_saturated_means():
    y = np.linspace(-0.999999, 0.999999, 4001)
    assert (1 - y**2)[np.abs(y) > 0.99].max() < 0.02
    s = (y + 1) / 2
    assert (s * (1 - s))[np.abs(2 * s - 1) > 0.99].max() < 0.005


@pytest.mark.parametrize(
    ("activation", "data", "fires"),
    [
        (gd.sigmoid, (5, 10), True),
        (gd.tanh, (-1, 1), False),
        (gd.tanh, (-3, 1), True),
        (gd.relu, (-1, 1), True),
        (gd.relu, (0, 9), False),
        (lambda z: z, (-100, 900), False),
    ],
)
def test_targets_beyond_the_bounds_of_the_output_are_out_of_reach(activation, data, fires):
    place, t = x(), targets(1)
    loss = gd.mean(gd.square(activation(place @ weights(4, 1)) - t))
    found = codes(loss, {place: rows(0, 1), t: rows(*data, 1)})
    assert ("targets-out-of-reach" in found) is fires


def test_target_rows_that_do_not_sum_to_1_are_no_probabilities():
    place, t = x(), targets(3)
    loss = gd.mean(gd.cross_entropy(place @ weights(4, 3), t))
    hot = np.eye(3)[np.arange(N) % 3]
    assert codes(loss, {place: rows(0, 1), t: hot}) == []
    assert codes(loss, {place: rows(0, 1), t: hot * 2}) == ["targets-no-probabilities"]


def test_the_first_node_that_is_not_finite_is_named():
    place = x()
    a = gd.log(place, name="a")
    findings = lint(gd.mean(gd.exp(a) * a + a), {place: np.array([[1.0, 2.0, -3.0, 4.0]])})
    assert [f.rule for f in findings] == ["non-finite"]
    assert findings[0].message == "a is the first node with NaN: 1 of 4 elements, from x in -3 … 4"
    assert findings[0].node is a


# ---- what the messages say is true


def test_two_linear_layers_are_one_matrix():
    random = np.random.default_rng(0)
    data, W, b, V, c = (random.normal(size=s) for s in ((7, 4), (4, 5), (5,), (5, 3), (3,)))
    place = x()
    h = place @ gd.Variable(W) + gd.Variable(b)
    deep = gd.Session().run(h @ gd.Variable(V) + gd.Variable(c), {place: data})
    np.testing.assert_allclose(deep, data @ (W @ V) + (b @ V + c))
    (found,) = lint(linear_linear())
    assert found.message.endswith("(4, 5) times (5, 3) is one matrix (4, 3)")


def test_a_narrow_linear_layer_has_the_rank_that_is_said():
    random = np.random.default_rng(0)
    whole = random.normal(size=(6, 2)) @ random.normal(size=(2, 6))
    assert np.linalg.matrix_rank(whole) == 2
    place = x(6)
    (found,) = lint(gd.mean(gd.square(place @ weights(6, 2) @ weights(2, 6, "V") - place)))
    assert (found.severity, "has rank 2 at most" in found.message) == ("hint", True)


@pytest.mark.parametrize("depth", [2, 5])
def test_the_bound_through_layers_of_sigmoid_holds(depth):
    (found,) = lint(sigmoid_stack(depth))
    assert found.severity == "warning"
    assert f"{depth} hidden layers of sigmoid" in found.message
    assert f"at most 1/{4**depth}" in found.message
    # A chain of units with weight 1: the slope is the product of the derivatives alone.
    z = np.linspace(-3, 3, 101)
    slope = np.ones_like(z)
    for _ in range(depth):
        s = 1 / (1 + np.exp(-z))
        slope, z = slope * s * (1 - s), s
    assert slope.max() <= 0.25**depth


def test_the_least_loss_of_softmax_twice_is_that_of_a_perfect_answer():
    p = np.eye(3)
    again = np.exp(p) / np.exp(p).sum(axis=1, keepdims=True)
    least = -np.log(again.diagonal()).mean()
    (found,) = lint(softmax_twice())
    assert found.message.endswith(f"cannot fall below {least:.4g}")
    assert math.isclose(least, math.log(math.e + 2) - 1)


def test_units_that_start_alike_stay_alike():
    place, t = x(), targets()
    W, V = alike(4, 5, "W"), alike(5, 3, "V")
    loss = gd.mean(gd.square(gd.tanh(place @ W) @ V - t))
    assert codes(loss) == ["symmetric-start"]
    session, random = gd.Session(), np.random.default_rng(0)
    feeds = {place: random.normal(size=(N, 4)), t: random.normal(size=(N, 3))}
    slopes = gd.gradients(loss, [W, V])
    for _ in range(20):
        dW, dV = session.run(slopes, feeds)
        session.assign(W, session.value(W) - 0.1 * dW)
        session.assign(V, session.value(V) - 0.1 * dV)
    trained = session.value(W)
    assert not np.allclose(trained, 0.5)
    np.testing.assert_allclose(trained, trained[:, :1] + np.zeros((1, 5)))


def test_the_table_of_all_pairs_learns_the_mean():
    """Its best constant answer for each example is the mean of all targets, whatever the example."""
    t = np.array([1.0, 2.0, 6.0])
    best = [min(np.linspace(0, 7, 701), key=lambda p: np.mean((p - t) ** 2)) for _ in t]
    assert np.allclose(best, t.mean(), atol=0.01)
    (found,) = lint(broadcast())
    assert "compares every prediction with every target, f64[N, N]" in found.message


# ---- findings as data


def test_a_finding_knows_the_line_it_is_about():
    (found,) = lint(softmax_mse())
    assert found.where.file == __file__
    assert "gd.softmax(logits())" in found.where.source()
    assert found.as_dict()["line"] == found.where.line
    assert found.as_dict("ko")["message"] != found.as_dict("en")["message"]


def test_findings_come_in_the_order_of_the_lines():
    a = gd.log(gd.relu(logits()))
    b = gd.log(gd.relu(logits()))
    lines = [f.where.line for f in lint([b, a])]
    assert lines == sorted(lines)


def test_a_graph_without_a_loss_is_linted_for_what_can_be_told():
    assert codes([gd.softmax(gd.softmax(logits())), gd.log(gd.relu(x()))]) == ["log-of-zero", "softmax-twice"]


def test_what_cannot_be_linted_is_refused():
    with pytest.raises(GraphError, match=r"lint was asked about a int, expected a model, a graph, a node or a list"):
        lint(3)
    with pytest.raises(GraphError, match=r"there is no lint rule 'softmaxmse'. Did you mean 'softmax-mse'?"):
        rule_called("softmaxmse")


@given(plans)
def test_linting_never_fails_on_a_random_graph_and_leaves_it_as_it_is(plan):
    g = grow(plan)
    graph = Graph(g.nodes)
    before, nodes = listing(graph), graph.nodes
    findings = lint(graph, dict(zip(g.inputs, g.arrays, strict=True)))
    assert (listing(graph), Graph(g.nodes).nodes) == (before, nodes)
    # Nothing is trained here, and all values are finite.
    about_training = {"accuracy-as-loss", "no-gradient", "linear-after-linear", "hidden-sigmoid", "unscaled-inputs"}
    assert not {f.rule for f in findings} & {"non-finite", "root-of-zero", "symmetric-start", *about_training}
    assert isinstance(findings_in(Facts.of(graph)), list)


# ---- the table of rules


@pytest.mark.parametrize("found", [*GRAPH_RULES, *MODEL_RULES], ids=lambda found: found.code)
def test_every_text_of_a_rule_has_the_same_slots_in_both_languages(found):
    for case in found.cases.values():
        for text in (case.said, case.advice):
            assert set(text) == {"en", "ko"}
            slots = {language: {n.removesuffix("_ko") for n in _slots(part)} for language, part in text.items()}
            assert slots["en"] == slots["ko"]
            assert any("가" <= c <= "힣" for c in text["ko"])


def _slots(text):
    return {name for _, name, _, _ in string.Formatter().parse(text) if name}


@pytest.mark.parametrize("found", [*GRAPH_RULES, *MODEL_RULES], ids=lambda found: found.code)
def test_every_rule_explains_itself(found):
    assert RULES[found.code] is found
    assert len(found.explanation) > 80
    assert inspect.isgeneratorfunction(found.check)
    assert found.code == found.code.lower().replace("_", "-")
