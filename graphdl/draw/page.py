"""One offline HTML file: our style, our scripts, the data, and nothing from anywhere else."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterable, Mapping
from functools import lru_cache
from html import escape
from importlib.resources import files
from typing import Any

from graphdl.draw.style import one_line

# Nothing is fetched, nothing is sent; pictures and fonts only from within the file.
POLICY = "default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'; img-src data:; font-src data:"
LANGUAGES = ("en", "ko")
# "auto" follows the reader's system between light and dark.
THEMES = ("auto", "light", "dark", "mono", "cs231n", "book")

_SKELETON = """<!doctype html>
<html lang="{language}"{theme}>
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="{policy}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="referrer" content="no-referrer">
<title>{title}</title>
{styles}
</head>
<body>
{body}
<script type="application/json" id="data">{data}</script>
{scripts}
</body>
</html>
"""


def html_page(
    title: str,
    language: str,
    styles: Iterable[str],
    scripts: Iterable[str],
    body: str,
    data: Any = None,
    theme: str = "auto",
) -> str:
    """A whole HTML file that needs no network and can do no harm.

    title     any text; it is escaped
    language  "en" or "ko", which <html lang> says; elements of class "en" or "ko" show in their language only
    styles    CSS texts, behind assets/base.css, whose variables --ui-... they use
    scripts   JavaScript texts, behind assets/base.js, whose object `page` they use
    body      HTML, already escaped where it holds other people's texts
    data      anything JSON can say: `page.data` in the scripts
    theme     "auto", "light", "dark", "mono", "cs231n" or "book"
    """
    sheets = (asset("base.css"), *styles)
    programs = (asset("base.js"), *scripts)
    return _SKELETON.format(
        language="ko" if language == "ko" else "en",
        theme="" if theme == "auto" else f' data-theme="{escape(theme)}"',
        policy=POLICY,
        title=escape(one_line(title)),
        styles="\n".join(f"<style>\n{_closed(sheet, 'style')}</style>" for sheet in sheets),
        body=body,
        data=json_in_html(data if data is not None else {}),
        scripts="\n".join(f"<script>\n{_closed(program, 'script')}</script>" for program in programs),
    )


@lru_cache
def asset(name: str, package: str = "graphdl.draw") -> str:
    """The text of a file in the folder `assets` of `package`."""
    return files(package).joinpath("assets", name).read_text(encoding="utf-8")


def json_in_html(data: Any) -> str:
    """`data` as JSON that no HTML parser can leave: NaN and the infinities by name, `<`, `>` and `&` as escapes."""
    text = json.dumps(_strict(data), ensure_ascii=False, allow_nan=False, separators=(",", ":"))
    for letter in "<>&\u2028\u2029":
        text = text.replace(letter, f"\\u{ord(letter):04x}")
    return re.sub("[\ud800-\udfff]", lambda found: f"\\u{ord(found[0]):04x}", text)


def _strict(data: Any) -> Any:
    if isinstance(data, float) and not math.isfinite(data):
        return str(data)
    if isinstance(data, Mapping):
        return {str(key): _strict(value) for key, value in data.items()}
    if isinstance(data, list | tuple):
        return [_strict(item) for item in data]
    return data


def _closed(text: str, tag: str) -> str:
    """Our own CSS or JavaScript, which must not end its element early."""
    assert f"</{tag}" not in text.lower(), f"a {tag} would end early"
    assert "<!--" not in text, f"a {tag} would begin a comment"
    return text
