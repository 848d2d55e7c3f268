"""Rules about the examples that a model is given: labels, targets, how they are split and scored."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import numpy as np

from graphdl.analysis.lint.finding import Hit, rule
from graphdl.ir.text import plain
from graphdl.ir.types import shape_text
from graphdl.keras.fitting import BATCH_SIZE
from graphdl.keras.lint.facts import ModelFacts
from graphdl.keras.metrics import Accuracy, BinaryAccuracy, CategoricalAccuracy, SparseCategoricalAccuracy

if TYPE_CHECKING:
    from graphdl.keras.training import Head

# An accuracy that a constant answer reaches this often says little.
IMBALANCE, FEWEST = 0.9, 20
# Targets of a regression beyond this size make losses, and first gradients, in the tens of thousands.
LARGE_TARGETS = 100.0
_ACCURACIES = (Accuracy, BinaryAccuracy, CategoricalAccuracy, SparseCategoricalAccuracy)


@rule(
    "batch-larger-than-data",
    "hint",
    {
        "en": "batch_size={size} and {n} examples: every epoch is one step",
        "ko": "batch_size={size}, 예제 {n}개: 1 에포크 = 1 스텝",
    },
    {
        "en": "take a smaller batch, for more steps an epoch; or say batch_size={n}, if full batches are meant",
        "ko": "에포크당 스텝을 늘리려면 더 작은 배치, 전체 배치를 의도했다면 batch_size={n}",
    },
)
def batch_larger_than_data(facts: ModelFacts) -> Iterator[Hit]:
    """An epoch has ceil(n / batch size) iterations: with a batch as large as the data it is one.

    That is batch gradient descent: fine for a handful of examples, slow for many.
    """
    if facts.batch_size is not None and 0 < facts.n < facts.batch_size and facts.batch_size != BATCH_SIZE:
        yield Hit(None, {"size": facts.batch_size, "n": facts.n}, where=facts.compiled_at)


@rule(
    "class-imbalance",
    "warning",
    {
        "en": "{share} of the examples are class {label}: always answering {label} has an accuracy of {share}",
        "ko": "예제의 {share}가 클래스 {label}: 항상 {label}이라고 답해도 정확도 {share}",
    },
    {
        "en": "look at precision and recall, at the loss, or at accuracy class by class; more examples of the others "
        "help most",
        "ko": "정밀도와 재현율, 손실, 클래스별 정확도를 함께 확인. 적은 클래스의 예제를 늘리는 것이 가장 효과적",
    },
)
def class_imbalance(facts: ModelFacts) -> Iterator[Hit]:
    """Accuracy counts right answers, and where 95 of 100 examples are of one class, it is high for no merit.

    With 95 to 5 a constant answer is right 95 % of the time and finds none of the 5. Cross-entropy, precision and
    recall tell such a network from a good one.
    """
    for head in facts.heads:
        labels = facts.labels(head)
        if labels is None or len(labels) < FEWEST or not watches_accuracy(head):
            continue
        classes, counts = np.unique(labels, return_counts=True)
        share = counts.max() / len(labels)
        if IMBALANCE <= share < 1:
            slots = {"share": f"{share:.0%}", "label": f"{classes[counts.argmax()]:g}"}
            yield Hit(None, slots, where=facts.compiled_at)


@rule(
    "accuracy-of-regression",
    "warning",
    {
        "en": "accuracy counts equal classes, and the targets of {head} are amounts, such as {example}",
        "ko": "{head}: 목표값이 {example} 같은 수치인데 정확도(클래스 일치율)를 지표로 사용",
    },
    {
        "en": "watch metrics=['mae'] instead",
        "ko": "metrics=['mae'] 사용",
    },
)
def accuracy_of_regression(facts: ModelFacts) -> Iterator[Hit]:
    """Accuracy is for classes. Of a regression it says how often two real numbers fall on one side of 1/2: nothing."""
    for head in facts.heads:
        values = facts.examples.get(head.target)
        if values is None or head.loss.takes_classes or getattr(head.loss, "is_probability", False):
            continue
        amounts = values[~np.isin(values, (0, 1))]
        if amounts.size and watches_accuracy(head):
            yield Hit(None, {"head": plain(head.name), "example": f"{amounts[0]:.4g}"}, where=facts.compiled_at)


def watches_accuracy(head: Head) -> bool:
    """Whether accuracy is among the metrics of `head`."""
    return any(
        isinstance(metric, _ACCURACIES) or metric in _ACCURACIES or str(metric).lower() in ("accuracy", "acc")
        for metric in head.metrics
    )


@rule(
    "targets-beyond-probabilities",
    "error",
    {
        "en": "the targets of {head} go from {low} to {high}, and {loss} takes probabilities, from 0 to 1",
        "ko": "{head}의 목표값 범위는 {low} ~ {high}, {loss} 손실은 0에서 1 사이의 확률을 받음",
    },
    {
        "en": "for classes give 0 and 1; for amounts use loss='mse' and an output without activation",
        "ko": "클래스이면 0과 1을 사용, 수치이면 loss='mse'와 활성화 함수 없는 출력층을 사용",
    },
)
def targets_beyond_probabilities(facts: ModelFacts) -> Iterator[Hit]:
    """Cross-entropy -t log p - (1 - t) log(1 - p) has its least value at p = t only for t from 0 to 1.

    Beyond, it falls without end as p goes to 0 or 1: the loss becomes negative, weights grow, nothing is learnt.
    """
    for head in facts.heads:
        values = facts.examples.get(head.target)
        if values is None or not values.size or not getattr(head.loss, "is_probability", False):
            continue
        low, high = float(values.min()), float(values.max())
        if low < 0 or high > 1:
            slots = {"head": plain(head.name), "low": f"{low:.4g}", "high": f"{high:.4g}", "loss": head.loss.name}
            yield Hit(None, slots, where=facts.compiled_at)


@rule(
    "one-hot-labels",
    "error",
    {
        "en": "the labels of {head} are one-hot rows, {shape}, and {loss} takes class numbers",
        "ko": "{head}의 레이블은 원-핫 행 {shape}, {loss} 손실은 클래스 번호를 받음",
    },
    {
        "en": "use loss='categorical_crossentropy', or y.argmax(axis=-1)",
        "ko": "loss='categorical_crossentropy' 또는 y.argmax(axis=-1) 사용",
    },
)
def one_hot_labels(facts: ModelFacts) -> Iterator[Hit]:
    """One-hot rows such as 0 0 1 0 go with categorical cross-entropy; class numbers such as 2 with the sparse one.

    The two compute the same number; only the form of the labels differs.
    """
    for head in facts.heads:
        given = facts.given(head)
        if given is None or not head.loss.takes_classes:
            continue
        classes = head.inferred.shape[-1]
        if given.ndim > head.target.ndim and given.shape[-1] == classes != 1:
            slots = {"head": plain(head.name), "shape": shape_text(given.shape), "loss": head.loss.name}
            yield Hit(None, slots, where=facts.compiled_at)


@rule(
    "integer-labels",
    "error",
    {
        "en": "the labels of {head} are class numbers, {shape}, and {loss} takes a row of {classes} for each example",
        "ko": "{head}의 레이블은 클래스 번호 {shape}, {loss} 손실은 예제마다 {classes}개의 값을 받음",
    },
    {
        "en": "use loss='sparse_categorical_crossentropy', or keras.utils.to_categorical(y, {classes})",
        "ko": "loss='sparse_categorical_crossentropy' 또는 keras.utils.to_categorical(y, {classes}) 사용",
    },
)
def integer_labels(facts: ModelFacts) -> Iterator[Hit]:
    """Categorical cross-entropy compares rows of probabilities, so it needs one-hot rows, not class numbers."""
    for head in facts.heads:
        given = facts.given(head)
        classes = head.target.shape[-1] if head.target.ndim else 1
        if given is None or head.loss.name != "categorical_crossentropy" or classes == 1:
            continue
        if given.ndim == head.target.ndim - 1 or (given.ndim == head.target.ndim and given.shape[-1] == 1):
            shape = shape_text(given.shape)
            slots = {"head": plain(head.name), "shape": shape, "loss": head.loss.name, "classes": classes}
            yield Hit(None, slots, where=facts.compiled_at)


@rule(
    "unusable-data",
    "error",
    {"en": "{why}", "ko": "학습에 쓸 수 없는 데이터: {why}"},
    {"en": "mend the data before training; fit refuses them", "ko": "학습 전에 데이터를 수정. fit이 거부함"},
)
def unusable_data(facts: ModelFacts) -> Iterator[Hit]:
    """The examples do not fit the model: shapes that differ, missing values, labels out of range.

    What is said is what `fit` would say.
    """
    told = any(True for check in (one_hot_labels, integer_labels) for _ in check(facts))
    if facts.refusal is not None and not told:
        yield Hit(None, {"why": str(facts.refusal)}, where=facts.compiled_at)


@rule(
    "unseen-classes",
    "error",
    {
        "en": "validation_split={share} takes the last {held} examples, and class {classes} appears only there",
        "ko": "validation_split={share}: 마지막 예제 {held}개를 떼어 내며, 클래스 {classes}은(는) 그 안에만 있음",
    },
    {
        "en": "shuffle x and y together before fit; the split is taken before any shuffling",
        "ko": "fit 전에 x와 y를 함께 섞기. 검증 분할은 섞기 전에 마지막 부분을 떼어 냄",
    },
)
def unseen_classes(facts: ModelFacts) -> Iterator[Hit]:
    """The validation split is the tail of the data, cut off before shuffling: sorted labels put whole classes there.

    The network never sees those classes, and the validation scores measure exactly them.
    """
    first = int(np.floor(facts.n * (1 - facts.validation_split)))
    for head in facts.heads:
        labels = facts.labels(head)
        if labels is not None and 0 < first < facts.n == len(labels):
            unseen = np.setdiff1d(labels[first:], labels[:first])
            if unseen.size:
                names = ", ".join(f"{label:g}" for label in unseen[:5])
                slots = {"share": f"{facts.validation_split:g}", "held": facts.n - first, "classes": names}
                yield Hit(None, slots, where=facts.compiled_at)


@rule(
    "unscaled-targets",
    "hint",
    {
        "en": "the targets of {head} are as large as {size}, so squared errors begin near {loss}",
        "ko": "{head}: 목표값의 크기가 {size} 정도, 제곱 오차는 {loss} 부근에서 시작",
    },
    {
        "en": "standardise them, y = (y - mean) / std, and undo it after predict; or lower the learning rate",
        "ko": "y = (y - 평균) / 표준편차로 표준화하고 predict 뒤에 되돌리거나, 학습률을 낮추기",
    },
)
def unscaled_targets(facts: ModelFacts) -> Iterator[Hit]:
    """A first prediction is near 0, so the first errors are as large as the targets, and the gradients with them."""
    for head in facts.heads:
        values = facts.examples.get(head.target)
        if head.loss.name == "mean_squared_error" and values is not None and values.size:
            size = float(np.sqrt(np.mean(np.square(values.astype("float64")))))
            if size > LARGE_TARGETS:
                slots = {"head": plain(head.name), "size": f"{size:.3g}", "loss": f"{size * size:.1g}"}
                yield Hit(None, slots, where=facts.compiled_at)
