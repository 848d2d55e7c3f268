"""The weights of a model in a file: by name, whole or not at all."""

from __future__ import annotations

import os
import warnings
from collections.abc import Iterator
from typing import TYPE_CHECKING

from graphdl.errors import FormatError, GraphError, listed
from graphdl.ir.node import Node
from graphdl.ir.text import plain
from graphdl.keras.family import unused
from graphdl.keras.saving.archive import is_archive, read_archive
from graphdl.keras.saving.hdf5 import is_hdf5, is_keras_zip, read_keras_weights
from graphdl.keras.saving.model import FORMAT, VERSION
from graphdl.keras.saving.state import WEIGHTS, arrays_for
from graphdl.runtime.saving import read_arrays, write_arrays

if TYPE_CHECKING:
    from graphdl.keras.layer import Layer
    from graphdl.keras.models import Model

# Names that stand for the formats of others.
_OTHERS = (".h5", ".hdf5", ".keras", ".json", ".py", ".zip")


def save(model: Model, path: str | os.PathLike[str], overwrite: bool = True) -> None:
    """Write the weights as an .npz; GraphError where a file is there that is to stay."""
    if not overwrite and os.path.exists(path):
        raise GraphError(f"{str(path)!r} is there already; say overwrite=True")
    _warn_of_suffix(path)
    session = model.start()
    write_arrays(path, {name: session.value(weight) for name, weight in paths_of(model).items()})


def load(model: Model, path: str) -> None:
    """Take over the weights in an .npz, in a file of `save_model`, or in one of Keras, as its content says.

    GraphError or FormatError names what does not fit, and then nothing has changed.
    """
    if is_hdf5(path) or is_keras_zip(path):
        model.set_weights(read_keras_weights(path, model))
    elif is_archive(path):
        _load_archive(model, path)
    else:
        _load_npz(model, path)


def paths_of(model: Model) -> dict[str, Node]:
    """The weights by name: ``dense/kernel``, and ``encoder/dense/kernel`` in a model within the model.

    The names follow from the model alone, whatever else its session has met.
    """
    found: dict[str, Node] = {}
    own = [(plain(weight.label), weight) for weight in model.own_weights]
    for path, weight in [*own, *(pair for layer in model.layers for pair in _paths(layer))]:
        if weight not in found.values():
            found[unused(path, found)] = weight
    return found


def _paths(layer: Layer) -> Iterator[tuple[str, Node]]:
    from graphdl.keras.models import Model

    if isinstance(layer, Model):
        for path, weight in paths_of(layer).items():
            yield f"{plain(layer.name)}/{path}", weight
    else:
        for weight in layer.weights:
            yield plain(weight.label), weight


def _load_archive(model: Model, path: str) -> None:
    found = read_archive(path, FORMAT, VERSION)
    try:
        model.set_weights(arrays_for(model.variables, found.content.get("state") or {}, found.tensors, WEIGHTS))
    except FormatError as error:
        raise FormatError(f"{path!r} does not fit {model.name}: {error}") from None


def _load_npz(model: Model, path: str) -> None:
    arrays, paths = read_arrays(path), paths_of(model)
    missing = [name for name in paths if name not in arrays]
    unknown = [name for name in arrays if name not in paths]
    if missing or unknown:
        raise GraphError(
            f"{path!r} does not fit {model.name}: it lacks {listed(missing)} and has {listed(unknown)} besides"
        )
    wrong = [name for name, weight in paths.items() if arrays[name].shape != weight.shape]
    if wrong:
        name = wrong[0]
        raise GraphError(
            f"{path!r} does not fit {model.name}: {name!r} has shape {arrays[name].shape}, expected {paths[name].shape}"
        )
    session = model.start()
    for name, weight in paths.items():
        session.assign(weight, arrays[name])


def _warn_of_suffix(path: str | os.PathLike[str]) -> None:
    if str(path).endswith(_OTHERS):
        text = f"{str(path)!r} is written as an .npz of weights, which Keras does not read; such files end in .npz"
        warnings.warn(text, UserWarning, stacklevel=4)
