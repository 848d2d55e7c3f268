"""Examples to train on: from the model's own file, from arrays, a table or images in files, or a set that is known."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from graphdl.errors import DataError, did_you_mean, listed
from graphdl.ir.text import plain
from graphdl.keras import datasets
from graphdl.keras.datasets import idx, rdatasets
from graphdl.keras.datasets.table import Table, read_table
from graphdl.keras.models import Model
from graphdl.runtime.saving import read_arrays
from graphdl_cli.failures import UserError
from graphdl_cli.loading import Loaded, kind_of

# Sets whose examples all have one shape, with a test set each.
_SETS = (
    "digits",
    "iris",
    "wine",
    "breast_cancer",
    "diabetes",
    "mnist",
    "fashion_mnist",
    "boston_housing",
    "california_housing",
)
_TABLES = (".csv", ".tsv", ".txt")
_IDX = (".gz", ".idx", "-ubyte")


@dataclass(frozen=True)
class Data:
    """Inputs `x`, targets `y`, and, where there are any, a pair of both to test on; `notes` say what words became."""

    x: Any
    y: Any
    test: tuple[Any, Any] | None = None
    notes: tuple[str, ...] = ()


def find_data(loaded: Loaded, file: str | None, target: str | None, features: Sequence[str] = ()) -> Data:
    """Examples from `file` if it is given, else those that the model's file defines as `data` or `load_data`."""
    if file is None:
        if target or features:
            raise UserError("--target and --features choose columns of a file; give it with --data")
        return _own_data(loaded)
    path = Path(file)
    if not path.exists() and file in (*_SETS, *rdatasets.KNOWN):
        return _known(file, target, features)
    if path.suffix == ".npz":
        return _from_arrays(path, read_arrays(path), loaded.value, target)
    if path.suffix in _TABLES:
        return _from_table(read_table(path), target, features)
    if file.endswith(_IDX):
        return _from_images(path, target)
    raise UserError(
        f"--data {file!r}: expected a file .npz, .csv, .tsv or IDX, or one of {', '.join((*_SETS, *rdatasets.KNOWN))}"
        f".{did_you_mean(file, (*_SETS, *rdatasets.KNOWN))}"
    )


def _known(name: str, target: str | None, features: Sequence[str]) -> Data:
    """One of the data sets that `keras.datasets` loads."""
    if name in rdatasets.KNOWN:
        return _from_table(rdatasets.load(name), target, features)
    if target or features:
        raise UserError(f"--target and --features choose columns of a file; {name} has inputs and targets of its own")
    (x, y), test = getattr(datasets, name).load_data()
    return Data(x, y, test)


def _from_images(path: Path, target: str | None) -> Data:
    """Images in an IDX file, their labels in the one that `target` names, or in the one that belongs to it by name."""
    labels = target or path.name.replace("images-idx3", "labels-idx1")
    if labels == path.name:
        raise UserError(f"--target is needed: which IDX file has the labels of {path}?")
    return Data(*idx.load(path, Path(labels) if target else path.with_name(labels)))


def names_of(text: str | None) -> list[str]:
    """The names in a list with commas between them."""
    return [name.strip() for name in (text or "").split(",") if name.strip()]


def _own_data(loaded: Loaded) -> Data:
    found = loaded.get("data", "load_data")
    if found is None:
        raise UserError(
            f"{loaded.path} defines no data; let it define data = (x, y) or a function data(), or give --data FILE"
        )
    data = as_data(found)
    if data is None:
        raise UserError(
            f"data in {loaded.path} is {_described(found)}, expected (x, y) or ((x_train, y_train), (x_test, y_test))"
        )
    return data


def as_data(found: Any) -> Data | None:
    """``(x, y)`` or ``((x, y), (x_test, y_test))`` as data, of which lists and dicts are several inputs; else None."""
    if not isinstance(found, tuple) or len(found) != 2:
        return None
    first, second = found
    if isinstance(first, tuple) and isinstance(second, tuple):
        return Data(*first, test=second) if len(first) == len(second) == 2 else None
    return Data(first, second)


def _described(found: Any) -> str:
    if isinstance(found, tuple | list):
        return f"{kind_of(found)} of {len(found)}"
    return kind_of(found)


def _from_arrays(path: Path, arrays: Mapping[str, Any], model: Model, target: str | None) -> Data:
    """Arrays called x and y, x_train and so on as Keras keeps its sets, or like the model's inputs and outputs."""
    if target is not None:
        y = _take(path, arrays, target)
        rest = {name: array for name, array in arrays.items() if name != target}
        return Data(next(iter(rest.values())) if len(rest) == 1 else rest, y)
    if {"x", "y"} <= arrays.keys():
        return Data(arrays["x"], arrays["y"])
    if {"x_train", "y_train"} <= arrays.keys():
        test = {"x_test", "y_test"} <= arrays.keys()
        return Data(arrays["x_train"], arrays["y_train"], (arrays["x_test"], arrays["y_test"]) if test else None)
    inputs, outputs = model.input_names, model.output_names
    if {*inputs, *outputs} <= arrays.keys():
        return Data({name: arrays[name] for name in inputs}, {name: arrays[name] for name in outputs})
    raise DataError(
        f"{str(path)!r} has {listed(arrays)}; expected arrays x and y, or x_train and y_train, "
        f"or {listed(dict.fromkeys([*inputs, *outputs]))}. If one of them is the target, say --target NAME"
    )


def _take(path: Path, arrays: Mapping[str, Any], name: str) -> Any:
    if name not in arrays:
        raise DataError(f"{str(path)!r} has no array {name!r}.{did_you_mean(name, arrays)} It has {listed(arrays)}")
    return arrays[name]


def _from_table(table: Table, target: str | None, features: Sequence[str]) -> Data:
    """The column `target` as targets, and `features` (or all others) as inputs; words become numbers."""
    if target is None:
        what = f"which column of {table.path} is to be predicted? It has {listed(table.header)}"
        raise UserError(f"--target is needed: {what}")
    table.known(target)
    names = [table.known(name) for name in features] or table.inputs(target)
    if target in names:
        raise UserError(f"{target!r} is the target and among --features; a model would copy it")
    columns, notes = [], []
    for name in names:
        numbers, words = table.encoded(name)
        columns.append(numbers)
        notes += [_legend(name, words, len(words) > 2)] if words else []
    y, classes = _targets(table, target)
    notes += [_legend(target, classes, False)] if classes else []
    return Data(np.hstack(columns), y, notes=tuple(notes))


def _targets(table: Table, name: str) -> tuple[Any, tuple[str, ...]]:
    """Numbers as they are, words as the numbers of their classes; and the words."""
    return table.classes(name) if table.words(name) else (table.column(name), ())


def _legend(name: str, words: Sequence[str], is_spread: bool) -> str:
    """What became of the words of a column."""
    if is_spread:
        return f"{plain(name)}: a column of 0 and 1 for each of {listed(words)}"
    return f"{plain(name)}: " + ", ".join(f"{word!r} is {number}" for number, word in enumerate(words))
