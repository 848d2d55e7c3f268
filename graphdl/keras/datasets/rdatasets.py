"""The data sets that come with R and its packages, as tables (Arel-Bundock, "Rdatasets")."""

from __future__ import annotations

import re

from graphdl.errors import DataError, did_you_mean
from graphdl.keras.datasets.store import fetch
from graphdl.keras.datasets.table import Table, read_table

ADDRESS = "https://vincentarelbundock.github.io/Rdatasets/csv/"
# Package and SHA-256 of those that the examples use.
KNOWN = {
    "CreditCard": ("AER", "3eb5396fd275b2383536a3f1de39b22b9047a93d5c8cb0557bb1b90b1b13e0a9"),
    "infert": ("datasets", "38c7332f1ba72d1b5e68ae634ce4ba0fa32a8e667437276075a8077df42e56d8"),
}
_WORD = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*\Z")


def load(name: str, package: str | None = None) -> Table:
    """The table `name` of an R package, downloaded the first time: ``rdatasets.load("infert").column("age")``.

    The package may stand before the name, as in "AER/CreditCard". The two that examples use are checked against their
    digests. DataError where the file is not in the cache and cannot be downloaded.
    """
    before, _, own = name.rpartition("/")
    found, digest = KNOWN.get(own, ("", None))
    home = package or before or found
    if not home:
        raise DataError(f"which package has {own!r}? Write package/{own}.{did_you_mean(own, KNOWN)}")
    if not _WORD.match(home) or not _WORD.match(own):
        raise DataError(f"{home}/{own} is no name of a data set, expected letters, digits, dots and underscores")
    return read_table(
        fetch(f"rdatasets/{home}/{own}.csv", f"{ADDRESS}{home}/{own}.csv", digest if home == found else None)
    )
