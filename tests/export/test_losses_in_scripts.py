"""Scripts of models whose targets are label sequences, classes of embeddings, or classes with one that is ignored."""

from __future__ import annotations

import numpy as np
import pytest

from graphdl import export, keras
from graphdl.errors import DataError
from graphdl.keras import layers, losses

RNG = np.random.default_rng(0)
X = RNG.normal(size=(21, 6, 3)).astype("float32")


def sequences():
    """Labels in the order in which the largest inputs come, 0 behind the shorter rows."""
    labels = RNG.integers(1, 4, (21, 3)) * (np.arange(3) < RNG.integers(1, 4, (21, 1)))
    return keras.Sequential([keras.Input((6, 3)), layers.Dense(8, "tanh"), layers.Dense(4)]), losses.CTC(), labels


def embeddings():
    made = keras.Sequential([keras.Input((6, 3)), layers.Flatten(), layers.Dense(2), layers.UnitNormalization()])
    return made, losses.Circle(gamma=4.0), RNG.integers(0, 5, 21)


def pixels():
    labels = np.where(RNG.random((21, 6)) < 0.3, 255, RNG.integers(0, 4, (21, 6)))
    loss = losses.SparseCategoricalCrossentropy(ignore_class=255)
    return keras.Sequential([keras.Input((6, 3)), layers.Dense(4, "softmax")]), loss, labels


@pytest.mark.parametrize("style", ["readable", "fast"])
@pytest.mark.parametrize("make", [sequences, embeddings, pixels])
def test_the_loss_falls_and_the_script_ends_in_the_same_bits(run, make, style):
    model, loss, y = make()
    model.compile(keras.optimizers.Adam(0.02), loss)
    text = export.script(model, (X, y), style, epochs=8, batch_size=8)
    found = model.fit(X, y, epochs=8, batch_size=8, verbose=0).history["loss"]
    assert found[-1] < 0.97 * found[0]
    *_, last, digest = run(text, "--digest").stdout.splitlines()
    assert last == f"epoch 8/8  loss {found[-1]:.6g}"
    assert digest == model.digest()


def test_only_the_class_that_does_not_count_may_lie_outside(run, tmp_path):
    model, loss, y = pixels()
    model.compile("sgd", loss)
    text = export.script(model)
    y[3, 2] = 77
    with pytest.raises(DataError, match="y has labels from 0 to 77, first 77 at row 3, column 2; expected 0 to 3"):
        model.fit(X, y, verbose=0)
    np.savez(tmp_path / "d.npz", **{model.inputs[0].label: X, "y": y})
    done = run(text, "--data", "d.npz", check=False)
    assert done.stderr == "'y' goes from 0 to 77, expected classes from 0 to 3\n"
