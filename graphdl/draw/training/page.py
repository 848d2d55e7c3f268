"""The page of a training run: curves, gradients over depth, predictions and distributions, with one slider."""

from __future__ import annotations

import base64
import math
from collections.abc import Iterator, Sequence
from typing import Any

from graphdl.draw.page import LANGUAGES, THEMES, asset, html_page
from graphdl.draw.style import one_line
from graphdl.draw.training import colours, vanishing
from graphdl.draw.training.bins import rebinned, shared
from graphdl.draw.training.recording import QUANTITIES, Bins, Recording, Snapshot, Surface
from graphdl.draw.training.texts import all_texts, text
from graphdl.errors import DrawError, did_you_mean

_SCRIPTS = ("scales.js", "charts.js", "surface.js", "view.js")
# Significant digits that pictures and tables need.
_DIGITS = 5


def training_page(recordings: Recording | Sequence[Recording], language: str = "en", theme: str = "auto") -> str:
    """One HTML file that shows a recording, or several side by side on the same scales; it needs no network.

    theme   "light", "dark", "mono" or "auto", which follows the reader's system

    Its address says what is seen: ``#s=12&l=ko&t=dark&y=log`` is snapshot 12, in Korean, dark, the loss on a log scale.
    """
    runs = (recordings,) if isinstance(recordings, Recording) else tuple(recordings)
    if not runs:
        raise DrawError("a page needs a recording, found none")
    for what, word, known in (("language", language, LANGUAGES), ("theme", theme, THEMES)):
        if word not in known:
            raise DrawError(f"there is no {what} {word!r}.{did_you_mean(word, known)} There is {', '.join(known)}")
    names = " | ".join(one_line(run.title, 60) for run in runs)
    return html_page(
        f"{text('training', language)}: {names}",
        language,
        [_asset("training.css")],
        [_asset(name) for name in _SCRIPTS],
        _asset("training.html"),
        page_data(runs),
        theme,
    )


def page_data(runs: Sequence[Recording]) -> dict[str, Any]:
    """What the scripts draw from."""
    bins = shared(runs)
    return {
        "texts": all_texts(),
        "colours": {
            "runs": colours.RUNS,
            "classes": colours.CLASSES,
            "low": colours.ORANGE,
            "high": colours.BLUE,
        },
        "runs": [_run(run, bins[place]) for place, run in enumerate(runs)],
    }


def _asset(name: str) -> str:
    return asset(name, "graphdl.draw.training")


def _run(run: Recording, bins: dict[str, list[Bins]]) -> dict[str, Any]:
    return {
        "title": one_line(run.title, 80),
        "layers": [[one_line(layer.name), layer.activation, layer.units] for layer in run.layers],
        "weights": [[one_line(w.name), w.layer, w.is_kernel, list(w.shape)] for w in run.weights],
        "shares": vanishing.largest_share(run.layers) if run.chain else None,
        "optimizer": one_line(run.optimizer),
        "rate": _short(run.rate),
        "batch": run.batch_size,
        "examples": run.examples,
        "names": [one_line(name, 60) for name in run.names],
        "curves": [found for place, name in enumerate(run.names) for found in _curves(run, place, name)],
        "bins": {key: [[b.low, b.width, b.count] for b in bins[key]] for key in QUANTITIES},
        "snapshots": [_snapshot(run, snapshot, bins) for snapshot in run.snapshots],
        "surface": None if run.surface is None else _surface(run.surface),
    }


def _snapshot(run: Recording, snapshot: Snapshot, bins: dict[str, list[Bins]]) -> dict[str, Any]:
    counts = {key: list(map(rebinned, snapshot.histograms[key], run.bins[key], bins[key])) for key in QUANTITIES}
    return {
        "step": snapshot.step,
        "epoch": _short(snapshot.epoch),
        "scores": [_short(snapshot.scores.get(name)) for name in run.names],
        "gradients": [_short(v) for v in snapshot.gradient_norms],
        "norms": [_short(v) for v in snapshot.weight_norms],
        "ratios": [_short(v) for v in snapshot.update_ratios],
        "dead": [_short(v) for v in snapshot.dead],
        "counts": counts,
        "grid": base64.b64encode(snapshot.grid).decode(),
    }


def _curves(run: Recording, place: int, name: str) -> Iterator[list[Any]]:
    """What `fit` reported of one of the names, by its place among them."""
    for curve in run.curves:
        if curve.name in (name, f"val_{name}"):
            kind = "means" if curve.name == name else "validation"
            yield [place, kind, curve.steps, [_short(v) for v in curve.values]]


def _surface(surface: Surface) -> dict[str, Any]:
    return {
        "kind": surface.kind,
        "extent": surface.extent,
        "size": surface.size,
        "classes": surface.classes,
        "low": surface.low,
        "high": surface.high,
        "points": surface.points,
        "targets": surface.targets,
        "places": surface.places,
        "border": surface.has_border,
    }


def _short(value: float | None) -> float | None:
    return value if value is None or not math.isfinite(value) else float(f"{value:.{_DIGITS}g}")
