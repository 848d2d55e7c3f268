"""Film reviews as lists of word numbers, 50,000 of them, half of them positive (Maas et al. 2011)."""

from __future__ import annotations

import io
import json
import pickle
import zipfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from graphdl.errors import DataError
from graphdl.keras.datasets.store import KERAS, fetch

Array = np.ndarray[Any, Any]

DIGEST = "69664113be75683a8fe16e3ed0ab59fda8886cb3cd7ada244f7d9544e4676b9f"
# MD5, which is what Keras publishes.
WORDS_DIGEST = "bfafd718b763782e994055a2d397834f"
# What the file, whose rows differ in length, is made of besides lists and numbers.
_ALLOWED = {
    ("numpy.core.multiarray", "_reconstruct"): np._core.multiarray._reconstruct,  # type: ignore[attr-defined]
    ("numpy._core.multiarray", "_reconstruct"): np._core.multiarray._reconstruct,  # type: ignore[attr-defined]
    ("numpy", "ndarray"): np.ndarray,
    ("numpy", "dtype"): np.dtype,
}


def load_data(
    path: str = "imdb.npz",
    num_words: int | None = None,
    skip_top: int = 0,
    maxlen: int | None = None,
    seed: int = 113,
    start_char: int | None = 1,
    oov_char: int | None = 2,
    index_from: int = 3,
) -> tuple[tuple[Array, Array], tuple[Array, Array]]:
    """``(x_train, y_train), (x_test, y_test)``: 25,000 examples each, downloaded the first time (17 MB).

    x  object (n,)  lists of word numbers, 1 + `index_from` for the most frequent; pad_sequences makes them one length
    y  int64 (n,)   1 for a positive review

    num_words   rarer words are `oov_char`, as are the `skip_top` most frequent; None leaves them out instead
    maxlen      only reviews shorter than this, with their `start_char`

    DataError where the file is not in the cache and cannot be downloaded.
    """
    arrays = read_ragged(fetch(path, f"{KERAS}imdb.npz", DIGEST))
    parts = [_reviews(arrays, part, seed, start_char, index_from, maxlen) for part in ("train", "test")]
    most = num_words or 1 + max(max(review) for reviews, _ in parts for review in reviews)
    (x, y), (x_test, y_test) = (
        (_as_rows([_known(review, skip_top, most, oov_char) for review in reviews]), labels)
        for reviews, labels in parts
    )
    return (x, y), (x_test, y_test)


def get_word_index(path: str = "imdb_word_index.json") -> dict[str, int]:
    """The number of each word, 1 for the most frequent; in reviews, `index_from` is added to it."""
    found = json.loads(fetch(path, f"{KERAS}imdb_word_index.json", WORDS_DIGEST).read_text("utf-8"))
    return {str(word): int(number) for word, number in found.items()}


def read_ragged(path: Path) -> dict[str, Array]:
    """The arrays of an .npz whose rows may be lists: of its pickles, lists and numbers are read, and nothing is run."""
    try:
        with zipfile.ZipFile(path) as archive:
            return {name.removesuffix(".npy"): _array(archive.read(name)) for name in archive.namelist()}
    except (OSError, ValueError, zipfile.BadZipFile, pickle.UnpicklingError, EOFError) as error:
        raise DataError(f"cannot read {str(path)!r}: {error}") from None


def _array(content: bytes) -> Array:
    file = io.BytesIO(content)
    version = np.lib.format.read_magic(file)
    read_header = np.lib.format.read_array_header_1_0 if version == (1, 0) else np.lib.format.read_array_header_2_0
    shape, _, dtype = read_header(file)
    if not dtype.hasobject:
        return np.lib.format.read_array(io.BytesIO(content), allow_pickle=False)
    found = _ClosedUnpickler(file, encoding="latin1").load()
    rows: Array = np.asarray(found, dtype=object).reshape(shape)
    return rows


class _ClosedUnpickler(pickle.Unpickler):
    """Reads plain lists and numbers; any other name is refused before it is looked up."""

    def find_class(self, module: str, name: str) -> Any:
        if (module, name) not in _ALLOWED:
            raise pickle.UnpicklingError(f"it names {module}.{name}, which is never loaded")
        return _ALLOWED[module, name]


def _reviews(
    arrays: dict[str, Array], part: str, seed: int, start: int | None, index_from: int, maxlen: int | None
) -> tuple[list[list[int]], Array]:
    """The reviews of one half in the order that Keras shuffles them to, and their labels."""
    x, y = arrays[f"x_{part}"], arrays[f"y_{part}"]
    order = np.arange(len(x))
    np.random.RandomState(seed).shuffle(order)
    reviews = [[*([] if start is None else [start]), *(word + index_from for word in x[i])] for i in order]
    labels = y[order]
    if maxlen is None:
        return reviews, labels
    kept = [i for i, review in enumerate(reviews) if len(review) < maxlen]
    if not kept:
        raise DataError(f"no review is shorter than maxlen={maxlen}")
    return [reviews[i] for i in kept], labels[kept]


def _known(review: Sequence[int], least: int, most: int, unknown: int | None) -> list[int]:
    """The review with `unknown` in place of words that are not from `least` to below `most`; None drops them."""
    if unknown is None:
        return [word for word in review if least <= word < most]
    return [word if least <= word < most else unknown for word in review]


def _as_rows(reviews: list[list[int]]) -> Array:
    rows = np.empty(len(reviews), dtype=object)
    rows[:] = reviews
    return rows
