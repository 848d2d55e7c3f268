"""Ctrl-C between steps, and one session used by several threads."""

from __future__ import annotations

import os
import signal
import threading

import numpy as np
import pytest

import graphdl as gd
from graphdl.runtime.interrupt import held_back


def test_ctrl_c_waits_for_the_end_and_is_not_lost():
    done = []
    with pytest.raises(KeyboardInterrupt), held_back():
        os.kill(os.getpid(), signal.SIGINT)
        done.append("the step ran to its end")
    assert done == ["the step ran to its end"]


def test_ctrl_c_can_be_asked_for_between_steps():
    with pytest.raises(KeyboardInterrupt), held_back() as interrupt:
        interrupt.check()
        os.kill(os.getpid(), signal.SIGINT)
        interrupt.check()
        pytest.fail("check did not raise")


def test_the_handler_that_was_there_before_comes_back():
    before = signal.getsignal(signal.SIGINT)
    with held_back(), held_back():
        assert signal.getsignal(signal.SIGINT) is not before
    assert signal.getsignal(signal.SIGINT) is before


def test_eight_threads_on_one_session_lose_no_update():
    w, x = gd.Variable(0.0, dtype="float64", name="w"), gd.placeholder((), "float64", name="x")
    session = gd.Session()
    add = gd.assign(w, w + x)
    session.run(add, {x: 0.0})

    def work():
        for _ in range(200):
            session.run(add, {x: 1.0})

    threads = [threading.Thread(target=work) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert session.value(w) == 1600.0


def test_sessions_in_threads_agree_with_a_serial_one():
    x = gd.placeholder((None, 8), name="x")
    W = gd.Variable(gd.random_normal((8, 8)), name="W")
    loss = gd.mean(gd.square(gd.dropout(gd.tanh(x @ W), 0.3)))
    train = gd.assign(W, W - 0.1 * gd.gradients(loss, W))
    data = np.random.default_rng(0).standard_normal((4, 8)).astype("f")
    digests = []

    def work():
        session = gd.Session(seed=1)
        for _ in range(50):
            session.run(train, {x: data})
        digests.append(session.state.digest())

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    work()
    assert len(set(digests)) == 1
