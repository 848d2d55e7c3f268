"""The view "window": the numbers of each step against loops in NumPy, and what is drawn of them."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from html import unescape

import numpy as np
import pytest
from click.testing import CliRunner

import graphdl as gd
from graphdl import keras
from graphdl.draw.digits import parsed
from graphdl.draw.style import THEMES, contrast
from graphdl.draw.window.frames import LEVELS, Story, short, story
from graphdl.draw.window.picture import paint
from graphdl.draw.window.plan import Plan
from graphdl.draw.window.seen import Seen, seen
from graphdl.errors import DrawError
from graphdl_cli.main import main


@dataclass
class Case:
    """A loss with one convolution, fed with whole numbers, and its geometry."""

    loss: gd.Node
    feeds: dict[gd.Node, np.ndarray]
    kernel: np.ndarray
    strides: tuple[int, int]
    pads: tuple[tuple[int, int], tuple[int, int]]
    dilation: tuple[int, int]
    groups: int = 1

    @property
    def images(self) -> np.ndarray:
        return next(iter(self.feeds.values()))


def case(shape, window, filters, strides=(1, 1), pads=((0, 0), (0, 0)), dilation=(1, 1), groups=1, examples=1):
    random = np.random.default_rng(7)
    kernel = random.integers(-3, 4, (*window, shape[2] // groups, filters)).astype("float64")
    images = random.integers(-4, 5, (examples, *shape)).astype("float64")
    x = gd.placeholder((None, *shape), "float64", name="x")
    y = gd.conv2d(x, gd.Variable(kernel, name="K"), strides, pads, dilation, groups, name="conv")
    return Case(gd.sum(gd.square(y), name="L") / 2, {x: images}, kernel, strides, pads, dilation, groups)


CASES = {
    "plain": case((5, 5, 1), (3, 3), 2),
    "strides": case((6, 5, 2), (2, 3), 3, strides=(2, 1)),
    "padding": case((4, 5, 1), (3, 3), 1, pads=((1, 1), (2, 0))),
    "dilation": case((6, 6, 1), (2, 2), 2, dilation=(2, 3)),
    "channels": case((4, 4, 5), (2, 2), 6),
    "batch": case((4, 4, 1), (2, 2), 2, examples=3),
    "groups": case((4, 4, 4), (2, 2), 6, groups=2),
    "pages": case((6, 6, 1), (2, 2), 1, pads=((0, 1), (0, 1))),
}


def looped(found: Case) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """The output for the first image and the first group, and the gradients of half the sum of its squares."""
    depth = found.kernel.shape[2]
    kernel = found.kernel[..., : found.kernel.shape[3] // found.groups]
    padded = np.pad(found.images[0][..., :depth], (*found.pads, (0, 0)))
    (h, w), (height, width) = kernel.shape[:2], padded.shape[:2]
    places = [
        (length - (size - 1) * d - 1) // s + 1
        for length, size, d, s in zip((height, width), (h, w), found.dilation, found.strides, strict=True)
    ]
    y = np.zeros((*places, kernel.shape[3]))
    for i, j, a, b in np.ndindex(*places, h, w):
        y[i, j] += padded[where(found, i, j, a, b)] @ kernel[a, b]
    d_kernel, d_padded = np.zeros_like(kernel), np.zeros_like(padded)
    for i, j, a, b in np.ndindex(*places, h, w):
        d_kernel[a, b] += np.outer(padded[where(found, i, j, a, b)], y[i, j])
        d_padded[where(found, i, j, a, b)] += kernel[a, b] @ y[i, j]
    return y, d_kernel, d_padded


def where(found: Case, i: int, j: int, a: int, b: int) -> tuple[int, int]:
    return i * found.strides[0] + a * found.dilation[0], j * found.strides[1] + b * found.dilation[1]


def told(found: Case) -> tuple[Seen, Plan, Story]:
    saw = seen(found.loss, found.feeds, None)
    plan = Plan(saw)
    return saw, plan, story(plan)


@pytest.fixture(params=CASES, ids=str)
def found(request):
    return CASES[request.param]


def numbers(frame, grid):
    """What stands in a grid; NaN where nothing does."""
    cells = [[frame.cells[grid.slot(i, j)] for j in range(grid.columns)] for i in range(grid.rows)]
    return np.array([[parsed(cell.text) if cell.text else np.nan for cell in row] for row in cells])


def rounded(values):
    """As cells print numbers."""
    return np.array([[parsed(short(value)) for value in row] for row in values])


# ---- the numbers


def test_the_windows_fill_the_output(found):
    saw, plan, made = told(found)
    y, _, _ = looped(found)
    end = made.at(saw.windows - 1)
    for f, grid in zip(plan.filters, plan.maps, strict=True):
        np.testing.assert_array_equal(numbers(end, grid), rounded(y[..., f]))
    for window in (0, saw.windows // 2, saw.windows - 1):
        shown = numbers(made.at(window), plan.output)[plan.row_of(window)]
        np.testing.assert_array_equal(shown, rounded([y.reshape(saw.windows, -1)[window, : len(plan.filters)]])[0])


def test_a_row_of_im2col_times_the_kernel_is_a_row_of_the_output(found):
    saw, _, _ = told(found)
    y, _, _ = looped(found)
    np.testing.assert_allclose(saw.rows @ saw.columns, y.reshape(saw.windows, -1), atol=1e-12)


def test_what_all_windows_saw_adds_up_to_the_gradient_of_the_kernel(found):
    _, plan, made = told(found)
    _, d_kernel, _ = looped(found)
    end = [i for i, frame in enumerate(made.steps) if frame.part == "K"][-1]
    expected = d_kernel.reshape(-1, d_kernel.shape[-1])[: len(plan.columns), : len(plan.filters)]
    np.testing.assert_array_equal(numbers(made.at(end), plan.kernel), rounded(expected))


def test_what_windows_send_back_adds_up_to_the_gradient_of_the_image(found):
    saw, plan, made = told(found)
    _, _, d_padded = looped(found)
    end = made.at(len(made.steps) - 1)
    for c, grid in zip(plan.channels, plan.images, strict=True):
        expected = rounded(d_padded[..., c])
        outside = [[saw.is_padding((i, j)) for j in range(grid.columns)] for i in range(grid.rows)]
        expected[np.array(outside)] = np.nan
        np.testing.assert_array_equal(numbers(end, grid), expected)


def test_the_sums_are_the_gradients_that_the_session_computes():
    found = CASES["strides"]
    x = next(iter(found.feeds))
    variable = gd.Graph(found.loss)["K"]
    d_kernel, d_image = gd.Session().run(gd.gradients(found.loss, [variable, x]), found.feeds)
    _, ours, padded = looped(found)
    np.testing.assert_allclose(ours, d_kernel, rtol=1e-12)
    np.testing.assert_allclose(padded, d_image[0], rtol=1e-12)


def test_the_parts_of_the_examples_of_a_batch_add_up_to_its_gradient():
    found = CASES["batch"]
    (x,), variable = found.feeds, gd.Graph(found.loss)["K"]
    parts = []
    for image in found.images:
        saw = seen(found.loss, {x: image[None]}, None)
        parts.append(saw.rows.T @ saw.arriving)
    whole = gd.Session().run(gd.gradients(found.loss, variable), found.feeds)
    np.testing.assert_allclose(sum(parts).reshape(whole.shape), whole, rtol=1e-12)
    last = gd.draw(found.loss, view="window", feeds=found.feeds, steps="18")
    assert "This is one image of 3; the gradient of the batch is the sum over them." in joined(last)


def test_the_window_stands_where_it_reads_from():
    saw, plan, made = told(CASES["strides"])
    marks = made.steps[saw.windows - 1].marks
    assert [(m.row, m.column, m.rows, m.columns) for n, m in marks.items() if n.startswith("window")] == [
        (4, 2, 2, 3)
    ] * 2
    assert (marks["place0"].row, marks["place0"].column) == (2, 2)
    assert len(plan.images) == 2


def test_a_window_with_gaps_is_marked_pixel_by_pixel():
    saw, _, made = told(CASES["dilation"])
    marks = [(m.row, m.column) for n, m in made.steps[0].marks.items() if n.startswith("window")]
    assert marks == [(0, 0), (0, 3), (2, 0), (2, 3)] == saw.taps(0)


def test_the_rows_that_are_shown_move_on_with_the_window():
    saw, plan, made = told(CASES["pages"])
    assert (saw.windows, plan.rows) == (36, 8)
    assert [plan.first_of(window) for window in (0, 7, 8, 31, 32, 35)] == [0, 0, 8, 24, 28, 28]
    shown = numbers(made.at(35), plan.matrix)
    np.testing.assert_array_equal(shown, saw.rows[28:36])
    early = numbers(made.at(9), plan.matrix)
    np.testing.assert_array_equal(early[:2], saw.rows[8:10])
    assert np.isnan(early[2:]).all()


def test_formulas_say_the_numbers_of_the_step():
    found = CASES["plain"]
    saw, _, made = told(found)
    y, _, d_padded = looped(found)
    terms = re.findall(r"\(?(−?\d+)\)? × \(?(−?\d+)", made.steps[0].lines[0])
    pairs = [(parsed(a), parsed(b)) for a, b in terms]
    assert pairs == list(zip(found.images[0, :3, :3, 0].ravel(), found.kernel[:, :, 0, 0].ravel(), strict=True))
    assert made.steps[0].lines[0].endswith(f"= {short(y[0, 0, 0])}")
    where_to, total = re.fullmatch(r"∂L/∂x\[(.*), 0\] = .* = (\S+)", made.steps[-1].lines[1]).groups()
    i, j = map(int, where_to.split(", "))
    assert parsed(total) == d_padded[i, j, 0]
    assert len(made.steps) == 3 * saw.windows


# ---- what is drawn


def joined(svg):
    return " ".join(unescape(text) for text in re.findall(r"<text[^>]*>([^<]*)</text>", svg))


def test_without_a_loss_there_is_only_the_way_forward():
    x = gd.placeholder((None, 3, 3, 1), "float64", name="x")
    y = gd.conv2d(x, np.ones((2, 2, 1, 1)), name="y")
    made = story(Plan(seen(y, {x: np.arange(9.0).reshape(1, 3, 3, 1)}, None)))
    assert [frame.phase for frame in made.steps] == ["forward"] * 4
    assert made.steps[-1].lines == ("y[1, 1, 0] = 4 × 1 + 5 × 1 + 7 × 1 + 8 × 1 = 24",)


def test_a_picture_shows_the_last_window_forward_unless_another_step_is_asked_for():
    found = CASES["plain"]
    draw = {"view": "window", "feeds": found.feeds}
    assert "Forward, window 9 of 9" in joined(gd.draw(found.loss, **draw))
    assert "Forward, window 1 of 9" in joined(gd.draw(found.loss, **draw, step=0))
    assert "Gradient of the image, window 9 of 9" in joined(gd.draw(found.loss, **draw, step=-1))
    assert "커널의 기울기, 윈도 1/9" in joined(gd.draw(found.loss, **draw, steps="10", lang="ko"))
    assert len(gd.draw(found.loss, **draw, steps="backward")) == 18


def test_steps_are_files_of_one_size(tmp_path):
    found = CASES["plain"]
    files = gd.draw(found.loss, tmp_path / "w-%02d.svg", view="window", feeds=found.feeds, steps="1,10,19")
    assert [file.name for file in files] == ["w-01.svg", "w-10.svg", "w-19.svg"]
    assert len({re.search(r'viewBox="([^"]*)"', file.read_text("utf-8"))[1] for file in files}) == 1


def test_paint_is_written_too(tmp_path):
    pytest.importorskip("pygraphviz")
    found = CASES["plain"]
    for suffix, start in ((".png", b"\x89PNG"), (".pdf", b"%PDF")):
        file = gd.draw(found.loss, tmp_path / f"w{suffix}", view="window", feeds=found.feeds)
        assert file.read_bytes().startswith(start)


def test_the_page_has_every_step_as_the_pictures_have_it(tmp_path):
    found = CASES["padding"]
    _, _, made = told(found)
    html = gd.draw(found.loss, tmp_path / "w.html", view="window", feeds=found.feeds).read_text("utf-8")
    data = json.loads(re.search(r'<script type="application/json" id="data">(.*)</script>', html)[1])
    assert [frame["part"] for frame in data["frames"]] == [frame.part for frame in made.steps]
    shown: dict[str, str] = {}
    for frame in data["frames"]:
        shown |= {data["slots"][slot]: text for slot, text, _ in frame["cells"]}
    end = made.at(len(made.steps) - 1)
    assert {slot: shown[slot] for slot in end.cells} == {slot: cell.text for slot, cell in end.cells.items()}
    assert "http" not in html.replace("http://www.w3.org/", "").replace("http-equiv", "")


def test_names_are_text_whatever_they_hold(tmp_path):
    found = CASES["plain"]
    title = "</h1><script>alert(1)</script> $picture & more"
    for suffix in (".html", ".svg"):
        file = gd.draw(found.loss, tmp_path / f"w{suffix}", view="window", feeds=found.feeds, title=title)
        text = file.read_text("utf-8")
        assert "<script>alert" not in text
        assert "&lt;script&gt;alert(1)&lt;/script&gt; $picture &amp; more" in text


@pytest.mark.parametrize("theme", THEMES.values(), ids=lambda theme: theme.name)
def test_numbers_can_be_read_on_every_shade(theme):
    for role in ("value", "gradient"):
        for level in range(-LEVELS, LEVELS + 1):
            assert contrast(theme.local, paint(theme, role, level, has_number=True)) >= 4.5


def test_a_model_shows_its_convolutions_by_the_names_of_their_layers():
    model = keras.Sequential(
        [
            keras.Input((6, 6, 1)),
            keras.layers.Conv2D(2, 3, name="first"),
            keras.layers.Conv2D(3, 2, strides=2, name="second"),
            keras.layers.Flatten(),
            keras.layers.Dense(1),
        ]
    )
    images = np.random.default_rng(0).normal(size=(2, 6, 6, 1)).astype("float32")
    saw = seen(model, {model.inputs[0]: images}, None, "second")
    assert (saw.name, saw.gradient, saw.op.strides) == ("second/conv2d", None, (2, 2))
    np.testing.assert_array_equal(saw.kernel, model.get_layer("second").get_weights()[0])
    model.compile("sgd", "mse")
    saw = seen(model, feeds_of(model, images), None)
    assert saw.name == "first/conv2d"
    assert saw.gradient is not None
    assert saw.gradient.shape == (4, 4, 2)


def feeds_of(model, images):
    """The images, and 0 to be predicted."""
    placeholders = gd.Graph(model.training.loss).placeholders
    return {p: images if p.ndim == 4 else np.zeros((len(images), *p.shape[1:])) for p in placeholders}


def test_the_command_draws_the_convolution_of_a_file(tmp_path):
    file = tmp_path / "net.py"
    file.write_text(
        "import numpy as np\nimport graphdl as gd\n"
        "x = gd.placeholder((None, 4, 4, 1), 'float64', name='x')\n"
        "K = gd.Variable(np.ones((2, 2, 1, 1)), name='K')\n"
        "loss = gd.mean(gd.conv2d(x, K, name='edge'))\n"
        "feeds = {x: np.arange(16.0).reshape(1, 4, 4, 1)}\n"
    )
    out = tmp_path / "w.svg"
    result = CliRunner().invoke(main, ["draw", str(file), "--view", "window:edge", "--steps", "2", "-o", str(out)])
    assert result.exit_code == 0, result.output
    assert "y[0, 1, 0] = 1 × 1 + 2 × 1 + 5 × 1 + 6 × 1 = 14" in joined(out.read_text("utf-8"))


# ---- errors


def test_what_cannot_be_shown_is_said(tmp_path):
    found = CASES["plain"]
    x = gd.placeholder((None, 3), "float64", name="x")
    wide = gd.placeholder((None, 50, 50, 1), "float64", name="wide")
    large = gd.conv2d(wide, np.ones((3, 3, 1, 1)), name="large")
    for what, options, message in (
        (found.loss, {}, "view 'window' shows numbers; give feeds= for 'x'"),
        (gd.mean(x), {"feeds": {x: np.zeros((1, 3))}}, "there is no convolution here, which view 'window' shows"),
        (found.loss, {"view": "window:con", "feeds": found.feeds}, "no convolution 'con'. Did you mean 'conv'?"),
        (found.loss, {"feeds": found.feeds, "step": 27}, "there is no step 27: this story has steps 0 to 26"),
        (found.loss, {"feeds": found.feeds, "steps": "28"}, "there is no step 28, expected 1 to 27"),
        (gd.draw.trace(found.loss), {}, "needs the graph itself, which a trace does not hold"),
        (large, {"feeds": {wide: np.zeros((1, 50, 50, 1))}}, "large slides over 50 x 50 pixels with its padding"),
    ):
        with pytest.raises(DrawError, match=re.escape(message)):
            gd.draw(what, **{"view": "window", **options})
    with pytest.raises(DrawError, match=r"view 'window' is written as \.html, \.svg, \.png, \.pdf"):
        gd.draw(found.loss, tmp_path / "w.gif", view="window", feeds=found.feeds)
