"""What there is to see in what a file names: a graph, its loss and gradients, values to see it with."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from graphdl.autodiff.gradients import Derivation, derive
from graphdl.draw.model import Trace
from graphdl.draw.trace import trace
from graphdl.errors import GraphdlError, listed
from graphdl.ir.graph import Graph, Updates
from graphdl.ir.leaves import Placeholder, VariableLeaf
from graphdl.ir.node import Node
from graphdl.ir.types import TensorType
from graphdl.keras.fitting import read_examples
from graphdl.keras.models import Model
from graphdl.runtime.saving import read_arrays
from graphdl.runtime.session import Session
from graphdl_cli.data import as_data
from graphdl_cli.failures import UserError, say_warning
from graphdl_cli.loading import Loaded, kind_of

Feeds = Mapping[Any, Any]


@dataclass(frozen=True)
class Subject:
    """`graph` as it was written; `loss` and what to differentiate it for; the session with the variables' values."""

    loaded: Loaded
    graph: Graph
    loss: Node | None
    wrt: tuple[Node, ...]
    updates: Updates
    session: Session

    @cached_property
    def derivation(self) -> Derivation | None:
        """The chain rule from the loss; None where there is no loss or nothing to differentiate for."""
        if self.loss is None or not self.wrt:
            return None
        return self.loaded.value.training.derivation if self.is_model_training else derive(self.loss, self.wrt)

    def with_gradients(self) -> Graph:
        """The graph together with the gradients of its loss; the updates of variables, too."""
        step = self.training_step()
        if self.derivation is None:
            return step
        slopes = {f"d/{w.label}": slope for w, slope in zip(self.wrt, self.derivation.gradients, strict=True)}
        return Graph({**step.outputs, **slopes}, step.updates)

    def training_step(self) -> Graph:
        """The outputs and updates; the loss is the stabilised one that was differentiated, as in training."""
        outputs = dict(self.graph.outputs)
        if self.derivation is not None:
            outputs = {name: self.derivation.loss if node is self.loss else node for name, node in outputs.items()}
        return Graph(outputs, self.updates.pairs)

    def story(self, feeds: Feeds | None, forward_only: bool = False) -> Trace:
        """The trace that pictures are made from."""
        what = self.loss if self.loss is not None else self.graph
        targets = () if forward_only else self.wrt or None
        return trace(what, targets, feeds, self.session, updates=self.updates)

    @property
    def is_model_training(self) -> bool:
        """Whether this is the training graph of a model, differentiated for all that it trains."""
        return isinstance(self.loaded.value, Model) and self.wrt == self.loaded.value.training.variables

    def feeds(self, file: str | None = None) -> Feeds | None:
        """Values for the placeholders: from an .npz, from the file's `feeds`, or the first examples of its data."""
        if file is not None:
            own = self.loaded.called(self.graph)
            return {own.get(name, name): array for name, array in read_arrays(file).items()}
        if not self.graph.placeholders:
            return {}
        own = self.loaded.get("feeds", "feed_dict")
        if own is not None and not isinstance(own, Mapping):
            raise UserError(f"feeds in {self.loaded.path} is {kind_of(own)}, expected a dict from placeholders")
        return own if own is not None else _first_batch(self.loaded, self.loss)

    def wanted_feeds(self, file: str | None = None) -> Feeds:
        """As `feeds`; UserError that says where they could come from, where there are none."""
        found = self.feeds(file)
        if found is not None:
            return found
        own = {node: name for name, node in self.loaded.called(self.graph).items()}
        names = listed(own.get(node, node.label) for node in self.graph.placeholders)
        what = "data = (x, y)" if isinstance(self.loaded.value, Model) else "feeds = {...}"
        raise UserError(f"{self.loaded.path} needs values for {names}: define {what} in it, or give --feed FILE.npz")

    def feeds_if_any(self, file: str | None = None) -> Feeds | None:
        """As `feeds`; where the file's data cannot be had, a warning and None."""
        if file is not None:
            return self.feeds(file)
        try:
            return self.feeds()
        except (GraphdlError, UserError) as error:
            say_warning(f"no numbers are shown, since the data cannot be had: {_text(error)}")
            return None


def subject(loaded: Loaded, wrt: Sequence[str] = (), weights: str | None = None, predict: bool = False) -> Subject:
    """The subject that `loaded` is, differentiated for the nodes called `wrt`, or for what is trained.

    `weights` is the file of a model's weights. With `predict` a model is what computes its outputs, without a loss.
    """
    value = loaded.value
    if isinstance(value, Model):
        _build(loaded, value)
        if weights is not None:
            value.load_weights(weights)
        as_used = _of_predictions if predict or not value.is_compiled else _of_training
        return as_used(loaded, value, wrt)
    if predict:
        raise UserError(f"--predict is for models; {loaded.path}:{loaded.name} is {kind_of(value)}")
    if weights is not None:
        raise UserError(f"--weights are a model's; {loaded.path}:{loaded.name} is {kind_of(value)}")
    return _of_graph(loaded, _graph(value), wrt)


def _of_graph(loaded: Loaded, graph: Graph, wrt: Sequence[str]) -> Subject:
    """A graph with the values of the file's own `session`, where it has one."""
    loss = _loss(graph)
    targets = _named(loaded, loss, wrt) if wrt else _usual_targets(loss)
    session = loaded.names.get("session")
    held = session if isinstance(session, Session) else Session()
    return Subject(loaded, graph, loss, targets, Updates(graph.updates), held)


def _build(loaded: Loaded, model: Model) -> None:
    """A Sequential without an input shape takes that of the file's data, as `fit` would."""
    data = None if model.is_built else as_data(loaded.get("data", "load_data"))
    if data is not None:
        model.build_for(data.x)


def _of_training(loaded: Loaded, model: Model, wrt: Sequence[str]) -> Subject:
    plan = model.training
    graph = Graph(dict(zip(plan.names, plan.scores.nodes, strict=True)))
    if wrt:
        return Subject(loaded, graph, plan.loss, _named(loaded, plan.loss, wrt), Updates(()), model.start())
    return Subject(loaded, graph, plan.loss, plan.variables, plan.updates, model.start())


def _of_predictions(loaded: Loaded, model: Model, wrt: Sequence[str]) -> Subject:
    if wrt:
        raise UserError(
            f"{loaded.path}:{loaded.name} has no loss here, so there is nothing to differentiate for {wrt[0]!r}"
        )
    graph = Graph(dict(zip(model.output_names, model.outputs, strict=True)))
    return Subject(loaded, graph, None, (), Updates(()), model.start())


def _graph(value: Any) -> Graph:
    if isinstance(value, Graph):
        return value
    if isinstance(value, Updates):
        return Graph((), value.pairs)
    return Graph(value)


def _loss(graph: Graph) -> Node | None:
    """The output, if there is one alone that can be differentiated."""
    nodes = tuple(graph.outputs.values())
    if len(nodes) != 1 or not isinstance(nodes[0].type, TensorType):
        return None
    return nodes[0] if not nodes[0].ndim and nodes[0].tensor.is_float else None


def _usual_targets(loss: Node | None) -> tuple[Node, ...]:
    """The variables that are trained, or else the floats that are fed."""
    if loss is None:
        return ()
    graph = Graph(loss)
    trained = [v for v in graph.variables if isinstance(v.op, VariableLeaf) and v.op.trainable and v.tensor.is_float]
    return tuple(trained or [p for p in graph.leaves(Placeholder) if p.tensor.is_float])


def _named(loaded: Loaded, loss: Node | None, names: Sequence[str]) -> tuple[Node, ...]:
    """The nodes of those names in the graph of `loss`, or else in the file."""
    if loss is None:
        raise UserError("--wrt needs a scalar loss to differentiate; name one, as in FILE.py:loss")
    graph = Graph(loss)
    own = {name: node for name, node in loaded.called(graph).items() if name not in graph.named}
    return tuple(own[name] if name in own else graph[name] for name in names)


def _first_batch(loaded: Loaded, loss: Node | None) -> Feeds | None:
    """The first examples of a model's data, as many as a batch has."""
    data = as_data(loaded.get("data", "load_data"))
    if data is None or not isinstance(loaded.value, Model) or loss is None:
        return None
    examples, _ = read_examples(loaded.value, data.x, data.y)
    size = loaded.positive("batch_size", 32)
    return {node: array[:size] for node, array in examples.items()}


def _text(error: Exception) -> str:
    return error.message if isinstance(error, UserError) else str(error)
