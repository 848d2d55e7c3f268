"""Layers, and with them weights, stand in Keras' order: what is farthest from the outputs comes first."""

from __future__ import annotations

from graphdl import keras
from graphdl.keras import layers


def names(model):
    return [layer.name for layer in model.layers]


def test_a_head_that_branches_off_early_stands_behind_the_layers_of_the_other():
    headline, extra = keras.Input((12,), dtype="int32", name="main"), keras.Input((5,), name="extra")
    read = layers.LSTM(3, name="lstm")(layers.Embedding(9, 2, name="embedding")(headline))
    early = layers.Dense(1, name="early")(read)
    x = layers.concatenate([read, extra])
    for i in range(2):
        x = layers.Dense(4, name=f"dense{i}")(x)
    model = keras.Model([headline, extra], [layers.Dense(1, name="late")(x), early])
    expected = ["main", "embedding", "lstm", "extra", "concatenate", "dense0", "dense1", "late", "early"]
    assert names(model) == expected
    assert [w.label for w in model.weights if "kernel" in w.label] == [
        *("lstm/kernel", "lstm/recurrent_kernel", "dense0/kernel", "dense1/kernel", "late/kernel", "early/kernel")
    ]


def test_a_layer_used_twice_stands_where_it_is_used_farthest_from_the_outputs():
    inputs, other = keras.Input((4,), name="a"), keras.Input((4,), name="b")
    shared = layers.Dense(4, name="shared")
    long = layers.Dense(4, name="last")(layers.Dense(4, name="first")(shared(inputs)))
    model = keras.Model([inputs, other], layers.Add(name="sum")([long, shared(other)]))
    assert names(model) == ["a", "shared", "first", "b", "last", "sum"]
    assert names(keras.models.clone_model(model)) == names(model)
