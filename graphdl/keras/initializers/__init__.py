"""Initial values of weights, as graph nodes, with the names and defaults of Keras 3."""

from __future__ import annotations

from typing import Any

import numpy as np

from graphdl.keras.initializers.course import CourseTable, course_table
from graphdl.keras.initializers.initializer import (
    Constant,
    FunctionInitializer,
    Identity,
    Initializer,
    Ones,
    RandomNormal,
    RandomUniform,
    TruncatedNormal,
    Zeros,
)
from graphdl.keras.initializers.orthogonal import Orthogonal
from graphdl.keras.initializers.scaling import (
    TRUNCATED_STDDEV,
    GlorotNormal,
    GlorotUniform,
    HeNormal,
    HeUniform,
    LecunNormal,
    LecunUniform,
    VarianceScaling,
    fans,
)
from graphdl.keras.initializers.stft import STFT
from graphdl.keras.lookup import Kind, serialize

KNOWN: dict[str, type[Initializer]] = {
    "zeros": Zeros,
    "ones": Ones,
    "constant": Constant,
    "identity": Identity,
    "random_uniform": RandomUniform,
    "random_normal": RandomNormal,
    "truncated_normal": TruncatedNormal,
    "variance_scaling": VarianceScaling,
    "glorot_uniform": GlorotUniform,
    "glorot_normal": GlorotNormal,
    "he_uniform": HeUniform,
    "he_normal": HeNormal,
    "lecun_uniform": LecunUniform,
    "lecun_normal": LecunNormal,
    "orthogonal": Orthogonal,
    "stft": STFT,
}
KNOWN |= {made.__name__: made for made in list(KNOWN.values())}
# What notes write for short, or wrote for Keras 2.
KNOWN |= {
    "zero": Zeros,
    "one": Ones,
    "uniform": RandomUniform,
    "normal": RandomNormal,
    "xavier_uniform": GlorotUniform,
    "xavier_normal": GlorotNormal,
    "IdentityInitializer": Identity,
    "OrthogonalInitializer": Orthogonal,
    "STFTInitializer": STFT,
}


_KIND: Kind[Initializer] = Kind("an initializer", Initializer, KNOWN, "a name such as 'glorot_uniform', or an object")
deserialize = _KIND.deserialize


def get(identifier: Any) -> Initializer:
    """The initializer of that name or description, the one given, or a function of shape and dtype as one.

    An array is what it says.
    """
    return Constant(identifier) if isinstance(identifier, np.ndarray) else _KIND.get(identifier, FunctionInitializer)


# As Keras calls these classes, too.
IdentityInitializer, OrthogonalInitializer, STFTInitializer = Identity, Orthogonal, STFT
zeros, ones, constant, identity = Zeros, Ones, Constant, Identity
random_uniform, random_normal, truncated_normal = RandomUniform, RandomNormal, TruncatedNormal
variance_scaling, orthogonal, stft = VarianceScaling, Orthogonal, STFT
glorot_uniform, glorot_normal = GlorotUniform, GlorotNormal
he_uniform, he_normal, lecun_uniform, lecun_normal = HeUniform, HeNormal, LecunUniform, LecunNormal

__all__ = [
    "KNOWN",
    "STFT",
    "TRUNCATED_STDDEV",
    "Constant",
    "CourseTable",
    "FunctionInitializer",
    "GlorotNormal",
    "GlorotUniform",
    "HeNormal",
    "HeUniform",
    "Identity",
    "IdentityInitializer",
    "Initializer",
    "LecunNormal",
    "LecunUniform",
    "Ones",
    "Orthogonal",
    "OrthogonalInitializer",
    "RandomNormal",
    "RandomUniform",
    "STFTInitializer",
    "TruncatedNormal",
    "VarianceScaling",
    "Zeros",
    "course_table",
    "deserialize",
    "fans",
    "get",
    "serialize",
]
