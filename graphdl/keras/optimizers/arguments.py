"""What optimizers are told: arguments that all of them take, checked, and the spellings of older notes."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable
from typing import Any

from graphdl.errors import GraphError
from graphdl.keras.checks import integer, number
from graphdl.keras.lookup import refuse_unknown

# What every optimizer takes beside its own arguments, with Keras' defaults.
COMMON: dict[str, Any] = {
    "name": None,
    "weight_decay": None,
    "clipnorm": None,
    "clipvalue": None,
    "global_clipnorm": None,
    "use_ema": False,
    "ema_momentum": 0.99,
    "ema_overwrite_frequency": None,
    "gradient_accumulation_steps": None,
    "decay": 0.0,
}
OLD_SPELLINGS = {"lr": "learning_rate", "beta1": "beta_1", "beta2": "beta_2", "eps": "epsilon"}
_CLIPS = ("clipnorm", "clipvalue", "global_clipnorm")


def spelled(init: Callable[..., None]) -> Callable[..., None]:
    """`init` that also takes the old spellings of its arguments."""
    own = inspect.signature(init).parameters
    known = {old: new for old, new in OLD_SPELLINGS.items() if new in own}

    @functools.wraps(init)
    def understanding(self: Any, *args: Any, **kwargs: Any) -> None:
        for old in known.keys() & kwargs.keys():
            if known[old] in kwargs:
                raise TypeError(f"{type(self).__name__} found both {known[old]!r} and {old!r}, an old spelling of it")
            kwargs[known[old]] = kwargs.pop(old)
        init(self, *args, **kwargs)

    return understanding


def common_arguments(owner: str, own: tuple[str, ...], given: dict[str, Any]) -> dict[str, Any]:
    """`given` with defaults, checked; TypeError for a word that no optimizer knows."""
    if given.pop("loss_scale_factor", None) is not None:
        raise GraphError(f"{owner}: loss_scale_factor is for half precision; graphdl computes in float32 or float64")
    left = {word: value for word, value in given.items() if word not in COMMON}
    refuse_unknown(owner, left, (*own, *COMMON))
    found = {**COMMON, **given}
    _check_clips(owner, found)
    for word in ("weight_decay", "decay"):
        if found[word] is not None:
            number(f"{owner}: {word}", found[word])
    number(f"{owner}: ema_momentum", found["ema_momentum"], 0, 1)
    for word, least in (("ema_overwrite_frequency", 1), ("gradient_accumulation_steps", 2)):
        if found[word] is not None:
            integer(f"{owner}: {word}", found[word], least)
    return found


def _check_clips(owner: str, found: dict[str, Any]) -> None:
    chosen = [word for word in _CLIPS if found[word] is not None]
    if len(chosen) > 1:
        raise GraphError(f"{owner} takes one of clipnorm, clipvalue and global_clipnorm, found {' and '.join(chosen)}")
    for word in chosen:
        number(f"{owner}: {word}", found[word])
