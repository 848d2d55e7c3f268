"""Nodes that have no name of their own go by the one that the file has for them."""

from __future__ import annotations

import json

import numpy as np
import pytest

# loss = sum h^2 with h = x W: at x = (1, 3) it is h = (6.5, -0.25), and dloss/dh = 2 h = (13, -0.5).
NAMELESS = """
    import numpy as np
    import graphdl as gd

    X = gd.placeholder((None, 2), "float64")
    W = gd.Variable(np.array([[0.5, -1.0], [2.0, 0.25]]))
    h = X @ W
    cost = gd.sum(h * h)
    aside = gd.square(W)
"""


@pytest.fixture
def nameless(shell):
    shell.write("net.py", NAMELESS)
    np.savez(shell.folder / "one.npz", X=[[1.0, 3.0]])
    np.savez(shell.folder / "two.npz", X=[[1.0, 3.0], [0.5, -2.0]])
    return shell


def test_cost_is_a_usual_name_of_a_loss(nameless):
    assert nameless.said("show", "net.py").endswith("-> sum\n")


def test_a_gradient_is_derived_for_the_files_own_name(nameless):
    sheet = nameless.said("derive", "net.py", "--wrt", "h", "--feed", "one.npz")
    assert "[ 13  −0.5 ]" in sheet
    assert "They agree" in sheet
    element = nameless.said("derive", "net.py", "--wrt", "h[0, 0]", "--feed", "one.npz")
    assert " = 13\n" in element


def test_only_what_the_loss_does_not_read_has_the_derivative_zero(nameless):
    assert "no way leads from it to the loss" in nameless.said("derive", "net.py", "--wrt", "aside")


@pytest.mark.parametrize("name", ["h", "X", "W"])
@pytest.mark.parametrize("feed", ["one.npz", "two.npz"])
def test_gradients_are_checked_for_the_files_own_name(nameless, name, feed):
    assert nameless.said("check", "net.py", "--wrt", name, "--feed", feed).endswith("\n1 gradient is right\n")


def test_a_picture_is_differentiated_for_the_files_own_name(nameless):
    nameless.said("draw", "net.py", "--wrt", "h", "--feed", "one.npz", "-o", "h.json")
    assert "13" in json.dumps(json.loads((nameless.folder / "h.json").read_text("utf-8")))
    assert "d/matmul" in nameless.said("show", "net.py", "--wrt", "h", "--stage", "gradient")


def test_a_name_that_neither_has_is_refused(nameless):
    assert nameless.refused("check", "net.py", "--wrt", "g").startswith("the graph has no node 'g'.")


@pytest.mark.parametrize("words", [["check", "net.py"], ["explain", "nan", "net.py"]])
def test_missing_values_are_asked_for_by_the_files_own_name(nameless, words):
    assert nameless.refused(*words) == (
        "net.py needs values for 'X': define feeds = {...} in it, or give --feed FILE.npz"
    )


def test_a_file_of_nodes_says_which_node_could_be_meant(shell):
    shell.write("open.py", NAMELESS.replace("cost", "total"))
    assert shell.refused("draw", "open.py").endswith("Say which node is meant, as in open.py:aside, or call it loss")


def test_a_graph_is_not_trained_from_the_command_line(nameless):
    for command in ("train", "export"):
        assert nameless.refused(command, "net.py").endswith(
            "A graph is trained by sessions in its own file, as in python net.py; to see it: graphdl draw net.py"
        )
