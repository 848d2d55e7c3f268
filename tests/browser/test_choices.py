"""Language, theme, view, granularity and the address of a page."""

import pytest

from graphdl.draw.granularity import at_granularity
from graphdl.draw.player import page
from tests.browser.expected import expected, id_of, traced
from tests.draw import stories


def test_the_language_changes_everywhere(reader):
    found = traced(stories.apple_shop())
    reader.open(page(found))
    reader.press("end", "l")
    assert reader.text("#caption") == found.steps[-1].caption["ko"]
    assert reader.text("#counter").startswith("기울기")
    assert reader.run("return document.documentElement.lang") == "ko"
    assert "역전파" in reader.text("#band")
    assert "자리표시자" in reader.text(".legend")
    reader.press("arrow_left")
    assert [word in reader.text("#formula .chain") for word in ("하류", "상류", "국소")] == [True] * 3
    label = reader.run("return document.querySelector('g[data-id]').getAttribute('aria-label')")
    assert "노드" in label
    reader.press("l")
    assert reader.text("#caption") == found.steps[-2].caption["en"]
    assert "downstream" in reader.text("#formula")


def test_a_korean_keyboard_has_the_same_keys(reader):
    reader.open(page(traced(stories.apple_shop())))
    reader.run("document.body.dispatchEvent(new KeyboardEvent('keydown', {key: 'ㅣ', code: 'KeyL', bubbles: true}))")
    assert reader.run("return document.documentElement.lang") == "ko"


def test_a_page_in_both_languages_has_two_captions(reader):
    found = traced(stories.apple_shop())
    reader.open(page(found, language="both"))
    assert reader.text("#caption").split("\n") == [found.steps[0].caption[key] for key in ("en", "ko")]


def test_the_theme_follows_the_system_until_one_is_chosen(reader):
    reader.prefer(prefers_color_scheme="dark")
    reader.open(page(traced(stories.apple_shop())))
    colour = "return getComputedStyle(document.querySelector('.picture svg > rect')).fill"
    assert reader.run("return document.documentElement.dataset.theme") == "dark"
    dark = reader.run(colour)
    reader.prefer(prefers_color_scheme="light")
    reader.wait_for("return document.documentElement.dataset.theme", "light")
    assert reader.run(colour) == "rgb(255, 255, 255)" != dark
    seen = []
    for _ in range(5):
        reader.press("d")
        seen.append(reader.run("return document.documentElement.dataset.theme"))
    assert seen == ["dark", "mono", "cs231n", "book", "light"]
    reader.prefer()


def test_views_and_granularities_change_and_keep_the_place(reader):
    found = traced(stories.xor())
    reader.open(page(found, step=18))
    reader.press("v")
    assert reader.run("return document.querySelector('.picture:not([hidden])').dataset.view") == "rails"
    assert reader.at[0] == 19
    gradient = next(node for node in found.backward if id_of(found, "p") in node.gradient_for)
    assert reader.text(f".picture:not([hidden]) g[id$='-{gradient.id}']").endswith("‖0.01389‖")
    reader.press("g")
    assert reader.run("return document.getElementById('granularity').value") == "sub"
    parts = at_granularity(found, "sub").steps
    assert reader.at[1] == len(parts)
    assert parts[reader.at[0] - 1].node == found.steps[18].node
    reader.press("g", "g")
    assert reader.at[1] == len(at_granularity(found, "phase").steps)
    assert at_granularity(found, "phase").steps[reader.at[0] - 1].phase in ("seed", "backward")


@pytest.mark.parametrize("granularity", ["sub", "layer", "phase"])
def test_every_granularity_ends_with_the_same_numbers(reader, granularity):
    found = traced(stories.fan_out())
    reader.open(page(found, granularity=granularity))
    reader.press("end")
    rows = {slot: text for slot, text in reader.slots().items() if slot[0] in "vg" and text}
    wanted = expected(found, len(found.steps) - 1)
    assert rows == {slot: text for slot, text in wanted.items() if slot in rows}
    assert rows[f"g:{id_of(found, 'x')}"].endswith("= 7")


def test_collapsing_and_expanding_go_from_blocks_to_one_open_scope(reader):
    reader.open(page(traced(stories.layers())))
    assert reader.run("return player.view") == "circuit"
    reader.press("c", "c", "c")
    assert reader.run("return player.view") == "blocks"
    reader.click(".picture:not([hidden]) g.block[data-scope=dense_1] > .name")
    reader.press("e")
    assert reader.run("return player.view") == "open:dense_1"
    reader.press("c")
    assert reader.run("return player.view") == "blocks"


def test_a_permalink_leads_to_step_view_language_theme_granularity_and_node(reader):
    found = traced(stories.xor())
    w = id_of(found, "W2")
    reader.open(page(found), f"#s=12&v=rails&l=ko&t=dark&g=sub&x={w}")
    assert reader.at == (12, len(at_granularity(found, "sub").steps))
    state = reader.run("return [player.view, document.documentElement.lang, document.documentElement.dataset.theme]")
    assert state == ["rails", "ko", "dark"]
    assert reader.shown("#card.pinned")
    assert reader.text("#card h2") == "W2"
    reader.go("s=3&v=circuit&l=en&t=light&g=op")
    assert reader.at == (3, len(found.steps))
    assert not reader.shown("#card")
    assert reader.run("return player.view") == "circuit"


def test_the_address_follows_what_the_reader_does(reader):
    reader.open(page(traced(stories.xor())))
    reader.press("arrow_right", "arrow_right", "v", "d", "l")
    reader.wait_for("return location.hash", "#s=3&v=rails&t=dark&l=ko")
    reader.press("arrow_left")
    reader.wait_for("return location.hash", "#s=2&v=rails&t=dark&l=ko")


@pytest.mark.parametrize("address", ["#s=999&v=nothing&l=xx&t=pink&g=zz&x=n999", "#s=-3", "#%ff&&==", "#s=1e9"])
def test_a_broken_link_breaks_nothing(reader, address):
    reader.open(page(traced(stories.apple_shop())), address)
    assert 1 <= reader.at[0] <= 8
    reader.press("home")
    assert reader.at == (1, 8)
