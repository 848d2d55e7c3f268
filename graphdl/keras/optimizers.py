"""Optimizers as graphs: from gradients to new values, with the formulas and defaults of Keras 3."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from graphdl.autodiff.gradients import gradients as gradients_of
from graphdl.errors import GraphError
from graphdl.ir.graph import Updates
from graphdl.ir.leaves import Variable, VariableLeaf, constant
from graphdl.ir.node import Node
from graphdl.ir.origin import name_scope
from graphdl.ir.traverse import ancestors
from graphdl.keras.lookup import by_name, refuse_unknown
from graphdl.ops.arithmetic import divide, sqrt, square
from graphdl.ops.shape import broadcast_to, cast
from graphdl.ops.transcendental import power
from graphdl.runtime.session import Session


class Optimizer:
    """Turns gradients into updates. Subclasses write the formula for one variable in `rule`.

    `learning_rate` is a number; in the graph it is a variable, which `fit` sets from it, so it may change any time.
    """

    name = "optimizer"
    extra: tuple[str, ...] = ()

    def __init__(self, learning_rate: float, name: str | None = None, **arguments: Any) -> None:
        if "lr" in arguments:
            learning_rate = arguments.pop("lr")
        _refuse_decay(type(self).__name__, arguments)
        refuse_unknown(type(self).__name__, arguments, ("learning_rate", *self.extra, "name"))
        self.name = name or self.name
        self.learning_rate = learning_rate
        self.rates: list[Node] = []

    @property
    def learning_rate(self) -> float:
        """Step length."""
        return self._learning_rate

    @learning_rate.setter
    def learning_rate(self, value: float) -> None:
        if isinstance(value, bool) or not isinstance(value, int | float) or not value >= 0:
            raise GraphError(f"{self.name}: learning_rate is {value!r:.40}, expected a number from 0")
        self._learning_rate = float(value)

    lr = learning_rate

    def updates(self, gradients: Iterable[Node], variables: Iterable[Node]) -> Updates:
        """New values of `variables` after one step against `gradients`, with those of slots and counters."""
        pairs = list(zip(gradients, variables, strict=True))
        with name_scope(self.name):
            rate = Variable(self.learning_rate, pairs[0][1].dtype, trainable=False, name="learning_rate")
            self.rates.append(rate)
            shared, found = self.prepare(rate)
            for gradient, variable in pairs:
                found += self.rule(gradient, variable, rate, shared)
        return Updates(found, self.name)

    def minimize(self, loss: Node, var_list: Iterable[Node] | None = None) -> Updates:
        """Updates for `Session.run` that make `loss` smaller; by default of every variable that is trained."""
        variables = list(var_list) if var_list is not None else _trained(loss)
        if not variables:
            raise GraphError(f"{self.name}.minimize: {loss.label} depends on no variable that is trained")
        return self.updates(gradients_of(loss, variables), variables)

    def set_rate(self, session: Session) -> None:
        """Let the graph in `session` use the present `learning_rate`."""
        for rate in self.rates:
            name = session.state.names.get(rate)
            if name is not None:
                session.state.arrays[name][...] = self.learning_rate

    def prepare(self, rate: Node) -> tuple[Any, list[tuple[Node, Node]]]:
        """What all variables have in common in one step, and the updates it needs."""
        return None, []

    def rule(self, g: Node, w: Node, rate: Node, shared: Any) -> list[tuple[Node, Node]]:
        """Updates for the variable `w` with gradient `g`."""
        raise NotImplementedError

    def slot(self, w: Node, name: str) -> Node:
        """A variable of zeros beside `w`."""
        start = _zeros(w)
        return Variable(start, trainable=False, name=f"{w.label}/{name}")

    def __repr__(self) -> str:
        return f"<{type(self).__name__} name={self.name} learning_rate={self.learning_rate}>"


class SGD(Optimizer):
    """Gradient descent, with momentum where asked for (Polyak 1964), looking ahead if `nesterov` (1983)."""

    name = "SGD"
    extra = ("momentum", "nesterov")

    def __init__(
        self,
        learning_rate: float = 0.01,
        momentum: float = 0.0,
        nesterov: bool = False,
        name: str | None = None,
        **arguments: Any,
    ) -> None:
        super().__init__(learning_rate, name, **arguments)
        if not 0 <= momentum <= 1:
            raise GraphError(f"SGD: momentum is {momentum!r:.40}, expected 0 to 1")
        self.momentum, self.nesterov = momentum, nesterov

    def rule(self, g: Node, w: Node, rate: Node, shared: Any) -> list[tuple[Node, Node]]:
        """``w -= rate g``; with momentum ``m = momentum m - rate g`` and ``w += m``."""
        if not self.momentum:
            return [(w, w - rate * g)]
        m = self.slot(w, "momentum")
        velocity = m * self.momentum - rate * g
        step = velocity * self.momentum - rate * g if self.nesterov else velocity
        return [(m, velocity), (w, w + step)]


class Adam(Optimizer):
    """Steps of a length that the mean and the mean square of past gradients decide (Kingma & Ba 2015)."""

    name = "adam"
    extra = ("beta_1", "beta_2", "epsilon")

    def __init__(
        self,
        learning_rate: float = 0.001,
        beta_1: float = 0.9,
        beta_2: float = 0.999,
        epsilon: float = 1e-7,
        name: str | None = None,
        **arguments: Any,
    ) -> None:
        super().__init__(learning_rate, name, **arguments)
        for word, beta in (("beta_1", beta_1), ("beta_2", beta_2)):
            if not 0 <= beta < 1:
                raise GraphError(f"Adam: {word} is {beta!r:.40}, expected at least 0 and below 1")
        self.beta_1, self.beta_2, self.epsilon = beta_1, beta_2, epsilon

    def prepare(self, rate: Node) -> tuple[Any, list[tuple[Node, Node]]]:
        """``alpha = rate sqrt(1 - beta_2^t) / (1 - beta_1^t)``, which corrects the start from zero (section 3)."""
        steps = Variable(0, "int64", trainable=False, name="iterations")
        after = steps + 1
        t = cast(after, rate.dtype, name="t")
        alpha = divide(rate * sqrt(1 - power(self.beta_2, t)), 1 - power(self.beta_1, t), name="alpha")
        return alpha, [(steps, after)]

    def rule(self, g: Node, w: Node, rate: Node, shared: Any) -> list[tuple[Node, Node]]:
        """``m += (g - m)(1 - beta_1)``, ``v += (g^2 - v)(1 - beta_2)``, ``w -= alpha m / (sqrt(v) + epsilon)``."""
        m, v = self.slot(w, "momentum"), self.slot(w, "velocity")
        mean = m + (g - m) * (1 - self.beta_1)
        square_mean = v + (square(g) - v) * (1 - self.beta_2)
        return [(m, mean), (v, square_mean), (w, w - shared * mean / (sqrt(square_mean) + self.epsilon))]


_KNOWN: dict[str, Callable[[], Optimizer]] = {"sgd": SGD, "adam": Adam}


def get(identifier: Any) -> Optimizer:
    """The optimizer of that name, or the one given."""
    if isinstance(identifier, str):
        return by_name("optimizer", identifier, _KNOWN)()
    if isinstance(identifier, type) and issubclass(identifier, Optimizer):
        return identifier()  # type: ignore[call-arg]
    if isinstance(identifier, Optimizer):
        return identifier
    raise GraphError(f"an optimizer is {identifier!r:.60}, expected a name such as 'adam', or an object")


def _trained(loss: Node) -> list[Node]:
    return [n for n in ancestors([loss]) if isinstance(n.op, VariableLeaf) and n.op.trainable]


def _zeros(w: Node) -> Node:
    return broadcast_to(constant(0.0, w.dtype), w.shape)


def _refuse_decay(what: str, arguments: dict[str, Any]) -> None:
    if arguments.pop("decay", None):
        raise GraphError(
            f"{what}: decay is not an argument any more (Keras 3); for its effect set model.optimizer.learning_rate "
            "to lr / (1 + decay * step) as training goes on"
        )
