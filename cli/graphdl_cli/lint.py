"""`graphdl lint`: what a teacher would say about a model or a graph, before it is trained."""

from __future__ import annotations

import json
import os
import warnings
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import click

from graphdl_cli.command import command, examples_options, target_argument
from graphdl_cli.failures import UserError

if TYPE_CHECKING:
    from graphdl.analysis.lint import Finding
    from graphdl_cli.loading import Loaded

_NONE = {"en": "no findings", "ko": "문제 없음"}
_TOTAL = {
    "en": "{parts}; more: graphdl explain {first}",
    "ko": "{parts}. 자세히: graphdl explain {first}",
}
_SEVERITIES = {
    "en": {"error": "errors", "warning": "warnings", "hint": "hints"},
    "ko": {"error": "오류", "warning": "경고", "hint": "참고"},
}
_TRY = {"en": "help", "ko": "도움"}


@command(
    "lint mlp.py",
    "lint mlp.py:model --lang ko",
    "lint credit.py --data credit.csv --target share",
    "lint loss.py --json --strict",
)
@target_argument("FILE.py[:name]")
@examples_options
@click.option("--feed", metavar="FILE.npz", help="Values for the placeholders of a graph. [default: the file's own]")
@click.option("--lang", type=click.Choice(["en", "ko"]), default="en", show_default=True, help="Of the findings.")
@click.option("--json", "as_json", is_flag=True, help="Print the findings as JSON.")
@click.option("--strict", is_flag=True, help="Exit with 1 for any finding, not for errors alone.")
def lint(
    target: str,
    file: str | None,
    column: str | None,
    features: str | None,
    feed: str | None,
    lang: str,
    as_json: bool,
    strict: bool,
) -> None:
    """Find what keeps a network from learning: a loss that does not go with its output, unscaled inputs, dead units.

    A model is looked at together with the file's `data`, or that of --data, a graph with its `feeds`, where there are
    any.
    Exit status: 1 for errors, with --strict for any finding, else 0.
    """
    from graphdl.errors import LintWarning
    from graphdl_cli.data import names_of
    from graphdl_cli.loading import load_subject

    with warnings.catch_warnings():
        # What compile would warn of is among the findings.
        warnings.simplefilter("ignore", LintWarning)
        findings = _findings(load_subject(target), feed, file, column, names_of(features))
    click.echo(_json(findings, lang) if as_json else _report(findings, lang))
    failed = bool(findings) if strict else any(finding.severity == "error" for finding in findings)
    click.get_current_context().exit(int(failed))


def _findings(loaded: Loaded, feed: str | None, *examples: Any) -> list[Finding]:
    """Those about the model with its data, or about the graph with its feeds."""
    from graphdl.keras.models import Model
    from graphdl_cli.loading import kind_of

    is_model = isinstance(loaded.value, Model)
    if is_model and feed is not None:
        raise UserError("--feed is for graphs; a model is looked at with the data of its file, or of --data")
    if not is_model and any(examples):
        raise UserError(f"--data is for models; {loaded.path}:{loaded.name} is {kind_of(loaded.value)}, give --feed")
    return _of_model(loaded, *examples) if is_model else _of_graph(loaded, feed)


def _of_model(loaded: Loaded, *examples: Any) -> list[Finding]:
    from graphdl_cli.data import as_data, find_data

    data = find_data(loaded, *examples) if any(examples) else as_data(loaded.get("data", "load_data"))
    size = loaded.positive("batch_size", 32) if "batch_size" in loaded.names else None
    split = loaded.names.get("validation_split", 0.0)
    x, y = (data.x, data.y) if data is not None else (None, None)
    return list(loaded.value.lint(x, y, size, split if isinstance(split, float) else 0.0))


def _of_graph(loaded: Loaded, feed: str | None) -> list[Finding]:
    from graphdl.keras.lint import lint
    from graphdl_cli.subject import subject

    found = subject(loaded)
    return lint(found.graph, found.feeds_if_any(feed), found.session)


def _json(findings: Sequence[Finding], language: str) -> str:
    return json.dumps([finding.as_dict(language) for finding in findings], indent=2, ensure_ascii=False)


def _report(findings: Sequence[Finding], language: str) -> str:
    """A paragraph for each finding, in the manner of compilers, and the count."""
    if not findings:
        return _NONE[language]
    total = _TOTAL[language].format(parts=_counted(findings, language), first=findings[0].rule)
    return "\n".join([*(_paragraph(finding, language) for finding in findings), total])


def _counted(findings: Sequence[Finding], language: str) -> str:
    """``1 error, 2 hints``"""
    counts = [(word, sum(f.severity == severity for f in findings)) for severity, word in _SEVERITIES[language].items()]
    if language == "ko":
        return ", ".join(f"{word} {n}" for word, n in counts if n)
    return ", ".join(f"{n} {word if n > 1 else word.removesuffix('s')}" for word, n in counts if n)


def _paragraph(finding: Finding, language: str) -> str:
    """``mlp.py:12: softmax-mse the probabilities of …``, the user's line, and what to try."""
    where = finding.where
    place = f"{_short(where.file)}:{where.line}: " if where else ""
    head = f"{place}{finding.severity}: {finding.rule}: {finding.said[language]}"
    line = where.source() if where else ""
    quoted = [f"    {line}"] if line else []
    return "\n".join([head, *quoted, f"  {_TRY[language]}: {finding.advice[language]}"])


def _short(file: str) -> str:
    """The path from here, where that is shorter."""
    near = os.path.relpath(file)
    return near if len(near) < len(file) else file
