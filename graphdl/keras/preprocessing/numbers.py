"""Numbers on one scale, classes as rows, examples in two parts: what is learnt from the training examples is kept."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Self

import numpy as np

from graphdl.errors import DataError, GraphError
from graphdl.keras.layers import Normalization

Array = np.ndarray[Any, Any]


def one_hot(x: Any, num_classes: int | None = None) -> Array:
    """Class numbers as rows of zeros with a one, as `keras.utils.to_categorical` makes them."""
    from graphdl.keras.utils import to_categorical

    return to_categorical(x, num_classes)


to_categorical = one_hot


class Scaler:
    """Learns from the training examples how to bring each feature to one scale, and does it to any others.

    ``(x - offset) / scale`` for each feature; `layer` is the same as the first layer of a model.
    """

    offset: Array | None = None
    scale: Array | None = None

    def fit(self, x: Any) -> Self:
        """Learn from the examples `x`, a row each."""
        self.offset, scale = self.measured(_rows(type(self).__name__, x))
        # A feature that is always the same stays as it is, at 0.
        self.scale = np.where(scale == 0, 1.0, scale)
        return self

    def measured(self, x: Array) -> tuple[Array, Array]:
        """What each feature is moved by, and what it is divided by."""
        raise NotImplementedError

    def transform(self, x: Any) -> Array:
        """`x` on the scale of the training examples, float64."""
        offset, scale = self._learnt()
        return (self._like_training(x) - offset) / scale

    def fit_transform(self, x: Any) -> Array:
        """Learn from `x`, and bring it to that scale."""
        return self.fit(x).transform(x)

    def inverse_transform(self, x: Any) -> Array:
        """From that scale back to what was measured."""
        offset, scale = self._learnt()
        return self._like_training(x) * scale + offset

    def layer(self, **arguments: Any) -> Any:
        """A layer that does what `transform` does, so the model takes examples as they were measured.

        Its numbers are saved with the model and written into its script.
        """
        offset, scale = self._learnt()
        return Normalization(mean=offset, variance=np.square(scale), **arguments)

    def _learnt(self) -> tuple[Array, Array]:
        if self.offset is None or self.scale is None:
            raise GraphError(f"{type(self).__name__} has seen no examples; call fit(x_train) first")
        return self.offset, self.scale

    def _like_training(self, x: Any) -> Array:
        rows, (offset, _) = _rows(type(self).__name__, x), self._learnt()
        if rows.shape[-1] != offset.shape[-1]:
            raise DataError(
                f"{type(self).__name__}: found {rows.shape[-1]} features, it was fitted to {offset.shape[-1]}"
            )
        return rows


class StandardScaler(Scaler):
    """Mean 0 and standard deviation 1 for each feature of the training examples."""

    def measured(self, x: Array) -> tuple[Array, Array]:
        """Means and standard deviations."""
        return x.mean(axis=0), x.std(axis=0)


class MinMaxScaler(Scaler):
    """From `low` to `high` for each feature of the training examples."""

    def __init__(self, low: float = 0.0, high: float = 1.0) -> None:
        if not low < high:
            raise GraphError(f"MinMaxScaler: found low={low} and high={high}, expected low below high")
        self.low, self.high = low, high

    def measured(self, x: Array) -> tuple[Array, Array]:
        """So that the least becomes `low` and the greatest `high`."""
        least, greatest = x.min(axis=0), x.max(axis=0)
        span = np.where(greatest == least, 1.0, greatest - least) / (self.high - self.low)
        return least - self.low * span, span


def standardize(x_train: Any, *others: Any) -> tuple[Array, ...]:
    """`x_train` with mean 0 and standard deviation 1 for each feature, and the others on its scale."""
    scaler = StandardScaler().fit(x_train)
    return tuple(scaler.transform(x) for x in (x_train, *others))


def min_max(x_train: Any, *others: Any) -> tuple[Array, ...]:
    """`x_train` from 0 to 1 for each feature, and the others on its scale."""
    scaler = MinMaxScaler().fit(x_train)
    return tuple(scaler.transform(x) for x in (x_train, *others))


def train_test_split(
    *arrays: Any, test_size: float | int = 0.25, seed: int = 0, shuffle: bool = True, stratify: Any = None
) -> list[Array]:
    """Each array in two parts, the same examples in each: ``x_train, x_test, y_train, y_test = ...(x, y)``.

    test_size  a share of the examples, or their number
    seed       decides which examples; the same seed, the same parts
    stratify   class numbers: every class has its share in both parts

    DataError where the arrays differ in length, or a part is empty.
    """
    found = [np.asarray(array) for array in arrays]
    lengths = [len(array) for array in found]
    if not found or len(set(lengths)) > 1:
        raise DataError(f"train_test_split: found arrays of lengths {lengths}, expected one length")
    n = lengths[0]
    count = _test_count(n, test_size)
    order = np.random.Generator(np.random.Philox(seed)).permutation(n) if shuffle else np.arange(n)
    test = _spread(order, np.asarray(stratify), count) if stratify is not None else order[n - count :]
    train = order[~np.isin(order, test)]
    return [array[part] for array in found for part in (train, test)]


def _test_count(n: int, size: float | int) -> int:
    whole = isinstance(size, int | np.integer) and not isinstance(size, bool)
    count = int(size) if whole else int(np.ceil(n * size))
    if not 0 < count < n:
        raise DataError(f"train_test_split: test_size={size!r} of {n} examples leaves {count} to test on")
    return count


def _spread(order: Array, classes: Array, count: int) -> Array:
    """`count` examples in which each class has its share; the largest remainders get the rest."""
    if classes.shape != order.shape:
        raise DataError(f"train_test_split: stratify has shape {classes.shape}, expected {order.shape}")
    names, numbers = np.unique(classes, return_counts=True)
    exact = numbers * count / len(order)
    shares = np.floor(exact).astype(int)
    for place in np.argsort(shares - exact, kind="stable")[: count - shares.sum()]:
        shares[place] += 1
    chosen = [order[classes[order] == name][:share] for name, share in zip(names, shares, strict=True)]
    return np.concatenate(chosen)


def _rows(who: str, x: Any) -> Array:
    array = np.asarray(x)
    if array.dtype.kind not in "biuf" or array.ndim < 2 or not len(array):
        raise DataError(f"{who}: found {array.dtype}{list(array.shape)}, expected numbers, a row an example")
    rows = array.astype("float64")
    bad = ~np.isfinite(rows)
    if bad.any():
        place: Sequence[int] = tuple(np.argwhere(bad)[0])
        raise DataError(f"{who}: found {rows[tuple(place)]} at row {place[0]}, column {place[1]}")
    return rows


__all__ = [
    "MinMaxScaler",
    "Scaler",
    "StandardScaler",
    "min_max",
    "one_hot",
    "standardize",
    "to_categorical",
    "train_test_split",
]
