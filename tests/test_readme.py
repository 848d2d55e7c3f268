"""What the README shows runs, and says what it shows."""

from __future__ import annotations

import re
from pathlib import Path

ROOT = Path(__file__).parent.parent
README = (ROOT / "README.md").read_text(encoding="utf-8")


def python_blocks() -> list[str]:
    return re.findall(r"```python\n(.*?)```", README, re.DOTALL)


def test_the_python_blocks_run_one_after_the_other(capsys):
    names: dict[str, object] = {}
    for block in python_blocks():
        exec(compile(block, "README.md", "exec"), names)
    printed = capsys.readouterr().out
    assert names["picture"].startswith("<svg")
    assert "import argparse" in names["script"]
    shown = README.split("prints the program")[1].split("```")[1]
    for line in shown.strip().splitlines()[:-1]:
        assert line in printed


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
