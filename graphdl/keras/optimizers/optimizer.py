"""The frame of every optimizer: from the rate over clipping, decay, formula and average to the new values."""

from __future__ import annotations

import inspect
import math
import re
from collections.abc import Iterable, Mapping
from functools import partial
from numbers import Real
from typing import Any, Self
from weakref import WeakSet

from graphdl.autodiff.gradients import gradients as gradients_of
from graphdl.errors import GraphError
from graphdl.ir.graph import Updates
from graphdl.ir.leaves import Variable, VariableLeaf
from graphdl.ir.node import Node
from graphdl.ir.origin import name_scope
from graphdl.ir.traverse import ancestors
from graphdl.keras.checks import number, share
from graphdl.keras.constraints import Constraint
from graphdl.keras.lookup import serialize
from graphdl.keras.optimizers import schedules
from graphdl.keras.optimizers.arguments import COMMON, common_arguments, spelled
from graphdl.keras.optimizers.schedules import Schedule
from graphdl.keras.optimizers.step import Pairs, Place, Step
from graphdl.keras.optimizers.update import updated
from graphdl.ops.shape import cast
from graphdl.runtime.session import Session


class Optimizer:
    """Turns gradients into updates. Subclasses write the formula for one variable in `rule`.

    learning_rate    a number, which may change at any time, or a Schedule of the steps
    weight_decay     the share of itself, times the rate, that a weight loses before each step
    clipnorm, clipvalue, global_clipnorm   the most that the norm of each gradient, each of its elements, or the norm
                     of all gradients together may be
    use_ema          keep averages of the weights, ``a = ema_momentum a + (1 - ema_momentum) w``; they take the weights'
                     places every `ema_overwrite_frequency` steps, and in `finalize_variable_values`
    gradient_accumulation_steps   batches whose mean gradient makes one step
    decay            the older Keras' ``rate / (1 + decay batches)``
    """

    name: str = "optimizer"

    def __init_subclass__(cls) -> None:
        if "__init__" in vars(cls):
            cls.__init__ = spelled(cls.__init__)  # type: ignore[method-assign]

    def __init__(self, learning_rate: float | Schedule = 0.001, **common: Any) -> None:
        kind = type(self).__name__
        found = common_arguments(kind, self._own_arguments(), common)
        self.name = found.pop("name") or self.name
        self.weight_decay: float | None = found["weight_decay"]
        self.clipnorm, self.clipvalue = found["clipnorm"], found["clipvalue"]
        self.global_clipnorm = found["global_clipnorm"]
        self.use_ema, self.ema_momentum = bool(found["use_ema"]), found["ema_momentum"]
        self.ema_overwrite_frequency = found["ema_overwrite_frequency"]
        self.gradient_accumulation_steps: int | None = found["gradient_accumulation_steps"]
        self.decay: float = found["decay"] or 0.0
        self.rates: list[Node] = []
        self.memory: dict[Any, Node] = {}
        self.averages: dict[Node, Node] = {}
        self._spared: tuple[frozenset[Node], tuple[str, ...]] = (frozenset(), ())
        self._sessions: WeakSet[Session] = WeakSet()
        self._is_built = False
        self.schedule: Schedule | None = None
        self.learning_rate = learning_rate

    @property
    def learning_rate(self) -> float:
        """Step length; of a schedule, that of the next step."""
        return self._rate if self.schedule is None else self.schedule.value(self.iterations)

    @learning_rate.setter
    def learning_rate(self, value: float | Schedule | Mapping[str, Any]) -> None:
        if isinstance(value, Mapping):
            value = schedules.get(value)
        if isinstance(value, Schedule):
            if self._is_built:
                raise GraphError(f"{self.name}: the graph has a learning rate already; compile again for a schedule")
            self.schedule, self._rate = value, math.nan
            return
        if self.schedule is not None and self._is_built:
            raise GraphError(f"{self.name}: the learning rate follows {self.schedule!r}; compile again to set a number")
        if isinstance(value, bool) or not isinstance(value, Real) or not value >= 0:
            raise GraphError(f"{self.name}: learning_rate is {value!r:.40}, expected a number from 0 or a schedule")
        self.schedule, self._rate = None, float(value)
        for session in self._sessions:
            self._write_rate(session)

    lr = learning_rate

    @property
    def iterations(self) -> int:
        """How many batches a session has trained on, where the formula counts them, else 0."""
        counter = self.memory.get("iterations")
        met = [session for session in self._sessions if counter in session.state.names]
        return max((int(session.value(counter)) for session in met if counter is not None), default=0)

    def updates(
        self,
        gradients: Iterable[Node],
        variables: Iterable[Node],
        constraints: Mapping[Node, Constraint] | None = None,
    ) -> Updates:
        """New values of `variables` after one step against `gradients`, with those of slots and counters.

        Called again, for another loss of the same variables, it goes on with the same slots and counters.
        `constraints` are applied to the new values of the variables they are given for.
        """
        pairs = list(zip(gradients, variables, strict=True))
        if not pairs:
            return Updates((), self.name)
        self._is_built = True
        with name_scope(self.name):
            step = Step(pairs[0][1].dtype, self.gradient_accumulation_steps or 1, self.memory)
            rate = self._rate_of(step)
            found = updated(self, pairs, rate, step, constraints or {})
        return Updates([*step.counted, *step.pairs, *found], self.name)

    def minimize(self, loss: Node, var_list: Iterable[Node] | None = None) -> Updates:
        """Updates for `Session.run` that make `loss` smaller; by default of every variable that is trained."""
        variables = list(var_list) if var_list is not None else _trained(loss)
        if not variables:
            raise GraphError(f"{self.name}.minimize: {loss.label} depends on no variable that is trained")
        return self.updates(gradients_of(loss, variables), variables)

    def set_rate(self, session: Session) -> None:
        """Let the graph in `session` use the present `learning_rate`, and from now on every new one at once."""
        self._sessions.add(session)
        self._write_rate(session)

    def exclude_from_weight_decay(
        self, var_list: Iterable[Node] | None = None, var_names: Iterable[str] | None = None
    ) -> None:
        """Spare these variables from weight decay: nodes, and regular expressions that match in a name."""
        if self._is_built:
            raise GraphError(f"{self.name}: exclude_from_weight_decay comes before the graph is built")
        self._spared = frozenset(var_list or ()), tuple(var_names or ())

    def spares(self, variable: Node) -> bool:
        """Whether weight decay leaves this variable alone."""
        nodes, patterns = self._spared
        return variable in nodes or any(re.search(pattern, variable.label) for pattern in patterns)

    def decay_of(self, variable: Node) -> float | None:
        """The weight decay of this variable, if any."""
        return None if self.spares(variable) else self.weight_decay

    def finalize_variable_values(self, session: Session, variables: Iterable[Node] | None = None) -> None:
        """Put the averages that `use_ema` keeps in the places of `variables` (all), as `fit` does at its end."""
        counter, known = self.memory.get("iterations"), session.state.names
        if counter is None or counter not in known or not session.value(counter):
            # Before the first step an average is 0, and that of nothing.
            return
        for variable in self.averages if variables is None else variables:
            average = self.averages.get(variable)
            if average in known:
                session.assign(variable, session.value(average))

    def prepare(self, rate: Node, step: Step) -> Any:
        """What all variables have in common in one step; read in `rule` as ``at.shared``."""
        return None

    def rule(self, g: Node, w: Node, at: Place) -> Pairs:
        """Updates for the variable whose value is `w` and whose gradient is `g`, in the place `at`."""
        raise NotImplementedError

    def get_config(self) -> dict[str, Any]:
        """The arguments it was made with, as plain data."""
        rate = self._rate if self.schedule is None else serialize(self.schedule)
        own = {word: getattr(self, word) for word in self._own_arguments() if word != "learning_rate"}
        return {"name": self.name, "learning_rate": rate, **own, **{w: getattr(self, w) for w in COMMON if w != "name"}}

    @classmethod
    def from_config(cls, config: Mapping[str, Any]) -> Self:
        """The optimizer of these arguments."""
        return cls(**config)

    def __repr__(self) -> str:
        rate = self._rate if self.schedule is None else self.schedule
        own = {w: p.default for w, p in inspect.signature(type(self).__init__).parameters.items()}
        default = {**COMMON, **own, "name": type(self).name, "learning_rate": None}
        words = {w: getattr(self, w) for w in (*self._own_arguments(), *COMMON)} | {"learning_rate": rate}
        changed = [f"{word}={value!r}" for word, value in words.items() if value != default[word]]
        return f"{type(self).__name__}({', '.join(changed)})"

    @classmethod
    def _own_arguments(cls) -> tuple[str, ...]:
        found = inspect.signature(cls.__init__).parameters.values()
        return tuple(p.name for p in found if p.name != "self" and p.kind is not p.VAR_KEYWORD)

    def _check(self, **numbers: tuple[float, float, float]) -> None:
        """GraphError unless each argument, by name (value, low, high), is a number in its range."""
        for word, (value, low, high) in numbers.items():
            number(f"{type(self).__name__}: {word}", value, low, high)

    def _check_betas(self, **betas: float) -> None:
        for word, beta in betas.items():
            share(f"{type(self).__name__}: {word}", beta)

    def _rate_of(self, step: Step) -> Node:
        """The rate of this step."""
        if self.schedule is not None:
            with name_scope("learning_rate"):
                return self.schedule.rate(cast(step.batches, step.dtype))
        # A rate that has been set since starts a variable of its own: sessions run without `fit` keep the old one.
        make = partial(Variable, self._rate, step.dtype, trainable=False, name="learning_rate")
        rate = step.remembered(("learning_rate", step.dtype, self._rate), make)
        if rate not in self.rates:
            self.rates.append(rate)
        return rate / (1 + self.decay * cast(step.batches, step.dtype)) if self.decay else rate

    def _write_rate(self, session: Session) -> None:
        for rate in self.rates:
            name = session.state.names.get(rate)
            if name is not None:
                session.state.arrays[name][...] = self._rate


def _trained(loss: Node) -> list[Node]:
    return [n for n in ancestors([loss]) if isinstance(n.op, VariableLeaf) and n.op.trainable]
