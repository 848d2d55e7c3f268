"""`graphdl train` with checkpoints, whole models, events and curves."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time

import numpy as np
import pytest

from graphdl import keras
from graphdl.keras.eventfile import records
from tests.cli.test_train import trained


def test_a_whole_model_is_saved_where_asked(line):
    answer = line.run("train", "line.py", "--quiet", "--save", "m.graphdl")
    assert (answer.code, answer.err) == (0, "wrote m.graphdl\n")
    back = keras.models.load_model("m.graphdl")
    assert back.digest() == trained(3).digest()
    more = back.fit(np.arange(-1.0, 5.0), np.arange(5.0, 11.0), epochs=2, verbose=0)
    assert len(more.history["loss"]) == 2
    assert back.digest() == trained(5).digest()


def test_a_training_goes_on_from_its_checkpoint(line):
    words = ["train", "line.py", "--quiet", "--digest", "--checkpoint", "run"]
    assert line.said(*words, "--epochs", 2) == trained(2).digest() + "\n"
    assert os.listdir("run") == ["training.graphdl"]
    assert line.refused(*words, "--epochs", 5) == (
        "there is a checkpoint already, run/training.graphdl; say --resume to go on, or remove it"
    )
    assert line.said(*words, "--epochs", 5, "--resume") == trained(5).digest() + "\n"
    assert line.said(*words, "--epochs", 5, "--resume") == trained(5).digest() + "\n"


def test_a_checkpoint_may_be_a_file_and_need_not_be_there(line):
    out = line.said("train", "line.py", "--quiet", "--digest", "--checkpoint", "a.graphdl", "--resume")
    assert out == trained(3).digest() + "\n"
    assert sorted(os.listdir()) == ["a.graphdl", "line.py"]


def test_another_seed_or_batch_size_is_not_gone_on_with(line):
    line.said("train", "line.py", "--quiet", "--checkpoint", "run")
    words = ["train", "line.py", "--quiet", "--checkpoint", "run", "--resume", "--epochs", 9]
    assert "a training with seed=0, this one has 4" in line.refused(*words, "--seed", 4)
    assert "a training with batch_size=32, this one has 2" in line.refused(*words, "--batch-size", 2)
    assert "arrays of optimizer, the model has" in line.refused(*words, "--optimizer", "adam")


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--resume"], "--resume needs --checkpoint, which says where the state is kept"),
        (["--checkpoint-every", 3], "--checkpoint-every needs --checkpoint, which says where the state is kept"),
        (["--plot", "loss.gif"], "--plot 'loss.gif': a curve is a picture, .svg, .png or .pdf"),
        (["--plot", "no/loss.svg"], "cannot write 'no/loss.svg': the folder 'no' is not there or not writable"),
        (["--optimizer", "adma"], "there is no optimizer 'adma'. Did you mean 'adamax'? There is 'sgd'"),
        (["--checkpoint", "line.py"], "cannot write 'line.py/training.graphdl': "),
        (["--tensorboard", "line.py"], "cannot write 'line.py/train/"),
    ],
)
def test_what_cannot_be_done_is_refused(line, words, message):
    assert line.refused("train", "line.py", "--quiet", *words).startswith(message)


def test_a_damaged_checkpoint_is_refused(line):
    line.said("train", "line.py", "--quiet", "--checkpoint", "run")
    path = line.folder / "run" / "training.graphdl"
    path.write_bytes(path.read_bytes()[:-40])
    assert "cannot read 'run/training.graphdl'" in line.refused(
        "train", "line.py", "--quiet", "--checkpoint", "run", "--resume"
    )


def test_an_optimizer_can_be_chosen(line):
    keras.utils.set_random_seed(0)
    model = keras.Sequential([keras.Input((1,), name="x"), keras.layers.Dense(1)])
    model.compile(keras.optimizers.Adam(0.1), "mse")
    model.fit(np.arange(-1.0, 5.0), np.arange(5.0, 11.0), epochs=3, verbose=0)
    words = ["train", "line.py", "--quiet", "--digest", "--optimizer", "adam", "--lr", 0.1]
    assert line.said(*words) == model.digest() + "\n"


def test_events_are_written_for_tensorboard(line):
    line.said("train", "line.py", "--quiet", "--tensorboard", "logs", "--validation-split", 0.4)
    assert sorted(os.listdir("logs")) == ["train", "validation"]
    (path,) = (line.folder / "logs" / "train").iterdir()
    assert len(list(records(path.read_bytes()))) > 3


@pytest.mark.parametrize("suffix", ["svg", "png"])
def test_the_loss_is_drawn(line, suffix):
    answer = line.run("train", "line.py", "--quiet", "--plot", f"loss.{suffix}")
    assert (answer.code, answer.out, answer.err) == (0, "", f"wrote loss.{suffix}\n")
    content = (line.folder / f"loss.{suffix}").read_bytes()
    assert content.startswith(b"\x89PNG" if suffix == "png" else b"<svg")


LONG = """
    import numpy as np
    from graphdl import keras

    model = keras.Sequential([keras.Input((3,)), keras.layers.Dense(8, "tanh"), keras.layers.Dropout(0.2)])
    model.add(keras.layers.Dense(1))
    model.compile("adam", "mse")
    x = np.random.default_rng(0).standard_normal((64, 3))
    data = x, x.sum(axis=1)
    epochs, batch_size = 40, 4
"""


@pytest.mark.skipif(os.name != "posix", reason="needs signals")
def test_a_killed_or_interrupted_training_is_resumed_to_the_same_bits(shell):
    shell.write("long.py", LONG)
    command = [sys.executable, "-c", "from graphdl_cli.main import main; main()", "train", "long.py", "--quiet"]
    whole = shell.said("train", "long.py", "--quiet", "--digest")
    checkpoint = ["--checkpoint", "run", "--checkpoint-every", "7", "--resume"]
    for number in (signal.SIGKILL, signal.SIGINT):
        process = subprocess.Popen([*command, *checkpoint], stderr=subprocess.PIPE, text=True)
        before = os.path.getmtime("run/training.graphdl") if os.path.exists("run/training.graphdl") else 0
        while process.poll() is None and not changed("run/training.graphdl", before):
            time.sleep(0.01)
        process.send_signal(number)
        _, err = process.communicate()
        if number == signal.SIGINT and process.returncode:
            assert process.returncode == 130
            assert "the same command with --resume goes on from here" in err
            assert "Traceback" not in err
    assert shell.said("train", "long.py", "--quiet", "--digest", *checkpoint) == whole
    assert os.listdir("run") == ["training.graphdl"]


def changed(path: str, before: float) -> bool:
    return os.path.exists(path) and os.path.getmtime(path) > before
