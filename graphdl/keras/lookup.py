"""Losses, metrics, optimizers and the like: found by the names that users write, described, and made again."""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Generic, Self, TypeVar

import numpy as np

from graphdl.errors import GraphError, did_you_mean, listed

T = TypeVar("T")


def by_name(kind: str, name: str, known: Mapping[str, T]) -> T:
    """The entry of `known` called `name`, in whatever case; GraphError with a suggestion when there is none."""
    lower = {key.lower(): value for key, value in known.items()}
    if name.lower() not in lower:
        raise GraphError(f"there is no {kind} {name!r}.{did_you_mean(name, known)} There is {listed(known)}")
    return lower[name.lower()]


def snake_case(name: str) -> str:
    """Keras' way from a class to a layer's name.

    >>> snake_case("InputLayer"), snake_case("ReLU"), snake_case("Dense")
    ('input_layer', 're_lu', 'dense')
    """
    return re.sub(r"(?<=[a-z])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])", "_", name).lower()


def refuse_unknown(what: str, arguments: Mapping[str, object], known: tuple[str, ...]) -> None:
    """TypeError naming the first argument left over, with a suggestion."""
    for name in arguments:
        raise TypeError(f"{what} takes no {name!r}.{did_you_mean(name, known)} It takes {listed(known)}")


class Configured:
    """What is made again from its arguments, which it keeps under their names."""

    def get_config(self) -> dict[str, Any]:
        """The arguments it was made with."""
        return arguments_of(self)

    @classmethod
    def from_config(cls, config: Mapping[str, Any]) -> Self:
        """One like it, of these arguments."""
        return cls(**config)

    def __repr__(self) -> str:
        default = {p.name: p.default for p in parameters_of(type(self))}
        if "name" in default:
            default["name"] = getattr(type(self), "name", default["name"])
        found = {word: getattr(self, word, value) for word, value in default.items() if word in self.__dict__}
        changed = [f"{word}={value!r}" for word, value in found.items() if np.ndim(value) or value != default[word]]
        return f"{type(self).__name__}({', '.join(changed)})"


def parameters_of(kind: type) -> Iterator[inspect.Parameter]:
    """The arguments that have names of their own."""
    for parameter in inspect.signature(kind).parameters.values():
        if parameter.kind not in (parameter.VAR_POSITIONAL, parameter.VAR_KEYWORD):
            yield parameter


def arguments_of(thing: Any) -> dict[str, Any]:
    """The arguments to make another like `thing`: its attributes of their names; GraphError where one is not kept."""
    found: dict[str, Any] = {}
    for parameter in parameters_of(type(thing)):
        name = parameter.name
        if hasattr(thing, name):
            found[name] = getattr(thing, name)
        elif name != "seed":
            raise GraphError(
                f"{type(thing).__name__} cannot be saved: it keeps no {name!r}; give it a method get_config() that "
                "returns the arguments it was made with"
            )
    return found


def serialize(thing: Any) -> dict[str, Any]:
    """Class and arguments of an object, as plain data that `deserialize` reads."""
    return {"class_name": type(thing).__name__, "config": thing.get_config()}


@dataclass(frozen=True)
class Kind(Generic[T]):
    """One kind of objects, such as "a loss": the class they have in common, those of ours by name, what is expected."""

    name: str
    base: type[T]
    known: Mapping[str, Callable[..., T]]
    expected: str
    # Whether a name alone will do, without arguments.
    has_names: bool = True

    def get(self, identifier: Any, of_function: Callable[[Any], T] | None = None) -> T:
        """The object of that name, description or class, or the one given; of a function what `of_function` makes."""
        if isinstance(identifier, str) and self.has_names:
            return by_name(self.called, identifier, self.known)()
        if isinstance(identifier, self.base):
            return identifier
        if isinstance(identifier, Mapping):
            return self.deserialize(identifier)
        if isinstance(identifier, type) and issubclass(identifier, self.base):
            return identifier()
        if callable(identifier) and of_function is not None:
            return of_function(identifier)
        raise GraphError(f"{self.name} is {identifier!r:.60}, expected {self.expected}")

    @property
    def called(self) -> str:
        """The name without its article."""
        return self.name.split(maxsplit=1)[1]

    def deserialize(self, description: Mapping[str, Any]) -> T:
        """The object that `serialize` described: class `class_name`, made with the arguments in `config`."""
        if "class_name" not in description or not set(description) <= {"class_name", "config"}:
            found = listed(description) or "nothing"
            raise GraphError(f"the description of this {self.called} has {found}, expected 'class_name' and 'config'")
        made = by_name(self.called, str(description["class_name"]), self.known)
        return made(**description.get("config", {}))
