"""`graphdl demo`: the whole way, and that it fails when it should."""

from __future__ import annotations

import subprocess
import sys

import pytest

from graphdl.errors import DrawError


def test_the_demo_trains_draws_exports_and_shows_equal_bits(shell):
    pytest.importorskip("sklearn")
    out = shell.said("demo", "--quick", "--out", "shown")
    rows = out.splitlines()
    assert "  total = 220" in rows
    (ours,) = (row.split()[1] for row in rows if row.startswith("  session "))
    (theirs,) = (row.split()[1] for row in rows if row.startswith("  script "))
    assert ours == theirs
    assert len(ours) == 64
    accuracy = float(rows[-1].split("%")[0])
    assert 97 <= accuracy <= 100
    files = {path.name for path in (shell.folder / "shown").iterdir()}
    assert files == {
        "apple_shop.py", "apple_shop.html", "apple_shop.svg", "apple_shop.txt",
        "digits.py", "digits_forward.svg", "digits_backward.html", "digits_backward.svg", "train_digits.py",
    }  # fmt: skip
    assert all(f"  {name} " in out for name in files - {"apple_shop.py"})


def test_what_the_demo_leaves_can_be_used_on(shell):
    pytest.importorskip("sklearn")
    shell.said("demo", "--quick")
    digest = shell.said("train", "graphdl-demo/digits.py", "--epochs", 12, "--quiet", "--digest")
    script = [sys.executable, "graphdl-demo/train_digits.py", "--quiet", "--digest"]
    assert subprocess.run(script, capture_output=True, text=True, check=True).stdout.endswith(digest)


def test_the_demo_goes_on_without_graphviz(shell, monkeypatch):
    pytest.importorskip("sklearn")

    def fail(*arguments, **options):
        raise DrawError("Graphviz is gone")

    monkeypatch.setattr("graphdl.draw.render.graphviz.run_all", fail)
    answer = shell.run("demo")
    assert answer.code == 0
    assert "apple_shop.png is not drawn: Graphviz is gone" in answer.err
    assert (shell.folder / "graphdl-demo" / "apple_shop.svg").exists()


def test_too_low_an_accuracy_is_a_failure(shell, monkeypatch):
    pytest.importorskip("sklearn")
    monkeypatch.setattr("graphdl_cli.demo.QUICK_EPOCHS", 1)
    answer = shell.run("demo", "--quick")
    assert answer.code == 1
    assert answer.err.startswith("graphdl: error: the accuracy on the test digits is ")
    assert answer.err.endswith("%, expected at least 97%\n")


def test_another_digest_is_a_failure(shell, monkeypatch):
    pytest.importorskip("sklearn")
    monkeypatch.setattr("graphdl_cli.demo._run_script", lambda loaded, folder: (folder / "s.py", "0" * 64))
    answer = shell.run("demo", "--quick")
    assert answer.code == 1
    assert "the session and the script end in different weights, expected the same bits" in answer.err


def test_without_scikit_learn_the_demo_says_what_to_install_and_writes_nothing(shell, monkeypatch):
    monkeypatch.setitem(sys.modules, "sklearn.datasets", None)
    assert shell.refused("demo") == (
        "the digits need scikit-learn, which is not installed: pip install 'graphdl[data]'"
    )
    assert list(shell.folder.iterdir()) == []


def test_a_folder_that_cannot_be_made_is_one_message(shell):
    pytest.importorskip("sklearn")
    shell.write("taken", "a file")
    assert shell.refused("demo", "--out", "taken") == "cannot make the folder 'taken': File exists"
