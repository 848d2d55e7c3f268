"""Random graphs: the graph as typed, the optimised ones, both styles and NumPy agree; gradients are slopes."""

from __future__ import annotations

import os

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

import graphdl as gd
from graphdl.ir.graph import Graph
from graphdl.ir.serialize import graph_from_json, graph_to_json
from graphdl.ir.traverse import ancestors
from tests.random_graphs import BINARY, INPUT_SHAPES, KINDS, REDUCTIONS, UNARY, grow, plans

# GRAPHDL_EXAMPLES=100000 python -m pytest tests/test_random_graphs.py searches for longer.
EXAMPLES = int(os.environ.get("GRAPHDL_EXAMPLES", "1000"))
LEVELS = (0, 1, 2)


def loss_of(g):
    """A weighted sum of the last values, as a node and as a closure."""
    last = range(max(0, len(g.nodes) - 3), len(g.nodes))
    weights = {i: np.cos(np.arange(g.values[i].size) + i).reshape(g.values[i].shape) for i in last}
    fed = {i: gd.placeholder(g.nodes[i].shape, "float64", name=f"w{i}") for i in last}
    loss = gd.add_n(*[gd.sum(g.nodes[i] * fed[i]) for i in last]) if len(last) > 1 else gd.sum(g.nodes[0] * fed[0])

    def closure(arrays):
        values = g.recomputed(arrays)
        return sum(np.vdot(values[i], weights[i]) for i in last)

    feeds = {fed[i]: weights[i] for i in last}
    return loss, closure, feeds


def slope_along(closure, arrays, directions, h):
    """A central difference of fourth order."""

    def at(t):
        return closure([a + t * d for a, d in zip(arrays, directions, strict=True)])

    return (8 * (at(h) - at(-h)) - (at(2 * h) - at(-2 * h))) / (12 * h)


def near(found, true, tolerance):
    found, true = np.asarray(found), np.asarray(true)
    assert found.shape == true.shape
    np.testing.assert_allclose(found, true, rtol=tolerance, atol=tolerance * max(1.0, np.abs(true).max(initial=0)))


def came_back(graph, feeds, values):
    """The graph as JSON and back lists the same, writes the same JSON again and runs with the same bits."""
    text = graph_to_json(graph)
    again = graph_from_json(text)
    assert str(again) == str(graph)
    assert graph_to_json(again) == text
    needed = {p.name for p in again.placeholders}
    found = gd.Session().run(list(again.outputs.values()), {x.name: a for x, a in feeds.items() if x.name in needed})
    for a, b in zip(found, values, strict=True):
        assert np.asarray(a).tobytes() == np.asarray(b).tobytes()


@settings(max_examples=EXAMPLES)
@given(plans)
def test_graph_optimised_graph_and_numpy_agree_and_gradients_are_slopes(plan):
    g = grow(plan)
    loss, closure, weights = loss_of(g)
    feeds = dict(zip(g.inputs, g.arrays, strict=True)) | weights
    wrt = [x for x in g.inputs if x in set(ancestors([loss]))]
    slopes, typed = (list(gd.derive(loss, wrt, stabilise=s).gradients) for s in (True, False))
    wanted = [loss, *g.nodes[len(g.inputs) :], *slopes]
    raw = gd.Session(level=0, stabilise=False).run([loss, *g.nodes[len(g.inputs) :], *typed], feeds)
    for value, true in zip(raw[1:], g.values[len(g.inputs) :], strict=False):
        near(value, true, 1e-11)
    near(raw[0], closure(g.arrays), 1e-11)
    for level in LEVELS:
        readable, fast = (gd.Session(level=level, style=style).run(wanted, feeds) for style in ("readable", "fast"))
        for a, b, c in zip(readable, fast, raw, strict=True):
            assert np.asarray(a).tobytes() == np.asarray(b).tobytes()
            near(a, c, 1e-9)
    alone = [gd.Session(style=style).run([loss, *slopes], feeds) for style in ("readable", "fast")]
    for a, b, c in zip(*alone, [raw[0], *raw[len(wanted) - len(wrt) :]], strict=True):
        assert np.asarray(a).tobytes() == np.asarray(b).tobytes()
        near(a, c, 1e-9)
    came_back(Graph({"loss": loss, **{f"d{i}": slope for i, slope in enumerate(slopes)}}), feeds, alone[1])
    directions = [np.cos(np.arange(a.size) * 1.7 + 1).reshape(a.shape) for a in g.arrays]
    analytic = sum(
        np.vdot(s, directions[g.inputs.index(x)]) for s, x in zip(raw[len(wanted) - len(wrt) :], wrt, strict=True)
    )
    numeric = [slope_along(closure, g.arrays, directions, h) for h in (1e-3, 3e-4, 1e-4)]
    scale = max(1.0, abs(analytic), max(map(np.max, map(np.abs, g.values))))
    assert min(abs(analytic - n) for n in numeric) <= 1e-7 * scale, (analytic, numeric, g.names)


@settings(max_examples=EXAMPLES // 2)
@given(plans, st.sets(st.integers(0, 15)))
def test_any_set_of_fetches_gives_the_same_bits_at_any_batch_size(plan, chosen):
    """What is fetched decides which buffers live how long; a fetch is never overwritten, whatever N is."""
    g = grow(plan)
    wanted = [g.nodes[i] for i in chosen if i < len(g.nodes)] or g.nodes[-1:]
    fast, readable = gd.Session(style="fast"), gd.Session(style="readable")
    for rows in (4, 1, 4, 2):
        feeds = {x: a[:rows] if "N" in map(str, x.shape) else a for x, a in zip(g.inputs, g.arrays, strict=True)}
        for a, b in zip(fast.run(wanted, feeds), readable.run(wanted, feeds), strict=True):
            assert np.asarray(a).tobytes() == np.asarray(b).tobytes()


def test_plans_meet_every_kind_of_step():
    random = np.random.default_rng(0)
    seen = set()
    for _ in range(3000):
        shapes = [INPUT_SHAPES[i] for i in random.integers(0, len(INPUT_SHAPES), random.integers(1, 4))]
        steps = [(int(random.integers(len(KINDS))), *map(int, random.integers(0, 60, 4))) for _ in range(12)]
        seen |= set(grow((shapes, bool(random.integers(2)), int(random.integers(2**32)), steps)).names)
    rest = {
        "softmax",
        "log softmax typed",
        "cross_entropy",
        "matmul",
        "take",
        "split",
        "pad",
        "stack",
        "concat",
        "sum_to",
    }
    assert {*UNARY, *BINARY, *REDUCTIONS, *rest} <= seen
