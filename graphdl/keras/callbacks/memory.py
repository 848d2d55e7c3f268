"""What callbacks remember from one run to the next, as plain data and arrays."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, TypeVar

import numpy as np

from graphdl.errors import FormatError, GraphError
from graphdl.ir.encoding import shown
from graphdl.keras.callbacks.base import Callback
from graphdl.keras.saving.objects import from_json, to_json

_ARRAY = "$place"

Json = dict[str, Any]
T = TypeVar("T")


def memories(callbacks: Sequence[Callback], tensors: dict[str, Any]) -> list[Json]:
    """What each callback remembers, as far as it is plain data; arrays among it go to `tensors`."""
    return [_written(callback, place, tensors) for place, callback in enumerate(callbacks)]


def check_memories(path: str, entries: Any, callbacks: Sequence[Callback]) -> None:
    """Refuse to go on without a callback that has steered training so far, or with one that has not."""
    if not isinstance(entries, list) or not all(map(_is_entry, entries)):
        raise FormatError(f"the callbacks are {shown(entries)}, expected a list of classes and attributes")
    there = _by_class([(entry["class"], entry) for entry in entries])
    here = _by_class([(type(callback).__name__, callback) for callback in callbacks])
    lost = [key for key in there if key not in here and not there[key].get("watches_only")]
    new = [key for key in here if key not in there and not here[key].watches_only]
    if lost or new:
        found, expected = (", ".join(name for name, _ in keys) or "none" for keys in (there, here))
        raise GraphError(f"{path!r} was written beside {found}, and fit has {expected}")
    for key in here.keys() & there.keys():
        _check_names(here[key], there[key]["attributes"])


def recall(entries: Sequence[Json], callbacks: Sequence[Callback], tensors: Mapping[str, Any]) -> None:
    """Give each callback back what it remembered, by class, and by place among those of its class."""
    here = _by_class([(type(callback).__name__, callback) for callback in callbacks])
    for key, entry in _by_class([(entry["class"], entry) for entry in entries]).items():
        if key in here:
            attributes = entry["attributes"].items()
            here[key].recall({name: _with_arrays(value, tensors) for name, value in attributes})


def _is_entry(entry: Any) -> bool:
    known = isinstance(entry, dict) and {"class", "attributes"} <= set(entry)
    return known and isinstance(entry["class"], str) and isinstance(entry["attributes"], dict)


def _check_names(callback: Callback, names: Iterable[str]) -> None:
    """No file takes the place of a method."""
    for name in names:
        if name.startswith("__") or callable(getattr(type(callback), name, None)):
            raise FormatError(f"{type(callback).__name__} cannot remember {name!r:.80}")


def _by_class(pairs: Iterable[tuple[str, T]]) -> dict[tuple[str, int], T]:
    """What belongs to the first callback of a class, to the second, and so on."""
    counts: Counter[str] = Counter()
    found: dict[tuple[str, int], T] = {}
    for name, thing in pairs:
        found[name, counts[name]] = thing
        counts[name] += 1
    return found


def _written(callback: Callback, place: int, tensors: dict[str, Any]) -> Json:
    kept = {
        name: _without_arrays(value, f"callback/{place}/{name}", tensors)
        for name, value in callback.remembered().items()
        if _is_plain(value)
    }
    return {"class": type(callback).__name__, "watches_only": callback.watches_only, "attributes": kept}


def _is_plain(value: Any) -> bool:
    if isinstance(value, list | tuple):
        return all(map(_is_plain, value))
    if isinstance(value, Mapping):
        return all(isinstance(key, str) and not key.startswith("$") for key in value) and all(
            map(_is_plain, value.values())
        )
    return value is None or isinstance(value, bool | int | float | str | np.generic | np.ndarray)


def _without_arrays(value: Any, path: str, tensors: dict[str, Any]) -> Any:
    if isinstance(value, np.ndarray):
        tensors[path] = value
        return {_ARRAY: path}
    if isinstance(value, Mapping):
        return {key: _without_arrays(part, f"{path}/{key}", tensors) for key, part in value.items()}
    if isinstance(value, list | tuple):
        parts = [_without_arrays(part, f"{path}/{i}", tensors) for i, part in enumerate(value)]
        return {"$tuple": parts} if isinstance(value, tuple) else parts
    return to_json(value)


def _with_arrays(data: Any, tensors: Mapping[str, Any]) -> Any:
    if isinstance(data, dict):
        if set(data) == {_ARRAY}:
            return np.array(tensors[data[_ARRAY]])
        if set(data) == {"$tuple"}:
            return tuple(_with_arrays(part, tensors) for part in data["$tuple"])
        if any(key.startswith("$") for key in data):
            return from_json(data, {})
        return {key: _with_arrays(part, tensors) for key, part in data.items()}
    return [_with_arrays(part, tensors) for part in data] if isinstance(data, list) else data
