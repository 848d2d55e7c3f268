"""What is printed while training: on a terminal, in a file, and not at all."""

from __future__ import annotations

import io
import re

import numpy as np
import pytest

from graphdl import keras
from graphdl.keras import layers
from graphdl.keras.callbacks.progress import Progress

X = np.ones((70, 2), "float32")
Y = np.ones((70, 1), "float32")


class Terminal(io.StringIO):
    def isatty(self):
        return True


def fitted(capsys, **options):
    model = keras.Sequential([layers.Dense(1, input_shape=(2,))])
    model.compile("sgd", "mse", metrics=["mae"])
    model.fit(X, Y, epochs=2, **options)
    return capsys.readouterr().out


def test_verbose_0_prints_nothing(capsys):
    assert fitted(capsys, verbose=0) == ""


@pytest.mark.parametrize("verbose", [1, 2, "auto"])
def test_off_a_terminal_there_is_a_plain_line_an_epoch(capsys, verbose):
    lines = fitted(capsys, verbose=verbose, validation_data=(X, Y), batch_size=32).splitlines()
    number = r"\d[\d.e+-]*"
    done = rf"3/3 - 0s \d+[mu]s/step - loss: {number} - mae: {number} - val_loss: {number} - val_mae: {number}"
    assert [lines[0], lines[2]] == ["Epoch 1/2", "Epoch 2/2"]
    assert all(re.fullmatch(done, text) for text in (lines[1], lines[3])), lines
    assert "\r" not in "".join(lines)


def test_the_usual_batch_size_is_said_where_nobody_has_said_one(capsys):
    first = "batch_size is 32, as none is given: 70 examples are 3 steps an epoch"
    assert fitted(capsys, verbose=1).splitlines()[0] == first
    assert fitted(capsys, verbose=1, batch_size=32).splitlines()[0] == "Epoch 1/2"


def test_on_a_terminal_a_bar_grows_in_place(monkeypatch):
    out = Terminal()
    clock = iter(range(100))
    monkeypatch.setattr("graphdl.keras.callbacks.progress.time.perf_counter", lambda: float(next(clock)))
    progress = Progress(1, steps=4, epochs=1, out=out)
    progress.begin(0)
    progress.step(2, lambda: {"loss": 0.5})
    progress.end({"loss": 0.25})
    text = out.getvalue()
    assert text.startswith("Epoch 1/1\n\r2/4 ━━━━━━━━━━╌╌╌╌╌╌╌╌╌╌ 1s - loss: 0.5000")
    assert re.search(r"\r4/4 ━{20} 2s 500ms/step - loss: 0.2500 *\n$", text)


def test_a_bar_asks_for_the_numbers_only_when_it_is_drawn():
    progress = Progress(1, steps=4, epochs=1, out=Terminal())
    progress.begin(0)

    def logs():
        raise AssertionError("asked too early")

    progress.step(1, logs)


def test_a_terminal_without_box_drawing_gets_plain_characters():
    raw = io.BytesIO()
    out = io.TextIOWrapper(raw, encoding="ascii")
    out.isatty = lambda: True
    progress = Progress(1, steps=1, epochs=1, out=out)
    progress.begin(0)
    progress.end({"loss": 1.0})
    assert b"1/1 ====================" in raw.getvalue()


def test_small_numbers_keep_four_digits():
    out = io.StringIO()
    progress = Progress(2, steps=1, epochs=1, out=out)
    progress.begin(0)
    progress.end({"loss": 2.5e-7, "zero": 0.0, "half": 0.5})
    assert "- loss: 2.5000e-07 - zero: 0.0000 - half: 0.5000" in out.getvalue()


def test_evaluate_and_predict_report_too(capsys):
    model = keras.Sequential([layers.Dense(1, input_shape=(2,))])
    model.compile("sgd", "mse")
    model.evaluate(X, Y)
    model.predict(X)
    first, second = capsys.readouterr().out.splitlines()
    assert re.fullmatch(r"3/3 - 0s \d+[mu]s/step - loss: [\d.e+-]+", first)
    assert re.fullmatch(r"3/3 - 0s \d+[mu]s/step", second)
