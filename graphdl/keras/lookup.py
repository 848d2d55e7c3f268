"""Losses, metrics, optimizers, activations and initializers by the names that Keras users write."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TypeVar

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
