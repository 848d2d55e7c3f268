"""Examples to train on: from the model's own file, from an .npz, or from a table."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from graphdl.errors import DataError, did_you_mean, listed
from graphdl.keras.datasets.table import read_table
from graphdl.keras.models import Model
from graphdl.runtime.saving import read_arrays
from graphdl_cli.failures import UserError
from graphdl_cli.loading import Loaded, kind_of


@dataclass(frozen=True)
class Data:
    """Inputs `x`, targets `y`, and, where there are any, a pair of both to test on."""

    x: Any
    y: Any
    test: tuple[Any, Any] | None = None


def find_data(loaded: Loaded, file: str | None, target: str | None, features: Sequence[str] = ()) -> Data:
    """Examples from `file` if it is given, else those that the model's file defines as `data` or `load_data`."""
    if file is None:
        if target or features:
            raise UserError("--target and --features choose columns of a file; give it with --data")
        return _own_data(loaded)
    path = Path(file)
    if path.suffix == ".npz":
        return _from_arrays(path, read_arrays(path), loaded.value, target)
    if path.suffix in (".csv", ".tsv", ".txt"):
        return _from_table(path, target, features)
    raise UserError(f"{file!r} ends in {path.suffix or 'nothing'!r}, expected .npz, .csv or .tsv")


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


def _from_table(path: Path, target: str | None, features: Sequence[str]) -> Data:
    """The column `target` as targets, and `features` (or all other columns) as inputs."""
    table = read_table(path)
    if target is None:
        raise UserError(f"--target is needed: which column of {path} is to be predicted? It has {listed(table.header)}")
    names = [table.known(name) for name in features] or [name for name in table.header if name != target]
    y = table.column(target)
    return Data(table.numbers(names), y)
