"""What layers have in common: a name, weights, and calls that build graph nodes in the layer's scope."""

from __future__ import annotations

import copy
import inspect
from collections.abc import Mapping, Sequence
from functools import cache
from typing import Any

from graphdl.config import floatx
from graphdl.errors import GraphError
from graphdl.ir.leaves import size
from graphdl.ir.node import Node
from graphdl.ir.origin import at_scope, current_origin, current_scope, name_scope, origin
from graphdl.ir.traverse import ancestors, substitute
from graphdl.ir.types import FLOATS, as_dtype
from graphdl.keras import regularizers
from graphdl.keras.calls import Arguments, Call, LayerOutput, mask_of, masked, nodes_in, once
from graphdl.keras.configuration import LayerType, defaults_of, given_to, is_plain, made_from
from graphdl.keras.family import Family, numbered
from graphdl.keras.lookup import refuse_unknown, snake_case
from graphdl.keras.shapes import placeholders_of, shape_hint, shapes_of
from graphdl.keras.tracing import Tracing, current_tracing, results_of
from graphdl.keras.weights import Weights
from graphdl.ops.reduce import sum
from graphdl.ops.shape import cast


class Layer(Weights, metaclass=LayerType):
    """A piece of a network. Subclasses make their weights in `build` and their nodes in `call`.

    Calling a layer on a node builds its nodes in the scope of its name. Called again, it uses the same weights.
    Layers that are attributes of a layer are parts of it: their weights are its weights, their nodes its nodes.
    """

    # Older spellings of arguments, and what they are called now.
    old_names: Mapping[str, str] = {}
    # Whether a mask of the first input holds for the result too.
    supports_masking = False
    made_with: Arguments

    def __init__(
        self,
        *,
        name: str | None = None,
        trainable: bool = True,
        dtype: Any = None,
        activity_regularizer: Any = None,
        weights: Sequence[Any] | None = None,
        **arguments: Any,
    ) -> None:
        super().__init__(trainable, weights)
        self.names_given: dict[str, int] = {}
        self.results: list[Node] = []
        self.given_name = name
        self.name = name or snake_case(type(self).__name__)
        self.dtype = as_dtype(dtype or floatx())
        self.given_dtype = dtype is not None
        self.activity_regularizer = regularizers.get(activity_regularizer)
        self.built = False
        self.input_shape_hint, self.batch_size_hint = shape_hint(type(self).__name__, arguments)
        self.written = current_origin()
        known = ["name", "trainable", "dtype", "activity_regularizer", "weights"]
        known += ["input_shape", "input_dim", "batch_input_shape"]
        refuse_unknown(type(self).__name__, arguments, tuple(known))

    def build(self, input_shape: Any) -> None:
        """Make the weights for inputs of this shape, whose first size is None; a list of shapes for several inputs.

        Where the argument is not called a shape, it is the inputs themselves.
        """

    def compute_mask(self, inputs: Any, mask: Any = None) -> Any:
        """The mask of the result for inputs with `mask`; for several results a list."""
        if not self.supports_masking:
            return None
        return next((found for found in nodes_in(mask)), None) if isinstance(mask, list | tuple) else mask

    def check(self, x: Node) -> None:
        """Refuse, with ShapeError, inputs that do not fit; asked at every call with one node, before `build`."""

    def call(self, *args: Any, **kwargs: Any) -> Any:
        """The result for the inputs. A subclass that does otherwise in training takes `training` besides.

        One that takes `mask` is given the mask of its inputs.
        """
        raise NotImplementedError(f"{type(self).__name__} has no method call(self, x)")

    @property
    def differs_in_training(self) -> bool:
        """Whether the layer's result differs between training and inference."""
        return takes(type(self), "training") or any(part.differs_in_training for part in self.parts)

    def __call__(self, *args: Any, training: bool | None = None, **kwargs: Any) -> Any:
        """The layer's result for a node, or for several in lists or as further arguments."""
        self._check_arguments(args)
        arguments = self.with_masks(Arguments(args, kwargs))
        outer = current_tracing()
        if outer is not None:
            return self.trace(arguments, outer.training if training is None else training, outer)
        family = self._join(arguments.nodes)
        tracing = Tracing(bool(training), family)
        with at_scope(self.name), origin(self.written):
            result = self.trace(arguments, bool(training), tracing)
            call = Call(self, Arguments(args, kwargs).nodes, family, arguments, training)
            made = results_of(result, call, tracing)
        self._check_starts()
        self.results += nodes_in(made)
        return made

    def trace(self, arguments: Arguments, training: bool, tracing: Tracing) -> Any:
        """The nodes of one call; losses and updates go to `tracing`."""
        if tracing.inside:
            self._number_within(tracing)
        with name_scope(self.name if tracing.inside else ""), tracing.of(self):
            outside, tracing.training = tracing.training, training
            try:
                return self._called(arguments)
            finally:
                tracing.training = outside

    def _called(self, arguments: Arguments) -> Any:
        self._follow(arguments.nodes)
        if self.given_dtype:
            arguments = arguments.map(lambda x: cast(x, self.dtype) if x.dtype in FLOATS else x)
        args, kwargs = arguments
        if isinstance(args[0], Node):
            self.check(args[0])
        if not self.built:
            self._build(args, kwargs)
        if takes(type(self), "training"):
            tracing = current_tracing()
            kwargs = {**kwargs, "training": tracing is not None and tracing.training}
        result = self.call(*args, **kwargs)
        for node in nodes_in(result):
            self.regularize_activity(node)
        masks = self.compute_mask(args[0], kwargs["mask"] if "mask" in kwargs else mask_of(args[0]))
        return result if masks is None else masked(result, masks)

    def _build(self, args: Sequence[Any], kwargs: Mapping[str, Any]) -> None:
        """Give `build` the inputs or their shapes: `key_shape` is that of the argument `key`, others stand in order."""
        by_name = {**dict(zip(inspect.signature(self.call).parameters, args, strict=False)), **kwargs}
        in_order = [given for given in args if any(True for _ in nodes_in(given))]
        shapes = {}
        for i, name in enumerate(inspect.signature(self.build).parameters):
            x = by_name.get(name.removesuffix("_shape"), in_order[i] if i < len(in_order) else None)
            if x is not None:
                shapes[name] = shapes_of(x) if "shape" in name else x
        self.build(**shapes)
        self.built = True

    @property
    def output(self) -> Node:
        """The result of the layer, which has been called once."""
        if len(self.results) != 1:
            raise GraphError(f"{self.name} has {len(self.results)} results; .output is for a layer called once")
        return self.results[0]

    @property
    def input(self) -> Any:
        """What the layer has been called on, once."""
        node = self.output
        assert isinstance(node, LayerOutput)
        inputs = node.call.inputs or (node,)
        return inputs[0] if len(inputs) == 1 else list(inputs)

    @property
    def losses(self) -> list[Node]:
        """Terms of the loss: those that calls have added, then one for each regularised weight that is trained."""
        calls = dict.fromkeys(node.call for node in self.results if isinstance(node, LayerOutput))
        return [*(loss for call in calls for loss in call.losses), *self.regularization()]

    def add_loss(self, loss: Any) -> None:
        """Add a term to the loss of the model; for `call`. More than one number are summed."""
        tracing = current_tracing()
        if tracing is None:
            raise GraphError(f"{self.name}.add_loss is called within the layer's call(...)")
        for node in nodes_in(loss):
            tracing.losses.append(sum(node) if node.ndim else node)

    def regularize_activity(self, result: Node) -> None:
        """Add what the layer's activity regularizer, if it has one, makes of a result: a mean over the examples."""
        if self.activity_regularizer is not None:
            term = self.activity_regularizer(result)
            self.add_loss(term / size(result.shape[0], term.dtype) if result.ndim else term)

    def add_update(self, variable: Node, value: Node, always: bool = False) -> None:
        """Have each step of training set the variable, which no gradient changes; for `call` in training.

        Where the layer is called again, the second value goes on from the first. With `always` predictions and scores
        set it as well; then the layer is called once in a model.
        """
        tracing = current_tracing()
        if tracing is None or not (tracing.training or always):
            raise GraphError(
                f"{self.name}: {variable.label} is updated in training only, within the layer's call(...); say "
                "always=True where predictions change it too"
            )
        if always:
            once(self, variable, tracing.values)
            tracing.lasting.add(variable)
        if variable in tracing.values:
            (value,) = substitute([value], {variable: tracing.values[variable]})
        tracing.values[variable] = value

    def reset_states(self) -> None:
        """Have recurrent layers with ``stateful=True`` begin anew; this one, or those within it."""
        for part in self.parts:
            part.reset_states()

    reset_state = reset_states

    def compute_output_shape(self, *input_shape: Any) -> Any:
        """Shape of the result for inputs of this shape; None stays None.

        Where ``call`` takes a list of inputs it is a list of shapes, where it takes several there are as many shapes.
        """
        layer = self if self.built else copy.deepcopy(self)
        with at_scope(current_scope()):
            inputs = tuple(placeholders_of(shape, self.dtype) for shape in input_shape if shape is not None)
            result = layer.trace(Arguments(inputs, {}), False, Tracing(False, Family()))
        return shapes_of(result)

    def get_config(self) -> dict[str, Any]:
        """The arguments that the layer was made with, by name; of a layer of ours the defaults too."""
        config = given_to(self)
        if type(self).__module__.startswith("graphdl."):
            whole = {**self.defaults(), **config}
            now = {name: value if name == "weights" else getattr(self, name, value) for name, value in whole.items()}
            config = {name: now[name] if is_plain(now[name]) else value for name, value in whole.items()}
        # Until it is built a layer that was given no dtype takes that of its inputs.
        dtype = self.dtype if self.given_dtype or self.built else None
        own = {"name": self.name, "trainable": self.trainable, "dtype": dtype}
        return {**own, **{name: value for name, value in config.items() if name not in own}}

    @classmethod
    def defaults(cls) -> dict[str, Any]:
        """The arguments that need not be given, of the class and those it hands arguments on to, below `Layer`."""
        return defaults_of(cls.__mro__[: cls.__mro__.index(Layer)])

    @classmethod
    def from_config(cls, config: Mapping[str, Any]) -> Any:
        """A layer like the one that gave `config`, with weights of its own; so are layers within it."""
        return made_from(cls, {name: _made_again(value) for name, value in config.items()})

    def __repr__(self) -> str:
        return f"<{type(self).__name__} name={self.name}>"

    def with_masks(self, arguments: Arguments) -> Arguments:
        """The arguments, with the masks of the nodes among them where ``call`` takes any."""
        args, kwargs = arguments
        names = list(inspect.signature(type(self).call).parameters)[1:]
        given = {**dict(zip(names, args, strict=False)), **kwargs}
        found = {"mask": mask_of(args[0]), **{f"{name}_mask": mask_of(value) for name, value in given.items()}}
        masks = {name: mask for name, mask in found.items() if name in names and given.get(name) is None}
        return Arguments(args, {**kwargs, **{name: mask for name, mask in masks.items() if list(nodes_in(mask))}})

    def _check_arguments(self, args: tuple[Any, ...]) -> None:
        first = args[0] if args else None
        if not any(True for _ in nodes_in(first)):
            raise GraphError(
                f"{self.name} is called on a {type(first).__name__}, expected a node such as keras.Input(...)"
            )

    def _follow(self, inputs: Sequence[Node]) -> None:
        """Compute in the precision of the inputs, unless the layer was given one."""
        found = [x.dtype for x in inputs if x.dtype in FLOATS]
        if found and not self.given_dtype and not self.built:
            self.dtype = found[0]

    def _join(self, inputs: Sequence[Node]) -> Family:
        """Belong to the family of the inputs; an unnamed layer gets its number there."""
        family = family_of(inputs[0])
        for other in inputs[1:]:
            family.join(family_of(other))
        if self.family is None:
            self.family = family
            if self.given_name is None:
                self.name = family.fresh(self.name)
        self.family.join(family)
        return self.family

    def _number_within(self, tracing: Tracing) -> None:
        """A part of a layer is numbered among the parts of that layer."""
        if self.family is None:
            self.family = tracing.family
            if self.given_name is None:
                self.name = numbered(tracing.inside[-1].names_given, self.name)


def _made_again(value: Any) -> Any:
    """The argument of a layer, with layers like those in it in place of them."""
    if isinstance(value, Layer):
        return type(value).from_config(value.get_config())
    return type(value)(map(_made_again, value)) if type(value) in (list, tuple) else value


@cache
def takes(layer: type, argument: str) -> bool:
    """Whether ``call`` of this kind of layer has the argument."""
    return argument in inspect.signature(layer.call).parameters  # type: ignore[attr-defined]


def family_of(node: Node) -> Family:
    """The family of the layers that `node` depends on; a new one when there are none."""
    if isinstance(node, LayerOutput):
        return node.call.family
    found = [n.call.family for n in ancestors([node]) if isinstance(n, LayerOutput)]
    return found[-1] if found else Family()
