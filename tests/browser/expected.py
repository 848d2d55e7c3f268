"""What the tests of pages expect, told from the trace alone."""

from __future__ import annotations

from typing import Any

import graphdl as gd
from graphdl.draw import Trace, trace
from graphdl.draw.labels import gradient_text, value_text
from tests.draw import stories
from tests.draw.stories import Story


def traced(made: Story, **options: Any) -> Trace:
    """The trace of a story."""
    return trace(made.loss, made.wrt, made.feeds, **options)


def updated() -> Trace:
    """The neuron with an update of its weight, whose last step runs it again."""
    made = stories.squared_neuron()
    w = next(node for node in gd.Graph(made.loss).variables if node.name == "w")
    return traced(made, updates=gd.assign(w, w - 0.5 * gd.gradients(made.loss, w)))


def id_of(found: Trace, symbol: str) -> str:
    """The forward node that a picture calls `symbol`."""
    return next(node.id for node in found.forward if node.symbol == symbol)


def expected(found: Trace, step: int) -> dict[str, str]:
    """What the value and gradient rows show after a step, told from the trace alone."""
    frame = found.frame(step)
    texts = {f"v:{key}": value_text(value) for key, value in frame.values.items() if not found.by_id[key].is_backward}
    sums = frame.sums
    for key, value in frame.gradients.items():
        texts[f"g:{key}"] = f"Σ {sums[key]}" if key in sums else gradient_text(value)
    return texts
