"""The story in words, a step a paragraph: for terminals, screen readers and comparing runs."""

from __future__ import annotations

from graphdl.draw.model import Step, Trace


def to_log(trace: Trace, language: str = "en") -> str:
    """Every step with its caption, formulas and numbers, and the lines of the program it stands for."""
    width = len(str(len(trace.steps)))
    lines = []
    for number, step in enumerate(trace.steps, start=1):
        lines.append(f"{number:{width}}. {step.caption.get(language, step.phase)}")
        lines += [f"{'':{width}}    {line}" for line in _details(step, trace)]
    return "\n".join(lines) + "\n"


def _details(step: Step, trace: Trace) -> list[str]:
    details = [step.substituted] if step.substituted else []
    for lane in step.lanes:
        details += [text for text in (lane.chain, lane.rule, lane.shapes, lane.numbers) if text]
    details += [f"∂/∂{trace.by_id[node].symbol}: {text}" for node, text in step.sums.items()]
    code = [trace.code[number - 1].split("  #")[0].strip() for number in step.code] if step.phase != "feed" else []
    return [*details, *(f"> {line}" for line in code)]
