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

from graphdl.errors import ExtraMissing, FormatError, listed
from graphdl.keras.layer import Layer
from graphdl.keras.lookup import snake_case
from graphdl.keras.saving.tensors import Array

_HDF5 = b"\x89HDF\r\n\x1a\n"
_INSIDE = "model.weights.h5"
# Where Keras 3 keeps the layers of a model, and where TensorFlow's Keras 2.12 to 2.15 did.
_CONTAINERS = ("layers", "_layer_checkpoint_dependencies")
# Parts of layers whose names do not sort as their weights are ordered.
_ORDER = ("query_dense", "key_dense", "value_dense", "output_dense", "forward_layer", "backward_layer")
# A generator's state is no weight here: random numbers come from the session's seed.
_NO_WEIGHTS = ("seed_generator",)
# Attributes of every layer that list parts which are found elsewhere.
_NO_PARTS = ("parts", "results", "made_with", "own_weights")


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


def read_keras_weights(path: str, model: Any) -> list[Array]:
    """The arrays for the weights of `model`, in order; FormatError names the layer that does not fit."""
    h5py = _h5py()
    try:
        with h5py.File(_opened(path), "r") as file:
            return _weights_in(path, file, model)
    except (OSError, KeyError, RuntimeError, ValueError, zipfile.BadZipFile) as error:
        if isinstance(error, FormatError):
            raise
        raise FormatError(f"cannot read {path!r}: {error}") from error


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


def _weights_in(path: str, file: Any, model: Any) -> list[Array]:
    older = file.get("model_weights", file)
    if "layer_names" in older.attrs:
        found = dict(_by_order(older, model.layers))
    else:
        if not model.is_subclassed and not any(name in file for name in _CONTAINERS):
            raise FormatError(f"it has {listed(file)}, expected the layers of a Keras model")
        found = {part: _of(part, group) for part, group in _groups(model, file).items()}
    own = _read(_numbered(file)) if model.own_weights else []
    return [*own, *(array for part in model.parts for array in _fitted(path, part, found.get(part, [])))]


def _by_order(file: Any, layers: list[Layer]) -> Iterator[tuple[Layer, list[Any]]]:
    """What a file of Keras 2 has for each layer with weights: they are told apart by their order alone."""
    with_weights = [layer for layer in layers if layer.weights]
    groups = [_child(file, _text(name)) for name in file.attrs["layer_names"]]
    full = [group for group in groups if len(group.attrs["weight_names"])]
    if len(full) != len(with_weights):
        raise FormatError(f"it has {len(full)} layers with weights, the model has {len(with_weights)}")
    for layer, group in zip(with_weights, full, strict=True):
        yield layer, _as_ours(layer, [_child(group, _text(name)) for name in group.attrs["weight_names"]])


def _as_ours(layer: Layer, found: list[Any]) -> list[Any]:
    """In the order of the weights here: there, what can be trained comes first, even of a model within the model."""
    ours = layer.weights
    if len(found) != len(ours):
        return found
    theirs = sorted(ours, key=lambda weight: not getattr(weight.op, "trainable", True))
    return [found[theirs.index(weight)] for weight in ours]


def _groups(owner: Any, group: Any) -> dict[Layer, Any]:
    """The parts of a layer or model that Keras 3 has in `group`, each with what it has of it."""
    found: dict[Layer, Any] = {}
    for part, place in _places(owner, group):
        inner: Any = group
        for name in place:
            inner = None if inner is None else _child(inner, name)
        if inner is not None:
            found.setdefault(part, inner)
    return found


def _places(owner: Any, group: Any) -> Iterator[tuple[Layer, tuple[str, ...]]]:
    """Where parts lie: under the name of the attribute; in a list, and in a model, under their class, numbered."""
    container = next((name for name in _CONTAINERS if name in group), None)
    if container is not None and hasattr(owner, "layers"):
        yield from ((layer, (container, name)) for layer, name in _named(owner.layers))
    for attribute, value in vars(owner).items():
        if isinstance(value, Layer):
            yield value, (attribute.lstrip("_"),)
        elif isinstance(value, list | tuple | dict) and attribute not in _NO_PARTS:
            several = value.values() if isinstance(value, dict) else value
            layers = [each for each in several if isinstance(each, Layer)]
            yield from ((layer, (attribute.lstrip("_"), name)) for layer, name in _named(layers))


def _named(layers: list[Layer]) -> Iterator[tuple[Layer, str]]:
    """Each layer with its name in the file, ``dense``, ``dense_1`` and so on, whatever the user calls it."""
    counts: dict[str, int] = {}
    for layer in layers:
        base = getattr(type(layer), "default_name", None) if _is_builtin(layer) else None
        base = base or snake_case(type(layer).__name__)
        count = counts[base] = counts.get(base, -1) + 1
        yield layer, f"{base}_{count}" if count else base


def _is_builtin(layer: Layer) -> bool:
    return type(layer).__module__.startswith("graphdl.")


def _of(layer: Layer, group: Any) -> list[Any]:
    """The data sets of a layer, in the order of its weights; of parts that go by other names, in order of these."""
    parts = [part for part in layer.parts if part.weights]
    groups = _groups(layer, group)
    if not parts or any(part not in groups for part in parts):
        return _all(group)
    return [*_numbered(group), *(found for part in parts for found in _of(part, groups[part]))]


def _all(group: Any) -> list[Any]:
    """The data sets of a layer and of its parts: ``vars/0``, ``vars/1``, then ``cell/vars/0`` ..."""
    found = _numbered(group)
    for name in sorted((n for n in group if n != "vars" and n not in _NO_WEIGHTS), key=_rank):
        inner = _child(group, name)
        if hasattr(inner, "keys"):
            found += _all(inner)
    return found


def _numbered(group: Any) -> list[Any]:
    """The data sets ``vars/0``, ``vars/1`` and so on."""
    own = _child(group, "vars")
    return [] if own is None else [_child(own, name) for name in sorted(own, key=int)]


def _child(group: Any, name: str) -> Any:
    """What is called `name` in the group, None where nothing is; nothing that lies in another file is opened."""
    h5py = _h5py()
    link = group.get(name, getlink=True)
    if link is None:
        return None
    if isinstance(link, h5py.ExternalLink):
        raise FormatError(f"{name!r:.80} lies in another file, which is not opened")
    found = group[name]
    if isinstance(found, h5py.Dataset) and (found.external or found.is_virtual):
        raise FormatError(f"the numbers of {name!r:.80} lie in another file, which is not opened")
    return found


def _rank(name: str) -> tuple[int, str, int]:
    base, number = re.fullmatch(r"(.*?)_?(\d*)", name).groups()  # type: ignore[union-attr]
    return _ORDER.index(name) if name in _ORDER else len(_ORDER), base, int(number or 0)


def _fitted(path: str, layer: Layer, found: list[Any]) -> list[Array]:
    """The arrays, read when their shapes have turned out to be right: a file may claim any size."""
    shapes, expected = [each.shape for each in found], [tuple(w.shape) for w in layer.weights]
    if shapes == expected:
        return _read(found)
    if not found:
        raise FormatError(f"{path!r} has nothing for layer {layer.name!r}, which needs arrays of shapes {expected}")
    raise FormatError(f"layer {layer.name!r}: found arrays of shapes {shapes} in {path!r}, expected {expected}")


def _read(found: list[Any]) -> list[Array]:
    return [np.asarray(each) for each in found]


def _text(name: Any) -> str:
    return name.decode() if isinstance(name, bytes) else str(name)
