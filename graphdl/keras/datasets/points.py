"""Points in the plane to learn from: the data sets of TensorFlow's playground, by its formulas."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from graphdl.keras.checks import integer, number
from graphdl.keras.lookup import by_name

Array = np.ndarray[Any, Any]
Maker = Callable[[np.random.Generator, int, float], tuple[Array, Array]]

_RADIUS = 5.0
# Between the quadrants of XOR, where no point lies.
_GAP = 0.3
_PLANE = 6.0
# The hills and valleys of "multi_gauss": middle, and 1 for up or -1 for down.
_HILLS = ((-4, 2.5, 1), (0, 2.5, -1), (4, 2.5, 1), (-4, -2.5, -1), (0, -2.5, 1), (4, -2.5, -1))
_HILL_RADIUS = 2.0


def toy(kind: str, n: int = 500, noise: float = 0.0, seed: int = 0) -> tuple[Array, Array]:
    """``(x, y)``: `n` points of the plane and what to predict for them, always the same for the same arguments.

    x  float32 (n, 2)   about from -6 to 6
    y  int64 (n,)       class 0 or 1, for "circle", "xor", "gauss" and "spiral"
       float32 (n,)     a number from -1 to 1, for "plane" and "multi_gauss"

    kind   "circle": a disk (1) in a ring (0); "xor": quadrants, 1 where x1 x2 >= 0; "gauss": two clouds; "spiral": two
           arms; "plane": a slope along x1 + x2; "multi_gauss": six hills and valleys
    noise  from 0 to 1, as the playground's slider shows it from 0 to 100: shifts points across the borders
    """
    make = by_name("toy data set", kind, _KNOWN)
    random = np.random.Generator(np.random.Philox(integer("seed", seed, 0)))
    x, y = make(random, integer("n", n), number("toy: noise", noise, 0, 1))
    order = random.permutation(n)
    return x.astype("float32")[order], y[order]


def _circle(random: np.random.Generator, n: int, noise: float) -> tuple[Array, Array]:
    """Half of the points lie within half the radius, the others beyond seven tenths; a shifted place decides."""
    inner = np.arange(n) < n // 2
    radius = np.where(inner, random.uniform(0, 0.5, n), random.uniform(0.7, 1, n)) * _RADIUS
    angle = random.uniform(0, 2 * np.pi, n)
    x = np.stack([radius * np.sin(angle), radius * np.cos(angle)], axis=1)
    seen = x + random.uniform(-_RADIUS, _RADIUS, (n, 2)) * noise
    return x, (np.hypot(seen[:, 0], seen[:, 1]) < 0.5 * _RADIUS).astype("int64")


def _xor(random: np.random.Generator, n: int, noise: float) -> tuple[Array, Array]:
    x = random.uniform(-_RADIUS, _RADIUS, (n, 2))
    x += np.where(x > 0, _GAP, -_GAP)
    seen = x + random.uniform(-_RADIUS, _RADIUS, (n, 2)) * noise
    return x, (seen[:, 0] * seen[:, 1] >= 0).astype("int64")


def _gauss(random: np.random.Generator, n: int, noise: float) -> tuple[Array, Array]:
    """Clouds around (2, 2) and (-2, -2), whose variance grows with the noise from 1/2 to 4 at one half."""
    y = (np.arange(n) < n // 2).astype("int64")
    spread = np.sqrt(0.5 + 7 * noise)
    return np.where(y, 2.0, -2.0)[:, None] + random.normal(0, spread, (n, 2)), y


def _spiral(random: np.random.Generator, n: int, noise: float) -> tuple[Array, Array]:
    """Two arms of one and three quarter turns, the second half a turn behind the first."""
    counts = (n - n // 2, n // 2)
    share = np.concatenate([np.arange(count) / count for count in counts])
    y = np.repeat([1, 0], counts)
    angle = 1.75 * share * 2 * np.pi + np.where(y == 1, 0, np.pi)
    arms = (share * _RADIUS)[:, None] * np.stack([np.sin(angle), np.cos(angle)], axis=1)
    return arms + random.uniform(-1, 1, (n, 2)) * noise, y.astype("int64")


def _plane(random: np.random.Generator, n: int, noise: float) -> tuple[Array, Array]:
    x = random.uniform(-_PLANE, _PLANE, (n, 2))
    seen = x + random.uniform(-_PLANE, _PLANE, (n, 2)) * noise
    return x, np.clip(seen.sum(axis=1) / 10, -1, 1).astype("float32")


def _multi_gauss(random: np.random.Generator, n: int, noise: float) -> tuple[Array, Array]:
    """At each point the hill or valley that is felt most: 1 at its middle, falling straight to 0 at its radius."""
    x = random.uniform(-_PLANE, _PLANE, (n, 2))
    seen = x + random.uniform(-_PLANE, _PLANE, (n, 2)) * noise
    hills = np.array(_HILLS)
    away = np.hypot(*(seen[:, None, :] - hills[None, :, :2]).transpose(2, 0, 1))
    felt = hills[:, 2] * np.clip(1 - away / _HILL_RADIUS, 0, 1)
    return x, felt[np.arange(n), np.abs(felt).argmax(axis=1)].astype("float32")


_KNOWN: dict[str, Maker] = {
    "circle": _circle,
    "xor": _xor,
    "gauss": _gauss,
    "spiral": _spiral,
    "plane": _plane,
    "multi_gauss": _multi_gauss,
}
