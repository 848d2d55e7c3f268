"""A topic: a few lines about one thing, in English and Korean."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

Text = Mapping[str, str]


class Topic(NamedTuple):
    """What it is asked for by, its title, its text; formulas are plain text."""

    name: str
    title: Text
    text: Text

    def told(self, language: str) -> str:
        """Title and text."""
        # The blank lines around the text go, the indent of its first line stays.
        text = self.text[language].strip("\n")
        return f"{self.title[language]}\n\n{text}"
