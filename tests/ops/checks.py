"""What every op must do, as functions that raise AssertionError. The registry walk and the mutations share them."""

from __future__ import annotations

import zlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

import graphdl as gd
from graphdl.ir.node import Node
from graphdl.ir.op import Op, Sample, build
from graphdl.ir.registry import all_ops
from graphdl.ir.traverse import ancestors
from graphdl.ir.types import TupleType
from graphdl.ops.parts import pick
from tests.ops.oracles import ORACLES

# Step of a central difference of fourth order: its error is about h^4 from curvature, 1e-16 / h from rounding.
STEP = 3e-4
EXACT = {"float32": 2e-5, "float64": 1e-11}


@dataclass(frozen=True)
class Case:
    """One op tried on one of its samples; with `rows`, the first axis is symbolic and is fed so many rows."""

    op: Op
    sample: Sample
    number: int
    rows: int | None = None

    @property
    def name(self) -> str:
        return self.op.name

    @property
    def slots(self) -> list[int]:
        """Inputs that hold floats."""
        return [i for i, dtype in enumerate(self.dtypes("float64")) if dtype.startswith("float")]

    def dtypes(self, floats: str) -> list[str]:
        named = self.sample.dtypes or ("float",) * len(self.sample.shapes)
        return [floats if dtype == "float" else dtype for dtype in named]

    @property
    def shapes(self) -> list[tuple[int, ...]]:
        return [(self.rows, *s[1:]) if self.rows and s else s for s in self.sample.shapes]

    def arrays(self, floats: str, seed: int = 0) -> list[np.ndarray]:
        """Inputs drawn from the ranges of the sample, the same for every dtype of floats."""
        random = np.random.default_rng([zlib.crc32(self.name.encode()), self.number, seed])
        count = len(self.sample.shapes)
        lows, highs = _each(self.sample.low, count), _each(self.sample.high, count)
        kinds = self.dtypes(floats)
        return [
            _draw(random, shape, low, high, dtype)
            for shape, low, high, dtype in zip(self.shapes, lows, highs, kinds, strict=True)
        ]

    def inputs(self, floats: str) -> list[Node]:
        """A placeholder for each input."""
        known = [("N", *s[1:]) if self.rows and s else s for s in self.sample.shapes]
        typed = zip("abcdef", known, self.dtypes(floats), strict=False)
        return [gd.placeholder(shape, dtype, name=name) for name, shape, dtype in typed]

    def truth(self, arrays: list[np.ndarray]) -> list[np.ndarray]:
        """The results by NumPy, a list even for one."""
        with np.errstate(all="ignore"):
            found = ORACLES[self.name](*arrays, **self.sample.attributes)
        return [np.asarray(v) for v in found] if isinstance(found, list) else [np.asarray(found)]


def all_cases() -> Iterator[Case]:
    """Every sample of every op of the registry."""
    for _, entry in all_ops():
        for number, sample in enumerate(entry.samples):
            yield Case(entry if isinstance(entry, Op) else entry(**sample.attributes), sample, number)


def results(node: Node) -> list[Node]:
    """The results of `node`, which is picked apart where it has several."""
    return [pick(node, i) for i in range(len(node.type.items))] if isinstance(node.type, TupleType) else [node]


def run(fetches: Any, inputs: list[Node], arrays: list[np.ndarray], **settings: Any) -> Any:
    return gd.Session(**settings).run(fetches, dict(zip(inputs, arrays, strict=True)))


def close(found: Any, true: Any, tolerance: float) -> None:
    """Equal within `tolerance` of the largest magnitude, NaN and infinities in the same places."""
    found, true = np.asarray(found, "float64"), np.asarray(true, "float64")
    assert found.shape == true.shape, f"shape {found.shape}, expected {true.shape}"
    np.testing.assert_array_equal(np.isfinite(found), np.isfinite(true))
    np.testing.assert_array_equal(found[~np.isfinite(found)], true[~np.isfinite(true)])
    found, true = found[np.isfinite(found)], true[np.isfinite(true)]
    error = np.abs(found - true).max(initial=0) / max(1.0, np.abs(true).max(initial=0))
    assert error <= tolerance, f"relative error {error:.3g}: {found}, expected {true}"


def check_value(case: Case, floats: str, **settings: Any) -> None:
    """The value is NumPy's, its shape and dtype are those inferred."""
    inputs, arrays = case.inputs(floats), case.arrays(floats)
    nodes = results(build(case.op, *inputs))
    found = run(nodes, inputs, arrays, **settings)
    for node, value, true in zip(nodes, found, case.truth(arrays), strict=True):
        assert value.dtype == node.dtype
        assert case.rows or value.shape == node.shape
        close(value, true, EXACT[floats])


def check_vjp(case: Case, tolerance: float = 1e-7, seed: int = 0) -> int:
    """The chain rule's inner products against differences of NumPy's function, slot by slot; how many slots.

    For a direction v of an input and u of a result, <u, f(x + h v)>' = <vjp(u), v>. Nothing but the op is in the graph.
    """
    inputs, arrays = case.inputs("float64"), case.arrays("float64", seed)
    random = np.random.default_rng(seed + 1)
    wrt = [inputs[i] for i in case.slots]
    checked = set()
    for number, (node, true) in enumerate(zip(results(build(case.op, *inputs)), case.truth(arrays), strict=True)):
        u, weight = random.uniform(0.5, 1.5, true.shape), gd.placeholder(node.shape, "float64")
        slopes = gradients_or_none(node, wrt, weight) if node.tensor.is_float else [None] * len(wrt)
        asked = {slot: slope for slot, slope in zip(case.slots, slopes, strict=True) if slope is not None}
        values = gd.Session().run(asked, dict(zip(inputs, arrays, strict=True)) | {weight: u})
        for slot, value in values.items():
            v = random.standard_normal(arrays[slot].shape)

            def along(h, slot=slot, number=number, u=u, v=v):
                moved = [a + h * v if i == slot else a for i, a in enumerate(arrays)]
                return np.vdot(u, case.truth(moved)[number])

            assert (value.shape, value.dtype) == (v.shape, v.dtype)
            _agree(np.vdot(value, v), slope_at_zero(along), tolerance, f"slot {slot}")
            checked.add(slot)
    return len(checked)


def check_second(case: Case, tolerance: float = 1e-6) -> None:
    """The derivative of the gradient against differences of the gradient."""
    inputs, arrays = case.inputs("float64"), case.arrays("float64")
    random = np.random.default_rng(2)
    loss, weights = weighted(results(build(case.op, *inputs)), _shapes(case.truth(arrays)), random)
    wrt = [inputs[i] for i in case.slots]
    slopes = {slot: s for slot, s in zip(case.slots, gradients_or_none(loss, wrt), strict=True) if s is not None}
    phi, more = weighted(list(slopes.values()), _shapes(arrays[i] for i in slopes), random)
    weights |= more
    bends = {slot: bend for slot, bend in zip(case.slots, gradients_or_none(phi, wrt), strict=True) if bend is not None}
    directions = {slot: random.standard_normal(arrays[slot].shape) for slot in case.slots}
    session = gd.Session()

    def along(h):
        moved = [a + h * directions[i] if i in directions else a for i, a in enumerate(arrays)]
        return session.run(phi, dict(zip(inputs, moved, strict=True)) | weights)

    values = session.run(bends, dict(zip(inputs, arrays, strict=True)) | weights)
    total = sum(np.vdot(value, directions[slot]) for slot, value in values.items())
    _agree(total, slope_at_zero(along), tolerance, "second order")


def weighted(nodes: list[Node], shapes: list[Any], random: np.random.Generator) -> tuple[Node, dict[Node, np.ndarray]]:
    """The sum of all elements of `nodes`, each times a weight that is fed, and random weights to feed."""
    factors = {
        gd.placeholder(node.shape, "float64"): random.uniform(0.5, 1.5, shape) * random.choice([-1, 1], shape)
        for node, shape in zip(nodes, shapes, strict=True)
    }
    parts = [gd.sum(gd.cast(node, "float64") * w) for node, w in zip(nodes, factors, strict=True)]
    return parts[0] if len(parts) == 1 else gd.add_n(*parts), factors


def gradient_slots(case: Case) -> list[int]:
    """Inputs of the op whose gradient is not zero everywhere."""
    inputs = case.inputs("float64")
    nodes = results(build(case.op, *inputs))
    if not case.slots or not nodes[0].tensor.is_float:
        return []
    wrt = [inputs[i] for i in case.slots]
    slopes = zip(*[gradients_or_none(node, wrt, gd.ones(node.shape, "float64")) for node in nodes], strict=True)
    return [slot for slot, parts in zip(case.slots, slopes, strict=True) if any(part is not None for part in parts)]


def has_derivative(case: Case) -> bool:
    """Whether some input of the op has a gradient that is not zero everywhere."""
    return bool(gradient_slots(case))


def gradients_or_none(loss: Node, wrt: list[Node], seed: Any = None, **settings: Any) -> list[Node | None]:
    """Gradients of those in `wrt` that reach the loss by a path with derivatives; None for the others."""
    reached = set(ancestors([loss]))
    asked = [w for w in wrt if w in reached]
    if not asked:
        return [None] * len(wrt)
    found = gd.derive(loss, asked, seed, **settings)
    slopes = dict(zip(asked, found.gradients, strict=True))
    return [None if w not in slopes or w in found.zero_because else slopes[w] for w in wrt]


def slope_at_zero(f: Any, h: float = STEP) -> float:
    """f'(0) by a central difference of fourth order (Fornberg 1988)."""
    return float(8 * (f(h) - f(-h)) - (f(2 * h) - f(-2 * h))) / (12 * h)


def _agree(analytic: float, numeric: float, tolerance: float, what: str) -> None:
    error = abs(analytic - numeric) / max(1.0, abs(numeric))
    assert error <= tolerance, f"{what}: {analytic} by the chain rule, {numeric} by differences"


def _shapes(arrays: Iterable[np.ndarray]) -> list[tuple[int, ...]]:
    return [np.shape(a) for a in arrays]


def _each(bound: Any, count: int) -> list[float]:
    return list(bound) if isinstance(bound, tuple) else [bound] * count


def _draw(random: np.random.Generator, shape: Any, low: float, high: float, dtype: str) -> np.ndarray:
    values = random.uniform(low, high, shape)
    if dtype == "bool":
        return np.asarray(random.integers(0, 2, shape), "bool")
    if dtype.startswith("float"):
        return np.asarray(values, dtype)
    return np.asarray(random.integers(int(low), int(high) + 1, shape), dtype)
