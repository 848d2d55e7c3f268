"""Reading a page closely: search, cards, sentences, table, formulas, printing; frames, phones and hostile names."""

import re

import pytest

import graphdl as gd
from graphdl.draw import trace
from graphdl.draw.labels import gradient_text, value_text
from graphdl.draw.player import page
from tests.browser.expected import id_of, traced
from tests.draw import stories
from tests.draw.test_player import HOSTILE


def test_search_finds_a_node_and_goes_to_it(reader):
    found = traced(stories.layers())
    reader.open(page(found))
    reader.press("/")
    reader.press(*"1 kernel")
    hits = reader.run("return [...document.querySelectorAll('#found button')].map(e => e.textContent)")
    assert hits
    assert all("kernel" in hit for hit in hits)
    assert reader.at[0] == 1
    reader.press("enter")
    assert reader.text("#card h2") == "dense_1.kernel"
    assert reader.run("return document.activeElement.dataset.id") == id_of(found, "dense_1.kernel")
    reader.press("escape")
    assert not reader.shown("#card")


def test_keys_that_are_typed_move_nothing(reader):
    reader.open(page(traced(stories.apple_shop())))
    reader.press("/")
    reader.press(*"tdlpv 3")
    assert reader.at[0] == 1
    assert reader.run("return document.getElementById('search').value") == "tdlpv 3"
    reader.press("escape")
    reader.press("3")
    assert reader.at[0] > 1


def test_a_click_on_a_node_pins_its_card_and_lights_its_line(reader):
    found = traced(stories.squared_neuron())
    reader.open(page(found), f"#s={len(found.steps)}")
    z = found.by_id[id_of(found, "z")]
    reader.click(f".picture:not([hidden]) g[data-id={z.id}] > .name")
    assert reader.shown("#card.pinned")
    lit = reader.run("return [...document.querySelectorAll('#code .lit')].map(e => [+e.dataset.line, e.textContent])")
    assert [line for line, _ in lit] == list(z.code)
    assert "multiply + b" in lit[0][1]
    said = reader.text("#card")
    slope = repr(found.frame().gradients[z.id].data)
    for part in (repr(found.frame().values[z.id].data), slope, "float64 ()", "stories.py", "a"):
        assert part in said
    reader.wait_for(f"return location.hash.includes('x={z.id}')", True)
    reader.press("escape")
    assert not reader.shown("#card")
    reader.wait_for("return location.hash.includes('x=')", False)


def test_a_program_line_lights_its_nodes(reader):
    found = traced(stories.squared_neuron())
    reader.open(page(found))
    z = found.by_id[id_of(found, "z")]
    from selenium.webdriver import ActionChains
    from selenium.webdriver.common.by import By

    line = reader.browser.find_element(By.CSS_SELECTOR, f"#code li[data-line='{z.code[0]}']")
    ActionChains(reader.browser).move_to_element(line).perform()
    assert reader.classes("lit") == {z.id}
    line.click()
    assert reader.text("#card h2") == "z"


def test_tab_goes_through_nodes_and_out_again_and_enter_goes_to_the_next_step(reader):
    found = traced(stories.apple_shop())
    reader.open(page(found))
    reader.run("document.getElementById('help').focus()")
    reader.press("tab", "tab", "tab")
    names = []
    for _ in range(20):
        name = reader.run("return document.activeElement.dataset.id || ''")
        if names and not name:
            break
        names.append(name)
        reader.press("tab")
    assert sorted(filter(None, names)) == sorted(node.id for node in found.forward)
    assert reader.run("return document.activeElement.id")
    t = id_of(found, "t₁")
    reader.run(f"document.querySelector('g[data-id={t}]').focus()")
    about = [k + 1 for k, step in enumerate(found.steps) if t in (step.node, *step.active_nodes)]
    seen = []
    for _ in about:
        reader.press("enter")
        seen.append(reader.at[0])
    assert seen == about


def test_nodes_say_what_they_are_in_a_sentence(reader):
    found = traced(stories.apple_shop())
    reader.open(page(found))
    label = f"return document.querySelector('g[data-id={id_of(found, 't₁')}]').getAttribute('aria-label')"
    assert reader.run(label) == "multiply, t₁, not computed yet, gradient not computed yet"
    reader.press("end")
    assert reader.run(label) == "multiply, t₁ = 200, gradient 1.1"
    assert reader.run("return document.querySelectorAll('svg title').length") == 0
    live = reader.run("const c = document.getElementById('caption'); return [c.getAttribute('aria-live'), c.role]")
    assert live == ["polite", "status"]


def test_the_table_has_every_value_of_the_moment(reader):
    found = traced(stories.apple_shop())
    reader.open(page(found))
    reader.press("end")
    reader.click("#as-table")
    rows = reader.run(
        "return [...document.querySelectorAll('#values tbody tr')]"
        ".map(r => [r.dataset.node, r.children[0].textContent, r.children[4].textContent, r.children[5].textContent])"
    )
    frame = found.frame()
    shown = {node: (symbol, value, slope) for node, symbol, value, slope in rows}
    assert set(shown) == set(found.by_id)
    for node in found.forward:
        assert shown[node.id] == (
            node.symbol,
            value_text(frame.values[node.id]),
            gradient_text(frame.gradients[node.id]),
        )
    reader.press("t")
    assert reader.shown("#stage")
    assert not reader.shown("#values")


def test_the_chain_rule_stands_there_with_its_numbers(reader):
    found = traced(stories.cs231n())
    reader.open(page(found))
    reader.press("end", "arrow_left")
    lines = reader.run(
        "return [...document.querySelectorAll('#formula .line')]"
        ".map(e => [e.className, e.textContent.replace(/\\s/g, '')])"
    )
    numbers = [text for kind, text in lines if "numbers" in kind]
    assert numbers == [f"numbers{lane.numbers.replace(' ', '')}" for lane in found.steps[-2].lanes]
    assert reader.run("return document.querySelectorAll('#formula math').length") >= 6
    factors = reader.run("return [...document.querySelectorAll('#formula munder')].slice(0, 3).map(e => e.className)")
    assert factors == ["downstream", "upstream", "local"]


def test_a_sum_of_gradients_is_shown_with_its_reason(reader):
    found = traced(stories.fan_out())
    reader.open(page(found))
    reader.press("end", "arrow_left")
    assert reader.slots()[f"g:{id_of(found, 'x')}"].startswith("Σ ")
    assert "= 7" in reader.text("#formula .sum").replace("=7", "= 7")
    assert "used 3 times" in reader.text("#formula .why")


def test_the_handout_has_a_sheet_for_each_step_in_light_colours(reader):
    found = traced(stories.apple_shop())
    reader.open(page(found, theme="dark", step=4))
    reader.run(
        "window.print = () => { window.printed = [...document.querySelectorAll('.sheet')].map(s => s.textContent);"
        " window.printedIn = document.documentElement.dataset.theme;"
        " window.twoUp = document.getElementById('handout').className;"
        " window.dispatchEvent(new Event('afterprint')); }"
    )
    reader.press("p")
    reader.click("#sheet-two")
    reader.click("#sheet-go")
    sheets = reader.run("return window.printed")
    assert len(sheets) == len(found.steps)
    assert all(step.caption["en"] in sheet for step, sheet in zip(found.steps, sheets, strict=True))
    assert "2.2" in sheets[-1]
    assert "2.2" not in sheets[0]
    assert reader.run("return [window.printedIn, window.twoUp]") == ["light", "handout two-up"]
    assert reader.run("return document.querySelectorAll('.sheet').length") == 0
    assert reader.run("return document.documentElement.dataset.theme") == "dark"
    assert reader.at[0] == 5


def test_the_browser_prints_the_handout_by_itself(reader):
    import base64

    found = traced(stories.cs231n())
    reader.open(page(found))
    made = reader.browser.execute_cdp_cmd("Page.printToPDF", {"printBackground": True, "preferCSSPageSize": True})
    pdf = base64.b64decode(made["data"])
    assert len(re.findall(rb"/Type\s*/Page\b", pdf)) == len(found.steps)


def test_help_opens_and_closes(reader):
    reader.open(page(traced(stories.apple_shop())))
    reader.press("?")
    assert reader.shown("#dialog")
    reader.press("arrow_right")
    assert reader.at[0] == 1
    reader.press("escape")
    assert not reader.shown("#dialog")
    reader.press("arrow_right")
    assert reader.at[0] == 2


def test_it_works_inside_a_sandboxed_frame(reader):
    found = traced(stories.xor())
    reader.open_framed(page(found))
    assert reader.run("try { localStorage; return 'open' } catch (e) { return e.name }") == "SecurityError"
    reader.click("#forth")
    reader.press("arrow_right", "v", "d", "l")
    assert reader.at[0] == 3
    assert reader.run("return [player.view, document.documentElement.lang]") == ["rails", "ko"]
    reader.press("p")
    reader.click("#sheet-go")
    assert reader.at[0] == 3
    reader.browser.switch_to.default_content()
    assert reader.run("return document.title") == "outside"
    assert [text for text in reader.complaints() if "allow-modals" not in text and "print" not in text] == []


@pytest.mark.parametrize("name", HOSTILE, ids=range(len(HOSTILE)))
def test_hostile_names_do_nothing(reader, name):
    with gd.name_scope("scope"):
        x = gd.placeholder((), "float64", name=name)
        w = gd.Variable(2.0, "float64", name=f"w {name}")
        loss = gd.square(x * w, name=f"loss {name}")
    found = trace(loss, feeds={x: 3.0})
    reader.open(page(found, title=name))
    reader.press("end", "v", "l", "t", "t")
    reader.run("document.querySelector('.picture:not([hidden]) g[data-id]').focus()")
    reader.press("enter", "/", *"scope", "enter", "?", "escape")
    assert reader.run("return [window.hacked === undefined, document.images.length]") == [True, 0]
    assert reader.at[1] == len(found.steps)


def test_a_phone_shows_it_without_scrolling_sideways(reader):
    for made in (stories.xor(), stories.layers(), stories.cross_entropy()):
        reader.resize(390, 844)
        reader.open(page(traced(made), step=-3))
        widths = reader.run("return [document.documentElement.scrollWidth, innerWidth]")
        assert widths == [390, 390]
        buttons = reader.run(
            "return [...document.querySelectorAll('.buttons button')].map(b => b.getBoundingClientRect())"
            ".every(r => r.left >= 0 && r.right <= innerWidth && r.width >= 24)"
        )
        assert buttons
        reader.press("arrow_right")


def test_what_happens_is_scrolled_into_sight(reader):
    reader.resize(700, 700)
    found = traced(stories.xor())
    reader.open(page(found))
    seen = (
        "const n = arguments[0]; const g = document.querySelector(`.picture:not([hidden]) g[data-id=${n}] .shape`);"
        "const a = g.getBoundingClientRect(), b = document.getElementById('scroll').getBoundingClientRect();"
        "return a.left >= b.left - 1 && a.right <= b.right + 1 && a.top >= b.top - 1 && a.bottom <= b.bottom + 1"
    )
    for step in found.steps:
        if step.node:
            assert reader.run(seen, step.node), step.node
        reader.press("arrow_right")


def test_without_chrome_there_are_picture_caption_and_buttons(reader):
    reader.open(page(traced(stories.apple_shop())), "?ui=min#s=3")
    assert [reader.shown(part) for part in ("#stage", "#caption", "#play", ".top", ".panels")] == [
        True,
        True,
        True,
        False,
        False,
    ]
    reader.press("arrow_right")
    assert reader.at[0] == 4


def test_a_long_story_says_why_it_begins_with_layers(reader):
    reader.open(page(traced(stories.layers(70, 4))))
    assert reader.text("#note").startswith("This graph has ")
    assert reader.run("return document.getElementById('granularity').value") == "layer"
    reader.press("end")
    k, n = reader.at
    assert k == n


@pytest.mark.parametrize("features", [{"prefers_reduced_motion": "reduce"}, {"forced_colors": "active"}])
def test_it_honours_what_the_system_asks_for(reader, features):
    reader.prefer(**features)
    reader.open(page(traced(stories.apple_shop())))
    reader.press("end", "v")
    assert reader.at == (8, 8)
    running = reader.run("return document.getAnimations().filter(a => a.playState === 'running').length")
    assert running == 0 or "forced_colors" in features
    reader.prefer()
