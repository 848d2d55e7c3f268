"""Writes down training for TensorBoard: curves, distributions of the weights, and the graph."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from graphdl.errors import GraphError
from graphdl.ir.graph import Graph
from graphdl.ir.types import TensorType
from graphdl.keras.callbacks.base import Callback
from graphdl.keras.callbacks.eventfile import EventFile, GraphNode
from graphdl.keras.checks import integer

# What TensorFlow allows in the name of a node.
_FORBIDDEN = re.compile(r"[^A-Za-z0-9_.\\/>-]")


class TensorBoard(Callback):
    """Writes events for TensorBoard under `log_dir`: ``tensorboard --logdir logs`` shows them.

    histogram_freq   every so many epochs, the distribution of each weight; 0 for never
    write_graph      the graph of the prediction, with layers as scopes
    update_freq      "epoch", "batch", or a number of batches after which loss and metrics are written besides

    Curves are called ``epoch_loss`` and so on, those of the training under ``train``, those of the validation under
    ``validation``.
    """

    watches_only = True
    fleeting = ("log_dir", "histogram_freq", "write_graph", "write_steps_per_second", "update_freq", "_files", "_began")

    def __init__(
        self,
        log_dir: str | os.PathLike[str] = "logs",
        histogram_freq: int = 0,
        write_graph: bool = True,
        write_images: bool = False,
        write_steps_per_second: bool = False,
        update_freq: str | int = "epoch",
        profile_batch: Any = 0,
        embeddings_freq: int = 0,
        embeddings_metadata: Any = None,
    ) -> None:
        unsupported = {"write_images": write_images, "profile_batch": profile_batch, "embeddings_freq": embeddings_freq}
        for name, value in unsupported.items():
            if value:
                raise GraphError(f"TensorBoard: {name} is {value!r:.40}; it is not written here, expected {name}=0")
        self.log_dir = Path(log_dir)
        self.histogram_freq = integer("TensorBoard: histogram_freq", histogram_freq, 0)
        self.write_graph = write_graph
        self.write_steps_per_second = write_steps_per_second
        self.update_freq = 1 if update_freq == "batch" else update_freq
        if update_freq not in ("epoch", "batch"):
            integer("TensorBoard: update_freq", update_freq, 0)
        self._files: dict[str, EventFile] = {}

    def on_train_begin(self, logs: Any = None) -> None:
        """Open the file of the training, and write the graph into it."""
        self._files = {}
        self._steps = 0
        self._began = 0.0
        train = self._file("train")
        if self.write_graph:
            train.graph(list(graph_nodes(Graph(self.model.outputs))))
        train.flush()

    def on_epoch_begin(self, epoch: int, logs: Any = None) -> None:
        """Look at the clock."""
        self._began, self._before = _now(), self._steps

    def on_train_batch_end(self, batch: int, logs: Any = None) -> None:
        """Write loss and metrics, where it is time."""
        self._steps += 1
        if isinstance(self.update_freq, int) and self.update_freq and self._steps % self.update_freq == 0:
            self._file("train").scalars({f"batch_{name}": v for name, v in _numbers(logs)}, self._steps)

    def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
        """Write the numbers of the epoch, and the weights where it is time."""
        found = dict(_numbers(logs))
        train = {f"epoch_{name}": value for name, value in found.items() if not name.startswith("val_")}
        held_out = {f"epoch_{name[4:]}": value for name, value in found.items() if name.startswith("val_")}
        if self.write_steps_per_second:
            train["epoch_steps_per_second"] = (self._steps - self._before) / max(_now() - self._began, 1e-9)
        self._file("train").scalars(train, epoch)
        if held_out:
            self._file("validation").scalars(held_out, epoch)
        if self.histogram_freq and epoch % self.histogram_freq == 0:
            names = self.model.variable_names
            arrays = dict(zip(names, self.model.get_weights(), strict=True))
            self._file("train").histograms(arrays, epoch)
        for file in self._files.values():
            file.flush()

    def on_train_end(self, logs: Any = None) -> None:
        """Close the files."""
        for file in self._files.values():
            file.close()
        self._files = {}

    def _file(self, name: str) -> EventFile:
        if name not in self._files:
            self._files[name] = EventFile(self.log_dir / name)
        return self._files[name]


def graph_nodes(graph: Graph) -> Iterator[GraphNode]:
    """The nodes of `graph` for TensorBoard, each under a name of its own; slashes part the scopes."""
    taken: set[str] = set()
    names: dict[Any, str] = {}
    for node in graph.nodes:
        base = _FORBIDDEN.sub("_", graph.names[node]).strip("/") or "node"
        base = base if base[0].isalnum() or base[0] == "." else f"n{base}"
        name, count = base, 0
        while name in taken:
            count += 1
            name = f"{base}_{count}"
        taken.add(name)
        names[node] = name
        sizes = [d if isinstance(d, int) else None for d in node.shape] if isinstance(node.type, TensorType) else None
        yield GraphNode(name, node.op.name, [names[source] for source in node.inputs], sizes)


def _numbers(logs: Mapping[str, Any] | None) -> Iterator[tuple[str, float]]:
    for name, value in (logs or {}).items():
        if isinstance(value, int | float):
            yield name, float(value)


def _now() -> float:
    from time import perf_counter

    return perf_counter()
