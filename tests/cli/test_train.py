"""`graphdl train`, against the same training written out in Python."""

from __future__ import annotations

import numpy as np
import pytest

from graphdl import keras


def trained(epochs: int, batch_size: int = 32, seed: int = 0, rate: float = 0.01) -> keras.Model:
    keras.utils.set_random_seed(seed)
    model = keras.Sequential([keras.Input((1,), name="x"), keras.layers.Dense(1)])
    keras.utils.set_random_seed(0)
    model.compile(keras.optimizers.SGD(rate), "mse")
    model.fit(np.arange(-1.0, 5.0), np.arange(5.0, 11.0), epochs=epochs, batch_size=batch_size, verbose=0)
    return model


def test_it_trains_as_fit_does(line):
    assert line.said("train", "line.py", "--quiet", "--digest") == trained(3).digest() + "\n"


@pytest.mark.parametrize(
    ("words", "arguments"),
    [
        (["--epochs", 5], {"epochs": 5}),
        (["--batch-size", 4], {"epochs": 3, "batch_size": 4}),
        (["--seed", 7], {"epochs": 3, "seed": 7}),
        (["--lr", 0.02], {"epochs": 3, "rate": 0.02}),
        (
            ["--epochs", 2, "--batch-size", 2, "--seed", 1, "--lr", 0.001],
            {"epochs": 2, "batch_size": 2, "seed": 1, "rate": 0.001},
        ),
    ],
)
def test_options_take_the_place_of_what_the_file_says(line, words, arguments):
    assert line.said("train", "line.py", "--quiet", "--digest", *words) == trained(**arguments).digest() + "\n"


def test_progress_is_what_keras_users_know(line):
    rows = line.said("train", "line.py", "--epochs", 2).splitlines()
    assert rows[::2] == ["Epoch 1/2", "Epoch 2/2"]
    assert all(row.startswith("1/1 - 0s ") and " - loss: " in row for row in rows[1::2])
    assert line.said("train", "line.py", "--quiet") == ""


def test_weights_are_saved_where_asked(line):
    answer = line.run("train", "line.py", "--quiet", "--save", "w.npz")
    assert (answer.code, answer.out, answer.err) == (0, "", "wrote w.npz\n")
    with np.load("w.npz") as saved:
        assert [saved[name].tolist() for name in saved.files] == [w.tolist() for w in trained(3).get_weights()]


@pytest.mark.parametrize(
    ("path", "message"),
    [
        ("w.txt", "--save 'w.txt': weights are kept in .npz files, whole models in .graphdl files"),
        ("no/w.npz", "cannot write 'no/w.npz': the folder 'no' is not there or not writable"),
        ("dir.npz", "cannot write 'dir.npz': it is a directory"),
    ],
)
def test_what_could_not_be_saved_is_refused_before_training(line, path, message):
    (line.folder / "dir.npz").mkdir()
    assert line.refused("train", "line.py", "--save", path) == message


def test_a_loss_that_is_no_number_is_a_failure_and_nothing_is_saved(line):
    assert line.failed(1, "train", "line.py", "--quiet", "--epochs", 60, "--lr", 1e10, "--save", "w.npz").startswith(
        "the loss is "
    )
    assert not (line.folder / "w.npz").exists()


def test_the_guard_names_the_first_node_that_is_no_number(line):
    message = line.failed(1, "train", "line.py", "--quiet", "--epochs", 60, "--lr", 1e10, "--nan-guard")
    assert " is the first with " in message
    assert "written at line.py:" in message


def test_a_model_that_takes_its_shape_from_the_data_can_be_trained(shell):
    shell.write(
        "open.py",
        """
        import numpy as np
        from graphdl import keras
        model = keras.Sequential([keras.layers.Dense(4, "relu"), keras.layers.Dense(1)])
        model.compile("sgd", "mse")
        data = np.ones((8, 3)), np.ones(8)
        """,
    )
    assert "loss: " in shell.said("train", "open.py", "--lr", 0.1, "--seed", 3)


def test_a_model_that_is_not_compiled_says_what_to_do(shell):
    shell.write(
        "raw.py",
        """
        from graphdl import keras
        model = keras.Sequential([keras.Input((1,)), keras.layers.Dense(1)])
        data = [1.0], [2.0]
        """,
    )
    assert shell.refused("train", "raw.py") == (
        "sequential is not compiled; call model.compile(optimizer=..., loss=...) first"
    )
    assert shell.refused("train", "raw.py", "--lr", 1) == (
        "sequential is not compiled; call model.compile(optimizer=..., loss=...) in the file"
    )


def test_epochs_of_the_file_must_be_a_number(line):
    line.write("line.py", (line.folder / "line.py").read_text().replace("epochs = 3", "epochs = 'many'"))
    assert line.refused("train", "line.py") == "epochs in line.py is 'many', expected an integer from 1"
