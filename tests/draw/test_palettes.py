"""Palettes as eyes see them: contrast of text, and colours that stay apart without red, green or blue cones.

Colour blindness is simulated as in Machado, Oliveira & Fernandes 2009 (severity 1), distances are CIE 1976 ΔE*ab.
"""

import re
from itertools import combinations

import numpy as np
import pytest

from graphdl.draw.palettes import THEMES
from graphdl.draw.style import LEAST_CONTRAST, contrast, theme_css, variables_theme

# Rows give linear red, green and blue as they are seen.
SEEN = {
    "normal": np.eye(3),
    "protan": [[0.152286, 1.052583, -0.204868], [0.114503, 0.786281, 0.099216], [-0.003882, -0.048116, 1.051998]],
    "deutan": [[0.367322, 0.860646, -0.227968], [0.280085, 0.672501, 0.047413], [-0.011820, 0.042940, 0.968881]],
    "tritan": [[1.255528, -0.076749, -0.178779], [-0.078411, 0.930809, 0.147602], [0.004733, 0.691367, 0.303900]],
}
# sRGB to CIE XYZ under D65 (IEC 61966-2-1), and the white of that.
TO_XYZ = np.array(
    [[0.4124564, 0.3575761, 0.1804375], [0.2126729, 0.7151522, 0.0721750], [0.0193339, 0.119192, 0.9503041]]
)
WHITE = np.array([0.95047, 1.0, 1.08883])


def linear(colour):
    parts = np.array([int(colour[i : i + 2], 16) for i in (1, 3, 5)]) / 255
    return np.where(parts <= 0.04045, parts / 12.92, ((parts + 0.055) / 1.055) ** 2.4)


def lab(rgb):
    x, y, z = np.where((t := TO_XYZ @ rgb / WHITE) > (6 / 29) ** 3, np.cbrt(t), t / (3 * (6 / 29) ** 2) + 4 / 29)
    return np.array([116 * y - 16, 500 * (x - y), 200 * (y - z)])


def distance(one, other, eyes="normal"):
    seen = (np.clip(SEEN[eyes] @ linear(colour), 0, 1) for colour in (one, other))
    return float(np.linalg.norm(np.subtract(*map(lab, seen))))


def test_distances_are_those_of_the_cie():
    assert distance("#ffffff", "#000000") == pytest.approx(100, abs=0.01)
    assert lab(linear("#ff0000")) == pytest.approx([53.24, 80.09, 67.20], abs=0.02)
    assert distance("#808080", "#808080", "protan") == 0


@pytest.mark.parametrize("theme", [t for t in THEMES.values() if t.name != "cs231n"], ids=lambda theme: theme.name)
def test_every_text_can_be_read_on_what_is_behind_it(theme):
    assert [pair for pair in texts_on(theme) if contrast(*pair) < LEAST_CONTRAST] == []


def texts_on(theme):
    """Every colour of text with what it is printed on."""
    on_page = (theme.value, theme.gradient, theme.local, theme.muted)
    on_cards = [(theme.gradient, theme.look("block").fill)]
    looks = [(look.text, theme.background if look.fill == "none" else look.fill) for look in theme.looks.values()]
    return [*((colour, theme.background) for colour in on_page), (theme.local, theme.pill), *on_cards, *looks]


def test_the_red_of_cs231n_is_known_to_be_too_light():
    """Whoever asks for the colours of those notes gets them; nothing else in the theme is below the bound."""
    theme = THEMES["cs231n"]
    assert contrast(theme.gradient, theme.background) == pytest.approx(4.0, abs=0.01)
    assert {pair for pair in texts_on(theme) if contrast(*pair) < LEAST_CONTRAST} == {("#ff0000", "#ffffff")}


@pytest.mark.parametrize("eyes", SEEN)
@pytest.mark.parametrize(("name", "passes", "local"), [("light", 86, 45), ("dark", 75, 31)])
def test_values_gradients_and_local_derivatives_stay_apart_without_some_cones(name, passes, local, eyes):
    theme = THEMES[name]
    assert distance(theme.value, theme.gradient, eyes) >= passes
    assert min(distance(theme.local, colour, eyes) for colour in (theme.value, theme.gradient)) >= local


def test_the_green_and_red_of_cs231n_are_hard_to_tell_apart_which_is_why_they_must_be_asked_for():
    theme = THEMES["cs231n"]
    assert [round(distance(theme.value, theme.gradient, eyes)) for eyes in ("deutan", "protan")] == [24, 10]
    assert distance(theme.value, theme.gradient) > 100


def test_without_colours_the_lanes_differ_from_the_wires_in_their_lines():
    mono, book = THEMES["mono"], THEMES["book"]
    assert mono.lane_dashed
    assert not book.lane_dashed
    assert book.lane_weight >= 2.5
    for theme in THEMES.values():
        assert theme.lane_dashed or distance(theme.lane, theme.wire) > 50


def test_themes_have_the_same_kinds():
    assert len({tuple(theme.looks) for theme in THEMES.values()}) == 1


def test_without_colour_the_kinds_still_differ():
    mono = THEMES["mono"].looks
    seen = {(look.weight, look.dashed, look.bold, look.radius, look.fill, look.stroke) for look in mono.values()}
    assert len(seen) >= len(mono) - 1  # an op differs from a placeholder by its outline, a circle


def test_css_defines_every_variable_of_the_theme_of_variables_in_every_theme():
    used = set(re.findall(r"var\((--[\w-]+)\)", repr(variables_theme())))
    blocks = dict(re.findall(r':root\[data-theme="(\w+)"\]\{(.*?)\}', theme_css()))
    assert set(blocks) == set(THEMES)
    for name, block in blocks.items():
        defined = dict(part.split(":") for part in block.split(";"))
        assert used <= set(defined)
        assert defined["--value"] == THEMES[name].value
        assert defined["--parameter-gradient-fill"] == THEMES[name].look("parameter gradient").fill


def test_css_goes_under_the_selector_that_a_page_wants():
    assert theme_css(lambda name: f".theme-{name}").startswith(".theme-light{--background:#ffffff;")


def test_no_two_themes_look_the_same():
    for one, other in combinations(THEMES.values(), 2):
        assert (one.background, one.value, one.gradient, one.lane) != (
            other.background,
            other.value,
            other.gradient,
            other.lane,
        )
