"""Graphs as JSON files: a line a node, inputs first, with a hash over all of it. Nothing in a file is ever executed."""

from __future__ import annotations

import hashlib
import json
import os
from typing import Any, NoReturn

from graphdl.collection import collector_paused
from graphdl.errors import FormatError, GraphError
from graphdl.files import write_atomically
from graphdl.ir.encoding import shown
from graphdl.ir.graph import Graph
from graphdl.ir.leaves import Placeholder, VariableLeaf
from graphdl.ir.node import Node
from graphdl.ir.records import Places, described, hidden, node_of, record_of, reference
from graphdl.ir.traverse import ancestors

FORMAT = "graphdl graph"
VERSION = 1
MAX_BYTES = 256 << 20
MAX_NODES = 2_000_000

_CONTENT = ("nodes", "outputs", "updates", "sized_by")
Content = dict[str, list[Any]]


def save_graph(graph: Graph, path: str | os.PathLike[str]) -> None:
    """Write `graph` to the file at `path` as JSON, whole or not at all.

    Constants and the initial values of variables are in it, the values a session holds are not.

    Raises WriteError when the file cannot be written and GraphError for a graph above 256 MiB.
    """
    text = graph_to_json(graph)
    if len(text) > MAX_BYTES:
        raise GraphError(f"the graph takes {len(text)} bytes as JSON, expected at most {MAX_BYTES}")
    write_atomically(path, text)


def load_graph(path: str | os.PathLike[str]) -> Graph:
    """The graph in the file at `path`, as `save_graph` wrote it; FormatError for anything else."""
    try:
        with open(path, "rb") as file:
            data = file.read(MAX_BYTES + 1)
    except OSError as error:
        raise FormatError(f"cannot read {str(path)!r}: {error.strerror or error}") from error
    try:
        return graph_from_json(data)
    except FormatError as error:
        raise FormatError(f"{str(path)!r}: {error}") from None


def graph_to_json(graph: Graph) -> str:
    """`graph` as JSON text: nodes in the order of the listing, outputs, updates, and a hash over them."""
    content = _content(graph)
    head = {"format": FORMAT, "version": VERSION, "sha256": _digest(content)}
    lines = [f"{json.dumps(key)}: {json.dumps(value)}" for key, value in head.items()]
    lines += [f"{json.dumps(key)}: {_lines(value)}" for key, value in content.items()]
    return "{\n" + ",\n".join(lines) + "\n}\n"


@collector_paused()
def graph_from_json(text: str | bytes) -> Graph:
    """The graph that `text` describes; its JSON is equal to `text` again.

    Ops are looked up in the registry, attributes are checked against their declared types, every type is inferred
    again and compared. FormatError names the node, what was found and what was expected.
    """
    content = _checked(_parsed(text))
    nodes: list[Node] = []
    for place, record in enumerate(content["nodes"]):
        try:
            nodes.append(node_of(record, nodes))
        except FormatError as error:
            raise FormatError(f"{described(record, place)}: {error}") from None
    outputs = dict(_output(pair, nodes) for pair in content["outputs"])
    if len(outputs) != len(content["outputs"]):
        raise FormatError("two outputs have one name")
    sized_by = tuple(reference(nodes, place) for place in content["sized_by"])
    if not all(isinstance(node.op, Placeholder) for node in sized_by):
        raise FormatError("sizes are settled by placeholders, found another node")
    return Graph(outputs, _updates(content["updates"], nodes), sized_by)


def _content(graph: Graph) -> Content:
    order = _everything(graph)
    places = Places(order)
    return {
        "nodes": [record_of(node, places) for node in order],
        "outputs": [[name, places[node]] for name, node in graph.outputs.items()],
        "updates": [[places[variable], places[value]] for variable, value in graph.updates],
        "sized_by": [places[node] for node in graph.sized_by],
    }


def _everything(graph: Graph) -> list[Node]:
    """The nodes of the graph with those that initial values of variables are made of."""
    found = set(graph.nodes)
    fresh = found
    while fresh:
        initials = [initial for node in fresh if (initial := hidden(node)) is not None and initial not in found]
        fresh = set(ancestors(initials)) - found
        found |= fresh
    return ancestors(found)


def _lines(values: list[Any]) -> str:
    return "[\n" + ",\n".join(json.dumps(value) for value in values) + "\n]" if values else "[]"


def _digest(content: Content) -> str:
    """SHA-256 over the content in one canonical text, so that spaces do not count and every value does."""
    canonical = json.dumps(content, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(canonical.encode()).hexdigest()


def _parsed(text: str | bytes) -> dict[str, Any]:
    if len(text) > MAX_BYTES:
        raise FormatError(f"a graph takes more than {MAX_BYTES} bytes")
    try:
        document = json.loads(text, parse_constant=_refuse)
    except (ValueError, RecursionError) as error:
        raise FormatError(f"it is no JSON: {str(error) or 'nested too deep'}"[:200]) from None
    if not isinstance(document, dict) or document.get("format") != FORMAT:
        found = shown(document.get("format")) if isinstance(document, dict) else shown(document)
        raise FormatError(f"its format is {found}, expected {FORMAT!r}")
    return document


def _refuse(constant: str) -> NoReturn:
    raise ValueError(f"{constant} is no JSON number")


def _checked(document: dict[str, Any]) -> Content:
    """The content, when the version is known and the hash is right."""
    version = document.get("version")
    if type(version) is not int or version != VERSION:
        raise FormatError(f"its version is {shown(version)}, this graphdl reads {VERSION}")
    content = {key: document.get(key) for key in _CONTENT}
    for key, value in content.items():
        if not isinstance(value, list):
            raise FormatError(f"{key!r} is {shown(value)}, expected a list")
    if set(document) != {"format", "version", "sha256", *_CONTENT}:
        raise FormatError(f"it has {shown(sorted(document))}, expected format, version, sha256, {', '.join(_CONTENT)}")
    try:
        digest = _digest(content)  # type: ignore[arg-type]
    except RecursionError:
        raise FormatError("it is nested too deep") from None
    if document["sha256"] != digest:
        raise FormatError(f"it is damaged: its hash is {digest}, it says {shown(document['sha256'])}")
    return _few(content)  # type: ignore[arg-type]


def _few(content: Content) -> Content:
    if len(content["nodes"]) > MAX_NODES:
        raise FormatError(f"it has {len(content['nodes'])} nodes, expected at most {MAX_NODES}")
    return content


def _output(pair: Any, nodes: list[Node]) -> tuple[str, Node]:
    if not isinstance(pair, list) or len(pair) != 2 or not isinstance(pair[0], str):
        raise FormatError(f"an output is {shown(pair)}, expected a name and a node")
    return pair[0], reference(nodes, pair[1])


def _updates(pairs: list[Any], nodes: list[Node]) -> list[tuple[Node, Node]]:
    made: list[tuple[Node, Node]] = []
    for pair in pairs:
        if not isinstance(pair, list) or len(pair) != 2:
            raise FormatError(f"an update is {shown(pair)}, expected a variable and its new value")
        variable, value = (reference(nodes, place) for place in pair)
        if not isinstance(variable.op, VariableLeaf) or value.type != variable.type:
            raise FormatError(f"an update gives {variable.type} of a {variable.op.name} a value {value.type}")
        made.append((variable, value))
    if len({variable for variable, _ in made}) != len(made):
        raise FormatError("a variable is updated twice")
    return made
