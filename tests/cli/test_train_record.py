"""`graphdl train --record`: the page of a run, or its numbers, whatever becomes of the run."""

from __future__ import annotations

import pytest

from graphdl.draw.training import Recording

POINTS = """
    from graphdl import keras

    model = keras.Sequential([keras.Input((2,)), keras.layers.Dense(4, "tanh"), keras.layers.Dense(1, "sigmoid")])
    model.compile("adam", "binary_crossentropy", metrics=["accuracy"])
    data = keras.datasets.toy("xor", 40)
    epochs = 3
"""


@pytest.fixture
def points(shell):
    shell.write("points.py", POINTS)
    return shell


def test_a_run_becomes_a_page(points):
    answer = points.run("train", "points.py", "--quiet", "--record", "run.html")
    assert (answer.code, answer.out, answer.err) == (0, "", "wrote run.html\n")
    text = (points.folder / "run.html").read_text("utf-8")
    assert "<title>Training: points</title>" in text
    assert '"accuracy"' in text


def test_a_run_becomes_numbers(points):
    answer = points.run("train", "points.py:model", "--quiet", "--epochs", 5, "--record", "run.json")
    assert (answer.code, answer.err) == (0, "wrote run.json\n")
    recording = Recording.load("run.json")
    assert recording.title == "points"
    assert [s.step for s in recording.snapshots] == list(range(11))


def test_recording_does_not_change_the_weights(points):
    plain = points.said("train", "points.py", "--quiet", "--digest")
    assert points.run("train", "points.py", "--quiet", "--digest", "--record", "run.html").out == plain


def test_a_run_that_fails_is_recorded_all_the_same(line):
    answer = line.run("train", "line.py", "--quiet", "--epochs", 60, "--lr", 1e10, "--record", "run.json")
    assert answer.code == 1
    assert answer.err.startswith("wrote run.json\ngraphdl: error: the loss is ")
    assert Recording.load("run.json").snapshots[-1].scores == {"loss": None}


def test_a_run_that_cannot_begin_leaves_no_file(shell):
    shell.write(
        "raw.py",
        """
        from graphdl import keras
        model = keras.Sequential([keras.Input((1,)), keras.layers.Dense(1)])
        data = [1.0], [2.0]
        """,
    )
    shell.refused("train", "raw.py", "--record", "run.html")
    assert not (shell.folder / "run.html").exists()


@pytest.mark.parametrize(
    ("path", "message"),
    [
        ("run.txt", "--record 'run.txt': a run is a page, .html, or its numbers, .json"),
        ("no/run.html", "cannot write 'no/run.html': the folder 'no' is not there or not writable"),
    ],
)
def test_what_could_not_be_written_is_refused_before_training(points, path, message):
    assert points.refused("train", "points.py", "--record", path) == message
