"""Where the time of a run goes, node by node."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from time import perf_counter_ns
from typing import Any

from graphdl.compile.evaluate import evaluate
from graphdl.ir.node import Node
from graphdl.ir.text import plain
from graphdl.runtime.compiled import Compiled
from graphdl.runtime.stepper import Stepper


@dataclass(frozen=True)
class Timing:
    """Median time of one node, in nanoseconds, and its share of the total."""

    node: Node
    nanoseconds: int
    share: float


def profile(compiled: Compiled, feed_dict: Mapping[Any, Any], repeats: int = 5) -> list[Timing]:
    """Timings of the optimised program's nodes, slowest first; each is computed `repeats` times on the same operands.

    Nodes are timed one at a time without buffers to write to, so the sum is more than a step of the program takes.
    """
    stepper = Stepper(compiled.graph, feed_dict, compiled.session)
    stepper.values()
    times: dict[Node, int] = {}
    for instr in stepper.instrs:
        operands = stepper.operands(instr)
        samples = []
        for _ in range(repeats):
            start = perf_counter_ns()
            evaluate(instr, operands, stepper.sizes, stepper.key)
            samples.append(perf_counter_ns() - start)
        times[instr.node] = sorted(samples)[len(samples) // 2]
    total = sum(times.values()) or 1
    ranked = sorted(times.items(), key=lambda item: -item[1])
    return [Timing(node, ns, ns / total) for node, ns in ranked]


def profile_table(timings: list[Timing], most: int = 20) -> str:
    """The slowest nodes as text: share, microseconds, op, label and type."""
    lines = [f"{'share':>6} {'µs':>10}  {'op':<24} node"]
    for t in timings[:most]:
        line = f"{t.share:6.1%} {t.nanoseconds / 1e3:10.1f}  {t.node.op.name:<24} {plain(t.node.label)}: {t.node.type}"
        lines.append(line)
    return "\n".join(lines)
