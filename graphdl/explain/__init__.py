"""Explanations, in English and Korean: topics of a first course, the lint rules, and what happens in a given graph."""

from __future__ import annotations

import re
from collections.abc import Iterable

from graphdl.analysis.lint import GRAPH_RULES, LANGUAGES, RULES, Rule
from graphdl.errors import GraphError, did_you_mean
from graphdl.explain import convolutions, gradients, outputs, training
from graphdl.explain.batches import Batches, batches
from graphdl.explain.graphs import first_nan, zero_gradients
from graphdl.explain.rules_ko import RULES_KO
from graphdl.explain.topic import Topic
from graphdl.keras.lint import MODEL_RULES

TOPICS: dict[str, Topic] = {
    topic.name: topic for m in (gradients, outputs, training, convolutions) for topic in m.TOPICS
}
# What people ask for, and what it is called here.
_ALIASES = {
    "backprop": "chain-rule",
    "backpropagation": "chain-rule",
    "initialization": "initialisation",
    "dead-relu-units": "dying-relu",
    "inf": "nan",
    "epoch": "batches",
    "epochs": "batches",
    "steps": "batches",
    "iteration": "batches",
    "validation": "validation-split",
    "accuracy": "accuracy-as-loss",
    "softmax": "softmax-cross-entropy",
    "cross-entropy": "softmax-cross-entropy",
    "lr": "learning-rate",
    "conv": "convolution",
    "conv2d": "convolution",
    "im2col": "convolution",
}
_FOUND_BY = {
    "en": "graphdl lint says {code} ({severity}): {said}\n  help: {advice}",
    "ko": "graphdl lint의 {code} ({severity}): {said}\n  도움: {advice}",
}
_SLOT = re.compile(r"\{\w+\}")


def explain(topic: str, language: str = "en") -> str:
    """What there is to say about a topic or a lint rule; GraphError with a suggestion where there is none.

    >>> print(explain("batches").splitlines()[0])
    Steps, iterations, epochs, batches
    """
    name = known(topic)
    if language not in LANGUAGES:
        raise GraphError(f"explain: language is {language!r}, expected one of {', '.join(LANGUAGES)}")
    told = TOPICS[name].told(language) if name in TOPICS else explanation(RULES[name], language)
    return f"{told}\n\n{_found_by(RULES[name], language)}" if name in RULES else told


def known(topic: str) -> str:
    """The name of the topic or rule that is meant."""
    name = topic.strip().lower().replace("_", "-").replace(" ", "-")
    name = _ALIASES.get(name, name)
    if name not in TOPICS and name not in RULES:
        raise GraphError(
            f"there is no topic {topic!r}.{did_you_mean(name, [*TOPICS, *RULES, *_ALIASES])} "
            "All of them: graphdl explain"
        )
    return name


def listing(language: str = "en") -> Iterable[tuple[str, str]]:
    """Every topic with its title, then every rule with its first line."""
    yield from ((name, topic.title[language]) for name, topic in TOPICS.items())
    yield from ((code, explanation(rule, language).split("\n")[0]) for code, rule in rules())


def rules() -> Iterable[tuple[str, Rule]]:
    """The lint rules that are no topics as well."""
    return ((rule.code, rule) for rule in (*GRAPH_RULES, *MODEL_RULES) if rule.code not in TOPICS)


def explanation(rule: Rule, language: str = "en") -> str:
    """Why the rule is there."""
    return rule.explanation if language == "en" else RULES_KO[rule.code].strip()


def _found_by(rule: Rule, language: str) -> str:
    """What the linter says and advises, with gaps for the names it fills in."""
    case = rule.cases[""]
    said, advice = _SLOT.sub("…", case.said[language]), _SLOT.sub("…", case.advice[language])
    return _FOUND_BY[language].format(code=rule.code, severity=rule.severity, said=said, advice=advice)


__all__ = ["TOPICS", "Batches", "batches", "explain", "first_nan", "known", "listing", "rules", "zero_gradients"]
