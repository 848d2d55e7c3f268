"""Rules about numbers: what is seen when the graph has been run on data."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from graphdl.analysis.lint.facts import Array, Facts
from graphdl.analysis.lint.finding import Hit, rule
from graphdl.analysis.lint.reading import behind, called, placeholder_behind, products
from graphdl.ir.leaves import scalar_of
from graphdl.ir.node import Node
from graphdl.ir.text import plain
from graphdl.ops.shape import Cast, Reshape
from graphdl.ops.transcendental import relu, sigmoid, tanh

# Inputs are best near 1: pixels of 0..16 pass, 0..255 do not.
LARGEST, SMALLEST = 15.0, 0.01
# From how many examples on a unit that is never positive is called dead, and from which share of them a layer is.
ENOUGH, MOST = 32, 0.5


@rule(
    "non-finite",
    "error",
    {
        "en": "{node} is the first node with {kind}: {bad} of {size} elements{operands}",
        "ko": "{node}: 처음으로 {kind} 발생, 원소 {size}개 중 {bad}개{operands_ko}",
    },
    {
        "en": "see `graphdl explain nan FILE.py`; common cures: scaled inputs, a smaller learning rate, gd.clip",
        "ko": "`graphdl explain nan FILE.py` 참고. 흔한 해결책: 입력 스케일링, 더 작은 학습률, gd.clip",
    },
)
def non_finite(facts: Facts) -> Iterator[Hit]:
    """NaN and infinity spread to all that is computed from them, so only the first node that has them is to blame.

    First means first in causal order: all its inputs are finite.
    """
    for node, value in facts.values.items():
        if value.dtype.kind == "f" and not np.isfinite(value).all():
            extremes = [_extremes(source, facts) for source in dict.fromkeys(node.inputs) if source in facts.values]
            said = ", ".join(text for text in extremes if text)
            slots = {
                "node": plain(node.label),
                "kind": "NaN" if np.isnan(value).any() else "infinity",
                "bad": int((~np.isfinite(value)).sum()),
                "size": value.size,
                "operands": f", from {said}" if said else "",
                "operands_ko": f", 입력: {said}" if said else "",
            }
            yield Hit(node, slots)
            return


def _extremes(node: Node, facts: Facts) -> str:
    value = facts.values[node]
    if scalar_of(node) is not None or not value.size or value.dtype.kind not in "fiu":
        return ""
    return f"{plain(node.label)} in {value.min():.4g} … {value.max():.4g}"


@rule(
    "unscaled-inputs",
    "warning",
    {
        "en": "{x} goes into a layer unscaled: {which} from {low} to {high}",
        "ko": "{x}: 스케일링 없이 층에 입력됨, {which_ko} 범위 {low} ~ {high}",
    },
    {
        "en": "bring each input near 1: divide by its largest value, or subtract the mean and divide by the standard "
        "deviation, both taken from the training examples",
        "ko": "입력을 1 정도의 크기로: 최댓값으로 나누거나, 훈련 데이터의 평균을 빼고 표준편차로 나누기",
    },
)
def unscaled_inputs(facts: Facts) -> Iterator[Hit]:
    """Weights start small, for inputs near 1; the gradient of a weight is proportional to its input.

    With pixels of 0 to 255 the first sums are in the hundreds: sigmoid and tanh saturate, softmax is 0 or 1, a step of
    gradient descent overshoots. Columns of different size make a long narrow valley, in which one learning rate is
    too large for one weight and too small for the next.
    """
    seen = set()
    for product in products(facts):
        x = placeholder_behind(product.x)
        value = facts.values.get(product.x)
        if x is not None and x not in seen and value is not None and x.tensor.is_float and value.size:
            seen.add(x)
            yield from _scale(x, value)


def _scale(x: Node, value: Array) -> Iterator[Hit]:
    columns = value.reshape(-1, value.shape[-1]) if value.ndim > 1 else value[:, None]
    size = np.sqrt(np.mean(np.square(columns.astype("float64")), axis=0))
    worst = int(size.argmax())
    if not np.isfinite(size).all() or SMALLEST <= size[worst] <= LARGEST or not size[worst]:
        return
    several = columns.shape[1] > 1
    slots = {
        "x": plain(x.label),
        "which": f"column {worst}" if several else "values",
        "which_ko": f"{worst}번 열" if several else "값의",
        "low": f"{columns[:, worst].min():.4g}",
        "high": f"{columns[:, worst].max():.4g}",
    }
    yield Hit(x, slots)


@rule(
    "dead-relu",
    "warning",
    {
        "en": "{dead} of {units} units of {relu} are 0 for all {rows} examples: no gradient passes them",
        "ko": "{relu}: 유닛 {units}개 중 {dead}개가 예제 {rows}개 모두에서 0, 기울기가 지나가지 못함",
    },
    {
        "en": "a smaller learning rate, 'he_normal' first weights, scaled inputs, or leaky_relu",
        "ko": "더 작은 학습률, 'he_normal' 초기화, 입력 스케일링, 또는 leaky_relu",
    },
)
def dead_relu(facts: Facts) -> Iterator[Hit]:
    """The derivative of relu is 0 below 0: a unit that is 0 for every example gets no gradient, and stays as it is.

    A large step or a large negative bias throws units there. A few are normal; where half of a layer is dead, half of
    its weights do nothing.
    """
    for node in facts.nodes:
        value = facts.values.get(node)
        if node.op is relu and value is not None and value.ndim > 1:
            units = value.reshape(-1, value.shape[-1])
            dead = int((~(units > 0).any(axis=0)).sum())
            if len(units) >= ENOUGH and dead >= MOST * units.shape[1] and units.shape[1]:
                yield Hit(node, {"relu": called(node), "dead": dead, "units": units.shape[1], "rows": len(units)})


@rule(
    "saturated-units",
    "warning",
    {
        "en": "{share} of the values of the hidden layer {layer} are at the ends of {op}, where its derivative is "
        "below {slope}",
        "ko": "은닉층 {layer}: 값의 {share}가 {op}의 양 끝에 있어 미분이 {slope} 미만",
    },
    {
        "en": "scale the inputs, start from smaller weights ('glorot_uniform'), or use relu",
        "ko": "입력을 스케일링하거나, 더 작은 초기 가중치('glorot_uniform') 또는 relu 사용",
    },
)
def saturated_units(facts: Facts) -> Iterator[Hit]:
    """Far from 0 sigmoid and tanh are flat: their derivative is nearly 0, and so is the gradient that goes on.

    tanh'(z) = 1 - tanh(z)^2 is below 0.02 where tanh is beyond 0.99. For an output that is as it should be, at the end
    of training; in a hidden layer it stops what lies below.
    """
    hidden = {behind(p.x, (Reshape, Cast)) for p in products(facts)}
    for node in facts.nodes:
        value = facts.values.get(node)
        if node in hidden and node.op in (sigmoid, tanh) and value is not None and value.size:
            spread = value * 2 - 1 if node.op is sigmoid else value
            share = float(np.mean(np.abs(spread) > 0.99))
            if share > MOST:
                slope = "0.005" if node.op is sigmoid else "0.02"
                slots = {"layer": called(node), "op": node.op.name, "share": f"{share:.0%}", "slope": slope}
                yield Hit(node, slots)
