"""How graphs, models, traces and players show themselves in a notebook: as SVG, as PNG, and as text.

A notebook that is not trusted loses its SVG and its frames; the PNG and the text stay.
"""

from __future__ import annotations

import base64
import itertools
import math
from collections.abc import Callable, Collection
from dataclasses import dataclass
from functools import cached_property
from html import escape
from typing import Any

from graphdl.draw import graphviz
from graphdl.draw.log import to_log
from graphdl.draw.model import Trace
from graphdl.draw.picture import VIEWS, picture
from graphdl.draw.render import traced
from graphdl.draw.scene import Scene
from graphdl.draw.style import LIGHT
from graphdl.draw.svg import to_svg
from graphdl.draw.xdot import to_background
from graphdl.errors import DrawError, GraphdlError
from graphdl.ir.graph import Graph

# Wider pictures are shown smaller; the text of an SVG stays sharp at any size.
WIDEST = 1000.0
# Pixels of a PNG along a pixel of the page, and all of them together.
DENSITY = 1.5
MOST_PIXELS = 6e6
# A page that waits longer than this for a picture seems to hang.
TIME_LIMIT = 10.0

PICTURES = ("image/svg+xml", "image/png")

Kinds = Collection[str] | None
Bundle = tuple[dict[str, str], dict[str, Any]]

_shown = itertools.count(1)


def mimebundle(thing: Any, include: Kinds = None, exclude: Kinds = None) -> Bundle:
    """What a notebook shows for `thing`, by MIME type, and the sizes of its pictures. Nothing is raised.

    Only what is in `include` and not in `exclude` is made. Where no picture can be drawn, the text says why.
    """
    return _Output(lambda: _scene(_trace(thing)), lambda: _text(thing)).bundle(include, exclude)


def scene_bundle(scene: Scene, include: Kinds = None, exclude: Kinds = None) -> Bundle:
    """The same for a picture that has been drawn; its title is the text."""
    return _Output(lambda: scene, lambda: scene.title).bundle(include, exclude)


def player(trace: Trace, height: int = 640, language: str = "en", **options: Any) -> Framed:
    """A player of `trace` for a notebook, `height` pixels high; `options` are those of `graphdl.draw.player.page`."""
    from graphdl.draw.player import page

    view = options.get("view")
    return framed(
        page(trace, language=language, **options),
        height,
        lambda: _scene(trace, view if view in VIEWS else "auto"),
        lambda: to_log(trace),
    )


def framed(
    page: str,
    height: int = 640,
    still: Callable[[], Scene] | None = None,
    text: Callable[[], str] | None = None,
) -> Framed:
    """The HTML `page` for a notebook; `still` draws a picture and `text` tells it in words where no scripts run."""
    if not isinstance(height, int) or height < 1:
        raise DrawError(f"height is {height!r:.40}, expected pixels, a whole number such as 640")
    return Framed(page, height, still, text)


@dataclass(frozen=True, repr=False)
class Framed:
    """A page in a frame of its own: its scripts cannot reach the notebook around it."""

    page: str
    height: int
    still: Callable[[], Scene] | None = None
    text: Callable[[], str] | None = None

    def __repr__(self) -> str:
        return (
            f"<page of {len(self.page.encode()) / 1000:.0f} kB, {self.height} pixels high; a trusted notebook shows it>"
        )

    def _repr_mimebundle_(self, include: Kinds = None, exclude: Kinds = None) -> Bundle:
        without = {"image/svg+xml"} if self.still else PICTURES
        output = _Output(self.still or _nothing, self.text or self.__repr__)
        return output.bundle(include, {*(exclude or ()), *without}, {"text/html": lambda: self._html(output)})

    def _html(self, output: _Output) -> str:
        """The frame. What takes frames out of untrusted pages also unpacks the template behind it."""
        title = escape(output.title)
        return (
            f'<iframe srcdoc="{escape(self.page)}" sandbox="allow-scripts" title="{title}" loading="lazy" '
            f'width="100%" height="{self.height}" style="border: 0"></iframe>{output.template(title)}'
        )


class _Output:
    """One output of a cell. The picture is drawn once, when the first kind that needs it is made."""

    def __init__(self, scene: Callable[[], Scene], text: Callable[[], str]) -> None:
        self.draw = scene
        self.text = text

    def bundle(self, include: Kinds, exclude: Kinds, more: dict[str, Callable[[], str]] | None = None) -> Bundle:
        def wanted(kind: str) -> bool:
            return (not include or kind in include) and kind not in (exclude or ())

        kinds = {**(more or {}), "image/svg+xml": lambda: self.svg, "image/png": lambda: self.png}
        made = {kind: _tried(make) for kind, make in kinds.items() if wanted(kind)}
        data = {kind: text for kind, (text, _) in made.items() if text}
        if wanted("text/plain"):
            reasons = dict.fromkeys(why for _, why in made.values() if why)
            data["text/plain"] = "\n".join([self._plain(), *(f"(no picture: {why})" for why in reasons)])
        return data, {kind: self.size for kind in data if kind.startswith("image/")}

    def _plain(self) -> str:
        text, why = _tried(self.text)
        return text or f"(no text: {why})"

    def template(self, title: str) -> str:
        """What browsers do not show: the PNG, or else the text."""
        png, _ = _tried(lambda: self.png)
        if not png:
            return f"<template><pre>{escape(self._plain())}</pre></template>"
        return (
            f'<template><img src="data:image/png;base64,{png}" alt="{title}" width="{self.size["width"]}"></template>'
        )

    @property
    def scene(self) -> Scene:
        if isinstance(self._drawn, Exception):
            raise self._drawn
        return self._drawn

    @cached_property
    def _drawn(self) -> Scene | Exception:
        """A failure is kept like a picture: what took long to fail is not tried for every kind."""
        try:
            return self.draw()
        except Exception as error:
            return error

    @property
    def title(self) -> str:
        """What the picture shows."""
        return _tried(lambda: self.scene.title)[0] or "a page of its own"

    @property
    def scale(self) -> float:
        return min(1.0, WIDEST / self.scene.width)

    @property
    def size(self) -> dict[str, int]:
        """Pixels of the page that the picture takes."""
        return {"width": round(self.scene.width * self.scale), "height": round(self.scene.height * self.scale)}

    @cached_property
    def svg(self) -> str:
        """SVG whose ids no other output has, though it show the same picture; narrower where the page is."""
        text = to_svg(self.scene, f"-{next(_shown)}", WIDEST)
        return text.replace("<svg ", '<svg style="max-width: 100%; height: auto" ', 1)

    @cached_property
    def png(self) -> str:
        """PNG in base64, with more pixels than it takes on the page, and never very many."""
        dense = min(self.scale * DENSITY, math.sqrt(MOST_PIXELS / (self.scene.width * self.scene.height)))
        made = graphviz.run(to_background(self.scene), "nop2", "png", f"-Gdpi={72 * dense:.1f}", TIME_LIMIT)
        return base64.b64encode(made).decode("ascii")


def _tried(make: Callable[[], str]) -> tuple[str, str]:
    """What `make` gives and no reason, or nothing and why not: a look at a value must not end in a traceback."""
    try:
        return make(), ""
    except GraphdlError as error:
        return "", str(error)
    except Exception as error:
        return "", f"{type(error).__name__}: {error}"


def _nothing() -> Scene:
    raise DrawError("it has no still picture")


def _trace(thing: Any) -> Trace:
    return thing if isinstance(thing, Trace) else traced(thing, None, None, None, "auto", True)


def _scene(trace: Trace, view: str = "auto") -> Scene:
    return picture(trace, view, LIGHT, None, TIME_LIMIT, False)


def _text(thing: Any) -> str:
    if isinstance(thing, Trace):
        return to_log(thing)
    return str(thing) if isinstance(thing, Graph) else repr(thing)
