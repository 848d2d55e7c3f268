"""Linting a model: the rules about its graph, and those that only a model and its examples can tell."""

from __future__ import annotations

import warnings
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

import numpy as np

from graphdl.analysis.lint import GRAPH_RULES, RULES, Facts, Finding, Rule, findings_in
from graphdl.analysis.lint.finding import in_reading_order
from graphdl.errors import LintWarning
from graphdl.ir.graph import Graph
from graphdl.ir.origin import current_origin
from graphdl.keras.lint import examples, network
from graphdl.keras.lint.facts import ModelFacts, is_masked
from graphdl.runtime.lint import lint_graph

if TYPE_CHECKING:
    from graphdl.keras.fitting import Fit
    from graphdl.keras.models.model import Model

MODEL_RULES = tuple(r for m in (network, examples) for r in RULES.values() if r.check.__module__ == m.__name__)


def lint(what: Any, feeds: Any = None, session: Any = None) -> list[Finding]:
    """What a teacher would say about `what`: findings in the order of the user's lines.

    what   a keras model; or a graph, a loss, a list of nodes
    feeds  values to look at: a dict from placeholders, or for a model a pair (x, y)

    Nothing is changed, but that a model without an input shape takes that of x, as in `fit`.
    """
    from graphdl.keras.models.model import Model

    if not isinstance(what, Model):
        return lint_graph(what, feeds, session)
    return lint_model(what, *(feeds if feeds is not None else (None, None)))


def lint_model(
    model: Model, x: Any = None, y: Any = None, batch_size: int | None = None, validation_split: float = 0.0
) -> list[Finding]:
    """What is to be said about `model`, and, with examples, about them and the values they lead to."""
    had_shape = model.is_built
    if x is not None:
        model.build_for(x)
    facts = ModelFacts(model, had_shape, batch_size, validation_split, y)
    if not model.is_built:
        return in_reading_order(RULES["missing-input-shape"].findings(facts))
    facts = facts.with_examples(x)
    of_model = (finding for found in MODEL_RULES for finding in found.findings(facts))
    return in_reading_order([*findings_in(facts.of_graph()), *of_model])


def warn_of_structure(model: Model) -> None:
    """After `compile`: a LintWarning for each error that the graph alone shows."""
    plan = model.training
    graph = Graph({"loss": plan.evaluation.loss})
    _warn(model, GRAPH_RULES, Facts(graph, graph, plan.evaluation.loss, is_masked=is_masked(plan)))


def warn_of_examples(model: Model, fit: Fit, validation_split: float) -> None:
    """Before training: a LintWarning for targets that make no sense, and classes that are never seen."""
    graph = Graph({"loss": model.training.evaluation.loss})
    _warn(model, [RULES["targets-out-of-reach"]], Facts(graph, graph, values=fit.examples))
    _warn(model, [RULES["targets-beyond-probabilities"]], ModelFacts(model, examples=fit.examples))
    if validation_split and fit.held_out is not None:
        held, count = fit.held_out
        whole = {head.target: np.concatenate([fit.examples[head.target], held[head.target]]) for head in fit.plan.heads}
        facts = ModelFacts(model, validation_split=validation_split, examples=whole, n=fit.n + count)
        _warn(model, [RULES["unseen-classes"]], facts)


def _warn(model: Model, wanted: Iterable[Rule], facts: Any) -> None:
    """One warning for each error that `wanted` find; the model remembers which have been said."""
    for finding in in_reading_order(f for found in wanted for f in found.findings(facts) if f.severity == "error"):
        place = finding.where or current_origin()
        text = f"{finding.rule}: {finding.message}. Try: {finding.try_this}. More: graphdl explain {finding.rule}"
        file, line = getattr(place, "file", ""), getattr(place, "line", 0)
        warnings.warn_explicit(text, LintWarning, file or "graphdl", line, registry=model.lint_registry)


__all__ = ["MODEL_RULES", "lint", "lint_model", "warn_of_examples", "warn_of_structure"]
