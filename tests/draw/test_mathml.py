"""Formula texts as MathML: well formed, nothing lost, nothing of the user's becomes markup."""

import re
from xml.etree import ElementTree

import pytest
from hypothesis import given
from hypothesis import strategies as st

from graphdl.draw import trace
from graphdl.draw.mathml import FACTORS, chain_mathml, mathml
from graphdl.draw.model import LaneRule
from tests.draw.stories import ALL

_NS = "{http://www.w3.org/1998/Math/MathML}"


def _read(text):
    return ElementTree.fromstring(mathml(text))


def _shape(element):
    """Tags and texts as nested tuples, rows without siblings left out."""
    tag = element.tag.removeprefix(_NS)
    children = [_shape(child) for child in element]
    if tag in ("mrow", "math") and len(children) == 1:
        return children[0]
    return (tag, *children) if children else (tag, element.text or "")


def _letters(text):
    flat = "".join(ElementTree.fromstring(mathml(text)).itertext())
    return sorted(flat)


@pytest.mark.parametrize(
    ("text", "shape"),
    [
        ("∂L/∂x", ("mfrac", ("mrow", ("mo", "∂"), ("mi", "L")), ("mrow", ("mo", "∂"), ("mi", "x")))),
        ("x²", ("msup", ("mi", "x"), ("mn", "2"))),
        ("Wᵀ", ("msup", ("mi", "W"), ("mi", "T"))),
        ("t₁₂", ("msub", ("mi", "t"), ("mn", "12"))),
        ("w11", ("msub", ("mi", "w"), ("mn", "11"))),
        ("dense.kernel", ("mi", "dense.kernel")),
        ("x^(a + 1)", ("msup", ("mi", "x"), ("mrow", ("mi", "a"), ("mo", "+"), ("mn", "1")))),
        ("−1.5e−7", ("mrow", ("mo", "−"), ("mn", "1.5e−7"))),
        ("√(x)", ("msqrt", ("mrow", ("mo", "("), ("mi", "x"), ("mo", ")")))),
    ],
)
def test_what_a_formula_becomes(text, shape):
    found = _shape(_read(text))
    assert found == shape or found == ("math", *shape[1:])


def test_a_fraction_needs_no_brackets_around_numerator_and_denominator():
    assert _shape(_read("(a + b) / (c − d)")) == (
        "mfrac",
        ("mrow", ("mi", "a"), ("mo", "+"), ("mi", "b")),
        ("mrow", ("mi", "c"), ("mo", "−"), ("mi", "d")),
    )


def test_only_brackets_around_all_of_a_numerator_go():
    assert "".join(_read("((a + b) · (c + d)) / 2").itertext()) == "(a+b)·(c+d)2"
    assert "".join(_read("(a + b)² / 2").itertext()) == "(a+b)22"


def test_products_bind_more_tightly_than_sums_and_fractions_more_than_products():
    assert _shape(_read("a + b / c")) == ("math", ("mi", "a"), ("mo", "+"), ("mfrac", ("mi", "b"), ("mi", "c")))


@pytest.mark.parametrize("story", ALL, ids=lambda story: story.__name__)
def test_every_formula_of_the_stories_is_read_and_keeps_its_letters(story):
    made = story()
    texts = {
        text
        for step in trace(made.loss, made.wrt, made.feeds).steps
        for text in (
            step.formula,
            step.substituted,
            *(part for lane in step.lanes for part in (lane.chain, lane.rule, lane.numbers, lane.shapes, lane.arrival)),
        )
        if text
    }
    lost = str.maketrans("", "", " /²ᵀ√()₀₁₂₃₄₅₆₇₈₉T0123456789^")
    for text in texts - {text for text in texts if " of " in text}:
        assert "<mtext" not in mathml(text)
        assert sorted(text.translate(lost)) == [c for c in _letters(text) if c not in "()T0123456789/^"], text


@given(st.text(max_size=80))
def test_any_text_becomes_well_formed_mathml(text):
    safe = "".join(c for c in text if c.isprintable())
    element = _read(safe)
    assert not {node.tag.removeprefix(_NS) for node in element.iter()} - {
        *("math", "mrow", "mi", "mn", "mo", "mtext", "msup", "msub", "mfrac", "msqrt")
    }


@pytest.mark.parametrize(
    "name", ["</script><script>alert(1)</script>", '"&<>', "a" * 10_000, "(" * 500, "x" + "²" * 3000, "|" * 99]
)
def test_hostile_names_stay_text(name):
    text = mathml(f"∂L/∂{name} = {name}")
    ElementTree.fromstring(text)
    assert "<script" not in text


def test_factors_of_the_chain_rule_are_named_in_both_languages():
    lane = LaneRule("e1", "∂L/∂x", "∂L/∂u", "·", "∂u/∂x", "y", "= 2", "1 × 2 = 2")
    for language in ("en", "ko"):
        root = ElementTree.fromstring(chain_mathml(lane, language))
        named = {e.get("class"): e.find(f"{_NS}mtext").text for e in root.iter(f"{_NS}munder")}
        assert named == {role: words[language] for role, words in FACTORS.items()}


def test_without_a_local_derivative_the_product_of_arrays_stands_there():
    lane = LaneRule("e1", "∂L/∂x", "∂L/∂z", derivative="∂L/∂z · Wᵀ")
    text = chain_mathml(lane, "en")
    assert re.sub(r"<[^>]+>", "", text) == "∂L∂xdownstream=∂L∂zupstream·WT"


def test_the_upstream_gradient_inside_a_sum_is_named_too():
    lane = LaneRule("e1", "∂L/∂b", "∂L/∂z", derivative="Σ(∂L/∂z)")
    text = chain_mathml(lane, "ko")
    assert re.sub(r"<[^>]+>", "", text) == "∂L∂b하류=Σ(∂L∂z상류)"


def test_layers_primes_and_assignments_are_set_as_textbooks_do():
    assert "<msubsup><mi>w</mi><mn>12</mn><mrow>" in mathml("w⁽¹⁾₁₂ ← w⁽¹⁾₁₂ − η · f′")
    assert "<msup><mi>f</mi><mo>′</mo></msup>" in mathml("w ← η · f′")


@pytest.mark.parametrize("text", ["x[1:3, :]", "−1 … 2", "⊙ 1 / 9", "einsum(ab, cb → ac: q, K)", "w ← w − η · x"])
def test_bounds_dots_and_named_axes_are_read_as_formulas(text):
    found = _read(text)
    assert "".join(found.itertext()) == text.replace(" ", "").replace("/", "")
    assert (found.find(f".//{_NS}mfrac") is not None) == ("/" in text)
