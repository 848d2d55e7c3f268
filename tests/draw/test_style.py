"""Colours that can be read, and texts that are cut where they must be."""

import doctest

import pytest

from graphdl.draw import style
from graphdl.draw.style import LEAST_CONTRAST, THEMES, contrast, fitted, one_line, text_width


def test_its_own_examples_hold():
    assert doctest.testmod(style).failed == 0


def test_contrast_is_that_of_the_wcag():
    assert contrast("#ffffff", "#000000") == 21.0
    assert contrast("#777777", "#ffffff") == pytest.approx(4.48, abs=0.005)


@pytest.mark.parametrize("theme", THEMES.values(), ids=list(THEMES))
def test_every_text_can_be_read_on_what_is_behind_it(theme):
    pairs = [(colour, theme.background) for colour in (theme.value, theme.gradient, theme.local, theme.muted)]
    pairs.append((theme.local, theme.pill))
    pairs += [(look.text, theme.background if look.fill == "none" else look.fill) for look in theme.looks.values()]
    pairs += [(theme.gradient, theme.look("block").fill)]
    assert [pair for pair in pairs if contrast(*pair) < LEAST_CONTRAST] == []


def test_themes_have_the_same_kinds():
    assert len({tuple(theme.looks) for theme in THEMES.values()}) == 1


def test_without_colour_the_kinds_still_differ():
    mono = THEMES["mono"].looks
    seen = {(look.weight, look.dashed, look.bold, look.radius, look.fill, look.stroke) for look in mono.values()}
    assert len(seen) >= len(mono) - 1  # an op differs from a placeholder by its outline, a circle


def test_a_text_is_cut_to_its_room():
    cut = fitted("a" * 10_000, 100)
    assert cut.endswith("…")
    assert text_width(cut) <= 100
    assert fitted("short", 100) == "short"


def test_a_line_has_no_control_characters_and_no_direction_marks():
    assert one_line("a\nb\tc\x00d\x07e\u202ef\u2066g\ud800h") == "a b cdefgh"
    assert one_line("אב 😀 한국어") == "אב 😀 한국어"
