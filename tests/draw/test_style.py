"""Contrast by the book, and texts that are cut where they must be."""

import doctest

import pytest

from graphdl.draw import style
from graphdl.draw.style import contrast, fitted, one_line, text_width


def test_its_own_examples_hold():
    assert doctest.testmod(style).failed == 0


def test_contrast_is_that_of_the_wcag():
    assert contrast("#ffffff", "#000000") == 21.0
    assert contrast("#777777", "#ffffff") == pytest.approx(4.48, abs=0.005)


def test_a_text_is_cut_to_its_room():
    cut = fitted("a" * 10_000, 100)
    assert cut.endswith("…")
    assert text_width(cut) <= 100
    assert fitted("short", 100) == "short"


def test_a_line_has_no_control_characters_and_no_direction_marks():
    assert one_line("a\nb\tc\x00d\x07e\u202ef\u2066g\ud800h") == "a b cdefgh"
    assert one_line("אב 😀 한국어") == "אב 😀 한국어"
