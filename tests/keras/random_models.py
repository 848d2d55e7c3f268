"""Random models of any Keras, with losses, metrics and optimizers: the same for the same seed in either library.

A `Grower` draws layers that fit the shape at hand until there are heads with a loss each. `noise` says whether layers
may draw random numbers, which two libraries draw differently.
"""

from __future__ import annotations

from functools import cache
from typing import Any

import numpy as np

from tests.keras.random_layers import Drawer

KINDS = ("sequential", "functional", "nested", "subclassed")
CLASSES, WORDS = 3, 7


class Grower(Drawer):
    """Draws one model."""

    def __init__(self, k: Any, seed: int, noise: bool = True, dtype: str = "float32") -> None:
        super().__init__(k, seed, noise)
        self.dtype = dtype
        self.kind = self.pick(*KINDS)
        self.per_step = False

    def part(self, shape):
        """A model within the model."""
        x = first = self.k.Input(shape[1:], dtype=self.dtype)
        for _ in range(self.r.randint(1, 2)):
            x = self.layer(shape_of(x))(x)
        self.used.append("part")
        return self.k.Model(first, x)

    def step(self, x: Any) -> Any:
        """`x` one layer on, by itself or by way of two branches."""
        shape = shape_of(x)
        how = self.r.random()
        if self.kind == "sequential" or how < 0.65 or None in shape[1:]:
            return self.layer(shape)(x)
        if how < 0.73 and len(shape) == 3:
            return self.attention(x)
        if how < 0.85:
            return self.branches(x)
        return self.layer(shape)(x) if self.kind != "nested" else self.part(shape)(x)

    def attention(self, x: Any) -> Any:
        k = self.k.layers
        self.used.append("attention")
        which, shape = self.r.random(), shape_of(x)
        if which < 0.6:
            options = {"dropout": 0.2} if self.noise and self.chance(0.3) else {}
            options |= self.some(value_dim=lambda: 3, use_bias=lambda: False, output_shape=lambda: 4)
            layer = k.MultiHeadAttention(self.r.randint(1, 3), self.r.randint(1, 4), **options)
            called = {"use_causal_mask": True} if self.chance(0.3) else {}
            return layer(x, x, **called)
        other = k.Dense(shape[-1])(x)
        return (k.Attention(use_scale=self.chance(0.5)) if which < 0.8 else k.AdditiveAttention())([x, other])

    def branches(self, x: Any) -> Any:
        k, shape = self.k.layers, shape_of(x)
        self.used.append("branches")
        shared = k.Dense(shape[-1], **self.common("kernel"))
        a = shared(x)
        b = shared(a) if self.chance(0.4) else k.Activation(self.activation())(x)
        which = self.pick(
            "Add", "Subtract", "Multiply", "Average", "Maximum", "Minimum", "Concatenate", "Dot", "+", "*"
        )
        if which == "Concatenate":
            return k.Concatenate(axis=self.r.randint(1, len(shape) - 1))([a, x, b])
        if which == "Dot":
            return k.Dot(axes=len(shape) - 1, normalize=self.chance(0.5))([a, b]) if len(shape) < 4 else k.Add()([a, b])
        if which in "+*":
            return a + b if which == "+" else a * 0.5 + b * x
        return self.plain(which)([a, b])

    def bounded(self, x: Any) -> Any:
        """`x`, made smaller where it has grown large."""
        shape, k = shape_of(x), self.k.layers
        if None in shape[1:] or np.prod(shape[1:]) <= 150 or len(shape) == 2:
            return x
        return k.GlobalAveragePooling1D()(x) if len(shape) == 3 else k.MaxPooling2D(4, padding="same")(x)

    def flat(self, x: Any) -> Any:
        """`x` as one vector an example."""
        shape, k = shape_of(x), self.k.layers
        if len(shape) == 2:
            return x
        if None in shape[1:] and len(shape) == 4:
            x = k.TimeDistributed(k.Flatten())(x)
        if None in shape[1:]:
            return self.pick(k.GlobalMaxPooling1D, k.GlobalAveragePooling1D)()(x)
        ways = [k.Flatten, k.Flatten]
        ways += [k.GlobalAveragePooling1D, k.GlobalMaxPooling1D, self.recurrent] if len(shape) == 3 else []
        ways += [k.GlobalAveragePooling2D, k.GlobalMaxPooling2D] if len(shape) == 4 else []
        way = self.pick(*ways)
        return (way(False) if way == self.recurrent else way())(x)

    def source(self, i: int) -> tuple[Any, Any]:
        """An input and what grows from it."""
        k, which = self.k, self.pick("vector", "series", "image", "tokens", "unknown", "vector")
        name = f"in{i}"
        if which == "vector":
            x = k.Input((self.r.randint(1, 6),), name=name, dtype=self.dtype)
            return x, x
        if which == "series":
            x = k.Input((self.r.randint(2, 7), self.r.randint(1, 4)), name=name, dtype=self.dtype)
            return x, x
        if which == "unknown":
            x = k.Input((None, self.r.randint(1, 4)), name=name, dtype=self.dtype)
            return x, x
        if which == "image":
            x = k.Input((self.r.randint(3, 7), self.r.randint(3, 7), self.r.randint(1, 3)), name=name, dtype=self.dtype)
            return x, x
        x = k.Input((self.pick(4, 6, None),), name=name, dtype="int32")
        options = {"mask_zero": self.chance(0.6), **self.some(embeddings_regularizer=self.regularizer)}
        return x, k.layers.Embedding(WORDS, self.r.randint(1, 4), **options)(x)

    def grown(self, x: Any, most: int = 4) -> Any:
        for _ in range(self.r.randint(0, most)):
            x = self.bounded(self.step(x))
        return x

    def model(self) -> Any:
        """The model, not compiled; `heads` has what its outputs are."""
        if self.kind == "subclassed":
            return self.subclassed()
        count = 1 if self.kind == "sequential" else self.pick(1, 1, 2, 3)
        ends = [self.source(i) for i in range(count)]
        self.inputs = [x for x, _ in ends]
        bodies = [self.grown(x) for _, x in ends]
        per_step = self.per_step = count == 1 and len(shape_of(bodies[0])) == 3 and self.chance(0.4)
        if per_step:
            body = bodies[0]
        else:
            flats = [self.flat(x) for x in bodies]
            body = flats[0] if count == 1 else self.k.layers.Concatenate()(flats)
        body = body if per_step else self.grown_flat(body)
        self.heads = [self.head(i) for i in range(1 if self.kind == "sequential" else self.pick(1, 1, 2))]
        outputs = [layer(body) for layer in (h.pop("layer") for h in self.heads)]
        made = self.k.Model(self.inputs if count > 1 else self.inputs[0], outputs if len(outputs) > 1 else outputs[0])
        if self.kind == "sequential" and not per_step:
            return self.in_a_row(made)
        return made

    def in_a_row(self, made: Any) -> Any:
        """The same layers as a Sequential."""
        layers = [layer for layer in made.layers if type(layer).__name__ != "InputLayer"]
        first = self.inputs[0]
        return self.k.Sequential(
            [self.k.Input(shape_of(first)[1:], dtype=str(np.dtype(dtype_of(first))), name="in0"), *layers]
        )

    def grown_flat(self, x: Any) -> Any:
        k = self.k.layers
        if shape_of(x)[-1] > 40:
            x = k.Dense(8, activation="tanh")(x)
        for _ in range(self.r.randint(0, 2)):
            x = self.step(x)
        return self.flat(x)

    def head(self, i: int) -> dict[str, Any]:
        """A last layer, with a loss that fits and metrics."""
        k, name, which = self.k, f"out{i}", self.pick(*HEADS)
        units, activation, losses, metrics = HEADS[which]
        loss, arguments = self.pick(*losses)
        arguments = dict(arguments)
        if self.chance(0.15):
            arguments["reduction"] = self.pick("sum", "mean_with_sample_weight")
        metric = self.pick(
            [], [], ["accuracy"] if "class" in which or which == "binary" else ["mae"], [self.pick(*metrics)]
        )
        return {
            "name": name,
            "kind": which,
            "layer": k.layers.Dense(units, activation=activation, name=name, **self.weights("kernel")),
            "loss": getattr(k.losses, loss)(**arguments),
            "metrics": [m if isinstance(m, str) else getattr(k.metrics, m[0])(**m[1]) for m in metric],
        }

    def subclassed(self) -> Any:
        self.heads = [self.head(0)]
        layer = self.heads[0].pop("layer")
        made = class_of(self.k)(self.seed, layer.units, HEADS[self.heads[0]["kind"]][1], self.noise)
        made.build((None, 4))
        return made

    def schedule(self) -> Any:
        s = self.k.optimizers.schedules
        return self.pick(
            s.ExponentialDecay(0.02, 3, 0.9),
            s.CosineDecay(0.02, 8),
            s.PiecewiseConstantDecay([2, 4], [0.02, 0.01, 0.005]),
            s.PolynomialDecay(0.02, 6),
            s.InverseTimeDecay(0.02, 3, 0.5, staircase=True),
            s.CosineDecayRestarts(0.02, 4),
        )

    def optimizer(self) -> Any:
        name = self.pick(*OPTIMIZERS)
        rate = self.schedule() if self.chance(0.25) else self.pick(0.01, 0.03)
        options = self.some(
            **{self.pick("clipnorm", "clipvalue", "global_clipnorm"): lambda: 0.5},
            use_ema=lambda: True,
            gradient_accumulation_steps=lambda: 2,
        )
        if name != "AdamW" and name != "Muon":
            options |= self.some(weight_decay=lambda: 0.05)
        options |= {
            "SGD": self.some(momentum=lambda: 0.8, nesterov=lambda: True),
            "RMSprop": self.some(momentum=lambda: 0.5, centered=lambda: True),
            "Adam": self.some(amsgrad=lambda: True),
        }.get(name, {})
        if options.get("use_ema"):
            options |= self.some(ema_overwrite_frequency=lambda: 2, ema_momentum=lambda: 0.6)
        self.used.append(f"optimizer {name}")
        return getattr(self.k.optimizers, name)(learning_rate=rate, **options)

    def compiled(self) -> Any:
        """The model with an optimizer, losses and metrics."""
        model = self.model()
        losses = [h["loss"] for h in self.heads]
        metrics = [h["metrics"] for h in self.heads]
        weights = {"loss_weights": [0.5, 2.0][: len(losses)]} if len(losses) > 1 and self.chance(0.5) else {}
        optimizer = self.optimizer()
        one = len(losses) == 1
        model.compile(optimizer, losses[0] if one else losses, metrics=metrics[0] if one else metrics, **weights)
        return model

    def fit_arguments(self, count: int, noise: bool) -> dict[str, Any]:
        """How to fit."""
        options: dict[str, Any] = {"batch_size": self.pick(3, 4, 5, 32), "epochs": self.pick(1, 2, 3)}
        options |= {"validation_split": 0.25} if self.chance(0.3) else {}
        kinds = [h["kind"] for h in self.heads]
        if not self.per_step and self.chance(0.3):
            w = np.random.default_rng(self.seed).uniform(0.2, 2, count).astype("float32")
            options["sample_weight"] = w if len(kinds) == 1 else [w] * len(kinds)
        elif not self.per_step and kinds in (["classes"], ["one hot classes"], ["class logits"]) and self.chance(0.5):
            options["class_weight"] = {0: 1.0, 1: 2.0, 2: 0.5}
        options["shuffle"] = noise and self.chance(0.5)
        return options


OPTIMIZERS = [
    "SGD",
    "RMSprop",
    "Adam",
    "AdamW",
    "Adadelta",
    "Adagrad",
    "Adamax",
    "Nadam",
    "Ftrl",
    "Lion",
    "Lamb",
    "Adafactor",
]

HEADS: dict[str, Any] = {
    "numbers": (
        2,
        None,
        [
            ("MeanSquaredError", {}),
            ("MeanAbsoluteError", {}),
            ("Huber", {"delta": 0.5}),
            ("LogCosh", {}),
            ("CosineSimilarity", {}),
            ("MeanAbsolutePercentageError", {}),
        ],
        [("MeanSquaredError", {}), ("RootMeanSquaredError", {}), ("R2Score", {}), ("CosineSimilarity", {})],
    ),
    "number": (
        1,
        None,
        [("MeanSquaredError", {}), ("Huber", {})],
        [("MeanAbsoluteError", {}), ("RootMeanSquaredError", {})],
    ),
    "positive": (2, "softplus", [("Poisson", {}), ("MeanSquaredLogarithmicError", {})], [("MeanAbsoluteError", {})]),
    "binary": (
        1,
        "sigmoid",
        [
            ("BinaryCrossentropy", {}),
            ("BinaryFocalCrossentropy", {"apply_class_balancing": True}),
            ("BinaryCrossentropy", {"label_smoothing": 0.1}),
        ],
        [("BinaryAccuracy", {}), ("Precision", {}), ("Recall", {}), ("AUC", {"num_thresholds": 20})],
    ),
    "binary logits": (
        1,
        None,
        [("BinaryCrossentropy", {"from_logits": True}), ("Hinge", {}), ("SquaredHinge", {})],
        [("BinaryAccuracy", {"threshold": 0.0})],
    ),
    "one hot classes": (
        CLASSES,
        "softmax",
        [
            ("CategoricalCrossentropy", {}),
            ("CategoricalCrossentropy", {"label_smoothing": 0.1}),
            ("CategoricalFocalCrossentropy", {}),
            ("KLDivergence", {}),
            ("CategoricalHinge", {}),
            ("Dice", {}),
            ("Tversky", {}),
        ],
        [
            ("CategoricalAccuracy", {}),
            ("TopKCategoricalAccuracy", {"k": 2}),
            ("F1Score", {"average": "macro"}),
            ("KLDivergence", {}),
        ],
    ),
    "classes": (
        CLASSES,
        "softmax",
        [("SparseCategoricalCrossentropy", {}), ("CategoricalGeneralizedCrossEntropy", {"q": 0.4})],
        [("SparseCategoricalAccuracy", {}), ("SparseTopKCategoricalAccuracy", {"k": 2})],
    ),
    "class logits": (
        CLASSES,
        None,
        [("SparseCategoricalCrossentropy", {"from_logits": True})],
        [("SparseCategoricalAccuracy", {})],
    ),
}


@cache
def class_of(k: Any) -> Any:
    """A model written as a class, of that library."""

    class Written(k.Model):
        def __init__(self, seed: int, units: int, activation: Any, noise: bool, **others: Any) -> None:
            super().__init__(**others)
            self.seed, self.units, self.activation, self.noise = seed, units, activation, noise
            g = Drawer(k, seed, noise)
            self.first = k.layers.Dense(4, "tanh")
            makers = (g.make_BatchNormalization, g.make_LayerNormalization, g.make_PReLU)
            self.blocks = [g.pick(*makers)((None, 4)) for _ in range(2)]
            self.drop = k.layers.Dropout(0.3 if noise else 0.0)
            self.last = k.layers.Dense(units, activation, name="out0")

        def call(self, x: Any, training: bool = False) -> Any:
            x = self.first(x)
            for block in self.blocks:
                x = block(x) + x
            return self.last(self.drop(x, training=training))

    return Written


def dtype_of(x: Any) -> str:
    return str(getattr(x.dtype, "name", x.dtype))


def shape_of(x: Any) -> tuple[Any, ...]:
    """Sizes, None where they are not known."""
    return tuple(size if isinstance(size, int) else None for size in x.shape)


def examples(model: Any, heads: Any, seed: int, count: int, dtype: str = "float32") -> tuple[list[Any], list[Any]]:
    """Inputs and targets for `count` examples; unknown lengths become 5."""
    rng = np.random.default_rng(seed)
    xs = []
    for node in model.inputs:
        shape = (count, *(size or 5 for size in shape_of(node)[1:]))
        kind = dtype_of(node)
        xs.append(tokens(rng, shape) if "int" in kind else rng.normal(size=shape).astype(kind))
    ys = []
    for node, head in zip(model.outputs, heads, strict=True):
        shape = (count, *(size or 5 for size in shape_of(node)[1:]))
        ys.append(
            target(rng, head["kind"], shape).astype("int64" if head["kind"] in ("classes", "class logits") else dtype)
        )
    return xs, ys


def tokens(rng: Any, shape: tuple[int, ...]) -> Any:
    """Rows of words, zeros behind them."""
    lengths = rng.integers(1, shape[1] + 1, (shape[0], 1))
    return (rng.integers(1, WORDS, shape) * (np.arange(shape[1]) < lengths)).astype("int32")


def target(rng: Any, kind: str, shape: tuple[int, ...]) -> Any:
    if kind in ("classes", "class logits"):
        return rng.integers(0, CLASSES, shape[:-1])
    if kind == "one hot classes":
        return np.eye(CLASSES)[rng.integers(0, CLASSES, shape[:-1])]
    if kind.startswith("binary"):
        return rng.integers(0, 2, shape)
    return rng.uniform(0.2, 2, shape) if kind == "positive" else rng.normal(size=shape) + 0.5
