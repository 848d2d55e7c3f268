"""The results of a sheet beside those of the session and of finite differences."""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from typing import Any

import numpy as np

from graphdl.autodiff.gradients import gradients
from graphdl.draw.digits import MINUS
from graphdl.errors import GraphdlError, ZeroGradientWarning
from graphdl.ir.node import Node
from graphdl.runtime.session import Session
from graphdl.sheet.differences import Difference, Mover
from graphdl.sheet.model import Block, Derivative, Formula, Row, Section, Table, Words
from graphdl.sheet.words import math, say

# A difference is right to about ten digits of the loss; a session in float32 to about six of the gradient.
_TOLERANCE = {"float64": 1e-6, "float32": 2e-3}


def session_gradient(loss: Node, w: Node, feeds: Mapping[Any, Any] | None, session: Session) -> Any:
    """What `session` itself computes, in the graph's own precision; None where nothing can be run.

    The step of the session, which its random numbers depend on, is afterwards what it was.
    """
    step = session.state.step
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", ZeroGradientWarning)
            return np.asarray(session.run(gradients(loss, w), feeds), "float64")
    except GraphdlError:
        return None
    finally:
        session.state.step = step


def of_element(result: Derivative, mover: Mover, index: tuple[int, ...]) -> Derivative:
    """`result` with the difference for that element."""
    return _with(result, mover.at(index))


def of_array(result: Derivative, mover: Mover, whole: Any, session: Any) -> tuple[Derivative, int]:
    """`result` at the element where sheet and difference differ most, and how many elements were moved."""
    found = mover.several(whole)
    worst = max(found, key=lambda d: abs(d.numeric - float(whole[d.index])))
    at = Derivative(
        f"{result.symbol}[{', '.join(map(str, worst.index))}]",
        result.name,
        worst.index,
        float(whole[worst.index]),
        None if session is None else float(session[worst.index]),
        whole=np.asarray(whole),
    )
    return _with(at, worst), len(found)


def _with(result: Derivative, found: Difference) -> Derivative:
    return Derivative(
        result.symbol,
        result.name,
        result.index,
        result.value,
        result.session,
        found.numeric,
        found.step,
        result.whole,
    )


def check_section(loss: str, results: list[Derivative], moved: list[int], dtype: str) -> Section:
    """A row for each result: the sheet, the session, the difference, how far they are apart, and the step."""
    heads = ("symbol", "by sheet", "by session", "by differences", "difference", "h")
    rows = tuple(Row(tuple(map(Formula, (f"∂{loss}/∂{r.symbol}", *_numbers(r))))) for r in results)
    formula = Formula(f"∂{loss}/∂w ≈ ({loss}(w + h) − {loss}(w − h)) / (2 · h)")
    blocks: list[Block] = [Words(say("check said")), formula, Table(tuple(say(head) for head in heads), rows)]
    for result, count in zip(results, moved, strict=True):
        if count > 1:
            blocks.append(Words(say("worst of", count=count, symbol=math(result.symbol.split("[")[0])), note=True))
    blocks.append(Words(say("agrees" if all(agrees(r, dtype) for r in results) else "differs")))
    return Section("check", say("check"), tuple(blocks))


def agrees(result: Derivative, dtype: str) -> bool:
    """Whether the three numbers are one, but for rounding."""
    assert result.value is not None
    assert result.numeric is not None
    size = max(1.0, abs(result.value))
    by_session = result.session is None or abs(result.session - result.value) <= _TOLERANCE[dtype] * size
    return by_session and abs(result.numeric - result.value) <= _TOLERANCE["float64"] * size


def _numbers(result: Derivative) -> list[str]:
    assert result.value is not None
    assert result.numeric is not None
    assert result.step is not None
    session = "—" if result.session is None else exact(result.session)
    apart = exact(result.value - result.numeric, 2)
    return [exact(result.value), session, exact(result.numeric), apart, exact(result.step, 3)]


def exact(value: float, digits: int = 10) -> str:
    """A number with many digits, as a formula.

    >>> exact(-0.1), exact(1.5e-9, 2)
    ('−0.1', '1.5e−9')
    """
    mantissa, _, exponent = f"{value + 0.0:.{digits}g}".partition("e")
    return (f"{mantissa}e{int(exponent)}" if exponent else mantissa).replace("-", MINUS)
