"""What is printed for one small network, kept as files to be read in reviews.

A change that is meant is taken over with ``GRAPHDL_WRITE_GOLDEN=1 python -m pytest tests/compile/test_golden.py``.
"""

from __future__ import annotations

import os
from pathlib import Path

import pytest

import graphdl as gd

GOLDEN = Path(__file__).parent.parent / "golden"


def network() -> tuple[gd.Node, gd.Updates]:
    x, labels = gd.placeholder((None, 4), name="x"), gd.placeholder((None,), "int64", name="labels")
    with gd.name_scope("hidden"):
        W, b = gd.Variable(gd.random_normal((4, 8)), name="W"), gd.Variable(gd.zeros(8), name="b")
        h = gd.relu(gd.dropout(x, 0.25) @ W + b, name="h")
    V = gd.Variable(gd.random_normal((8, 3)), name="V")
    loss = gd.mean(-gd.log(gd.take_along(gd.softmax(h @ V), labels)), name="loss")
    slopes = gd.gradients(loss, [W, b, V])
    return loss, gd.group(*[gd.assign(w, w - 0.1 * d) for w, d in zip((W, b, V), slopes, strict=True)])


def printed(what: str) -> str:
    loss, train = network()
    session = gd.Session(seed=1)
    if what == "listing":
        return str(gd.Graph(loss, train.pairs)) + "\n"
    if what == "firings":
        return "\n".join(map(str, session.compile(loss, train).optimised.firings)) + "\n"
    return session.compile(loss, train, style=what).source


@pytest.mark.parametrize("what", ["listing", "firings", "readable", "fast"])
def test_it_prints_as_it_did(what):
    path = GOLDEN / f"classifier.{what}.txt"
    text = printed(what)
    if "GRAPHDL_WRITE_GOLDEN" in os.environ:
        path.write_text(text, encoding="utf-8")
    assert text == path.read_text(encoding="utf-8")
