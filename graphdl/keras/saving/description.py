"""A model as JSON and back: its layers by class and arguments, and which layer was called on what."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from graphdl.collection import collector_paused
from graphdl.errors import FormatError, GraphdlError, GraphError
from graphdl.ir.encoding import shown
from graphdl.ir.leaves import Constant
from graphdl.ir.node import Node
from graphdl.ir.records import Places, node_of, record_of
from graphdl.ir.traverse import in_order
from graphdl.keras.calls import Arguments, Call, LayerOutput, mapped, nodes_in
from graphdl.keras.family import close_family
from graphdl.keras.layer import Layer
from graphdl.keras.layers import InputLayer
from graphdl.keras.saving.objects import Objects, at_hand, from_json, made, to_json

Json = dict[str, Any]


def described(model: Any) -> Json:
    """What the model is made of; GraphError where that cannot be written down."""
    kind, builtin = type(model), _builtin_models()
    if kind not in builtin.values():
        fed = mapped(lambda node: {"$input": _input_of(node)}, model._fed) if model.is_built else None
        return {"kind": "custom", "class": to_json(kind)["$class"], "config": to_json(model.get_config()), "fed": fed}
    base = {"name": model.name, "counts": dict(model.family.head.counts)}
    if kind is builtin["sequential"]:
        return {"kind": "sequential", **base, **_chain(model)}
    return {"kind": "functional", **base, **_calls(model)}


def copied(model: Any) -> Any:
    """A model like this one, with weights of its own; functions and classes of the user's own are the same in both."""
    with at_hand() as custom:
        data = described(model)
    return rebuilt(data, custom)


@collector_paused()
def rebuilt(data: Json, custom: Objects) -> Any:
    """The model that `data` describes, in a family of its own; FormatError where it cannot be one."""
    makers = {"sequential": _rebuilt_chain, "functional": _rebuilt_calls, "custom": _rebuilt_custom}
    kind = data.get("kind")
    if kind not in makers:
        raise FormatError(f"the model is {shown(kind)}, expected one of {', '.join(makers)}")
    close_family()
    try:
        model = makers[kind](data, custom)
    except FormatError:
        raise
    except GraphdlError as error:
        raise FormatError(f"the model cannot be built: {error}") from None
    except Exception as error:
        # Layers trust whoever calls them; what a file says may break them anywhere.
        raise FormatError(f"the model cannot be built: {error!r:.300}") from None
    finally:
        close_family()
    if kind != "custom":
        model.family.head.counts |= _counts(data.get("counts"))
    return model


def _builtin_models() -> dict[str, type]:
    from graphdl.keras.models import Model, Sequential

    return {"functional": Model, "sequential": Sequential}


def _chain(model: Any) -> Json:
    """The layers in a row; without an input where none has been seen yet."""
    start = _input_of(model.inputs[0]) if model.is_built else None
    return {"input": start, "layers": [_written(layer) for layer in model.layers]}


def _written(layer: Layer) -> Json:
    """The layer as JSON; one that waits to be called gets its number when it is."""
    data: Json = to_json(layer)
    if layer.family is None and layer.given_name is None:
        data["config"].pop("name", None)
    return data


def _rebuilt_chain(data: Json, custom: Objects) -> Any:
    from graphdl.keras.models import Sequential

    layers = [_layer(i, part, custom) for i, part in enumerate(_listed(data.get("layers"), "layers"))]
    first = [] if data.get("input") is None else [_placeholder(data["input"], custom)]
    return Sequential([*first, *layers], name=_name(data))


def _input_of(node: Node) -> Any:
    """What makes the placeholder again."""
    if not isinstance(node, LayerOutput) or not isinstance(node.call.layer, InputLayer):
        raise GraphError(f"{node.label} is no keras.Input, so the model cannot be saved")
    layer = node.call.layer
    return {"shape": list(layer.shape or ()), "batch_size": layer.batch_size, "dtype": layer.dtype, "name": layer.name}


def _placeholder(data: Any, custom: Objects) -> Node:
    from graphdl.keras.layers import Input

    if not isinstance(data, dict) or set(data) != {"shape", "batch_size", "dtype", "name"}:
        raise FormatError(f"an input is {shown(data)}, expected shape, batch_size, dtype and name")
    given = from_json(data, custom)
    return Input(tuple(given.pop("shape")), **given)


def _calls(model: Any) -> Json:
    """Inputs, calls and single operations, in the order in which each can be made from those before it."""
    order = _visible(model)
    places = Places(order)
    layers: dict[Layer, int] = {}
    steps = []
    for node in order:
        steps.append(_step(node, places, layers))
    return {
        "layers": [to_json(layer) for layer in layers],
        "steps": steps,
        "inputs": {name: places[node] for name, node in zip(model.input_names, model.inputs, strict=True)},
        "outputs": {name: places[node] for name, node in zip(model.output_names, model.outputs, strict=True)},
        # Whether predictions come by name.
        "by_name": isinstance(model.form, Mapping),
    }


def _visible(model: Any) -> list[Node]:
    """The nodes between the inputs and the outputs, in the order they were made; those inside of layers are left out.

    So layers are first called in the same order again, which is that of the weights.
    """
    seen = {*model.inputs, *model.outputs}
    waiting = list(seen)
    while waiting:
        new = [source for source in _sources(waiting.pop()) if source not in seen]
        seen.update(new)
        waiting += new
    return sorted(seen, key=in_order)


def _sources(node: Node) -> tuple[Node, ...]:
    return tuple(nodes_in(list(_given(node.call)))) if isinstance(node, LayerOutput) else node.inputs


def _given(call: Call) -> Arguments:
    """What the user called the layer on: masks that it found by itself it will find again."""
    args, kwargs = call.arguments
    own = set(call.inputs)
    found = {k: v for k, v in kwargs.items() if not list(nodes_in(v)) or own.issuperset(nodes_in(v))}
    return Arguments(args, found)


def _step(node: Node, places: Places, layers: dict[Layer, int]) -> Json:
    if isinstance(node, LayerOutput):
        if isinstance(node.call.layer, InputLayer):
            return {"input": _input_of(node)}
        given = _given(node.call)
        layer = layers.setdefault(node.call.layer, len(layers))
        arguments = [_with_places(part, places) for part in given]
        same = next((p for n, p in places.items() if isinstance(n, LayerOutput) and n.call is node.call), None)
        return {
            "layer": layer,
            "arguments": arguments,
            "training": node.call.training,
            "index": node.index,
            "call": same,
        }
    if node.op.is_leaf and not isinstance(node.op, Constant):
        raise GraphError(f"{node.label} is a {node.op.name} outside of all layers, so the model cannot be saved")
    record = record_of(node, places)
    return {"node": {key: value for key, value in record.items() if key != "origin"}}


def _with_places(structure: Any, places: Places) -> Any:
    if isinstance(structure, Node):
        return {"$node": places[structure]}
    if isinstance(structure, Mapping):
        return {key: _with_places(part, places) for key, part in structure.items()}
    if isinstance(structure, list | tuple):
        parts = [_with_places(part, places) for part in structure]
        return {"$tuple": parts} if isinstance(structure, tuple) else parts
    return to_json(structure)


def _rebuilt_calls(data: Json, custom: Objects) -> Any:
    from graphdl.keras.models import Model

    layers = [_layer(i, part, custom) for i, part in enumerate(_listed(data.get("layers"), "layers"))]
    nodes: list[Node] = []
    results: dict[int, list[Node]] = {}
    for place, step in enumerate(_listed(data.get("steps"), "steps")):
        nodes.append(_made_again(place, step, nodes, layers, results, custom))
    inputs, outputs = (_ends(data.get(what), what, nodes) for what in ("inputs", "outputs"))
    by_name = data.get("by_name") is True
    return Model(_as_given(inputs), outputs if by_name else list(outputs.values()), name=_name(data))


def _ends(data: Any, what: str, nodes: list[Node]) -> dict[str, Node]:
    """Inputs or outputs by name."""
    if not isinstance(data, dict) or not data:
        raise FormatError(f"the {what} are {shown(data)}, expected an object of names and numbers")
    return {name: _at(nodes, place) for name, place in data.items()}


def _as_given(inputs: dict[str, Node]) -> Any:
    """As a list where the inputs are called like their nodes, else by name."""
    same = all(name == node.label for name, node in inputs.items())
    return list(inputs.values()) if same else inputs


def _made_again(
    place: int, step: Any, nodes: list[Node], layers: list[Layer], results: dict[int, list[Node]], custom: Objects
) -> Node:
    """The node of this step: an input, one operation, or a result of a layer, which is called only once for all."""
    if not isinstance(step, dict):
        raise FormatError(f"step {place} is {shown(step)}, expected an object")
    if "input" in step:
        return _placeholder(step["input"], custom)
    if "node" in step:
        return node_of(step["node"], nodes)
    if set(step) != {"layer", "arguments", "training", "index", "call"}:
        raise FormatError(f"step {place} has {shown(sorted(step))}, expected input, node, or layer and its arguments")
    first = step["call"]
    if first == place:
        layer = _at(layers, step["layer"])
        args, kwargs = _with_nodes(step["arguments"], nodes, custom)
        results[place] = list(nodes_in(layer(*args, training=step["training"], **kwargs)))
    node: Node = _at(results.get(first, []), step["index"])
    return node


def _with_nodes(data: Any, nodes: list[Node], custom: Objects) -> Any:
    if isinstance(data, dict):
        if set(data) == {"$node"}:
            return _at(nodes, data["$node"])
        if set(data) == {"$tuple"}:
            return tuple(_with_nodes(part, nodes, custom) for part in data["$tuple"])
        if any(key.startswith("$") for key in data):
            return from_json(data, custom)
        return {key: _with_nodes(part, nodes, custom) for key, part in data.items()}
    if isinstance(data, list):
        return [_with_nodes(part, nodes, custom) for part in data]
    return data


def _rebuilt_custom(data: Json, custom: Objects) -> Any:
    """A model of the user's own class, called on what it had been called on."""
    from graphdl.keras.models import Model

    model = made({"$class": data.get("class"), "config": data.get("config")}, custom, Model, "a model")
    if data.get("fed") is not None:
        model._trace(_fed(data["fed"], custom))
    return model


def _fed(data: Any, custom: Objects) -> Any:
    if isinstance(data, dict) and set(data) == {"$input"}:
        return _placeholder(data["$input"], custom)
    if isinstance(data, dict):
        return {name: _fed(part, custom) for name, part in data.items()}
    return [_fed(part, custom) for part in _listed(data, "inputs")]


def _layer(place: int, data: Any, custom: Objects) -> Any:
    try:
        return made(data, custom, Layer, "a layer")
    except FormatError as error:
        raise FormatError(f"layer {place}: {error}") from None


def _at(items: list[Any], place: Any) -> Any:
    if type(place) is not int or not 0 <= place < len(items):
        raise FormatError(f"the file refers to number {shown(place)}, expected one of the {len(items)} before it")
    return items[place]


def _listed(data: Any, what: str) -> list[Any]:
    if not isinstance(data, list):
        raise FormatError(f"the {what} are {shown(data)}, expected a list")
    return data


def _name(data: Json) -> str:
    if not isinstance(data.get("name"), str):
        raise FormatError(f"the name of the model is {shown(data.get('name'))}, expected a text")
    return str(data["name"])


def _counts(data: Any) -> dict[str, int]:
    if not isinstance(data, dict) or not all(type(count) is int and 0 <= count < 2**31 for count in data.values()):
        raise FormatError(f"the numbers of names given out are {shown(data)}, expected counts from 0")
    return data
