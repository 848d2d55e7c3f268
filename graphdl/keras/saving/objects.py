"""Layers, losses, optimizers and their arguments as JSON, and back through a closed list of names.

What is not in the list, such as a class or a function of the user's own, is written by name alone, and comes back only
where the user hands it over as `custom_objects`: a file holds no code.
"""

from __future__ import annotations

import importlib
import math
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from functools import cache
from itertools import count
from typing import Any

import numpy as np

from graphdl.errors import FormatError, GraphdlError, GraphError, did_you_mean, listed
from graphdl.ir.encoding import decoded_array, encoded_array, shown
from graphdl.ir.node import Node
from graphdl.keras.lookup import arguments_of

Objects = Mapping[str, Any]

# Where the classes and functions live that a file may name; later modules repeat some of the earlier ones.
_CLASSES = (
    "models",
    "layers",
    "initializers",
    "regularizers",
    "constraints",
    "losses",
    "metrics",
    "optimizers",
    "schedules",
    "random",
)
_FUNCTIONS = ("activations", "losses", "metrics", "initializers")
# Functions of those modules that make an object of a name.
_MAKERS = ("get", "serialize", "deserialize", "by_name", "refuse_unknown")
_CUSTOM = "custom"
# Keys that mark what JSON has no word for.
_MARKS = ("float", "tuple", "pairs", "array", "class", "function")

_registered: dict[str, Any] = {}
_at_hand: ContextVar[dict[str, Any] | None] = ContextVar("at_hand", default=None)


def register_keras_serializable(package: str = "Custom", name: str | None = None) -> Callable[[Any], Any]:
    """A decorator: the class or function comes back from files without being handed over as `custom_objects`."""

    def register(thing: Any) -> Any:
        _registered[name or thing.__name__] = thing
        return thing

    return register


def to_json(value: Any) -> Any:
    """`value` as JSON; GraphError for what cannot be written down."""
    if value is None or isinstance(value, bool | int | str):
        return value
    if isinstance(value, float | np.generic):
        return _number(value.item() if isinstance(value, np.generic) else value)
    if isinstance(value, np.dtype) or (isinstance(value, type) and issubclass(value, np.generic)):
        return np.dtype(value).name
    if isinstance(value, np.ndarray):
        return {"$array": encoded_array(value)}
    if isinstance(value, list):
        return [to_json(part) for part in value]
    if isinstance(value, tuple):
        return {"$tuple": [to_json(part) for part in value]}
    if isinstance(value, Mapping):
        return _mapping(value)
    if isinstance(value, Node):
        raise GraphError(f"the node {value.label} cannot be saved; arguments are numbers, names, or objects of keras")
    return _thing(value)


def from_json(data: Any, custom: Objects, owner: str = "") -> Any:
    """The value that `data` stands for; FormatError for what is no such thing, or is not known.

    `owner` is the layer it belongs to: a function may be handed over under that name too.
    """
    if data is None or isinstance(data, bool | int | float | str):
        return data
    if isinstance(data, list):
        return [from_json(part, custom, owner) for part in data]
    if not isinstance(data, dict):
        raise FormatError(f"found {shown(data)}, expected JSON")
    mark = next((key[1:] for key in data if key.startswith("$")), None)
    if mark is None:
        return {key: from_json(part, custom, owner) for key, part in data.items()}
    if mark not in _MARKS or set(data) != ({"$class", "config"} if mark == "class" else {f"${mark}"}):
        raise FormatError(f"found {shown(data)}, expected one of {', '.join('$' + m for m in _MARKS)}")
    return _marked(mark, data, custom, owner)


def made(data: Any, custom: Objects, kinds: type | tuple[type, ...], what: str) -> Any:
    """The object that `data` describes, which must be `what`."""
    found = from_json(data, custom)
    if not isinstance(found, kinds):
        raise FormatError(f"found {shown(data)}, expected {what}")
    return found


def config_of(thing: Any) -> dict[str, Any]:
    """The arguments to make another like `thing`: what `get_config` says, or its attributes of their names."""
    if hasattr(thing, "get_config"):
        return dict(thing.get_config())
    return arguments_of(thing)


def _number(value: Any) -> Any:
    if isinstance(value, float) and not math.isfinite(value):
        return {"$float": str(value)}
    return value


def _mapping(value: Mapping[Any, Any]) -> Any:
    plain = all(isinstance(key, str) and not key.startswith("$") for key in value)
    if plain:
        return {key: to_json(part) for key, part in value.items()}
    return {"$pairs": [[to_json(key), to_json(part)] for key, part in value.items()]}


def _thing(value: Any) -> Any:
    """A class is written like an object made without arguments."""
    kind = value if isinstance(value, type) else type(value)
    if kind in _models() and not isinstance(value, type):
        return {"$class": _name_of(kind, "classes"), "config": value.get_config()}
    if isinstance(value, type) or not _is_function(value):
        config = {} if isinstance(value, type) else config_of(value)
        return {"$class": _name_of(kind, "classes"), "config": to_json(config)}
    return {"$function": _name_of(value, "functions")}


def _models() -> list[type]:
    """The classes whose configuration is the description of a model, which is JSON already."""
    return [kind for name, kind in _known("classes").items() if name.startswith("models/")]


def _is_function(value: Any) -> bool:
    return hasattr(value, "__name__") or any(known is value for known in _known("functions").values())


def _name_of(thing: Any, what: str) -> str:
    for name, known in _known(what).items():
        if known is thing:
            return name
    name = getattr(thing, "__name__", None) or type(thing).__name__
    name = next((key for key, known in _registered.items() if known is thing), name)
    return f"{_CUSTOM}/{_handed_over(thing, name)}"


@contextmanager
def at_hand() -> Iterator[dict[str, Any]]:
    """What descriptions made within name of the user's own, as `custom_objects` for a copy in the same process."""
    found: dict[str, Any] = {}
    token = _at_hand.set(found)
    try:
        yield found
    finally:
        _at_hand.reset(token)


def _handed_over(thing: Any, name: str) -> str:
    """The name by which a copy in the same process finds the thing: two functions may be called ``<lambda>``."""
    given = _at_hand.get()
    if given is None:
        return name
    free = (key for i in count() if given.get(key := f"{name}_{i}" if i else name, thing) is thing)
    given[found := next(free)] = thing
    return found


def _marked(mark: str, data: dict[str, Any], custom: Objects, owner: str) -> Any:
    inside = data[f"${mark}"]
    if mark == "float":
        if inside not in ("nan", "inf", "-inf"):
            raise FormatError(f"found the number {shown(inside)}, expected nan, inf or -inf")
        return float(inside)
    if mark == "array":
        return decoded_array(inside)
    if mark == "class":
        return _object(inside, data["config"], custom, owner)
    if mark == "function":
        return _found(inside, "functions", custom, owner)
    if not isinstance(inside, list):
        raise FormatError(f"found {shown(inside)}, expected a list")
    if mark == "tuple":
        return tuple(from_json(part, custom, owner) for part in inside)
    return dict(_pair(part, custom, owner) for part in inside)


def _pair(pair: Any, custom: Objects, owner: str) -> tuple[Any, Any]:
    if not isinstance(pair, list) or len(pair) != 2 or isinstance(pair[0], list | dict):
        raise FormatError(f"found {shown(pair)}, expected a key and a value")
    return pair[0], from_json(pair[1], custom, owner)


def _object(name: Any, data: Any, custom: Objects, owner: str) -> Any:
    kind = _found(name, "classes", custom, owner)
    if not isinstance(data, dict):
        raise FormatError(f"the arguments of {name} are {shown(data)}, expected an object")
    if kind in _models():
        return kind.from_config(data, custom)
    own = data.get("name")
    config = from_json(data, custom, own if isinstance(own, str) else owner)
    try:
        return kind.from_config(config) if hasattr(kind, "from_config") else kind(**config)
    except FormatError:
        raise
    except GraphdlError as error:
        raise FormatError(f"{name}: {error}") from None
    except Exception as error:
        # What a file says may break a constructor anywhere.
        raise FormatError(f"{name} cannot be made of {shown(data)}: {error!r:.200}") from None


def _found(name: Any, what: str, custom: Objects, owner: str) -> Any:
    """The class or function called `name` in the closed list, or among those that the user hands over."""
    if not isinstance(name, str):
        raise FormatError(f"found the name {shown(name)}, expected a text")
    known = _known(what)
    if name in known:
        return known[name]
    package, _, own = name.partition("/")
    if package != _CUSTOM:
        raise FormatError(f"there is no {name!r} here.{did_you_mean(name, known)}")
    given = {**_registered, **custom}
    for key in (own, owner):
        if key in given:
            return given[key]
    whose = f" of {owner!r}" if owner else ""
    hint = repr(own if own.isidentifier() else owner or own)
    raise FormatError(
        f"the {'class' if what == 'classes' else 'function'} {own!r}{whose} is not one of keras, and files hold no "
        f"code; give it back with load_model(path, custom_objects={{{hint}: ...}})"
        + (f", beside {listed(custom)}" if custom else "")
    )


@cache
def _known(what: str) -> dict[str, Any]:
    """The closed list of classes, or of functions, by ``module/name``."""
    found: dict[str, Any] = {}
    for module in _CLASSES if what == "classes" else _FUNCTIONS:
        for name, value in _public(module).items():
            wanted = isinstance(value, type) if what == "classes" else callable(value) and not isinstance(value, type)
            if wanted and not any(value is known for known in found.values()):
                found[f"{module}/{name}"] = value
    return found


def _public(module: str) -> dict[str, Any]:
    """What the module of keras offers; those that lie deeper are looked for where they are."""
    for path in (f"graphdl.keras.{module}", f"graphdl.keras.optimizers.{module}"):
        try:
            found = importlib.import_module(path)
        except ModuleNotFoundError:
            continue
        names = getattr(found, "__all__", None) or [n for n in vars(found) if not n.startswith("_")]
        own = {name: getattr(found, name, None) for name in names}
        wide = "graphdl." if hasattr(found, "__all__") else "graphdl.keras."
        return {n: v for n, v in own.items() if _is_from(v, wide) and n not in _MAKERS}
    return {}


def _is_from(value: Any, package: str) -> bool:
    home = getattr(value, "__module__", None) or type(value).__module__
    return callable(value) and str(home).startswith(package)
