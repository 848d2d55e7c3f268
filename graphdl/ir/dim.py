"""Sizes of axes: integers, and integer polynomials in named sizes such as ``N`` or ``2*N + 1``."""

from __future__ import annotations

import keyword
import re
from collections.abc import Iterable, Mapping
from functools import lru_cache, reduce
from operator import mul

from graphdl.errors import ShapeError

Monomial = tuple[str, ...]

_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_]{0,30}\Z")


class SymDim:
    """A polynomial with integer coefficients in named sizes; immutable, printed as Python.

    >>> N = symbol("N")
    >>> str(N * 2 + 1), (N + N) == 2 * N, N - N
    ('2*N + 1', True, 0)
    """

    __slots__ = ("_hash", "terms")

    terms: tuple[tuple[Monomial, int], ...]

    def __init__(self, terms: tuple[tuple[Monomial, int], ...]) -> None:
        self.terms = terms
        self._hash = hash(terms)

    def __hash__(self) -> int:
        return self._hash

    def __eq__(self, other: object) -> bool:
        return isinstance(other, SymDim) and self.terms == other.terms

    def __add__(self, other: Dim) -> Dim:
        total = dict(self.terms)
        for monomial, factor in _terms(other):
            total[monomial] = total.get(monomial, 0) + factor
        return _normal(total)

    def __mul__(self, other: Dim) -> Dim:
        total: dict[Monomial, int] = {}
        for left, p in self.terms:
            for right, q in _terms(other):
                key = tuple(sorted(left + right))
                total[key] = total.get(key, 0) + p * q
        return _normal(total)

    def __neg__(self) -> Dim:
        return self * -1

    def __sub__(self, other: Dim) -> Dim:
        return self + -other

    def __rsub__(self, other: int) -> Dim:
        return -self + other

    __radd__ = __add__
    __rmul__ = __mul__

    def __str__(self) -> str:
        text = " + ".join(_term_text(m, f) for m, f in sorted(self.terms, key=_by_degree))
        return text.replace("+ -", "- ")

    __repr__ = __str__

    def __reduce__(self) -> tuple[object, ...]:
        return SymDim, (self.terms,)


Dim = int | SymDim
Shape = tuple[Dim, ...]


def symbol(name: str) -> SymDim:
    """The size called `name`; the name must be a plain Python identifier, since programs print it."""
    if not _NAME.match(name) or keyword.iskeyword(name):
        raise ShapeError(f"a symbolic size is named {name!r}, expected a short identifier such as 'N' or 'T'")
    return SymDim((((name,), 1),))


def evaluate(dim: Dim, sizes: Mapping[str, int]) -> int:
    """The integer that `dim` is when each name has the size given.

    >>> evaluate(2 * symbol("N") + 1, {"N": 32})
    65
    """
    if isinstance(dim, int):
        return dim
    return sum(f * reduce(mul, (sizes[name] for name in m), 1) for m, f in dim.terms)


def symbols_of(shape: Iterable[Dim]) -> set[str]:
    """Names of the symbolic sizes in `shape`."""
    return {name for d in shape if isinstance(d, SymDim) for m, _ in d.terms for name in m}


def linear(dim: SymDim) -> tuple[str, int, int] | None:
    """(name, factor, rest) of a size such as ``factor*name + rest``; None for any other polynomial.

    >>> linear(2 * symbol("N") + 1)
    ('N', 2, 1)
    """
    names = symbols_of([dim])
    if len(names) != 1 or any(len(m) > 1 for m, _ in dim.terms):
        return None
    factors = dict(dim.terms)
    name = names.pop()
    return name, factors[name,], factors.get((), 0)


def numel(shape: Iterable[Dim]) -> Dim:
    """Number of elements of an array of this shape."""
    return _product(tuple(shape))


@lru_cache(maxsize=1024)
def _product(shape: tuple[Dim, ...]) -> Dim:
    count: Dim = 1
    for d in shape:
        count = count * d
    return count


def exact_div(total: Dim, part: Dim) -> Dim | None:
    """`total / part` when that is a polynomial again, else None.

    >>> N = symbol("N")
    >>> exact_div(784 * N, N), exact_div(784 * N, 28), exact_div(N, 2)
    (784, 28*N, None)
    """
    if part == 0:
        return None
    if isinstance(total, int) and isinstance(part, int):
        return total // part if total % part == 0 else None
    if total == part:
        return 1
    divisor = _terms(part)
    if len(divisor) == 1:
        return _div_by_monomial(total, *divisor[0])
    lead = _terms(total)[-1][1] // divisor[-1][1] if _terms(total) else 0
    return lead if lead and part * lead == total else None


def _div_by_monomial(total: Dim, names: Monomial, factor: int) -> Dim | None:
    quotient: dict[Monomial, int] = {}
    for monomial, f in _terms(total):
        rest = list(monomial)
        for name in names:
            if name not in rest:
                return None
            rest.remove(name)
        if f % factor:
            return None
        quotient[tuple(rest)] = f // factor
    return _normal(quotient)


def _terms(dim: Dim) -> tuple[tuple[Monomial, int], ...]:
    if isinstance(dim, SymDim):
        return dim.terms
    return (((), int(dim)),) if dim else ()


def _normal(total: Mapping[Monomial, int]) -> Dim:
    terms = tuple(sorted((m, f) for m, f in total.items() if f))
    if not terms:
        return 0
    if len(terms) == 1 and terms[0][0] == ():
        return terms[0][1]
    return SymDim(terms)


def _by_degree(term: tuple[Monomial, int]) -> tuple[int, Monomial]:
    return -len(term[0]), term[0]


def _term_text(monomial: Monomial, factor: int) -> str:
    if not monomial:
        return str(factor)
    names = "*".join(monomial)
    return names if factor == 1 else f"-{names}" if factor == -1 else f"{factor}*{names}"
