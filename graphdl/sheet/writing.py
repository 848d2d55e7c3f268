"""Sheets to files: the suffix says the format."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

from graphdl.errors import DrawError
from graphdl.files import write_atomically
from graphdl.sheet.article import to_article
from graphdl.sheet.markdown import to_markdown, to_text
from graphdl.sheet.model import Sheet
from graphdl.sheet.page import to_page
from graphdl.sheet.sentences import LANGUAGES

WRITERS: dict[str, Callable[[Sheet, str], str]] = {
    ".html": to_page,
    ".md": to_markdown,
    ".tex": to_article,
    ".txt": to_text,
}


def write(sheet: Sheet, path: str | os.PathLike[str], language: str = "en") -> Path:
    """Write `sheet` as HTML, Markdown, LaTeX or plain text, by the suffix of `path`, whole or not at all."""
    return write_atomically(path, as_text(sheet, format_of(path), language))


def as_text(sheet: Sheet, suffix: str, language: str = "en") -> str:
    """`sheet` in the format of files that end in `suffix`."""
    if language not in LANGUAGES:
        raise DrawError(f"the language is {language!r}, expected {', '.join(LANGUAGES)}")
    return WRITERS[suffix](sheet, language)


def format_of(path: str | os.PathLike[str]) -> str:
    """The suffix of a file that a sheet can be written to."""
    suffix = Path(path).suffix.lower()
    if suffix not in WRITERS:
        found = f"ends in {suffix!r}" if suffix else "has no suffix"
        raise DrawError(f"{str(path)!r} {found}, expected one of {', '.join(WRITERS)}")
    return suffix
