"""Losses, metrics, optimizers, activations and initializers by the names that Keras users write."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, TypeVar

from graphdl.errors import GraphError, did_you_mean, listed

T = TypeVar("T")


def by_name(kind: str, name: str, known: Mapping[str, T]) -> T:
    """The entry of `known` called `name`, in whatever case; GraphError with a suggestion when there is none."""
    lower = {key.lower(): value for key, value in known.items()}
    if name.lower() not in lower:
        raise GraphError(f"there is no {kind} {name!r}.{did_you_mean(name, known)} There is {listed(known)}")
    return lower[name.lower()]


def refuse_unknown(what: str, arguments: Mapping[str, object], known: tuple[str, ...]) -> None:
    """TypeError naming the first argument left over, with a suggestion."""
    for name in arguments:
        raise TypeError(f"{what} takes no {name!r}.{did_you_mean(name, known)} It takes {listed(known)}")


def serialize(thing: Any) -> dict[str, Any]:
    """Class and arguments of an object, as plain data that `described` reads."""
    return {"class_name": type(thing).__name__, "config": thing.get_config()}


def described(kind: str, description: Mapping[str, Any], known: Mapping[str, Callable[..., T]]) -> T:
    """The object that `serialize` described: class `class_name`, made with the arguments in `config`."""
    if "class_name" not in description or not set(description) <= {"class_name", "config"}:
        raise GraphError(
            f"the description of this {kind} has {listed(description) or 'nothing'}, expected 'class_name' and 'config'"
        )
    made = by_name(kind, str(description["class_name"]), known)
    return made(**description.get("config", {}))


def regularizer_of(identifier: Any) -> Any:
    """The regularizer that a layer's argument names; None for none."""
    from graphdl.keras import regularizers

    return regularizers.get(identifier)


def constraint_of(identifier: Any) -> Any:
    """The constraint that a layer's argument names; None for none."""
    from graphdl.keras import constraints

    return constraints.get(identifier)
