"""Ops written number by number: what each element of the result is, and its local derivatives."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from fractions import Fraction
from functools import reduce
from typing import Any

import numpy as np

from graphdl.compile.evaluate import evaluate
from graphdl.compile.lower import instruction
from graphdl.errors import DrawError
from graphdl.ir.elementwise import Elementwise
from graphdl.ir.graph import Graph
from graphdl.ir.leaves import Constant, Size, constant, scalar_of
from graphdl.ir.node import Node
from graphdl.ir.text import plain
from graphdl.ops.arithmetic import add_n, divide, maximum, minimum, multiply, negative, subtract
from graphdl.ops.shape import cast
from graphdl.ops.transcendental import exp, log, power
from graphdl.sheet.folding import MOVES
from graphdl.sheet.point import Run
from graphdl.sheet.scalars import Array, Element, Index, Link, Scalars, filled, numbers, one

# What an op writes for the elements of its result, from those of its operands.
Rule = Callable[[Scalars, Node, Sequence[Array]], Array]


def expanded(made: Scalars, node: Node) -> Array:
    """The elements of `node` as expressions over numbers; DrawError where its op is not written so."""
    operands = [made.elements[source] for source in node.inputs]
    if isinstance(node.op, Elementwise):
        return _each(node, operands)
    write = _RULES.get(node.op.name)
    if write is None:
        raise DrawError(
            f"{plain(node.label)} is a {node.op.name}, which is not written number by number; "
            "derive it with matrices, --level matrix"
        )
    return write(made, node, operands)


def can_expand(node: Node, run: Run) -> bool:
    """Whether its op can be written number by number with what is known."""
    if not run.values and (node.op.name in _BY_VALUE or (not node.inputs and not _is_float(node))):
        return False
    return not node.inputs or isinstance(node.op, Elementwise) or node.op.name in _RULES


def _is_float(leaf: Node) -> bool:
    return isinstance(leaf.op, Constant | Size) or leaf.tensor.is_float


def _each(node: Node, operands: Sequence[Array]) -> Array:
    """An op on elements."""
    shape = np.broadcast_shapes(*(array.shape for array in operands))
    spread: list[Array] = [np.broadcast_to(array, shape) for array in operands]
    return filled(shape, lambda index: applied(node.op, [array[index] for array in spread]))


def applied(op: Any, parts: Sequence[Element]) -> Element:
    """`op` on numbers: the expression, and its derivatives by the rule that the chain rule uses everywhere."""
    result = op(*(part.node for part in parts))
    if not any(part.links for part in parts):
        return Element(result)
    rules = _rules(op, result, [part.node for part in parts])
    links: list[Link] = []
    for part, rule in zip(parts, rules, strict=True):
        slope = (rule() if callable(rule) else rule) if part.links else None
        if slope is not None:
            links += _through(slope, part.links)
    return Element(result, tuple(links))


def _rules(op: Any, result: Node, operands: list[Node]) -> Any:
    """The derivatives of `op` for its operands; a fixed power needs no case for the exponent 0."""
    exponent = scalar_of(operands[1]) if op.name == "power" else None
    if exponent:
        base = operands[0]
        below = power(base, exponent - 1) if exponent != 2 else base
        return constant(float(exponent), "float64") * below, None
    return op.vjp(one(), result, *operands)


def _through(slope: Node, links: Sequence[Link]) -> list[Link]:
    """`links` of an operand that is written inside, times the derivative for that operand."""
    return [Link(source, times(slope, inner)) for source, inner in links]


def times(left: Node, right: Node) -> Node:
    """The product of two local derivatives, with their numbers multiplied out: 2 e / 6 times −1 is −2 e / 6."""
    above, below, rest = _factors([left, right])
    if above.is_integer() and below.is_integer():
        above, below = map(float, Fraction(int(above), int(below)).as_integer_ratio())
    if not rest:
        return constant(above / below, "float64")
    whole = reduce(multiply, rest)
    if above == -1.0:
        whole = negative(whole)
    elif above != 1.0:
        whole = multiply(constant(above, "float64"), whole)
    return whole if below == 1.0 else divide(whole, constant(below, "float64"))


def _factors(slopes: Sequence[Node]) -> tuple[float, float, list[Node]]:
    """The product of the numbers in a product, above and below the line, and its other factors in order."""
    above, below, rest, waiting = 1.0, 1.0, [], list(reversed(slopes))
    while waiting:
        slope = waiting.pop()
        value = scalar_of(slope)
        divisor = scalar_of(slope.inputs[1]) if slope.op.name == "divide" else None
        if value is not None:
            above *= float(value)
        elif slope.op.name == "multiply":
            waiting += reversed(slope.inputs)
        elif slope.op.name == "negative" or divisor:
            below, above = (below * float(divisor), above) if divisor else (below, -above)
            waiting.append(slope.inputs[0])
        else:
            rest.append(slope)
    return above, below, rest


def total(parts: Sequence[Element]) -> Element:
    """The sum of elements; a sum inside a sum needs no brackets."""
    if len(parts) == 1:
        return parts[0]
    terms = [term for part in parts for term in (part.node.inputs if part.node.op.name == "add_n" else (part.node,))]
    return Element(add_n(*terms), tuple(link for part in parts for link in part.links))


def _add_n(made: Scalars, node: Node, operands: Sequence[Array]) -> Array:
    return filled(operands[0].shape, lambda index: total([array[index] for array in operands]))


def _matmul(made: Scalars, node: Node, operands: Sequence[Array]) -> Array:
    """Rows times columns."""
    left, right = operands
    shape = (*left.shape[:-1], right.shape[-1])

    def element(index: Index) -> Element:
        batch, row, column = index[:-2], index[-2], index[-1]
        pairs = zip(left[(*batch, row)], right[(*batch, slice(None), column)], strict=True)
        return total([applied(multiply, pair) for pair in pairs])

    return filled(shape, element)


def _moved(made: Scalars, node: Node, operands: Sequence[Array]) -> Array:
    """Elements that only change their places: the op is run on their numbers, in place of their values."""
    if node.op.name == "cast" and not node.inputs[0].tensor.is_float:
        return filled(operands[0].shape, lambda i: Element(cast(operands[0][i].node, node.dtype)))
    fillers = [Element(constant(getattr(node.op, "value", 0.0), "float64"))]
    pool, numbered = list(fillers), []
    for source, array in zip(node.inputs, operands, strict=True):
        if source.tensor.is_float:
            numbered.append(np.arange(len(pool), len(pool) + array.size).reshape(array.shape))
            pool += list(array.ravel())
        else:
            numbered.append(_integers(source, array, made.run))
    places = np.asarray(_ran(node, numbered, made.run))
    return filled(places.shape, lambda index: pool[places[index]])


def _integers(source: Node, array: Array, run: Run) -> Any:
    """The values of an operand that says where to look."""
    if source in run.values:
        return np.asarray(run.values[source])
    values = [scalar_of(element.node) for element in array.ravel()]
    if any(value is None for value in values):
        raise DrawError(f"{plain(source.label)} is needed as numbers; give values, --feed FILE.npz")
    return np.asarray(values, source.dtype).reshape(array.shape)


def places_of(node: Node, slot: int, run: Run) -> Any:
    """For each element of what `node` moves, which element of its operand `slot` it is, counted from 1; 0 if none."""
    shapes = [run.shape(source) for source in node.inputs]
    blank = [np.zeros(shape, "int64") for shape in shapes]
    blank[slot] = np.arange(1, blank[slot].size + 1).reshape(shapes[slot])
    return np.asarray(_ran(node, blank, run))


def _ran(node: Node, operands: list[Any], run: Run) -> Any:
    """The op on numbers of elements; what it puts around them is number 0."""
    if node.op.name == "pad":
        return np.pad(operands[0], node.op.attributes()["widths"])
    if node.op.name == "cast":
        return operands[0]
    return evaluate(instruction(node, Graph(node), dict.fromkeys(node.inputs, False)), operands, run.sizes)


def _split(made: Scalars, node: Node, operands: Sequence[Array]) -> list[Array]:
    (array,) = operands
    pool = array.ravel()
    return [pool[places] for places in _ran(node, [np.arange(array.size).reshape(array.shape)], made.run)]


def _pick(made: Scalars, node: Node, operands: Sequence[Any]) -> Array:
    found: Array = operands[0][node.op.attributes()["index"]]
    return found


def _held(made: Scalars, node: Node, operands: Sequence[Array]) -> Array:
    """The same numbers, but nothing goes back."""
    return filled(operands[0].shape, lambda index: Element(operands[0][index].node))


def _known_only(made: Scalars, node: Node, operands: Sequence[Array]) -> Array:
    """Integers, which have no derivatives: their values will do."""
    if node not in made.run.values:
        raise DrawError(f"{plain(node.label)} is needed as numbers; give values, --feed FILE.npz")
    return numbers(np.asarray(made.run.values[node]), node.dtype)


def _groups(node: Node, array: Array, run: Run) -> dict[Index, Any]:
    """For each element of a reduction, where in `array` those are that it is made of."""
    shape, axes = run.shape(node), node.op.attributes().get("axis")
    axes = _summed(array.shape, shape) if axes is None else (axes,) if isinstance(axes, int) else axes
    kept = tuple(1 if i in axes else d for i, d in enumerate(array.shape))
    into = np.broadcast_to(np.arange(run.size(node)).reshape(kept), array.shape)
    return {index: into == place for place, index in enumerate(np.ndindex(*shape))}


def _summed(shape: Index, to: Index) -> Index:
    """The axes that `sum_to` adds up."""
    lead = len(shape) - len(to)
    return tuple(i for i in range(len(shape)) if i < lead or (to[i - lead] == 1 and shape[i] != 1))


def _each_group(rule: Callable[[list[Element]], Element]) -> Rule:
    """The rule of a reduction, from what it makes of the elements that it puts together."""

    def write(made: Scalars, node: Node, operands: Sequence[Array]) -> Array:
        (array,) = operands
        groups = _groups(node, array, made.run)
        return filled(made.run.shape(node), lambda index: rule(list(array[groups[index]])))

    return write


def _mean(group: list[Element]) -> Element:
    count = Element(constant(float(len(group)), "float64"))
    return group[0] if len(group) == 1 else applied(divide, [total(group), count])


def _extreme(made: Scalars, node: Node, operands: Sequence[Array]) -> Array:
    """The largest or smallest of several; where they tie, each gets an equal share."""
    source = node.inputs[0]
    if source not in made.run.values:
        raise DrawError(f"which element {plain(node.label)} takes depends on numbers; give values, --feed FILE.npz")
    (array,), value = operands, np.asarray(made.run.values[source])
    groups = _groups(node, array, made.run)
    choose, best = (maximum, np.max) if node.op.name == "max" else (minimum, np.min)

    def element(index: Index) -> Element:
        inside = groups[index]
        chosen = list(array[inside & (value == best(value[inside]))])
        share = constant(1.0 / max(len(chosen), 1), "float64")
        return Element(reduce(choose, [part.node for part in array[inside]]), _linked(chosen, [share] * len(chosen)))

    return filled(made.run.shape(node), element)


def _each_row(rule: Callable[[list[Element]], list[Element]]) -> Rule:
    """The rule of an op that acts on each row along its axis, from what it makes of one."""
    return lambda made, node, operands: _over_axis(operands[0], node.op.attributes()["axis"], rule)


def _softmax(row: list[Element]) -> list[Element]:
    """``p_k = exp(z_k) / (exp(z_1) + …)``, whose derivatives are ``p_k (1 − p_k)`` and ``−p_k p_j``."""
    powers = [exp(part.node) for part in row]
    p = [divide(power, add_n(*powers)) for power in powers] if len(row) > 1 else [one()]
    found = []
    for k in range(len(row)):
        slopes = [p[k] * (1 - p[k]) if j == k else negative(multiply(p[k], p[j])) for j in range(len(row))]
        found.append(Element(p[k], _linked(row, slopes)))
    return found


def _log_softmax(row: list[Element]) -> list[Element]:
    """``y_k = z_k − log(exp(z_1) + …)``, whose derivatives are ``1 − p_k`` and ``−p_j`` with ``p = exp(y)``."""
    ys = [subtract(part.node, log(_sum_of([exp(other.node) for other in row]))) for part in row]
    return [
        Element(ys[k], _linked(row, [1 - exp(y) if j == k else negative(exp(y)) for j, y in enumerate(ys)]))
        for k in range(len(row))
    ]


def _logsumexp(group: list[Element]) -> Element:
    whole = log(_sum_of([exp(part.node) for part in group]))
    return Element(whole, _linked(group, [exp(subtract(part.node, whole)) for part in group]))


def _sum_of(nodes: list[Node]) -> Node:
    return add_n(*nodes) if len(nodes) > 1 else nodes[0]


def _linked(row: Sequence[Element], slopes: Sequence[Node]) -> tuple[Link, ...]:
    return tuple(link for part, slope in zip(row, slopes, strict=True) for link in _through(slope, part.links))


def _over_axis(array: Array, axis: int, rule: Callable[[list[Element]], list[Element]]) -> Array:
    """What `rule` makes of each row along `axis`."""
    rows = np.moveaxis(array, axis, -1)
    found = np.empty(rows.shape, dtype=object)
    for index in np.ndindex(*rows.shape[:-1]):
        for k, element in enumerate(rule(list(rows[index]))):
            found[(*index, k)] = element
    return np.moveaxis(found, -1, axis)


def _cross_entropy(made: Scalars, node: Node, operands: Sequence[Array]) -> Array:
    """``−(t_1 log p_1 + …)`` with p the softmax of the logits: for these, the derivatives are just ``p_j − t_j``."""
    logits, targets = operands
    name = "p" if "p" not in made.run.found.symbols.values() else "softmax"
    worth = _probabilities(made.run.values.get(node.inputs[0]))
    p = made.defined(node.inputs[0], name, _over_axis(logits, -1, _softmax), worth)
    return filled(
        logits.shape[:-1],
        lambda index: _surprise(list(logits[index]), list(p[index]), _goals(targets[index], logits.shape[-1])),
    )


def _goals(target: Any, count: int) -> list[Element]:
    """A probability for each class: as given, or one for the class whose number is given."""
    if isinstance(target, np.ndarray):
        return list(target)
    label = scalar_of(target.node)
    assert label is not None, "labels are plain numbers"
    return [Element(constant(float(k == label), "float64")) for k in range(count)]


def _surprise(row: Sequence[Element], p: Sequence[Element], goals: Sequence[Element]) -> Element:
    sure = [scalar_of(goal.node) for goal in goals]
    terms = [log(q.node) if s == 1.0 else goal.node * log(q.node) for q, goal, s in zip(p, goals, sure, strict=True)]
    kept = [term for term, s in zip(terms, sure, strict=True) if s != 0.0]
    slopes = [subtract(q.node, goal.node) for q, goal in zip(p, goals, strict=True)]
    links = _linked(row, slopes)
    for q, goal in zip(p, goals, strict=True):
        links += tuple(_through(negative(log(q.node)), goal.links))
    return Element(negative(_sum_of(kept)) if kept else constant(0.0, "float64"), links)


def _probabilities(logits: Any) -> Any:
    if logits is None:
        return None
    powers = np.exp(np.asarray(logits) - np.max(logits, axis=-1, keepdims=True))
    return powers / powers.sum(axis=-1, keepdims=True)


# What these write depends on values.
_BY_VALUE = frozenset(("max", "min", "argmax", "one_hot"))
_RULES: dict[str, Rule] = {
    **dict.fromkeys(MOVES - {"split", "pick"}, _moved),
    "split": _split,
    "pick": _pick,
    "add_n": _add_n,
    "matmul": _matmul,
    "sum": _each_group(total),
    "sum_to": _each_group(total),
    "mean": _each_group(_mean),
    "max": _extreme,
    "min": _extreme,
    "softmax": _each_row(_softmax),
    "softmax_cross_entropy": _cross_entropy,
    "sparse_softmax_cross_entropy": _cross_entropy,
    "log_softmax": _each_row(_log_softmax),
    "logsumexp": _each_group(_logsumexp),
    "stop_gradient": _held,
    "argmax": _known_only,
    "one_hot": _known_only,
}
