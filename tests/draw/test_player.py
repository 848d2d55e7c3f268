"""The player as a file: what is in it, what is not, and how large it is. How it behaves is tested in a browser."""

import json
import math
import re
from html.parser import HTMLParser

import numpy as np
import pytest

import graphdl as gd
from graphdl.draw import trace
from graphdl.draw.granularity import GRANULARITIES, at_granularity
from graphdl.draw.page import POLICY, asset, html_page, json_in_html
from graphdl.draw.player import page, save
from graphdl.draw.player.assemble import MOST_BYTES, MOST_STEPS, MOST_STEPS_HELD
from graphdl.draw.player.formulas import ATTRIBUTES, TAGS
from graphdl.draw.player.texts import TEXTS
from graphdl.errors import DrawError
from tests.draw import stories
from tests.draw.stories import ALL

every_story = pytest.mark.parametrize("story", ALL, ids=lambda story: story.__name__)
HOSTILE = [
    "</script><script>window.hacked = 1</script>",
    '"><img src=x onerror="window.hacked = 1">',
    "a & b 'quoted' \"twice\" <b>",
    "line\nbreak\ttab\x00nul",
    "\u202eright to left\u202c \u05d0\u05d1",
    "\U0001f600 emoji \U0001f468\u200d\U0001f469",
    "x" * 10_000,
    "<!-- --> ]]> {{7*7}} ${alert(1)} \\u003c",
    "javascript:window.hacked=1",
]


class _Read(HTMLParser):
    """A page as its tags with their attributes, its ids, and the texts of scripts and styles."""

    VOID = {"meta", "input", "br", "img", "link", "hr"}

    def __init__(self, text):
        super().__init__(convert_charrefs=True)
        self.tags, self.ids, self.open, self.inside = [], [], [], {}
        self.feed(text)
        self.close()

    def handle_starttag(self, tag, attributes):
        found = dict(attributes)
        self.tags.append((tag, found))
        if "id" in found:
            self.ids.append(found["id"])
        if tag not in self.VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag, attributes):
        self.handle_starttag(tag, attributes)
        if tag not in self.VOID:
            self.open.pop()

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, text):
        if self.open and self.open[-1] in ("script", "style", "title"):
            self.inside.setdefault(self.open[-1], []).append(text)

    @property
    def data(self):
        (source,) = [text for text in self.inside["script"] if text.startswith("{")]
        return json.loads(source)

    @property
    def slots(self):
        return {found["data-slot"] for _, found in self.tags if "data-slot" in found}


def _traced(made, **options):
    return trace(made.loss, made.wrt, made.feeds, **options)


def _page(made, **options):
    return page(_traced(made), **options)


@every_story
def test_a_page_is_whole_html_with_every_id_once(story):
    read = _Read(_page(story()))
    assert read.open == []
    assert len(read.ids) == len(set(read.ids))
    assert {"stage", "caption", "formula", "code", "controls", "slider", "card", "values"} <= set(read.ids)


@every_story
def test_a_page_refers_to_nothing_outside_itself(story):
    text = _page(story())
    read = _Read(text)
    addresses = set(re.findall(r"[a-z]+://[^\s\"'<>)]+", text))
    assert addresses <= {"http://www.w3.org/2000/svg", "http://www.w3.org/1998/Math/MathML"}
    assert not {tag for tag, _ in read.tags} & {"link", "iframe", "object", "embed", "base", "img", "form"}
    fetching = [(tag, name) for tag, found in read.tags for name in found if name in ("src", "srcset", "action")]
    assert fetching == []
    assert {found["href"] for _, found in read.tags if "href" in found} == {"#controls"}
    assert not re.search(r"url\(|@import|\bfetch\(|XMLHttpRequest|WebSocket|\bimport\(|localStorage|eval\(", text)
    assert not re.search(r"innerHTML|outerHTML|insertAdjacent|document\.write", text)


def test_the_policy_allows_nothing_but_what_is_in_the_page():
    read = _Read(_page(stories.apple_shop()))
    (policy,) = [found["content"] for tag, found in read.tags if found.get("http-equiv") == "Content-Security-Policy"]
    assert policy == POLICY
    assert POLICY == (
        "default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'; img-src data:; font-src data:"
    )
    names = [tag for tag, _ in read.tags]
    assert names.index("meta") < names.index("style") < names.index("script")


@every_story
def test_every_number_has_its_place_in_a_picture_and_every_place_gets_its_number(story):
    found = _traced(story())
    read = _Read(page(found))
    data = read.data
    by_id = {node["id"]: node for node in data["nodes"]}
    written = {slot for steps in data["steps"].values() for step in steps for slot, *_ in step.get("x", ())}
    for slot in written - read.slots:
        kind, _, name = slot.partition(":")
        constant = name in by_id and (by_id[name]["kind"] == "constant" or by_id[name]["symbol"].isdigit())
        owned = kind == "v" and by_id[name]["kind"].endswith("gradient") and by_id[name].get("gradientFor")
        assert kind in ("s", "d") or constant or owned, slot
    known = written | {f"{kind}:{slot[2:]}" for slot in written if slot[0] == "g" for kind in "db"}
    assert read.slots <= known


@every_story
@pytest.mark.parametrize("granularity", GRANULARITIES)
def test_steps_add_up_to_the_end_of_the_story(story, granularity):
    found = _traced(story())
    data = _Read(page(found)).data
    steps, last = data["steps"][granularity], found.frame(len(found.steps) - 1)
    shown = {slot: data["strings"][text] for step in steps for slot, text, *_ in step.get("x", ())}
    assert len(steps) == len(at_granularity(found, granularity).steps)
    assert {slot[2:] for slot in shown if slot[0] == "g"} == set(last.gradients)
    assert {slot[2:] for slot in shown if slot[0] == "v"} == set(last.values)
    assert [step["at"] for step in steps] == sorted(step["at"] for step in steps)
    assert steps[-1]["at"] == len(found.steps) - 1


def test_a_step_says_what_it_changes_with_the_number_shown_and_the_number_whole():
    data = _Read(_page(stories.squared_neuron())).data
    texts = data["strings"]
    changes = {slot: [texts[i] for i in found] for step in data["steps"]["op"] for slot, *found in step.get("x", ())}
    w = next(node["id"] for node in data["nodes"] if node["symbol"] == "w")
    shown, whole = changes[f"g:{w}"]
    a = 1 / (1 + math.exp(-1.0))
    assert shown == "−0.1586"
    assert float(whole) == pytest.approx(2 * (a - 1) * a * (1 - a) * 1.5, abs=1e-15)
    assert changes[f"v:{w}"] == ["0.8"]


def test_what_becomes_stale_is_said_and_taken_back_when_it_is_computed_again():
    w, x = gd.Variable(0.8, "float64", name="w"), gd.placeholder((), "float64", name="x")
    loss = gd.square(gd.multiply(w, x, name="u"), name="loss")
    found = trace(loss, [w], {"x": 1.5}, updates=gd.assign(w, w - 0.1 * gd.gradients(loss, [w])[0]))
    data = _Read(page(found)).data
    aging = [
        [slot, now]
        for step in data["steps"]["op"]
        for slot, now in (c[:2] for c in step.get("x", ()))
        if slot[0] == "s"
    ]
    ids = {node["symbol"]: node["id"] for node in data["nodes"]}
    assert [change for change in aging if change[0] == f"s:{ids['u']}"] == [[f"s:{ids['u']}", 1], [f"s:{ids['u']}", 0]]
    assert not any(slot == f"s:{ids['w']}" for slot, _ in aging)


@every_story
def test_formulas_are_trees_of_mathml_elements_only(story):
    table = _Read(_page(story())).data["formulas"]
    for number, (tag, attributes, *children) in enumerate(table):
        assert tag in TAGS
        assert attributes == 0 or set(attributes) <= set(ATTRIBUTES)
        assert all(isinstance(child, str) or child < number for child in children)


def test_the_script_knows_the_elements_and_attributes_of_formulas():
    script = asset("panels.js", "graphdl.draw.player")
    assert f'new Set("{" ".join(TAGS)}"' in script
    assert f'new Set("{" ".join(ATTRIBUTES)}"' in script


@every_story
def test_pages_of_small_graphs_are_small(story):
    assert len(_page(story()).encode()) < 400_000


def test_five_hundred_steps_fit_into_a_megabyte():
    found = _traced(stories.layers(60, 4))
    assert 450 < len(found.steps) <= MOST_STEPS
    text = page(found)
    assert len(text.encode()) <= MOST_BYTES
    assert _Read(text).data["views"][0]["key"] == "blocks"


def test_a_view_that_is_asked_for_is_there_however_large():
    keys = [view["key"] for view in _Read(page(_traced(stories.layers(60, 4)), view="rails")).data["views"]]
    assert "rails" in keys


def test_a_long_story_starts_with_layers_and_says_so():
    found = _traced(stories.layers(70, 4))
    assert MOST_STEPS < len(found.steps) <= MOST_STEPS_HELD
    start = _Read(page(found)).data["start"]
    assert (start["granularity"], start["note"]) == ("layer", "long")
    asked = _Read(page(found, granularity="op")).data["start"]
    assert (asked["granularity"], asked["note"]) == ("op", "")


def test_a_very_long_story_is_told_by_layers_only():
    found = _traced(stories.chain(800))
    assert len(found.steps) > MOST_STEPS_HELD
    data = _Read(page(found, granularity="op")).data
    assert set(data["steps"]) == {"layer", "phase"}
    assert (data["start"]["granularity"], data["start"]["note"]) == ("layer", "tooLong")


@pytest.mark.parametrize("name", HOSTILE, ids=range(len(HOSTILE)))
def test_hostile_names_stay_texts(name):
    with gd.name_scope("scope"):
        x = gd.placeholder((), "float64", name=name)
        w = gd.Variable(2.0, "float64", name=f"w {name}")
        loss = gd.square(x * w, name=f"loss {name}")
    text = page(trace(loss, feeds={x: 3.0}), title=name)
    text.encode("utf-8")
    read, calm = _Read(text), _Read(_page(stories.apple_shop()))
    assert read.open == []
    kinds = [tag for tag, _ in calm.tags]
    assert [tag for tag, _ in read.tags].count("script") == kinds.count("script")
    assert not {tag for tag, _ in read.tags} - set(kinds) - {"circle", "path", "rect", "polygon"}
    assert not any(key.startswith("on") for _, found in read.tags for key in found)
    assert "\x00" not in text
    assert "\u202e" not in read.data["start"]["title"]


def test_every_text_is_in_both_languages_with_the_same_places():
    for key, said in TEXTS.items():
        assert set(said) == {"en", "ko"}, key
        assert all(text.strip() for text in said.values()), key
        assert sorted(re.findall(r"\{\w+\}", said["en"])) == sorted(re.findall(r"\{\w+\}", said["ko"])), key


def test_korean_texts_have_no_particle_behind_a_place():
    for key, said in TEXTS.items():
        assert not re.search(r"\}(을|를|이|가|은|는|과|와)(\s|$|[.,])", said["ko"]), key


def test_the_scripts_use_only_texts_that_there_are():
    names = ("story", "stage", "panels", "card", "controls", "handout", "player")
    scripts = "".join(asset(f"{name}.js", "graphdl.draw.player") for name in names)
    body = asset("player.html", "graphdl.draw.player")
    used = set(re.findall(r"\bsay\(\"([\w.]+)\"", scripts)) | set(re.findall(r'data-text="([\w.]+)"', body + scripts))
    assert used <= set(TEXTS)
    assert len(used) > 30


@pytest.mark.parametrize(("language", "lang"), [("en", "en"), ("ko", "ko"), ("both", "en")])
def test_the_page_says_its_language(language, lang):
    read = _Read(_page(stories.cs231n(), language=language))
    assert read.tags[0] == ("html", {"lang": lang})
    assert read.data["start"]["both"] == (language == "both")


def test_a_chosen_theme_is_that_of_the_page_and_otherwise_the_system_decides():
    assert _Read(_page(stories.cs231n(), theme="dark")).tags[0][1]["data-theme"] == "dark"
    assert "data-theme" not in _Read(_page(stories.cs231n())).tags[0][1]


def test_a_page_may_begin_elsewhere():
    start = _Read(_page(stories.xor(), view="rails", step=-1, granularity="phase", title="XOR")).data["start"]
    assert (start["view"], start["granularity"], start["title"]) == ("rails", "phase", "XOR")
    assert start["step"] == len(at_granularity(_traced(stories.xor()), "phase").steps) - 1


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"language": "kr"}, "there is no language 'kr'. It is one of en, ko, both"),
        ({"theme": "darc"}, "there is no theme 'darc'. Did you mean 'dark'?"),
        ({"view": "circuits"}, "there is no view 'circuits'. Did you mean 'circuit'?"),
        ({"granularity": "ops"}, "there is no granularity 'ops'. Did you mean 'op'?"),
        ({"step": 8}, "there is no step 8, expected 0 to 7"),
    ],
)
def test_what_there_is_not_is_refused_by_name(options, said):
    with pytest.raises(DrawError) as refused:
        _page(stories.apple_shop(), **options)
    assert said in str(refused.value)


def test_a_saved_page_is_the_page(tmp_path):
    found = _traced(stories.fan_out())
    path = save(found, tmp_path / "page.html", language="ko")
    assert path.read_text(encoding="utf-8") == page(found, language="ko")


def test_a_page_without_numbers_still_tells_the_rules():
    data = _Read(page(trace(stories.apple_shop().loss))).data
    backward = [step for step in data["steps"]["op"] if step["p"] == "backward"]
    assert all(step["m"] for step in backward)
    shown = {data["strings"][text] for step in backward for slot, text, *_ in step["x"] if slot[0] == "l"}
    assert shown == {"×count", "×apple", "×tax", "×t₁"}


def test_a_forward_page_has_no_gradients():
    x = gd.placeholder((2,), "float64", name="x")
    data = _Read(page(trace([gd.exp(x), gd.square(x)], feeds={"x": np.ones(2)}))).data
    assert not data["hasBackward"]
    assert {step["p"] for step in data["steps"]["op"]} == {"graph", "feed", "forward"}


def test_json_in_html_has_no_way_out():
    text = json_in_html({"a": "</script><!--", "b": [float("nan"), float("inf")], "c": "\u2028\ud800"})
    assert not re.search("[<>&\u2028\ud800]", text)
    assert json.loads(text) == {"a": "</script><!--", "b": ["nan", "inf"], "c": "\u2028\ud800"}


def test_a_page_of_any_body_has_the_family_look_and_the_policy():
    text = html_page("a <b> & c", "ko", ["p { color: red }"], ["page.element('p');"], "<p>body</p>", {"k": 1}, "book")
    read = _Read(text)
    assert read.tags[0] == ("html", {"lang": "ko", "data-theme": "book"})
    assert read.inside["title"] == ["a <b> & c"]
    assert "--ui-paper" in read.inside["style"][0]
    assert read.data == {"k": 1}
    with pytest.raises(AssertionError, match="a script would end early"):
        html_page("", "en", [], ["'</script>'"], "")


def test_every_theme_defines_every_colour_that_pages_use():
    base = asset("base.css")
    sheets = [
        asset(f"{name}.css", "graphdl.draw.player") for name in ("layout", "stage", "panels", "narrow", "handout")
    ]
    defined = set(re.findall(r"(--ui-[\w-]+):", base.partition("}")[0]))
    used = set(re.findall(r"var\((--ui-[\w-]+)", base + "".join(sheets)))
    assert used <= defined
