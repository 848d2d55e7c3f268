"""Stepping through a page: numbers, states, glow, program lines, phases, playing."""

import pytest

import graphdl as gd
from graphdl.draw import trace
from graphdl.draw.player import page
from tests.browser.expected import expected, id_of, traced, updated
from tests.draw import stories


@pytest.mark.parametrize("story", [*stories.SCALARS, stories.xor], ids=lambda story: story.__name__)
def test_stepping_to_the_end_and_back_shows_the_numbers_of_the_trace(reader, story):
    found = traced(story())
    reader.open(page(found))
    count = len(found.steps)
    geometry = reader.geometry()
    way = [(k, "arrow_right") for k in range(count - 1)] + [(k, "arrow_left") for k in range(count - 1, -1, -1)]
    for k, key in way:
        assert reader.at == (k + 1, count)
        assert reader.text("#caption") == found.steps[k].caption["en"]
        rows = {slot: text for slot, text in reader.slots().items() if slot[0] in "vg"}
        wanted = {slot: text for slot, text in expected(found, k).items() if slot in rows}
        assert {slot: text for slot, text in rows.items() if text} == wanted
        assert reader.geometry() == geometry
        reader.press(key)


def test_the_active_nodes_glow_and_the_program_line_is_marked(reader):
    found = traced(stories.cs231n())
    reader.open(page(found))
    for k, step in enumerate(found.steps):
        assert reader.classes("on") & set(found.by_id) == set(step.active_nodes) & {n.id for n in found.forward}
        lines = reader.run("return [...document.querySelectorAll('#code .now')].map(e => +e.dataset.line)")
        assert lines == list(step.code)
        reader.press("arrow_right") if k + 1 < len(found.steps) else None


def test_nothing_zero_and_not_required_look_different(reader):
    w, x = gd.Variable(-2.0, "float64", name="w"), gd.placeholder((), "float64", name="x")
    found = trace(gd.relu(gd.multiply(w, x, name="u"), name="r"), feeds={"x": 3.0})
    reader.open(page(found))
    wid = id_of(found, "w")
    chip = f"return getComputedStyle(document.querySelector('.picture g[id$=\"-{wid}\"] > .zero')).visibility"
    assert (reader.slots()[f"g:{wid}"], reader.run(chip)) == ("", "hidden")
    assert wid in reader.classes("todo")
    reader.press("end")
    assert (reader.slots()[f"g:{wid}"], reader.run(chip)) == ("0", "visible")
    assert wid not in reader.classes("todo")
    assert reader.text(f"g[id$='-{id_of(found, 'x')}'] .no-gradient") == "—"


def test_keys_go_by_phases_and_to_the_ends(reader):
    found = updated()
    reader.open(page(found))
    first = {}
    for k, step in enumerate(found.steps):
        first.setdefault(step.phase, k + 1)
    for key, phase in {"2": "forward", "3": "seed", "4": "summary", "5": "update", "1": "graph"}.items():
        reader.press(key)
        assert reader.at[0] == first[phase]
    reader.press("arrow_right", shift=True)
    assert reader.at[0] == first["forward"]
    reader.press("end")
    assert reader.at[0] == len(found.steps)
    reader.press("arrow_left", shift=True)
    assert reader.at[0] == first["update"]
    reader.press("home")
    assert reader.at[0] == 1


def test_new_weights_make_old_values_stale_until_they_run_again(reader):
    found = updated()
    reader.open(page(found))
    w, u = id_of(found, "w"), id_of(found, "z")
    reader.press("5")
    assert u in reader.classes("stale")
    assert w not in reader.classes("stale")
    old = reader.slots()[f"v:{u}"]
    reader.press("end")
    assert reader.classes("stale") == set()
    assert reader.slots()[f"v:{u}"] != old
    reader.press("arrow_left")
    assert u in reader.classes("stale")
    assert reader.slots()[f"v:{u}"] == old


def test_playing_goes_on_by_itself_and_stops_at_a_key(reader):
    reader.open(page(traced(stories.apple_shop())))
    reader.run("document.getElementById('speed').append(new Option('fast', 40, true, true))")
    reader.press("space")
    assert reader.run("return document.getElementById('play').getAttribute('aria-pressed')") == "true"
    reader.browser.execute_async_script("setTimeout(arguments[0], 700)")
    assert reader.at == (8, 8)
    assert reader.run("return document.getElementById('play').getAttribute('aria-pressed')") == "false"


def test_the_slider_and_the_phase_band_move_too(reader):
    found = traced(stories.cs231n())
    reader.open(page(found))
    reader.run(
        "const s = document.getElementById('slider'); s.value = 4; s.dispatchEvent(new Event('input', {bubbles: true}))"
    )
    assert reader.at[0] == 5
    reader.click("#band button[data-part=backward]")
    assert found.steps[reader.at[0] - 1].phase == "seed"
