"""A linter for networks: rules that read a graph, and what they find as data.

`findings_in(facts)` applies every rule about graphs; floors above add what they know: values, gradients, the model.
"""

from __future__ import annotations

from collections.abc import Iterable
from types import ModuleType

from graphdl.analysis.lint import data, domain, flow, layers, outputs, probabilities, targets
from graphdl.analysis.lint.facts import Facts
from graphdl.analysis.lint.finding import LANGUAGES, RULES, Finding, Rule, in_reading_order, rule_called

# The modules with rules about graphs, in the order of the rule list.
_MODULES: tuple[ModuleType, ...] = (outputs, probabilities, targets, layers, flow, domain, data)
GRAPH_RULES: tuple[Rule, ...] = tuple(r for m in _MODULES for r in RULES.values() if r.check.__module__ == m.__name__)


def findings_in(facts: Facts, rules: Iterable[Rule] = GRAPH_RULES) -> list[Finding]:
    """What `rules` find, in the order of the user's lines."""
    return in_reading_order(finding for rule in rules for finding in rule.findings(facts))


__all__ = ["GRAPH_RULES", "LANGUAGES", "RULES", "Facts", "Finding", "Rule", "findings_in", "rule_called"]
