"""The weights of a model in a file: by name, whole or not at all."""

from __future__ import annotations

import os
import warnings
from collections.abc import Iterator
from typing import TYPE_CHECKING

from graphdl.errors import GraphError, listed
from graphdl.ir.node import Node
from graphdl.ir.text import plain
from graphdl.runtime.saving import read_arrays, write_arrays

if TYPE_CHECKING:
    from graphdl.keras.layer import Layer
    from graphdl.keras.model import Model

# Names that stand for the formats of others.
_OTHERS = (".h5", ".hdf5", ".keras", ".json", ".py", ".zip")


def paths_of(model: Model) -> dict[str, Node]:
    """The weights by name: ``dense/kernel``, and ``encoder/dense/kernel`` in a model within the model.

    The names follow from the model alone, whatever else its session has met.
    """
    found: dict[str, Node] = {}
    own = [(plain(weight.label), weight) for weight in model.own_weights]
    for path, weight in [*own, *(pair for layer in model.layers for pair in _paths(layer))]:
        if weight not in found.values():
            found[_free(path, found)] = weight
    return found


def _paths(layer: Layer) -> Iterator[tuple[str, Node]]:
    from graphdl.keras.model import Model

    if isinstance(layer, Model):
        for path, weight in paths_of(layer).items():
            yield f"{plain(layer.name)}/{path}", weight
    else:
        for weight in layer.weights:
            yield plain(weight.label), weight


def _free(path: str, taken: dict[str, Node]) -> str:
    count, found = 1, path
    while found in taken:
        found, count = f"{path}_{count}", count + 1
    return found


def save(model: Model, path: str | os.PathLike[str]) -> None:
    """Write the weights as an .npz."""
    _warn_of_suffix(path)
    session = model.start()
    write_arrays(path, {name: session.value(weight) for name, weight in paths_of(model).items()})


def load(model: Model, path: str | os.PathLike[str]) -> None:
    """Take over what `save` wrote; GraphError names what does not fit, and then nothing has changed."""
    arrays, paths = read_arrays(path), paths_of(model)
    missing = [name for name in paths if name not in arrays]
    unknown = [name for name in arrays if name not in paths]
    if missing or unknown:
        raise GraphError(
            f"{str(path)!r} does not fit {model.name}: it lacks {listed(missing)} and has {listed(unknown)} besides"
        )
    wrong = [name for name, weight in paths.items() if arrays[name].shape != weight.shape]
    if wrong:
        name = wrong[0]
        raise GraphError(
            f"{str(path)!r} does not fit {model.name}: {name!r} has shape {arrays[name].shape}, "
            f"expected {paths[name].shape}"
        )
    session = model.start()
    for name, weight in paths.items():
        session.assign(weight, arrays[name])


def _warn_of_suffix(path: str | os.PathLike[str]) -> None:
    if str(path).endswith(_OTHERS):
        text = f"{str(path)!r} is written as an .npz of weights, which Keras does not read; such files end in .npz"
        warnings.warn(text, UserWarning, stacklevel=4)
