"""How pictures print numbers."""

import doctest
import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from graphdl.draw import digits
from graphdl.draw.digits import equals, number, parsed, product, total


def test_its_own_examples_hold():
    assert doctest.testmod(digits).failed == 0


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (220.00000000000003, "220"),
        (0.1 + 0.2, "0.3"),
        (-0.1466604, "−0.1467"),
        (-0.0, "0"),
        (60000, "60000"),
        (12345.6, "12346"),
        (1234567.8, "1.235e6"),
        (1.5e-7, "1.5e−7"),
        (True, "true"),
        (math.nan, "NaN"),
        (-math.inf, "−∞"),
    ],
)
def test_a_number_has_four_significant_digits_and_a_real_minus(value, text):
    assert number(value) == text


@given(st.floats(allow_nan=False, allow_infinity=False, width=32))
def test_what_is_printed_is_within_half_a_unit_of_the_fourth_digit(value):
    assert parsed(number(value)) == pytest.approx(value, rel=5.1e-4, abs=1e-300)


@given(st.floats(-1e4, 1e4), st.floats(-1e4, 1e4))
def test_an_equals_sign_stands_only_where_the_displayed_numbers_multiply(a, b):
    line = product([a, b], a * b)
    left, right = parsed(number(a)), parsed(number(b))
    exact = number(float(f"{left * right:.12g}")) == number(a * b)
    assert (" = " in line) == exact
    assert (" ≈ " in line) != exact


def test_products_and_sums_read_as_in_a_book():
    assert product([1, -4], -4) == "1 × (−4) = −4"
    assert product([2, 1.1], 2.2) == "2 × 1.1 = 2.2"
    assert total([6, -1], 5) == "6 + (−1) = 5"
    assert total([0.33333, 0.33333, 0.33333], 1.0) == "0.3333 + 0.3333 + 0.3333 ≈ 1"
    assert equals(float("nan"), "0") == "≈"
