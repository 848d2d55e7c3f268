"""Source as HTML, for notebooks: as it stands, with its comments paler."""

from __future__ import annotations

import tokenize
from html import escape
from io import StringIO

_PRE = '<pre style="font-family: monospace; line-height: 1.35; overflow-x: auto; white-space: pre">'


def to_html(source: str) -> str:
    """Python `source` as one element, without a colour of its own: it suits light pages and dark ones.

    >>> to_html("y = x < 2  # f32[N]").removeprefix(_PRE)
    'y = x &lt; 2  <span style="opacity: 0.65"># f32[N]</span></pre>'
    """
    tokens = tokenize.generate_tokens(StringIO(source).readline)
    comments = dict(token.start for token in tokens if token.type == tokenize.COMMENT)
    lines = (_line(line, comments.get(row)) for row, line in enumerate(source.split("\n"), start=1))
    return f"{_PRE}{chr(10).join(lines)}</pre>"


def _line(line: str, comment: int | None) -> str:
    if comment is None:
        return escape(line)
    return f'{escape(line[:comment])}<span style="opacity: 0.65">{escape(line[comment:])}</span>'
