"""Calling the package, and what notebooks show."""

import re
import subprocess
import sys
import xml.etree.ElementTree as ElementTree

import pytest

import graphdl as gd
from tests.draw import stories

HEAVY = {"pygraphviz", "networkx", "sympy"}


def _modules_after(statements):
    program = f"import sys; {statements}; print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    return set(done.stdout.split())


def test_importing_graphdl_loads_nothing_that_draws():
    assert not _modules_after("import graphdl") & {*HEAVY, "graphdl.draw"}


def test_drawing_loads_graphviz_in_another_process_only():
    assert not _modules_after("import graphdl as gd; gd.draw(gd.Variable(2.0) * 3.0)") & HEAVY


def test_the_package_can_be_called_and_imported_from():
    import graphdl.draw
    from graphdl.draw import draw, trace

    made = stories.fan_out()
    assert gd.draw(made.loss, feeds=made.feeds) == draw(made.loss, feeds=made.feeds)
    assert graphdl.draw is gd.draw
    assert gd.draw.trace is trace
    assert gd.draw(trace(made.loss, feeds=made.feeds)) == draw(made.loss, feeds=made.feeds)


def test_nodes_and_graphs_show_a_picture_beside_their_text():
    loss = stories.cs231n().loss
    for thing, text in ((loss, repr(loss)), (gd.Graph(loss), str(gd.Graph(loss)))):
        bundle = thing._repr_mimebundle_()
        assert bundle["text/plain"] == text
        assert ElementTree.fromstring(bundle["image/svg+xml"]).tag.endswith("svg")


def test_two_pictures_on_a_page_share_no_id():
    one, other = (story().loss._repr_mimebundle_()["image/svg+xml"] for story in (stories.cs231n, stories.fan_out))
    assert not set(re.findall(r'id="([^"]+)"', one)) & set(re.findall(r'id="([^"]+)"', other))


def test_a_wide_picture_is_shown_small_enough_for_a_page():
    root = ElementTree.fromstring(stories.xor().loss._repr_mimebundle_()["image/svg+xml"])
    assert float(root.get("width")) <= 1200
    box = [float(number) for number in root.get("viewBox").split()]
    assert box[2] > 1200
    assert float(root.get("height")) / float(root.get("width")) == pytest.approx(box[3] / box[2], rel=0.05)


def test_a_node_that_cannot_be_drawn_shows_its_text_and_why(monkeypatch):
    from graphdl.draw import notebook
    from graphdl.errors import DrawError

    def fails(thing):
        raise DrawError("no room")

    monkeypatch.setattr(notebook, "draw", fails)
    bundle = stories.cs231n().loss._repr_mimebundle_()
    assert "image/svg+xml" not in bundle
    assert bundle["text/plain"].endswith("(no picture: no room)")


def test_a_split_value_shows_itself():
    bundle = gd.split(gd.placeholder((4,), name="x"), 2)[0]._repr_mimebundle_()
    assert "image/svg+xml" in bundle


def test_a_model_is_drawn_by_its_outputs_and_once_compiled_by_its_loss():
    from graphdl import keras

    model = keras.Sequential([keras.layers.Input((4,)), keras.layers.Dense(3, name="first"), keras.layers.Dense(1)])
    assert "forward: " in gd.draw(model)
    model.compile("sgd", "mse")
    svg = gd.draw(model)
    assert "forward and backward" in svg
    training = model.training
    found = gd.draw.trace(training.loss, training.variables, updates=training.updates)
    assert [step.phase for step in found.steps[-4:]] == ["update"] * 4
