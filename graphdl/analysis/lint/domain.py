"""Rules about formulas that leave their domain: logarithms, quotients and roots of what can be 0."""

from __future__ import annotations

from collections.abc import Iterator

from graphdl.analysis.lint.facts import Facts
from graphdl.analysis.lint.finding import Hit, rule
from graphdl.analysis.lint.reading import behind
from graphdl.ir.node import Node
from graphdl.ir.text import plain
from graphdl.ir.traverse import dependents
from graphdl.ops.arithmetic import divide, reciprocal, sqrt
from graphdl.ops.reduce import Mean, Sum
from graphdl.ops.transcendental import log, xlogy


@rule(
    "log-of-zero",
    "warning",
    {
        "en": "log of {a}, which can be 0: the loss becomes infinite",
        "ko": "{a}의 log: 인수가 0일 수 있음, 손실이 무한대",
    },
    {
        "en": "take the log of {a} + 1e-7, or use a fused loss: gd.cross_entropy, gd.sigmoid_cross_entropy",
        "ko": "{a} + 1e-7의 log를 쓰거나, 안정한 손실 사용: gd.cross_entropy, gd.sigmoid_cross_entropy",
    },
    negative=(
        {
            "en": "log of {a}, which can be negative: the loss becomes NaN",
            "ko": "{a}의 log: 인수가 음수일 수 있음, 손실이 NaN",
        },
        {
            "en": "make it positive first: gd.softplus({a}) or gd.exp({a}); for a probability gd.sigmoid or gd.softmax",
            "ko": "먼저 양수로 변환: gd.softplus({a}) 또는 gd.exp({a}). 확률이라면 gd.sigmoid나 gd.softmax",
        },
    ),
)
def log_of_zero(facts: Facts) -> Iterator[Hit]:
    """log 0 is minus infinity, and its derivative 1 / 0; below 0 both are NaN.

    Said where the graph itself can bring the argument there: a relu, a probability that underflows, a sum of weights.
    log(softmax), log(sigmoid), log(1 + exp) and their like are rewritten before anything runs, and not reported.
    """
    for node in facts.nodes:
        if node.op is log or node.op is xlogy:
            a = node.inputs[-1]
            found = facts.ranges[a]
            if found.moves and found.low <= 0:
                yield Hit(node, {"a": plain(behind(a).label)}, "negative" if found.low < 0 else "")


@rule(
    "division-by-zero",
    "warning",
    {
        "en": "division by {b}, which can be 0",
        "ko": "{b}(으)로 나눔: 0일 수 있음",
    },
    {
        "en": "divide by {b} + 1e-7",
        "ko": "{b} + 1e-7로 나누기",
    },
)
def division_by_zero(facts: Facts) -> Iterator[Hit]:
    """A quotient is infinite, or NaN for 0 / 0, where its divisor is 0.

    Said of divisors that end at 0: norms, variances, sums of relu. One that merely changes its sign on the way, such as
    a weight, is left in peace: it passes 0 but does not stay.
    """
    for node in facts.nodes:
        if node.op is divide or node.op is reciprocal:
            b = node.inputs[-1]
            found = facts.ranges[b]
            if found.moves and found.low == 0 and not _adds_probabilities(b, facts):
                yield Hit(node, {"b": plain(behind(b).label)})


def _adds_probabilities(b: Node, facts: Facts) -> bool:
    """Whether `b` is a sum of what lies between 0 and 1: not all of them underflow at once."""
    total = behind(b)
    return isinstance(total.op, Sum | Mean) and facts.ranges[total.inputs[0]].high <= 1


@rule(
    "root-of-zero",
    "hint",
    {
        "en": "the derivative of sqrt is 1 / (2 sqrt({a})), infinite at 0, and {a} can be 0",
        "ko": "sqrt의 미분 1 / (2 sqrt({a}))은(는) 0에서 무한대, {a}은(는) 0일 수 있음",
    },
    {
        "en": "take sqrt({a} + 1e-7); for a loss, the square itself has its minimum at the same place",
        "ko": "sqrt({a} + 1e-7) 사용. 손실이라면 제곱 그대로도 최소가 되는 곳이 같음",
    },
)
def root_of_zero(facts: Facts) -> Iterator[Hit]:
    """A distance sqrt(sum d^2) has no derivative where it is 0: 0 / 0 in the backward pass gives NaN.

    It takes two equal points, or a perfect fit, so it strikes late and once.
    """
    learnt = dependents(facts.nodes, facts.trained)
    for node in facts.nodes:
        if node.op is sqrt and node in learnt:
            a = node.inputs[0]
            found = facts.ranges[a]
            if found.moves and found.low <= 0:
                yield Hit(node, {"a": plain(behind(a).label)})
