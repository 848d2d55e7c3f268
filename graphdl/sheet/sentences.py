"""Sentences taken apart: words, formulas between ⟦ and ⟧, names as they are typed between ⟪ and ⟫."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence

from graphdl.draw.style import one_line
from graphdl.sheet.model import Said

_MARKED = re.compile(r"⟦([^⟧]*)⟧|⟪([^⟫]*)⟫")
LANGUAGES = ("en", "ko", "both")


def chosen(language: str) -> Sequence[str]:
    """The languages to print."""
    return ("en", "ko") if language == "both" else (language,)


def written(
    sentence: str, words: Callable[[str], str], formula: Callable[[str], str], code: Callable[[str], str]
) -> str:
    """`sentence` with each of its parts as its writer has it."""
    parts, at = [], 0
    for found in _MARKED.finditer(sentence):
        parts.append(words(sentence[at : found.start()]))
        parts.append(formula(one_line(found[1])) if found[1] is not None else code(one_line(found[2])))
        at = found.end()
    return "".join([*parts, words(sentence[at:])])


def in_languages(said: Said, language: str, between: str = " · ") -> str:
    """The sentence in the languages asked for, once where they are the same."""
    return between.join(dict.fromkeys(said[each] for each in chosen(language)))
