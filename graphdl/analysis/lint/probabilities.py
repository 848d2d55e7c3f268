"""Rules about what a loss takes for a probability, or for a logit, and is not one."""

from __future__ import annotations

from collections.abc import Iterator

from graphdl.analysis.lint.facts import Facts
from graphdl.analysis.lint.finding import Hit, rule
from graphdl.analysis.lint.outputs import OVER_LOGITS
from graphdl.analysis.lint.reading import behind, called, products, variable_behind
from graphdl.analysis.ranges import is_total_of, number_of
from graphdl.ir.node import Node
from graphdl.ops.arithmetic import clip, divide, subtract
from graphdl.ops.linalg import MatMul
from graphdl.ops.nn import sigmoid_cross_entropy
from graphdl.ops.shape import BroadcastTo, Cast, Reshape
from graphdl.ops.transcendental import log, relu, sigmoid, xlogy


@rule(
    "logits-as-probabilities",
    "error",
    {
        "en": "the loss takes {z} for a probability, and it can be {outside}",
        "ko": "{z}: 손실이 확률로 읽지만 실제 값은 {outside_ko}",
    },
    {
        "en": "give {z} activation='softmax' (several classes) or 'sigmoid' (one unit), or say from_logits=True",
        "ko": "{z}에 activation='softmax'(여러 클래스) 또는 'sigmoid'(유닛 1개)를 주거나 from_logits=True 사용",
    },
)
def logits_as_probabilities(facts: Facts) -> Iterator[Hit]:
    """Cross-entropy was given logits, any numbers, where it expects probabilities between 0 and 1.

    log of a negative number is no number, so Keras and graphdl clip to 1e-7 ... 1 - 1e-7 first. Where a value is
    clipped its gradient is 0: a unit below 0 or above 1 stops learning, and the loss shown is that of 1e-7.
    """
    for node in facts.nodes:
        if node.op is log or node.op is xlogy:
            z = _clipped(node.inputs[-1])
            found = facts.ranges[z] if z is not None else None
            if z is not None and found is not None and found.moves and (found.low < 0 or found.high > 1):
                below = found.low < 0
                yield Hit(
                    z,
                    {
                        "z": called(z),
                        "outside": "below 0" if below else "above 1",
                        "outside_ko": "0보다 작을 수 있음" if below else "1보다 클 수 있음",
                    },
                )


def _clipped(node: Node) -> Node | None:
    """What was clipped to probabilities to make `node`; what it was before it was divided by its sum."""
    node = behind(node, (Reshape, BroadcastTo))
    if node.op is subtract and number_of(node.inputs[0]) == 1:
        node = node.inputs[1]
    if node.op is not clip or not _is_share(number_of(node.inputs[1]), number_of(node.inputs[2])):
        return None
    p = behind(node.inputs[0], (Reshape,))
    return p.inputs[0] if p.op is divide and is_total_of(p.inputs[1], p.inputs[0]) else p


def _is_share(low: float | None, high: float | None) -> bool:
    return low is not None and high is not None and 0 <= low < 0.1 and 0.9 < high <= 1


@rule(
    "relu-before-probability",
    "warning",
    {
        "en": "{z} goes through relu and then {kind}: no logit is below 0",
        "ko": "{z}: relu를 거친 뒤 {kind} 적용, 로짓이 0보다 작을 수 없음",
    },
    {
        "en": "give {z} no activation of its own: logits are any numbers",
        "ko": "{z}에서 활성화 함수를 제거: 로짓은 임의의 실수",
    },
    sigmoid=(
        {
            "en": "{z} goes through relu and then sigmoid, which is then 0.5 or more: class 0 is never predicted",
            "ko": "{z}: relu를 거친 뒤 sigmoid 적용, 결과가 항상 0.5 이상이라 클래스 0을 예측하지 못함",
        },
        {
            "en": "give {z} no activation of its own: logits are any numbers",
            "ko": "{z}에서 활성화 함수를 제거: 로짓은 임의의 실수",
        },
    ),
)
def relu_before_probability(facts: Facts) -> Iterator[Hit]:
    """Logits are any numbers, and relu cuts those below 0 off, with their gradients.

    Under softmax a class whose logit is cut is stuck until another example lifts it, and no class can be ruled out.
    Under sigmoid the probability cannot fall below sigmoid(0) = 1/2.
    """
    for node in facts.nodes:
        binary = node.op is sigmoid or node.op is sigmoid_cross_entropy
        if binary or isinstance(node.op, OVER_LOGITS):
            z = behind(node.inputs[0], (Reshape, Cast))
            if z.op is relu and _is_layer(z) and not _is_inside(facts, node):
                slots = {"z": called(z), "kind": "sigmoid" if binary else "softmax"}
                yield Hit(z, slots, "sigmoid" if binary else "", "error" if binary else None)


def _is_inside(facts: Facts, node: Node) -> bool:
    """Whether a layer follows: then this is a gate or attention, not the output."""
    below = {p.y for p in products(facts)}
    waiting, seen = [node], {node}
    while waiting:
        for user in facts.consumers[waiting.pop()]:
            if user in below or isinstance(user.op, MatMul):
                return True
            if user not in seen:
                seen.add(user)
                waiting.append(user)
    return False


def _is_layer(node: Node) -> bool:
    """Whether weights are close behind `node`: it is a layer's, not the user's own arithmetic."""
    waiting = list(node.inputs)
    while waiting:
        source = waiting.pop()
        if isinstance(source.op, MatMul):
            return variable_behind(source.inputs[1]) is not None
        if source.op.name in ("add", "reshape", "cast"):
            waiting += source.inputs
    return False
