"""Weights that Keras has written: ``.weights.h5``, ``.keras`` and the older ``.h5``, where h5py is installed.

Only arrays are read. Layers are told apart as Keras names them in these files: by class, numbered in order.
"""

from __future__ import annotations

import io
import os
import re
import zipfile
from collections.abc import Iterator
from typing import Any

import numpy as np

from graphdl.errors import ExtraMissing, FormatError, GraphError, listed
from graphdl.keras.layer import Layer, snake_case
from graphdl.keras.saving.tensors import Array

_HDF5 = b"\x89HDF\r\n\x1a\n"
_INSIDE = "model.weights.h5"
# Where Keras 3 keeps the layers of a model, and where TensorFlow's Keras 2.12 to 2.15 did.
_CONTAINERS = ("layers", "_layer_checkpoint_dependencies")
# Parts of layers whose names do not sort as their weights are ordered.
_ORDER = ("query_dense", "key_dense", "value_dense", "output_dense", "forward_layer", "backward_layer")
# A generator's state is no weight here: random numbers come from the session's seed.
_NO_WEIGHTS = ("seed_generator",)


def is_hdf5(path: str | os.PathLike[str]) -> bool:
    """Whether the file begins as HDF5 files do."""
    try:
        with open(path, "rb") as file:
            return file.read(len(_HDF5)) == _HDF5
    except OSError:
        return False


def is_keras_zip(path: str | os.PathLike[str]) -> bool:
    """Whether the file is a ``.keras`` archive."""
    try:
        with zipfile.ZipFile(path) as archive:
            return _INSIDE in archive.namelist()
    except (OSError, zipfile.BadZipFile, ValueError, NotImplementedError):
        return False


def refuse_foreign(path: str) -> None:
    """FormatError for a model that Keras saved, which says how to get at its weights."""
    if is_hdf5(path) or is_keras_zip(path):
        raise FormatError(
            f"{path!r} is a file of Keras, whose layers are not read; build the model in Python and call "
            f"model.load_weights({path!r})"
        )


def read_keras_weights(path: str, layers: list[Layer]) -> list[Array]:
    """The arrays for the weights of `layers`, in order; FormatError names the layer that does not fit."""
    h5py = _h5py()
    try:
        with h5py.File(_opened(path), "r") as file:
            found = dict(_of_layers(file, layers))
    except (OSError, KeyError, RuntimeError, ValueError, zipfile.BadZipFile) as error:
        if isinstance(error, FormatError):
            raise
        raise FormatError(f"cannot read {path!r}: {error}") from error
    return [array for layer in layers for array in _fitted(path, layer, found.get(layer, []))]


def _h5py() -> Any:
    try:
        import h5py
    except ImportError as error:
        raise ExtraMissing("files of Keras need h5py, which is not installed: pip install 'graphdl[h5]'") from error
    return h5py


def _opened(path: str) -> Any:
    if not is_keras_zip(path):
        return path
    with zipfile.ZipFile(path) as archive:
        entry = archive.getinfo(_INSIDE)
        if entry.compress_type != zipfile.ZIP_STORED:
            raise FormatError(f"{path!r}: {_INSIDE} is compressed, expected to be stored as it is")
        return io.BytesIO(archive.read(entry))


def _of_layers(file: Any, layers: list[Layer]) -> Iterator[tuple[Layer, list[Array]]]:
    """The arrays of each layer that has weights."""
    with_weights = [layer for layer in layers if layer.weights]
    container = next((file[name] for name in _CONTAINERS if name in file), None)
    if container is not None:
        yield from ((layer, _arrays(container[name])) for layer, name in _named(layers) if name in container)
        return
    older = file.get("model_weights", file)
    if "layer_names" not in older.attrs:
        raise FormatError(f"it has {listed(file)}, expected the layers of a Keras model")
    groups = [older[_text(name)] for name in older.attrs["layer_names"]]
    full = [group for group in groups if len(group.attrs["weight_names"])]
    if len(full) != len(with_weights):
        raise FormatError(f"it has {len(full)} layers with weights, the model has {len(with_weights)}")
    for layer, group in zip(with_weights, full, strict=True):
        yield layer, [np.asarray(group[_text(name)]) for name in group.attrs["weight_names"]]


def _named(layers: list[Layer]) -> Iterator[tuple[Layer, str]]:
    """Each layer with its name in the file, ``dense``, ``dense_1`` and so on, whatever the user calls it."""
    counts: dict[str, int] = {}
    for layer in layers:
        base = snake_case(type(layer).__name__)
        count = counts[base] = counts.get(base, -1) + 1
        yield layer, f"{base}_{count}" if count else base


def _arrays(group: Any) -> list[Array]:
    """The arrays of a layer and of its parts: ``vars/0``, ``vars/1``, then ``cell/vars/0`` ..."""
    own = group.get("vars", {})
    found = [np.asarray(own[name]) for name in sorted(own, key=int)]
    for name in sorted((n for n in group if n != "vars"), key=_rank):
        if name not in _NO_WEIGHTS and hasattr(group[name], "keys"):
            found += _arrays(group[name])
    return found


def _rank(name: str) -> tuple[int, str, int]:
    base, number = re.fullmatch(r"(.*?)_?(\d*)", name).groups()  # type: ignore[union-attr]
    return _ORDER.index(name) if name in _ORDER else len(_ORDER), base, int(number or 0)


def _fitted(path: str, layer: Layer, arrays: list[Array]) -> list[Array]:
    found, expected = [a.shape for a in arrays], [tuple(w.shape) for w in layer.weights]
    if found == expected:
        return arrays
    if not arrays:
        raise FormatError(f"{path!r} has nothing for layer {layer.name!r}, which needs arrays of shapes {expected}")
    raise FormatError(f"layer {layer.name!r}: found arrays of shapes {found} in {path!r}, expected {expected}")


def _text(name: Any) -> str:
    return name.decode() if isinstance(name, bytes) else str(name)


def refuse_to_write(path: str) -> None:
    """GraphError for a name that promises a format we do not write."""
    if path.endswith((".h5", ".hdf5", ".keras")):
        stem = path.removesuffix(".keras").removesuffix(".h5").removesuffix(".hdf5").removesuffix(".weights")
        raise GraphError(f"{path!r} promises a file of Keras, which is only read here; name it '{stem}.npz'")
