"""Traces as JSON: strict, and read back as the same trace."""

from __future__ import annotations

import json
import math
from dataclasses import asdict, fields
from typing import Any, TypeVar

from graphdl.draw.model import LaneRule, Step, Trace, TraceEdge, TraceNode, Value
from graphdl.errors import FormatError

FORMAT = "graphdl trace"
VERSION = 2

_BY_ID = ("values", "gradients", "locals", "terms")

T = TypeVar("T")


def dumps(trace: Trace) -> str:
    """The trace as one line of JSON without NaN literals and without characters that end an HTML script."""
    data = {"format": FORMAT, "version": VERSION, **_plain(asdict(trace))}
    text = json.dumps(data, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
    return text.replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026")


def loads(text: str) -> Trace:
    """The trace that `dumps` wrote; FormatError when `text` is damaged or something else."""
    data = _checked(text)
    try:
        return _trace(data)
    except (TypeError, KeyError, ValueError, AttributeError) as error:
        raise FormatError(f"the trace is damaged: {type(error).__name__}: {error}") from None


def _checked(text: str) -> dict[str, Any]:
    try:
        data = json.loads(text)
    except ValueError as error:
        raise FormatError(f"a trace is JSON, found something else: {error}") from None
    if not isinstance(data, dict) or data.get("format") != FORMAT:
        raise FormatError(f'a trace has "format": "{FORMAT}", found another JSON')
    if data.get("version") != VERSION:
        raise FormatError(f"the trace has version {data.get('version')!r}, expected {VERSION}")
    return data


def _plain(data: Any) -> Any:
    """`data` without what JSON lacks: NaN and the infinities become their names; what is absent is left out."""
    if isinstance(data, dict):
        return {key: _plain(value) for key, value in data.items() if value is not None and value not in ({}, (), "")}
    if isinstance(data, list | tuple):
        return [_plain(item) for item in data]
    if isinstance(data, float) and not math.isfinite(data):
        return str(data)
    return data


def _trace(data: dict[str, Any]) -> Trace:
    parts = {
        "nodes": tuple(_made(TraceNode, node) for node in data["nodes"]),
        "edges": tuple(_made(TraceEdge, edge) for edge in data["edges"]),
        "steps": tuple(_step(step) for step in data.get("steps", ())),
    }
    return _made(Trace, {**data, **parts})


def _step(data: dict[str, Any]) -> Step:
    values = {kind: {key: _value(value) for key, value in data.get(kind, {}).items()} for kind in _BY_ID}
    lanes = tuple(_made(LaneRule, lane) for lane in data.get("lanes", ()))
    return _made(Step, {**data, **values, "lanes": lanes})


def _value(data: dict[str, Any]) -> Value:
    """Numbers that JSON had no literal for are numbers again."""
    numbers = {key: _number(value) for key, value in data.items() if key not in ("shape", "dtype")}
    return Value(tuple(data.get("shape", ())), data["dtype"], **numbers)


def _number(data: Any) -> Any:
    if isinstance(data, list):
        return [_number(item) for item in data]
    return float(data) if isinstance(data, str) else data


def _made(kind: type[T], data: dict[str, Any]) -> T:
    """A dataclass from the fields it knows; what a later version has added is passed over."""
    known = {f.name for f in fields(kind)}  # type: ignore[arg-type]
    return kind(**{k: tuple(v) if isinstance(v, list) else v for k, v in data.items() if k in known})
