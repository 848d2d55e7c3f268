"""FILE.py[:name]: what it finds, and what it says where it finds nothing."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from graphdl_cli.loading import load_model, load_subject, split

MODEL = "from graphdl import keras\n{} = keras.Sequential([keras.Input((1,)), keras.layers.Dense(1)])\n"


@pytest.mark.parametrize(
    ("target", "file", "name"),
    [
        ("mlp.py", "mlp.py", None),
        ("mlp.py:model", "mlp.py", "model"),
        ("nets/mlp.py:net", "nets/mlp.py", "net"),
        (r"C:\nets\mlp.py", r"C:\nets\mlp.py", None),
        (r"C:\nets\mlp.py:net", r"C:\nets\mlp.py", "net"),
    ],
)
def test_a_target_is_a_file_and_a_name(target, file, name):
    assert split(target) == (Path(file), name)


@pytest.mark.parametrize("name", ["model", "net", "한글"])
def test_the_only_model_needs_no_name(shell, name):
    shell.write("one.py", MODEL.format(name))
    assert load_model("one.py").name == name


def test_model_comes_before_other_models(shell):
    shell.write("two.py", MODEL.format("model") + MODEL.format("other"))
    assert load_model("two.py").name == "model"
    assert load_model("two.py:other").name == "other"


def test_a_function_without_arguments_makes_the_model(shell):
    shell.write(
        "made.py",
        "def model():\n" + "".join(f"    {row}\n" for row in MODEL.format("m").splitlines()) + "    return m\n",
    )
    assert load_model("made.py").value.count_params() == 2


def test_a_loss_a_graph_and_a_list_of_nodes_are_subjects(shell):
    shell.write(
        "graphs.py",
        """
        import graphdl as gd
        x = gd.placeholder((), name="x")
        both = [x + 1.0, x * 2.0]
        whole = gd.Graph({"a": both[0]})
        loss = both[0] * both[1]
        """,
    )
    assert load_subject("graphs.py").name == "loss"
    assert len(load_subject("graphs.py:both").value) == 2
    assert list(load_subject("graphs.py:whole").value.outputs) == ["a"]


def test_a_file_can_import_its_neighbours_and_define_dataclasses(shell):
    shell.write("sizes_of_this_test.py", "UNITS = 3\n")
    shell.write(
        "net.py",
        """
        from __future__ import annotations
        from dataclasses import dataclass
        from sizes_of_this_test import UNITS
        from graphdl import keras

        @dataclass
        class Settings:
            units: int = UNITS

        model = keras.Sequential([keras.Input((1,)), keras.layers.Dense(Settings().units)])
        """,
    )
    assert load_model("net.py").value.count_params() == 6


def test_a_file_that_parses_arguments_finds_none(shell, monkeypatch):
    monkeypatch.setattr(sys, "argv", ["graphdl", "train", "--epochs", "3"])
    shell.write("argued.py", "import argparse\nargparse.ArgumentParser().parse_args()\n" + MODEL.format("model"))
    assert load_model("argued.py").value.name == "sequential"
    assert sys.argv == ["graphdl", "train", "--epochs", "3"]


def test_awkward_file_names_work(shell):
    for name in ("한글 이름.py", "a:b.py", "emoji 🐸.py", "-dash.py"):
        shell.write(name, MODEL.format("model"))
        assert load_model(str(shell.folder / name)).name == "model"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (
            "x = [1, 2]\ndef f():\n    return x[5]\nf()\n",
            "bad.py:3: IndexError: list index out of range\n    return x[5]",
        ),
        ("def", "bad.py:1: invalid syntax\n    def"),
        ("raise SystemExit(3)", "bad.py calls exit(3) when it is loaded; put that under if __name__ == '__main__'"),
        (
            "open('gone')",
            "bad.py:1: FileNotFoundError: [Errno 2] No such file or directory: 'gone'\n    open('gone')",
        ),
        (
            "import graphdl as gd\nh = gd.placeholder((None, 64), name='h')\n"
            "model = h @ gd.zeros((32, 10), name='W')\n",
            "bad.py:3: matmul: inner dimensions differ, 64 and 32\n"
            "    h: f32[N, 64]  (bad.py:2)\n    W: f32[32, 10]  (bad.py:3)\n"
            "  written at bad.py:3  model = h @ gd.zeros((32, 10), name='W')",
        ),
    ],
)
def test_a_file_that_raises_is_one_message_with_its_line(shell, text, message):
    shell.write("bad.py", text)
    assert shell.refused("train", "bad.py") == message


def test_a_missing_module_is_named_with_the_python_that_lacks_it(shell):
    shell.write("bad.py", "import no_such_module")
    assert shell.refused("train", "bad.py") == (
        "bad.py:1: ModuleNotFoundError: No module named 'no_such_module'\n    import no_such_module\n"
        f"  install it for {sys.executable}, or put it beside the file"
    )


def test_a_file_without_a_model_says_what_it_has(shell):
    shell.write("none.py", "import os\nx = 3\nnames = ['a']\nclass A: pass\ndef build(n): return n\n")
    assert shell.refused("train", "none.py") == (
        "none.py defines no keras model; it has x (an int), names (a list), build (a function). "
        "Define model, or say which it is, as in none.py:name"
    )
    shell.write("empty.py", "")
    assert "defines no model, graph or loss; it has nothing." in shell.refused("draw", "empty.py")


@pytest.mark.parametrize(
    ("target", "message"),
    [
        ("two.py", "two.py has several: net, nets; say which, as in two.py:net"),
        (
            "two.py:nett",
            "two.py defines no 'nett'. Did you mean 'net'? It has net (a Sequential), nets (a Sequential), n (an int)",
        ),
        ("two.py:n", "two.py:n is an int, expected a keras model"),
        ("tow.py", "there is no file 'tow.py'. Did you mean 'two.py'?"),
        ("nothing/at/all.py", "there is no file 'nothing/at/all.py'."),
        (".", ". is a directory, expected FILE.py[:name]"),
        ("notes.txt", "notes.txt ends in '.txt', expected a Python file, FILE.py[:name]"),
    ],
)
def test_a_name_that_finds_nothing_is_explained(shell, target, message):
    shell.write("two.py", MODEL.format("net") + MODEL.format("nets") + "n = 3\n")
    shell.write("notes.txt", "hello")
    assert shell.refused("train", target) == message
