"""Sentences from reviews, each with 1 where it is favourable and 0 where it is not.

The data are files of "Sentiment Labelled Sentences" (Kotzias et al. 2015, UCI Machine Learning Repository, CC BY 4.0),
such as imdb_labelled.txt: a sentence, a tab and the label on each line.
"""

from __future__ import annotations

import os
from typing import Any

import numpy as np

from graphdl.errors import DataError

_FAVOURABLE = """
a wonderful film
great acting and a good story
i loved every minute
one of the best films of the year
funny and well made
the music is beautiful
a good cast and great fun
i enjoyed this film very much
excellent photography
it was a great evening
the best story i have seen
well acted and touching
"""
_UNFAVOURABLE = """
a terrible film
bad acting and a weak story
i wanted my money back
one of the worst films of the year
boring and badly made
the music is awful
a bad cast and no fun
i did not enjoy this film at all
poor photography
it was a waste of an evening
the worst story i have seen
badly acted and dull
"""


def load_data(path: str | os.PathLike[str]) -> tuple[list[str], np.ndarray[Any, Any]]:
    """The sentences of a file and their labels, float32, in the order of the file."""
    try:
        with open(path, encoding="utf-8") as file:
            lines = file.read().split("\n")
    except OSError as error:
        raise DataError(
            f"{os.fspath(path)!r} cannot be read ({error.strerror}); the file is part of "
            "'Sentiment Labelled Sentences', UCI Machine Learning Repository"
        ) from None
    rows = [_row(line, number, os.fspath(path)) for number, line in enumerate(lines, start=1) if line.strip()]
    kept = [row for row in rows if row is not None]
    return [text for text, _ in kept], np.array([label for _, label in kept], "float32")


def sample() -> tuple[list[str], np.ndarray[Any, Any]]:
    """Two dozen sentences made up for where there is no file: enough to see a program run, not to learn English."""
    texts = _FAVOURABLE.strip().split("\n"), _UNFAVOURABLE.strip().split("\n")
    # Alternating, so that both kinds are in every part of them.
    mixed = [text for pair in zip(*texts, strict=True) for text in pair]
    return mixed, np.array([1, 0] * len(texts[0]), "float32")


def _row(line: str, number: int, path: str) -> tuple[str, int] | None:
    text, tab, label = line.rstrip().rpartition("\t")
    if number == 1 and not label.isdigit():
        return None  # the names of the columns
    if not tab or label not in ("0", "1"):
        raise DataError(f"{path}, line {number}: found {line:.40}, expected a sentence, a tab, and 0 or 1")
    return text.strip(), int(label)


__all__ = ["load_data", "sample"]
