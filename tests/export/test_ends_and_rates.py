"""Scripts of models whose averages take over at the end, whose rate follows a schedule, or that draw when scored."""

from __future__ import annotations

import numpy as np
import pytest

import graphdl as gd
from graphdl import export, keras
from graphdl.keras import layers, optimizers
from graphdl.keras.optimizers import schedules

RNG = np.random.default_rng(0)
X = RNG.normal(size=(70, 3)).astype("float32")
Y = X.sum(1, keepdims=True)


def model(optimizer, *more):
    made = keras.Sequential([keras.Input((3,)), layers.Dense(4, "tanh"), *more, layers.Dense(1)])
    made.compile(optimizer, "mse")
    return made


@pytest.mark.parametrize("style", ["readable", "fast"])
@pytest.mark.parametrize("epochs", [0, 3])
def test_averages_of_the_weights_take_their_places_when_the_script_ends(run, style, epochs):
    made = model(optimizers.Adam(0.05, use_ema=True, ema_momentum=0.8))
    text = export.script(made, (X, Y), style, epochs=epochs, batch_size=8)
    if epochs:
        made.fit(X, Y, epochs=epochs, batch_size=8, verbose=0)
        kept = made.optimizer.averages
        assert all((made.session.value(w) == made.session.value(average)).all() for w, average in kept.items())
    assert run(text, "--digest", "--quiet").stdout.strip() == made.digest()


def test_a_script_whose_rate_follows_a_schedule_refuses_another_rate_and_names_the_schedule(run):
    made = model(optimizers.SGD(schedules.ExponentialDecay(0.1, 5, 0.5, name="100 %")))
    text = export.script(made, (X, Y), epochs=2)
    done = run(text, "--lr", 0.3, check=False)
    assert done.returncode == 2
    assert "the learning rate follows ExponentialDecay(initial_learning_rate=0.1, decay_steps=5" in done.stderr
    assert "Traceback" not in done.stderr
    assert "follows ExponentialDecay(" in " ".join(run(text, "--help").stdout.split())
    assert "--lr" not in text.split('"""')[1]
    made.fit(X, Y, epochs=2, verbose=0)
    assert run(text, "--digest", "--quiet").stdout.strip() == made.digest()


def test_a_network_that_draws_when_it_is_scored_draws_in_the_script_what_it_draws_in_the_session(run):
    class Sampled(layers.Layer):
        def call(self, x):
            return x * (1 + gd.random_normal((4,)))

    made = model("sgd", Sampled())
    text = export.script(made, (X, Y), test_data=(X, Y), epochs=2, batch_size=8)
    made.fit(X, Y, epochs=2, batch_size=8, verbose=0)
    expected = f"test  loss {made.evaluate(X, Y, batch_size=32, verbose=0):.6g}"
    *_, tested, digest = run(text, "--digest").stdout.splitlines()
    assert (tested, digest) == (expected, made.digest())
    assert f"test  loss {made.evaluate(X, Y, batch_size=32, verbose=0):.6g}" != expected


def test_a_script_says_before_it_trains_that_it_cannot_save(run, tmp_path):
    text = export.script(model("sgd"), (X, Y), epochs=2)
    done = run(text, "--save", tmp_path / "nowhere" / "w.npz", check=False)
    assert "nowhere' is not there or not writable" in done.stderr
    assert (done.returncode, done.stdout) == (1, "")
