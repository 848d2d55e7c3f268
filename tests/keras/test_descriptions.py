"""Losses, metrics, optimizers, schedules, penalties and the like, described as plain data and made again."""

from __future__ import annotations

import json

import pytest

from graphdl.errors import GraphError
from graphdl.keras import constraints, initializers, losses, metrics, optimizers, regularizers
from graphdl.keras.optimizers import schedules

THINGS = [
    (losses, losses.Huber(0.3, "sum")),
    (losses, losses.BinaryFocalCrossentropy(gamma=1.0, label_smoothing=0.1, name="mine")),
    (losses, losses.Circle(gamma=3.0, remove_diagonal=False)),
    (losses, losses.CTC("none")),
    (metrics, metrics.AUC(num_thresholds=5, curve="PR")),
    (metrics, metrics.Precision(top_k=2, class_id=1)),
    (metrics, metrics.SparseTopKCategoricalAccuracy(3, from_sorted_ids=True)),
    (optimizers, optimizers.Muon(0.1, exclude_layers=["head"], use_ema=True)),
    (optimizers, optimizers.SGD(schedules.ExponentialDecay(0.1, 5, 0.5))),
    (schedules, schedules.CosineDecay(0.1, 10, warmup_target=0.3, warmup_steps=2)),
    (regularizers, regularizers.L1L2(0.1, 0.2)),
    (constraints, constraints.MaxNorm(3, 1)),
    (initializers, initializers.HeNormal(seed=3)),
]


@pytest.mark.parametrize(("module", "thing"), THINGS, ids=lambda thing: type(thing).__name__)
def test_a_description_survives_json_and_makes_an_equal_thing(module, thing):
    description = json.loads(json.dumps(module.serialize(thing)))
    again = module.deserialize(description)
    assert type(again) is type(thing)
    assert module.serialize(again) == description
    assert type(thing).from_config(thing.get_config()).get_config() == thing.get_config()


def test_a_metric_by_name_is_found_without_targets():
    assert type(metrics.get("accuracy")) is metrics.Accuracy
    assert type(metrics.get("AUC")) is metrics.AUC
    with pytest.raises(GraphError, match=r"there is no metric 'acuracy'\. Did you mean 'accuracy'\?"):
        metrics.get("acuracy")


def test_a_loss_of_ones_own_takes_its_name_first_and_one_of_keras_its_reduction():
    class Own(losses.Loss):
        def __init__(self):
            super().__init__("own", "sum")

        def call(self, y_true, y_pred):
            return y_pred - y_true

    assert (Own().name, Own().reduction) == ("own", "sum")
    assert (losses.KLDivergence("sum", "mine").name, losses.KLDivergence("sum").reduction) == ("mine", "sum")
