"""Every example is drawn as blocks and on rails; every model among them leaves as a script that ends in its weights."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path

import pytest

import graphdl as gd
from graphdl import export
from graphdl.errors import GraphError
from graphdl.ir.graph import Graph

EXAMPLES = sorted((Path(__file__).resolve().parent.parent / "examples").glob("*.py"))
NEED_SKLEARN = ("cnn", "digits", "inception")
# Graphs to look at, which nobody trains.
STUDIES = ("apple_shop", "chain_rule", "course_network", "edges", "initialisation_study", "optimizer_race")


@pytest.fixture(params=EXAMPLES, ids=lambda path: path.stem)
def example(request, example_data, monkeypatch):
    """An example as a module, of the size that it has with --quick."""
    path = request.param
    example_data(path.stem)
    if path.stem.startswith(NEED_SKLEARN):
        pytest.importorskip("sklearn")
    monkeypatch.setattr(sys, "argv", [str(path), "--quick"])
    spec = importlib.util.spec_from_file_location(f"drawn_{path.stem}", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def some(part, count=40):
    """The first examples of an array, or of a dict of arrays."""
    return {name: some(each) for name, each in part.items()} if isinstance(part, dict) else part[:count]


def examples_of(module):
    data = module.data() if callable(module.data) else module.data
    return tuple(some(part) for part in (data[0] if isinstance(data[0], tuple) else data))


def test_an_example_is_drawn_as_blocks_and_on_rails(example):
    model = getattr(example, "model", None)
    shown = model or example.loss
    blocks, rails = (gd.draw(shown, view=view) for view in ("blocks", "rails"))
    if model is None:
        graph = Graph(shown)
        assert [leaf.name for leaf in (*graph.placeholders, *graph.variables) if leaf.name not in blocks] == []
        reached = graph.variables or graph.placeholders
        assert [leaf.name for leaf in reached if f"∂{shown.name or 'L'}/∂{leaf.name}" not in rails] == []
        return
    assert [layer.name for layer in model.layers if layer.name not in blocks] == []
    if model.is_compiled:
        assert rails.count("∂L/∂") > len(model.trainable_variables)
    else:
        assert [layer.name for layer in model.layers if layer.weights and f"{layer.name}.kernel" not in rails] == []


def test_the_script_of_an_example_ends_in_the_weights_of_the_session(example, monkeypatch, capsys):
    if example.__name__.removeprefix("drawn_") in STUDIES:
        assert not getattr(getattr(example, "model", None), "is_compiled", False)
        return
    model, data = example.model, examples_of(example)
    model.fit(*data, epochs=1, batch_size=16, verbose=0)
    for style in ("readable", "fast"):
        text = export.script(model, data, style)
        monkeypatch.setattr(sys, "argv", ["script", "--digest"])
        capsys.readouterr()
        exec(compile(text, "script", "exec"), {"__name__": "__main__"})
        assert capsys.readouterr().out.splitlines()[-1] == model.digest(), style


def test_a_model_that_nobody_compiled_is_told_to_be():
    module = next(path for path in EXAMPLES if path.stem == "initialisation_study")
    spec = importlib.util.spec_from_file_location("uncompiled", module)
    loaded = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(loaded)
    with pytest.raises(GraphError, match=r"is not compiled; call model.compile\(optimizer=..., loss=...\) first"):
        export.script(loaded.model)
