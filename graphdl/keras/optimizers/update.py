"""One step of an optimizer, variable by variable: accumulate, clip, decay, the formula, average, constrain."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from graphdl.ir.leaves import constant
from graphdl.ir.node import Node
from graphdl.keras.constraints import Constraint
from graphdl.keras.optimizers.step import Pairs, Place, Step, divides, norm
from graphdl.ops.arithmetic import clip, greater, maximum, sqrt, square, where
from graphdl.ops.reduce import sum
from graphdl.ops.shape import cast

if TYPE_CHECKING:
    from graphdl.keras.optimizers.optimizer import Optimizer


def updated(
    optimizer: Optimizer, pairs: Pairs, rate: Node, step: Step, constraints: Mapping[Node, Constraint]
) -> Pairs:
    """Updates of all variables, each after those of what is remembered beside it; `pairs` are (gradient, variable)."""
    found: Pairs = []
    gradients = []
    for g, w in pairs:
        mean, kept = _accumulated(g, Place(w, step, rate, None))
        gradients.append(mean)
        found += kept
    shared = optimizer.prepare(rate, step)
    for g, (_, w) in zip(clipped(gradients, optimizer), pairs, strict=True):
        at = Place(w, step, rate, shared)
        news = _stepped(optimizer, g, at)
        value, kept = _averaged(optimizer, news.pop(w), at)
        found += [*news.items(), *kept, (w, constraints[w](value) if w in constraints else value)]
    return found


def _accumulated(g: Node, at: Place) -> tuple[Node, Pairs]:
    """The mean gradient of the batches that make one step, and the sum kept between them."""
    step = at.step
    if step.every == 1:
        return g, []
    total = at.slot("gradient_accumulator")
    sofar = total + g
    return sofar / step.every, [(total, where(step.is_due, 0.0, sofar))]


def _stepped(optimizer: Optimizer, g: Node, at: Place) -> dict[Node, Node]:
    """What the rule makes of one variable and its slots; a weight that decays does so before."""
    w = at.variable
    decay = optimizer.decay_of(w)
    value = w if decay is None else w - w * decay * at.rate
    news = {w if target is value else target: new for target, new in optimizer.rule(g, value, at)}
    return {target: at.step.changed(target, new) for target, new in news.items()}


def _averaged(optimizer: Optimizer, value: Node, at: Place) -> tuple[Node, Pairs]:
    """The new value of a weight, and the update of its average, which takes its place now and then."""
    if not optimizer.use_ema:
        return value, []
    average = at.slot("average")
    momentum = cast(greater(at.t, 1), value.dtype) * optimizer.ema_momentum
    new = average * momentum + value * (1 - momentum)
    optimizer.averages[at.variable] = average
    if optimizer.ema_overwrite_frequency:
        value = where(divides(at.step.t, optimizer.ema_overwrite_frequency), new, value)
    return value, [(average, new)]


def clipped(gradients: list[Node], limits: Any) -> list[Node]:
    """`gradients` within the optimizer's clipnorm, global_clipnorm or clipvalue, whichever is given."""
    if limits.clipnorm:
        return [g * limits.clipnorm / maximum(norm(g), limits.clipnorm) for g in gradients]
    if limits.global_clipnorm:
        scale = limits.global_clipnorm / maximum(global_norm(gradients), limits.global_clipnorm)
        return [g * (scale if scale.dtype == g.dtype else cast(scale, g.dtype)) for g in gradients]
    if limits.clipvalue:
        return [clip(g, -limits.clipvalue, limits.clipvalue) for g in gradients]
    return gradients


def global_norm(gradients: list[Node]) -> Node:
    """The Euclidean norm of all elements of all gradients."""
    dtype = gradients[0].dtype
    squares = [sum(square(g)) for g in gradients]
    total = constant(0.0, dtype)
    for one in squares:
        total = total + (one if one.dtype == dtype else cast(one, dtype))
    return sqrt(total)
