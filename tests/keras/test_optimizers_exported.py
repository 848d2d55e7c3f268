"""Every optimizer in a model: the stand-alone script ends in the session's bits, and the graph can be kept."""

from __future__ import annotations

import numpy as np
import pytest

import graphdl as gd
from graphdl import export, keras
from graphdl.keras import layers, optimizers, regularizers
from graphdl.keras.optimizers import schedules

RNG = np.random.default_rng(2)
X = RNG.normal(size=(11, 3)).astype("float32")
Y = RNG.integers(0, 2, size=(11, 1)).astype("float32")
MADE = [
    *(made() for made in optimizers.KNOWN.values()),
    optimizers.SGD(lr=0.1, decay=0.01, momentum=0.9, nesterov=True),
    optimizers.RMSprop(0.01, momentum=0.5, centered=True, clipnorm=0.1),
    optimizers.Adam(0.01, amsgrad=True, global_clipnorm=0.1, weight_decay=0.01),
    optimizers.Nadam(0.01, gradient_accumulation_steps=2),
    optimizers.Adagrad(0.1, use_ema=True, ema_overwrite_frequency=3, clipvalue=0.1),
    optimizers.Nadam(0.01, use_ema=True, ema_momentum=0.5, gradient_accumulation_steps=2),
    optimizers.Adam(schedules.CosineDecay(0.001, 10, warmup_target=0.1, warmup_steps=3)),
    optimizers.SGD(schedules.PolynomialDecay(0.5, 5, cycle=True)),
]


def trained(optimizer):
    keras.utils.set_random_seed(0)
    hidden = layers.Dense(
        4, "tanh", kernel_initializer="orthogonal", kernel_regularizer="l2", kernel_constraint="max_norm", input_dim=3
    )
    model = keras.Sequential([hidden, layers.Dense(1, "sigmoid", bias_regularizer=regularizers.L1(0.1))])
    model.compile(optimizers.get(optimizers.serialize(optimizer)), "binary_crossentropy", metrics=["accuracy"])
    model.fit(X, Y, batch_size=4, epochs=4, verbose=0)
    return model


@pytest.mark.parametrize("style", ["readable", "fast"])
@pytest.mark.parametrize("optimizer", MADE, ids=repr)
def test_the_script_ends_in_the_same_bits(optimizer, style):
    model = trained(optimizer)
    script = {"__name__": "script"}
    exec(compile(export.script(model, (X, Y), style), "script.py", "exec"), script)
    examples, _ = script["load_data"]()
    variables = script["start"](0, script["LEARNING_RATE"])
    with np.errstate(all="ignore"):
        script["train"](variables, examples, 4, 4, 0, lambda *words, sep: None)
    assert script["digest"](variables) == model.digest()
    rate = model.optimizer.learning_rate if script["SCHEDULE"] is None else None
    assert script["LEARNING_RATE"] == rate


@pytest.mark.parametrize("optimizer", MADE, ids=repr)
def test_the_graph_of_a_step_is_kept_whole(optimizer, tmp_path):
    model = trained(optimizer)
    plan = model.training
    graph = gd.Graph({"loss": plan.loss}, plan.updates.pairs)
    gd.save_graph(graph, tmp_path / "step.json")
    again = gd.load_graph(tmp_path / "step.json")
    assert str(again) == str(graph)
    names = {variable.label for variable, _ in plan.updates.pairs}
    assert {"dense/kernel", "dense/bias", "dense_1/kernel", "dense_1/bias"} <= names
    assert all(label.startswith(f"{plan.optimizer.name}/") for label in names if not label.startswith("dense"))
