"""Every lesson runs from its first cell to its last, with the answers to its exercises; some of them in Korean too.

Lessons are kept without outputs: a difference between two versions is then one that somebody wrote.
"""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

FOLDER = Path(__file__).parent.parent / "notebooks"
LESSONS = sorted(FOLDER.glob("*.ipynb"))
LANGUAGE_LINE = 'LANG = "en"  # "ko" turns the captions of the players into Korean'
PICTURES = {"image/svg+xml", "image/png"}
# A player with updates, and one of blocks beside a figure of training, in Korean.
RUNS = [*((path, "en") for path in LESSONS), *((path, "ko") for path in LESSONS if path.stem[:2] in ("03", "06"))]

each_lesson = pytest.mark.parametrize("path", LESSONS, ids=lambda path: path.stem)


def cells(path, kind):
    found = json.loads(path.read_text(encoding="utf-8"))["cells"]
    return ["".join(cell["source"]) for cell in found if cell["cell_type"] == kind]


def answers(path):
    return [code for text in cells(path, "markdown") for code in re.findall(r"```python\n(.*?)```", text, re.DOTALL)]


@pytest.mark.parametrize(("path", "language"), RUNS, ids=[f"{path.stem}-{language}" for path, language in RUNS])
def test_the_lesson_runs_with_the_answers_to_its_exercises(path, language):
    nbformat = pytest.importorskip("nbformat")
    client = pytest.importorskip("nbclient").NotebookClient
    notebook = nbformat.read(path, as_version=4)
    notebook.cells += [nbformat.v4.new_code_cell(code) for code in answers(path)]
    for cell in notebook.cells:
        cell.source = cell.source.replace(LANGUAGE_LINE, f'LANG = "{language}"')
    client(notebook, timeout=120, kernel_name="python3").execute(cwd=str(path.parent))

    outputs = [output for cell in notebook.cells for output in cell.get("outputs", [])]
    assert not [output.text for output in outputs if output.get("name") == "stderr"]
    shown = [output.data for output in outputs if "data" in output]
    assert [data for data in shown if PICTURES & set(data)]
    assert not [data["text/plain"] for data in shown if "(no picture: " in data["text/plain"]]
    players = [data["text/html"] for data in shown if "<iframe " in data.get("text/html", "")]
    assert players
    assert all(f"lang=&quot;{language}&quot;" in player for player in players)


def test_there_are_eight_lessons_in_order():
    assert [path.name[:3] for path in LESSONS] == [f"0{number}_" for number in range(1, 9)]


@each_lesson
def test_the_lesson_is_kept_without_outputs(path):
    found = json.loads(path.read_text(encoding="utf-8"))["cells"]
    assert not [cell for cell in found if cell.get("outputs") or cell.get("execution_count")]


@each_lesson
def test_every_heading_stands_in_english_and_in_korean(path):
    headings = [text for text in cells(path, "markdown") if text.startswith("#")]
    assert len(headings) >= 6
    for text in headings:
        english, korean = text.splitlines()[:2]
        assert re.fullmatch(r"#{1,2} [ -~·′]+", english), english
        assert re.fullmatch(r"\*.*[가-힣].*\*", korean), korean
    assert headings[0].startswith(f"# {int(path.name[:2])} · ")


@each_lesson
def test_one_line_at_the_top_turns_the_captions_into_korean(path):
    first, *others = cells(path, "code")
    assert first.splitlines()[0] == LANGUAGE_LINE
    assert not [code for code in others if re.search(r"\bLANG\s*=", code.replace("language=LANG", ""))]
    assert any("language=LANG" in code for code in others)


@each_lesson
def test_the_lesson_is_short_asks_for_predictions_and_checks_its_numbers(path):
    code = cells(path, "code")
    assert len(code) + len(cells(path, "markdown")) <= 18
    assert sum(text.count("assert ") for text in code) >= 4
    assert sum("**Predict**" in text for text in cells(path, "markdown")) >= 2


@each_lesson
def test_answers_to_exercises_are_folded(path):
    last = cells(path, "markdown")[-1]
    assert last.startswith("## Exercises")
    questions = len(re.findall(r"^\*\*\d\.\*\*", last, re.MULTILINE))
    assert questions >= 2
    assert last.count("<details><summary>Answer · 정답</summary>\n\n") == last.count("</details>") == questions
    assert answers(path)


def test_the_index_names_every_lesson():
    index = (FOLDER / "README.md").read_text(encoding="utf-8")
    assert re.findall(r"\]\((\d\d_\w+\.ipynb)\)", index) == [path.name for path in LESSONS]
    for picture in re.findall(r"!\[[^\]]+\]\(([^)]+)\)", index):
        assert (FOLDER / picture).exists(), picture
