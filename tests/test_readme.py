"""What the README shows runs, and says what it shows."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
README = (ROOT / "README.md").read_text(encoding="utf-8")


def python_blocks() -> list[str]:
    return re.findall(r"```python\n(.*?)```", README, re.DOTALL)


def command_lines() -> list[str]:
    return [line for line in README.splitlines() if line.startswith("graphdl ")]


def test_the_python_blocks_run_one_after_the_other(capsys, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    names: dict[str, object] = {}
    for block in python_blocks():
        exec(compile(block, "README.md", "exec"), names)
    printed = capsys.readouterr().out
    assert names["picture"].startswith("<svg")
    assert "import argparse" in names["script"]
    assert "<!doctype html>" in Path("apple_shop.html").read_text("utf-8")[:100].lower()
    shown = README.split("prints the program")[1].split("```")[1]
    for line in shown.strip().splitlines()[:-1]:
        assert line in printed


@pytest.mark.parametrize("line", command_lines())
def test_the_lines_of_commands_run(line, tmp_path, monkeypatch):
    from graphdl_cli.main import main

    if "digits" in line:
        pytest.importorskip("sklearn")
    words = shlex.split(line.split("#")[0])[1:]
    monkeypatch.chdir(tmp_path)
    (tmp_path / "examples").symlink_to(ROOT / "examples")
    with pytest.raises(SystemExit) as end:
        main(words)
    assert end.value.code == 0
    (made,) = [word for word in words if word.endswith((".html", ".pdf"))]
    assert (tmp_path / made).stat().st_size > 10_000


def test_files_and_make_targets_that_the_readme_names_exist():
    for path in re.findall(r"\]\(([\w/.]+)\)", README):
        assert (ROOT / path).exists(), path
    makefile = (ROOT / "Makefile").read_text()
    for target in re.findall(r"make (\w+)", README):
        assert f"\n{target}:" in makefile, target


def test_every_command_of_the_table_exists():
    from graphdl_cli.main import main

    for name in re.findall(r"\| `graphdl (\w+)", README):
        assert name in main.list_commands(None), name
