"""Initial values of weights, as graph nodes, with the names and defaults of Keras 3."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from graphdl.errors import GraphError
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
from graphdl.keras.lookup import by_name, described, serialize

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


def get(identifier: Any) -> Initializer:
    """The initializer of that name or description, the one given, or a function of shape and dtype as one.

    A number or an array is what it says.
    """
    if isinstance(identifier, type) and issubclass(identifier, Initializer):
        return identifier()
    if isinstance(identifier, Initializer):
        return identifier
    if isinstance(identifier, str):
        return by_name("initializer", identifier, KNOWN)()
    if isinstance(identifier, Mapping):
        return described("initializer", identifier, KNOWN)
    if isinstance(identifier, np.ndarray):
        return Constant(identifier)
    if callable(identifier):
        return FunctionInitializer(identifier)
    raise GraphError(f"an initializer is {identifier!r:.60}, expected a name such as 'glorot_uniform', or an object")


def deserialize(description: Mapping[str, Any]) -> Initializer:
    """The initializer that `serialize` described."""
    return described("initializer", description, KNOWN)


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
