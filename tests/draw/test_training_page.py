"""The training view: the page as a file, its figures, and the parts they are drawn with."""

from __future__ import annotations

import json
import math
import re
import shutil
import subprocess
from dataclasses import replace
from html.parser import HTMLParser
from xml.etree import ElementTree

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from graphdl import keras
from graphdl.draw.page import POLICY
from graphdl.draw.style import contrast
from graphdl.draw.training import Recording, figure
from graphdl.draw.training.bins import HALF, GrowingHistogram, common, rebinned
from graphdl.draw.training.chart import Scale, log_range
from graphdl.draw.training.colours import RUNS, blend, diverging, of_class
from graphdl.draw.training.contour import contour
from graphdl.draw.training.page import page_data, training_page
from graphdl.draw.training.recording import Bins, Layer
from graphdl.draw.training.texts import _TEXTS, all_texts
from graphdl.draw.training.vanishing import largest_share, most
from graphdl.errors import DrawError, FormatError

Dense = keras.layers.Dense
KINDS = ("loss", "accuracy", "gradients", "surface", "histograms")
HOSTILE = [
    "</script><script>window.hacked = 1</script>",
    '"><img src=x onerror="window.hacked = 1">',
    "a & b 'quoted' \"twice\" <b>",
    "line\nbreak\ttab\x00nul",
    "\u202eright to left\u202c \u05d0\u05d1",
    "\U0001f600 emoji",
    "x" * 10_000,
    "<!-- --> ]]> ${alert(1)}",
]


def trained(*layers, title="a run", seed=1, kind="circle", epochs=12, **options):
    keras.utils.set_random_seed(seed)
    model = keras.Sequential([keras.Input((2,)), *layers])
    model.compile(keras.optimizers.Adam(0.03), "binary_crossentropy", metrics=["accuracy"])
    recorder = keras.Recorder(title=title, **options)
    x, y = keras.datasets.toy(kind, 90, noise=0.1)
    model.fit(x, y, epochs=epochs, batch_size=16, validation_split=0.2, verbose=0, callbacks=[recorder])
    return recorder.recording


@pytest.fixture(scope="module")
def tanh():
    return trained(Dense(4, "tanh"), Dense(1, "sigmoid"), title="tanh")


@pytest.fixture(scope="module")
def deep():
    return trained(*[Dense(6, "sigmoid") for _ in range(5)], Dense(1, "sigmoid"), title="five sigmoids", kind="spiral")


def renamed(recording: Recording, name: str) -> Recording:
    """`recording` with `name` in every place where a name can stand."""
    layers = tuple(replace(layer, name=name) for layer in recording.layers)
    weights = tuple(replace(weight, name=name) for weight in recording.weights)
    snapshots = tuple(replace(s, scores={**s.scores, name: 0.5}) for s in recording.snapshots)
    curves = tuple(replace(curve, name=f"val_{name}") for curve in recording.curves)
    return replace(
        recording, title=name, optimizer=name, layers=layers, weights=weights, snapshots=snapshots, curves=curves
    )


# --- recordings as files


def test_a_recording_survives_being_saved(tanh, tmp_path):
    assert Recording.from_json(tanh.to_json()) == tanh
    assert tanh.save(tmp_path / "run.json") == tmp_path / "run.json"
    assert Recording.load(tmp_path / "run.json") == tanh


@pytest.mark.parametrize("name", HOSTILE)
def test_a_recording_with_any_name_survives_being_saved(tanh, name):
    hostile = renamed(tanh, name)
    assert Recording.from_json(hostile.to_json()) == hostile


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("{", "a recording is JSON, found something else: "),
        ("[]", "this is no recording of training; its format is not 'graphdl recording 1'"),
        ('{"format": "graphdl recording 2"}', "this is no recording of training"),
        ('{"format": "graphdl recording 1"}', "the recording is damaged: 'surface'"),
    ],
)
def test_what_is_no_recording_is_refused(text, message):
    with pytest.raises(FormatError) as error:
        Recording.from_json(text)
    assert str(error.value).startswith(message)


def test_a_recording_that_lacks_a_field_says_which(tanh):
    found = json.loads(tanh.to_json())
    del found["snapshots"][0]["dead"]
    with pytest.raises(FormatError, match="a snapshot lacks 'dead'"):
        Recording.from_json(json.dumps(found))
    found = json.loads(tanh.to_json())
    found["layers"][0]["colour"] = "red"
    with pytest.raises(FormatError, match="a layer has 'colour', which is none of its fields"):
        Recording.from_json(json.dumps(found))


def test_a_file_that_is_not_there_is_named(tmp_path):
    with pytest.raises(FormatError, match=r"cannot read the recording '.*no\.json': "):
        Recording.load(tmp_path / "no.json")


def test_a_snapshot_that_is_not_there_is_named(tanh):
    with pytest.raises(FormatError, match=r"there is no snapshot 60; 'tanh' has \d+, from 0"):
        tanh.at(60)


# --- the page as a file


class Read(HTMLParser):
    """A page as its tags with their attributes and the texts of its scripts; every element must be closed."""

    VOID = {"meta", "input", "br", "img", "link", "hr"}

    def __init__(self, text):
        super().__init__(convert_charrefs=True)
        self.tags, self.open, self.scripts, self.title = [], [], [], ""
        self.feed(text)
        self.close()
        assert self.open == []
        self.ids = [found["id"] for _, found in self.tags if "id" in found]

    def handle_starttag(self, tag, attributes):
        self.tags.append((tag, dict(attributes)))
        if tag not in self.VOID:
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, text):
        if self.open and self.open[-1] == "script":
            self.scripts.append(text)
        elif self.open and self.open[-1] == "title":
            self.title += text

    @property
    def data(self):
        (source,) = [text for text in self.scripts if text.startswith("{")]
        return json.loads(source)


@pytest.fixture(scope="module")
def pages(tanh, deep):
    return [training_page(tanh), training_page([deep, tanh], "ko", "dark")]


def test_a_page_is_whole_html_with_every_id_once(pages):
    for text in pages:
        read = Read(text)
        assert len(read.ids) == len(set(read.ids))
        used = set(re.findall(r'find\("([\w-]+)"\)', text))
        assert used <= set(read.ids)
        keys = {found[key] for _, found in read.tags for key in ("data-text", "data-label") if key in found}
        assert keys <= set(_TEXTS)


def test_a_page_refers_to_nothing_outside_itself(pages):
    for text in pages:
        read = Read(text)
        assert set(re.findall(r"[a-z]+://[^\s\"'<>)]+", text)) <= {"http://www.w3.org/2000/svg"}
        assert not {tag for tag, _ in read.tags} & {"link", "iframe", "object", "embed", "base", "img", "form", "a"}
        assert not [name for _, found in read.tags for name in found if name in ("src", "srcset", "action", "href")]
        assert not re.search(r"url\(|@import|\bfetch\(|XMLHttpRequest|WebSocket|\bimport\(|localStorage|eval\(", text)
        assert not re.search(r"innerHTML|outerHTML|insertAdjacent|document\.write", text)
        (policy,) = [f["content"] for t, f in read.tags if f.get("http-equiv") == "Content-Security-Policy"]
        assert policy == POLICY


def test_every_text_that_the_scripts_ask_for_is_there_in_both_languages(pages):
    asked = set(re.findall(r'\btext\("([^"]+)"\)', pages[0]))
    assert {"dead", "limit", "depth", "play", "pause"} <= asked | set(re.findall(r'"(\w+)"', pages[0]))
    assert asked <= set(_TEXTS)
    texts = all_texts()
    assert texts["en"].keys() == texts["ko"].keys() == _TEXTS.keys()
    assert all(found.strip() for words in texts.values() for found in words.values())
    assert sum(any("가" <= c <= "힣" for c in found) for found in texts["ko"].values()) > 0.9 * len(_TEXTS)


def test_language_and_theme_are_those_asked_for(pages):
    assert '<html lang="en">' in pages[0]
    assert '<html lang="ko" data-theme="dark">' in pages[1]
    assert Read(pages[1]).title == "학습 과정: five sigmoids | tanh"


@pytest.mark.parametrize("name", HOSTILE)
def test_names_can_do_no_harm(tanh, name):
    text = training_page([renamed(tanh, name), tanh])
    plain = training_page([tanh, tanh])
    assert [tag for tag, _ in Read(text).tags] == [tag for tag, _ in Read(plain).tags]
    assert len(text) < len(plain) + 30_000
    for kind in KINDS:
        ElementTree.fromstring(renamed(tanh, name).figure(kind, tanh).svg)


def test_sixty_snapshots_of_five_layers_are_less_than_a_megabyte():
    layers = [Dense(64, "relu") for _ in range(4)]
    recording = trained(*layers, Dense(1, "sigmoid"), epochs=30)
    assert len(recording.snapshots) == 60
    assert len(training_page(recording).encode()) < 500_000
    assert len(training_page([recording, recording]).encode()) < 1_000_000


def test_the_data_of_a_page_are_those_of_the_recording(tanh):
    (run,) = page_data([tanh])["runs"]
    for found, snapshot in zip(run["snapshots"], tanh.snapshots, strict=True):
        assert found["step"] == snapshot.step
        assert found["gradients"] == pytest.approx(snapshot.gradient_norms, rel=1e-4)
        assert found["scores"] == pytest.approx(list(snapshot.scores.values()), rel=1e-4)
        assert {key: [tuple(row) for row in rows] for key, rows in found["counts"].items()} == {
            key: list(rows) for key, rows in snapshot.histograms.items()
        }


def test_runs_that_are_compared_share_their_bins_and_no_count_is_lost(tanh):
    other = trained(Dense(4, "relu"), Dense(1, "sigmoid"), seed=5, epochs=40)
    one, two = page_data([tanh, other])["runs"]
    assert one["bins"] == two["bins"]
    for run, recording in ((one, tanh), (two, other)):
        for found, snapshot in zip(run["snapshots"], recording.snapshots, strict=True):
            for key, rows in found["counts"].items():
                assert list(map(sum, rows)) == list(map(sum, snapshot.histograms[key]))
                assert [len(row) for row in rows] == [bins[2] for bins in run["bins"][key]]


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda run: training_page([]), "a page needs a recording, found none"),
        (lambda run: training_page(run, "kor"), "there is no language 'kor'. Did you mean 'ko'? There is en, ko"),
        (lambda run: training_page(run, theme="drak"), "there is no theme 'drak'. Did you mean 'dark'?"),
        (lambda run: figure([]), "a figure needs a recording, found none"),
        (lambda run: run.figure("gradient"), "there is no figure 'gradient'. Did you mean 'gradients'?"),
        (lambda run: run.figure(theme="drak"), "there is no theme 'drak'. Did you mean 'dark'?"),
        (
            lambda run: replace(run, surface=None).figure("surface"),
            "'tanh' has no plane to draw: the model takes other than one input of two features",
        ),
        (lambda run: run.figure().save("run.bmp"), "'run.bmp' ends in '.bmp', expected .svg, .png or .pdf"),
    ],
)
def test_what_cannot_be_drawn_is_refused(tanh, make, message):
    with pytest.raises(DrawError) as error:
        make(tanh)
    assert str(error.value).startswith(message)


# --- figures


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("theme", ["light", "dark", "mono"])
@pytest.mark.parametrize("language", ["en", "ko"])
def test_figures_are_svg_that_stays_within_its_frame(tanh, deep, kind, theme, language):
    for runs in ([tanh], [deep, tanh]):
        root = ElementTree.fromstring(figure(runs, kind, theme=theme, language=language, snapshot=8).svg)
        width, height = (float(root.get(name)) for name in ("width", "height"))
        texts = root.iter("{http://www.w3.org/2000/svg}text")
        assert all(0 <= float(t.get("x")) <= width and 0 <= float(t.get("y")) <= height for t in texts)
        for rect in root.iter("{http://www.w3.org/2000/svg}rect"):
            left, top = float(rect.get("x", 0)), float(rect.get("y", 0))
            assert -1 <= left <= left + float(rect.get("width")) <= width + 1
            assert -1 <= top <= top + float(rect.get("height")) <= height + 1


def test_figures_can_be_saved_and_shown_in_a_notebook(tanh, tmp_path):
    for suffix, begins in ((".svg", b"<svg"), (".png", b"\x89PNG"), (".pdf", b"%PDF")):
        assert tanh.figure("gradients").save(tmp_path / f"run{suffix}").read_bytes().startswith(begins)
    bundle, _ = tanh.figure("loss")._repr_mimebundle_()
    assert bundle["image/svg+xml"].lstrip().startswith("<svg")
    assert bundle["text/plain"] == "Loss: tanh"


def test_a_notebook_shows_the_page_in_a_frame_and_a_still_picture(tanh):
    bundle, _ = tanh.player(height=500)._repr_mimebundle_()
    assert set(bundle) == {"text/html", "image/png", "text/plain"}
    (frame,) = Frames(bundle["text/html"]).found
    assert (frame["sandbox"], frame["height"]) == ("allow-scripts", "500")
    assert frame["srcdoc"] == training_page(tanh)
    assert set(tanh.player()._repr_mimebundle_(include=["text/plain"])[0]) == {"text/plain"}


class Frames(HTMLParser):
    """The attributes of the frames in a text."""

    def __init__(self, text):
        super().__init__()
        self.found = []
        self.feed(text)

    def handle_starttag(self, tag, attributes):
        if tag == "iframe":
            self.found.append(dict(attributes))


def bars(svg: str) -> list[float]:
    """The heights of the bars, from left to right."""
    group = ElementTree.fromstring(svg).find("{http://www.w3.org/2000/svg}g")
    found = [(float(r.get("x")), float(r.get("height"))) for r in group.findall("{http://www.w3.org/2000/svg}rect")]
    return [height for _, height in sorted(h for h in found if h[1] != 4)]


def test_bars_are_as_high_as_the_logarithms_of_the_norms(deep):
    norms = deep.kernel_norms(deep.snapshots[0])
    low, high = log_range(n for s in deep.snapshots for n in deep.kernel_norms(s))
    heights = bars(deep.figure("gradients", snapshot=0).svg)
    expected = [math.log10(n / low) / math.log10(high / low) * 210 for n in norms]
    assert heights == pytest.approx(expected, abs=0.02)
    assert heights == sorted(heights), "the gradient of a stack of sigmoids vanishes towards the input"


def test_runs_side_by_side_have_one_scale(deep, tanh):
    both = ElementTree.fromstring(deep.figure("gradients", tanh, snapshot=0).svg)
    ticks = [
        [t.text for t in group.iter("{http://www.w3.org/2000/svg}text") if (t.text or "").startswith("10")]
        for group in both.findall("{http://www.w3.org/2000/svg}g")
    ]
    assert ticks[0] == ticks[1] != []


def test_runs_with_other_snapshots_are_shown_at_the_last_one_before(tanh):
    other = trained(Dense(3, "relu"), Dense(1, "sigmoid"), title="sparse", steps=[10, 50])
    svg = tanh.figure("gradients", other, snapshot=-1).svg
    last = tanh.snapshots[-1].step
    assert f"step {last}, epoch 12" in svg
    texts = tanh.figure("gradients", other, snapshot=[s.step for s in tanh.snapshots].index(19)).svg
    assert "step 19" in texts
    assert "step 10" in texts


def test_every_cell_of_the_plane_has_its_colour_and_top_is_top(tanh):
    grid = bytes(255 if row < 10 else 0 for row in range(50) for _ in range(50))
    one = replace(tanh, snapshots=(replace(tanh.snapshots[0], grid=grid),))
    root = ElementTree.fromstring(one.figure("surface").svg)
    rects = [r for r in root.iter("{http://www.w3.org/2000/svg}rect") if float(r.get("height")) == 6.5]
    by_height = {float(r.get("y")): r.get("fill") for r in rects if float(r.get("width")) == 300}
    colours = [colour for _, colour in sorted(by_height.items())]
    assert colours == ["#0877bd"] * 10 + ["#f59322"] * 40


def test_the_border_runs_where_the_prediction_is_one_half():
    size = 30
    xs = np.linspace(-1, 1, size)
    grid = [[float(x**2 + y**2) for x in xs] for y in xs]
    (ring,) = contour(grid, 0.5)
    assert ring[0] == ring[-1]
    radii = [math.hypot(*(np.array(point) / (size - 1) * 2 - 1)) for point in ring]
    assert radii == pytest.approx([math.sqrt(0.5)] * len(ring), abs=2e-3)
    assert contour(grid, 5.0) == []


@given(st.lists(st.lists(st.integers(0, 255), min_size=4, max_size=4), min_size=4, max_size=4))
def test_contours_end_at_the_edge_or_close(grid):
    for chain in contour(grid, 127.5):
        for column, row in (chain[0], chain[-1]):
            assert chain[0] == chain[-1] or column in (0, 3) or row in (0, 3)


# --- parts


@given(st.lists(st.lists(st.floats(-1e6, 1e6, allow_subnormal=False), min_size=1, max_size=30), min_size=1, max_size=5))
def test_growing_histograms_count_as_numpy_does_in_the_bins_they_end_with(batches):
    histogram = GrowingHistogram()
    for batch in batches:
        histogram.add(np.array(batch))
    bins, rows = histogram.trimmed()
    edges = bins.low + bins.width * np.arange(bins.count + 1)
    assert bins.count <= 2 * HALF
    for batch, row in zip(batches, rows, strict=True):
        places = np.searchsorted(edges, batch, side="right") - 1
        assert list(row) == np.bincount(places, minlength=bins.count).tolist()


def test_values_that_are_not_finite_are_not_counted():
    histogram = GrowingHistogram()
    histogram.add(np.array([1.0, np.nan, np.inf, -np.inf]))
    histogram.add(np.zeros(0))
    assert list(map(sum, histogram.trimmed()[1])) == [1, 0]


@given(st.lists(st.tuples(st.integers(-40, 40), st.integers(-6, 6), st.integers(2, 30)), min_size=1, max_size=4))
def test_counts_in_common_bins_stay_in_their_place(several):
    olds = [Bins(low * 2.0**e, 2.0**e, count) for low, e, count in several]
    new = common(olds)
    for old in olds:
        counts = list(range(1, old.count + 1))
        found = rebinned(counts, old, new)
        assert sum(found) == sum(counts)
        for place, count in enumerate(counts):
            middle = old.low + (place + 0.5) * old.width
            assert found[math.floor((middle - new.low) / new.width)] >= count


def test_a_quantity_that_was_always_zero_does_not_coarsen_the_others():
    untouched = GrowingHistogram()
    untouched.add(np.zeros(5))
    fine = Bins(-0.25, 1 / 64, 40)
    zero, rows = untouched.trimmed()
    assert common([fine, zero]).width == 1 / 64
    assert sum(rebinned(rows[0], zero, common([fine, zero]))) == 5


def test_slopes_of_sigmoids_multiply_and_other_functions_let_all_through():
    def stack(*names):
        return [Layer(name or "linear", name, 4) for name in names]

    assert largest_share(stack("sigmoid", "sigmoid", "sigmoid", "softmax")) == [1 / 64, 1 / 16, 1 / 4, 1]
    assert largest_share(stack("relu", "sigmoid", "tanh", "sigmoid")) == [0.25, 0.25, 1, 1]
    assert largest_share(stack("relu", "tanh", "sigmoid")) is None, "the last function is behind the last kernel"
    assert largest_share(stack("sigmoid", "gelu", "")) is None
    assert most([1e-9, None], stack("sigmoid", "")) is None
    assert most([1e-9, 0.8], stack("sigmoid", "")) == [0.2, 0.8]


def test_only_chains_have_the_line_of_the_slopes(deep):
    assert "alone would leave" in deep.figure("gradients").svg
    assert "alone would leave" not in replace(deep, chain=False).figure("gradients").svg
    assert page_data([replace(deep, chain=False)])["runs"][0]["shares"] is None


@pytest.mark.parametrize(
    ("scale", "ticks"),
    [
        (Scale("linear", 0, 1, 0, 1), ["0", "0.2", "0.4", "0.6", "0.8", "1"]),
        (Scale("linear", -3, 5, 0, 1), ["−2", "0", "2", "4"]),
        (Scale("linear", 2, 2, 0, 1), ["2"]),
        (Scale("log", 1e-3, 10, 0, 1), ["10⁻³", "10⁻²", "10⁻¹", "1", "10"]),
        (Scale("log", 1e-12, 1, 0, 1), ["10⁻¹²", "10⁻¹⁰", "10⁻⁸", "10⁻⁶", "10⁻⁴", "10⁻²", "1"]),
        (Scale("steps", 0, 400, 0, 1), ["0", "1", "10", "100"]),
    ],
)
def test_ticks_are_round(scale, ticks):
    assert [text for _, text in scale.ticks()] == ticks
    assert all(scale.low <= value <= scale.high for value, _ in scale.ticks())


@given(st.lists(st.one_of(st.none(), st.just(0.0), st.floats(1e-300, 1e300)), max_size=6))
def test_the_range_of_a_logarithmic_scale_holds_the_largest_and_no_more_than_16_decades(values):
    low, high = log_range(values)
    assert 0 < low < high
    assert math.log10(high) - math.log10(low) <= 16.001
    assert all(v <= high * (1 + 1e-9) for v in values if v is not None)


def test_colours_of_runs_can_be_read_and_those_of_predictions_meet_in_the_middle():
    assert all(contrast(colour, "#ffffff") >= 4.5 for colour in RUNS["light"])
    assert all(contrast(colour, "#12161b") >= 4.5 for colour in RUNS["dark"])
    assert (diverging(0), diverging(0.5, "#eeeeee"), diverging(1)) == ("#f59322", "#eeeeee", "#0877bd")
    assert of_class(1, 1 / 3, 3, "#eeeeee") == "#eeeeee"
    assert blend("#102030", "#304050", 0.5) == "#203040"


# --- the page in a browser


def dumped(tmp_path, text: str, address: str) -> str:
    """The page as Chromium has it after its scripts have run."""
    chromium = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if chromium is None:
        pytest.skip("there is no Chromium")
    file = tmp_path / "run.html"
    file.write_text(text, "utf-8")
    words = ["--headless", "--no-sandbox", "--disable-gpu", "--virtual-time-budget=3000", "--dump-dom"]
    done = subprocess.run(
        [chromium, *words, f"--user-data-dir={tmp_path}/profile", f"{file.as_uri()}{address}"],
        capture_output=True,
        timeout=60,
        check=True,
    )
    return done.stdout.decode()


def test_a_permalink_opens_its_snapshot_in_its_language(deep, tmp_path):
    name = "</script><script>document.title='hacked'</script>"
    text = dumped(tmp_path, training_page([renamed(deep, name), deep]), "#s=7&l=ko&t=dark&y=log")
    assert '<html lang="ko" data-theme="dark">' in text
    assert f"스텝 {deep.snapshots[7].step} " in text
    assert "<title>hacked" not in text
    assert text.count('class="bar"') >= 2 * len(deep.layers)
    assert "기울기 소실" in text
    heights = re.findall(r'class="bar" y="([\d.]+)"', text)[: len(deep.layers)]
    assert heights == sorted(heights, key=float, reverse=True), "bars grow from the input to the output"


def test_not_trained_not_finite_and_zero_look_different(tanh):
    (first, *_), (one, other, *biases) = tanh.snapshots, sorted(tanh.weights, key=lambda w: not w.is_kernel)
    frozen = replace(
        tanh,
        weights=(other, *biases),
        snapshots=(
            replace(first, gradient_norms=(0.0, 1.0, 1.0)),
            replace(first, step=1, gradient_norms=(None, 1.0, 1.0)),
        ),
    )
    assert one.layer == 0
    texts = [re.findall(r">([^<>]+)</text>", frozen.figure("gradients", snapshot=s).svg) for s in (0, 1)]
    assert "—" in texts[0]
    assert "0" in texts[0]
    assert "NaN/∞" in texts[1]
