"""Recordings of trainings whose length nobody knows beforehand, and of trainings that were interrupted."""

from __future__ import annotations

import contextlib

import numpy as np
import pytest

from graphdl import keras
from graphdl.keras.callbacks import BackupAndRestore, Callback
from graphdl.keras.recording.recorder import Recorder

X, Y = keras.datasets.toy("circle", 40, noise=0.1)


class Batches:
    """Five batches an epoch, which nobody can count beforehand."""

    def __iter__(self):
        for start in range(0, 40, 8):
            yield X[start : start + 8], Y[start : start + 8]


def model():
    keras.utils.set_random_seed(3)
    made = keras.Sequential([keras.Input((2,)), keras.layers.Dense(5, "relu"), keras.layers.Dense(1, "sigmoid")])
    made.compile("adam", "binary_crossentropy", metrics=["accuracy"])
    return made


def recorded(recorder, x, **options):
    made = model()
    made.fit(x, verbose=0, callbacks=[recorder], **options)
    return recorder.recording, made


def test_the_first_steps_are_all_seen_where_the_number_of_steps_is_not_known():
    recording, _ = recorded(Recorder(), Batches(), epochs=4)
    assert [s.step for s in recording.snapshots] == list(range(21))
    assert [s.epoch for s in recording.snapshots] == pytest.approx([step / 5 for step in range(21)])
    assert recording.curves[0].steps == (5, 10, 15, 20)


def test_snapshots_of_a_long_training_are_thinned_out_evenly_on_a_log_scale():
    recording, trained = recorded(Recorder(most=12), Batches(), epochs=60)
    steps = np.array([s.step for s in recording.snapshots])
    assert (len(steps), steps[0], steps[-1]) == (12, 0, 300)
    assert (steps[1:] + 1).max() <= 301
    assert ((steps[1:] + 1) / (steps[:-1] + 1)).max() < 3
    assert all(sum(counts) == 10 for s in recording.snapshots for counts in s.histograms["weights"][:1])
    plain = model()
    plain.fit(Batches(), epochs=60, verbose=0)
    assert plain.digest() == trained.digest()


@pytest.mark.parametrize(
    ("options", "steps"), [({"epochs": [2, 3]}, [0, 10, 15, 20]), ({"steps": [3, 11, 99]}, [0, 3, 11, 20])]
)
def test_moments_may_be_chosen_where_the_number_of_steps_is_not_known(options, steps):
    recording, _ = recorded(Recorder(**options), Batches(), epochs=4)
    assert [s.step for s in recording.snapshots] == steps


def test_a_generator_that_ends_is_recorded_to_its_end():
    recording, _ = recorded(Recorder(), iter(Batches()), epochs=9)
    assert [s.epoch for s in recording.snapshots] == pytest.approx([0, 0.2, 0.4, 0.6, 0.8, 1])


class Stop(Exception):
    """A crash."""


class Crash(Callback):
    """Crashes before the step of that number, once."""

    fleeting = ("at",)

    def __init__(self, at):
        self.at = at

    def on_train_batch_begin(self, batch, logs=None):
        if self.model.session.state.step == self.at:
            raise Stop


@pytest.mark.parametrize("save_freq", ["epoch", 1])
def test_the_recording_of_an_interrupted_training_is_that_of_a_whole_one(tmp_path, save_freq):
    texts = []
    for crashes in ((), (1, 6, 13)):
        for at in (*crashes, -1):
            recorder = Recorder(most=9)
            with contextlib.suppress(Stop):
                backup = BackupAndRestore(tmp_path, save_freq)
                model().fit(X, Y, batch_size=8, epochs=4, verbose=0, callbacks=[recorder, Crash(at), backup])
        texts.append(recorder.recording.to_json())
    assert texts[0] == texts[1]


def test_a_recorder_that_joins_an_interrupted_training_counts_its_steps(tmp_path):
    def fit(epochs, *callbacks):
        backup = BackupAndRestore(tmp_path, delete_checkpoint=False)
        model().fit(X, Y, batch_size=8, epochs=epochs, verbose=0, callbacks=[*callbacks, backup])

    fit(2)
    recorder = Recorder(steps=[12])
    fit(3, recorder)
    assert [(s.step, s.epoch) for s in recorder.recording.snapshots] == [(0, 0), (12, 2.4), (15, 3)]
