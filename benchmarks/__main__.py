"""Run with ``python -m benchmarks [steps] [compile]``: times of a training step, and compile times by size.

A step is compared with the same step written by hand, and with PyTorch where that is installed: rounds take turns in
one process, and ratios are medians over rounds. OPENBLAS_NUM_THREADS=1 and OMP_NUM_THREADS=1 put all on one thread.
Compile figures come from a fresh process each.
"""

from __future__ import annotations

import importlib.util
import resource
import subprocess
import sys
from collections.abc import Callable
from time import perf_counter
from typing import Any

import numpy as np

import graphdl as gd
from benchmarks import images, recurrent, twins, workloads

ROUNDS = 15
Step = Callable[[], object]


def main() -> None:
    wanted = sys.argv[1:] or ["steps", "compile"]
    if wanted[0] == "compile-once":
        compile_once(int(wanted[1]))
        return
    if "steps" in wanted:
        steps()
    if "compile" in wanted:
        for length in (1_000, 10_000, 100_000):
            subprocess.run([sys.executable, "-m", "benchmarks", "compile-once", str(length)], check=True)


def steps() -> None:
    peer = _peers()
    rng = np.random.default_rng(1)
    x = np.arange(-1, 5, dtype="f").reshape(6, 1)
    work = workloads.linear()
    by_hand = twins.LinearTwin(work.weights[0], work.biases[0], x, x + 6)
    compare("W1a", _bound(work.updates, x, x + 6), by_hand.step, peer("linear", x, x + 6), 3000)

    x, y = np.array([[0, 0], [0, 1], [1, 0], [1, 1]], "f"), np.array([[0], [1], [1], [0]], "f")
    work = workloads.xor()
    xor = twins.XorTwin(work.weights, work.biases, 4)
    compare("W1b", _bound(work.updates, x, y), lambda: xor.step(x, y), peer("xor", x, y), 1000)

    for size, repeats in ((256, 5), (32, 20)):
        many, labels = rng.standard_normal((size, workloads.SIZES[0])).astype("f"), rng.integers(0, 10, size)
        work = workloads.classifier()
        digits = twins.ClassifierTwin(work.weights, work.biases, size)
        ours, peers = _bound(work.updates, many, labels), peer("classifier", many, labels)
        compare(f"W2/{size}", ours, lambda x=many, y=labels, t=digits: t.step(x, y), peers, repeats)

    shown, labels = images.batch()
    _compare_model("W3", images.network(), images.ConvolutionTwin, shown, labels, peer("convolution", shown, labels), 3)
    ids, truths = recurrent.batch()
    for layer, twin in (("SimpleRNN", recurrent.SimpleRNNTwin), ("LSTM", recurrent.LSTMTwin)):
        torch = peer("sentences", layer, ids, truths)
        _compare_model(f"W4 {layer}", recurrent.network(layer), twin, ids, truths, torch, 8)


def _peers() -> Callable[..., Step | None]:
    if importlib.util.find_spec("torch") is None:
        return lambda name, *arguments: None
    from benchmarks import peers

    return lambda name, *arguments: getattr(peers, name)(*arguments)


def _bound(updates: gd.Updates, x: Any, y: Any) -> Step:
    compiled = gd.Session().compile([], updates)
    compiled(x, y)
    step = compiled.bind({"N": len(x)})
    return lambda: step((0, 0), x, y)


def _compare_model(name: str, model: Any, make: Any, x: Any, y: Any, torch: Step | None, repeats: int) -> None:
    """Compare a model with its twin, which must have the same weights after a step."""
    twin = make(model.get_weights())
    step = model.training.train.bind({"N": len(x)})
    step((0, 0), x, y)
    twin.step(x, y)
    for ours, theirs in zip(model.get_weights(), twin.values, strict=True):
        np.testing.assert_allclose(ours, theirs, atol=1e-5)
    compare(name, lambda: step((0, 0), x, y), lambda: twin.step(x, y), torch, repeats)


def compare(name: str, ours: Step, by_hand: Step, torch: Step | None, repeats: int) -> None:
    """Print the times of graphdl's step and of the others, and the medians of the ratios of neighbouring rounds."""
    runs = {"graphdl": ours, "by hand": by_hand, **({"torch": torch} if torch else {})}
    with np.errstate(all="ignore"):
        rounds = np.array([[seconds(run, repeats) for run in runs.values()] for _ in range(ROUNDS + 1)])[1:]
    times = np.median(rounds, axis=0) * 1e3
    ratios = np.median(rounds[:, :1] / rounds, axis=0)
    first, *others = zip(runs, times, ratios, strict=True)
    line = "".join(f"   {what} {ms:9.4f} ms, ratio {ratio:4.2f}" for what, ms, ratio in others)
    print(f"{name:13} {first[0]} {first[1]:9.4f} ms{line}", flush=True)


def seconds(run: Step, repeats: int) -> float:
    start = perf_counter()
    for _ in range(repeats):
        run()
    return (perf_counter() - start) / repeats


def compile_once(length: int) -> None:
    """Definition to callable of a chain and its gradient; run in a process of its own."""
    start = perf_counter()
    loss, gradient = workloads.chain(length)
    defined = perf_counter()
    compiled = gd.Session().compile([loss, gradient])
    done = perf_counter()
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(
        f"{length:7} nodes and their gradient: {done - start:6.2f} s, "
        f"{defined - start:.2f} of it to define and differentiate; "
        f"{len(compiled.graph)} nodes in the program, peak {peak:.0f} MB"
    )


if __name__ == "__main__":
    main()
