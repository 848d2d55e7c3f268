"""`graphdl export`: the script ends in the same bits as `graphdl train`, and needs NumPy alone."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

EXAMPLES = Path(__file__).resolve().parents[2] / "examples"
# Runs a script where importing graphdl fails.
ALONE = """
import runpy, sys
class Forbid:
    def find_spec(self, name, path=None, target=None):
        if name.split(".")[0].startswith("graphdl"):
            raise ImportError("graphdl is forbidden here")
sys.meta_path.insert(0, Forbid())
sys.argv = sys.argv[1:]
runpy.run_path(sys.argv[0], run_name="__main__")
"""


def run_alone(script: str, *words: str) -> str:
    done = subprocess.run(
        [sys.executable, "-I", "-c", ALONE, script, *words], capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stderr) == (0, ""), done.stderr
    return done.stdout


@pytest.mark.parametrize("style", ["readable", "fast"])
@pytest.mark.parametrize(
    ("example", "epochs"),
    [
        ("linear_regression", 120),
        ("xor", 120),
        ("digits_mlp", 3),
        ("digits_dropout", 3),
        ("multi_output", 6),
        ("custom_op", 15),
    ],
)
def test_each_example_leaves_as_a_script_that_ends_in_the_same_bits(shell, example, epochs, style):
    """At least 100 steps each."""
    file = EXAMPLES / f"{example}.py"
    shell.said("export", file, "-o", "script.py", "--style", style, "--epochs", epochs)
    theirs = run_alone("script.py", "--quiet", "--digest").split()[-1]
    assert shell.said("train", file, "--epochs", epochs, "--quiet", "--digest").strip() == theirs


def test_options_become_the_defaults_of_the_script(line):
    words = ["--epochs", 4, "--batch-size", 4, "--lr", 0.02, "--seed", 9]
    assert line.said("export", "line.py", *words) == "wrote train_line.py\nrun it with: python train_line.py\n"
    assert run_alone("train_line.py", "--quiet", "--digest") == line.said(
        "train", "line.py", "--quiet", "--digest", *words
    )


def test_a_dash_prints_the_script(line):
    text = line.said("export", "line.py", "-o", "-")
    line.said("export", "line.py", "-o", "script.py")
    assert (line.folder / "script.py").read_text("utf-8") == text


def test_examples_that_are_too_large_lie_beside_the_script(shell):
    shell.write(
        "large.py",
        """
        import numpy as np
        from graphdl import keras
        model = keras.Sequential([keras.Input((400,)), keras.layers.Dense(1)])
        model.compile("sgd", "mse")
        x = np.random.default_rng(0).normal(size=(1000, 400))
        data = (x, x.sum(axis=1)), (x[:10], x[:10].sum(axis=1))
        """,
    )
    assert shell.said("export", "large.py").splitlines()[1:] == [
        "wrote train_large.npz, the examples, which are too large to be part of it",
        "run it with: python train_large.py --data train_large.npz",
    ]
    out = run_alone("train_large.py", "--data", "train_large.npz", "--quiet", "--digest")
    assert out.startswith("test  loss ")
    assert out.split()[-1] == shell.said("train", "large.py", "--quiet", "--digest").strip()


def test_a_model_without_data_leaves_without(line):
    text = (line.folder / "line.py").read_text()
    line.write("line.py", text[: text.index("data =")])
    assert line.said("export", "line.py").endswith(
        "it carries no examples; run it with: python train_line.py --data FILE.npz\n"
    )


def test_a_table_becomes_part_of_the_script(line):
    line.write("points.csv", "x,y\n1,7\n2,8\n3,9\n")
    words = ["--data", "points.csv", "--target", "y"]
    line.said("export", "line.py", *words)
    assert run_alone("train_line.py", "--quiet", "--digest") == line.said(
        "train", "line.py", *words, "--quiet", "--digest"
    )


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["-o", "line.py"], "the script would overwrite line.py, which it is made from; choose another name with -o"),
        (["-o", "no/script.py"], "cannot write 'no/script.py': No such file or directory"),
        (["-o", "."], "cannot write '.': it is a directory"),
        (["-o", "points.csv"], "-o 'points.csv': a script is a Python file, expected a name in .py"),
    ],
)
def test_what_cannot_be_written_is_one_message(line, words, message):
    before = (line.folder / "line.py").read_text()
    assert line.refused("export", "line.py", *words) == message
    assert (line.folder / "line.py").read_text() == before


def test_what_to_type_is_in_quotes_where_a_shell_needs_them(line):
    assert line.said("export", "line.py", "-o", "my script.py").endswith("run it with: python 'my script.py'\n")
    assert line.said("export", "line.py", "-o", "한글.py").endswith("run it with: python 한글.py\n")


def test_a_device_is_written_to_and_not_replaced(line):
    line.said("export", "line.py", "-o", "/dev/null")
    assert Path("/dev/null").is_char_device()


def test_a_model_that_is_not_compiled_says_what_to_do(shell):
    shell.write(
        "raw.py", "from graphdl import keras\nmodel = keras.Sequential([keras.Input((3,)), keras.layers.Dense(1)])\n"
    )
    assert "is not compiled; call model.compile" in shell.refused("export", "raw.py")


def test_a_graph_cannot_be_exported_as_a_model(squared):
    assert squared.refused("export", "squared.py").startswith("squared.py defines no keras model; it has x (a Node)")
