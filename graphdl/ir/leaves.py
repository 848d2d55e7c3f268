"""Nodes without inputs: what is fed, what is trained, what is fixed, what is random, and sizes."""

from __future__ import annotations

from typing import Any

import numpy as np

from graphdl.config import floatx
from graphdl.errors import DTypeError, GraphError
from graphdl.ir import registry
from graphdl.ir.dim import Dim
from graphdl.ir.node import Node
from graphdl.ir.op import Op, Operand, build
from graphdl.ir.types import SHORT, TensorType, as_dtype, as_shape

# What keys random numbers that the session does not: a seed, and which of the streams under it.
Seed = tuple[int, int]


class Leaf(Op):
    """A node without inputs. Two leaves are never the same one, however alike."""

    is_leaf = True
    result: TensorType

    def infer(self) -> TensorType:
        return self.result

    def flops(self, result: TensorType, *inputs: TensorType) -> Dim:
        return 0


class Placeholder(Leaf):
    """A value that every run is fed."""

    name = "placeholder"

    def __init__(self, result: TensorType) -> None:
        self.result = result


class VariableLeaf(Leaf):
    """State that a session holds, starting from the value of the node `initial`."""

    name = "variable"

    def __init__(self, result: TensorType, initial: Node, trainable: bool = True) -> None:
        self.result, self.initial, self.trainable = result, initial, trainable


class Packed(Leaf):
    """The variables `parts` side by side in one flat array, whose views they are. Made by a pass, never by a user."""

    name = "packed"

    def __init__(self, parts: tuple[Node, ...]) -> None:
        self.parts = parts
        total: Dim = 0
        for part in parts:
            total = total + part.tensor.size
        self.result = TensorType(parts[0].dtype, (total,))


class Constant(Leaf):
    """A value that never changes; `value` is a read-only array."""

    name = "constant"

    def __init__(self, value: np.ndarray[Any, Any]) -> None:
        self.value = value
        self.result = TensorType(value.dtype.name, value.shape)

    @property
    def scalar(self) -> float | int | bool | None:
        """The one number, for a constant without axes."""
        return self.value.item() if not self.value.ndim else None


class Noise(Leaf):
    """Random numbers, uniform on [0, 1), standard normal, or normal within 2 of 0; new ones in every run that draws.

    Counter-based: the numbers depend on the session's seed, the step and the leaf, on nothing else. A leaf with a
    `seed` of its own, a pair of seed and stream, draws the same in every session and under every name.
    """

    name = "noise"

    def __init__(self, result: TensorType, kind: str, seed: Seed | None = None) -> None:
        self.result, self.kind, self.seed = result, kind, seed


class Size(Leaf):
    """A symbolic size as a number: ``N`` in ``sum(x) / N``."""

    name = "size"

    def __init__(self, result: TensorType, dim: Dim) -> None:
        self.result, self.dim = result, dim

    def lower(self, *inputs: Operand) -> str:
        return str(self.dim)


for _leaf in (Placeholder, VariableLeaf, Packed, Constant, Noise, Size):
    registry.register_op(_leaf.name, _leaf)


def placeholder(shape: Any = (), dtype: Any = None, name: str | None = None) -> Node:
    """A value to be fed: ``placeholder((None, 784), name="x")`` is ``f32[N, 784]``.

    None as the first size is the batch size ``N``; a text is a symbolic size of that name. TensorFlow's
    order, ``placeholder(gd.float32, [None, 784])``, is understood too; `graphdl.tf` has its keywords as well.

    Raises ShapeError for a size below 0 or no size, and DTypeError for a dtype that graphdl does not compute with.
    """
    if _names_dtype(shape):
        shape, dtype = (() if dtype is None else dtype), shape
    return build(Placeholder(TensorType(as_dtype(dtype or floatx()), as_shape(shape))), name=name)


def Variable(initial: Any, dtype: Any = None, trainable: bool = True, name: str | None = None) -> Node:
    """State that updates change, starting at `initial`: a number, an array, or a node made of noise and constants.

    A Python float takes the default dtype, an array keeps its own: ``Variable(np.zeros(3), "float32")``, say, beside
    values in float32. With `trainable=False` optimizers leave it alone.

    Raises DTypeError for what is no number, and GraphError for a ragged list or a size that is not fixed.
    """
    start = initial if isinstance(initial, Node) else constant(initial, dtype)
    if dtype is not None and start.dtype != as_dtype(dtype):
        start = registry.builder("cast")(start, dtype)
    if any(not isinstance(d, int) for d in start.shape):
        raise GraphError(
            f"{f'variable {name}' if name else 'variable'}: its initial value is {start.type}, expected fixed sizes"
        )
    return build(VariableLeaf(start.tensor, start, trainable), name=name)


def constant(value: Any, dtype: Any = None, shape: Any = None, name: str | None = None) -> Node:
    """`value` as a node. Python floats and lists of them take the default float dtype; arrays keep theirs."""
    array = as_array(value, dtype)
    if shape is not None:
        array = np.broadcast_to(array, tuple(as_shape(shape)))  # type: ignore[arg-type]
    return build(Constant(_frozen(array)), name=name)


def constant_like(op: str, value: Any, dtype: str) -> Node:
    """A plain number or array met in an expression, in the dtype of the node it is combined with."""
    array = np.asarray(value)
    integers = array.dtype.kind in "iu" and np.dtype(dtype).kind in "iu"
    fits = integers or (np.can_cast(array.dtype, dtype, "same_kind") and (array.dtype != np.bool_ or dtype == "bool"))
    if not fits:
        raise DTypeError(
            f"{op}: mixes {SHORT[dtype]} and {_described(value, array)}; cast one of them, as in gd.cast(x, 'float32')"
        )
    cast = array.astype(dtype)
    if array.dtype.kind in "iu" and np.any(cast != array):
        raise DTypeError(f"{op}: {_described(value, array)} does not fit in {SHORT[dtype]}")
    return build(Constant(_frozen(cast)))


def noise(kind: str, shape: Any, dtype: Any = None, name: str | None = None, seed: int | Seed | None = None) -> Node:
    """Standard random numbers: `kind` is "uniform" (on [0, 1)), "normal" or "truncated_normal" (within 2 of 0).

    With a `seed` they do not depend on that of the session; leaves with the same seed draw alike, unless it is a pair
    of seed and stream.
    """
    found = as_dtype(dtype or floatx())
    if found not in ("float32", "float64"):
        raise DTypeError(f"noise: dtype is {found}, expected float32 or float64")
    own = None if seed is None else _seed_and_stream(seed)
    return build(Noise(TensorType(found, as_shape(shape)), kind, own), name=name)


def size(dim: Dim, dtype: str) -> Node:
    """The number of elements along `dim`: a constant where it is known, otherwise a leaf read at run time."""
    if isinstance(dim, int):
        return build(Constant(_frozen(np.asarray(dim, dtype))))
    return build(Size(TensorType(dtype, ()), dim))


def as_array(value: Any, dtype: Any = None) -> np.ndarray[Any, Any]:
    """`value` as an array of a dtype graphdl computes with; ragged lists and objects are refused."""
    if isinstance(value, Node):
        raise GraphError(f"{value.label} is a node of the graph, expected a number or an array")
    array = _asarray(value)
    if dtype is not None:
        return array.astype(as_dtype(dtype))
    if not isinstance(value, np.ndarray | np.generic) and array.dtype.kind == "f":
        return array.astype(floatx())
    return array.astype(as_dtype(array.dtype))


def checked_seed(seed: Any) -> int:
    """`seed`, an integer that random numbers can be keyed by."""
    if not isinstance(seed, int | np.integer) or isinstance(seed, bool) or not 0 <= seed < 2**63:
        raise GraphError(f"seed is {seed!r:.60}, expected an integer from 0 to 2**63 - 1")
    return int(seed)


def scalar_of(node: Node) -> float | int | bool | None:
    """The number of a constant without axes, else None."""
    return node.op.scalar if isinstance(node.op, Constant) else None


def _seed_and_stream(seed: Any) -> Seed:
    return (checked_seed(seed[0]), checked_seed(seed[1])) if isinstance(seed, tuple) else (checked_seed(seed), 0)


def _asarray(value: Any) -> np.ndarray[Any, Any]:
    try:
        array = np.asarray(value)
    except ValueError as error:
        raise GraphError(f"a constant is ragged: {error}") from None
    if array.dtype.kind not in "biuf":
        raise DTypeError(f"a constant is {_described(value, array)}, expected numbers")
    return array


def _frozen(array: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    frozen = np.array(array, order="C")
    frozen.flags.writeable = False
    return frozen


def _described(value: Any, array: np.ndarray[Any, Any]) -> str:
    if array.ndim:
        return f"an array of {array.dtype}"
    kind = {"f": "float", "i": "int", "u": "int", "b": "bool"}.get(array.dtype.kind, type(value).__name__)
    return f"the {kind} {value!r}"[:200]


def _names_dtype(shape: Any) -> bool:
    if isinstance(shape, str):
        return shape in SHORT or shape in SHORT.values()
    return isinstance(shape, np.dtype) or (isinstance(shape, type) and issubclass(shape, np.generic | float | int))
