"""Optimizers side by side on a loss surface: their paths, and the picture of them."""

from __future__ import annotations

import xml.etree.ElementTree as ET

import numpy as np
import pytest

import graphdl as gd
from graphdl.errors import DrawError, GraphError
from graphdl.keras import optimizers
from graphdl.keras.optimizers import SURFACES, trajectories


def formula(name, x, y):
    return {
        "valley": x**2 / 20 + y**2,
        "rosenbrock": (1 - x) ** 2 + 100 * (y - x**2) ** 2,
        "beale": (1.5 - x + x * y) ** 2 + (2.25 - x + x * y**2) ** 2 + (2.625 - x + x * y**3) ** 2,
        "saddle": x**2 - y**2,
    }[name]


@pytest.mark.parametrize("name", SURFACES)
def test_a_surface_is_its_formula_and_is_least_where_it_says(name):
    surface = SURFACES[name]
    found = trajectories(name, optimizers="sgd", steps=1)
    left, right, bottom, top = surface.extent
    x, y = np.meshgrid(np.linspace(left, right, 31), np.linspace(top, bottom, 31))
    np.testing.assert_allclose(found.heights(31), formula(name, x, y), rtol=1e-9, atol=1e-9)
    if surface.minimum is not None:
        assert formula(name, *surface.minimum) == pytest.approx(0, abs=1e-12)
        assert found.heights(31).min() >= 0


def test_a_path_is_the_descent_written_out():
    found = trajectories("valley", (1.0, -2.0), {"plain": optimizers.SGD(0.3)}, steps=5)
    w, points = np.array([1.0, -2.0]), [[1.0, -2.0]]
    for _ in range(5):
        w = w - 0.3 * np.array([0.1 * w[0], 2 * w[1]])
        points.append(list(w))
    np.testing.assert_allclose(found["plain"].points, points, rtol=1e-12)
    np.testing.assert_allclose(found["plain"].losses, [formula("valley", *p) for p in points], rtol=1e-12)
    assert found["plain"].ended_well
    assert found["plain"].first_below(1.0) == int(np.argmax(found["plain"].losses <= 1.0))
    assert found["plain"].first_below(-1.0) is None


def test_momentum_crosses_the_valley_s_floor_sooner_than_plain_descent():
    race = {"plain": optimizers.SGD(0.05), "momentum": optimizers.SGD(0.05, momentum=0.9)}
    found = trajectories("valley", optimizers=race, steps=100)
    assert found["momentum"].first_below(4.0) < found["plain"].first_below(4.0)
    assert str(found).splitlines()[0] == "valley, after 100 steps"


def test_optimizers_of_one_kind_are_numbered():
    found = trajectories("valley", optimizers=["sgd", optimizers.SGD(0.1), "adam"], steps=1)
    assert [path.name for path in found.paths] == ["SGD", "SGD 2", "Adam"]


def test_a_surface_may_be_a_function_of_two_nodes():
    found = trajectories(lambda x, y: gd.abs(x) + gd.square(y), (1.0, 1.0), [optimizers.SGD(0.1)], steps=3)
    np.testing.assert_allclose(found["SGD"].points[-1], [0.7, 0.8**3], rtol=1e-12)


@pytest.mark.parametrize("theme", ["light", "dark", "mono"])
@pytest.mark.parametrize("name", SURFACES)
def test_the_picture_shows_every_path_and_lines_of_equal_loss(name, theme):
    race = [optimizers.Adam(0.1), optimizers.RMSprop(0.1), optimizers.SGD(0.001)]
    scene = trajectories(name, optimizers=race, steps=30).figure(theme=theme).scene
    groups = {group.id: group for group in scene.groups}
    assert [groups[f"path{i}"].title for i in range(3)] == ["Adam", "RMSprop", "SGD"]
    assert len(groups["lines"].marks) >= 8
    edge = [(60 - 3, 62 - 3), (60 + 460 + 3, 62 + 400 + 3)]
    for group in (groups["path0"], groups["path1"], groups["lines"]):
        for mark in group.marks:
            for x, y in getattr(mark, "points", ()):
                assert edge[0][0] <= x <= edge[1][0]
                assert edge[0][1] <= y <= edge[1][1]


def test_a_line_of_equal_loss_lies_at_that_loss():
    found = trajectories("valley", optimizers="sgd", steps=1)
    scene = found.figure().scene
    lines = next(group for group in scene.groups if group.id == "lines").marks
    left, right, bottom, top = found.surface.extent
    for line in lines:
        xs, ys = np.array(line.points[::3]).T
        x = left + (right - left) * (xs - 58) / 460
        y = top - (top - bottom) * (ys - 62) / 400
        heights = formula("valley", x, y)
        assert np.ptp(heights) < 0.02 * formula("valley", -11, 4)


def test_the_picture_is_svg_and_says_what_it_shows_in_two_languages(tmp_path):
    found = trajectories("beale", optimizers=["adam"], steps=3)
    root = ET.fromstring(found.figure().svg)
    assert "Paths of optimizers, beale" in "".join(root.itertext())
    assert "옵티마이저의 경로" in found.figure(language="ko").svg
    assert found.figure(step=0).save(tmp_path / "race.svg").read_text("utf-8").startswith("<")


def test_a_path_that_leaves_the_numbers_is_drawn_up_to_there():
    found = trajectories("rosenbrock", optimizers=[optimizers.SGD(0.1)], steps=20)
    assert not found["SGD"].ended_well
    assert "NaN" in found.figure().svg


@pytest.mark.parametrize(
    ("make", "error", "message"),
    [
        (lambda: trajectories("vally"), GraphError, "there is no surface 'vally'. Did you mean 'valley'?"),
        (lambda: trajectories(lambda x, y: x), GraphError, "a surface of one's own needs a start"),
        (lambda: trajectories(lambda x, y: 1.0, (0, 0)), GraphError, "of two numbers is a float, expected one float"),
        (lambda: trajectories(3), GraphError, "a surface is 3, expected a name such as 'beale'"),
        (lambda: trajectories("valley", (1, 2, 3)), GraphError, "start is (1, 2, 3), expected two numbers"),
        (lambda: trajectories("valley", extent=(1, 0, 0, 1)), GraphError, "expected left below right"),
        (lambda: trajectories("valley", steps=0), GraphError, "steps is 0, expected an integer from 1"),
        (lambda: trajectories("valley", optimizers=[]), GraphError, "trajectories needs an optimizer, found none"),
        (lambda: trajectories("valley", steps=2)["Nadam"], GraphError, "there is no path 'Nadam'; there is SGD, Adam"),
        (lambda: trajectories("valley", steps=2).figure(step=5), DrawError, "there is no step 5: the paths have steps"),
        (lambda: trajectories("valley", steps=2).figure(theme="red"), DrawError, "there is no theme 'red'"),
    ],
)
def test_what_makes_no_sense_is_refused(make, error, message):
    with pytest.raises(error) as caught:
        make()
    assert message in str(caught.value)
