"""How many steps training takes."""

from __future__ import annotations

import math
from typing import NamedTuple

from graphdl.errors import GraphError


class Batches(NamedTuple):
    """The arithmetic of `fit`: `n` examples in batches of `batch`, `epochs` times over.

    >>> found = Batches(1000, 100, 5)
    >>> found.iterations, found.last, found.steps
    (10, 100, 50)
    >>> Batches(1050, 100, 1).last
    50
    """

    n: int
    batch: int
    epochs: int

    @property
    def iterations(self) -> int:
        """Steps in an epoch."""
        return math.ceil(self.n / self.batch)

    @property
    def last(self) -> int:
        """Examples in the last batch of an epoch."""
        return self.n - self.batch * (self.iterations - 1)

    @property
    def steps(self) -> int:
        """Steps in all: so often do the weights change."""
        return self.iterations * self.epochs

    def told(self, language: str) -> str:
        """The sum, with its numbers."""
        texts = _WHOLE if self.last == min(self.batch, self.n) and self.n % self.batch == 0 else _RAGGED
        slots = {**self._asdict(), "iterations": self.iterations, "last": self.last, "steps": self.steps}
        return texts[language].format(**slots).strip("\n")


def batches(n: int = 1000, batch: int = 100, epochs: int = 5) -> Batches:
    """The arithmetic, with numbers checked."""
    for name, value in (("n", n), ("batch", batch), ("epochs", epochs)):
        if isinstance(value, bool) or not isinstance(value, int) or value < 1:
            raise GraphError(f"batches: {name} is {value!r:.40}, expected an integer from 1")
    return Batches(n, batch, epochs)


_WHOLE = {
    "en": """
{n} examples in batches of {batch}, {epochs} epochs:

    {n} / {batch} = {iterations} iterations an epoch
    {iterations} * {epochs} = {steps} steps: the weights change {steps} times
""",
    "ko": """
예제 {n}개, 배치 크기 {batch}, 에포크 {epochs}회:

    {n} / {batch} = 에포크당 이터레이션 {iterations}
    {iterations} * {epochs} = 전체 스텝 {steps}: 가중치가 {steps}번 바뀜
""",
}
_RAGGED = {
    "en": """
{n} examples in batches of {batch}, {epochs} epochs:

    ceil({n} / {batch}) = {iterations} iterations an epoch, the last with {last} examples
    {iterations} * {epochs} = {steps} steps: the weights change {steps} times
""",
    "ko": """
예제 {n}개, 배치 크기 {batch}, 에포크 {epochs}회:

    ceil({n} / {batch}) = 에포크당 이터레이션 {iterations}, 마지막 배치는 예제 {last}개
    {iterations} * {epochs} = 전체 스텝 {steps}: 가중치가 {steps}번 바뀜
""",
}
