"""The page on which a window slides, in a browser: what stands there is what the story says."""

from __future__ import annotations

import numpy as np
import pytest

import graphdl as gd
from graphdl.draw.window.frames import story
from graphdl.draw.window.page import window_page
from graphdl.draw.window.plan import Plan
from graphdl.draw.window.seen import seen
from graphdl.draw.window.texts import caption, told


@pytest.fixture(scope="module")
def made():
    """The plan and the story of a small convolution with two channels, strides and padding."""
    random = np.random.default_rng(3)
    x = gd.placeholder((None, 5, 6, 2), "float64", name="x")
    kernel = gd.Variable(random.normal(size=(2, 2, 2, 3)), name="K")
    y = gd.conv2d(x, kernel, strides=2, padding="same", name="conv")
    plan = Plan(seen(gd.mean(gd.square(gd.relu(y))), {x: random.normal(size=(1, 5, 6, 2))}, None))
    return plan, story(plan)


def cells(reader):
    """What stands in every cell that has room for numbers."""
    script = "return Object.fromEntries([...document.querySelectorAll('text.number')]"
    return reader.run(f"{script}.map((node) => [node.dataset.slot, node.textContent]))")


def texts(reader, selector):
    """The texts of all elements of a kind."""
    return reader.run("return [...document.querySelectorAll(arguments[0])].map((node) => node.textContent)", selector)


def marks(reader):
    """The corner of every line around cells."""
    script = "return Object.fromEntries([...document.querySelectorAll('rect.mark')]"
    return reader.run(f"{script}.map((node) => [node.dataset.slot, [node.x.baseVal.value, node.y.baseVal.value]]))")


@pytest.mark.parametrize("way", [(0, 1, 8, 9, 17, 18, 26), (26, 13, 12, 20, 3, 26, 0)], ids=["onward", "to and fro"])
def test_every_step_has_its_numbers_whichever_way_it_is_reached(reader, made, way):
    plan, frames = made
    reader.open(window_page(plan, frames, "en", "light"))
    for step in way:
        reader.go(f"#s={step}")
        frame = frames.at(step)
        assert cells(reader) == {slot: cell.text for slot, cell in frame.cells.items()}
        assert reader.text("#caption") == told(caption(plan.seen, frame.part)["en"], plan.seen, frame.window)
        assert texts(reader, "#lines li") == list(frame.lines)
        for name, marked in frame.marks.items():
            x, y, width, height = marked.grid.around(marked.row, marked.column, marked.rows, marked.columns)
            assert marks(reader)[f"mark.{name}"] == pytest.approx([x - width / 2, y - height / 2], abs=0.06)
    assert reader.complaints() == []


def test_keys_and_buttons_go_from_window_to_window(reader, made):
    reader.open(window_page(*made, "en", "light"))
    reader.press("arrow_right", "arrow_right")
    assert reader.text("#moment") == "3 / 27"
    reader.press("space")
    assert reader.text("#play") == "❚❚"
    reader.press("space", "2")
    assert reader.text("#play") == "▶"
    assert reader.text("#moment") == "10 / 27"
    reader.click("#back")
    assert reader.text("#moment") == "9 / 27"
    reader.click("#parts button:nth-child(3)")
    assert reader.text("#moment") == "19 / 27"
    reader.press("end")
    assert reader.text("#moment") == "27 / 27"
    reader.wait_for("return location.hash", "#s=26")
    assert reader.complaints() == []


def test_language_and_theme_change_everything(reader, made):
    reader.open(window_page(*made, "en", "light"))
    before = reader.run("return getComputedStyle(document.querySelector('rect.cell')).fill")
    reader.press("l", "d")
    assert reader.text("#caption").startswith("순전파, 윈도 1/9")
    assert texts(reader, "#parts button") == ["순전파", "커널의 기울기", "이미지의 기울기"]
    assert "이미지 x, 채널 0" in reader.run("return document.querySelector('#board svg').textContent")
    assert reader.run("return document.documentElement.dataset.theme") == "dark"
    assert reader.run("return getComputedStyle(document.querySelector('rect.cell')).fill") != before
    assert reader.complaints() == []


def test_a_phone_shows_the_whole_page_without_moving_it_sideways(reader, made):
    reader.resize(390, 800)
    reader.open(window_page(*made, "en", "light"))
    assert reader.run("return document.documentElement.scrollWidth <= window.innerWidth")
    assert reader.run("const b = document.getElementById('board'); return b.scrollWidth > b.clientWidth")
