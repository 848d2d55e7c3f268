"""Random layers of any Keras: the same draws, whichever library is handed over."""

from __future__ import annotations

import random
from functools import partial
from typing import Any

import numpy as np

from graphdl.keras import activations

ACTIVATIONS = sorted(name for name in activations.__all__ if name not in ("get", "swish"))
INITIALIZERS = [f"{scheme}_{kind}" for scheme in ("glorot", "he", "lecun") for kind in ("uniform", "normal")]


def wiggled(x: Any) -> Any:
    """A function of nodes, or of tensors."""
    return x - 0.1 * x * x


class Drawer:
    """Draws layers of the library `k` that fit the shape at hand."""

    def __init__(self, k: Any, seed: int, noise: bool = True) -> None:
        self.k, self.r, self.noise, self.seed = k, random.Random(seed), noise, seed
        self.used: list[str] = []

    def pick(self, *options: Any) -> Any:
        return self.r.choice(options)

    def chance(self, share: float) -> bool:
        return self.r.random() < share

    def some(self, **makers: Any) -> dict[str, Any]:
        """Each of these arguments, or its default."""
        return {name: make() for name, make in makers.items() if self.chance(0.2)}

    def initializer(self, role: str = "kernel") -> Any:
        i = self.k.initializers
        return self.pick(
            self.pick(*INITIALIZERS, "orthogonal") if "bias" not in role else "ones",
            i.RandomNormal(0.1, 0.3, seed=self.r.randint(0, 9)),
            i.TruncatedNormal(stddev=0.4),
            i.RandomUniform(-0.6, 0.5),
            i.VarianceScaling(2.0, "fan_avg", "uniform"),
            i.Constant(0.1),
        )

    def regularizer(self) -> Any:
        g = self.k.regularizers
        return self.pick(g.L1(0.01), g.L2(0.02), g.L1L2(0.01, 0.02), "l2")

    def constraint(self) -> Any:
        c = self.k.constraints
        return self.pick(c.MaxNorm(0.8), c.NonNeg(), c.UnitNorm(), c.MinMaxNorm(0.2, 0.9, 0.5), "max_norm")

    def activation(self) -> str:
        return self.pick(*ACTIVATIONS)

    def weights(self, *roles: str) -> dict[str, Any]:
        """Initializers, regularizers and constraints of the weights, an activation and a bias."""
        found = {}
        for role in roles:
            found |= self.some(
                **{
                    f"{role}_initializer": partial(self.initializer, role),
                    f"{role}_regularizer": self.regularizer,
                    f"{role}_constraint": self.constraint,
                }
            )
        return found

    def common(self, *roles: str) -> dict[str, Any]:
        options = {**self.weights(*roles, "bias"), **self.some(activity_regularizer=self.regularizer)}
        options |= {"activation": self.activation()} if self.chance(0.6) else {}
        options |= self.some(use_bias=lambda: False, trainable=lambda: self.chance(0.5))
        return options

    def layer(self, shape: tuple[Any, ...]) -> Any:
        """A layer for such inputs, (None, ...)."""
        known = None not in shape[1:]
        names = {2: VECTOR, 3: SERIES, 4: IMAGE}[len(shape)] + ANY
        names = [n for n in names if (known or n not in NEEDS_LENGTH) and (self.noise or n not in NOISY)]
        name = self.pick(*names)
        self.used.append(name)
        if "Pooling" in name:
            return self.pooling(name, shape)
        if name in NOISY:
            amount = "stddev" if name == "GaussianNoise" else "rate"
            return self.plain(name, **{amount: self.pick(0.1, 0.4)}, **self.some(seed=lambda: 3))
        return getattr(self, f"make_{name}", lambda shape: self.plain(name))(shape)

    def plain(self, name: str, **arguments: Any) -> Any:
        return getattr(self.k.layers, name)(**arguments)

    def make_Dense(self, shape):
        return self.k.layers.Dense(self.r.randint(1, 6), **self.common("kernel"))

    def make_Activation(self, shape):
        return self.k.layers.Activation(self.activation())

    def make_LeakyReLU(self, shape):
        return self.k.layers.LeakyReLU(self.pick(0.1, 0.3))

    def make_ReLU(self, shape):
        return self.k.layers.ReLU(**self.some(max_value=lambda: 1.5, negative_slope=lambda: 0.1, threshold=lambda: 0.1))

    def make_ELU(self, shape):
        return self.k.layers.ELU(self.pick(1.0, 0.5))

    def make_PReLU(self, shape):
        axes = None if len(shape) == 2 else self.pick([1], [1, 2]) if len(shape) == 4 else [1]
        return self.k.layers.PReLU(
            shared_axes=axes, alpha_initializer=self.pick("zeros", self.k.initializers.Constant(0.2))
        )

    def make_Softmax(self, shape):
        return self.k.layers.Softmax(axis=self.pick(-1, len(shape) - 1))

    def make_BatchNormalization(self, shape):
        return self.k.layers.BatchNormalization(
            **self.some(
                momentum=lambda: self.pick(0.5, 0.9),
                epsilon=lambda: 0.01,
                center=lambda: False,
                scale=lambda: False,
                gamma_regularizer=self.regularizer,
                beta_constraint=self.constraint,
                trainable=lambda: False,
            )
        )

    def make_LayerNormalization(self, shape):
        options = self.some(epsilon=lambda: 0.01, center=lambda: False, scale=lambda: False)
        return self.k.layers.LayerNormalization(
            **options, **self.some(gamma_regularizer=self.regularizer, beta_constraint=self.constraint)
        )

    def make_GroupNormalization(self, shape):
        channels = shape[-1]
        return self.k.layers.GroupNormalization(self.pick(*[g for g in (1, 2, 3, channels) if channels % g == 0]))

    def make_UnitNormalization(self, shape):
        return self.k.layers.UnitNormalization(**self.some(axis=lambda: len(shape) - 1))

    def make_Rescaling(self, shape):
        return self.k.layers.Rescaling(self.pick(0.5, 2.0), **self.some(offset=lambda: 0.3))

    def make_ActivityRegularization(self, shape):
        return self.k.layers.ActivityRegularization(self.pick(0.0, 0.01), self.pick(0.01, 0.02))

    def make_Lambda(self, shape):
        return self.k.layers.Lambda(wiggled)

    def make_RepeatVector(self, shape):
        return self.k.layers.RepeatVector(self.r.randint(1, 4))

    def make_Reshape(self, shape):
        size = int(np.prod(shape[1:]))
        part = self.pick(*[d for d in range(1, 9) if size % d == 0])
        options = [(part, size // part), (-1, part), (size,), (-1,)]
        options += [(part, size // part, 1)] if size <= 64 else []
        return self.k.layers.Reshape(self.pick(*options))

    def make_Permute(self, shape):
        order = list(range(1, len(shape)))
        self.r.shuffle(order)
        return self.k.layers.Permute(tuple(order))

    def make_Conv1D(self, shape):
        groups = self.pick(*[g for g in (1, 2) if shape[-1] % g == 0])
        padding = self.pick("same", "causal", "valid")
        width = self.r.randint(1, min(3, shape[1] or 3)) if padding == "valid" else self.r.randint(1, 4)
        spread = (
            {} if padding == "valid" else self.pick({}, {"dilation_rate": 2}, *([{"strides": 2}] if shape[1] else []))
        )
        filters = groups * self.r.randint(1, 3)
        return self.k.layers.Conv1D(filters, width, padding=padding, groups=groups, **spread, **self.common("kernel"))

    def make_Conv1DTranspose(self, shape):
        padding, strides = self.pick("same", "valid"), self.r.randint(1, 2)
        return self.k.layers.Conv1DTranspose(
            self.r.randint(1, 4), self.r.randint(1, 3), strides, padding, **self.common("kernel")
        )

    def make_DepthwiseConv1D(self, shape):
        options = {"depth_multiplier": self.r.randint(1, 2), "strides": self.r.randint(1, 2 if shape[1] else 1)}
        return self.k.layers.DepthwiseConv1D(
            self.r.randint(1, 3), padding="same", **options, **self.common("depthwise")
        )

    def make_SeparableConv1D(self, shape):
        options = {"depth_multiplier": self.r.randint(1, 2), "strides": self.r.randint(1, 2 if shape[1] else 1)}
        return self.k.layers.SeparableConv1D(
            self.r.randint(1, 4),
            self.r.randint(1, 3),
            padding="same",
            **options,
            **self.common("depthwise", "pointwise"),
        )

    def make_Conv2D(self, shape):
        groups = self.pick(*[g for g in (1, 2) if shape[-1] % g == 0])
        padding = self.pick("same", "valid")
        window = tuple(self.r.randint(1, min(3, side)) for side in shape[1:3])
        spread = {} if padding == "valid" else self.pick({}, {"strides": (2, 1)}, {"dilation_rate": 2}, {"strides": 2})
        filters = groups * self.r.randint(1, 3)
        return self.k.layers.Conv2D(filters, window, padding=padding, groups=groups, **spread, **self.common("kernel"))

    def make_Conv2DTranspose(self, shape):
        padding, strides = self.pick("same", "valid"), self.r.randint(1, 2)
        window = (self.r.randint(1, 3), self.r.randint(1, 3))
        return self.k.layers.Conv2DTranspose(self.r.randint(1, 3), window, strides, padding, **self.common("kernel"))

    def make_DepthwiseConv2D(self, shape):
        options = {"depth_multiplier": self.r.randint(1, 2), "strides": self.r.randint(1, 2)}
        return self.k.layers.DepthwiseConv2D((2, 3), padding="same", **options, **self.common("depthwise"))

    def make_SeparableConv2D(self, shape):
        options = {"depth_multiplier": self.r.randint(1, 2), "strides": self.r.randint(1, 2)}
        return self.k.layers.SeparableConv2D(
            self.r.randint(1, 4), (3, 2), padding="same", **options, **self.common("depthwise", "pointwise")
        )

    def pooling(self, name, shape):
        smallest = min((side or 9) for side in shape[1:-1])
        window = self.r.randint(1, min(2, smallest))
        padding = "valid" if "Average" in name else self.pick("valid", "same")
        strides = self.some(strides=lambda: self.pick(1, 2)) if None not in shape[1:] else {"strides": 1}
        return self.plain(name, pool_size=window, padding=padding, **strides)

    def make_ZeroPadding1D(self, shape):
        return self.k.layers.ZeroPadding1D(self.pick(1, (1, 2)))

    def make_ZeroPadding2D(self, shape):
        return self.k.layers.ZeroPadding2D(self.pick(1, (1, 0), ((0, 1), (1, 2))))

    def make_Cropping1D(self, shape):
        return self.k.layers.Cropping1D(self.pick((0, 1), (1, 0)) if (shape[1] or 9) > 1 else 0)

    def make_Cropping2D(self, shape):
        return self.k.layers.Cropping2D(tuple((0, 1) if side > 1 else (0, 0) for side in shape[1:3]))

    def make_UpSampling1D(self, shape):
        return self.k.layers.UpSampling1D(2)

    def make_UpSampling2D(self, shape):
        return self.k.layers.UpSampling2D(self.pick(2, (1, 2)), interpolation=self.pick("nearest", "bilinear"))

    def make_Masking(self, shape):
        return self.k.layers.Masking(self.pick(0.0, 0.5))

    def recurrent(self, sequences: bool | None = None, name: str | None = None, backwards: bool = True) -> Any:
        """A recurrent layer; its `sequences` or one result."""
        name = name or self.pick("SimpleRNN", "LSTM", "GRU")
        options = self.weights("kernel", "recurrent", "bias")
        options |= self.some(
            activation=lambda: self.pick("relu", "tanh", "sigmoid", "elu"),
            use_bias=lambda: False,
            go_backwards=lambda: backwards,
            unroll=lambda: False,
            trainable=lambda: False,
        )
        if name == "GRU":
            options |= self.some(reset_after=lambda: False)
        if name == "LSTM":
            options |= self.some(unit_forget_bias=lambda: False)
        if self.noise:
            options |= self.some(dropout=lambda: 0.3, recurrent_dropout=lambda: 0.2, seed=lambda: 5)
        sequences = self.chance(0.6) if sequences is None else sequences
        return self.plain(name, units=self.r.randint(1, 5), return_sequences=sequences, **options)

    def make_SimpleRNN(self, shape):
        return self.recurrent(name="SimpleRNN")

    def make_LSTM(self, shape):
        return self.recurrent(name="LSTM")

    def make_GRU(self, shape):
        return self.recurrent(name="GRU")

    def make_RNN(self, shape):
        cells = [self.plain(self.pick("SimpleRNNCell", "LSTMCell", "GRUCell"), units=self.r.randint(1, 4))]
        cells += [self.plain(self.pick("SimpleRNNCell", "LSTMCell", "GRUCell"), units=3)] if self.chance(0.5) else []
        return self.k.layers.RNN(cells if len(cells) > 1 else cells[0], return_sequences=self.chance(0.5))

    def make_Bidirectional(self, shape):
        return self.k.layers.Bidirectional(
            self.recurrent(backwards=False), merge_mode=self.pick("concat", "sum", "mul", "ave")
        )

    def make_TimeDistributed(self, shape):
        inner = self.layer((None, *shape[2:]))
        return self.k.layers.TimeDistributed(inner)


NOISY = ["Dropout", "SpatialDropout1D", "SpatialDropout2D", "GaussianNoise", "GaussianDropout", "AlphaDropout"]
ANY = [
    "Dense",
    "Dense",
    "Activation",
    "LeakyReLU",
    "ReLU",
    "ELU",
    "PReLU",
    "Softmax",
    "BatchNormalization",
    "LayerNormalization",
    "GroupNormalization",
    "UnitNormalization",
    "Rescaling",
    "ActivityRegularization",
    "Lambda",
    "Identity",
    "Dropout",
    "GaussianNoise",
    "GaussianDropout",
    "AlphaDropout",
]
VECTOR = ["RepeatVector", "Reshape", "Dense", "Dense"]
SERIES = [
    "Reshape",
    "Permute",
    "Conv1D",
    "Conv1D",
    "Conv1DTranspose",
    "DepthwiseConv1D",
    "SeparableConv1D",
    "MaxPooling1D",
    "AveragePooling1D",
    "ZeroPadding1D",
    "Cropping1D",
    "UpSampling1D",
    "Masking",
    "SimpleRNN",
    "LSTM",
    "GRU",
    "RNN",
    "Bidirectional",
    "Bidirectional",
    "TimeDistributed",
    "SpatialDropout1D",
]
IMAGE = [
    "Reshape",
    "Permute",
    "Conv2D",
    "Conv2D",
    "Conv2DTranspose",
    "DepthwiseConv2D",
    "SeparableConv2D",
    "MaxPooling2D",
    "AveragePooling2D",
    "ZeroPadding2D",
    "Cropping2D",
    "UpSampling2D",
    "TimeDistributed",
    "SpatialDropout2D",
]
NEEDS_LENGTH = ["Reshape", "Permute", "Conv1DTranspose", "Cropping1D"]
