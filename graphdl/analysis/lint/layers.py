"""Rules about the layers of a network: what lies between two products with weights, and where weights start."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from graphdl.analysis.lint.facts import Facts
from graphdl.analysis.lint.finding import Hit, rule
from graphdl.analysis.lint.reading import Product, behind, called, products, without_bias
from graphdl.ir.elementwise import Elementwise
from graphdl.ir.leaves import Constant, VariableLeaf
from graphdl.ir.node import Node
from graphdl.ir.text import plain
from graphdl.ops.linalg import Affine, MatMul
from graphdl.ops.shape import BroadcastTo, Cast, Reshape
from graphdl.ops.transcendental import sigmoid


@rule(
    "linear-after-linear",
    "warning",
    {
        "en": "{first} and {second} are one linear layer: without an activation between them "
        "{first_shape} times {second_shape} is one matrix {whole}",
        "ko": "{first}와(과) {second} 사이에 활성화 함수가 없어 하나의 선형층과 같음: "
        "{first_shape} × {second_shape} = 행렬 하나 {whole}",
    },
    {
        "en": "give {first} an activation such as 'relu', or leave the layer out",
        "ko": "{first}에 'relu' 같은 활성화 함수를 주거나 층을 제거",
    },
    narrow=(
        {
            "en": "{first} and {second} are one linear layer whose matrix {whole} has rank {rank} at most",
            "ko": "{first}와(과) {second}: 하나의 선형층과 같고 행렬 {whole}의 계수(rank)는 최대 {rank}",
        },
        {
            "en": "leave it so if a bottleneck is meant, as in a linear autoencoder; else give {first} an activation",
            "ko": "선형 오토인코더처럼 의도한 병목이면 그대로 두고, 아니면 {first}에 활성화 함수를 추가",
        },
    ),
)
def linear_after_linear(facts: Facts) -> Iterator[Hit]:
    """Two linear layers in a row are one: (x W + b) V + c = x (W V) + (b V + c).

    However many are stacked, the network draws straight lines and planes: it cannot learn XOR. An activation between
    them is what makes depth worth anything. Where the layer between is narrower than both sides, the product has a
    lower rank, which may be meant.
    """
    layers = {p.y: p for p in products(facts)}
    for second in layers.values():
        first = layers.get(without_bias(second.x))
        if first is not None and first.W is not second.W and _is_alone(facts, first.y, second):
            yield _one_matrix(first, second)


def _is_alone(facts: Facts, y: Node, second: Product) -> bool:
    """Whether nobody else reads what lies between: a value that two branches share is worth a layer."""
    node = y
    while node is not second.y:
        if len(facts.consumers[node]) != 1:
            return False
        (node,) = facts.consumers[node]
    return True


def _layer(product: Product) -> str:
    """The layer's name; in a bare graph that of its weights."""
    y, W = product.y, product.W
    return called(y) if y.scope or y.name else plain(W.label)


def _one_matrix(first: Product, second: Product) -> Hit:
    (rows, rank), (_, columns) = first.W.shape, second.W.shape
    slots = {
        "first": _layer(first),
        "second": _layer(second),
        "first_shape": f"({rows}, {rank})",
        "second_shape": f"({rank}, {columns})",
        "whole": f"({rows}, {columns})",
        "rank": rank,
    }
    narrow = rank < min(rows, columns)
    return Hit(first.y, slots, "narrow" if narrow else "", "hint" if narrow else None)


@rule(
    "hidden-sigmoid",
    "warning",
    {
        "en": "{count} hidden layers of sigmoid lie between the loss and {weights}: each passes on at most 1/4 of a "
        "gradient, together at most {bound}",
        "ko": "손실과 {weights} 사이에 sigmoid 은닉층 {count}개: 층마다 기울기가 최대 1/4배, 합쳐서 최대 {bound}배",
    },
    {
        "en": "use relu in hidden layers, and sigmoid for the output alone",
        "ko": "은닉층에는 relu, 출력층에만 sigmoid 사용",
    },
    one=(
        {
            "en": "the hidden layer {sigmoid} is a sigmoid, which passes on at most 1/4 of a gradient",
            "ko": "은닉층 {sigmoid}: sigmoid의 미분은 최대 1/4, 기울기가 그만큼 작아짐",
        },
        {
            "en": "relu or tanh learn faster; for one small layer it does no harm",
            "ko": "relu나 tanh가 더 빨리 학습됨. 작은 층 하나라면 큰 문제는 아님",
        },
    ),
)
def hidden_sigmoid(facts: Facts) -> Iterator[Hit]:
    """The derivative of sigmoid is s (1 - s), which is 1/4 at most and near 0 where the unit is saturated.

    Through k hidden layers of sigmoid a gradient keeps at most (1/4)^k, before the weights have their say: with 5
    layers 1/1024. The first layers hardly learn. This is the vanishing gradient; relu, whose derivative is 1 or 0, does
    not have it.
    """
    hidden = [s for s in (behind(p.x, (Reshape, Cast)) for p in products(facts)) if s.op is sigmoid]
    if not hidden:
        return
    least = _fewest_below(facts, set(hidden))
    weights: dict[Node, int] = {}
    for p in products(facts):
        weights[p.W] = min(least[p.y], weights.get(p.W, len(hidden)))
    deepest = max(weights, key=lambda W: weights[W])
    count = weights[deepest]
    if count:
        bound = f"{0.25**count:.2g}" if count > 5 else f"1/{4**count}"
        slots = {"count": count, "weights": called(deepest), "bound": bound, "sigmoid": called(hidden[0])}
        yield Hit(hidden[0], slots, "one" if count == 1 else "", "hint" if count == 1 else None)


def _fewest_below(facts: Facts, hidden: set[Node]) -> dict[Node, int]:
    """For each node the fewest hidden sigmoids that any path from it to an output goes through."""
    outputs = set(facts.settled.outputs.values())
    fewest: dict[Node, int] = {}
    for node in reversed(facts.nodes):
        found = [fewest[user] for user in facts.consumers[node] if user in fewest]
        found += [0] if node in outputs else []
        if found:
            fewest[node] = min(found) + (node in hidden)
    return fewest


@rule(
    "symmetric-start",
    "error",
    {
        "en": "all {units} units of {first} start alike, and {second} reads them alike: they get the same gradient "
        "in every step and stay one unit",
        "ko": "{first}의 유닛 {units}개가 모두 같은 값에서 시작하고 {second}도 동일하게 읽음: "
        "매 단계 기울기가 같아 유닛 하나와 다름없음",
    },
    {
        "en": "start kernels from random numbers: 'glorot_uniform', 'he_normal' for relu",
        "ko": "커널을 난수로 초기화: 'glorot_uniform', relu에는 'he_normal'",
    },
)
def symmetric_start(facts: Facts) -> Iterator[Hit]:
    """Units with the same weights, read with the same weights, compute the same and learn the same, for ever.

    Random first weights are there to break this symmetry. Biases may start at 0, and so may a network without hidden
    layers. Dropout breaks the symmetry too, so a network that has it is left in peace.
    """
    if facts.is_masked:
        return
    layers = {p.y: p for p in products(facts)}
    for second in layers.values():
        first = layers.get(_unit_by_unit(second.x))
        if first is None or first.W.shape[1] < 2:
            continue
        if _all_alike(first.W, axis=1) and _all_alike(second.W, axis=0):
            slots = {"first": called(first.y), "second": called(second.y), "units": first.W.shape[1]}
            yield Hit(first.y, slots)


def _unit_by_unit(x: Node) -> Node:
    """The product behind `x`, past activations that treat all units alike and biases that start alike."""
    node = x
    while not isinstance(node.op, MatMul | Affine):
        data = [source for source in node.inputs if not _is_even(source)]
        if len(data) != 1 or not isinstance(node.op, Elementwise | Reshape | Cast):
            return x
        (node,) = data
    return node


def _is_even(node: Node) -> bool:
    node = behind(node, (BroadcastTo, Reshape, Cast))
    return isinstance(node.op, Constant | VariableLeaf) and _all_alike(node, axis=-1)


def _all_alike(node: Node, axis: int) -> bool:
    """Whether the value that `node` starts from, where it is no random one, is the same all along `axis`."""
    start = node.op.initial if isinstance(node.op, VariableLeaf) else node
    while isinstance(start.op, Cast):
        (start,) = start.inputs
    if isinstance(start.op, BroadcastTo):
        start = start.inputs[0]
        return isinstance(start.op, Constant) and not start.ndim
    if not isinstance(start.op, Constant):
        return False
    value = start.op.value
    return not value.ndim or bool(np.all(value == np.take(value, [0], axis=axis)))
