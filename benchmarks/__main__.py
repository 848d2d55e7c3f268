"""Run with ``python -m benchmarks [steps] [compile]``: step times against hand-written twins, compile times by size.

Ratios are medians over pairs of rounds that take turns in one process; compile figures come from a fresh process each.
"""

from __future__ import annotations

import resource
import subprocess
import sys
from collections.abc import Callable
from time import perf_counter

import numpy as np

import graphdl as gd
from benchmarks import twins, workloads

ROUNDS = 15


def seconds(run: Callable[[], object], repeats: int) -> float:
    start = perf_counter()
    for _ in range(repeats):
        run()
    return (perf_counter() - start) / repeats


def compare(name: str, work: workloads.Workload, twin: Callable[[], object], x, y, repeats: int) -> None:
    """Print the times of graphdl's step and the twin's, and the median of the ratios of neighbouring rounds."""
    compiled = gd.Session().compile([], work.updates)
    compiled(x, y)
    step = compiled.bind({"N": len(x)})
    pairs = []
    with np.errstate(all="ignore"):
        for _ in range(ROUNDS):
            pairs.append((seconds(lambda: step((0, 0), x, y), repeats), seconds(twin, repeats)))
    ours, theirs = np.median(pairs, axis=0) * 1e3
    ratio = np.median([a / b for a, b in pairs])
    print(f"{name:8} graphdl {ours:9.4f} ms   by hand {theirs:9.4f} ms   ratio {ratio:.2f}")


def steps() -> None:
    rng = np.random.default_rng(1)
    x = np.arange(-1, 5, dtype="f").reshape(6, 1)
    work = workloads.linear()
    twin = twins.LinearTwin(work.weights[0], work.biases[0], x, x + 6)
    compare("W1a", work, twin.step, x, x + 6, 3000)

    x, y = np.array([[0, 0], [0, 1], [1, 0], [1, 1]], "f"), np.array([[0], [1], [1], [0]], "f")
    work = workloads.xor()
    xor = twins.XorTwin(work.weights, work.biases, 4)
    compare("W1b", work, lambda: xor.step(x, y), x, y, 1000)

    for batch, repeats in ((256, 5), (32, 20)):
        images = rng.standard_normal((batch, workloads.SIZES[0])).astype("f")
        labels = rng.integers(0, 10, batch)
        work = workloads.classifier()
        digits = twins.ClassifierTwin(work.weights, work.biases, batch)
        compare(f"W2/{batch}", work, lambda x=images, y=labels, t=digits: t.step(x, y), images, labels, repeats)


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


if __name__ == "__main__":
    main()
