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
from graphdl.keras.callbacks.eventfile import records
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
        (["--checkpoint", "line.py"], "cannot write 'line.py/training.graphdl': its folder is a file"),
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


def test_another_rate_is_not_taken_up_in_the_middle_and_it_is_said(line):
    words = ["train", "line.py", "--quiet", "--checkpoint", "run", "--digest"]
    line.said(*words, "--lr", 0.01)
    same = line.run(*words, "--resume", "--epochs", 4, "--lr", 0.01)
    assert (same.code, same.err) == (0, "")
    other = line.run(*words, "--resume", "--epochs", 5, "--lr", 0.5)
    assert (other.code, other.err) == (
        0,
        "graphdl: warning: --lr 0.5 is not used: the checkpoint goes on at 0.01\n",
    )
    (line.folder / "run" / "training.graphdl").unlink()
    assert line.said(*words, "--epochs", 5, "--lr", 0.01) == other.out


def test_a_refused_resume_leaves_pictures_and_records_as_they_were(line):
    words = ["train", "line.py", "--checkpoint", "run", "--plot", "a.svg", "--record", "a.json", "--resume"]
    line.run(*words, "--quiet")
    before = [(line.folder / name).read_bytes() for name in ("a.svg", "a.json")]
    assert "a training with batch_size=32, this one has 2" in line.refused(*words, "--quiet", "--batch-size", 2)
    assert [(line.folder / name).read_bytes() for name in ("a.svg", "a.json")] == before
    done = line.run(*words)
    assert done.out.endswith("training is done, nothing is left to do\n")
    assert [(line.folder / name).read_bytes() for name in ("a.svg", "a.json")] == before
    line.run(*words, "--quiet", "--epochs", 5)
    (line.folder / "run" / "training.graphdl").unlink()
    longer = (line.folder / "a.json").read_bytes()
    line.run(*words, "--quiet", "--epochs", 5)
    assert (line.folder / "a.json").read_bytes() == longer != before[1]


def test_what_watches_may_be_asked_for_later(line):
    line.said("train", "line.py", "--quiet", "--checkpoint", "run", "--epochs", 2)
    answer = line.run("train", "line.py", "--quiet", "--checkpoint", "run", "--resume", "--plot", "a.svg", "--digest")
    assert (answer.out, answer.err) == (trained(3).digest() + "\n", "wrote a.svg\n")


def test_the_files_own_callbacks_are_told(line):
    text = (line.folder / "line.py").read_text() + "callbacks = keras.callbacks.CSVLogger('log.csv')\n"
    line.write("line.py", text)
    line.said("train", "line.py", "--quiet", "--checkpoint", "run", "--epochs", 2)
    line.said("train", "line.py", "--quiet", "--checkpoint", "run", "--epochs", 4, "--resume")
    rows = (line.folder / "log.csv").read_text().splitlines()
    assert [row.split(",")[0] for row in rows] == ["epoch", "0", "1", "2", "3"]
    line.write("line.py", text.replace("keras.callbacks.CSVLogger('log.csv')", "[3]"))
    assert "a callback is 3, a int; expected keras.callbacks.Callback" in line.refused("train", "line.py", "--quiet")


def test_a_rate_takes_the_place_of_a_schedule(line):
    text = (line.folder / "line.py").read_text()
    schedule = "keras.optimizers.SGD(keras.optimizers.schedules.ExponentialDecay(0.5, 2, 0.1), momentum=0.5)"
    line.write("line.py", text.replace('"sgd"', schedule))
    found = line.said("train", "line.py", "--quiet", "--digest", "--lr", 0.02)
    line.write("line.py", text.replace('"sgd"', "keras.optimizers.SGD(0.02, momentum=0.5)"))
    assert line.said("train", "line.py", "--quiet", "--digest") == found


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
