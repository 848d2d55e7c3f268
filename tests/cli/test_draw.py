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
        (".mmd", b"%% "),
        (".html", b"<!doctype html>"),
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
        (
            ["-o", "p.jpg"],
            "'p.jpg' ends in '.jpg', expected one of .html, .svg, .png, .pdf, .gif, .webp, .apng, .dot, .mmd, .json, "
            ".txt. Did you mean '.png'?",
        ),
        (["-o", "no/p.svg"], "cannot write 'no/p.svg': No such file or directory"),
        (
            ["--view", "circus"],
            "there is no view 'circus'. Did you mean 'circuit'? "
            "It is one of auto, circuit, rails, forward, blocks, diff, window",
        ),
        (
            ["--theme", "drak"],
            "there is no theme 'drak'. Did you mean 'dark'? It is one of auto, light, dark, mono, cs231n, book",
        ),
        (["--lang", "kr"], "there is no language 'kr'. It is one of en, ko, both"),
        (
            ["--granularity", "layers"],
            "there is no granularity 'layers'. Did you mean 'layer'? It is one of op, sub, layer, phase",
        ),
        (["--steps", "99"], "there is no step 99, expected 1 to 8"),
        (
            ["--steps", "foward"],
            "there is no step 'foward'. Did you mean 'forward'? Expected 'all', a step such as '12', a range such as "
            "'1-5', a phase such as 'backward', or several: '1,7-9'",
        ),
        (["--steps", "1-3", "-o", "-"], "-o - prints one picture, and --steps 1-3 chose 3"),
        (
            ["--steps", "all", "-o", "t.json"],
            "a trace in .json is always whole, since each step builds on those before it; leave out steps",
        ),
        (["--feed", "none.npz"], "cannot read 'none.npz' as .npz: No such file or directory"),
    ],
)
def test_what_cannot_be_drawn_is_one_message(squared, words, message):
    assert squared.refused("draw", "squared.py", *words) == message


@pytest.mark.parametrize("view", ["circuit", "rails", "forward", "blocks"])
@pytest.mark.parametrize("theme", ["light", "dark", "mono", "cs231n", "book"])
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


def test_each_file_written_is_named(squared):
    assert squared.said("draw", "squared.py", "--steps", "backward") == "wrote squared-006.svg\nwrote squared-007.svg\n"
    assert (
        squared.said("draw", "squared.py", "-o", "step%d.png", "--steps", "3,6") == "wrote step3.png\nwrote step6.png\n"
    )
    assert sorted(path.name for path in squared.folder.glob("*.*g")) == [
        "squared-006.svg", "squared-007.svg", "step3.png", "step6.png",
    ]  # fmt: skip


def test_the_story_is_told_in_the_language_and_in_the_steps_asked_for(squared):
    squared.said("draw", "squared.py", "-o", "s.txt", "--lang", "both", "--granularity", "phase", "--steps", "backward")
    first, second, *_ = (squared.folder / "s.txt").read_text("utf-8").splitlines()
    assert first.startswith("6. Backward")
    assert "역전파" in second


def test_a_title_is_in_the_picture(squared):
    assert ">Squares<" in squared.said("draw", "squared.py", "-o", "-", "--title", "Squares")


def test_nothing_is_drawn_of_no_file(shell):
    assert shell.refused("draw") == "missing argument 'FILE.py[:name]'.\n  try 'graphdl draw --help'"


def test_help_stands_in_sections(shell):
    text = shell.said("draw", "--help")
    places = [text.index(f"\n{heading}:\n") for heading in ("Output", "What is drawn", "Which moment", "How it looks")]
    assert places == sorted(places)
    assert places[2] < text.index("\n  --steps") < places[3]


# A moment of training.


BATCHES = """
    import numpy as np
    from graphdl import keras

    model = keras.Sequential([keras.Input((1,), name="x"), keras.layers.Dense(1)])
    model.compile("sgd", "mse")
    data = np.arange(-1.0, 9.0), np.arange(5.0, 15.0)
    batch_size = 4
"""


def weights(shell, *words):
    """Of the model as it is drawn: before the step that is drawn, and after its updates."""
    shell.said("draw", "batches.py", *words, "-o", "t.json")
    found = json.loads((shell.folder / "t.json").read_text("utf-8"))
    variables = {node["id"]: node["label"] for node in found["nodes"] if node["kind"] == "variable"}
    before, after = {}, {}
    for step in found["steps"]:
        new = {variables[node]: value["data"] for node, value in step.get("values", {}).items() if node in variables}
        (after if step["phase"] == "update" else before).update(new)
    assert set(before) == set(after) == {"dense/kernel", "dense/bias"}
    return before, after


@pytest.fixture
def batches(shell):
    """A shell beside batches.py, whose ten examples are three steps an epoch."""
    shell.write("batches.py", BATCHES)
    return shell


@pytest.mark.parametrize("step", [0, 1, 2, 4])
def test_the_step_drawn_is_the_one_that_training_takes_next(batches, step):
    after, then = weights(batches, "--at-step", step)[1], weights(batches, "--at-step", step + 1)[0]
    for name, value in after.items():
        assert np.ravel(value) == pytest.approx(np.ravel(then[name]), rel=1e-6)


def test_after_whole_epochs_the_weights_are_those_of_train(batches):
    batches.run("train", "batches.py", "--epochs", 2, "--quiet", "--save", "w.npz")
    assert weights(batches, "--at-step", 6)[0] == weights(batches, "--weights", "w.npz")[0]
    assert weights(batches, "--at-step", 0)[0] == weights(batches)[0]


def test_the_batch_is_as_large_as_those_of_training(batches):
    sizes = []
    for step in (1, 2):
        batches.said("draw", "batches.py", "--at-step", step, "-o", "t.json")
        sizes.append(json.loads((batches.folder / "t.json").read_text("utf-8"))["sizes"])
    assert sizes == [{"N": 4}, {"N": 2}]


def test_only_a_model_with_data_is_trained(batches, squared):
    assert squared.refused("draw", "squared.py", "--at-step", "3") == (
        "--at-step trains a model, and squared.py:loss is a Node"
    )
    text = (batches.folder / "batches.py").read_text()
    batches.write("none.py", text[: text.index("data =")])
    assert batches.refused("draw", "none.py", "--at-step", "3").startswith("none.py defines no data; let it define")
    assert "not in the range x>=0" in batches.refused("draw", "batches.py", "--at-step", "-1")


# What the compiler makes of it.


def test_before_and_after_optimisation_is_a_view(squared):
    svg = squared.said("draw", "squared.py", "--view", "diff", "-o", "-")
    assert svg.startswith("<svg ")
    assert "removed" in svg
    assert squared.said("draw", "squared.py", "--view", "diff", "-o", "d.png") == "wrote d.png\n"
    assert (squared.folder / "d.png").read_bytes().startswith(b"\x89PNG")
    assert squared.said("draw", "squared.py", "--view", "diff", "-o", "d.html") == "wrote d.html\n"
    assert (squared.folder / "d.html").read_text("utf-8").lower().startswith("<!doctype html>")


def test_a_model_is_compared_as_it_is_trained(line):
    assert line.said("draw", "line.py", "--view", "diff") == "wrote line.svg\n"


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (
            ["squared.py", "--view", "diff", "-o", "d.gif"],
            "view 'diff' is written as .html, .svg, .png, .pdf; 'd.gif' ends in '.gif'",
        ),
        (
            ["squared.py", "--view", "diff", "--steps", "2"],
            "view 'diff' shows a graph before and after, without steps; leave them out",
        ),
        (
            ["squared.py", "--rules"],
            "--rules draws the rules of the compiler, whatever the file; leave out 'squared.py'",
        ),
        (["--rules", "-o", "r.svg"], "--rules makes a page; 'r.svg' ends in '.svg', expected .html"),
    ],
)
def test_what_the_compiler_does_is_no_animation_and_has_no_steps(squared, words, message):
    assert squared.refused("draw", *words) == message


def test_the_rules_are_a_page_of_their_own(shell):
    assert shell.said("draw", "--rules") == "wrote rules.html\n"
    assert "log_of_softmax" in (shell.folder / "rules.html").read_text("utf-8")


def test_scopes_are_opened_by_name(line):
    assert line.said("draw", "line.py", "--view", "open:dense", "-o", "-").startswith("<svg ")
    refused = line.refused("draw", "line.py", "--view", "open:dens")
    assert refused.startswith("there is no view 'open:dens' here. Did you mean 'open:dense'? There is ")
