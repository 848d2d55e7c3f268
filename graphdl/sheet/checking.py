"""The results of a sheet beside those of the session and of finite differences."""

from __future__ import annotations

import warnings
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, NamedTuple

import numpy as np

from graphdl.autodiff.gradients import gradients
from graphdl.draw.digits import MINUS
from graphdl.errors import GraphdlError, ZeroGradientWarning
from graphdl.ir.node import Node
from graphdl.runtime.session import Session
from graphdl.sheet.differences import Difference, Mover
from graphdl.sheet.model import Derivative, Formula, Row, Section, Table
from graphdl.sheet.naming import at
from graphdl.sheet.words import heads, math, note, section, words

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


class Checked(NamedTuple):
    """A result, and how many elements of its array were moved to check it."""

    result: Derivative
    moved: int = 0


def checked(made: Derivative, gradient: Any, session: Any, mover: Mover) -> Checked:
    """`made` with its number beside that of the session and the difference; for an array, where these differ most."""
    if isinstance(gradient, float):
        return Checked(_compared(made, gradient, session, mover.at(made.index)), 1)
    moved = mover.several(gradient)
    worst = max(moved, key=lambda d: abs(d.numeric - float(gradient[d.index])))
    element = replace(made, symbol=f"{made.symbol}{at(worst.index)}", index=worst.index, whole=gradient)
    return Checked(_compared(element, float(gradient[worst.index]), session, worst), len(moved))


def _compared(made: Derivative, value: float, session: Any, found: Difference) -> Derivative:
    by_session = None if session is None else float(session[made.index])
    return replace(made, value=value, session=by_session, numeric=found.numeric, step=found.step)


def check_section(loss: str, found: Sequence[Checked], dtype: str) -> Section:
    """A row for each result: the sheet, the session, the difference, how far they are apart, and the step."""
    rows = tuple(Row(tuple(map(Formula, (f"∂{loss}/∂{r.symbol}", *_numbers(r))))) for r, _ in found)
    formula = Formula(f"∂{loss}/∂w ≈ ({loss}(w + h) − {loss}(w − h)) / (2 · h)")
    table = Table(heads("symbol", "by sheet", "by session", "by differences", "difference", "h"), rows)
    notes = [
        note("worst of", count=moved, symbol=math(result.symbol.split("[")[0])) for result, moved in found if moved > 1
    ]
    verdict = words("agrees" if all(agrees(result, dtype) for result, _ in found) else "differs")
    return section("check", words("check said"), formula, table, *notes, verdict)


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
