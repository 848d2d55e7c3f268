"""Sequences of different lengths as one array."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from graphdl.errors import DataError
from graphdl.keras.lookup import by_name

_ENDS = {"pre": "pre", "post": "post"}


def pad_sequences(
    sequences: Sequence[Any],
    maxlen: int | None = None,
    dtype: Any = "int32",
    padding: str = "pre",
    truncating: str = "pre",
    value: Any = 0.0,
) -> np.ndarray[Any, Any]:
    """The sequences as rows of one array, filled up with `value` to the longest one or to `maxlen`.

    `padding` says where the filling goes, `truncating` where what is beyond `maxlen` is cut off: "pre" at the
    beginning, "post" at the end. Before the words is better for a recurrent network, which then ends on a word.

    >>> pad_sequences([[1], [2, 3, 4]], maxlen=2).tolist()
    [[0, 1], [3, 4]]
    """
    padding, truncating = by_name("padding", padding, _ENDS), by_name("truncating", truncating, _ENDS)
    rows = [_as_row(sequence, i, dtype) for i, sequence in enumerate(sequences)]
    length = max((len(row) for row in rows), default=0) if maxlen is None else int(maxlen)
    # An empty sequence has no axes of its own to compare.
    shapes = list(dict.fromkeys(row.shape[1:] for row in rows if len(row)))
    if len(shapes) > 1:
        raise DataError(f"pad_sequences: entries have shapes {', '.join(map(str, shapes))}, expected one shape")
    whole = np.full((len(rows), length, *(shapes[0] if shapes else ())), value, dtype)
    for row, place in zip(rows, whole, strict=True):
        if len(row) and length:
            kept = row[-length:] if truncating == "pre" else row[:length]
            where = slice(length - len(kept), None) if padding == "pre" else slice(len(kept))
            place[where] = kept
    return whole


def _as_row(sequence: Any, number: int, dtype: Any) -> np.ndarray[Any, Any]:
    if not hasattr(sequence, "__len__") or isinstance(sequence, str | bytes):
        raise DataError(
            f"pad_sequences: entry {number} is {sequence!r:.40}, expected a list of numbers; "
            "a Tokenizer makes such lists of texts"
        )
    return np.asarray(sequence, dtype)


__all__ = ["pad_sequences"]
