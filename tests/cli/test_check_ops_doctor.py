"""`graphdl check`, `graphdl ops` and `graphdl doctor`."""

from __future__ import annotations

import importlib.metadata
import sys
from types import ModuleType, SimpleNamespace

import pytest

import graphdl as gd
from graphdl.errors import DrawError
from graphdl.ir.registry import all_ops


def test_right_gradients_are_said_to_be_right(line):
    rows = line.said("check", "line.py").splitlines()
    assert [row.split()[0] for row in rows[1:3]] == ["dense/kernel", "dense/bias"]
    assert all(row.endswith("right") for row in rows[1:3])
    assert rows[3:] == ["readable and fast source: the same bits", "2 gradients are right"]


def test_a_wrong_gradient_is_a_failure(squared, monkeypatch):
    square = dict(all_ops())["square"]
    monkeypatch.setattr(square, "partials", (lambda dy, y, a: dy * a * 2.001,))
    answer = squared.run("check", "squared.py")
    assert answer.code == 1
    assert answer.err == "graphdl: error: 2 of 2 gradients are wrong, the first for 'x'\n"
    assert answer.out.count("WRONG") == 2


def test_styles_that_differ_are_a_failure(squared, monkeypatch):
    monkeypatch.setattr("graphdl_cli.check._same_bits", lambda found, feeds: False)
    answer = squared.run("check", "squared.py")
    assert (answer.code, answer.err) == (1, "graphdl: error: the two styles of source give different bits\n")


def test_a_strict_tolerance_convicts_rounding(squared):
    assert squared.run("check", "squared.py", "--tolerance", 0).code == 1


def test_relu_networks_pass_in_spite_of_their_kinks(shell):
    shell.write(
        "relu.py",
        """
        import numpy as np
        from graphdl import keras
        random = np.random.default_rng(0)
        model = keras.Sequential([keras.Input((64,)), keras.layers.Dense(128, "relu"), keras.layers.Dense(1)])
        model.compile("sgd", "mse")
        data = random.uniform(0, 1, (64, 64)), random.uniform(0, 1, 64)
        """,
    )
    assert shell.said("check", "relu.py").endswith("4 gradients are right\n")


def test_there_must_be_a_loss(shell):
    shell.write("vector.py", "import graphdl as gd\ngraph = gd.Graph(gd.placeholder((3,), name='x') + 1)\n")
    assert shell.refused("check", "vector.py") == (
        "vector.py has no scalar loss with something to differentiate for; name one, as in FILE.py:loss"
    )


def test_there_must_be_feeds(shell):
    shell.write("hungry.py", "import graphdl as gd\nloss = gd.square(gd.placeholder((), name='x'))\n")
    assert shell.refused("check", "hungry.py") == (
        "hungry.py needs values for 'x': define feeds = {...} in it, or give --feed FILE.npz"
    )


def test_the_table_has_every_op(shell):
    rows = shell.said("ops").splitlines()
    names = [name for name, _ in all_ops()]
    assert [row.split()[0] for row in rows[1:-2]] == names
    assert rows[-1] == f"{len(names)} operations; more: graphdl ops NAME"


def test_an_op_is_explained_with_formula_derivative_and_lowering(shell):
    assert shell.said("ops", "tanh").splitlines() == [
        "tanh(a)   tanh",
        "",
        "  formula     tanh(a)",
        "  derivative  d/da = 1 - tanh(a)**2",
        "  in NumPy    xp.tanh(a)",
    ]
    assert "convention  relu'(0) = 0" in shell.said("ops", "relu")
    assert "made of" in shell.said("ops", "softmax")
    assert "flat everywhere" in shell.said("ops", "argmax")


@pytest.mark.parametrize("name", [name for name, _ in all_ops()])
def test_every_op_can_be_explained(shell, name):
    assert shell.said("ops", name).startswith(f"{name}(")


def test_an_unknown_op_gets_a_suggestion(shell):
    assert shell.refused("ops", "sigmod") == "there is no op 'sigmod'. Did you mean 'sigmoid'?"


def test_the_doctor_reports_versions_blas_threads_and_pictures(shell):
    report = {row[2:26].strip(): row[26:] for row in shell.said("doctor").splitlines() if row.startswith("  ")}
    for package in ("numpy", "sympy", "networkx", "pygraphviz", "click"):
        assert report[package] == importlib.metadata.version(package)
    assert report["graphdl"] == gd.__version__
    assert report["d x^2 / d x at 3"] == "6  ok"
    assert report["Graphviz"].endswith("ok")
    assert {"BLAS", "Korean font", "CuPy", "terminal"} <= report.keys()


def test_the_doctor_asks_threadpoolctl_or_says_how_to_get_it(shell, monkeypatch):
    pool = {"user_api": "blas", "internal_api": "openblas", "version": "9", "filepath": "/lib", "num_threads": 3}
    monkeypatch.setattr("graphdl_cli.doctor._pools", lambda: [{**pool, "architecture": "Haswell"}])
    report = shell.said("doctor")
    assert "openblas 9 at /lib" in report
    assert "Haswell" in report
    monkeypatch.setattr("graphdl_cli.doctor._pools", lambda: None)
    assert "not known without threadpoolctl: pip install 'graphdl[doctor]'" in shell.said("doctor")


def test_a_library_that_threadpoolctl_does_not_know_is_named_as_numpy_was_built(shell, monkeypatch):
    monkeypatch.setattr("graphdl_cli.doctor._pools", list)
    report = shell.said("doctor")
    assert "as NumPy was built" in report
    assert "not known to threadpoolctl for this library" in report


def test_the_doctor_names_the_gpu_or_says_why_there_is_none(shell, monkeypatch):
    monkeypatch.setattr("graphdl_cli.doctor.importlib.util.find_spec", lambda name: None)
    assert "pip install 'graphdl[gpu]'" in shell.said("doctor")
    cupy = ModuleType("cupy")
    monkeypatch.setitem(sys.modules, "cupy", cupy)
    monkeypatch.setattr("graphdl_cli.doctor.importlib.util.find_spec", lambda name: cupy)
    assert "installed, but finds no device: module 'cupy' has no attribute 'cuda'" in shell.said("doctor")
    runtime = SimpleNamespace(getDeviceProperties=lambda device: {"name": b"Some GPU"})
    cupy.cuda, cupy.__version__ = SimpleNamespace(runtime=runtime), "13.0"
    assert "13.0 on Some GPU  ok" in shell.said("doctor")


def test_what_is_broken_is_a_failure(shell, monkeypatch):
    def fail(*arguments, **options):
        raise DrawError("pygraphviz cannot be imported")

    monkeypatch.setattr("graphdl.draw.graphviz.run", fail)
    answer = shell.run("doctor")
    assert (answer.code, answer.err) == (1, "graphdl: error: broken: Graphviz\n")
    assert "without it there is SVG, and no PNG and PDF  BROKEN" in answer.out
