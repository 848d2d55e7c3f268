"""`graphdl draw`: what is drawn, with what numbers, and what cannot be."""

from __future__ import annotations

import json

import numpy as np
import pytest


def test_a_picture_is_named_after_its_file(squared):
    assert squared.said("draw", "squared.py") == "wrote squared.svg\n"
    assert (squared.folder / "squared.svg").read_text("utf-8").startswith("<svg ")


@pytest.mark.parametrize(
    ("suffix", "start"),
    [
        (".svg", b"<svg "),
        (".png", b"\x89PNG"),
        (".pdf", b"%PDF"),
        (".dot", b"digraph"),
        (".json", b"{"),
        (".txt", b"1. "),
    ],
)
def test_the_suffix_says_the_format(squared, suffix, start):
    squared.said("draw", "squared.py", "-o", f"p{suffix}")
    assert (squared.folder / f"p{suffix}").read_bytes().startswith(start)


def test_a_dash_prints_the_picture(squared):
    assert squared.said("draw", "squared.py", "-o", "-").startswith("<svg ")


def gradients(shell, *words: object) -> dict[str, float]:
    """The derivatives in the last line of the story."""
    shell.said("draw", *words, "-o", "story.txt")
    last = (shell.folder / "story.txt").read_text("utf-8").splitlines()[-1]
    found = last.rstrip(".").split(": ")[1].split(", ")
    return {name.split("/∂")[1]: float(value) for name, value in (part.split(" = ") for part in found)}


def test_the_numbers_come_from_the_files_own_feeds(squared):
    assert gradients(squared, "squared.py") == {"x": 14, "y": 14}


def test_the_numbers_come_from_a_file_where_one_is_given(squared):
    np.savez(squared.folder / "at.npz", x=1.0, y=2.0)
    assert gradients(squared, "squared.py", "--feed", "at.npz") == {"x": 6, "y": 6}


def test_a_feed_that_does_not_fit_is_explained(squared):
    np.savez(squared.folder / "at.npz", x=1.0)
    assert "z needs placeholder 'y'" in squared.refused("draw", "squared.py", "--feed", "at.npz").replace(
        "the stepper", "z"
    )
    np.savez(squared.folder / "at.npz", x=1.0, yy=1.0)
    assert "there is no placeholder 'yy' here; there is 'x', 'y'" in squared.refused(
        "draw", "squared.py", "--feed", "at.npz"
    )


def test_wrt_chooses_what_to_differentiate_for(squared):
    assert gradients(squared, "squared.py", "--wrt", "y") == {"y": 14}
    assert squared.refused("draw", "squared.py", "--wrt", "yy").startswith("the graph has no node 'yy'.")


def test_a_model_is_drawn_with_its_first_examples_and_its_updates(line):
    line.said("draw", "line.py", "-o", "trace.json")
    trace = json.loads((line.folder / "trace.json").read_text("utf-8"))
    assert trace["sizes"] == {"N": 6}
    assert [node["label"] for node in trace["nodes"] if node["kind"] == "variable"] == ["dense/kernel", "dense/bias"]
    assert [step["phase"] for step in trace["steps"][-2:]] == ["update", "again"]


def test_saved_weights_are_drawn(line):
    def loss(*words):
        line.said("draw", "line.py", *words, "-o", "story.txt")
        (row,) = (
            row for row in (line.folder / "story.txt").read_text("utf-8").splitlines() if "end of the forward" in row
        )
        return float(row.rstrip(".").split(" = ")[-1].replace("−", "-"))

    line.run("train", "line.py", "--epochs", 1200, "--quiet", "--save", "w.npz")
    assert loss() > 10
    assert loss("--weights", "w.npz") < 1e-8
    assert "cannot read 'none.npz'" in line.refused("draw", "line.py", "--weights", "none.npz")


def test_weights_are_a_models(squared):
    assert squared.refused("draw", "squared.py", "--weights", "w.npz") == (
        "--weights are a model's; squared.py:loss is a Node"
    )


def test_a_model_that_is_not_compiled_is_drawn_forward(shell):
    shell.write(
        "raw.py", "from graphdl import keras\nmodel = keras.Sequential([keras.Input((3,)), keras.layers.Dense(1)])\n"
    )
    assert shell.said("draw", "raw.py") == "wrote raw.svg\n"
    assert "has no loss here" in shell.refused("draw", "raw.py", "--wrt", "dense/kernel")


def test_data_that_cannot_be_had_leave_out_the_numbers_with_a_word(line):
    text = (line.folder / "line.py").read_text()
    line.write("line.py", text[: text.index("data =")] + "def data():\n    raise OSError('no network')\n")
    answer = line.run("draw", "line.py")
    assert (answer.code, answer.out) == (0, "wrote line.svg\n")
    assert answer.err.startswith(
        "graphdl: warning: no numbers are shown, since the data cannot be had: line.py:8: OSError: no network\n"
    )


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["-o", "p.gif"], "'p.gif' ends in '.gif', expected one of .svg, .png, .pdf, .dot, .json, .txt"),
        (["-o", "no/p.svg"], "cannot write 'no/p.svg': No such file or directory"),
        (
            ["--view", "circus"],
            "there is no view 'circus'. Did you mean 'circuit'? It is one of auto, circuit, rails, forward, blocks",
        ),
        (["--theme", "drak"], "there is no theme 'drak'. Did you mean 'dark'? It is one of light, dark, mono"),
        (["--feed", "none.npz"], "cannot read 'none.npz' as .npz: No such file or directory"),
    ],
)
def test_what_cannot_be_drawn_is_one_message(squared, words, message):
    assert squared.refused("draw", "squared.py", *words) == message


@pytest.mark.parametrize("view", ["circuit", "rails", "forward", "blocks"])
@pytest.mark.parametrize("theme", ["light", "dark", "mono"])
def test_every_view_has_every_theme(squared, view, theme):
    assert squared.said("draw", "squared.py", "--view", view, "--theme", theme, "-o", "-").startswith("<svg ")


def test_the_values_of_the_files_session_are_drawn(shell):
    shell.write(
        "held.py",
        """
        import graphdl as gd
        w = gd.Variable(2.0, name="w")
        loss = gd.square(w)
        session = gd.Session()
        session.assign(w, 5.0)
        """,
    )
    assert gradients(shell, "held.py") == {"w": 10}


def test_a_function_that_loads_data_is_called_once(shell):
    shell.write(
        "slow.py",
        """
        from graphdl import keras
        model = keras.Sequential([keras.layers.Dense(1)])
        model.compile("sgd", "mse")
        def data():
            print("loading")
            return [[1.0], [2.0]], [1.0, 2.0]
        """,
    )
    assert shell.said("draw", "slow.py") == "loading\nwrote slow.svg\n"
