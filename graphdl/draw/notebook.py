"""How nodes and graphs show themselves in a notebook."""

from __future__ import annotations

import re
from typing import Any

from graphdl.draw.render import draw
from graphdl.errors import GraphdlError

# Wider pictures are shown smaller; the text stays sharp at any size.
WIDEST = 1200.0

_SIZE = re.compile(r'width="([\d.]+)" height="([\d.]+)"')


def mimebundle(thing: Any) -> dict[str, str]:
    """The picture as SVG beside the plain text; the text alone where no picture can be drawn."""
    bundle = {"text/plain": str(thing) if hasattr(thing, "outputs") else repr(thing)}
    try:
        bundle["image/svg+xml"] = _capped(str(draw(thing)))
    except GraphdlError as error:
        bundle["text/plain"] += f"\n(no picture: {error})"
    return bundle


def _capped(svg: str) -> str:
    """The first width and height scaled down to fit a page; the view box stays."""
    found = _SIZE.search(svg)
    assert found is not None, "a picture has a size"
    width, height = map(float, found.groups())
    scale = min(1.0, WIDEST / width)
    return _SIZE.sub(f'width="{width * scale:.0f}" height="{height * scale:.0f}"', svg, count=1) if scale < 1 else svg
