"""Symbolic sizes are read off what is fed, also when nothing else of it is needed."""

from __future__ import annotations

import numpy as np
import pytest

import graphdl as gd


@pytest.mark.parametrize("level", [0, 1, 2])
@pytest.mark.parametrize("style", ["fast", "readable"])
def test_a_placeholder_whose_value_is_not_needed_still_says_what_n_is(level, style):
    x, w = gd.placeholder((None, 3), name="x"), gd.Variable(np.zeros(3, "f"), name="w")
    total = gd.sum(x * 0 + w)
    session = gd.Session(level=level, style=style)
    assert session.run(gd.gradients(total, w), {x: np.ones((5, 3))}).tolist() == [5, 5, 5]
    assert session.run(gd.gradients(total, w), {x: np.ones((2, 3))}).tolist() == [2, 2, 2]


@pytest.mark.parametrize("level", [0, 1, 2])
def test_what_must_be_fed_does_not_depend_on_the_level(level):
    x, y = gd.placeholder((), name="x"), gd.placeholder((), name="y")
    with pytest.raises(gd.FeedError, match="needs placeholder 'y'"):
        gd.Session(level=level).run(x + 0 * y, {x: 1.0})


def test_a_size_that_nothing_fed_has_is_named():
    noise = gd.random_uniform(("T", 3))
    with pytest.raises(gd.GraphError, match=r"size T of .* is settled by nothing that is fed"):
        gd.Session().run(noise)


@pytest.mark.parametrize("style", ["fast", "readable"])
def test_one_program_serves_every_batch(style):
    x = gd.placeholder((None, 2), name="x")
    session = gd.Session(style=style)
    both = gd.mean(gd.concat([x, x * 2], axis=0))
    for n in (1, 7, 3, 7, 100, 5, 6):
        data = np.arange(2 * n, dtype="f").reshape(n, 2)
        assert session.run(both, {x: data}) == pytest.approx(data.mean() * 1.5)
    assert len(session._programs) == 1
