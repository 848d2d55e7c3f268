"""Names of files: one for each step, from a pattern such as ``steps-%03d.svg`` or from a plain name."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

_PLACE = re.compile(r"%0?(\d?)d", re.ASCII)
_LEAST_DIGITS = 3


def is_pattern(path: str | Path) -> bool:
    """Whether the name has a place for the number of a step.

    >>> is_pattern("steps-%03d.svg"), is_pattern("100%.svg")
    (True, False)
    """
    return _PLACE.search(Path(path).name) is not None


def numbered(path: str | Path, steps: Sequence[int], total: int) -> list[Path]:
    """The files for `steps`, counted from 0, of `total`; names count from 1, as the step log does.

    >>> [str(file) for file in numbered("steps.svg", [0, 6], 14)]
    ['steps-001.svg', 'steps-007.svg']
    >>> [str(file) for file in numbered("%d of 100%%.png", [0, 6], 14)]
    ['1 of 100%.png', '7 of 100%.png']
    """
    given = Path(path)
    digits = max(_LEAST_DIGITS, len(str(total)))
    name = given.name if is_pattern(given) else f"{given.stem.replace('%', '%%')}-%0{digits}d{given.suffix}"
    return [given.with_name(_filled(name, step + 1)) for step in steps]


def _filled(name: str, number: int) -> str:
    """The number in its place; no other percent sign means anything."""
    return _PLACE.sub(lambda found: f"{number:0{found[1] or 1}d}", name, count=1).replace("%%", "%")
