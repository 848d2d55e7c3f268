"""Nodes as records of JSON, and back: ops come from the registry, types are inferred again and compared."""

from __future__ import annotations

import ntpath
from collections.abc import Callable, Mapping, Sequence
from functools import cache
from typing import Any

from graphdl.errors import FormatError, GraphdlError, GraphError, listed
from graphdl.ir import registry
from graphdl.ir.body import Body
from graphdl.ir.encoding import (
    as_dim,
    as_type,
    attributes_of,
    check_type,
    decoded_array,
    encoded,
    encoded_array,
    shown,
)
from graphdl.ir.leaves import Constant, Noise, Placeholder, Seed, Size, VariableLeaf
from graphdl.ir.node import Node, next_place, stands_for
from graphdl.ir.op import Op
from graphdl.ir.origin import Origin, Rewrite, User, Vjp
from graphdl.ir.text import plain
from graphdl.ir.traverse import ancestors
from graphdl.ir.types import TensorType

Record = dict[str, Any]

_KEYS = ("op", "type", "inputs", "name", "scope", "origin", "attributes")
_BODY = ("carries", "slices", "constants", "outputs")
_NOISE = ("uniform", "normal", "truncated_normal")


class Places(dict[Node, int]):
    """The place of each node in the file's list, and which of them stands for a node that is not in it."""

    def __init__(self, order: Sequence[Node]) -> None:
        super().__init__((node, place) for place, node in enumerate(order))
        # Of several in one place the first is the user's own, if it is there; else the last holds the value.
        self.standing: dict[int, Node] = {}
        for node in order:
            number = stands_for(node)
            first = self.standing.get(number)
            if first is None or not isinstance(first.origin, User):
                self.standing[number] = node

    def present(self, node: Node) -> Node | None:
        """`node`, or what stands for it; None when neither is in the file."""
        return node if node in self else self.standing.get(stands_for(node))


def record_of(node: Node, places: Places) -> Record:
    """`node` as JSON has it; what it refers to, it refers to by the place in the list of nodes."""
    record: Record = {"op": node.op.name, "type": str(node.type)}
    if node.inputs:
        record["inputs"] = [places[source] for source in node.inputs]
    if node.name is not None:
        record["name"] = node.name
    if node.scope:
        record["scope"] = node.scope
    origin = _origin_record(node, places)
    if origin:
        record["origin"] = origin
    attributes = _attributes(node.op, places)
    if attributes:
        record["attributes"] = attributes
    return record


def node_of(record: Any, before: Sequence[Node]) -> Node:
    """The node that `record` describes, over nodes `before` it; FormatError when it does not fit them."""
    _check_keys(record)
    inputs = tuple(reference(before, i) for i in _listed(record.get("inputs", [])))
    op = _op(record, before)
    try:
        found = op.infer(*[source.type for source in inputs])
        check_type(found)
        text = str(found)
    except GraphdlError as error:
        raise FormatError(str(error)) from None
    except Exception as error:
        # Ops trust the functions that build them; what a file says may break them anywhere.
        raise FormatError(f"it does not fit its inputs: {error!r:.200}") from None
    if text != record["type"]:
        raise FormatError(f"its type is {text}, the file says {shown(record['type'])}")
    name, scope = record.get("name"), record.get("scope", "")
    if not isinstance(scope, str) or (name is not None and (not isinstance(name, str) or not name)):
        raise FormatError(f"its name is {shown(name)} in scope {shown(scope)}, expected texts")
    return Node(op, inputs, found, name, scope, _origin(record.get("origin"), before), next_place())


def reference(before: Sequence[Node], place: Any) -> Node:
    """The node at `place` in the list, which must stand earlier."""
    if type(place) is not int or not 0 <= place < len(before):
        raise FormatError(f"it refers to node {shown(place)}, expected one of the {len(before)} before it")
    return before[place]


def hidden(node: Node) -> Node | None:
    """A node that `node` depends on without reading it: the initial value of a variable."""
    return node.op.initial if isinstance(node.op, VariableLeaf) else None


def body_record(body: Body) -> Record:
    """The body of a loop: its own list of nodes, and what they are for."""
    places = Places(ancestors([*body.outputs, *body.inputs]))
    parts = {part: [places[node] for node in getattr(body, part)] for part in _BODY}
    return {"nodes": [record_of(node, places) for node in places], **parts}


def body_of(data: Any) -> Body:
    """The body that `body_record` wrote; it must be closed."""
    if not isinstance(data, dict) or set(data) != {"nodes", *_BODY}:
        raise FormatError(f"attribute 'body': found {shown(data)}, expected an object of nodes, {', '.join(_BODY)}")
    nodes: list[Node] = []
    for place, record in enumerate(_listed(data["nodes"])):
        try:
            nodes.append(node_of(record, nodes))
        except FormatError as error:
            raise FormatError(f"body, {described(record, place)}: {error}") from None
    parts = {part: tuple(reference(nodes, place) for place in _listed(data[part])) for part in _BODY}
    body = Body(**parts)
    given = [node for node in nodes if isinstance(node.op, Placeholder | VariableLeaf | Noise)]
    if set(given) != set(body.inputs) or len(given) != len(body.inputs) or len(body.outputs) < len(body.carries):
        raise FormatError("attribute 'body': what it reads are not its carries, slices and constants, each once")
    return body


def _check_keys(record: Any) -> None:
    if not isinstance(record, dict):
        raise FormatError(f"it is {shown(record)}, expected an object")
    unknown = [key for key in record if key not in _KEYS]
    if unknown or not {"op", "type"} <= set(record):
        raise FormatError(f"it has {listed(record)}, expected op, type and some of {', '.join(_KEYS[2:])}")


def _listed(data: Any) -> list[Any]:
    if not isinstance(data, list):
        raise FormatError(f"its inputs are {shown(data)}, expected a list")
    return data


def _op(record: Record, before: Sequence[Node]) -> Op:
    name, attributes = record["op"], record.get("attributes", {})
    if not isinstance(name, str):
        raise FormatError(f"its op is {shown(name)}, expected a name")
    if name in _LEAVES:
        return _leaf(name, record, attributes, before)
    entry = registry.lookup(name)
    if isinstance(entry, type):
        if entry.is_leaf:
            raise FormatError(f"{name} nodes are made by the compiler and not read from files")
        return _made(entry, attributes_of(entry, attributes, {Body: body_of}))
    if attributes:
        raise FormatError(f"{name} has no attributes, found {shown(attributes)}")
    return entry


def _made(entry: type[Op], attributes: Mapping[str, Any]) -> Op:
    return entry(**attributes)


def _leaf(name: str, record: Record, attributes: Any, before: Sequence[Node]) -> Op:
    wanted, make = _LEAVES[name]
    if not isinstance(attributes, dict) or set(attributes) - _OPTIONAL.get(name, set()) != set(wanted):
        raise FormatError(f"attributes are {shown(attributes)}, expected {listed(wanted)}")
    return make(as_type(record["type"]), attributes, before)


def _variable(found: TensorType, attributes: Record, before: Sequence[Node]) -> Op:
    initial = reference(before, attributes["initial"])
    if initial.type != found or type(attributes["trainable"]) is not bool:
        raise FormatError(f"a variable {found} starts from {initial.type}, trainable {shown(attributes['trainable'])}")
    return VariableLeaf(found, initial, attributes["trainable"])


def _noise(found: TensorType, attributes: Record, before: Sequence[Node]) -> Op:
    if attributes["kind"] not in _NOISE or not found.is_float:
        raise FormatError(f"noise is {shown(attributes['kind'])} of {found}, expected floats, {' or '.join(_NOISE)}")
    return Noise(found, attributes["kind"], _seed(attributes.get("seed")))


def _seed(given: Any) -> Seed | None:
    if given is None:
        return None
    if not isinstance(given, list) or len(given) != 2 or not all(type(n) is int and 0 <= n < 2**63 for n in given):
        raise FormatError(f"the seed of noise is {shown(given)}, expected a seed and a stream")
    return given[0], given[1]


_LEAVES: dict[str, tuple[tuple[str, ...], Callable[[TensorType, Record, Sequence[Node]], Op]]] = {
    "placeholder": ((), lambda found, attributes, before: Placeholder(found)),
    "variable": (("initial", "trainable"), _variable),
    "constant": (("value",), lambda found, attributes, before: Constant(decoded_array(attributes["value"]))),
    "noise": (("kind",), _noise),
    "size": (("dim",), lambda found, attributes, before: Size(found.with_shape(()), as_dim(attributes["dim"]))),
}

# Attributes that a leaf need not have.
_OPTIONAL = {"noise": {"seed"}}


def _attributes(op: Op, places: Places) -> Record:
    if isinstance(op, VariableLeaf):
        return {"initial": places[op.initial], "trainable": op.trainable}
    if isinstance(op, Constant):
        return {"value": encoded_array(op.value)}
    if isinstance(op, Noise):
        return {"kind": op.kind} if op.seed is None else {"kind": op.kind, "seed": list(op.seed)}
    if isinstance(op, Size):
        return {"dim": encoded(op.dim)}
    if op.is_leaf and not isinstance(op, Placeholder):
        raise GraphError(f"a graph with {op.name} nodes was made by the compiler; save the graph it was made from")
    return {k: body_record(v) if isinstance(v, Body) else encoded(v) for k, v in op.attributes().items()}


def _origin_record(node: Node, places: Places) -> Record:
    """Where the node comes from, followed back until the node it names is in the file."""
    found = node.origin
    while not isinstance(found, User):
        named = found.of if isinstance(found, Vjp) else found.replaced
        source = places.present(named)
        if source is not None and places[source] < places[node]:
            return _derived(found, places[source], source is named)
        found = named.origin
    file = _file_name(found.file)
    return {"file": file, "line": found.line} if file and found.line else {}


def _derived(found: Vjp | Rewrite, place: int, is_named: bool) -> Record:
    """The slot is one of the node that was named, so it goes where another stands for that."""
    if isinstance(found, Rewrite):
        return {"rule": found.rule, "replaces": place}
    return {"vjp_of": place, "slot": found.slot} if is_named and found.slot is not None else {"vjp_of": place}


def _origin(data: Any, before: Sequence[Node]) -> Origin:
    if data is None:
        return User("", 0)
    keys = set(data) if isinstance(data, dict) else set()
    if keys == {"file", "line"}:
        return _user(data["file"], data["line"])
    if keys in ({"vjp_of"}, {"vjp_of", "slot"}):
        slot = data.get("slot")
        if slot is None or (type(slot) is int and slot >= 0):
            return Vjp(reference(before, data["vjp_of"]), slot)
    if keys == {"rule", "replaces"} and isinstance(data["rule"], str) and data["rule"].isidentifier():
        return Rewrite(data["rule"], reference(before, data["replaces"]))
    raise FormatError(f"its origin is {shown(data)}, expected file and line, vjp_of and slot, or rule and replaces")


def _user(file: Any, line: Any) -> User:
    """A line of a file without a folder: what a graph file says never becomes a path."""
    is_name = isinstance(file, str) and file != "" and _file_name(file) == file
    if not is_name or type(line) is not int or not 0 < line < 2**31:
        raise FormatError(f"its origin is line {shown(line)} of {shown(file)}, expected a file name and a number")
    return User(file, line)


@cache
def _file_name(file: str) -> str:
    """`file` without its folder; nothing where that is no printable name."""
    name = ntpath.basename(file)
    return name if name.isprintable() and len(name) < 256 else ""


def described(record: Any, place: int) -> str:
    """What an error calls the node at `place`: ``node 7 (matmul)``."""
    op = record.get("op") if isinstance(record, dict) else None
    return f"node {place} ({plain(op)})" if isinstance(op, str) else f"node {place}"
