"""`graphdl derive`: what is printed, what is written, and what is said when it cannot be done."""

from __future__ import annotations

import numpy as np
import pytest
from click.testing import CliRunner

from graphdl_cli.derive import derive
from graphdl_cli.failures import explained

NET = """
    import numpy as np
    import graphdl as gd

    x = gd.placeholder((None, 2), "float64", name="x")
    W = gd.Variable(np.array([[0.5, -1.0], [2.0, 0.25]]), name="W")
    unused = gd.Variable(1.0, "float64", name="unused")
    loss = gd.mean(gd.square(gd.matmul(x, W, name="z")), name="L")
    feeds = {"x": [[1.0, 3.0]]}
"""

MODEL = """
    import numpy as np
    from graphdl import keras

    model = keras.Sequential([keras.Input((1,), name="x"), keras.layers.Dense(1)])
    model.compile(keras.optimizers.{optimizer}(0.5), "mse")
    data = np.arange(-1.0, 5.0), np.arange(5.0, 11.0)
    batch_size = 2
"""


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    write(tmp_path, "net.py", NET)
    return tmp_path


def write(folder, name, text, **slots):
    lines = text.format(**slots) if slots else text
    (folder / name).write_text("\n".join(line.removeprefix("    ") for line in lines.splitlines()), "utf-8")


def said(*words):
    result = CliRunner().invoke(derive, list(map(str, words)), standalone_mode=False)
    assert result.exception is None, result.exception
    return result.output


def refused(*words):
    result = CliRunner().invoke(derive, list(map(str, words)), standalone_mode=False)
    assert result.exception is not None
    return explained(result.exception)


def test_an_element_is_derived_number_by_number(folder):
    """L is the mean of two squares, z = x W: ∂L/∂w₂₁ = z₁ x₂ = 6.5 · 3."""
    text = said("net.py", "--wrt", "W[1, 0]")
    assert text.startswith("Derivation of ∂L/∂w₂₁\n")
    assert "\n    ∂L/∂w₂₁ = 19.5\n" in text
    assert said("net.py", "--wrt", "w21") == text


def test_an_array_is_derived_by_matrices(folder):
    text = said("net.py", "--wrt", "W")
    assert "∂L/∂W = xᵀ · ∂L/∂z" in text
    assert said("net.py") == text, "by default for all that is trained"
    assert said("net.py", "--all") == text


def test_a_dash_prints_markdown(folder):
    text = said("net.py", "--wrt", "w11", "-o", "-")
    assert text.startswith(r"# Derivation of $\frac{\partial L}{\partial w_{11}}$")


@pytest.mark.parametrize("suffix", ["html", "md", "tex", "txt"])
def test_the_suffix_says_the_format(folder, suffix):
    assert said("net.py", "--wrt", "w11", "-o", f"w11.{suffix}") == f"wrote w11.{suffix}\n"
    begins = {"html": "<!doctype html>", "md": "# Derivation", "tex": "\\documentclass", "txt": "Derivation of"}
    assert (folder / f"w11.{suffix}").read_text("utf-8").startswith(begins[suffix])


def test_korean_and_both(folder):
    assert said("net.py", "--wrt", "w11", "--lang", "ko").startswith("∂L/∂w₁₁ 유도")
    assert "Given · 주어진 값" in said("net.py", "--wrt", "w11", "--lang", "both")


def test_values_come_from_a_file(folder):
    np.savez(folder / "batch.npz", x=np.array([[2.0, 0.0]]))
    assert "\n    ∂L/∂w₁₁ = 2\n" in said("net.py", "--wrt", "w11", "--feed", "batch.npz")


def test_without_values_there_are_symbols(folder):
    write(folder, "bare.py", NET.replace("feeds = ", "values = "))
    text = said("bare.py", "--wrt", "w11")
    assert "No values are given" in text
    assert "for one example" in text
    assert "∂z₁/∂w₁₁ = x₁" in text


def test_a_model_has_its_first_batch_and_its_learning_rate(folder):
    write(folder, "line.py", MODEL, optimizer="SGD")
    text = said("line.py", "--wrt", "dense/kernel", "--ebp")
    assert "learning rate η = 0.5" in text
    assert "x₁ · w + b" in text
    assert "6 Change the weights" in text
    assert said("line.py", "--wrt", "W", "--ebp") == text, "the name that the sheet gives it may be typed, too"


def test_only_plain_descent_has_an_update_line(folder):
    write(folder, "line.py", MODEL, optimizer="Adam")
    assert "learning rate" not in said("line.py", "--wrt", "dense/kernel")
    assert "learning rate η = 0.125" in said("line.py", "--wrt", "dense/kernel", "--lr", 0.125)


def test_updates_of_a_graph_tell_the_rate(folder):
    step = "\n    graph = gd.Graph(loss, gd.assign(W, W - 0.25 * gd.gradients(loss, W)).pairs)\n"
    write(folder, "step.py", NET + step)
    assert "learning rate η = 0.25" in said("step.py:graph", "--wrt", "w11")


def test_what_the_loss_does_not_read_has_the_derivative_zero(folder):
    text = said("net.py", "--wrt", "unused")
    assert "∂L/∂unused = 0" in text
    assert "L does not depend on unused: no way leads from it to the loss" in text


def test_an_unknown_name_is_answered_with_the_closest(folder):
    message = refused("net.py", "--wrt", "Ww")
    assert message.startswith("the graph of 'L' has no node 'Ww'. Did you mean 'W'? It has 'x', 'W', 'z', ")


def test_an_element_that_is_not_there(folder):
    assert refused("net.py", "--wrt", "W[2, 0]") == (
        "W has no element [2, 0]: its shape is (2, 2), and indices count from 0"
    )


def test_an_array_number_by_number(folder):
    assert "one element is derived at a time: ask for one, as in W[0, 0]" in refused(
        "net.py", "--wrt", "W", "--level", "scalar"
    )


def test_integers_have_no_derivative(folder):
    write(
        folder,
        "ints.py",
        NET + '\n    n = gd.placeholder((), "int64", name="n")\n    loss = loss * gd.cast(n, "float64")\n',
    )
    assert "n is i64; only floats have gradients" in refused("ints.py", "--wrt", "n", "--feed", _batch(folder, n=3))


def _batch(folder, **more):
    np.savez(folder / "all.npz", x=np.array([[2.0, 0.0]]), **more)
    return "all.npz"


def test_what_has_no_loss(folder):
    write(folder, "vector.py", "import graphdl as gd\nx = gd.placeholder((3,), name='x')\ngraph = gd.Graph(x + 1)\n")
    assert refused("vector.py", "--wrt", "x") == (
        "vector.py:graph has no scalar loss to differentiate; name one, as in FILE.py:loss"
    )


def test_an_unknown_suffix_lists_those_there_are(folder):
    assert refused("net.py", "-o", "sheet.docx") == (
        "'sheet.docx' ends in '.docx', expected one of .html, .md, .tex, .txt"
    )
    assert not (folder / "sheet.docx").exists()


def test_all_and_wrt_exclude_each_other(folder):
    assert refused("net.py", "--all", "--wrt", "W") == (
        "--all asks for everything that is trained; leave out --wrt, or --all"
    )


def test_a_feed_that_does_not_fit_is_named(folder):
    np.savez(folder / "wrong.npz", y=np.zeros(3))
    assert "no placeholder 'y'" in refused("net.py", "--wrt", "W", "--feed", "wrong.npz")
