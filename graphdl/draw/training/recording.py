"""A recording of training: what a model was like at some of its steps. Plain data, kept as JSON."""

from __future__ import annotations

import base64
import json
import os
from collections.abc import Sequence
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import TYPE_CHECKING, Any

from graphdl.errors import FormatError
from graphdl.files import write_atomically

if TYPE_CHECKING:
    from graphdl.draw.notebook import Framed
    from graphdl.draw.training.figures import Figure

FORMAT = "graphdl recording 1"
QUANTITIES = ("weights", "activations", "gradients")

# None stands for a number that is not finite, which JSON has no word for.
Number = float | None


@dataclass(frozen=True)
class Layer:
    """A layer with a kernel; `activation` names the function its result goes through, "" for none.

    units   in its result, for each example
    """

    name: str
    activation: str
    units: int


@dataclass(frozen=True)
class Weight:
    """A trained variable; `layer` is the place of its layer, None for one without a kernel."""

    name: str
    layer: int | None
    is_kernel: bool
    shape: tuple[int, ...]


@dataclass(frozen=True)
class Bins:
    """Intervals of one width beside each other, the first from `low`; the same ones for all snapshots."""

    low: float
    width: float
    count: int


@dataclass(frozen=True)
class Curve:
    """One number watched by `fit`, after each epoch; `steps` are counted from the beginning of training."""

    name: str
    steps: tuple[int, ...]
    values: tuple[Number, ...]


@dataclass(frozen=True)
class Surface:
    """How the prediction for inputs of two features is drawn: a grid of `size` x `size` cells over `extent`.

    kind     "binary": probability of class 1; "classes": the most probable of several; "value": a number
    extent   left, right, bottom, top
    low, high   predictions that the bytes 0 and 255 stand for
    points   the fixed examples, with their `targets`: class numbers, or the wanted values
    """

    kind: str
    extent: tuple[float, float, float, float]
    size: int
    classes: int
    low: float
    high: float
    points: tuple[tuple[float, float], ...]
    targets: tuple[float, ...]

    @property
    def has_border(self) -> bool:
        """Whether two classes are told apart by where the prediction passes its middle."""
        return self.kind == "binary" or (self.kind == "value" and len(set(self.targets)) == 2)

    @property
    def places(self) -> tuple[int | None, ...]:
        """The class of each example; None where a number is wanted that is no class."""
        if self.kind != "value":
            return tuple(map(int, self.targets))
        return tuple(int(t > min(self.targets)) if self.has_border else None for t in self.targets)

    def level(self, byte: int) -> float:
        """The prediction that a byte of a grid stands for; not for several classes."""
        return self.low + (self.high - self.low) * byte / 255

    def winner(self, byte: int) -> tuple[int, float]:
        """The most probable of several classes and its probability, as `byte` holds them both.

        >>> Surface("classes", (0, 1, 0, 1), 50, 3, 0, 1, (), ()).winner(169)
        (1, 1.0)
        """
        levels = 256 // self.classes
        place, rest = divmod(min(byte, levels * self.classes - 1), levels)
        return place, rest / (levels - 1)


@dataclass(frozen=True)
class Snapshot:
    """What was measured after `step` steps, on the fixed examples.

    scores          loss and metrics, without what only training does, such as dropout
    gradient_norms  of the training loss, for each variable; the masks of dropout are the same in all snapshots
    weight_norms, update_ratios   ||w||, and ||dw|| / ||w|| for the step the optimizer would take on these examples
    dead            for each layer, the share of units that are 0 for every example; None for other than ReLU
    histograms      for each of `QUANTITIES`, counts for each layer in the recording's bins
    grid            the prediction as bytes, row by row from the top; empty where there is no surface
    """

    step: int
    epoch: float
    scores: dict[str, Number]
    gradient_norms: tuple[Number, ...]
    weight_norms: tuple[Number, ...]
    update_ratios: tuple[Number, ...]
    dead: tuple[Number, ...]
    histograms: dict[str, tuple[tuple[int, ...], ...]]
    grid: bytes = b""


@dataclass(frozen=True)
class Recording:
    """A training run: its layers and variables, the curves `fit` saw, and snapshots in the order of their steps.

    chain   whether the layers stand one behind the other, so that a gradient passes through all of them
    rate    of learning
    bins    for each of `QUANTITIES`, those of each layer
    """

    title: str
    layers: tuple[Layer, ...]
    weights: tuple[Weight, ...]
    chain: bool
    optimizer: str
    rate: float
    batch_size: int
    examples: int
    curves: tuple[Curve, ...]
    bins: dict[str, tuple[Bins, ...]]
    snapshots: tuple[Snapshot, ...]
    surface: Surface | None = None

    def at(self, snapshot: int) -> Snapshot:
        """The snapshot of that number, from 0; from the end where it is negative."""
        if not -len(self.snapshots) <= snapshot < len(self.snapshots):
            raise FormatError(f"there is no snapshot {snapshot}; {self.title!r} has {len(self.snapshots)}, from 0")
        return self.snapshots[snapshot]

    def up_to(self, step: int) -> Snapshot:
        """The last snapshot that was taken when `step` steps were done."""
        return [s for s in self.snapshots if s.step <= step][-1]

    @property
    def names(self) -> tuple[str, ...]:
        """The numbers that were watched: "loss" first."""
        return tuple(self.snapshots[0].scores) if self.snapshots else ()

    def kernel_norms(self, snapshot: Snapshot) -> list[Number]:
        """The norm of the gradient of each layer's kernel, from the first layer to the last."""
        found: list[Number] = [None] * len(self.layers)
        for weight, norm in zip(self.weights, snapshot.gradient_norms, strict=True):
            if weight.is_kernel and weight.layer is not None:
                found[weight.layer] = norm
        return found

    def figure(
        self,
        kind: str = "loss",
        *others: Recording,
        snapshot: int = -1,
        theme: str = "light",
        language: str = "en",
    ) -> Figure:
        """The picture "loss", "gradients", "surface" or "histograms", of `others` beside this one on the same scale."""
        from graphdl.draw.training.figures import figure

        return figure((self, *others), kind, snapshot=snapshot, theme=theme, language=language)

    def player(self, *others: Recording, height: int = 900, language: str = "en", theme: str = "auto") -> Framed:
        """The page to be shown in a notebook, `height` pixels high, with `others` beside this run."""
        from graphdl.draw.notebook import framed
        from graphdl.draw.training.page import training_page

        still = self.figure("gradients", *others, language=language)
        page = training_page((self, *others), language, theme)
        return framed(page, height, lambda: still.scene, lambda: still.scene.title)

    def to_json(self) -> str:
        """The recording as one line of JSON."""
        return json.dumps({"format": FORMAT} | _plain(asdict(self)), allow_nan=False, ensure_ascii=False)

    @classmethod
    def from_json(cls, text: str) -> Recording:
        """The recording that `to_json` wrote; FormatError for anything else."""
        try:
            found = json.loads(text)
        except ValueError as error:
            raise FormatError(f"a recording is JSON, found something else: {error}") from None
        if not isinstance(found, dict) or found.pop("format", None) != FORMAT:
            raise FormatError(f"this is no recording of training; its format is not {FORMAT!r}")
        try:
            return _recording(found)
        except (TypeError, KeyError, ValueError, AttributeError) as error:
            raise FormatError(f"the recording is damaged: {error}") from None

    def save(self, path: str | os.PathLike[str]) -> Path:
        """Write the recording as JSON, or, where `path` ends in .html, as a page to look at."""
        if Path(path).suffix.lower() != ".html":
            return write_atomically(path, self.to_json())
        from graphdl.draw.training.page import training_page

        return write_atomically(path, training_page(self))

    @classmethod
    def load(cls, path: str | os.PathLike[str]) -> Recording:
        """The recording in a file that `save` wrote as JSON."""
        try:
            return cls.from_json(Path(path).read_text("utf-8"))
        except (OSError, UnicodeDecodeError) as error:
            raise FormatError(f"cannot read the recording {str(path)!r}: {error}") from None


def _plain(value: Any) -> Any:
    """`value` in the words of JSON; bytes as base64."""
    if isinstance(value, dict):
        return {key: _plain(part) for key, part in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(part) for part in value]
    return base64.b64encode(value).decode() if isinstance(value, bytes) else value


def _recording(found: dict[str, Any]) -> Recording:
    surface = found.pop("surface")
    made = {
        "layers": _each(Layer, found.pop("layers")),
        "weights": _each(Weight, found.pop("weights")),
        "curves": _each(Curve, found.pop("curves")),
        "bins": {key: _each(Bins, found["bins"][key]) for key in QUANTITIES},
        "snapshots": _each(Snapshot, found.pop("snapshots")),
        "surface": None if surface is None else _made(Surface, surface),
    }
    return Recording(**found | made)


def _each(kind: type[Any], found: Sequence[dict[str, Any]]) -> tuple[Any, ...]:
    return tuple(_made(kind, one) for one in found)


def _made(kind: type[Any], found: dict[str, Any]) -> Any:
    """One of our small classes from its fields: lists become tuples, base64 bytes."""
    names = {field.name for field in fields(kind)}
    for name in sorted(names ^ set(found)):
        problem = f"lacks {name!r}" if name in names else f"has {name!r}, which is none of its fields"
        raise ValueError(f"a {kind.__name__.lower()} {problem}")
    values = {key: _frozen(value) for key, value in found.items()}
    if "grid" in values:
        values["grid"] = base64.b64decode(values["grid"], validate=True)
    return kind(**values)


def _frozen(value: Any) -> Any:
    if isinstance(value, list):
        return tuple(map(_frozen, value))
    return {key: _frozen(part) for key, part in value.items()} if isinstance(value, dict) else value
