"""How layers are made, and with which arguments."""

from __future__ import annotations

import inspect
from collections.abc import Iterable, Mapping
from typing import Any

from graphdl.keras.calls import Arguments


class LayerType(type):
    """How layers are made: older spellings of arguments are translated, and the arguments are kept."""

    def __call__(cls, *args: Any, **kwargs: Any) -> Any:
        """A layer of this class."""
        renamed: Mapping[str, str] = getattr(cls, "old_names", {})
        kwargs = {renamed.get(name, name): value for name, value in kwargs.items()}
        made = super().__call__(*args, **kwargs)
        made.made_with = Arguments(args, kwargs)
        return made

    @property
    def __signature__(cls) -> inspect.Signature:
        """The arguments of ``__init__``, as help and notebooks show them."""
        own = inspect.signature(cls.__init__)  # type: ignore[misc]
        return own.replace(parameters=list(own.parameters.values())[1:])


def given_to(layer: Any) -> dict[str, Any]:
    """The arguments that the layer was made with, by name."""
    signature = inspect.signature(type(layer).__init__)
    given = signature.bind(layer, *layer.made_with.args, **layer.made_with.kwargs)
    found: dict[str, Any] = {}
    for name, value in list(given.arguments.items())[1:]:
        is_rest = signature.parameters[name].kind is inspect.Parameter.VAR_KEYWORD
        found |= value if is_rest else {name: value}
    return found


def made_from(kind: Any, config: Mapping[str, Any]) -> Any:
    """A layer of these arguments; what every layer has, and its ``__init__`` does not take, it is given afterwards."""
    known = inspect.signature(kind).parameters
    takes_all = any(p.kind is inspect.Parameter.VAR_KEYWORD for p in known.values())
    later = {name for name in ("name", "trainable", "dtype") if name in config and name not in known and not takes_all}
    made = kind(**{name: value for name, value in config.items() if name not in later})
    if "name" in later:
        made.name = made.given_name = config["name"]
    if "trainable" in later:
        made.trainable = config["trainable"]
    if "dtype" in later and config["dtype"] is not None:
        made.dtype, made.given_dtype = config["dtype"], True
    return made


def defaults_of(kinds: Iterable[type]) -> dict[str, Any]:
    """Arguments that need not be given, of classes that hand what they do not know on to the next."""
    found: dict[str, Any] = {}
    for kind in kinds:
        if "__init__" in vars(kind):
            parameters = inspect.signature(kind).parameters.values()
            found = {**{p.name: p.default for p in parameters if p.default is not p.empty}, **found}
    return found


def is_plain(value: Any) -> bool:
    """Whether `value` is a number, a text, a truth value or None, or a list or tuple of them."""
    if isinstance(value, list | tuple):
        return all(map(is_plain, value))
    return value is None or isinstance(value, bool | int | float | str)
