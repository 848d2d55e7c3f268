"""Learning rates that change from step to step: graph nodes of the step counter, with Keras 3's formulas.

Called on a node (a float, the number of steps before this one) a schedule gives the node of the rate; called on a
number it gives a number. Steps are batches.
"""

from __future__ import annotations

from graphdl.keras.lookup import Kind, serialize
from graphdl.keras.optimizers.schedules.decay import (
    ExponentialDecay,
    InverseTimeDecay,
    PiecewiseConstantDecay,
    PolynomialDecay,
    StepDecay,
)
from graphdl.keras.optimizers.schedules.schedule import Schedule
from graphdl.keras.optimizers.schedules.wave import CosineDecay, CosineDecayRestarts, LinearWarmup

KNOWN: dict[str, type[Schedule]] = {
    made.__name__: made
    for made in (
        ExponentialDecay,
        StepDecay,
        InverseTimeDecay,
        PiecewiseConstantDecay,
        PolynomialDecay,
        CosineDecay,
        CosineDecayRestarts,
        LinearWarmup,
    )
}
LearningRateSchedule = Schedule


_KIND: Kind[Schedule] = Kind(
    "a schedule", Schedule, KNOWN, "an object such as ExponentialDecay(0.01, 1000, 0.9)", has_names=False
)
get, deserialize = _KIND.get, _KIND.deserialize


__all__ = [
    "KNOWN",
    "CosineDecay",
    "CosineDecayRestarts",
    "ExponentialDecay",
    "InverseTimeDecay",
    "LearningRateSchedule",
    "LinearWarmup",
    "PiecewiseConstantDecay",
    "PolynomialDecay",
    "Schedule",
    "StepDecay",
    "deserialize",
    "get",
    "serialize",
]
