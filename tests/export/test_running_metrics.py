"""Scripts of models whose metrics add up over batches, whose statistics move, whose weights are priced and bounded."""

from __future__ import annotations

import numpy as np
import pytest

from graphdl import export, keras
from graphdl.keras import layers

RNG = np.random.default_rng(0)
X = RNG.normal(size=(60, 3)).astype("float32")
Y = (X.sum(1) > 0).astype("float32")


def nested():
    inputs = keras.Input((3,))
    part = keras.Sequential(
        [
            keras.Input((3,)),
            layers.Dense(6, "relu", kernel_regularizer=keras.regularizers.L2(0.01)),
            layers.BatchNormalization(),
            layers.Dropout(0.3),
        ],
        name="part",
    )
    out = layers.Dense(1, "sigmoid", kernel_constraint=keras.constraints.MaxNorm(0.5))(part(inputs))
    model = keras.Model(inputs, out)
    metrics = ["accuracy", keras.metrics.Precision(), keras.metrics.AUC()]
    model.compile(keras.optimizers.Adam(0.01), "binary_crossentropy", metrics=metrics)
    return model


@pytest.mark.parametrize("style", ["readable", "fast"])
def test_a_script_reports_the_numbers_of_the_session_and_ends_in_its_weights(run, style):
    model = nested()
    text = export.script(model, (X, Y), style, test_data=(X, Y), epochs=3, batch_size=16)
    history = model.fit(X, Y, epochs=3, batch_size=16, verbose=0).history
    scores = model.evaluate(X, Y, verbose=0, return_dict=True)
    *epochs, tested, digest = run(text, "--digest").stdout.splitlines()
    assert digest == model.digest()
    for epoch, line in enumerate(epochs):
        assert numbers(line) == pytest.approx({name: values[epoch] for name, values in history.items()}, rel=1e-4)
    assert numbers(tested) == pytest.approx(scores, rel=1e-4)


def numbers(line):
    """The names and numbers of a line of the script."""
    pairs = [part.split(" ") for part in line.split("  ")[1:]]
    return {name: float(value) for name, value in pairs}
