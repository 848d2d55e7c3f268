"""A model: layers between inputs and outputs, compiled, trained and asked."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np

from graphdl.analysis.lint import Finding
from graphdl.errors import GraphError, did_you_mean, listed
from graphdl.ir import registry
from graphdl.ir.leaves import Placeholder
from graphdl.ir.node import Node
from graphdl.ir.origin import current_origin, origin
from graphdl.ir.traverse import ancestors
from graphdl.ir.types import FLOATS
from graphdl.keras import fitting, losses, optimizers
from graphdl.keras.callbacks import History
from graphdl.keras.family import Family, close_family
from graphdl.keras.layer import Layer, LayerOutput
from graphdl.keras.lint import lint_model, warn_of_examples, warn_of_structure
from graphdl.keras.training import Training
from graphdl.runtime.compiled import Compiled
from graphdl.runtime.saving import read_arrays, write_arrays
from graphdl.runtime.session import Session

Outputs = Node | Sequence[Node] | Mapping[str, Node]


class Model:
    """What lies between `inputs` and `outputs`, nodes that layers were called on; lists and dicts of them as well.

    Layers that two models share have the same weights in both. All values live in `session`.
    """

    default_name = "functional"
    # Whether every layer has its input from the one before it.
    is_chain = False

    def __init__(self, inputs: Outputs, outputs: Outputs, name: str | None = None) -> None:
        self.name = name or self.default_name
        self._connect(inputs, outputs)
        close_family()

    def _connect(self, inputs: Outputs, outputs: Outputs) -> None:
        self.inputs: tuple[Node, ...] = tuple(_named(inputs, "inputs").values())
        named = _named(outputs, "outputs")
        self.outputs: tuple[Node, ...] = tuple(named.values())
        self.output_names: tuple[str, ...] = tuple(named)
        self.family = _checked_family(self.inputs, self.outputs)
        self._training: Training | None = None
        self.history: History | None = None
        self.last_fit: fitting.Settings | None = None
        self._check_names()

    @property
    def input_names(self) -> tuple[str, ...]:
        """Names by which the inputs are fed."""
        return tuple(node.label for node in self.inputs)

    @property
    def input(self) -> Node:
        """The one input."""
        return _only(self.inputs, "inputs")

    @property
    def output(self) -> Node:
        """The one output."""
        return _only(self.outputs, "outputs")

    @property
    def calls(self) -> list[LayerOutput]:
        """The results of layers that the outputs depend on, in order."""
        return [node for node in ancestors([*self.inputs, *self.outputs]) if isinstance(node, LayerOutput)]

    @property
    def layers(self) -> list[Layer]:
        """The layers, in the order they were called."""
        return list(dict.fromkeys(node.call.layer for node in self.calls))

    @property
    def variables(self) -> list[Node]:
        """The weights of all layers."""
        return [w for layer in self.layers for w in layer.weights]

    weights = variables

    @property
    def trainable_variables(self) -> list[Node]:
        """The weights that training changes."""
        return [w for layer in self.layers for w in layer.trainable_weights]

    trainable_weights = trainable_variables

    @property
    def session(self) -> Session:
        """Where the weights are."""
        return self.family.session

    def start(self) -> Session:
        """The session, holding the weights."""
        return self.family.start(self.variables)

    def reset(self, seed: int = 0) -> None:
        """Begin anew, with weights drawn from `seed`; every model that shares layers begins anew too."""
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

    def compile(self, optimizer: Any = "sgd", loss: Any = None, metrics: Any = None, loss_weights: Any = None) -> None:
        """Say how to train: the optimizer, a loss, what else to watch, and the losses' weights.

        With several outputs, `loss`, `metrics` and `loss_weights` are lists in their order or dicts by name.
        """
        if loss is None:
            raise GraphError("compile needs a loss, such as loss='mse'")
        self.optimizer = optimizers.get(optimizer)
        if isinstance(loss, str):
            loss = losses.get(loss)
        self._compiled_with = (loss, metrics, loss_weights)
        self._compiled_at = current_origin()
        self._training = None
        # What has been warned of since: each finding is said once.
        self.lint_registry: dict[Any, Any] = {}
        if self.is_built:
            self._training = Training(self, self.optimizer, loss, metrics, loss_weights)
            warn_of_structure(self)

    @property
    def is_compiled(self) -> bool:
        """Whether `compile` has been called."""
        return hasattr(self, "_compiled_with")

    @property
    def is_built(self) -> bool:
        """Whether the graph is there; a Sequential without an input shape waits for data."""
        return True

    @property
    def training(self) -> Training:
        """The loss, gradients, updates and programs that `compile` led to."""
        if not self.is_compiled:
            raise GraphError(f"{self.name} is not compiled; call model.compile(optimizer=..., loss=...) first")
        if self._training is None:
            with origin(self._compiled_at):
                self._training = Training(self, self.optimizer, *self._compiled_with)
            warn_of_structure(self)
        return self._training

    @property
    def prediction(self) -> Compiled:
        """The program that computes the outputs."""
        return self.start().compile(self.outputs)

    def fit(
        self,
        x: Any = None,
        y: Any = None,
        batch_size: int | None = None,
        epochs: int = 1,
        verbose: Any = "auto",
        callbacks: Iterable[Any] | None = None,
        validation_split: float = 0.0,
        validation_data: Any = None,
        shuffle: bool = True,
        initial_epoch: int = 0,
    ) -> History:
        """Train for `epochs` passes over the examples, in batches of `batch_size` (32); returns the history.

        `validation_split` sets the last part of the data aside, before any shuffling, to be scored after each epoch;
        `validation_data` is a pair (x, y) to score instead. The order of the examples in epoch e depends on the
        session's seed and on e alone. Ctrl-C keeps the weights of the last whole step.
        """
        self.build_for(x)
        settings = fitting.Settings.checked(batch_size, epochs, shuffle, initial_epoch)
        fit = fitting.Fit(self, settings, x, y, (validation_split, validation_data))
        warn_of_examples(self, fit, 0.0 if validation_data is not None else validation_split)
        self.last_fit = settings
        self.history = fit.run(verbose, tuple(callbacks or ()))
        return self.history

    def evaluate(
        self,
        x: Any = None,
        y: Any = None,
        batch_size: int | None = None,
        verbose: Any = "auto",
        return_dict: bool = False,
    ) -> Any:
        """Loss and metrics over the examples: a number, a list in the order of `metrics_names`, or a dict."""
        self.build_for(x)
        scores = fitting.evaluate(self, x, y, batch_size, verbose)
        if return_dict:
            return scores
        return list(scores.values()) if len(scores) > 1 else next(iter(scores.values()))

    def predict(self, x: Any, batch_size: int | None = None, verbose: Any = "auto") -> Any:
        """The outputs for the examples `x`: an array, or a list of arrays where there are several outputs."""
        self.build_for(x)
        arrays = fitting.predict(self, x, batch_size, verbose)
        return arrays[0] if len(arrays) == 1 else arrays

    def predict_classes(self, x: Any, batch_size: int | None = None, verbose: Any = "auto") -> Any:
        """The most probable class of each example; a probability above 1/2 is class 1."""
        found = self.predict(x, batch_size, verbose)
        return (found > 0.5).astype("int32") if found.shape[-1] == 1 else found.argmax(axis=-1)

    def train_on_batch(self, x: Any, y: Any = None, return_dict: bool = False) -> Any:
        """One step on one batch; returns loss and metrics as `evaluate` does, from before the step."""
        self.build_for(x)
        scores = fitting.train_on_batch(self, x, y)
        if return_dict:
            return scores
        return list(scores.values()) if len(scores) > 1 else scores["loss"]

    @property
    def metrics_names(self) -> list[str]:
        """What `evaluate` returns, by name."""
        return list(self.training.names)

    def lint(
        self, x: Any = None, y: Any = None, batch_size: int | None = None, validation_split: float = 0.0
    ) -> list[Finding]:
        """What a teacher would say about the model: findings in the order of your lines; with examples, about them too.

        Nothing is trained. `batch_size` and `validation_split` are those that `fit` will be given.
        """
        return lint_model(self, x, y, batch_size, validation_split)

    def summary(self, print_fn: Any = None, line_length: int | None = None) -> None:
        """Print the layers with the shapes of their results and the numbers of their weights."""
        from graphdl.keras.summary import summary, to_stdout

        (print_fn or to_stdout)(summary(self, line_length))

    def count_params(self) -> int:
        """How many numbers the weights hold."""
        return sum(layer.count_params() for layer in self.layers)

    def get_weights(self) -> list[np.ndarray[Any, Any]]:
        """The present values of the weights, layer by layer."""
        session = self.start()
        return [session.value(w) for w in self.variables]

    def set_weights(self, values: Sequence[Any]) -> None:
        """Set the weights, in the order of `get_weights`."""
        arrays = [np.asarray(value) for value in values]
        found, expected = [a.shape for a in arrays], [w.shape for w in self.variables]
        if found != expected:
            raise GraphError(f"set_weights: found {len(found)} arrays {found}, expected {len(expected)} {expected}")
        session = self.start()
        for variable, array in zip(self.variables, arrays, strict=True):
            session.assign(variable, array)

    def save_weights(self, path: str | os.PathLike[str]) -> None:
        """Write the weights to an .npz, by name, whole or not at all."""
        _check_suffix(path)
        write_arrays(path, dict(zip(self.variable_names, self.get_weights(), strict=True)))

    def load_weights(self, path: str | os.PathLike[str]) -> None:
        """Take over what `save_weights` wrote; GraphError names what does not fit, and then nothing has changed."""
        _check_suffix(path)
        arrays = read_arrays(path)
        names = self.variable_names
        missing = [name for name in names if name not in arrays]
        unknown = [name for name in arrays if name not in names]
        if missing or unknown:
            raise GraphError(
                f"{str(path)!r} does not fit {self.name}: it lacks {listed(missing)} and has {listed(unknown)} besides"
            )
        self.set_weights([arrays[name] for name in names])

    @property
    def variable_names(self) -> list[str]:
        """The name of each of `variables` in the session and in files."""
        names = self.start().state.names
        return [names[v] for v in self.variables]

    def digest(self) -> str:
        """SHA-256 over names, types and bytes of the weights, in order; equal for equal weights."""
        return self.start().state.digest(self.variable_names)

    def build_for(self, x: Any) -> None:
        """Have the graph ready for examples like `x`."""

    def _check_names(self) -> None:
        seen: dict[str, Layer] = {}
        # A layer is numbered when it is first called; until then two of a kind have one name.
        for layer in (layer for layer in self.layers if layer.family is not None):
            if layer.name in seen:
                raise GraphError(f"two layers are called {layer.name!r}; give each a name of its own")
            seen[layer.name] = layer

    def __repr__(self) -> str:
        return f"<{type(self).__name__} name={self.name}>"

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> tuple[dict[str, Any], dict[str, Any]]:
        bundle: tuple[dict[str, Any], dict[str, Any]] = registry.builder("mimebundle")(self, include, exclude)
        return bundle


def _named(given: Outputs, what: str) -> dict[str, Node]:
    """The nodes by name: those of a dict, or of the layers that made them."""
    if isinstance(given, Mapping):
        return {str(name): _checked(node, what) for name, node in given.items()}
    nodes = [given] if isinstance(given, Node) else list(given)
    named: dict[str, Node] = {}
    for node in nodes:
        _checked(node, what)
        name = base = node.call.layer.name if isinstance(node, LayerOutput) else node.name or node.op.name
        count = 1
        while name in named:
            name, count = f"{base}_{count}", count + 1
        named[name] = node
    if not named:
        raise GraphError(f"a model has no {what}")
    return named


def _checked(node: Any, what: str) -> Node:
    if not isinstance(node, Node):
        raise GraphError(f"{what} of a model are nodes, found {node!r:.60}, a {type(node).__name__}")
    if what == "inputs" and not isinstance(node.op, Placeholder):
        raise GraphError(f"{node.label} is a {node.op.name}; a model begins at keras.Input(...)")
    return node


def _checked_family(inputs: Sequence[Node], outputs: Sequence[Node]) -> Family:
    """The one family of everything between; placeholders that are not among the inputs are refused."""
    nodes = ancestors(outputs)
    for node in nodes:
        if isinstance(node.op, Placeholder) and node not in inputs:
            raise GraphError(f"the outputs depend on {node.label}, which is not among the inputs")
    for node in outputs:
        if node.dtype not in FLOATS and node not in inputs:
            raise GraphError(f"{node.label} is {node.type}, expected floats as the output of a model")
    families = [n.call.family for n in (*inputs, *nodes) if isinstance(n, LayerOutput)]
    first = families[0] if families else Family()
    for other in families[1:]:
        first.join(other)
    return first.head


def _only(nodes: Sequence[Node], what: str) -> Node:
    if len(nodes) != 1:
        raise GraphError(f"the model has {len(nodes)} {what}: {listed(n.label for n in nodes)}; see model.{what}")
    return nodes[0]


def _check_suffix(path: str | os.PathLike[str]) -> None:
    if not str(path).endswith(".npz"):
        raise GraphError(f"weights are kept in .npz files, found {str(path)!r}; name it {str(path).split('.')[0]}.npz")
