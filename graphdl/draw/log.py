"""The story in words, a step a paragraph: for terminals, screen readers and comparing runs."""

from __future__ import annotations

from collections.abc import Sequence

from graphdl.draw.model import Step, Trace


def to_log(trace: Trace, languages: Sequence[str] = ("en",), steps: Sequence[int] | None = None) -> str:
    """Every step with its caption, formulas and numbers, and the lines of the program it stands for.

    The caption stands there once in each language. `steps` are places in the story, counted from 0; by default all.
    """
    width = len(str(len(trace.steps)))
    lines = []
    for place in range(len(trace.steps)) if steps is None else steps:
        step = trace.steps[place]
        first, *others = [step.caption.get(language, step.phase) for language in languages]
        lines.append(f"{place + 1:{width}}. {first}")
        lines += [f"{'':{width}}  {said}" for said in others]
        lines += [f"{'':{width}}    {line}" for line in _details(step, trace)]
    return "\n".join(lines) + "\n"


def _details(step: Step, trace: Trace) -> list[str]:
    details = [step.substituted] if step.substituted else []
    for lane in step.lanes:
        details += [text for text in (lane.chain, lane.rule, lane.shapes, lane.numbers) if text]
    details += [f"∂/∂{trace.by_id[node].symbol}: {text}" for node, text in step.sums.items()]
    code = [trace.code[number - 1].split("  #")[0].strip() for number in step.code] if step.phase != "feed" else []
    return [*details, *(f"> {line}" for line in code)]
