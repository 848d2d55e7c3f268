"""Rules about how a model is put together and compiled; those about its graph alone are in graphdl.analysis."""

from __future__ import annotations

from collections.abc import Iterator

from graphdl.analysis.lint.finding import Hit, rule
from graphdl.ir.leaves import Noise
from graphdl.ir.origin import User
from graphdl.ir.text import plain
from graphdl.ir.traverse import ancestors
from graphdl.keras.lint.facts import ModelFacts

# The usual range for learning rates, and how far beyond it a rate is no matter of taste any more.
LOWEST, HIGHEST, FAR = 1e-4, 0.1, 10.0


@rule(
    "missing-input-shape",
    "hint",
    {
        "en": "{model} has no input shape, so it has no weights until it sees data",
        "ko": "{model}: 입력 모양이 없어 데이터를 받기 전에는 가중치가 없음",
    },
    {
        "en": "begin it with keras.Input(shape=(...)), or give its first layer input_shape=(...)",
        "ko": "keras.Input(shape=(...))으로 시작하거나 첫 층에 input_shape=(...) 지정",
    },
)
def missing_input_shape(facts: ModelFacts) -> Iterator[Hit]:
    """Without an input shape the size of the first kernel is unknown: summary() and the drawing are empty until `fit`.

    The shape is that of one example, a tuple: (784,) for a row of 784 numbers, with the comma.
    """
    if not facts.had_shape:
        written = getattr(facts.model, "written", None)
        where = written if isinstance(written, User) and written.line else None
        yield Hit(None, {"model": plain(facts.model.name)}, where=where)


@rule(
    "unused-input",
    "warning",
    {
        "en": "no output depends on the input {x}",
        "ko": "입력 {x}: 어떤 출력에도 쓰이지 않음",
    },
    {
        "en": "call a layer on it, or leave it out of inputs=",
        "ko": "층에 연결하거나 inputs=에서 제거",
    },
)
def unused_input(facts: ModelFacts) -> Iterator[Hit]:
    """An input that must be fed and changes nothing: most often a branch that was built and never joined."""
    if facts.model.is_built:
        reached = set(ancestors(facts.model.outputs))
        for node in facts.model.inputs:
            if node not in reached:
                yield Hit(node, {"x": plain(node.label)})


@rule(
    "dropout-in-prediction",
    "warning",
    {
        "en": "{mask} draws random numbers when the model predicts: the same example gets different answers",
        "ko": "{mask}: 예측할 때도 난수를 뽑아 같은 예제의 결과가 매번 달라짐",
    },
    {
        "en": "call the layer without training=True; fit turns dropout on by itself",
        "ko": "층을 training=True 없이 호출. fit에서는 드롭아웃이 자동으로 켜짐",
    },
)
def dropout_in_prediction(facts: ModelFacts) -> Iterator[Hit]:
    """Dropout is for training: each step drops other units. To predict, all units take part.

    It is also drawn in prediction where a layer is called with training=True, or gd.dropout is used inside a model.
    """
    nodes = ancestors(facts.model.outputs) if facts.model.is_built else []
    for node in nodes:
        if isinstance(node.op, Noise):
            yield Hit(node, {"mask": plain(node.scope or node.label)})


@rule(
    "learning-rate",
    "hint",
    {
        "en": "the learning rate {rate} of {optimizer} is outside 0.0001 to 0.1",
        "ko": "{optimizer}의 학습률 {rate}: 보통 범위 0.0001 ~ 0.1을 벗어남",
    },
    {
        "en": "too large diverges, too small takes for ever; begin with {usual}",
        "ko": "너무 크면 발산, 너무 작으면 느림. {usual}(으)로 시작",
    },
    zero=(
        {"en": "the learning rate is 0: nothing is learnt", "ko": "학습률이 0: 학습되지 않음"},
        {"en": "begin with {usual}", "ko": "{usual}(으)로 시작"},
    ),
)
def learning_rate(facts: ModelFacts) -> Iterator[Hit]:
    """The learning rate is the length of a step against the gradient, w <- w - rate * gradient.

    Usual values lie between 0.1 and 0.0001; plain gradient descent takes larger ones than Adam, whose steps are about
    the learning rate long whatever the gradient. Adadelta and Adagrad, made to take large ones, are left in peace.
    """
    optimizer = getattr(facts.model, "optimizer", None)
    rate, kind = getattr(optimizer, "learning_rate", None), type(optimizer).__name__
    if not isinstance(rate, float) or LOWEST <= rate <= HIGHEST or (kind in ("Adadelta", "Adagrad") and rate > HIGHEST):
        return
    far = rate > HIGHEST * (FAR if kind == "SGD" else 1) or rate < LOWEST / FAR
    slots = {"rate": f"{rate:g}", "optimizer": kind, "usual": "0.01" if kind == "SGD" else "0.001"}
    yield Hit(None, slots, "" if rate else "zero", "warning" if far else None, facts.compiled_at)


@rule(
    "unused-weights",
    "warning",
    {
        "en": "the loss does not depend on {weights}, so training leaves them as they are",
        "ko": "손실이 {weights}에 의존하지 않아 학습되지 않음",
    },
    {
        "en": "give the output they lead to a loss, or set trainable=False on their layers",
        "ko": "이 가중치가 이어지는 출력에 손실을 주거나, 층에 trainable=False 지정",
    },
)
def unused_weights(facts: ModelFacts) -> Iterator[Hit]:
    """Weights whose output has no loss get no gradient: not zero, none at all.

    With several outputs each needs a loss of its own, unless its layers also lead to another output.
    """
    if facts.plan is not None:
        reached = set(ancestors([facts.plan.loss]))
        unused = [variable for variable in facts.model.trainable_variables if variable not in reached]
        if unused:
            names = [plain(variable.label) for variable in unused]
            shown = ", ".join(names[:3]) + (f" (+ {len(names) - 3})" if len(names) > 3 else "")
            yield Hit(unused[0], {"weights": shown})
