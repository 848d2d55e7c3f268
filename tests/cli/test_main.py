"""The program as a whole: help, exit statuses, messages, pipes, signals."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time

import pytest

import graphdl as gd
from graphdl_cli.failures import guarded
from graphdl_cli.main import _COMMANDS, main

GRAPHDL = [sys.executable, "-m", "graphdl_cli.main"]
HEAVY = {"numpy", "graphdl", "sympy", "networkx", "pygraphviz", "sklearn"}

SLOW = """
    import numpy as np
    from graphdl import keras

    model = keras.Sequential([keras.Input((50,)), keras.layers.Dense(64, "relu"), keras.layers.Dense(1)])
    model.compile("adam", "mse")
    data = np.ones((2000, 50)), np.ones(2000)
    print("loaded", flush=True)
"""


def python(code: str) -> str:
    return subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout


@pytest.mark.parametrize("words", [["--help"], ["train", "--help"], ["draw", "-h"], ["doctor", "--help"]])
def test_help_imports_nothing_heavy(words):
    loaded = python(
        f"import sys\nfrom graphdl_cli.main import main\ntry:\n    main({words})\n"
        "except SystemExit as leaving:\n    assert leaving.code == 0\nprint(*sys.modules)"
    ).splitlines()[-1]
    assert HEAVY.isdisjoint(loaded.split())


def test_help_lists_every_command_and_shows_examples(shell):
    text = shell.said("--help")
    assert all(f"\n  {name} " in text for name in _COMMANDS)
    assert "graphdl train mlp.py --epochs 5 --save weights.npz" in text


@pytest.mark.parametrize("name", _COMMANDS)
def test_every_command_has_help_with_examples(shell, name):
    text = shell.said(name, "--help")
    assert f"Usage: graphdl {name} " in text
    assert f"Examples:\n    graphdl {name}" in text


@pytest.mark.parametrize("name", _COMMANDS)
def test_every_example_in_the_help_uses_options_that_exist(shell, name):
    """Each example is run on files that are not there: whatever is wrong with it, it is not an option."""
    examples = shell.said(name, "--help").split("Examples:\n")[1].splitlines()
    for example in examples:
        program, *words = example.split()
        assert program == "graphdl"
        if "demo" not in words and "doctor" not in words:
            assert "option" not in shell.run(*words).err


def test_version_is_that_of_the_package(shell):
    assert shell.said("--version") == f"graphdl {gd.__version__}\n"


def test_without_arguments_the_help_goes_to_standard_error(shell):
    answer = shell.run()
    assert (answer.code, answer.out) == (2, "")
    assert answer.err.startswith("Usage: graphdl [OPTIONS] COMMAND")


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["trian"], "there is no command 'trian'. Did you mean 'train'?\n  try 'graphdl --help'"),
        (["xyzzy"], "there is no command 'xyzzy'.\n  try 'graphdl --help'"),
        (["train"], "missing argument 'FILE.py[:model]'.\n  try 'graphdl train --help'"),
        (
            ["train", "a.py", "--epochss", "3"],
            "no such option '--epochss'. Did you mean '--epochs'?\n  try 'graphdl train --help'",
        ),
        (
            ["train", "a.py", "--epochs", "0"],
            "invalid value for '--epochs': 0 is not in the range x>=1.\n  try 'graphdl train --help'",
        ),
        (["ops", "tanh", "exp"], "got unexpected extra argument (exp)\n  try 'graphdl ops --help'"),
    ],
)
def test_wrong_usage_is_one_message_and_exit_status_2(shell, words, message):
    assert shell.refused(*words) == message


@pytest.mark.parametrize("words", [["--debug", "train", "none.py"], ["train", "none.py", "--debug"]])
def test_debug_shows_the_traceback_wherever_it_stands(shell, words):
    answer = shell.run(*words)
    assert answer.code == 2
    assert "Traceback (most recent call last)" in answer.err
    assert answer.err.endswith("graphdl: error: there is no file 'none.py'.\n")


def test_a_bug_is_told_apart_from_the_users_errors(shell, monkeypatch):
    monkeypatch.setattr("graphdl_cli.ops._table", lambda: 1 / 0)
    assert shell.failed(1, "ops") == (
        "unexpected ZeroDivisionError: division by zero\n"
        "  this should not happen; run it again with --debug to see where"
    )


def test_an_interrupt_that_became_another_error_on_its_way_is_one(capsys):
    def work():
        try:
            raise KeyboardInterrupt
        except KeyboardInterrupt as error:
            raise ImportError("a module that was being imported") from error

    assert guarded(work, debug=False) == 130
    assert capsys.readouterr().err == "graphdl: interrupted\n"


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (gd.ShapeError("s"), 2),
        (gd.FeedError("s"), 2),
        (gd.WriteError("s"), 2),
        (gd.ExtraMissing("s"), 2),
        (gd.ExecutionError("s"), 1),
        (gd.NonFiniteError("s"), 1),
    ],
)
def test_what_the_user_can_mend_is_2_and_a_failure_is_1(shell, monkeypatch, error, code):
    def fail():
        raise error

    monkeypatch.setattr("graphdl_cli.ops._table", fail)
    assert shell.failed(code, "ops") == "s"


def test_warnings_are_one_line(shell):
    shell.write(
        "flat.py",
        """
        import warnings
        warnings.warn("mind the gap")
        import graphdl as gd
        x = gd.placeholder((), name="x")
        loss = x * 2.0
        """,
    )
    answer = shell.run("show", "flat.py")
    assert (answer.code, answer.err) == (0, "graphdl: warning: mind the gap\n")


def test_no_colour_code_leaves_the_program_off_a_terminal(shell):
    assert "\x1b" not in shell.run("doctor").out


@pytest.mark.skipif(os.name != "posix", reason="needs a pseudo-terminal")
@pytest.mark.parametrize(("no_color", "coloured"), [("", True), ("1", False)])
def test_no_color_is_respected_on_a_terminal(no_color, coloured):
    import pty

    ours, theirs = pty.openpty()
    env = {**os.environ, "NO_COLOR": no_color, "TERM": "xterm"}
    subprocess.run([*GRAPHDL, "doctor"], stdout=theirs, stderr=theirs, env=env, check=False)
    os.close(theirs)
    assert (b"\x1b[" in os.read(ours, 1 << 16)) is coloured
    os.close(ours)


def test_a_closed_pipe_is_silent():
    program = subprocess.Popen([*GRAPHDL, "ops"], stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    program.stdout.close()
    assert program.stderr.read() == b""
    program.stderr.close()
    assert program.wait() == 1


@pytest.mark.skipif(os.name == "nt", reason="closed by a shell of Unix")
def test_a_program_without_standard_output_does_its_work(line):
    words = [sys.executable, "-m", "graphdl_cli.main", "train", "line.py", "--save", "w.npz"]
    done = subprocess.run(["sh", "-c", 'exec "$@" >&-', "sh", *words], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "wrote w.npz\n")
    assert (line.folder / "w.npz").exists()


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="there is no /dev/full here")
def test_a_full_disk_is_one_message():
    with open("/dev/full", "w") as full:
        done = subprocess.run([*GRAPHDL, "ops"], stdout=full, stderr=subprocess.PIPE, text=True, check=False)
    assert done.returncode == 1
    assert done.stderr.startswith("graphdl: error: no space is left on the device that is written to\n")


@pytest.mark.skipif(os.name != "posix", reason="sends SIGINT")
def test_ctrl_c_keeps_the_weights_so_far_and_exits_with_130(shell):
    shell.write("slow.py", SLOW)
    words = [*GRAPHDL, "train", "slow.py", "--epochs", "100000", "--save", "kept.npz"]
    program = subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    while "Epoch 3/" not in (shown := program.stdout.readline()):
        assert shown
    asked = time.monotonic()
    program.send_signal(signal.SIGINT)
    out, err = program.communicate(timeout=20)
    assert time.monotonic() - asked < 5
    assert program.returncode == 130
    assert "interrupted after epoch" in out.splitlines()[-1]
    assert err.split() == ["wrote", "kept.npz", "graphdl:", "interrupted"]
    assert shell.said("draw", "slow.py", "--weights", "kept.npz", "-o", "slow.txt").endswith("wrote slow.txt\n")


def test_the_installed_program_is_this_one():
    from importlib.metadata import entry_points

    (entry,) = entry_points(group="console_scripts", name="graphdl")
    assert entry.load() is main
