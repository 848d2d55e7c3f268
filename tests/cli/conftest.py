"""A folder with model files, and the command line run in it."""

from __future__ import annotations

import textwrap
from dataclasses import dataclass
from pathlib import Path

import pytest
from click.testing import CliRunner

from graphdl_cli.main import main

LINE = """
    import numpy as np
    from graphdl import keras

    model = keras.Sequential([keras.Input((1,), name="x"), keras.layers.Dense(1)])
    model.compile("sgd", "mse")
    data = np.arange(-1.0, 5.0), np.arange(5.0, 11.0)
    epochs = 3
"""

SUM_SQUARED = """
    import graphdl as gd

    x = gd.placeholder((), "float64", name="x")
    y = gd.placeholder((), "float64", name="y")
    t = gd.add(x, y, name="t")
    loss = gd.square(t, name="z")
    feeds = {x: 3.0, y: 4.0}
"""


@dataclass(frozen=True)
class Answer:
    """What a run of the command line left: its exit status, standard output, standard error."""

    code: int
    out: str
    err: str


class Shell:
    """Runs `graphdl` in `folder`, where `write` puts files."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def write(self, name: str, text: str) -> Path:
        path = self.folder / name
        path.write_text(textwrap.dedent(text), "utf-8")
        return path

    def run(self, *words: object) -> Answer:
        result = CliRunner().invoke(main, [str(word) for word in words])
        return Answer(result.exit_code, result.stdout, result.stderr)

    def refused(self, *words: object) -> str:
        """The message of a run that the user can mend: one error, no traceback, exit status 2."""
        return self.failed(2, *words)

    def failed(self, code: int, *words: object) -> str:
        answer = self.run(*words)
        assert (answer.code, answer.out) == (code, ""), answer
        assert answer.err.startswith("graphdl: error: "), answer.err
        assert "Traceback" not in answer.err
        return answer.err.removeprefix("graphdl: error: ").rstrip("\n")

    def said(self, *words: object) -> str:
        """Standard output of a run that went well and had nothing to complain about."""
        answer = self.run(*words)
        assert (answer.code, answer.err) == (0, ""), answer
        return answer.out


@pytest.fixture
def shell(tmp_path, monkeypatch) -> Shell:
    monkeypatch.chdir(tmp_path)
    return Shell(tmp_path)


@pytest.fixture
def line(shell) -> Shell:
    """A shell beside line.py, which learns y = x + 6."""
    shell.write("line.py", LINE)
    return shell


@pytest.fixture
def squared(shell) -> Shell:
    """A shell beside squared.py, which has z = (x + y)^2 at 3 and 4."""
    shell.write("squared.py", SUM_SQUARED)
    return shell
