"""One Python file that trains a model with NumPy alone, and ends in the same weights as the session, bit for bit."""

from __future__ import annotations

import base64
import io
import os
import zipfile
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from graphdl.compile.emit import Module, Style, emit
from graphdl.compile.kernels import kernel_text
from graphdl.errors import DataError, GraphError
from graphdl.export import sections
from graphdl.files import write_atomically
from graphdl.ir.leaves import Constant, Packed
from graphdl.ir.node import Node
from graphdl.ir.text import plain
from graphdl.keras import fitting
from graphdl.keras.fitting.given import Given, read
from graphdl.keras.models import Model
from graphdl.keras.shapes import shapes_of
from graphdl.keras.training import Training
from graphdl.runtime.compiled import Compiled

# Compressed examples up to this size go into the script; larger ones are read from a file.
MOST_EMBEDDED = 1 << 19
_LINE = 112


def script(
    model: Model,
    data: Any = None,
    style: Style = "readable",
    *,
    epochs: int | None = None,
    batch_size: int | None = None,
    seed: int | None = None,
    shuffle: bool | None = None,
    test_data: Any = None,
    class_weight: Mapping[int, float] | None = None,
) -> str:
    """The text of a script that trains `model`, compiled, from its initial values as `fit` does.

    data, test_data   pairs (x, y) as `fit` takes them; written into the script while they are small (half a
                      megabyte, compressed), otherwise given to it with ``--data``. Examples with weights of their own
                      are (x, y, sample_weight)
    style             "readable" for a pure function, a line a node; "fast" for the text that sessions run
    epochs ...        what the script does when it is not told otherwise; by default, what the last `fit` did
    class_weight      a weight for each class of the one output; that of the last `fit` as well

    Raises DataError for data that `fit` would refuse, and GraphError for a model that is not compiled.
    """
    if style not in ("readable", "fast"):
        raise GraphError(f"style is {style!r:.40}, expected 'readable' or 'fast'")
    if class_weight is None and model.last_fit:
        class_weight = model.last_fit.class_weight
    plan, examples = (model.training, {}) if data is None else _read(model, data, class_weight)
    made = _Script(model, plan, style)
    return made.text(_settings(model, epochs, batch_size, seed, shuffle), made.carried(examples, test_data))


def write_script(path: str | os.PathLike[str], model: Model, data: Any = None, **options: Any) -> Path:
    """Write `script(model, data, ...)` to the file at `path`, whole or not at all; WriteError where it cannot be."""
    return write_atomically(path, script(model, data, **options))


class _Script:
    """The programs of a model, trained as in `training`, and the text made of them."""

    def __init__(self, model: Model, training: Training, style: Style) -> None:
        self.model = model
        self.training = training
        self.style = style
        plan = model.training
        self.train = training.train_in(style)
        session = model.session
        variables = _held(self.train, [*model.variables, *self._sums(plan.evaluate)])
        self.state = {session.state.names[v]: v.dtype for v in variables}
        weights = (head.sample_weight for head in training.heads if head.sample_weight is not None)
        self.called = _called((*model.inputs, *plan.targets, *weights))
        self.step = emit(self.train.program, style)
        self.initial = self._function(session.initial_values(variables), "initial_values")
        self.predict = self._function(plan.predict, "predict")
        self.score = self._function(plan.evaluate, "score")

    @property
    def modules(self) -> tuple[Module, ...]:
        """Everything that was generated."""
        return self.step, self.initial, self.predict, self.score

    def text(self, settings: dict[str, str], examples: Mapping[str, Any]) -> str:
        """The whole script."""
        kernels = {name for module in self.modules for name in module.kernels} | {"permutation"}
        feeds = self._names(self.train)
        wrapper = sections.READABLE_STEP if self.style == "readable" else sections.FAST_STEP
        parts = [
            sections.HEADER.substitute(
                version=_version(),
                feeds=_listed(feeds),
                tests=_listed(feeds, "_test"),
                rate=" --lr 0.1" if self.model.optimizer.schedule is None else "",
            ),
            sections.SETTINGS.substitute(**settings, **self._facts()),
            sections.KERNELS.format(kernels="\n\n\n".join(kernel_text(kernels))),
            sections.DATA,
            self._constants(),
            sections.INITIAL.format(initial=self.initial.body),
            sections.STEP.format(step=self.step.body) + wrapper,
            sections.PREDICT.format(predict=self.predict.body, score=self.score.body),
            sections.TRAIN,
            sections.MAIN,
            sections.END.format(examples=_packed(examples) if examples else '""'),
        ]
        return "".join(parts)

    def _function(self, compiled: Compiled, name: str) -> Module:
        return emit(compiled.program, "readable", function=name)

    def _constants(self) -> str:
        arrays = {name: _value(node) for module in self.modules for name, node in module.constants.items()}
        return sections.CONSTANTS.format(arrays=_packed(arrays)) if arrays else ""

    def carried(self, examples: Mapping[Node, Any], tests: Any) -> dict[str, Any]:
        """The arrays by name; none when there are none, or they are too large for a script."""
        if not examples:
            return {}
        arrays = {self.called[node]: array for node, array in examples.items()}
        if tests is not None:
            held_out, _ = fitting.read_examples(self.model, *_parts("test_data", tests, 2))
            arrays |= {f"{self.called[node]}_test": array for node, array in held_out.items()}
        return arrays if len(_archive(arrays)) <= MOST_EMBEDDED else {}

    def _sums(self, evaluate: Compiled) -> list[Node]:
        """The variables in which metrics add up, in training and in scoring, which `evaluate` has met."""
        totals = (*self.training.scores.totals, *self.model.training.evaluation.totals)
        return [v for v in totals if v in evaluate.session.state.names]

    def _names(self, compiled: Compiled) -> tuple[str, ...]:
        """What the program is fed, by name, in its order."""
        return tuple(self.called[node] for node in compiled.placeholders)

    def _outputs(self) -> tuple[str, ...]:
        """Names of what a prediction gives; an output that is there twice is computed once."""
        first: dict[Node, str] = {}
        for node, name in zip(self.model.outputs, self.model.output_names, strict=True):
            first.setdefault(node, name)
        return tuple(first.values())

    def _feed(self, node: Node) -> tuple[Any, ...]:
        """Dtype and shape of one example; of a class number, how many classes there are and which does not count."""
        heads = {h.target: h for h in self.model.training.heads if h.loss.takes_classes}
        shape = tuple(size if isinstance(size, int) else str(size) for size in node.shape[1:])
        if node not in heads:
            return node.dtype, shape, None, None
        return node.dtype, shape, heads[node].inferred.shape[-1], heads[node].loss.ignore_class

    def _facts(self) -> dict[str, str]:
        plan, names = self.model.training, self.model.session.state.names
        rates = [names[rate] for rate in self.model.optimizer.rates if rate in names and names[rate] in self.state]
        return {
            "summary": "\n".join(f"#   {line}" for line in _summary(self.model)),
            "feeds": _dict({self.called[node]: self._feed(node) for node in self.train.placeholders}),
            "inputs": repr(self._names(plan.predict)),
            "scored": repr(self._names(plan.evaluate)),
            "scores": repr(plan.names),
            "outputs": repr(self._outputs()),
            "running": repr(tuple(name for name in plan.names if name in plan.scores.running)),
            "sums": repr(tuple(names[v] for v in self._sums(plan.evaluate))),
            "state": _dict(self.state),
            "at_once": repr(
                next((n.shape[0] for n in self.model.inputs if isinstance(n.shape[0], int)), fitting.BATCH_SIZE)
            ),
            "weights": _tuple(self.model.variable_names),
            "rates": _tuple(rates),
            "averages": _dict(self._averages()),
        }

    def _averages(self) -> dict[str, str]:
        """The names of weights with those of the averages that take their places when training ends."""
        names, kept = self.model.session.state.names, self.model.optimizer.averages
        return {names[v]: names[kept[v]] for v in self.model.training.variables if v in kept}


def _settings(
    model: Model, epochs: int | None, batch_size: int | None, seed: int | None, shuffle: bool | None
) -> dict[str, str]:
    """What the script does by default, as text."""
    last = model.last_fit
    found = {
        "epochs": epochs if epochs is not None else last.epochs if last else 1,
        "batch_size": batch_size or (last.batch_size if last else fitting.BATCH_SIZE),
        "seed": model.session.seed if seed is None else seed,
        "shuffle": shuffle if shuffle is not None else last.shuffle if last else True,
        "learning_rate": model.optimizer.learning_rate if model.optimizer.schedule is None else None,
        "schedule": None if model.optimizer.schedule is None else repr(model.optimizer.schedule),
    }
    return {name: repr(value) for name, value in found.items()}


def _called(placeholders: Iterable[Node]) -> dict[Node, str]:
    """A printable name for each placeholder."""
    names: dict[Node, str] = {}
    for node in placeholders:
        name = base = plain(node.label)
        count = 0
        while name in names.values():
            count += 1
            name = f"{base}_{count}"
        names[node] = name
    return names


def _read(
    model: Model, data: Any, class_weight: Mapping[int, float] | None
) -> tuple[Training, dict[Node, np.ndarray[Any, Any]]]:
    """The training that takes the examples, and their arrays."""
    x, y, weights = (*_parts("data", data, 3), None)[:3]
    model.build_for(x)
    plan, examples, _ = read(model, Given(x, y, weights, class_weight if weights is None else None))
    return plan, examples


def _parts(name: str, given: Any, most: int) -> Any:
    """The pair (x, y), or what else there may be."""
    if not isinstance(given, list | tuple) or not 2 <= len(given) <= most:
        more = " or (x, y, sample_weight)" if most > 2 else ""
        raise DataError(f"{name} is a {type(given).__name__}, expected a pair (x, y){more}")
    return given


def _held(compiled: Compiled, weights: Iterable[Node]) -> list[Node]:
    """The weights, and all other variables of the program, in the order the session met them."""
    met = [*compiled.graph.variables, *compiled.graph.packs, *(variable for variable, _ in compiled.graph.updates)]
    parts = {part for node in met for part in (node.op.parts if isinstance(node.op, Packed) else (node,))}
    parts |= set(weights)
    return [variable for variable in compiled.session.state.names if variable in parts]


def _value(node: Node) -> Any:
    assert isinstance(node.op, Constant)
    return node.op.value


def _summary(model: Model) -> list[str]:
    """A line a layer: its name, class, result and number of weights."""
    lines = []
    for node in model.calls:
        layer = node.call.layer
        params = f"{layer.count_params():,} weights" if layer.weights else ""
        lines.append(f"{plain(layer.name):<20} {type(layer).__name__:<12} {shapes_of(node)!s:<18} {params}".rstrip())
    return lines


def _tuple(items: Iterable[str]) -> str:
    """A tuple of texts, a line each."""
    lines = "".join(f"\n    {item!r}," for item in items)
    return f"({lines}\n)" if lines else "()"


def _dict(items: Mapping[str, Any]) -> str:
    """A dict, a line each."""
    lines = "".join(f"\n    {name!r}: {value!r}," for name, value in items.items())
    return f"{{{lines}\n}}" if lines else "{}"


def _listed(names: Iterable[str], suffix: str = "") -> str:
    """Names for the first lines of a script, which must not hold just any text."""
    return ", ".join(f"{name}{suffix}" if name.isidentifier() else "..." for name in names)


def _archive(arrays: Mapping[str, Any]) -> bytes:
    """The arrays as a compressed .npz: the same bytes for the same arrays."""
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, array in arrays.items():
            content = io.BytesIO()
            np.lib.format.write_array(content, np.asarray(array), allow_pickle=False)
            archive.writestr(zipfile.ZipInfo(f"{name}.npy"), content.getvalue(), zipfile.ZIP_DEFLATED)
    return packed.getvalue()


def _packed(arrays: Mapping[str, Any]) -> str:
    """The arrays as text between triple quotes."""
    text = base64.b64encode(_archive(arrays)).decode()
    lines = [text[i : i + _LINE] for i in range(0, len(text), _LINE)]
    return '"""\n' + "\n".join(lines) + '\n"""'


def _version() -> str:
    from graphdl import __version__

    return __version__
