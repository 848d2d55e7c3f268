"""BackupAndRestore: an interrupted training goes on to the same bits, wherever it was interrupted."""

from __future__ import annotations

import contextlib
import os
import signal
import time
import warnings

import numpy as np
import pytest

from graphdl import keras
from graphdl.errors import FormatError, GraphError, WriteError
from graphdl.keras import layers
from graphdl.keras.callbacks import BackupAndRestore
from graphdl.keras.callbacks.backup import FORMAT, VERSION
from graphdl.keras.saving.archive import read_archive, write_archive

RNG = np.random.default_rng(11)
X = RNG.standard_normal((44, 4)).astype("float32")
Y = (X[:, 0] * X[:, 1] > 0).astype("int64")
EPOCHS, STEPS = 4, 5  # 35 examples to train on after the split, 8 a step: the last one is ragged


class Stop(Exception):
    """The interruption."""


class StopAfter(keras.callbacks.Callback):
    """Raises after so many steps, as a crash would: nothing more is told to anybody."""

    fleeting = ("left",)

    def __init__(self, steps: int) -> None:
        self.left = steps

    def on_train_batch_begin(self, batch, logs=None):
        if self.left == 0:
            raise Stop
        self.left -= 1


def model():
    keras.utils.set_random_seed(5)
    made = keras.Sequential(
        [
            keras.Input((4,)),
            layers.Dense(8, activation="tanh"),
            layers.BatchNormalization(),
            layers.Dropout(0.3),
            layers.Dense(2, activation="softmax"),
        ]
    )
    keras.utils.set_random_seed(0)
    made.compile(keras.optimizers.Adam(0.02), "sparse_categorical_crossentropy", metrics=["accuracy"])
    return made


def callbacks():
    return [
        keras.callbacks.ReduceLROnPlateau("val_loss", patience=0, factor=0.5, min_delta=0.5),
        keras.callbacks.EarlyStopping("val_loss", patience=3, restore_best_weights=True),
        keras.callbacks.LearningRateScheduler(lambda epoch, rate: rate * 0.9),
    ]


def fit(made, extra=(), epochs=EPOCHS, **arguments):
    given = {"batch_size": 8, "validation_split": 0.2, "verbose": 0, **arguments}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return made.fit(X, Y, epochs=epochs, callbacks=[*callbacks(), *extra], **given)


def outcome(made, history):
    slots = [made.session.value(v).tobytes() for v, _ in made.training.updates.pairs]
    state = made.session.state.step, made.optimizer.learning_rate
    return made.digest(), slots, state, history.history, history.epoch


@pytest.fixture(scope="module")
def whole():
    made = model()
    return outcome(made, fit(made))


@pytest.mark.parametrize("save_freq", ["epoch", 1, 3])
@pytest.mark.parametrize("steps", [0, 1, 4, 5, 6, 12, 19])
def test_a_training_that_crashes_goes_on_to_the_same_bits(tmp_path, whole, steps, save_freq):
    with pytest.raises(Stop):
        fit(model(), [BackupAndRestore(tmp_path, save_freq), StopAfter(steps)])
    made = model()
    assert outcome(made, fit(made, [BackupAndRestore(tmp_path, save_freq), StopAfter(10**9)])) == whole
    assert list(tmp_path.iterdir()) == []


def test_a_training_that_is_kept_can_be_made_longer(tmp_path, whole):
    fit(model(), [BackupAndRestore(tmp_path / "a.graphdl", delete_checkpoint=False)], epochs=2)
    made = model()
    longer = fit(made, [BackupAndRestore(tmp_path / "a.graphdl", delete_checkpoint=False)])
    assert outcome(made, longer) == whole
    again = model()
    done = fit(again, [BackupAndRestore(tmp_path / "a.graphdl", delete_checkpoint=False)])
    assert (again.digest(), done.history) == (made.digest(), longer.history)
    assert [path.name for path in tmp_path.iterdir()] == ["a.graphdl"]


def test_an_early_stop_stays_one(tmp_path):
    def early(made, folder=None):
        extra = [BackupAndRestore(folder, delete_checkpoint=False)] if folder else []
        stopping = keras.callbacks.EarlyStopping("loss", baseline=-1.0, patience=1, restore_best_weights=True)
        return made.fit(X, Y, batch_size=8, epochs=9, verbose=0, callbacks=[stopping, *extra]).history["loss"]

    first, second = model(), model()
    losses = early(first, tmp_path)
    assert len(losses) < 9
    assert early(second, tmp_path) == losses
    assert second.digest() == first.digest()


def test_batches_that_come_one_at_a_time_are_caught_up_with(tmp_path):
    def batches():
        for i in range(100):
            yield X[i % 40 : i % 40 + 4], Y[i % 40 : i % 40 + 4]

    def run(made, extra):
        return made.fit(batches(), steps_per_epoch=4, epochs=3, verbose=0, callbacks=extra).history

    reference = model()
    expected = run(reference, [])
    with pytest.raises(Stop):
        run(model(), [BackupAndRestore(tmp_path, 1), StopAfter(6)])
    made = model()
    assert run(made, [BackupAndRestore(tmp_path, 1), StopAfter(99)]) == expected
    assert made.digest() == reference.digest()


def test_an_interrupted_run_keeps_its_last_whole_step(tmp_path, whole):
    class Press(keras.callbacks.Callback):
        def on_train_batch_end(self, batch, logs=None):
            if self.model.session.state.step == 7:
                os.kill(os.getpid(), signal.SIGINT)

    first = model()
    with pytest.raises(KeyboardInterrupt):
        fit(first, [Press(), BackupAndRestore(tmp_path)])
    assert first.session.state.step == 7
    made = model()
    made.session.state.step = 100  # so that nothing is pressed again before the state is there
    assert outcome(made, fit(made, [Press(), BackupAndRestore(tmp_path)])) == whole


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"batch_size": 7}, "a training with batch_size=8, this one has 7"),
        ({"shuffle": False}, "a training with shuffle=True, this one has False"),
        ({"validation_split": 0.5}, "a training with examples=35, this one has 22"),
    ],
)
def test_another_training_is_not_resumed(tmp_path, change, message):
    fit(model(), [BackupAndRestore(tmp_path, delete_checkpoint=False)], epochs=1)
    with pytest.raises(GraphError, match=message):
        fit(model(), [BackupAndRestore(tmp_path)], **change)


def test_another_model_is_not_resumed(tmp_path):
    fit(model(), [BackupAndRestore(tmp_path, delete_checkpoint=False)], epochs=1)
    other = keras.Sequential([keras.Input((4,)), layers.Dense(2, activation="softmax")])
    other.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"])
    other.reset(5)
    with pytest.raises(FormatError, match=r"the file has 8 arrays of weights, the model has 2"):
        fit(other, [BackupAndRestore(tmp_path)])
    seeded = model()
    seeded.reset(6)
    with pytest.raises(GraphError, match="a training with seed=5, this one has 6"):
        fit(seeded, [BackupAndRestore(tmp_path)])


def test_other_callbacks_are_not_resumed(tmp_path):
    fit(model(), [BackupAndRestore(tmp_path, delete_checkpoint=False)], epochs=1)
    with pytest.raises(GraphError, match=r"was written beside ReduceLROnPlateau, .* and fit has StopAfter, "):
        model().fit(
            X, Y, batch_size=8, validation_split=0.2, verbose=0, callbacks=[StopAfter(1), BackupAndRestore(tmp_path)]
        )


def test_two_cannot_train_with_one_checkpoint(tmp_path):
    reader, writer = os.pipe()
    child = os.fork()
    if child == 0:
        try:
            fit(model(), [BackupAndRestore(tmp_path), Announce(writer)])
        finally:
            os._exit(0)
    try:
        assert os.read(reader, 1) == b"x"
        with pytest.raises(WriteError, match="is in use by another process that trains with it"):
            fit(model(), [BackupAndRestore(tmp_path)])
    finally:
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)
    # Whoever is gone holds no lock.
    fit(model(), [BackupAndRestore(tmp_path), Announce(writer, wait=False)])
    assert list(tmp_path.iterdir()) == []


class Announce(keras.callbacks.Callback):
    """Says through a pipe that training has begun, and waits to be killed."""

    def __init__(self, pipe: int, wait: bool = True) -> None:
        self.pipe, self.wait = pipe, wait

    fleeting = ("pipe", "wait")

    def on_epoch_begin(self, epoch, logs=None):
        os.write(self.pipe, b"x")
        while self.wait:
            time.sleep(0.01)


def test_a_damaged_checkpoint_is_refused(tmp_path):
    fit(model(), [BackupAndRestore(tmp_path, delete_checkpoint=False)], epochs=1)
    path = tmp_path / "training.graphdl"
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)
    with pytest.raises(FormatError, match=r"training\.graphdl"):
        fit(model(), [BackupAndRestore(tmp_path)])


def test_the_state_before_last_can_be_kept(tmp_path):
    fit(model(), [BackupAndRestore(tmp_path, double_checkpoint=True, delete_checkpoint=False)], epochs=2)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["training.graphdl", "training.graphdl.old"]


@pytest.mark.parametrize("freq", [0, "batch", True])
def test_how_often_must_be_a_number(freq):
    with pytest.raises(GraphError, match="expected 'epoch' or an integer from 1"):
        BackupAndRestore("x", freq)


class Table(keras.callbacks.CSVLogger):
    """Crashes when so many lines are written, before the checkpoint knows of the last one."""

    def __init__(self, path, lines, **options):
        super().__init__(path, **options)
        self.left = lines

    fleeting = (*keras.callbacks.CSVLogger.fleeting, "left")

    def on_epoch_end(self, epoch, logs=None):
        super().on_epoch_end(epoch, logs)
        self.left -= 1
        if self.left == 0:
            raise Stop


@pytest.mark.parametrize("append", [False, True])
@pytest.mark.parametrize("save_freq", ["epoch", 2])
def test_a_table_has_each_epoch_once_however_often_training_crashed(tmp_path, append, save_freq):
    texts = []
    for name, crashes in (("whole.csv", ()), ("crashed.csv", (2, 1, 1))):
        path = tmp_path / name
        path.write_text("of another\n")
        for lines in (*crashes, 99):
            with contextlib.suppress(Stop):
                table = Table(path, lines, append=append)
                fit(model(), [BackupAndRestore(tmp_path / "run", save_freq), table])
        texts.append(path.read_text())
    assert texts[0] == texts[1]
    first = ["of another"] if append else ["epoch,accuracy,learning_rate,loss,val_accuracy,val_loss"]
    lines = texts[0].splitlines()
    assert lines[:-EPOCHS] == first
    assert [line.split(",")[0] for line in lines[-EPOCHS:]] == [str(epoch) for epoch in range(EPOCHS)]


def test_a_schedule_is_resumed_to_the_same_bits(tmp_path):
    def run(epochs, folder=None):
        made = model()
        schedule = keras.optimizers.schedules.ExponentialDecay(0.05, decay_steps=7, decay_rate=0.5)
        made.compile(keras.optimizers.Adam(schedule), "sparse_categorical_crossentropy")
        extra = [BackupAndRestore(folder, delete_checkpoint=False)] if folder else []
        made.fit(X, Y, batch_size=8, epochs=epochs, verbose=0, callbacks=extra)
        return made

    run(2, tmp_path)
    longer, reference = run(4, tmp_path), run(4)
    assert longer.digest() == reference.digest()
    assert longer.optimizer.learning_rate == reference.optimizer.learning_rate == pytest.approx(0.05 * 0.5 ** (24 / 7))


def test_what_only_watches_may_come_and_go(tmp_path, whole):
    fit(model(), [BackupAndRestore(tmp_path / "a", delete_checkpoint=False), keras.Recorder()], epochs=2)
    made = model()
    table = keras.callbacks.CSVLogger(tmp_path / "log.csv")
    assert outcome(made, fit(made, [table, BackupAndRestore(tmp_path / "a")])) == whole
    assert [line[0] for line in (tmp_path / "log.csv").read_text().splitlines()] == ["e", "2", "3"]


def test_a_resumed_run_goes_by_its_own_arguments(tmp_path):
    def early(patience):
        stopping = keras.callbacks.EarlyStopping("loss", min_delta=1e9, patience=patience)
        extra = [stopping, BackupAndRestore(tmp_path, 1, delete_checkpoint=False), StopAfter(12)]
        return model().fit(X, Y, batch_size=11, epochs=9, verbose=0, callbacks=extra)

    with pytest.raises(Stop):
        early(8)
    assert len(early(5).epoch) == 6


def test_where_it_goes_on_is_said(tmp_path, capsys):
    with pytest.raises(Stop):
        fit(model(), [BackupAndRestore(tmp_path, 1), StopAfter(7)])
    capsys.readouterr()
    fit(model(), [BackupAndRestore(tmp_path, 1, delete_checkpoint=False), StopAfter(99)], verbose=2)
    assert "training.graphdl: goes on in epoch 2 after step 2\nEpoch 2/4" in capsys.readouterr().out
    fit(model(), [BackupAndRestore(tmp_path, 1), StopAfter(99)], verbose=2)
    assert capsys.readouterr().out.endswith("training.graphdl: training is done, nothing is left to do\n")


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"position": {}}, r"the place within the training is \{\}, expected epoch, step, totals and seen"),
        ({"position": {"epoch": -1, "step": 0, "totals": [1.0, 1.0], "seen": 1}}, "the place within the training is"),
        (
            {"position": {"epoch": 1, "step": 9, "totals": [1.0, 1.0], "seen": 1}},
            "it says 9 steps of an epoch are done",
        ),
        ({"position": {"epoch": 1, "step": 0, "totals": ["1"], "seen": 1}}, "the place within the training is"),
        ({"logs": [1]}, r"the numbers of the last epoch are \[1\], expected an object"),
        ({"callbacks": [3]}, r"the callbacks are \[3\], expected a list of classes and attributes"),
        ({"attributes": {"on_epoch_end": 1}}, "ReduceLROnPlateau cannot remember 'on_epoch_end'"),
        ({"attributes": {"__class__": 1}}, "ReduceLROnPlateau cannot remember '__class__'"),
    ],
)
def test_a_forged_checkpoint_is_refused(tmp_path, change, message):
    fit(model(), [BackupAndRestore(tmp_path, delete_checkpoint=False)], epochs=1)
    path = tmp_path / "training.graphdl"
    found = read_archive(path, FORMAT, VERSION)
    found.content["callbacks"][0]["attributes"] |= change.get("attributes", {})
    content = {**found.content, **{key: value for key, value in change.items() if key != "attributes"}}
    write_archive(path, FORMAT, VERSION, content, found.tensors)
    with pytest.raises(FormatError, match=message):
        fit(model(), [BackupAndRestore(tmp_path)])
