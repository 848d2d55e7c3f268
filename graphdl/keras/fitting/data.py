"""Examples on their way in: converted once to what the placeholders take, and checked before anything is trained."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from graphdl.errors import DataError, did_you_mean, listed
from graphdl.ir.node import Node
from graphdl.ir.text import plain
from graphdl.ir.types import FLOATS, SHORT, shape_text

if TYPE_CHECKING:
    from graphdl.keras.training import Head

Array = np.ndarray[Any, Any]


def inputs(nodes: Sequence[Node], names: Sequence[str], x: Any) -> dict[Node, Array]:
    """An array for each input of a model: `x` is one, a list in their order, or a dict by name."""
    values = _by_name("x", x, names)
    called = labels("x", names)
    return {
        node: _example_array(label, node, values[name]) for node, name, label in zip(nodes, names, called, strict=True)
    }


def targets(heads: Sequence[Head], y: Any, names: Sequence[str]) -> dict[Node, Array]:
    """An array for the target of each head; `names` are those of all outputs."""
    own = [head.name for head in heads]
    if isinstance(y, list | tuple) and len(own) > 1 and len(y) == len(names) != len(own):
        y = [part for part, name in zip(y, names, strict=True) if name in own]
    values = _by_name("y", y, own)
    called = labels("y", own)
    return {
        head.target: _target_array(label, head, values[head.name]) for head, label in zip(heads, called, strict=True)
    }


def example_shape(x: Any) -> tuple[int, ...]:
    """The shape of one of the examples `x`, for a model that takes its input shape from them."""
    if isinstance(x, Mapping):
        x = next(iter(x.values()), None)
    if x is None:
        raise DataError("x is missing")
    array = as_array("x", x)
    if not array.ndim:
        raise DataError("x is one number, expected a batch of examples")
    return array.shape[1:] or (1,)


def batch_shapes(x: Any) -> Any:
    """Shapes of batches of the examples `x`, with None for their number: one, a list, or a dict by name."""
    if isinstance(x, Mapping):
        return {name: (None, *example_shape(value)) for name, value in x.items()}
    if isinstance(x, list | tuple) and len(x) and all(isinstance(part, np.ndarray) and part.ndim for part in x):
        return [(None, *example_shape(part)) for part in x]
    return (None, *example_shape(x))


def labels(what: str, names: Sequence[str]) -> list[str]:
    """What messages call the arrays of `x` or `y`: ``x``, or ``x['name']`` where there are several."""
    return [what] if len(names) == 1 else [f"{what}[{name!r}]" for name in names]


def count(arrays: Mapping[str, Array]) -> int:
    """The number of examples, which all `arrays` agree on; DataError where they do not, and for none."""
    lengths = {name: len(array) for name, array in arrays.items()}
    first, n = next(iter(lengths.items()))
    for name, length in lengths.items():
        if length != n:
            raise DataError(f"{first} has {n} examples and {name} has {length}; each example needs both")
    if n == 0:
        raise DataError(f"{first} has 0 examples, expected at least 1")
    return n


def as_array(name: str, value: Any) -> Array:
    """`value` as an array of numbers or truth values; DataError for anything else."""
    if isinstance(value, Node):
        raise DataError(f"{name} is the node {plain(value.label)}, expected numbers")
    if hasattr(value, "to_numpy"):
        value = value.to_numpy()
    try:
        array = np.asarray(value)
    except ValueError as error:
        raise DataError(f"{name} is a ragged list, expected examples of one shape: {error}") from None
    if array.dtype.kind not in "biuf":
        raise DataError(f"{name} is an array of {array.dtype}, expected numbers{_dtype_hint(array)}")
    return array


def _dtype_hint(array: Array) -> str:
    if array.dtype.kind == "O":
        return "; its rows may differ in length or hold text: convert it, as in np.array(x, dtype='float32')"
    if array.dtype.kind in "US":
        return "; encode text as numbers first"
    return ""


def _by_name(what: str, given: Any, names: Sequence[str]) -> dict[str, Any]:
    if isinstance(given, Mapping):
        for name in given:
            if name not in names:
                raise DataError(f"{what} names {name!r}.{did_you_mean(str(name), names)} There is {listed(names)}")
        missing = [name for name in names if name not in given]
        if missing:
            raise DataError(f"{what} lacks {listed(missing)}; it gives {listed(map(str, given))}")
        return dict(given)
    if given is None:
        raise DataError(f"{what} is missing")
    if len(names) == 1:
        one = isinstance(given, list | tuple) and len(given) == 1 and isinstance(given[0], np.ndarray)
        return {names[0]: given[0] if one and given[0].ndim > 1 else given}
    if not isinstance(given, list | tuple) or len(given) != len(names):
        found = f"{len(given)} arrays" if isinstance(given, list | tuple) else "one array"
        raise DataError(f"{what} is {found}, expected a list or dict of {len(names)}: {listed(names)}")
    return dict(zip(names, given, strict=True))


def _example_array(name: str, node: Node, value: Any) -> Array:
    """`value` in the dtype and shape of the placeholder; a number for each example may lack its axis of size 1."""
    array = as_array(name, value)
    if array.ndim == node.ndim - 1 and node.shape[-1] == 1 and array.ndim:
        array = array[..., None]
    _check_shape(name, node, array)
    return _converted(name, node.dtype, array)


def _check_shape(name: str, node: Node, array: Array) -> None:
    # How many examples there are is a matter of batches.
    fits = array.ndim == node.ndim and all(
        not isinstance(d, int) or d == size for d, size in zip(node.shape[1:], array.shape[1:], strict=True)
    )
    if not fits:
        raise DataError(f"{name} has shape {shape_text(array.shape)}, expected {node.type}{_shape_hint(node, array)}")


def _shape_hint(node: Node, array: Array) -> str:
    example, found = node.shape[1:], array.shape
    if found == example:
        return "; one example needs a batch axis too: x[None]"
    wanted = int(np.prod([d for d in example if isinstance(d, int)]))
    if len(found) > 1 and int(np.prod(found[1:])) == wanted and all(isinstance(d, int) for d in example):
        return f"; reshape it to {shape_text((found[0], *example))}, or begin the model with Flatten"
    return ""


def _converted(name: str, dtype: str, array: Array) -> Array:
    """`array` in `dtype`, contiguous; nothing may be lost but precision."""
    if array.dtype.kind == "f":
        check_finite(name, array)
    wanted = np.dtype(dtype)
    with np.errstate(over="ignore", invalid="ignore"):
        converted = np.ascontiguousarray(array, dtype=wanted)
    if dtype in FLOATS:
        if array.dtype.kind == "f" and array.dtype.itemsize > wanted.itemsize:
            check_finite(name, converted, array)
    elif not np.array_equal(converted, array):
        place = tuple(np.argwhere(converted != array)[0])
        raise DataError(f"{name} has {array[place]} at {_place(place)}, which is no {SHORT[dtype]}")
    return converted


def check_finite(name: str, array: Array, before: Array | None = None) -> None:
    """DataError naming the first NaN or infinity; `before` is the array in more precision."""
    finite = np.isfinite(array)
    if finite.all():
        return
    place = tuple(np.argwhere(~finite)[0])
    if before is not None:
        raise DataError(f"{name} has {before[place]} at {_place(place)}, too large for {array.dtype}")
    bad = int(finite.size - finite.sum())
    more = f" ({bad} in all)" if bad > 1 else ""
    raise DataError(f"{name} has {array[place]} at {_place(place)}{more}; fill or drop such examples before training")


def _place(place: Sequence[int]) -> str:
    words = ("row", "column")
    if len(place) <= 2:
        return ", ".join(f"{word} {int(i)}" for word, i in zip(words, place, strict=False)) or "the only element"
    return f"row {int(place[0])}, index {tuple(int(i) for i in place[1:])}"


def _target_array(name: str, head: Head, value: Any) -> Array:
    array = as_array(name, value)
    if head.loss.takes_classes:
        return _class_numbers(name, head, array)
    _refuse_class_numbers(name, head, array)
    return _example_array(name, head.target, array)


def _class_numbers(name: str, head: Head, array: Array) -> Array:
    """Labels of classes as integers in range; a column of them will do."""
    node, classes = head.target, head.inferred.shape[-1]
    if array.ndim == node.ndim + 1 and array.shape[-1] == 1:
        array = array[..., 0]
    if array.ndim == node.ndim + 1 and array.shape[-1] == classes:
        raise DataError(
            f"{name} has shape {shape_text(array.shape)}, a row for each example, and {head.loss.name} takes integers; "
            "use loss='categorical_crossentropy', or y.argmax(axis=-1)"
        )
    _check_shape(name, node, array)
    if array.dtype.kind == "f":
        check_finite(name, array)
        _check_whole(name, head, array)
    _check_range(name, array, classes, head.loss.ignore_class)
    return np.ascontiguousarray(array, dtype=node.dtype)


def _check_whole(name: str, head: Head, array: Array) -> None:
    broken = array != np.floor(array)
    if broken.any():
        place = tuple(np.argwhere(broken)[0])
        raise DataError(f"{name} has {array[place]} at {_place(place)}; {head.loss.name} takes whole class numbers")


def _check_range(name: str, array: Array, classes: Any, ignored: int | None) -> None:
    counted = array if ignored is None else array[array != ignored]
    if not counted.size or not isinstance(classes, int):
        return
    low, high = counted.min(), counted.max()
    if low < 0 or high >= classes:
        place = tuple(np.argwhere(((array < 0) | (array >= classes)) & (array != ignored))[0])
        hint = "; labels that begin at 1 need y - 1" if low >= 1 and high == classes else ""
        raise DataError(
            f"{name} has labels from {int(low)} to {int(high)}, first {int(array[place])} at {_place(place)}; "
            f"expected 0 to {classes - 1}, one for each of {classes} outputs{hint}"
        )


def _refuse_class_numbers(name: str, head: Head, array: Array) -> None:
    """Integers where a loss wants a row of probabilities for each example."""
    node = head.target
    classes = node.shape[-1] if node.ndim else 1
    column = array.ndim == node.ndim and array.shape[-1] == 1
    if head.loss.name == "categorical_crossentropy" and classes != 1 and (array.ndim == node.ndim - 1 or column):
        raise DataError(
            f"{name} has shape {shape_text(array.shape)}, {head.loss.name} takes {node.type}, a row for each example; "
            f"for integers use loss='sparse_categorical_crossentropy', or keras.utils.to_categorical(y, {classes})"
        )
