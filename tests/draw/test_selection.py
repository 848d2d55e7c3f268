"""Which steps are drawn, and what files they are put in."""

import doctest
import re

import pytest

from graphdl.draw import draw, trace
from graphdl.draw.outputs import naming
from graphdl.draw.selection import chosen_steps
from graphdl.errors import DrawError
from tests.draw import stories

pytest.importorskip("pygraphviz")


def told(story=stories.squared_neuron, **options):
    made = story()
    return trace(made.loss, feeds=made.feeds, **options)


NEURON = told()


@pytest.mark.parametrize(
    ("steps", "places"),
    [
        ("all", list(range(14))),
        ("12", [11]),
        (12, [11]),
        ("2-4", [1, 2, 3]),
        ("7, 3", [2, 6]),
        ([3, 7], [2, 6]),
        ("Backward", [8, 9, 10, 11, 12]),
        ("loss,seed,1", [0, 6, 7]),
    ],
)
def test_steps_are_chosen_by_numbers_from_1_by_ranges_and_by_phases(steps, places):
    assert list(chosen_steps(NEURON, steps)) == places


@pytest.mark.parametrize(
    ("steps", "message"),
    [
        ("0", "there is no step 0, expected 1 to 14"),
        (15, "there is no step 15, expected 1 to 14"),
        ("9" * 5000, "there is no step 99999999999999999999, expected 1 to 14"),
        ("1-99", "there is no step 99, expected 1 to 14"),
        ("5-2", "steps 5-2 run backwards; write 2-5"),
        ("bakward", "there is no step 'bakward'. Did you mean 'backward'? Expected 'all', a step such as '12'"),
        (
            "update",
            "this story has no step of phase 'update'; it has graph, feed, forward, loss, seed, backward, summary",
        ),
        ("", "steps names '', expected 'all', a step such as '12', a range such as '1-5'"),
        ("3,,4", "steps names '', expected 'all'"),
        ([], "steps is [], expected 'all'"),
        (True, "steps is True, expected 'all'"),
        (2.5, "steps is 2.5, expected 'all'"),
        ([None], "steps names None, expected 'all'"),
        ("-3", "there is no step -3, expected 1 to 14"),
    ],
)
def test_what_is_no_step_is_refused_with_what_is_one(steps, message):
    with pytest.raises(DrawError, match=re.escape(message)):
        chosen_steps(NEURON, steps)


def test_names_of_files_hold_their_own_examples():
    assert doctest.testmod(naming).failed == 0


@pytest.mark.parametrize("suffix", ["svg", "png", "dot", "mmd"])
def test_several_steps_are_a_file_each_numbered_as_in_the_log(tmp_path, suffix):
    made = draw(NEURON, tmp_path / f"steps.{suffix}", steps="1,7-8")
    assert [path.name for path in made] == [f"steps-{number}.{suffix}" for number in ("001", "007", "008")]
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted(path.name for path in made)


def test_a_pattern_says_where_the_number_goes_and_means_all_steps(tmp_path):
    made = draw(NEURON, tmp_path / "a%b-%02d.svg")
    assert [path.name for path in made] == [f"a%b-{number:02d}.svg" for number in range(1, 15)]
    (one,) = draw(NEURON, tmp_path / "%d.pdf", steps=3)
    assert one.name == "3.pdf"


def test_one_step_is_one_file_of_the_name_that_was_given(tmp_path):
    assert draw(NEURON, tmp_path / "one.svg", steps="9") == tmp_path / "one.svg"
    assert draw(NEURON, steps=9) == (tmp_path / "one.svg").read_text("utf-8")


def test_without_a_path_several_steps_are_several_texts():
    made = draw(NEURON, steps="backward")
    assert len(made) == 5
    assert all(svg.startswith("<svg ") for svg in made)


def test_nothing_is_written_unless_all_can_be_made(tmp_path):
    with pytest.raises(DrawError, match="needed more than"):
        draw(NEURON, tmp_path / "steps.png", steps="all", time_limit=1e-6)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("name", "options", "message"),
    [
        ("t.json", {"steps": "1-3"}, "a trace in .json is always whole"),
        ("p.html", {"steps": "1-3"}, "a page holds all steps, and begins at one; steps chose 3 of them"),
        ("%03d.txt", {}, "would be a file a step, but .txt holds all of them in one"),
        ("p.svg", {"step": 1, "steps": "1"}, "give one of them"),
        ("p.svg", {"lang": "kr"}, "there is no language 'kr'. It is one of en, ko, both"),
        (
            "p.svg",
            {"granularity": "ops"},
            "there is no granularity 'ops'. Did you mean 'op'? It is one of op, sub, layer",
        ),
    ],
)
def test_what_does_not_go_together_is_refused(tmp_path, name, options, message):
    with pytest.raises(DrawError, match=re.escape(message)):
        draw(NEURON, tmp_path / name, **options)
    assert list(tmp_path.iterdir()) == []
