"""A model: layers between inputs and outputs, compiled, trained and asked."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Any

from graphdl.errors import GraphError, did_you_mean, listed
from graphdl.ir import registry
from graphdl.ir.graph import Updates
from graphdl.ir.node import Node
from graphdl.ir.origin import at_scope, origin
from graphdl.keras import fitting
from graphdl.keras.calls import LayerOutput, added_losses, added_updates, nodes_in
from graphdl.keras.configuration import made_from
from graphdl.keras.family import Family, close_family
from graphdl.keras.fitting import data
from graphdl.keras.layer import Layer, takes
from graphdl.keras.lookup import snake_case
from graphdl.keras.models import ends
from graphdl.keras.models.order import results_in_order
from graphdl.keras.models.trainer import Trainer
from graphdl.keras.replay import TrainingGraph, in_training, replayed
from graphdl.keras.shapes import shapes_of
from graphdl.keras.tracing import Tracing, current_tracing
from graphdl.runtime.compiled import Compiled
from graphdl.runtime.session import Session


class Model(Trainer):
    """What lies between `inputs` and `outputs`, nodes that layers were called on; lists and dicts of them as well.

    A subclass that has a ``call`` of its own is built when it first sees data, or called as a layer. Called on nodes,
    a model is a layer of another. Layers that two models share have the same weights in both. All values live in
    `session`.
    """

    default_name = "functional"
    # Whether every layer has its input from the one before it.
    is_chain = False
    # What must be built before it can be asked for.
    _of_graph = ("inputs", "outputs", "input_names", "output_names", "form")

    def __init__(self, inputs: Any = None, outputs: Any = None, name: str | None = None, **arguments: Any) -> None:
        default = self.default_name if type(self).__module__.startswith("graphdl.") else snake_case(type(self).__name__)
        super().__init__(name=name or default, **arguments)
        self.given_name = name
        self._is_numbered = False
        if (inputs is None) != (outputs is None) or (inputs is None and type(self).call is Model.call):
            raise GraphError(f"{self.name} needs inputs and outputs, or a subclass with a method call(self, x)")
        if inputs is not None:
            self._connect(inputs, outputs)
            close_family()

    def _connect(self, inputs: Any, outputs: Any) -> None:
        by_name = ends.named(inputs, "inputs")
        self.inputs: tuple[Node, ...] = tuple(by_name.values())
        # Names by which the inputs are fed.
        labels = tuple(n.label for n in self.inputs)
        self.input_names = tuple(by_name) if isinstance(inputs, Mapping) or len(set(labels)) < len(labels) else labels
        named = ends.named(outputs, "outputs")
        self.outputs: tuple[Node, ...] = tuple(named.values())
        self.output_names: tuple[str, ...] = tuple(named)
        self.form = outputs
        self.family = ends.family_between(self.inputs, self.outputs)
        self._training = None
        self.built = True
        if not self.is_subclassed:
            self.parts = self.layers
        self._check_names()

    @property
    def is_subclassed(self) -> bool:
        """Whether the model says in a ``call`` of its own what it computes."""
        return not type(self).call.__module__.startswith("graphdl.")

    def __getattr__(self, name: str) -> Any:
        if name in Model._of_graph:
            raise GraphError(
                f"{self.name} has no input shape yet; begin it with keras.Input(shape=(...)), or call fit with data"
            )
        raise AttributeError(f"{type(self).__name__!r} object has no attribute {name!r}")

    @property
    def input(self) -> Any:
        """The one input."""
        return ends.only(self.inputs, "inputs")

    @property
    def output(self) -> Node:
        """The one output."""
        return ends.only(self.outputs, "outputs")

    @property
    def input_shape(self) -> Any:
        """The shape of the one input, such as (None, 784), or a list of shapes."""
        return shapes_of(self.inputs[0] if len(self.inputs) == 1 else list(self.inputs))

    @property
    def output_shape(self) -> Any:
        """The shape of the one output, or shapes in the form of the outputs."""
        return shapes_of(ends.in_form(self.form, self.outputs))

    @property
    def calls(self) -> list[LayerOutput]:
        """The results of layers that the outputs depend on, in the order of `layers`."""
        return results_in_order(self.inputs, self.outputs)

    @property
    def layers(self) -> list[Layer]:
        """The layers, farthest from the outputs first as in Keras; of a subclass, in the order of its attributes."""
        return list(self.parts) if self.is_subclassed else list(dict.fromkeys(n.call.layer for n in self.calls))

    @property
    def losses(self) -> list[Node]:
        """Terms of the loss besides those of the outputs: what layers have added, and a term a regularised weight."""
        return [*added_losses(self.outputs), *self.regularization()]

    @property
    def session(self) -> Session:
        """Where the weights are."""
        if self.family is None:
            self.family = Family()
        return self.family.session

    def start(self) -> Session:
        """The session, holding the weights."""
        if self.family is None:
            raise GraphError(f"{self.name} has no input shape yet, so it has no weights; call fit with data")
        return self.family.start(self.variables)

    def reset(self, seed: int = 0) -> None:
        """Begin anew, with weights drawn from `seed`; every model that shares layers begins anew too."""
        if self.family is None:
            self.family = Family()
        self.family.reset(seed)

    def get_layer(self, name: str | None = None, index: int | None = None) -> Layer:
        """The layer of that name, or at that place."""
        layers = self.layers
        if index is not None:
            return layers[index]
        for layer in layers:
            if layer.name == name:
                return layer
        names = [layer.name for layer in layers]
        raise GraphError(f"there is no layer {name!r}.{did_you_mean(str(name), names)} There is {listed(names)}")

    def __call__(self, *args: Any, training: bool | None = None, **kwargs: Any) -> Any:
        """The outputs for nodes, as of a layer; for arrays, the values of the outputs."""
        if any(True for _ in nodes_in([args, kwargs])) or len(args) != 1:
            return super().__call__(*args, training=training, **kwargs)
        self.build_for(args[0])
        return ends.in_form(self.form, fitting.values_of(self, args[0], training=bool(training)))

    def call(self, *args: Any, **kwargs: Any) -> Any:
        """The outputs for other inputs: every layer is called again on what takes their place."""
        tracing = current_tracing()
        assert tracing is not None
        became = dict(ends.paired(self.name, self.input_names, self.inputs, args[0]))
        return ends.in_form(self.form, replayed(self.outputs, became, tracing))

    def build(self, input_shape: Any) -> None:
        """Build for batches of this shape, whose first size is None; lists and dicts of shapes for several inputs."""
        # A build of the user's own that ends in this one, and is itself part of what goes on.
        if self._has_own_build and self.built:
            return
        self.built = self.built or self._has_own_build
        if not self.is_built:
            with origin(self.written):
                self._trace(ends.placeholders(input_shape))

    def build_for(self, x: Any) -> None:
        """Have the graph ready for examples like `x`."""
        if not self.is_built:
            with origin(self.written):
                self._trace(ends.placeholders(data.batch_shapes(x)))

    def _trace(self, inputs: Any) -> None:
        """Call the model on placeholders and remember what came of it."""
        if not self.built:
            self._build((inputs,), {})
        mode = {"training": False} if takes(type(self), "training") else {}
        with origin(self.written):
            outputs = self.call(inputs, **mode)
        self._fed = inputs
        self._connect(inputs, outputs)
        close_family()

    def _build(self, args: Any, kwargs: Any) -> None:
        # What a user's own build makes; ours would trace the model, which whoever calls it does already.
        self.built = True
        if self._has_own_build:
            super()._build(args, kwargs)

    @property
    def _has_own_build(self) -> bool:
        return not type(self).build.__module__.startswith("graphdl.")

    @property
    def is_built(self) -> bool:
        """Whether the graph is there; a model without an input shape waits for data."""
        return "outputs" in self.__dict__

    def training_graph(self) -> TrainingGraph:
        """The outputs in training, what layers add to the loss there, and how their statistics move."""
        if not (self.is_subclassed and takes(type(self), "training")):
            return in_training(self.outputs)
        assert self.family is not None
        tracing = Tracing(True, self.family)
        with at_scope(""), origin(self.written), tracing.of(self):
            outputs = self.call(self._fed, training=True)
        return TrainingGraph(tuple(nodes_in(outputs)), tuple(tracing.losses), Updates(tracing.values.items()))

    @property
    def prediction(self) -> Compiled:
        """The program that computes the outputs; it changes what layers keep between calls."""
        return self.start().compile(self.outputs, added_updates(self.outputs), fed=self.inputs)

    def summary(
        self,
        line_length: int | None = None,
        positions: Any = None,
        print_fn: Any = None,
        expand_nested: bool = False,
        show_trainable: bool = False,
        layer_range: Any = None,
        show_cost: bool = False,
    ) -> None:
        """Print the layers with the shapes of their results and the numbers of their weights.

        `expand_nested` lists the layers of models within the model, `show_trainable` says which are trained, and
        `show_cost` what a prediction costs: floating-point operations and bytes, as formulas in the batch size N.
        """
        from graphdl.keras.models.summary import Shown, summary, to_stdout

        shown = Shown(expand_nested, show_trainable, show_cost)
        (print_fn or to_stdout)(summary(self, line_length, shown, layer_range))

    def save(self, filepath: str | os.PathLike[str], overwrite: bool = True) -> None:
        """Write the whole model to one file: layers, what `compile` was told, weights, optimizer and step.

        `keras.models.load_model` makes it again.
        """
        from graphdl.keras.saving import save_model

        save_model(self, filepath, overwrite)

    def save_weights(self, filepath: str | os.PathLike[str], overwrite: bool = True) -> None:
        """Write the weights to an .npz, by name, whole or not at all."""
        from graphdl.keras.saving import weights

        weights.save(self, filepath, overwrite)

    def load_weights(self, filepath: str | os.PathLike[str]) -> None:
        """Take over weights that `save_weights` or `save` wrote, or Keras; what does not fit is named.

        Then nothing has changed: GraphError, or FormatError for a file that is none of these.
        """
        from graphdl.keras.saving import weights

        weights.load(self, os.fspath(filepath))

    @property
    def variable_names(self) -> list[str]:
        """The name of each of `variables` in the session."""
        names = self.start().state.names
        return [names[v] for v in self.variables]

    def digest(self) -> str:
        """SHA-256 over names, types and bytes of the weights, in order; equal for equal weights."""
        return self.start().state.digest(self.variable_names)

    def get_config(self) -> dict[str, Any]:
        """Layers and how they are connected, as plain data; of a subclass, the arguments it was made with."""
        from graphdl.keras.saving.description import described

        return super().get_config() if self.is_subclassed else described(self)

    @classmethod
    def from_config(cls, config: Mapping[str, Any], custom_objects: Mapping[str, Any] | None = None) -> Any:
        """A model like the one that gave `config`, with weights of its own."""
        from graphdl.keras.saving.description import rebuilt

        return rebuilt(dict(config), custom_objects or {}) if "kind" in config else made_from(cls, config)

    def _join(self, inputs: Any) -> Family:
        """Belong to the family of the inputs; an unnamed model gets its number there."""
        had_family = self.family is not None
        family = super()._join(inputs)
        if had_family and not self._is_numbered and self.given_name is None:
            self.name = family.fresh(self.name)
        self._is_numbered = True
        return family

    def _check_names(self) -> None:
        seen: dict[str, Layer] = {}
        # A layer is numbered when it is first called; until then two of a kind have one name.
        for layer in (layer for layer in self.layers if layer.family is not None):
            if layer.name in seen and layer.given_name is None and self.family is not None:
                # Numbered apart, before the models they were made in came together.
                layer.name = self.family.fresh(snake_case(type(layer).__name__))
            if layer.name in seen:
                raise GraphError(f"two layers are called {layer.name!r}; give each a name of its own")
            seen[layer.name] = layer

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> tuple[dict[str, Any], dict[str, Any]]:
        bundle: tuple[dict[str, Any], dict[str, Any]] = registry.builder("mimebundle")(self, include, exclude)
        return bundle
