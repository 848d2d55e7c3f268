"""Random numbers that depend on a key and a stream alone: counter-based, the same wherever they are drawn."""

from __future__ import annotations

from typing import Any

import numpy as xp

Array = Any


def uniform(key: tuple[int, int], stream: int, shape: tuple[int, ...], dtype: Any) -> Array:
    """Numbers on [0, 1) that depend on the seed, the step and the stream alone (Philox, Salmon et al. 2011)."""
    import numpy

    seed, step = key
    philox = numpy.random.Philox(key=[seed, stream], counter=[0, 0, step, 0])
    return xp.asarray(numpy.random.Generator(philox).random(shape, dtype))


def normal(key: tuple[int, int], stream: int, shape: tuple[int, ...], dtype: Any) -> Array:
    """Standard normal numbers that depend on the seed, the step and the stream alone."""
    import numpy

    seed, step = key
    philox = numpy.random.Philox(key=[seed, stream], counter=[0, 0, step, 0])
    return xp.asarray(numpy.random.Generator(philox).standard_normal(shape, dtype))


def truncated_normal(key: tuple[int, int], stream: int, shape: tuple[int, ...], dtype: Any) -> Array:
    """Standard normal numbers, each drawn again until it lies within 2 of 0."""
    import numpy

    seed, step = key
    generator = numpy.random.Generator(numpy.random.Philox(key=[seed, stream], counter=[0, 0, step, 0]))
    numbers = numpy.asarray(generator.standard_normal(shape, dtype))
    far = numpy.abs(numbers) > 2
    while far.any():
        numbers[far] = generator.standard_normal(int(far.sum()), dtype)
        far = numpy.abs(numbers) > 2
    return xp.asarray(numbers)


def permutation(key: tuple[int, int], n: int) -> Array:
    """The order of `n` examples in an epoch; depends on the seed and the epoch alone."""
    import numpy

    seed, epoch = key
    # Below 2**63, so that NumPy reads the key as integers.
    philox = numpy.random.Philox(key=[seed, 2**63 - 1], counter=[0, 0, epoch, 1])
    return numpy.random.Generator(philox).permutation(n)
