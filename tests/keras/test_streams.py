"""Batches that come one at a time: generators, datasets by number, anything that can be gone through."""

from __future__ import annotations

import numpy as np
import pytest

from graphdl import keras
from graphdl.errors import DataError
from graphdl.keras import layers

RNG = np.random.default_rng(4)
X = RNG.normal(size=(50, 3)).astype("float32")
Y = X.sum(1, keepdims=True) + 1
W = RNG.uniform(0.5, 2, 50).astype("float32")


def line(first=True):
    model = keras.Sequential([keras.Input((3,)), layers.Dense(1)] if first else [layers.Dense(1)])
    model.compile(keras.optimizers.SGD(0.05), "mse", metrics=["mae"])
    return model


def parts(size=20, weights=False):
    for start in range(0, 50, size):
        chosen = slice(start, start + size)
        yield (X[chosen], Y[chosen], W[chosen]) if weights else (X[chosen], Y[chosen])


def endless(**options):
    while True:
        yield from parts(**options)


class Numbered(keras.utils.Sequence):
    def __init__(self, size=20):
        super().__init__()
        self.size, self.told = size, []

    def __len__(self):
        return -(-50 // self.size)

    def __getitem__(self, index):
        chosen = slice(index * self.size, index * self.size + self.size)
        return X[chosen], Y[chosen]

    def on_epoch_end(self):
        self.told.append("end")


class Again:
    """Can be gone through any number of times, as a data loader can."""

    def __iter__(self):
        return parts()


def on_arrays(epochs=1, **options):
    model = line()
    history = model.fit(X, Y, batch_size=20, shuffle=False, epochs=epochs, verbose=0, **options)
    return model, history.history


def test_an_endless_generator_ends_where_it_is_told():
    model, expected = line(), on_arrays(3)
    history = model.fit(endless(), steps_per_epoch=3, epochs=3, verbose=0).history
    assert history == expected[1], "the means are over examples, so a last batch of 10 counts half"
    assert model.digest() == expected[0].digest()


def test_what_can_be_gone_through_again_is_gone_through_in_every_epoch():
    model, expected = line(), on_arrays(3)
    assert model.fit(Again(), epochs=3, verbose=0).history == expected[1]
    assert model.digest() == expected[0].digest()


def test_a_numbered_dataset_knows_its_length_and_is_told_of_epochs():
    batches, expected = Numbered(), on_arrays(2)
    model = line()
    assert model.fit(batches, epochs=2, shuffle=False, verbose=0).history == expected[1]
    assert batches.told == ["end", "end"]
    assert model.digest() == expected[0].digest()


def test_batches_of_a_numbered_dataset_are_shuffled_alike_with_the_same_seed():
    orders = []

    class Watched(Numbered):
        def __getitem__(self, index):
            orders.append(index)
            return super().__getitem__(index)

    for _ in range(2):
        line().fit(Watched(5), epochs=2, verbose=0)
    half = len(orders) // 2
    assert orders[:half] == orders[half:]
    seen = orders[half - 20 : half]
    assert sorted(seen[:10]) == sorted(seen[10:]) == list(range(10))
    assert seen[:10] != seen[10:]


def test_the_first_batch_says_the_shape_and_is_not_lost():
    model = line(first=False)
    model.fit(endless(), steps_per_epoch=3, verbose=0)
    assert model.digest() == on_arrays()[0].digest()


def test_weights_come_with_the_batches():
    model, expected = line(), on_arrays(sample_weight=W)
    assert model.fit(parts(weights=True), verbose=0).history == expected[1]
    assert model.digest() == expected[0].digest()


def test_batches_are_scored_and_predicted():
    model = line()
    by_hand = model.evaluate(X, Y, batch_size=20, verbose=0)
    assert model.evaluate(Again(), verbose=0) == model.evaluate(endless(), steps=3, verbose=0) == by_hand
    found = model.predict((x for x, _ in parts()), verbose=0)
    assert np.array_equal(found, model.predict(X, batch_size=20, verbose=0))
    assert np.array_equal(model.predict(Again(), verbose=0), found), "targets that come with them are passed over"


def test_what_is_held_out_may_come_in_batches():
    model = line()
    history = model.fit(X, Y, validation_data=Numbered(), epochs=2, verbose=0).history
    np.testing.assert_allclose(history["val_loss"][-1], model.evaluate(X, Y, batch_size=20, verbose=0)[0], rtol=1e-6)


def test_scoring_begins_with_the_first_batch_every_time():
    model = line()
    history = model.fit(
        X, Y, epochs=2, validation_data=(X, Y), validation_batch_size=10, validation_steps=2, verbose=0
    ).history
    np.testing.assert_allclose(history["val_loss"][-1], model.evaluate(X[:20], Y[:20], verbose=0)[0], rtol=1e-6)


@pytest.mark.parametrize(("every", "scored"), [(1, [1, 2, 3, 4]), (2, [2, 4]), ([1, 4], [1, 4])])
def test_scoring_may_be_now_and_then(every, scored):
    seen = []

    class Ear(keras.callbacks.Callback):
        def on_epoch_end(self, epoch, logs=None):
            if "val_loss" in logs:
                seen.append(epoch + 1)

    line().fit(X, Y, epochs=4, validation_data=(X, Y), validation_freq=every, verbose=0, callbacks=[Ear()])
    assert seen == scored


def test_an_epoch_of_fewer_steps_goes_on_in_the_next():
    model, by_hand = line(), line()
    model.fit(X, Y, batch_size=10, steps_per_epoch=2, epochs=2, shuffle=False, verbose=0)
    by_hand.fit(X[:40], Y[:40], batch_size=10, shuffle=False, verbose=0)
    assert model.digest() == by_hand.digest()


def test_data_that_end_too_early_are_warned_of():
    with pytest.warns(UserWarning, match="the data end after 3 of 5 steps"):
        history = line().fit(parts(), steps_per_epoch=5, epochs=4, verbose=0)
    assert history.epoch == [0], "a generator that has ended gives no more"


def test_the_number_of_steps_is_known_after_the_first_epoch(capsys):
    line().fit(Again(), epochs=2, verbose=2)
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == "Epoch 1/2", "nothing is said of a batch size"
    assert lines[1].startswith("3/3 - ")
    assert lines[3].startswith("3/3 - ")


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda m: m.fit(iter([]), verbose=0), "x gives no batches"),
        (lambda m: m.fit(parts(), Y, verbose=0), "y and sample_weight come with the batches of x"),
        (lambda m: m.fit(parts(), validation_split=0.2, verbose=0), "validation_split takes examples as arrays"),
        (lambda m: m.fit(iter([(X, Y, W, W)]), verbose=0), "a batch is a tuple of 4, expected (x, y)"),
        (lambda m: m.fit(iter([(X, Y, W), (X, Y)]), verbose=0), "some batches have sample weights and some have none"),
        (lambda m: m.fit(iter([(X[:, :2], Y)]), verbose=0), "x has shape (50, 2), expected f32[N, 3]"),
    ],
)
def test_batches_that_do_not_fit_are_refused(call, message):
    with pytest.raises(DataError) as caught:
        call(line())
    assert message in str(caught.value)


def test_sequences_of_any_length_train_batch_by_batch():
    x = keras.Input((None, 2))
    model = keras.Model(x, layers.GlobalAveragePooling1D()(layers.Dense(1)(x)))
    model.compile("sgd", "mse")
    batches = [(RNG.normal(size=(4, length, 2)), RNG.normal(size=(4, 1))) for length in (3, 5, 3)]
    history = model.fit(iter(batches), verbose=0).history
    W1, b1 = model.get_weights()
    assert np.isfinite(history["loss"][0])
    for given, _ in batches:
        np.testing.assert_allclose(model.predict(given, verbose=0), (given @ W1 + b1).mean(1), rtol=1e-4, atol=1e-6)
