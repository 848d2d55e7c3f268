"""Names that a user gives reach a script as data or as one line of a comment, never as code."""

from __future__ import annotations

import ast

import numpy as np
import pytest

import graphdl as gd
from graphdl import export, keras
from graphdl.keras import layers

HOSTILE = [
    '"; import os; os._exit(9); "',
    "'''\nimport os\n'''",
    '"""\nimport os\n"""',
    "a\nimport os\n",
    "\r\nraise SystemExit(9)",
    "class",
    "main",
    "np",
    "EPOCHS",
    "step",
    "</script>",
    "\\",
    "$version {0} {feeds} %s",
    "가중치 🙂",
    "\u202e\u2028x\x00\x1b[31m",
    "x" * 300,
]
X = np.random.default_rng(0).normal(size=(8, 3))


def hostile_model(name):
    inputs = keras.Input((3,), name=name + "0")
    hidden = layers.Dense(4, activation="tanh", name=name)(inputs)
    hidden = gd.multiply(hidden, 2.0, name=name)
    model = keras.Model(inputs, {name + "2": layers.Dense(1, name=name + "1")(hidden)}, name=name)
    optimizer = keras.optimizers.Adam(name=name)
    model.compile(optimizer, keras.losses.MeanSquaredError(name=name), metrics=[keras.metrics.MeanAbsoluteError(name)])
    return model


def calls(tree):
    """The functions and methods that are called, without the names of what methods are called on."""
    functions = [n.func for n in ast.walk(tree) if isinstance(n, ast.Call)]
    return {f.attr if isinstance(f, ast.Attribute) else ast.unparse(f) for f in functions}


@pytest.mark.parametrize("style", ["readable", "fast"])
@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_name_adds_no_code(name, style):
    plain = ast.parse(export.script(hostile_model("plain"), (X, X.sum(1)), style))
    text = export.script(hostile_model(name), (X, X.sum(1)), style)
    tree = ast.parse(text)
    assert calls(tree) <= calls(plain)
    assert [type(n) for n in tree.body] == [type(n) for n in plain.body]
    assert all(c.isprintable() or c == "\n" for c in text)


@pytest.mark.parametrize("name", HOSTILE)
def test_a_script_with_hostile_names_trains_the_same_bits(name, run):
    model = hostile_model(name)
    model.fit(X, X.sum(1), epochs=3, verbose=0)
    done = run(export.script(model, (X, X.sum(1)), "fast"), "--digest", "--save", "w.npz", "--quiet")
    assert done.stdout.strip() == model.digest()
