"""What training has made of a model: the values of its weights, what the optimizer remembers, and the step."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from graphdl.errors import FormatError, listed
from graphdl.ir.encoding import shown
from graphdl.ir.graph import Graph
from graphdl.ir.leaves import VariableLeaf
from graphdl.ir.node import Node
from graphdl.ir.traverse import ancestors
from graphdl.keras.saving.tensors import Array

Json = dict[str, Any]
# The arrays of a file are called after these and the variable.
WEIGHTS, OPTIMIZER, TOTALS = "weights", "optimizer", "totals"


def remembered(model: Any, plan: Any) -> list[Node]:
    """What the optimizer remembers: variables of the training graph that are neither weights nor sums of metrics."""
    pairs = plan.updates.pairs
    own = {*model.variables, *plan.scores.totals}
    found = [v for v, _ in pairs] + [n for n in ancestors([v for _, v in pairs]) if isinstance(n.op, VariableLeaf)]
    return [v for v in dict.fromkeys(found) if v not in own]


def rate_of(optimizer: Any) -> float | None:
    """The learning rate as it was set last; None where a schedule says it, which follows from the step."""
    return None if optimizer.schedule is not None else float(optimizer.learning_rate)


def parts_of(model: Any, plan: Any, with_totals: bool) -> dict[str, list[Node]]:
    """The variables that are kept: weights, what the training `plan` remembers, and sums over the epoch so far."""
    found = {WEIGHTS: list(model.variables), OPTIMIZER: [] if plan is None else remembered(model, plan)}
    return {**found, TOTALS: list(plan.scores.totals)} if with_totals else found


def state_of(model: Any, plan: Any = None, with_totals: bool = False) -> tuple[Json, dict[str, Array]]:
    """Seed, step and names; and the arrays, as far as the session has met them."""
    session = model.start()
    names: Json = {}
    arrays: dict[str, Array] = {}
    for part, variables in parts_of(model, plan, with_totals).items():
        found = [(v, session.state.names.get(v)) for v in variables]
        names[part] = [name for _, name in found if name is not None]
        arrays |= {f"{part}/{name}": session.value(v) for v, name in found if name is not None}
    return {"seed": session.seed, "step": session.state.step, **names}, arrays


def arrays_for(variables: Sequence[Node], state: Json, tensors: Mapping[str, Array], part: str) -> list[Array]:
    """The arrays of this part for the variables, in order; checked before anything is allocated."""
    names = state.get(part)
    if not isinstance(names, list) or not all(isinstance(name, str) for name in names):
        raise FormatError(f"the names of the {part} are {shown(names)}, expected a list of texts")
    missing = [name for name in names if f"{part}/{name}" not in tensors]
    if missing:
        raise FormatError(f"the file lacks the arrays {listed(missing)}")
    if len(names) != len(variables):
        hint = "; was it another optimizer?" if part == OPTIMIZER else ""
        raise FormatError(f"the file has {len(names)} arrays of {part}, the model has {len(variables)}{hint}")
    arrays = [tensors[f"{part}/{name}"] for name in names]
    for variable, name, array in zip(variables, names, arrays, strict=True):
        if variable.shape != array.shape or np.dtype(variable.dtype) != array.dtype:
            kind = f"{array.dtype}{list(array.shape)}"
            raise FormatError(f"{name!r} is {kind} in the file, expected {variable.type} for {variable.label}")
    return arrays


def check_state(
    model: Any, state: Json, tensors: Mapping[str, Array], plan: Any = None, with_totals: bool = False
) -> list[tuple[Node, Array]]:
    """Each variable with its array from the file; FormatError names what does not fit."""
    for name in ("seed", "step"):
        value = state.get(name)
        if type(value) is not int or not 0 <= value < 2**63:
            raise FormatError(f"the {name} is {shown(value)}, expected an integer from 0")
    return [
        pair
        for part, variables in parts_of(model, plan, with_totals).items()
        if plan is not None or part == WEIGHTS
        for pair in zip(variables, arrays_for(variables, state, tensors, part), strict=True)
    ]


def load_state(
    model: Any, state: Json, tensors: Mapping[str, Array], plan: Any = None, with_totals: bool = False
) -> None:
    """Take over what `state_of` gave; where something does not fit, nothing has changed."""
    pairs = check_state(model, state, tensors, plan, with_totals)
    if model.session.seed != state["seed"]:
        model.reset(state["seed"])
    session = model.start()
    session.adopt(Graph({str(i): v for i, (v, _) in enumerate(pairs)}))
    for variable, array in pairs:
        session.assign(variable, array)
    session.state.step = state["step"]
