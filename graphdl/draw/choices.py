"""Words that choose among a few: a view, a theme, a language, a granularity."""

from __future__ import annotations

from collections.abc import Iterable

from graphdl.errors import DrawError, did_you_mean


def check_choice(what: str, word: str, known: Iterable[str]) -> None:
    """DrawError when `word` is no `what` that is known, with the nearest one and all of them."""
    names = tuple(known)
    if word not in names:
        raise DrawError(f"there is no {what} {word!r}.{did_you_mean(str(word), names)} It is one of {', '.join(names)}")
