"""Identifiers of generated code: one namespace, every one of them made here, none taken as the user wrote it."""

from __future__ import annotations

import builtins
import keyword
import re
from collections.abc import Iterable

_UNSAFE = re.compile(r"[^0-9a-zA-Z_]+")
_LONGEST = 40

# What a stand-alone script defines around a program. Taken in every program, so that its text is the same in both.
SCRIPT_NAMES = (
    *("argparse", "base64", "hashlib", "io", "os", "sys", "np"),
    *("EPOCHS", "BATCH_SIZE", "LEARNING_RATE", "SEED", "SHUFFLE", "FEEDS", "SCORES", "STATE", "WEIGHTS", "RATES"),
    *("SCHEDULE", "AVERAGES", "AT_ONCE", "batches", "write", "shape_of", "sizes_of"),
    *("INPUTS", "OUTPUTS", "EXAMPLES", "ARRAYS", "SCORED", "RUNNING", "SUMS", "added", "averaged"),
    *("initial_values", "predict", "score", "permutation", "unpacked", "load_data", "read_table", "as_fed", "start"),
    *("train_step", "train", "evaluate", "outputs", "digest", "save", "arguments", "main"),
)


class Namer:
    """Gives out Python identifiers, each once: ``dense/kernel`` becomes ``dense_kernel``, then ``dense_kernel_1``."""

    def __init__(self, reserved: Iterable[str] = ()) -> None:
        self._taken = {*keyword.kwlist, *keyword.softkwlist, *dir(builtins), "xp", *reserved}
        self._counts: dict[str, int] = {}

    def has(self, name: str) -> bool:
        """Whether `name` is taken."""
        return name in self._taken

    def reserve(self, names: Iterable[str]) -> None:
        """Give these names to nobody."""
        self._taken.update(names)

    def fresh(self, label: str) -> str:
        """An identifier like `label` that nobody has yet."""
        base = identifier(label)
        if base not in self._taken:
            self._taken.add(base)
            return base
        count = self._counts.get(base, 0) + 1
        while f"{base}_{count}" in self._taken:
            count += 1
        self._counts[base] = count
        self._taken.add(f"{base}_{count}")
        return f"{base}_{count}"


def identifier(label: str) -> str:
    """ASCII letters, digits and single underscores of `label`, starting with a letter.

    >>> identifier('dense/kernel'), identifier('"; import os'), identifier('3x')
    ('dense_kernel', 'import_os', 'v3x')
    """
    text = _UNSAFE.sub("_", label).strip("_")[:_LONGEST].rstrip("_")
    return text if text and not text[0].isdigit() else f"v{text}"
