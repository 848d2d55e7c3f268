"""The two graphs of a compiled model: training and inference, with their programs."""

from __future__ import annotations

import warnings
from collections.abc import Mapping, Sequence
from functools import cached_property
from typing import TYPE_CHECKING

from graphdl.autodiff.gradients import Derivation, derive
from graphdl.compile.page import Style
from graphdl.errors import ZeroGradientWarning, listed
from graphdl.ir.graph import Updates
from graphdl.ir.node import Node
from graphdl.ir.origin import current_origin, origin
from graphdl.ir.traverse import ancestors, substitute
from graphdl.keras.calls import added_losses, added_updates
from graphdl.keras.optimizers import Optimizer
from graphdl.keras.replay import TrainingGraph
from graphdl.keras.training.heads import Head, Wanted, heads_of, retrained, with_sample_weights
from graphdl.keras.training.scores import scores_of
from graphdl.runtime.compiled import Compiled

if TYPE_CHECKING:
    from graphdl.keras.models import Model


class Training:
    """The two graphs of a compiled model, training and inference, over the same variables.

    inputs, targets   placeholders
    loss, metrics     of the training graph; those of the inference graph are in `evaluation`
    gradients         of the loss, for `variables`, with the `derivation` that led to them
    updates           what the optimizer makes of them, within the weights' constraints; moving statistics; totals
    train, evaluate, predict   programs of the model's session
    """

    def __init__(
        self,
        model: Model,
        optimizer: Optimizer,
        wanted: Wanted,
        base: Training | None = None,
        heads: Sequence[Head] = (),
    ) -> None:
        self.model = model
        # The training without weights of examples that this one is a variant of.
        self.base = base
        self.optimizer = optimizer
        self.wanted = wanted
        self.written = current_origin()
        self.inputs = model.inputs
        self.trainable = tuple(model.trainable_variables)
        self._weighted: dict[tuple[tuple[str, int], ...], Training] = {}
        trained = model.training_graph()
        self.statistics = trained.updates
        names, outputs = model.output_names, trained.outputs
        self.heads = retrained(heads, names, outputs) if heads else heads_of(names, outputs, model.outputs, wanted)
        self.targets = tuple(head.target for head in self.heads)
        self._make_scores(trained, added_losses(model.outputs))

    def _make_scores(self, trained: TrainingGraph, added: Sequence[Node]) -> None:
        names = self.model.output_names
        penalties = tuple(self.model.regularization())
        self.scores = scores_of(self.heads, (*trained.losses, *penalties), names, training=True)
        is_one = trained.outputs == tuple(self.model.outputs) and trained.losses == tuple(added)
        # What is added up over an epoch of training must not be mixed with what is added up in scoring.
        if is_one and not self.scores.totals:
            self.evaluation = self.scores
        else:
            self.evaluation = scores_of(self.heads, (*added, *penalties), names, training=False)

    def weighted(self, axes: Mapping[str, int]) -> Training:
        """The same training with weights of examples for these outputs; the values say over how many axes they go.

        Inputs, targets and what the optimizer remembers are the same.
        """
        if not axes:
            return self
        key = tuple(axes.items())
        if key not in self._weighted:
            heads = tuple(with_sample_weights(h, axes[h.name]) if h.name in axes else h for h in self.heads)
            with origin(self.written):
                self._weighted[key] = Training(self.model, self.optimizer, self.wanted, self, heads)
        return self._weighted[key]

    @property
    def loss(self) -> Node:
        """The loss in training."""
        return self.scores.loss

    @property
    def metrics(self) -> dict[str, Node]:
        """The metrics in training, by name."""
        return self.scores.metrics

    @property
    def names(self) -> tuple[str, ...]:
        """What the history has: "loss", then the metrics."""
        return self.scores.names

    @cached_property
    def variables(self) -> tuple[Node, ...]:
        """Variables that training changes: those of the model that reach the loss."""
        wanted = self.trainable
        reached = set(ancestors([self.loss]))
        lost = [v.label for v in wanted if v not in reached]
        if lost:
            text = f"the loss does not depend on {listed(lost)}, so training leaves them as they are"
            warnings.warn(text, ZeroGradientWarning, stacklevel=2)
        return tuple(v for v in wanted if v in reached)

    @cached_property
    def derivation(self) -> Derivation:
        """The chain rule from the loss to the variables."""
        return derive(self.loss, self.variables)

    @property
    def gradients(self) -> tuple[Node, ...]:
        """One for each of `variables`."""
        return self.derivation.gradients

    @cached_property
    def optimised(self) -> Updates:
        """New values of the variables, within their constraints, and of what the optimizer remembers."""
        if not self.variables:
            return Updates(())
        if self.base is None:
            for reason in self.derivation.zero_because.values():
                warnings.warn(reason, ZeroGradientWarning, stacklevel=2)
            with origin(self.written):
                return self.optimizer.updates(self.gradients, self.variables, self.model.constrained())
        # The same optimizer's nodes over other gradients: what it remembers is one and the same.
        known, other = self.base.optimised, dict(zip(self.base.gradients, self.gradients, strict=True))
        values = substitute([value for _, value in known.pairs], other)
        return Updates(zip([variable for variable, _ in known.pairs], values, strict=True), known.name)

    @cached_property
    def updates(self) -> Updates:
        """What a step changes: that of `optimised`, moving statistics of layers, and what metrics add up."""
        found = self.optimised + self.statistics
        return found + Updates(self.scores.totals.items()) if self.scores.totals else found

    @property
    def fed(self) -> tuple[Node, ...]:
        """Inputs and targets."""
        return (*self.inputs, *self.targets)

    @property
    def train(self) -> Compiled:
        """One step of training: feeds inputs and targets, gives loss and metrics, updates the variables."""
        return self.train_in(self.model.start().style)

    def train_in(self, style: Style) -> Compiled:
        """The same step in the given style of source; same bits."""
        fetches = [self.derivation.loss if self.variables else self.loss, *self.metrics.values()]
        return self.model.start().compile(fetches, self.updates, style, self.fed)

    @property
    def evaluate(self) -> Compiled:
        """Loss and metrics without training."""
        changed = Updates(self.evaluation.totals.items(), "evaluate") + added_updates(self.model.outputs)
        return self.model.start().compile(self.evaluation.nodes, changed, fed=self.fed)

    @property
    def predict(self) -> Compiled:
        """The outputs."""
        return self.model.prediction
