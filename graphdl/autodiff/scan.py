"""Loops over time from a step function: `scan` calls it once and makes one op of what it builds."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any

from graphdl.autodiff import loop_gradient  # noqa: F401 (its vjp is looked up by name)
from graphdl.autodiff.loop import Loop, body_input
from graphdl.errors import GraphError, ShapeError
from graphdl.ir.dim import Dim
from graphdl.ir.elementwise import as_node
from graphdl.ir.node import Node
from graphdl.ir.op import check_name
from graphdl.ops.parts import concat
from graphdl.ops.shape import stop_gradient as stopped

Step = Callable[[Any, Any], tuple[Any, Any]]


def scan(
    step: Step,
    init: Any,
    xs: Any = None,
    length: Dim | None = None,
    *,
    reverse: bool = False,
    truncate: int | None = None,
    name: str | None = None,
) -> tuple[Any, Any]:
    """Run ``carry, y = step(carry, x)`` for each entry of `xs` along its first axis: a recurrent network, say.

    init      the carry before the first step: a node, or a tuple or list of nodes
    xs        a node (T, ...), a tuple or list of such, or None: then `length` says how often
    reverse   the last entry first; `y` keeps the places of `xs`
    truncate  gradients flow back over at most this many steps (truncated backpropagation through time)
    return    the last carry, and `y` of all steps stacked along a new first axis, both built like those of `step`

    `step` is called once, to see what it builds; it may read nodes from outside, which stay the same in every step.
    Random numbers drawn inside are the same ones in every step. Formulas inside are always stabilised.

    Raises ShapeError when a carry changes its type or stacks differ in length, GraphError when `step` gives no pair.
    """
    carries, stacks = [as_node(c) for c in _flat(init)], [as_node(x) for x in _flat(xs)]
    count = _length(stacks, length)
    if truncate is not None:
        return _in_pieces(step, init, xs, count, reverse, truncate, name)
    check_name(name)
    inside = [body_input(c) for c in carries]
    slices = [body_input(x, x.tensor.with_shape(x.shape[1:])) for x in stacks]
    made = step(_like(init, inside), _like(xs, slices))
    if not isinstance(made, tuple) or len(made) != 2:
        raise GraphError(f"scan: the step gave {made!r:.80}, expected a pair (new carry, y)")
    new = [as_node(c) for c in _flat(made[0])]
    given = [as_node(y) for y in _flat(made[1])]
    _check_carries(carries, new)
    loop = Loop(inside, slices, [*new, *given], carries, stacks, count, reverse)
    results = loop.results(name)
    last = 0 if reverse else -1
    return _like(init, [stack[last] for stack in results[: len(new)]]), _like(made[1], results[len(new) :])


def _in_pieces(
    step: Step, init: Any, xs: Any, count: Dim, reverse: bool, truncate: int, name: str | None
) -> tuple[Any, Any]:
    """One loop for each piece of `truncate` steps; no gradient goes from one to the one before it."""
    if not isinstance(count, int) or isinstance(truncate, bool) or not isinstance(truncate, int) or truncate < 1:
        raise GraphError(
            f"scan: truncate={truncate!r} over {count} steps, expected a count of 1 or more and a known length"
        )
    bounds = [(start, min(start + truncate, count)) for start in range(0, count, truncate)]
    pieces: list[list[Node]] = []
    carry, shape_of_y = init, None
    for start, stop in reversed(bounds) if reverse else bounds:
        part = _like(xs, [as_node(x)[start:stop] for x in _flat(xs)])
        carry, shape_of_y = scan(step, carry, part, stop - start, reverse=reverse, name=name)
        pieces.append(_flat(shape_of_y))
        carry = _like(carry, [stopped(c) for c in _flat(carry)]) if len(pieces) < len(bounds) else carry
    ordered = pieces[::-1] if reverse else pieces
    return carry, _like(shape_of_y, [concat(list(column), axis=0) for column in zip(*ordered, strict=True)])


def _length(stacks: Sequence[Node], length: Dim | None) -> Dim:
    if not stacks and length is None:
        raise GraphError("scan: without xs it needs length=, the number of steps")
    lengths: list[Dim | None] = [x.shape[0] if x.ndim else None for x in stacks]
    lengths += [] if length is None else [length]
    if any(found != lengths[0] or found is None for found in lengths):
        raise ShapeError(
            f"scan: xs have lengths {', '.join(map(str, lengths))}; expected one length, in the first axis"
        )
    count = lengths[0]
    assert count is not None
    if isinstance(count, int) and count < 1:
        raise ShapeError("scan: there are no steps, expected at least one")
    return count


def _check_carries(before: Sequence[Node], after: Sequence[Node]) -> None:
    if len(before) != len(after):
        raise GraphError(f"scan: the carry has {len(before)} parts before a step and {len(after)} after it")
    for old, new in zip(before, after, strict=True):
        if old.type != new.type:
            raise ShapeError(f"scan: the carry {old.label} is {old.type} before a step and {new.type} after it")


def _flat(tree: Any) -> list[Any]:
    """The leaves of None, one thing, or a tuple or list of things."""
    if tree is None:
        return []
    return list(tree) if isinstance(tree, tuple | list) else [tree]


def _like(tree: Any, leaves: Iterable[Any]) -> Any:
    """`leaves` put together as `tree` is."""
    found = list(leaves)
    if tree is None:
        return None
    return type(tree)(found) if isinstance(tree, tuple | list) else found[0]
