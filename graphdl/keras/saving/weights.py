"""Weights from files that are no .npz: those of `save`, and those that Keras has written."""

from __future__ import annotations

from typing import Any

from graphdl.errors import FormatError
from graphdl.keras.saving.archive import is_archive, read_archive
from graphdl.keras.saving.hdf5 import is_hdf5, is_keras_zip, read_keras_weights
from graphdl.keras.saving.model import FORMAT, VERSION
from graphdl.keras.saving.state import WEIGHTS, arrays_for


def load_other(model: Any, path: str) -> bool:
    """Take over the weights in a file of `save`, or of Keras, as its content says; False where it is neither.

    FormatError names what does not fit, and then nothing has changed.
    """
    if is_hdf5(path) or is_keras_zip(path):
        model.set_weights(read_keras_weights(path, model))
        return True
    if not is_archive(path):
        return False
    found = read_archive(path, FORMAT, VERSION)
    try:
        model.set_weights(arrays_for(model.variables, found.content.get("state") or {}, found.tensors, WEIGHTS))
    except FormatError as error:
        raise FormatError(f"{path!r} does not fit {model.name}: {error}") from None
    return True
