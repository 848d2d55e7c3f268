"""Rules about gradients that never arrive."""

from __future__ import annotations

from collections.abc import Iterator

from graphdl.analysis.lint.facts import Facts
from graphdl.analysis.lint.finding import Hit, rule
from graphdl.analysis.lint.reading import called
from graphdl.ir.node import Node
from graphdl.ir.text import plain
from graphdl.ir.traverse import dependents
from graphdl.ir.types import TensorType


@rule(
    "accuracy-as-loss",
    "error",
    {
        "en": "{loss} is flat: {op} has no derivative ({why}), so no variable gets a gradient and nothing is learnt",
        "ko": "{loss}: 계단 함수. {op}의 미분이 없어({why_ko}) 어떤 변수에도 기울기가 전달되지 않음",
    },
    {
        "en": "train on cross-entropy and watch accuracy as a metric: metrics=['accuracy']",
        "ko": "손실은 교차 엔트로피로, 정확도는 지표로만 사용: metrics=['accuracy']",
    },
)
def accuracy_as_loss(facts: Facts) -> Iterator[Hit]:
    """Accuracy counts, and a count does not move when a weight moves a little: its derivative is 0 almost everywhere.

    argmax, equal, greater, floor and casts to integers are steps. Where the loss depends on the weights through them
    alone, the gradient is 0 for every weight. Cross-entropy is the smooth loss that goes with accuracy.
    """
    trained = [v for v in facts.trained if v in facts.zero_because]
    if facts.loss is None or not trained or len(trained) != len(facts.trained):
        return
    flat = where_floats_end(facts.nodes, trained)
    if flat and not all(node.op.name == "stop_gradient" for node in flat):
        node = flat[-1]
        slots = {"loss": called(facts.loss), "op": node.op.name, "why": node.op.why_flat, "why_ko": why_flat_ko(node)}
        yield Hit(facts.loss, slots)


@rule(
    "no-gradient",
    "warning",
    {
        "en": "{variable} is trained and gets no gradient: {why}",
        "ko": "{variable}: 학습 대상이지만 기울기가 0. {why_ko}",
    },
    {
        "en": "if that is meant, say trainable=False; else let the loss depend on it smoothly",
        "ko": "의도한 것이면 trainable=False, 아니면 손실이 이 변수에 매끄럽게 의존하도록 수정",
    },
)
def no_gradient(facts: Facts) -> Iterator[Hit]:
    """A variable that is trained and never changes, since nothing on its way to the loss has a derivative.

    Most often stop_gradient, a cast to integers or a comparison stands between. A gradient that is zero on this data
    only, such as that of a dead relu, is another matter: see dead-relu.
    """
    zero = [v for v in facts.trained if v in facts.zero_because]
    flat_for_all = len(zero) == len(facts.trained)
    for variable in zero:
        flat = where_floats_end(facts.nodes, [variable])
        held_back = bool(flat) and all(node.op.name == "stop_gradient" for node in flat)
        if not flat_for_all or held_back:
            why = "; ".join(f"{called(node)}: {node.op.why_flat}" for node in flat) or facts.zero_because[variable]
            why_ko = "; ".join(f"{called(node)}: {why_flat_ko(node)}" for node in flat)
            yield Hit(variable, {"variable": plain(variable.label), "why": why, "why_ko": why_ko})


def where_floats_end(nodes: list[Node], sources: list[Node]) -> list[Node]:
    """The ops on the way from `sources` at which a gradient stops: they have no derivative, or give no floats."""
    below = dependents(nodes, sources)
    first: list[Node] = []
    behind: set[Node] = set()
    for node in nodes:
        if node in below and any(source in behind for source in node.inputs):
            behind.add(node)
        elif node in below and node.inputs and _stops(node):
            behind.add(node)
            first.append(node)
    return first


def _stops(node: Node) -> bool:
    takes_floats = any(_is_float(source) for source in node.inputs)
    return takes_floats and bool(node.op.why_flat) and (not _is_float(node) or node.op.name in _FLAT_FLOATS)


# Steps whose result is a float; what gives integers or truth values is a step anyway.
_FLAT_FLOATS = ("floor", "sign", "stop_gradient")


def _is_float(node: Node) -> bool:
    return isinstance(node.type, TensorType) and node.type.is_float


def why_flat_ko(node: Node) -> str:
    """Why the op of `node` has no derivative, in Korean."""
    return _WHY_KO.get(node.op.name, "계단 함수이므로 거의 모든 곳에서 미분이 0")


_WHY_KO = {
    "argmax": "argmax는 번호이므로 거의 모든 곳에서 미분이 0",
    "sign": "sign은 0에서만 뛰는 계단 함수",
    "floor": "floor는 계단 함수",
    "stop_gradient": "stop_gradient가 기울기를 막음",
    "cast": "정수나 참/거짓으로의 변환은 계단 함수",
    "where": "where의 조건은 선택만 함",
    "isfinite": "isfinite는 참/거짓 값",
    "equal": "비교는 계단 함수",
    "not_equal": "비교는 계단 함수",
    "greater": "비교는 계단 함수",
    "greater_equal": "비교는 계단 함수",
    "less": "비교는 계단 함수",
    "less_equal": "비교는 계단 함수",
}
