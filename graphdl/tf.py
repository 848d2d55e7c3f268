"""TensorFlow 1's names for what graphdl has: ``from graphdl import tf`` in place of ``import tensorflow as tf``.

Only what differs is written here: ``tf.constant``, ``tf.matmul`` or ``tf.keras`` are those of graphdl. What runs
otherwise than in TensorFlow: a placeholder says its shape, and variables start by themselves.
"""

from __future__ import annotations

from contextvars import ContextVar
from typing import Any

import graphdl
from graphdl.errors import GraphError, did_you_mean, listed
from graphdl.ir import leaves
from graphdl.ir.graph import Graph
from graphdl.ir.node import Node
from graphdl.keras import optimizers
from graphdl.keras.utils import set_random_seed as seed_models
from graphdl.ops import nn as ops_nn
from graphdl.ops.reduce import max, mean, min, prod, sum
from graphdl.ops.transcendental import elu, leaky_relu, relu, selu, sigmoid, softplus, tanh
from graphdl.runtime import session
from graphdl.runtime.session import global_variables_initializer

_seed: ContextVar[int] = ContextVar("tf_seed", default=0)

reduce_mean, reduce_sum, reduce_max, reduce_min, reduce_prod = mean, sum, max, min, prod
initialize_all_variables = global_variables_initializer


def Session(graph: Graph | None = None, **options: Any) -> session.Session:
    """A session whose random numbers come from the seed of `set_random_seed`; `options` are those of gd.Session."""
    return session.Session(graph, **{"seed": _seed.get(), **options})


def set_random_seed(seed: int) -> None:
    """Sessions and models made from now on draw their random numbers from `seed`."""
    seed_models(seed)
    _seed.set(seed)


def placeholder(dtype: Any, shape: Any = None, name: str | None = None) -> Node:
    """A value to be fed: ``tf.placeholder(tf.float32, [None, 784])`` is ``f32[N, 784]``."""
    if shape is None:
        raise GraphError(
            f"placeholder {name or ''}".strip() + ": its shape is not said; every array of a graph has its axes, as in "
            "tf.placeholder(tf.float32, [None, 2]) for rows of two numbers, or [] for one number"
        )
    return leaves.placeholder(tuple(shape), "float32" if dtype == "float" else dtype, name)


def truncated_normal(
    shape: Any, mean: float = 0.0, stddev: float = 1.0, dtype: Any = None, name: str | None = None
) -> Node:
    """Independent numbers from the normal distribution, none further than two deviations from `mean`."""
    return leaves.noise("truncated_normal", shape, dtype, name=name) * stddev + mean


class Part:
    """Names under one heading, ``tf.nn`` or ``tf.train``."""

    def __init__(self, heading: str, **names: Any) -> None:
        self.__name__ = heading
        vars(self).update(names)

    def __getattr__(self, name: str) -> Any:
        known = [word for word in vars(self) if not word.startswith("_")]
        raise AttributeError(f"graphdl's {self.__name__} has no {name!r}; it has {listed(known)}")


def _softmax_cross_entropy(labels: Any, logits: Any, name: str | None = None) -> Node:
    """Cross-entropy under softmax(`logits`) of `labels`, classes or a probability for each: a value per example."""
    return ops_nn.cross_entropy(logits, labels, name)


def _sigmoid_cross_entropy(labels: Any, logits: Any, name: str | None = None) -> Node:
    """Cross-entropy of `labels` from 0 to 1 under sigmoid(`logits`): a value per element."""
    return ops_nn.sigmoid_cross_entropy(logits, labels, name=name)


def _leaky_relu(features: Any, alpha: float = 0.2, name: str | None = None) -> Node:
    return leaky_relu(features, alpha, name=name)


nn = Part(
    "tf.nn",
    relu=relu,
    sigmoid=sigmoid,
    tanh=tanh,
    softmax=ops_nn.softmax,
    log_softmax=ops_nn.log_softmax,
    leaky_relu=_leaky_relu,
    elu=elu,
    selu=selu,
    softplus=softplus,
    softmax_cross_entropy_with_logits=_softmax_cross_entropy,
    softmax_cross_entropy_with_logits_v2=_softmax_cross_entropy,
    sparse_softmax_cross_entropy_with_logits=_softmax_cross_entropy,
    sigmoid_cross_entropy_with_logits=_sigmoid_cross_entropy,
)


def _gradient_descent(learning_rate: float) -> optimizers.Optimizer:
    return optimizers.SGD(learning_rate)


def _momentum(learning_rate: float, momentum: float, use_nesterov: bool = False) -> optimizers.Optimizer:
    return optimizers.SGD(learning_rate, momentum, use_nesterov)


def _adagrad(learning_rate: float, initial_accumulator_value: float = 0.1) -> optimizers.Optimizer:
    return optimizers.Adagrad(learning_rate, initial_accumulator_value, epsilon=0.0)


def _adam(
    learning_rate: float = 0.001, beta1: float = 0.9, beta2: float = 0.999, epsilon: float = 1e-8
) -> optimizers.Optimizer:
    return optimizers.Adam(learning_rate, beta1, beta2, epsilon)


train = Part(
    "tf.train",
    GradientDescentOptimizer=_gradient_descent,
    MomentumOptimizer=_momentum,
    AdagradOptimizer=_adagrad,
    AdamOptimizer=_adam,
)


def __getattr__(name: str) -> Any:
    """What has one name in both."""
    try:
        return getattr(graphdl, name)
    except AttributeError:
        meant = did_you_mean(name, [word for word in (*globals(), *graphdl.__all__) if not word.startswith("_")])
        raise AttributeError(f"graphdl has nothing for tf.{name}.{meant}") from None
