"""What notebooks show, in a browser: players play in their frames, and without frames the still picture is there."""

from __future__ import annotations

import re

import graphdl as gd
from tests.draw import stories


def traced(story):
    return gd.draw.trace(story.loss, story.wrt, story.feeds)


def page_with(*outputs):
    return "<!doctype html><title>a notebook</title>" + "\n".join(f"<div>{output}</div>" for output in outputs)


def without_frames(html):
    """As notebooks that are not trusted have it: tags that are not allowed are gone, what they enclose is not."""
    return re.sub(r"</?template>", "", re.sub(r"<iframe .*?</iframe>", "", html, flags=re.DOTALL))


def test_two_players_of_one_notebook_play_each_for_itself(reader):
    one, other = (
        traced(story()).player()._repr_mimebundle_()[0]["text/html"] for story in (stories.xor, stories.neuron)
    )
    reader.open(page_with(one, other))
    assert not reader.run("return document.querySelector('img')")
    reader.browser.switch_to.frame(0)
    reader.click("#forth")
    reader.press("arrow_right")
    assert reader.at[0] == 3
    reader.browser.switch_to.default_content()
    reader.browser.switch_to.frame(1)
    assert reader.at[0] == 1


def test_a_frame_is_as_wide_as_the_page_and_as_high_as_was_asked(reader):
    html, _ = traced(stories.xor()).player(height=480)._repr_mimebundle_()
    reader.open(page_with(html["text/html"]))
    width, height, page = reader.run(
        "const box = document.querySelector('iframe').getBoundingClientRect();"
        "return [box.width, box.height, document.querySelector('div').clientWidth]"
    )
    assert (width, height) == (page, 480)


def test_without_frames_the_still_picture_is_there(reader):
    data, sizes = traced(stories.xor()).player()._repr_mimebundle_()
    reader.open(page_with(without_frames(data["text/html"])))
    reader.wait_for("return document.querySelector('img').complete", True)
    width, natural = reader.run(
        "const image = document.querySelector('img'); return [image.clientWidth, image.naturalWidth]"
    )
    assert width == sizes["image/png"]["width"] < natural


def test_pictures_of_one_notebook_are_named_each_by_its_own_title(reader):
    loss = stories.cs231n().loss
    svgs = [thing._repr_mimebundle_()[0]["image/svg+xml"] for thing in (loss, loss, stories.fan_out().loss)]
    reader.open(page_with(*svgs))
    assert reader.run(
        "return [...document.querySelectorAll('svg')]"
        ".map(svg => svg.contains(document.getElementById(svg.getAttribute('aria-labelledby'))))"
    ) == [True, True, True]


def test_a_wide_picture_fits_into_a_narrow_page(reader):
    reader.resize(500, 800)
    reader.open(page_with(traced(stories.xor())._repr_mimebundle_()[0]["image/svg+xml"]))
    page, width, box = reader.run(
        "const svg = document.querySelector('svg');"
        "return [svg.parentElement.clientWidth, svg.clientWidth, svg.viewBox.baseVal.width]"
    )
    assert width <= page < box
