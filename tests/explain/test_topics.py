"""What the topics say is true, in both languages; numbers in them are computed again here."""

from __future__ import annotations

import math
import re

import numpy as np
import pytest

import graphdl as gd
from graphdl import keras
from graphdl.errors import GraphError
from graphdl.explain import TOPICS, batches, explain, listing
from graphdl.explain.rules_ko import RULES_KO
from graphdl.keras.lint import GRAPH_RULES, MODEL_RULES

NAMES = [name for name, _ in listing()]
BRIEF = {
    "zero-gradient",
    "nan",
    "batches",
    "loss-and-activation",
    "vanishing-gradient",
    "dying-relu",
    "initialisation",
    "softmax-cross-entropy",
    "broadcasting",
    "accuracy-as-loss",
    "one-hot",
    "overfitting",
    "validation-split",
    "learning-rate",
    "local-derivative",
    "chain-rule",
    "convolution",
}


def said(topic, pattern, language="en"):
    """The numbers that a pattern catches in a topic."""
    found = re.search(pattern, explain(topic, language))
    assert found, f"{topic} has no {pattern}"
    return [float(part.replace("- ", "-")) for part in found.groups()]


def test_the_topics_of_the_course_are_there():
    assert set(TOPICS) == BRIEF
    assert len(NAMES) == len(set(NAMES)) == len(BRIEF | {rule.code for rule in (*GRAPH_RULES, *MODEL_RULES)})


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("language", ["en", "ko"])
def test_a_topic_is_short_and_whole(name, language):
    text = explain(name, language)
    lines = text.split("graphdl lint says")[0].splitlines()
    assert len(text) > 120
    assert len(lines) <= 26
    assert all(len(line) <= 120 for line in lines)
    assert not re.search(r"\{\w*\}|\t| $", text, re.MULTILINE)
    assert bool(re.search("[가-힣]", text)) is (language == "ko")


@pytest.mark.parametrize("name", sorted(BRIEF))
def test_both_languages_show_the_same_formulas_and_numbers(name):
    def numbers(language):
        return sorted(re.findall(r"\d+\.\d+", TOPICS[name].text[language]))

    assert numbers("en") == numbers("ko")


def test_every_rule_is_explained_in_korean():
    assert set(RULES_KO) == {rule.code for rule in (*GRAPH_RULES, *MODEL_RULES)}


def test_words_that_people_use_lead_to_the_topic():
    assert explain("Backpropagation") == explain("chain-rule")
    assert explain("zero gradient") == explain("zero_gradient") == explain("zero-gradient")
    with pytest.raises(GraphError, match=r"there is no topic 'vanishing-gradiant'. Did you mean 'vanishing-gradient'?"):
        explain("vanishing-gradiant")
    with pytest.raises(GraphError, match="language is 'fr', expected one of en, ko"):
        explain("nan", "fr")


# ---- what they say


def test_softmax_cross_entropy_gives_the_numbers_of_the_example():
    z = np.array([2.0, 1.0, 0.0])
    p = np.exp(z) / np.exp(z).sum()
    text = explain("softmax-cross-entropy")
    for numbers in (p, p - [1, 0, 0]):
        assert "[" + ", ".join(f"{number:.3f}" for number in numbers) + "]" in text
    assert f"L = {-math.log(p[0]):.3f}" in text
    assert f"{math.log(10):.3f} for 10" in text


def test_accuracy_and_cross_entropy_of_the_two_answers():
    text = explain("accuracy-as-loss")
    for p in (0.51, 0.99):
        assert f"cross-entropy {-math.log(p):.3f}" in text


def test_the_bounds_of_the_vanishing_gradient():
    for count, bound in re.findall(r"\(1/4\)\^(\d+) +([\d.]+)", explain("vanishing-gradient")):
        assert float(bound) == pytest.approx(0.25 ** int(count), rel=0.01)
    (slope,) = said("vanishing-gradient", r"([\d.]+) at z = 5")
    s = 1 / (1 + math.exp(-5))
    assert slope == pytest.approx(s * (1 - s), rel=0.01)


def test_learning_rates_do_on_a_parabola_what_is_said():
    for rate, factor in re.findall(r"rate ([\d.]+) +w <- (-?[\d.]+) w", explain("learning-rate")):
        w = gd.Variable(1.0, "float64", name="w")
        session = gd.Session()
        session.run(keras.optimizers.SGD(float(rate)).minimize(gd.square(w)))
        assert session.value(w) == pytest.approx(float(factor))


def test_a_convolution_has_the_sizes_and_weights_that_are_said():
    image = gd.placeholder((None, 28, 28, 1), name="image")
    kernel = gd.Variable(np.zeros((5, 5, 1, 1)), "float32", name="kernel")
    (pixels,) = said("convolution", r"28 pixels, kernel 5, padding 2 \+ 2, stride 2: (\d+) pixels")
    assert gd.conv2d(image, kernel, 2, ((2, 2), (2, 2))).shape[1:3] == (pixels, pixels)
    (weights,) = said("convolution", r"16 channels, 32 filters: (\d+) weights")
    layer = keras.layers.Conv2D(32, 3, use_bias=False)
    layer(keras.Input((9, 9, 16)))
    assert layer.count_params() == weights


def test_the_apple_shop_of_the_local_derivatives():
    price, count, tax = (gd.placeholder((), "float64", name=n) for n in ("price", "count", "tax"))
    total = price * count * tax
    found = gd.Session().run([total, *gd.gradients(total, [tax, price, count])], {price: 100, count: 2, tax: 1.1})
    assert "100 * 2 * 1.1 = 220. To tax: 200, to price: 2.2, to count: 110" in explain("local-derivative")
    np.testing.assert_allclose(found, [220, 200, 2.2, 110])


def test_the_stable_gradient_that_nan_promises():
    z = gd.placeholder((3,), "float64", name="z")
    loss = -gd.log((gd.exp(z) / gd.sum(gd.exp(z)))[0])
    value, slope = gd.Session().run([loss, gd.gradients(loss, z)], {z: [0.0, 1000.0, 5.0]})
    assert "the loss 1000 and the gradient [-1, 1, 0]" in explain("nan").replace("\n", " ")
    np.testing.assert_allclose([value, *slope], [1000, -1, 1, 0])


def test_float32_overflows_where_nan_says():
    with np.errstate(over="ignore"):
        assert np.isinf(np.exp(np.float32(89))), "exp(89) = inf in float32"
        assert np.isfinite(np.exp(np.float32(88)))


# r as a multiple of sqrt(6 / (m + n)), for m inputs and n outputs.
@pytest.mark.parametrize(
    ("name", "limit"),
    [
        ("glorot_uniform", lambda m, n: math.sqrt(6 / (m + n))),
        ("he_uniform", lambda m, n: math.sqrt(6 / m)),
        ("lecun_uniform", lambda m, n: math.sqrt(3 / m)),
    ],
)
def test_the_named_initialisers_have_the_limits_of_the_table(name, limit):
    m, n = 300, 100
    drawn = gd.Session().run(keras.initializers.get(name)((m, n), "float64"))
    r = limit(m, n)
    assert np.abs(drawn).max() <= r
    assert np.abs(drawn).max() > 0.99 * r
    assert drawn.var() == pytest.approx(r**2 / 3, rel=0.03), "a uniform number has the variance r^2 / 3"


@pytest.mark.parametrize("language", ["en", "ko"])
def test_the_rows_of_the_table_of_initial_values_have_one_variance(language):
    rows = [re.split(r" {2,}", line.strip()) for line in explain("initialisation", language).splitlines()]
    table = {row[0]: tuple(map(_value, row[1:3])) for row in rows if len(row) == 4 and "sqrt" in row[1]}
    assert set(table) == {"tanh", "sigmoid", "relu", "relu (He)", "selu"}
    for r, s in table.values():
        assert r**2 / 3 == pytest.approx(s**2)
    assert table["sigmoid"][0] == pytest.approx(4 * table["tanh"][0])
    assert table["tanh"][0] == pytest.approx(math.sqrt(6 / 400))


def _value(text):
    """A formula of the table for m = 300 inputs and n = 100 outputs."""
    return eval(re.sub(r"(?<=[\d)]) (?=sqrt)", "*", text), {"sqrt": math.sqrt, "m": 300, "n": 100})


def test_the_slope_of_sigmoid_at_0_is_a_quarter_of_that_of_tanh():
    h = 1e-6
    sigmoid = (1 / (1 + math.exp(-h)) - 1 / (1 + math.exp(h))) / (2 * h)
    assert sigmoid / ((math.tanh(h) - math.tanh(-h)) / (2 * h)) == pytest.approx(0.25)


@pytest.mark.parametrize("line", re.findall(r"^    \(N.*\(N, [N\d]+\)", explain("broadcasting"), re.M))
def test_the_shapes_of_broadcasting_are_numpys(line):
    a, b, result = (eval(text, {"N": 7}) for text in re.findall(r"\([^)]*\)", line))
    assert np.broadcast_shapes(a, b) == result


# ---- batches


@pytest.mark.parametrize(
    ("n", "batch", "epochs"), [(1000, 100, 5), (1050, 100, 3), (6, 32, 4), (7, 1, 2), (100, 100, 1)]
)
def test_the_arithmetic_is_what_fit_does(n, batch, epochs):
    class Count(keras.callbacks.Callback):
        begun = 0

        def on_epoch_begin(self, epoch, logs=None):
            Count.begun += 1

    found = batches(n, batch, epochs)
    model = keras.Sequential([keras.Input((1,)), keras.layers.Dense(1)])
    model.compile("adam", "mse")
    model.fit(np.zeros((n, 1)), np.zeros(n), batch_size=batch, epochs=epochs, verbose=0, callbacks=[Count()])
    state = model.session.state.named()
    (steps,) = (int(value) for name, value in state.items() if name.endswith("iterations"))
    assert (found.steps, found.iterations) == (steps, steps // Count.begun)
    assert found.last + batch * (found.iterations - 1) == n
    assert f" = {found.iterations} iterations an epoch" in found.told("en")
    assert f"the weights change {steps} times" in found.told("en")


def test_the_course_has_ten_iterations_an_epoch():
    assert batches(1000, 100).iterations == 10
    with pytest.raises(GraphError, match="batches: batch is 0, expected an integer from 1"):
        batches(10, 0)
