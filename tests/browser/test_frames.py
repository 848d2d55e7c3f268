"""What fits where: phones, frames of notebooks, the program beside its optimised twin, bars, and hostile files."""

import pytest

from graphdl.draw import trace
from graphdl.draw.labels import gradient_text
from graphdl.draw.player import page
from graphdl.draw.summaries import norm_range
from tests.browser.expected import id_of, traced
from tests.draw import networks, stories
from tests.draw.test_hostile_sources import HOSTILE, written


def test_a_narrow_stage_shows_narrow_rows_until_the_reader_chooses(reader):
    html = page(traced(stories.xor()))
    reader.resize(390, 844)
    reader.open(html)
    assert reader.run("return player.view") == "narrow"
    assert reader.run("return document.getElementById('scroll').scrollWidth <= innerWidth")
    reader.resize(1280, 800)
    reader.wait_for("return player.view", "circuit")
    reader.resize(390, 844)
    reader.wait_for("return player.view", "narrow")
    reader.run("player.setView('circuit')")
    reader.resize(380, 800)
    reader.wait()
    assert reader.run("return player.view") == "circuit"
    reader.open(html, "#v=rails")
    assert reader.run("return player.view") == "rails"


def test_the_view_of_the_author_is_kept_on_a_phone(reader):
    reader.resize(390, 844)
    reader.open(page(traced(stories.xor()), view="circuit"))
    assert reader.run("return player.view") == "circuit"


def test_on_a_phone_the_buttons_never_move(reader):
    reader.resize(390, 844)
    found = traced(stories.cs231n())
    reader.open(page(found))
    places = set()
    for _ in found.steps:
        places.add(reader.run("return Math.round(document.getElementById('forth').getBoundingClientRect().bottom)"))
        reader.press("arrow_right")
    assert len(places) == 1


@pytest.mark.parametrize("language", ["en", "ko"])
@pytest.mark.parametrize("size", [(860, 560), (1000, 600), (1100, 640), (1280, 800)])
def test_the_picture_keeps_its_share_of_a_frame_and_the_tools_one_row(reader, size, language):
    reader.resize(*size)
    found = traced(stories.xor())
    reader.open(page(found, language=language, step=18))
    share = "return document.getElementById('stage').getBoundingClientRect().height / innerHeight"
    assert reader.run(share) >= 0.45
    assert reader.run("return document.querySelector('.top').getBoundingClientRect().height") < 40
    assert reader.run("return [document.documentElement.scrollHeight, document.documentElement.scrollWidth]") == [
        size[1],
        size[0],
    ]


def test_the_program_can_be_read_as_it_is_executed(reader):
    found = traced(stories.squared_neuron())
    assert found.executed != found.code
    reader.open(page(found, step=9))
    lines = (
        "return [...document.querySelectorAll('#code li')].filter(e => e.offsetParent)"
        ".map(e => e.textContent.trimEnd())"
    )
    assert reader.run(lines) == [line.rstrip() for line in found.code]
    reader.click("#executed")
    assert reader.run(lines) == [line.rstrip() for line in found.executed]
    reader.press("arrow_right")
    reader.click("#executed")
    assert reader.run(lines) == [line.rstrip() for line in found.code]
    now = reader.run("return [...document.querySelectorAll('#code .now')].map(e => +e.dataset.line)")
    assert now == list(found.steps[10].code)


def test_the_first_step_lists_the_formulas_and_the_summary_the_gradients(reader):
    found = traced(stories.cs231n())
    reader.open(page(found))
    said = "return [...document.querySelectorAll('#formula .part')].map(e => e.textContent.replace(/\\s/g, ''))"
    assert reader.run(said) == ["q=x+y", "f=q·z"]
    reader.press("arrow_right")
    assert reader.run(said) == ["x=−2", "y=5", "z=−4"]
    reader.press("end")
    assert reader.run(said) == ["∂f∂x=−4", "∂f∂y=−4", "∂f∂z=3"]


def test_a_bar_is_there_once_its_gradient_is_known(reader):
    found = traced(networks.digits())
    kernel = id_of(found, "dense_0.kernel")
    reader.open(page(found, view="blocks"))
    shown = (
        f"const b = document.querySelector('.picture:not([hidden]) [data-slot=\"b:{kernel}\"]');"
        "return getComputedStyle(b).visibility"
    )
    arrives = next(k for k, step in enumerate(found.steps) if kernel in step.gradients)
    for k in range(len(found.steps)):
        assert reader.run(shown) == ("visible" if k >= arrives else "hidden"), k
        reader.press("arrow_right")
    reader.press("home")
    assert reader.run(shown) == "hidden"


def test_the_range_of_several_gradients_grows_as_they_come(reader):
    found = traced(stories.layers(24, 4))
    reader.open(page(found, view="blocks", granularity="layer"))
    slots = (
        "return [...document.querySelectorAll('.picture:not([hidden]) [data-slot^=\"r:\"]')]"
        ".map(e => [e.dataset.slot, e.textContent])"
    )
    last = found.frame()
    assert reader.run(slots)
    assert all(text == "" for _, text in reader.run(slots))
    reader.press("end")
    for slot, text in reader.run(slots):
        norms = [last.gradients[node].norm for node in slot[2:].split()]
        assert text == f"∂ {norm_range(norms)}"
        assert gradient_text(last.gradients[slot[2:].split()[0]])


@pytest.mark.parametrize("text", HOSTILE, ids=range(len(HOSTILE)))
def test_hostile_files_and_scopes_do_nothing_in_any_view(reader, text):
    names = written(text)
    found = trace(names["L"], feeds={"x": [[1.0, 2.0], [3.0, -1.0]]})
    reader.open(page(found))
    keys = reader.run("return stage.keys")
    assert len(text) > 1000 or any(key.startswith("open:") for key in keys)
    for key in keys:
        reader.run("player.setView(arguments[0]); player.go(999)", key)
        for name in reader.run("return [...stage.now.groups.keys()].filter(k => stage.now.groups.get(k).dataset.id)"):
            reader.run("card.pin(arguments[0])", name)
        reader.wait()
        reader.run("const hash = location.hash; location.hash = ''; location.hash = hash")
    reader.press("escape", "t", "l", "t", "/", *"window", "escape")
    assert reader.run("return [window.hacked === undefined, document.images.length]") == [True, 0]
