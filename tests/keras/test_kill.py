"""kill -9 at random moments of training: benchmarks/kill.py, a few times."""

from __future__ import annotations

import os

import pytest

from benchmarks.kill import kill


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
def test_a_training_that_is_killed_at_random_moments_ends_in_the_same_bits():
    kills, _, runs = kill(8, seed=1)
    assert kills >= 8
    assert runs >= 1


@pytest.mark.slow
@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
@pytest.mark.skipif("GRAPHDL_KILLS" not in os.environ, reason="GRAPHDL_KILLS=200 says how often to kill")
def test_a_training_that_is_killed_very_often_ends_in_the_same_bits():
    assert kill(int(os.environ["GRAPHDL_KILLS"]), seed=2)[0] >= int(os.environ["GRAPHDL_KILLS"])
