"""Every example runs as a script, in a few seconds with --quick, and is what the command line expects of a file."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner

from graphdl_cli.main import main

EXAMPLES = sorted((Path(__file__).resolve().parent.parent / "examples").glob("*.py"))
NEED_SKLEARN = ("cnn", "digits", "inception")
# What an example prints with --quick, as far as it does not depend on training.
SAYS = {
    "age_sex_income": "years off on average\n",
    "apple_shop": "total = 220\nd total / d price = 2.2\nd total / d count = 110\nd total / d tax = 200\n",
    "chain_rule": "dz/dx = 14 and dz/dy = 14, which is 2 (x + y)\nin closed form, dz/dx = 2*x + 2*y\n",
    "cnn": "of the digits it has not seen are right\n",
    "credit_card": "share is 12 expenditure / income, but for 0.0024 at most\nwith    expenditure: R2 ",
    "course_network": "L = 0.319743, dL/dw11 = -0.127140\nnumber by number: L = 0.319743, dL/dw11 = -0.127140\n",
    "custom_op": "mish(1000) = 1000 and its slope there 1, though exp(1000) is no float\n",
    "digits_dropout": "without, on digits it has not seen:",
    "digits_mlp": "of the test digits are right\n",
    "edges": "im2col times the kernel is the convolution: True\nits transpose times the gradient that arrives is the "
    "kernel's: True\n",
    "gender": "  of 50/50  47 and 49    0.0410  0.0592  0.0178   0.02687; 0.02687 is -log10(47/50), the men alone and "
    "not halved\n  of 95/5   94 and  2    0.0559  0.0806  0.0243   0.17609; 0.17609 is log10(3/2), ",
    "headline": "weights, two losses; ",
    "imdb_lstm": "of the sentences it has not seen are understood, ",
    "imdb_rnn": "of the sentences it has not seen are understood\n",
    "inception": "of the digits it has not seen are right; 9,250 weights\n",
    "fashion": "of 2000 pictures are right, after ",
    "infert": "always the larger class:  66.1% of the women held out are right\nlogistic regression:      67.7%\n",
    "initialisation_study": "sigmoid     4 sqrt(6 / (m + n))        0.6928",
    "learning_rates": "  1.02     0.898    -1.04   3.2e+02  diverges: each leap is longer than the last\n",
    "linear_regression": "the line at 10: ",
    "multi_output": "half a metre of oak  : ",
    "one_against_rest": "bids, loss and gradients differ by less than 1e-12: True\n",
    "optimizer_race": "valley, after 40 steps\n",
    "playground": "of the points on the right side\n",
    "question_answering": "of the questions answered rightly; one in 5 would be chance\n",
    "xor": "1 xor 1: ",
}


def run(example: Path, *words: str) -> str:
    done = subprocess.run([sys.executable, example, *words], capture_output=True, text=True, timeout=60, check=False)
    assert (done.returncode, done.stderr) == (0, ""), done.stderr
    return done.stdout


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda path: path.stem)
def test_an_example_runs_quickly_and_says_what_it_found(example, example_data, tmp_path, monkeypatch):
    example_data(example.stem)
    if example.stem.startswith(NEED_SKLEARN):
        pytest.importorskip("sklearn")
    monkeypatch.chdir(tmp_path)
    assert SAYS[example.stem] in run(example, "--quick")
    assert list(tmp_path.iterdir()) == [], "an example with --quick leaves nothing behind"


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda path: path.stem)
def test_what_an_example_says_can_be_typed_works(example, example_data, tmp_path, monkeypatch):
    example_data(example.stem)
    if example.stem.startswith(NEED_SKLEARN):
        pytest.importorskip("sklearn")
    monkeypatch.chdir(tmp_path)
    calls = typed(example)
    assert f"python examples/{example.name}" in calls
    for call in calls:
        program, *words = call.split("  ")[0].replace("examples/", f"{example.parent}/").split()
        if program == "graphdl":
            result = CliRunner().invoke(main, words)
            assert result.exit_code == 0, result.output


def typed(example: Path) -> list[str]:
    """The command lines in the docstring of an example."""
    doc = ast.get_docstring(ast.parse(example.read_text("utf-8"))) or ""
    return [line.strip() for line in doc.splitlines() if line.strip().startswith(("python ", "graphdl "))]


def test_the_line_comes_out_as_the_course_says():
    example = next(path for path in EXAMPLES if path.stem == "linear_regression")
    assert run(example).splitlines()[0] == "the line at 10: 16.000045776367188"


def test_xor_is_learnt():
    example = next(path for path in EXAMPLES if path.stem == "xor")
    probabilities = [float(line.split()[-1]) for line in run(example).splitlines()]
    assert [round(p) for p in probabilities] == [0, 1, 1, 0]
    assert all(abs(p - round(p)) < 0.05 for p in probabilities)
