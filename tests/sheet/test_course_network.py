"""The network of the course, 4 inputs, 3 hidden units, 1 output: the derivative for w11, by numbers and by matrices."""

from __future__ import annotations

import math
import re

import numpy as np
import pytest

import graphdl as gd
from graphdl.sheet import sheet
from tests.sheet.networks import W1, W2, Case, X, Y, by_hand, course

ACTIVATIONS = ["linear", "sigmoid", "tanh", "relu"]


def lines(made, key):
    return [f.text for block in made.section(key).blocks for f in getattr(block, "formulas", ())]


@pytest.mark.parametrize("activation", ACTIVATIONS)
@pytest.mark.parametrize("level", ["scalar", "matrix"])
def test_the_derivative_for_w11_is_that_of_the_chain_rule_written_out(activation, level):
    case = course(activation)
    (result,) = sheet(case.loss, (case.leaves["W1"], (0, 0)), case.feeds, level=level).results
    expected = by_hand(activation, X, Y)[0][0, 0]
    assert result.value == pytest.approx(expected, rel=1e-12)
    assert result.session == pytest.approx(expected, rel=1e-12)
    assert result.numeric == pytest.approx(expected, rel=1e-7, abs=1e-9)


@pytest.mark.parametrize("examples", [1, 2])
def test_every_weight_has_its_derivative_number_by_number(examples):
    case = course(examples=examples)
    x, y = (case.feeds[case.leaves[name]] for name in "xy")
    for name, whole in zip(("W1", "W2"), by_hand("sigmoid", x, y), strict=True):
        for index in np.ndindex(*whole.shape):
            (result,) = sheet(case.loss, (case.leaves[name], index), case.feeds, level="scalar").results
            assert result.value == pytest.approx(whole[index], rel=1e-12), (name, index)


def test_whole_arrays_have_their_gradients_by_matrices():
    case = course(examples=3)
    x, y = (case.feeds[case.leaves[name]] for name in "xy")
    found = sheet(case.loss, [case.leaves["W1"], case.leaves["W2"]], case.feeds).results
    for result, whole in zip(found, by_hand("sigmoid", x, y), strict=True):
        np.testing.assert_allclose(result.whole, whole, rtol=1e-12)


def test_the_derivation_by_numbers_is_the_one_on_the_blackboard():
    case = course()
    made = sheet(case.loss, (case.leaves["W1"], (0, 0)), case.feeds)
    assert made.level == "scalar"
    assert lines(made, "reverse") == [
        "∂L/∂a⁽²⁾ = −2 · (y − a⁽²⁾) = −2 × (1 − 0.4345) = −1.131",
        "∂L/∂a⁽¹⁾₁ = ∂L/∂a⁽²⁾ · ∂a⁽²⁾/∂a⁽¹⁾₁",
        "∂a⁽²⁾/∂a⁽¹⁾₁ = w⁽²⁾₁ = 0.6",
        "∂L/∂a⁽¹⁾₁ = −1.131 × 0.6 = −0.6786",
        "∂L/∂z⁽¹⁾₁ = ∂L/∂a⁽¹⁾₁ · ∂a⁽¹⁾₁/∂z⁽¹⁾₁",
        "∂a⁽¹⁾₁/∂z⁽¹⁾₁ = a⁽¹⁾₁ · (1 − a⁽¹⁾₁) = 0.7503 × (1 − 0.7503) ≈ 0.1874",
        "∂L/∂z⁽¹⁾₁ = −0.6786 × 0.1874 ≈ −0.1271",
        "∂L/∂w⁽¹⁾₁₁ = ∂L/∂z⁽¹⁾₁ · ∂z⁽¹⁾₁/∂w⁽¹⁾₁₁",
        "∂z⁽¹⁾₁/∂w⁽¹⁾₁₁ = x₁ = 1",
        "∂L/∂w⁽¹⁾₁₁ = −0.1271 × 1 = −0.1271",
    ]


def test_the_one_path_is_marked_and_its_product_written_out():
    case = course("linear")
    made = sheet(case.loss, (case.leaves["W1"], (0, 0)), case.feeds)
    way, product, numbers = lines(made, "paths")
    assert way == "w⁽¹⁾₁₁ → z⁽¹⁾₁ → a⁽²⁾ → L"
    assert product.endswith("= −2 · (y − a⁽²⁾) · w⁽²⁾₁ · x₁")
    a2 = (X @ W1 @ W2)[0, 0]
    assert numbers == f"∂L/∂w⁽¹⁾₁₁ = {-2 * (1 - a2):.4g} × 0.6 × 1 = {-2 * (1 - a2) * 0.6:.4g}".replace("-", "−")
    marked = [row.cells[1].text for row in made.section("forward").blocks[1].rows if row.marked]
    assert [text.split(" = ")[0] for text in marked] == ["z⁽¹⁾₁", "a⁽²⁾", "L"]


def test_equations_by_numbers_are_sums_written_out_with_their_numbers():
    case = course(bias=True)
    made = sheet(case.loss, (case.leaves["W1"], (0, 0)), case.feeds)
    first = made.section("forward").blocks[1].rows[0].cells
    assert first[1].text == "z⁽¹⁾₁ = x₁ · w⁽¹⁾₁₁ + x₂ · w⁽¹⁾₂₁ + x₃ · w⁽¹⁾₃₁ + x₄ · w⁽¹⁾₄₁ + b⁽¹⁾₁"
    assert first[2].text == "z⁽¹⁾₁ = 1 × 0.2 + 0.5 × 0.5 + (−1.5) × (−0.3) + 2 × 0.1 + 0.1 = 1.2"


def test_by_matrices_each_step_has_its_product_and_its_shapes():
    case = course()
    made = sheet(case.loss, case.leaves["W1"], case.feeds)
    assert made.level == "matrix"
    found = lines(made, "reverse")
    assert "∂L/∂W1 = xᵀ · ∂L/∂z1" in found
    assert "(4, N) · (N, 3) → (4, 3)" in found
    (grid,) = [g for block in made.section("result").blocks for g in [block]]
    shown = [[float(text.replace("−", "-")) for text in row] for row in grid.rows]
    np.testing.assert_allclose(shown, by_hand("sigmoid", X, Y)[0], rtol=5e-4)


def test_parts_of_a_sum_have_no_lines_of_their_own():
    case = course(bias=True)
    made = sheet(case.loss, [case.leaves["W1"], case.leaves["b1"]], case.feeds, level="matrix")
    equations = [row.cells[1].text for row in made.section("forward").blocks[1].rows]
    assert equations[0] == "z1 = x · W1 + b1"
    found = lines(made, "reverse")
    assert {"∂L/∂W1 = xᵀ · ∂L/∂z1", "∂L/∂b1 = Σ(∂L/∂z1)"} <= set(found)


def test_a_network_in_float32_is_derived_in_float64_and_agrees_with_its_session():
    case = course(dtype="float32")
    (result,) = sheet(case.loss, (case.leaves["W1"], (0, 0)), case.feeds).results
    wide = [np.float64(np.float32(w)) for w in (W1, W2)]
    a = 1 / (1 + np.exp(-(X @ wide[0])))
    exact = -2 * (1 - (a @ wide[1])[0, 0]) * wide[1][0, 0] * a[0, 0] * (1 - a[0, 0])
    assert result.value == pytest.approx(exact, rel=1e-12)
    assert result.session == pytest.approx(exact, rel=1e-5)


def test_a_batch_has_one_path_for_each_example():
    case = course(examples=2)
    made = sheet(case.loss, (case.leaves["W1"], (0, 0)), case.feeds, level="scalar")
    assert made.paths == {"w⁽¹⁾₁₁": 2}
    products = [text for text in lines(made, "paths") if " × " in text]
    total = sum(float(re.split("[=≈] ", text)[-1].replace("−", "-")) for text in products)
    assert total == pytest.approx(made.results[0].value, rel=2e-3)


def test_without_values_the_derivation_is_in_symbols():
    case = course()
    made = sheet(case.loss, (case.leaves["W1"], (0, 0)))
    assert made.results[0].value is None
    assert made.section("check") is None
    assert "∂z⁽¹⁾₁/∂w⁽¹⁾₁₁ = x₁" in lines(made, "reverse")
    assert not any(re.search(r"\d\.\d", text) for text in made.formulas())


def test_the_update_goes_against_the_slope():
    case = course()
    made = sheet(case.loss, (case.leaves["W1"], (0, 0)), case.feeds, rate=0.5)
    new = W1[0, 0] - 0.5 * by_hand("sigmoid", X, Y)[0][0, 0]
    assert [b.text for b in made.section("update").blocks[1:]] == [
        "w⁽¹⁾₁₁ ← w⁽¹⁾₁₁ − η · ∂L/∂w⁽¹⁾₁₁",
        f"w⁽¹⁾₁₁ ← 0.2 − 0.5 × (−0.1271) = {new:.4g}",
    ]


def deltas(case: Case) -> dict[str, float]:
    made = sheet(case.loss, (case.leaves["W1"], (0, 0)), case.feeds, ebp=True)
    found = {}
    for text in lines(made, "ebp"):
        name, _, rest = text.partition(" = ")
        if name.startswith("δ") and not rest.startswith("∂"):
            found[name] = float(re.split("[=≈] |^", rest)[-1].replace("−", "-"))
    return found


def test_delta_is_the_derivative_for_what_a_unit_sums_up():
    found = deltas(course())
    a1 = 1 / (1 + np.exp(-(X @ W1)))
    delta2 = -2 * (1 - (a1 @ W2)[0, 0])
    delta1 = delta2 * W2[:, 0] * a1[0] * (1 - a1[0])
    assert found["δ⁽²⁾"] == pytest.approx(delta2, rel=1e-3)
    assert [found[f"δ⁽¹⁾{i}"] for i in "₁₂₃"] == pytest.approx(list(delta1), rel=1e-3)


def test_the_six_steps_of_ebp_change_every_weight_by_minus_rate_delta_h():
    case = course()
    made = sheet(case.loss, (case.leaves["W1"], (0, 0)), case.feeds, ebp=True, rate=0.1)
    steps = [block for block in made.section("ebp").blocks if hasattr(block, "formulas")]
    assert [block.said["en"][0] for block in steps] == list("123456")
    (table,) = [block for block in made.section("ebp").blocks if hasattr(block, "rows")]
    whole = np.concatenate([g.ravel() for g in by_hand("sigmoid", X, Y)])
    old = np.concatenate([W1.ravel(), W2.ravel()])
    for row, slope, weight in zip(table.rows, whole, old, strict=True):
        assert float(row.cells[2].text.replace("−", "-")) == pytest.approx(slope, rel=1e-3)
        new = float(re.split("[=≈] ", row.cells[3].text)[-1].replace("−", "-"))
        assert new == pytest.approx(weight - 0.1 * slope, rel=1e-3)


def test_ebp_by_matrices_has_a_delta_for_every_layer():
    case = course(bias=True)
    made = sheet(case.loss, case.leaves["W1"], case.feeds, ebp=True)
    found = lines(made, "ebp")
    assert any(text.startswith("δ2 = ∂L/∂a2 = ") for text in found)
    assert any(text.startswith("δ1 = ∂L/∂z1 = δ2 · W2ᵀ ⊙ ") for text in found)
    assert {"∂L/∂W1 = xᵀ · δ1", "∂L/∂b1 = Σ(δ1)", "W1 ← W1 − η · xᵀ · δ1"} <= set(found)


def test_the_same_network_of_single_numbers_has_the_same_derivation():
    """As users write it who have no matrices yet."""
    ws = {f"w{i}{j}": gd.Variable(W1[i - 1, j - 1], "float64", name=f"w{i}{j}") for i in range(1, 5) for j in (1, 2, 3)}
    xs = [gd.constant(value, "float64", name=f"x{i}") for i, value in enumerate(X[0], start=1)]
    zs = [sum((xs[i] * ws[f"w{i + 1}{j}"] for i in range(1, 4)), xs[0] * ws[f"w1{j}"]) for j in (1, 2, 3)]
    out = sum((gd.sigmoid(z) * v for z, v in zip(zs[1:], W2[1:, 0].tolist(), strict=True)), gd.sigmoid(zs[0]) * 0.6)
    made = sheet(gd.square(1.0 - out, name="L"), ws["w11"])
    assert made.results[0].value == pytest.approx(by_hand("sigmoid", X, Y)[0][0, 0], rel=1e-12)
    assert math.isclose(made.results[0].numeric, made.results[0].value, rel_tol=1e-7)
