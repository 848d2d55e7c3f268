"""Rules about targets: can the output reach them, are they probabilities, is each compared with its own prediction?"""

from __future__ import annotations

from collections.abc import Iterator

from graphdl.analysis.lint.facts import Facts
from graphdl.analysis.lint.finding import Hit, rule
from graphdl.analysis.lint.reading import behind, called, placeholder_behind
from graphdl.ir.elementwise import Elementwise
from graphdl.ir.node import Node
from graphdl.ir.traverse import dependents
from graphdl.ops.arithmetic import abs, multiply, square, subtract
from graphdl.ops.nn import SoftmaxCrossEntropy
from graphdl.ops.shape import BroadcastTo, Cast, Reshape


@rule(
    "targets-out-of-reach",
    "error",
    {
        "en": "the targets {target} go from {low} to {high}, and {p} only from {least} to {most}",
        "ko": "목표값 {target}의 범위는 {low} ~ {high}, {p}의 출력 범위는 {least} ~ {most}",
    },
    {
        "en": "give the output of a regression no activation, or scale the targets into that range",
        "ko": "회귀의 출력층에는 활성화 함수를 쓰지 않거나, 목표값을 그 범위로 스케일링",
    },
)
def targets_out_of_reach(facts: Facts) -> Iterator[Hit]:
    """A bounded output can never reach targets beyond its bounds: sigmoid and softmax 0 to 1, tanh -1 to 1, relu 0 up.

    For a regression the last layer has no activation. Seen on data: the targets that were fed are compared with the
    range that the ops of the output allow.
    """
    for node in facts.nodes:
        if node.op is subtract and any(_is_error(user, node) for user in facts.consumers[node]):
            for p, side in (node.inputs, node.inputs[::-1]):
                yield from _out_of_reach(facts, p, side)


def _is_error(user: Node, difference: Node) -> bool:
    """Whether `user` makes of a difference how wrong it is: its square or its size."""
    return user.op in (square, abs) or (user.op is multiply and all(side is difference for side in user.inputs))


def _out_of_reach(facts: Facts, p: Node, side: Node) -> Iterator[Hit]:
    target = placeholder_behind(side)
    values, reach = facts.values.get(side), facts.ranges[p]
    if target is None or values is None or not values.size or not reach.moves:
        return
    low, high = float(values.min()), float(values.max())
    slack = 1e-6 * max(1.0, -low, high)
    if low < reach.low - slack or high > reach.high + slack:
        numbers = {"low": low, "high": high, "least": reach.low, "most": reach.high}
        shown = {name: f"{number:.4g}" for name, number in numbers.items()}
        yield Hit(p, {"p": called(p), "target": called(target), **shown})


@rule(
    "targets-no-probabilities",
    "error",
    {
        "en": "rows of the targets {target} sum to {low} up to {high}; the probabilities of classes sum to 1",
        "ko": "목표값 {target}: 행의 합이 {low} ~ {high}, 클래스 확률의 합은 1이어야 함",
    },
    {
        "en": "make them one-hot rows, keras.utils.to_categorical(y), or pass class numbers as integers",
        "ko": "원-핫 행으로 변환: keras.utils.to_categorical(y), 또는 정수 클래스 번호를 사용",
    },
)
def targets_no_probabilities(facts: Facts) -> Iterator[Hit]:
    """The targets of categorical cross-entropy are rows of probabilities, mostly one-hot: all 0 and a single 1.

    Rows that sum to less or more weigh examples differently, and the gradient is not p - t any more. Seen on data.
    """
    for node in facts.nodes:
        if isinstance(node.op, SoftmaxCrossEntropy):
            values, target = facts.values.get(node.inputs[1]), placeholder_behind(node.inputs[1])
            if values is None or target is None or not values.size:
                continue
            totals = values.sum(axis=-1)
            low, high = float(totals.min()), float(totals.max())
            if low < 1 - 1e-3 or high > 1 + 1e-3:
                yield Hit(node.inputs[0], {"target": called(target), "low": f"{low:.4g}", "high": f"{high:.4g}"})


@rule(
    "targets-broadcast",
    "error",
    {
        "en": "{p} is {p_type} and {target} is {t_type}: {op} compares every prediction with every target, {result}",
        "ko": "{p}: {p_type}, {target}: {t_type}. {op} 연산이 모든 예측과 모든 목표값을 짝지음, 결과 {result}",
    },
    {
        "en": "give both the same shape: gd.expand_dims({target}, 1), or gd.squeeze of the prediction",
        "ko": "두 값의 모양을 맞춤: gd.expand_dims({target}, 1) 또는 예측값에 gd.squeeze",
    },
)
def targets_broadcast(facts: Facts) -> Iterator[Hit]:
    """A column (N, 1) and a row (N,) broadcast to a table (N, N), as in NumPy, and nothing complains.

    The mean over the table is a loss whose best answer is the mean of all targets for every example: the network
    learns a constant.
    """
    learnt = dependents(facts.nodes, facts.trained)
    for node in facts.nodes:
        if isinstance(node.op, Elementwise) and len(node.inputs) == 2 and node.ndim == 2:
            for p, target in (node.inputs, node.inputs[::-1]):
                yield from _table(node, p, target, learnt)


def _table(node: Node, p: Node, target: Node, learnt: set[Node]) -> Iterator[Hit]:
    if not (isinstance(p.op, BroadcastTo) and isinstance(target.op, BroadcastTo)):
        return
    column, row = p.inputs[0], target.inputs[0]
    fed = placeholder_behind(row)
    is_table = row.ndim == 1 and row.shape[0] != 1 and column.shape == (row.shape[0], 1)
    if is_table and column in learnt and fed is not None and not _is_stood_up(column):
        yield Hit(
            node,
            {
                "p": called(behind(column, (Reshape, Cast))),
                "target": called(fed),
                "p_type": column.type,
                "t_type": row.type,
                "op": node.op.name,
                "result": node.type,
            },
        )


def _is_stood_up(column: Node) -> bool:
    """Whether the user made a column of a row, as for a table of all pairs."""
    return isinstance(column.op, Reshape) and column.inputs[0].ndim == 1
