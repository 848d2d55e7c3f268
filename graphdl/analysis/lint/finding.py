"""What a rule of the linter finds, and the table of rules: plain data, said in English and Korean."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Literal, NamedTuple

from graphdl.errors import GraphError, did_you_mean
from graphdl.ir.node import Node
from graphdl.ir.origin import User, user_of
from graphdl.ir.text import plain

# error: training cannot work as it stands. warning: it works badly. hint: a teacher would say a word about it.
Severity = Literal["error", "warning", "hint"]
SEVERITIES: tuple[Severity, ...] = ("error", "warning", "hint")
LANGUAGES = ("en", "ko")
Text = Mapping[str, str]


@dataclass(frozen=True)
class Finding:
    """One thing that a rule found: at which node, at which line of the user's, and what to try.

    `said` and `advice` hold the message and what to try by language; `message` and `try_this` are the English ones.
    """

    rule: str
    severity: Severity
    said: Text
    advice: Text
    node: Node | None = None
    where: User | None = None

    @property
    def message(self) -> str:
        """What was found, in English."""
        return self.said["en"]

    @property
    def try_this(self) -> str:
        """What to try, in English."""
        return self.advice["en"]

    def as_dict(self, language: str = "en") -> dict[str, Any]:
        """The finding as JSON has it."""
        return {
            "rule": self.rule,
            "severity": self.severity,
            "message": self.said[language],
            "try": self.advice[language],
            "node": plain(self.node.label) if self.node is not None else None,
            "file": self.where.file if self.where else None,
            "line": self.where.line if self.where else None,
        }

    def __str__(self) -> str:
        place = f"{self.where}: " if self.where else ""
        return f"{place}{self.rule}: {self.message}\n  try: {self.try_this}"


class Hit(NamedTuple):
    """What a rule gives back: the node to blame, what to put into its text, and which of its texts."""

    node: Node | None
    slots: Mapping[str, object] = {}
    case: str = ""
    severity: Severity | None = None
    where: User | None = None


class Case(NamedTuple):
    """Message and advice by language, with slots in braces."""

    said: Text
    advice: Text


Check = Callable[[Any], Iterable[Hit]]


@dataclass(frozen=True)
class Rule:
    """One rule: what it is called, how bad its findings are, what looks for them, what is said of them."""

    code: str
    severity: Severity
    check: Check
    cases: Mapping[str, Case]

    @property
    def explanation(self) -> str:
        """The docstring of the rule."""
        return inspect.getdoc(self.check) or ""

    def findings(self, facts: Any) -> Iterable[Finding]:
        """What the rule finds in `facts`."""
        for hit in self.check(facts):
            case = self.cases[hit.case]
            said = {language: text.format(**hit.slots) for language, text in case.said.items()}
            advice = {language: text.format(**hit.slots) for language, text in case.advice.items()}
            where = hit.where or (user_of(hit.node) if hit.node is not None else None)
            yield Finding(self.code, hit.severity or self.severity, said, advice, hit.node, where)


RULES: dict[str, Rule] = {}


def rule(
    code: str, severity: Severity, said: Text, advice: Text, /, **cases: tuple[Text, Text]
) -> Callable[[Check], Check]:
    """Enter the decorated function, whose docstring explains it, into the table; `cases` are other texts it has."""

    def register(check: Check) -> Check:
        assert code not in RULES, f"two rules are called {code}"
        texts = {"": Case(said, advice), **{name: Case(*pair) for name, pair in cases.items()}}
        RULES[code] = Rule(code, severity, check, texts)
        return check

    return register


def rule_called(code: str) -> Rule:
    """The rule of that name; GraphError with a suggestion when there is none."""
    if code not in RULES:
        raise GraphError(f"there is no lint rule {code!r}.{did_you_mean(code, RULES)}")
    return RULES[code]


def in_reading_order(findings: Iterable[Finding]) -> list[Finding]:
    """Findings by file and line, the worst first where several share one; none twice."""
    seen = {(f.rule, f.where, f.message): f for f in findings}
    return sorted(seen.values(), key=_place)


def _place(finding: Finding) -> tuple[str, int, int, str]:
    file, line = finding.where or ("", 0)
    return file, line, SEVERITIES.index(finding.severity), finding.rule
