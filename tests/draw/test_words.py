"""Pictures in Korean: other words at the same places."""

from __future__ import annotations

import re

import pytest

from graphdl.draw import draw, trace
from graphdl.draw.bounds import extent
from graphdl.draw.captions import ROLES
from graphdl.draw.palettes import LIGHT
from graphdl.draw.picture import picture
from graphdl.draw.scene import Label
from graphdl.draw.words import PHRASES, in_korean, worded
from tests.draw import networks, stories
from tests.draw.geometry import overlap
from tests.draw.pictures import by_symbol, read

EVERY = [(stories.xor, "circuit"), (stories.fan_out, "rails"), (networks.deep, "blocks"), (networks.lstm, "blocks")]
every_picture = pytest.mark.parametrize(("story", "view"), EVERY)


def _scene(story, view):
    made = story()
    return picture(trace(made.loss, made.wrt, made.feeds), view, LIGHT, None, 20.0, False)


def _key(scene):
    return [mark for mark in scene.groups[-1].marks if isinstance(mark, Label)]


@every_picture
def test_every_word_of_a_key_a_role_and_a_card_is_korean(story, view):
    made = worded(_scene(story, view), ["ko"])
    said = [mark.text for mark in _key(made)]
    said += [m.text for group in made.groups for m in group.marks if isinstance(m, Label) and m.part == "role"]
    assert said
    assert all(re.search("[\uac00-\ud7a3]", text) for text in said), said


@every_picture
@pytest.mark.parametrize("languages", [["ko"], ["en", "ko"]])
def test_only_the_key_changes_its_place_and_keeps_inside_the_picture(story, view, languages):
    plain = _scene(story, view)
    made = worded(plain, languages)
    for old, new in zip(plain.groups[:-1], made.groups[:-1], strict=True):
        assert [getattr(mark, "x", None) for mark in old.marks] == [getattr(mark, "x", None) for mark in new.marks]
    (old, new) = plain.groups[-1].marks, made.groups[-1].marks
    assert len(old) == len(new)
    places = [extent(mark) for mark in _key(made)]
    assert not any(overlap(a, b, 0.0) for i, a in enumerate(places) for b in places[:i])
    assert all(0 < mark.x < made.width and mark.y < made.height for mark in _key(made))


def test_english_is_as_it_is_drawn():
    plain = _scene(stories.xor, "circuit")
    assert worded(plain, ["en"]) is plain


def test_a_picture_in_both_languages_says_roles_and_key_in_both():
    made = stories.apple_shop()
    svg = draw(trace(made.loss, feeds=made.feeds), lang="both")
    assert by_symbol(svg)["t₁"].text("role") == f"swap {ROLES['swap']['ko']}"
    assert "placeholder 자리표시자" in read(svg)["legend"].texts["label"]


def test_sentences_about_the_graph_keep_its_names():
    assert in_korean("4 operations: matmul, 2 add") == "연산 4개: matmul, 2 add"
    assert in_korean("1 operation: relu") == "연산 1개: relu"
    assert in_korean("and 3 more") == "외 3개"
    assert in_korean("reads X, labels") == "입력: X, labels"
    assert in_korean("length of a gradient, from 1e−3 to 1e1, each power of ten equally long").startswith(
        "기울기의 크기, 1e−3부터"
    )
    assert in_korean("kernel (8, 8)") == "kernel (8, 8)"


def test_patterns_are_those_that_javascript_reads_alike():
    assert all(re.fullmatch(r"[\w ,:.*+?^$()\\]+", pattern) for pattern, _ in PHRASES)
