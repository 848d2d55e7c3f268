"""Rules about the end of a network: does the output's activation go with the loss?"""

from __future__ import annotations

import math
from collections.abc import Iterator

from graphdl.analysis.lint.facts import Facts
from graphdl.analysis.lint.finding import Hit, rule
from graphdl.analysis.lint.reading import behind, called, placeholder_behind, width
from graphdl.analysis.ranges import is_total_of
from graphdl.ir.node import Node
from graphdl.ir.traverse import ancestors
from graphdl.ops.arithmetic import divide, multiply, square, subtract
from graphdl.ops.indexing import TakeAlong
from graphdl.ops.nn import LogSoftmax, Softmax, SoftmaxCrossEntropy, SparseSoftmaxCrossEntropy, sigmoid_cross_entropy
from graphdl.ops.reduce import Mean, Sum
from graphdl.ops.shape import BroadcastTo, Cast, Reshape
from graphdl.ops.transcendental import log, sigmoid

OVER_LOGITS = (Softmax, LogSoftmax, SoftmaxCrossEntropy, SparseSoftmaxCrossEntropy)


@rule(
    "softmax-mse",
    "warning",
    {
        "en": "the probabilities of {p} go into a squared error",
        "ko": "{p}: softmax 확률의 손실로 제곱 오차(MSE)를 사용",
    },
    {
        "en": "use categorical cross-entropy, loss='categorical_crossentropy' (gd.cross_entropy in a graph)",
        "ko": "교차 엔트로피 사용: loss='categorical_crossentropy' (그래프에서는 gd.cross_entropy)",
    },
)
def softmax_mse(facts: Facts) -> Iterator[Hit]:
    """Softmax gives the probabilities of classes, and mean squared error is a loss for amounts.

    The gradient of (p - t)^2 for the logits has the factor p (1 - p). Where the network is wrong and sure of it, p is
    near 0 or 1, the factor is near 0, and nothing is learnt just where most is to be learnt. Cross-entropy cancels the
    factor: its gradient for the logits is p - t.
    """
    for error in _differences(facts):
        sides = [p for p in map(behind, error.inputs) if isinstance(p.op, Softmax)]
        # Between two softmaxes it is a distance of distributions, as in distillation, and meant.
        if len(sides) == 1:
            yield Hit(sides[0], {"p": called(sides[0])})


def _differences(facts: Facts) -> Iterator[Node]:
    """Every difference that is squared."""
    for node in facts.nodes:
        squared = node.op is square or (node.op is multiply and node.inputs[0] is node.inputs[1])
        if squared and node.inputs[0].op is subtract:
            yield node.inputs[0]


@rule(
    "softmax-twice",
    "error",
    {
        "en": "the probabilities of {p} go through softmax a second time, so the loss cannot fall below {least}",
        "ko": "{p}: softmax 확률에 softmax를 한 번 더 적용, 손실의 최솟값 {least}",
    },
    {
        "en": "drop the activation of {p} and keep from_logits=True, or keep the activation and drop from_logits",
        "ko": "{p}에서 활성화 함수를 빼거나, 활성화 함수를 두고 from_logits=True를 제거",
    },
    nested=(
        {"en": "softmax is applied to the probabilities of {p}", "ko": "{p}: softmax 확률에 softmax를 다시 적용"},
        {"en": "apply softmax once, to the logits", "ko": "softmax는 로짓에 한 번만 적용"},
    ),
)
def softmax_twice(facts: Facts) -> Iterator[Hit]:
    """A loss over logits applies softmax itself; given probabilities, it squeezes them a second time.

    Probabilities lie between 0 and 1, so read as logits they differ by 1 at most: with C classes no probability gets
    above e / (e + C - 1), and the loss never falls below log(e + C - 1) - 1, which is 1.46 for 10 classes. The
    network trains, badly, and nothing says why.
    """
    for node in facts.nodes:
        if not isinstance(node.op, OVER_LOGITS):
            continue
        inner = behind(node.inputs[0], (Reshape, Cast))
        if isinstance(inner.op, Softmax):
            classes = width(inner)
            is_loss = classes is not None and not isinstance(node.op, Softmax)
            least = f"{math.log(math.e + (classes or 1) - 1) - 1:.4g}"
            yield Hit(inner, {"p": called(inner), "least": least}, "" if is_loss else "nested")


@rule(
    "sigmoid-twice",
    "error",
    {
        "en": "the probability of {p} goes through sigmoid a second time, so it never leaves 0.5 to 0.731",
        "ko": "{p}: sigmoid 확률에 sigmoid를 한 번 더 적용, 결과의 범위는 0.5에서 0.731",
    },
    {
        "en": "drop the activation of {p} and keep from_logits=True, or keep the activation and drop from_logits",
        "ko": "{p}에서 활성화 함수를 빼거나, 활성화 함수를 두고 from_logits=True를 제거",
    },
)
def sigmoid_twice(facts: Facts) -> Iterator[Hit]:
    """Binary cross-entropy over logits applies sigmoid itself; given a probability, it squeezes it a second time.

    The result lies between sigmoid(0) = 0.5 and sigmoid(1) = 0.731: class 0 is never predicted, and the loss of its
    examples never falls below log 2 = 0.693.
    """
    for node in facts.nodes:
        if node.op is sigmoid or node.op is sigmoid_cross_entropy:
            inner = behind(node.inputs[0], (Reshape, Cast))
            if inner.op is sigmoid:
                yield Hit(inner, {"p": called(inner)})


@rule(
    "one-unit-softmax",
    "error",
    {
        "en": "{p} is a softmax over one unit, which is 1 whatever it is given; its gradient is 0",
        "ko": "{p}: 유닛 하나에 대한 softmax, 입력과 관계없이 항상 1이고 기울기는 0",
    },
    {
        "en": "for two classes use one unit with sigmoid and binary cross-entropy, or two units with softmax",
        "ko": "클래스가 둘이면 유닛 1개 + sigmoid + 이진 교차 엔트로피, 또는 유닛 2개 + softmax",
    },
    categorical=(
        {
            "en": "categorical cross-entropy over the one unit {p}: it divides by the sum over the classes, "
            "and a number divided by itself is 1",
            "ko": "유닛이 하나인 {p}에 범주형 교차 엔트로피: 클래스 합으로 나누므로 항상 1",
        },
        {
            "en": "use loss='binary_crossentropy' with sigmoid",
            "ko": "sigmoid와 함께 loss='binary_crossentropy' 사용",
        },
    ),
)
def one_unit_softmax(facts: Facts) -> Iterator[Hit]:
    """Softmax shares a probability of 1 among the units; a single unit gets all of it, always.

    exp(z) / exp(z) = 1 for every z, so the output says nothing, the derivative is 0 and no weight below it changes.
    """
    for node in facts.nodes:
        if isinstance(node.op, Softmax | LogSoftmax) and node.shape[node.op.axis] == 1:
            yield Hit(node, {"p": called(node)})
        elif isinstance(node.op, SoftmaxCrossEntropy | SparseSoftmaxCrossEntropy) and width(node.inputs[0]) == 1:
            yield Hit(node.inputs[0], {"p": called(node.inputs[0])})
        elif node.op is divide and width(node) == 1 and is_total_of(node.inputs[1], node.inputs[0]):
            yield from _one_unit(node)


def _one_unit(quotient: Node) -> Iterator[Hit]:
    """A column divided by its sum over the classes; a sum over anything else is a share, and meant."""
    total = behind(quotient.inputs[1])
    if isinstance(total.op, Sum) and total.op.axis == (quotient.ndim - 1,):
        p = quotient.inputs[0]
        yield Hit(p, {"p": called(p)}, "categorical")


@rule(
    "sigmoid-classes",
    "warning",
    {
        "en": "{p} has {classes} sigmoid units, each a yes or no of its own, under categorical cross-entropy, "
        "which expects one class of {classes}",
        "ko": "{p}: sigmoid 유닛 {classes}개(각각 독립적인 예/아니오)에 범주형 교차 엔트로피를 사용",
    },
    {
        "en": "one class of {classes}: activation='softmax'. Several at once: loss='binary_crossentropy'",
        "ko": "클래스 {classes}개 중 하나이면 activation='softmax', 여러 개가 참이면 loss='binary_crossentropy'",
    },
    one_sided=(
        {
            "en": "the loss rewards {p} for the right class and never charges it for a wrong one: "
            "all {classes} sigmoid units at 1 make it 0",
            "ko": "{p}: 손실에 정답 클래스의 항만 있어, 유닛 {classes}개가 모두 1이면 손실이 0",
        },
        {
            "en": "use softmax, or add the term (1 - t) log(1 - p): gd.sigmoid_cross_entropy(z, t)",
            "ko": "softmax를 쓰거나 (1 - t) log(1 - p) 항을 추가: gd.sigmoid_cross_entropy(z, t)",
        },
    ),
)
def sigmoid_classes(facts: Facts) -> Iterator[Hit]:
    """Sigmoid asks each unit by itself; categorical cross-entropy wants probabilities that sum to 1.

    Softmax makes the classes compete: what one gains the others lose. Under -sum t log p with sigmoid only the unit of
    the right class is ever pushed, upwards, and all units at 1 are a perfect score. Keras divides by the sum first,
    which repairs the value and leaves a gradient that depends on how large all units happen to be.
    """
    for node in facts.nodes:
        if node.op is divide and node.inputs[0].op is sigmoid and is_total_of(node.inputs[1], node.inputs[0]):
            p, classes = node.inputs[0], width(node)
            if classes != 1:
                yield Hit(p, {"p": called(p), "classes": classes or "several"})
    yield from _one_sided(facts)


def _one_sided(facts: Facts) -> Iterator[Hit]:
    """``-sum(t log(sigmoid z))`` without the term for the other answer, in the graph as it was written."""
    nodes = ancestors(facts.graph.outputs.values())
    charged = {side for node in nodes if node.op is subtract for side in (behind(node.inputs[1], (BroadcastTo,)),)}
    for node in nodes:
        p = _rewarded(node)
        classes = width(p) if p is not None else 1
        if p is not None and p not in charged and classes and classes > 1:
            yield Hit(p, {"p": called(p), "classes": classes}, "one_sided", "error")


def _rewarded(node: Node) -> Node | None:
    """The sigmoid whose logarithm `node` picks for the right class, by one-hot rows or by class number."""
    if isinstance(node.op, TakeAlong):
        return _sigmoid_under_log(node.inputs[0])
    if not isinstance(node.op, Sum | Mean) or node.inputs[0].ndim - 1 not in node.op.axis:
        return None
    product = node.inputs[0]
    if product.op is not multiply:
        return None
    for target, logs in (product.inputs, product.inputs[::-1]):
        if placeholder_behind(target) is not None:
            return _sigmoid_under_log(logs)
    return None


def _sigmoid_under_log(node: Node) -> Node | None:
    return node.inputs[0] if node.op is log and node.inputs[0].op is sigmoid else None
