"""Explanations of a graph of the user's: which variables get no gradient, and where the first NaN comes from."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from graphdl.analysis.lint.flow import where_floats_end, why_flat_ko
from graphdl.autodiff.gradients import Derivation, Term, derive
from graphdl.ir.graph import Graph
from graphdl.ir.node import Node
from graphdl.ir.origin import user_of
from graphdl.ir.text import plain
from graphdl.ir.traverse import ancestors, dependents
from graphdl.runtime.autopsy import explain_non_finite
from graphdl.runtime.feeds import read_feeds
from graphdl.runtime.session import Session
from graphdl.runtime.stepper import Stepper

Feeds = Mapping[Any, Any]
Values = Mapping[Node, Any]


def zero_gradients(
    loss: Node, wrt: Sequence[Node], feeds: Feeds | None = None, session: Session | None = None, language: str = "en"
) -> str:
    """For each of `wrt` whether a gradient arrives, and if not, what stops it; with `feeds`, also on those values."""
    found = derive(loss, wrt)
    values = _all_values(found, feeds, session) if feeds is not None else {}
    words = _ZERO[language]
    lines = [_line(w, slope, found, values, language) for w, slope in zip(wrt, found.gradients, strict=True)]
    head = words["head"].format(loss=plain(loss.label))
    return "\n".join([head, *(f"  {line}" for line in lines), *([] if feeds is not None else [words["no data"]])])


def _all_values(found: Derivation, feeds: Feeds, session: Session | None) -> Values:
    """Every node of the forward and the backward pass."""
    sent = [term.gradient for step in found.steps for term in step.terms]
    arrived = [step.upstream for step in found.steps if isinstance(step.upstream, Node)]
    roots = dict.fromkeys([found.loss, *found.gradients, *sent, *arrived])
    graph = Graph({str(i): node for i, node in enumerate(roots)})
    with np.errstate(all="ignore"):
        return Stepper(graph, feeds, session).values()


def _line(w: Node, slope: Node, found: Derivation, values: Values, language: str) -> str:
    words, name = _ZERO[language], plain(w.label)
    if w in found.zero_because:
        return words["everywhere"].format(w=name, why=_why(w, found, language))
    if slope not in values:
        return words["some"].format(w=name)
    value = np.asarray(values[slope])
    if value.any():
        return words["arrives"].format(w=name, size=f"{np.sqrt(np.sum(np.square(value, dtype='float64'))):.4g}")
    stops = [_stop(node, term, values, language) for node, term in _stops(w, found, values)]
    return words["here"].format(w=name, why="; ".join(dict.fromkeys(stops)) or words["unknown"])


def _why(w: Node, found: Derivation, language: str) -> str:
    flat = where_floats_end(ancestors([found.loss]), [found.became.get(w, w)])
    told = [
        f"{plain(node.label)}{_at(node)}: {why_flat_ko(node) if language == 'ko' else node.op.why_flat}"
        for node in flat
    ]
    return "; ".join(told) or found.zero_because[w]


def _at(node: Node) -> str:
    user = user_of(node)
    return f" ({user})" if user else ""


def _stops(w: Node, found: Derivation, values: Values) -> list[tuple[Node, Term]]:
    """Where something arrives and nothing goes on towards `w`, nearest to the loss first."""
    below = dependents(ancestors([found.loss]), [found.became.get(w, w)])
    return [
        (step.node, term)
        for step in found.steps
        for term in step.terms
        if term.source in below and _some(step.upstream, values) and not np.any(values[term.gradient])
    ]


def _some(upstream: Any, values: Values) -> bool:
    return isinstance(upstream, Node) and bool(np.any(values[upstream]))


def _stop(node: Node, term: Term, values: Values, language: str) -> str:
    others = [source for i, source in enumerate(node.inputs) if i != term.slot and source in values]
    shown = [_extremes(source, values) for source in (others or [term.source])]
    slots = {"node": f"{plain(node.label)}{_at(node)}", "op": node.op.name, "values": ", ".join(shown)}
    return _ZERO[language]["stop"].format(**slots)


def _extremes(node: Node, values: Values) -> str:
    value = np.asarray(values[node])
    if not value.size:
        return plain(node.label)
    low, high = f"{value.min():.4g}", f"{value.max():.4g}"
    return f"{plain(node.label)} = {low}" if low == high else f"{plain(node.label)} {low} … {high}"


_ZERO = {
    "en": {
        "head": "gradients of {loss}:",
        "everywhere": "{w}: 0 everywhere. {why}",
        "here": "{w}: 0 on these values, not everywhere. It stops at {why}",
        "arrives": "{w}: arrives, of length {size}",
        "some": "{w}: not 0 everywhere",
        "stop": "{node}, a {op}, with {values}",
        "unknown": "no single node",
        "no data": "Give values (feeds or data in the file, or --feed) to see which are 0 on them.",
    },
    "ko": {
        "head": "{loss}의 기울기:",
        "everywhere": "{w}: 모든 곳에서 0. {why}",
        "here": "{w}: 지금 값에서만 0. 멈춘 곳: {why}",
        "arrives": "{w}: 전달됨, 크기 {size}",
        "some": "{w}: 모든 곳에서 0은 아님",
        "stop": "{node} ({op}), 값 {values}",
        "unknown": "노드 하나로 정해지지 않음",
        "no data": "값(파일의 feeds나 data, 또는 --feed)을 주면 그 값에서 0인 기울기도 확인 가능.",
    },
}


def first_nan(
    loss: Node, wrt: Sequence[Node], feeds: Feeds, session: Session | None = None, language: str = "en"
) -> str:
    """Where the first NaN or infinity of a forward and backward pass comes from, as it runs and as it was typed."""
    start = session or Session()
    words = _NAN[language]
    runs = _autopsy(loss, wrt, feeds, start, stabilised=True)
    typed = _autopsy(loss, wrt, feeds, start, stabilised=False)
    if runs is not None:
        return f"{words['found']}\n{runs}"
    if typed is not None:
        return f"{words['cured']}\n{typed}"
    return words["none"]


def _autopsy(loss: Node, wrt: Sequence[Node], feeds: Feeds, start: Session, stabilised: bool) -> str | None:
    """What is said of the first bad node of loss and gradients; None where all of them are finite."""
    found = derive(loss, wrt, stabilise=stabilised) if wrt else Derivation(loss, ())
    roots = tuple(dict.fromkeys([found.loss, *found.gradients]))
    session = _like(start, roots, stabilised)
    compiled = session.compile(roots)
    with np.errstate(all="ignore"):
        arrays, sizes = read_feeds(compiled.graph, _needed(feeds, compiled.placeholders), compiled.asked)
        values = compiled.step(arrays, sizes)
        if all(np.isfinite(value).all() for value in values):
            return None
        session.state.step = 0
        return explain_non_finite(compiled, arrays, sizes)


def _like(start: Session, roots: Sequence[Node], stabilised: bool) -> Session:
    """A session of its own with the values that `start` holds."""
    graph = Graph({str(i): node for i, node in enumerate(roots)})
    session = Session(seed=start.seed, stabilise=stabilised, level=0)
    for variable in graph.variables:
        session.assign(variable, start.value(variable))
    return session


def _needed(feeds: Feeds, placeholders: Sequence[Node]) -> dict[Any, Any]:
    """Those of `feeds` that the program takes; names stay."""
    names = {name for node in placeholders for name in (node.label, node.name)}
    return {key: value for key, value in feeds.items() if key in placeholders or key in names}


_NAN = {
    "en": {
        "found": "loss and gradients are not finite on these values:",
        "cured": "loss and gradients are finite on these values, since graphdl rewrites the formulas.\n"
        "As typed they would not be:",
        "none": "loss and gradients are finite on these values, also with the formulas as typed.\n"
        "To see where NaN appears while training: graphdl train FILE.py --nan-guard",
    },
    "ko": {
        "found": "이 값에서 손실 또는 기울기가 유한하지 않음:",
        "cured": "graphdl이 식을 안정한 형태로 바꾸므로 이 값에서 손실과 기울기는 유한.\n식 그대로 계산하면:",
        "none": "이 값에서 손실과 기울기는 유한, 식 그대로 계산해도 유한.\n"
        "학습 중에 NaN이 생기는 곳 확인: graphdl train FILE.py --nan-guard",
    },
}
