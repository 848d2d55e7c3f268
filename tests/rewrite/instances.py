"""For every rule graphs in which it fires: a table from the rule to builders, some over shapes that broadcast."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np

import graphdl as gd
from graphdl.ir.node import Node
from graphdl.ir.op import build
from graphdl.ops.linalg import MatMul
from graphdl.ops.pool import MaxPoolPlace
from graphdl.ops.reduce import Sum
from graphdl.ops.shape import Cast, Reshape, SumTo, Transpose

Builder = Callable[..., Node]

M, ROW, COLUMN, SCALAR = (2, 3), (3,), (2, 1), ()
WORDS = np.array([[0, 1, 1, 0], [1, 1, 0, 1]])
ALL = (M, ROW, COLUMN, SCALAR)


class Instance:
    """A builder over inputs of `shapes` whose values lie from `low` to `high`; integers below `classes` where asked."""

    def __init__(self, make: Builder, *shapes: tuple[int, ...], low=0.2, high=1.5, classes: int | None = None) -> None:
        self.make, self.shapes, self.low, self.high, self.classes = make, shapes, low, high, classes

    def inputs(self) -> list[Node]:
        floats = [gd.placeholder(s, "float64", name=n) for s, n in zip(self.shapes, "abcd", strict=False)]
        return floats + ([gd.placeholder((2,), "int64", name="labels")] if self.classes else [])

    def arrays(self) -> list[np.ndarray]:
        random = np.random.default_rng(7)
        floats = [random.uniform(self.low, self.high, s) for s in self.shapes]
        return floats + ([random.integers(0, self.classes, 2)] if self.classes else [])


def one(make: Builder, *shapes, **more) -> list[Instance]:
    """The builder over one input, of each shape."""
    return [Instance(make, shape, **more) for shape in shapes or ALL]


def two(make: Builder, **more) -> list[Instance]:
    """The builder over two inputs: alike, and broadcast against each other."""
    return [Instance(make, *shapes, **more) for shapes in ((M, M), (M, ROW), (COLUMN, ROW), (SCALAR, M))]


def _exp_ratio(f, axis, keepdims):
    return lambda x: f(gd.exp(x), gd.sum(gd.exp(x), axis=axis, keepdims=keepdims))


def _xent(y, z):
    return gd.sum(y * gd.log_softmax(z), axis=-1)


STABLE: dict[str, list[Instance]] = {
    "log_of_one_plus_exp": [*one(lambda x: gd.log(1 + gd.exp(x))), *one(lambda x: gd.log(gd.exp(x) + 1), M)],
    "logistic": [*one(lambda x: 1 / (1 + gd.exp(-x))), *one(lambda x: 1 / (gd.exp(x) + 1), M)],
    "logistic_of_exp": one(lambda x: gd.exp(x) / (1 + gd.exp(x))),
    "one_minus_sigmoid": one(lambda x: 1 - gd.sigmoid(x)),
    "log_of_sigmoid": one(lambda x: gd.log(gd.sigmoid(x))),
    "log_of_softmax": [*one(lambda x: gd.log(gd.softmax(x)), M, ROW), *one(lambda x: gd.log(gd.softmax(x, axis=0)), M)],
    "log_past_view": [
        *one(lambda x: gd.log(gd.softmax(x)[:, :2]), M),
        *one(lambda x: gd.log(gd.softmax(x)[0]), M, ROW),
        *one(lambda x: gd.log(gd.softmax(x).T), M),
        *one(lambda x: gd.log(gd.reshape(gd.sigmoid(x), (3, 2))), M),
        *one(lambda x: gd.log(gd.sigmoid(x)[:1]), M),
        *one(lambda x: gd.log(gd.reshape(gd.softmax(x), (6,))[1:4]), M),
        *one(lambda x: gd.log(gd.sigmoid(x)[:, 1]), M),
    ],
    "log_past_take": [
        Instance(lambda x, i: gd.log(gd.take(gd.softmax(x), i, axis=1)), M, classes=3),
        Instance(lambda x, i: gd.log(gd.take_along(gd.softmax(x), i)), M, classes=3),
    ],
    "softmax_formula": [
        *one(_exp_ratio(gd.divide, 1, True), M),
        *one(_exp_ratio(gd.divide, 0, False), M, ROW),
        *one(_exp_ratio(gd.divide, 0, True), M, ROW),
    ],
    "log_of_sum_of_exp": [
        *one(lambda x: gd.log(gd.sum(gd.exp(x))), M, ROW),
        *one(lambda x: gd.log(gd.sum(gd.exp(x), axis=1, keepdims=True)), M),
        *one(lambda x: gd.log(gd.sum(gd.exp(x), axis=0)), M),
    ],
    "log_past_spread": [
        *one(lambda x: gd.log(gd.reshape(gd.sum(gd.exp(x), axis=1), (2, 1))), M),
        *one(lambda x: gd.log(gd.broadcast_to(gd.sum(gd.exp(x)), (4,))), M, ROW),
    ],
    "log_add_exp": two(lambda x, y: gd.log(gd.exp(x) + gd.exp(y))),
    "log_of_exp": one(lambda x: gd.log(gd.exp(x))),
    "log_of_exp_ratio": two(lambda x, y: gd.log(gd.exp(x) / y)),
    "log_of_reciprocal": one(lambda x: gd.log(1 / x)),
    "log_of_one_plus": one(lambda x: gd.log(1 + x)),
    "log_of_one_minus": [*one(lambda x: gd.log(1 - x), high=0.8), *one(lambda x: gd.log(1 - -x), M)],
    "exp_minus_one": one(lambda x: gd.exp(x) - 1),
    "tanh_formula": [
        *one(lambda x: (gd.exp(x) - gd.exp(-x)) / (gd.exp(x) + gd.exp(-x))),
        *one(lambda x: (gd.exp(-x) - gd.exp(x)) / (gd.exp(-x) + gd.exp(x)), M),
        *two(lambda x, y: (gd.exp(x) - gd.exp(y)) / (gd.exp(x) + gd.exp(y))),
    ],
    "tanh_of_half": [
        *one(lambda x: (gd.exp(x) - 1) / (gd.exp(x) + 1)),
        *one(lambda x: (gd.exp(2 * x) - 1) / (gd.exp(2 * x) + 1), M),
        *one(lambda x: gd.expm1(x) / (gd.exp(x) + 1), M),
    ],
    "tanh_of_minus_half": [
        *one(lambda x: (1 - gd.exp(x)) / (1 + gd.exp(x))),
        *one(lambda x: (1 - gd.exp(-2 * x)) / (1 + gd.exp(-2 * x)), M),
    ],
    "root_of_square": [*one(lambda x: gd.sqrt(x * x), low=-2), *one(lambda x: gd.sqrt(x**2), M, low=-2)],
    "x_log_y": two(lambda x, y: x * gd.log(y)),
    "cross_entropy_of_softmax": [
        Instance(_xent, M, M),
        Instance(_xent, ROW, ROW),
        Instance(lambda z, y: gd.sum(gd.log_softmax(z) * y, axis=1), (5, 4), (5, 4)),
    ],
    "sparse_cross_entropy_of_softmax": [Instance(lambda z, y: gd.take_along(gd.log_softmax(z), y), M, classes=3)],
    "cross_entropy_of_sigmoid": [
        *[
            Instance(lambda z, t: t * -gd.softplus(-z) + (1 - t) * -gd.softplus(z), *s)
            for s in ((M, M), (ROW, ROW), (SCALAR, SCALAR))
        ],
    ],
    "double_minus": one(lambda x: -(-x)),
}

WHERE: dict[str, list[Instance]] = {
    "product_past_where": two(lambda x, y: gd.where(x > 0.7, x, 0) * y),
    "product_past_where_not": two(lambda x, y: y * gd.where(x > 0.7, 0, x)),
    "quotient_past_where": two(lambda x, y: gd.where(x > 0.7, x, 0) / y),
    "quotient_past_where_not": two(lambda x, y: gd.where(x > 0.7, 0, x) / y),
    "minus_past_where": one(lambda x: -gd.where(x > 0.7, x, 0)),
    "minus_past_where_not": one(lambda x: -gd.where(x > 0.7, 0, x)),
}

ALGEBRA: dict[str, list[Instance]] = {
    "times_one": [*one(lambda x: x * 1), *one(lambda x: 1 * x, M), *one(lambda x: x / 1, M)],
    "plus_zero": [*one(lambda x: x + 0), *one(lambda x: 0 + x, M), *one(lambda x: x - 0, M)],
    "times_zero": [*one(lambda x: x * 0 + x, M, SCALAR), *one(lambda x: x * gd.zeros((2, 3), "float64") + x)],
    "plus_zeros": [*one(lambda x: x + gd.zeros((2, 3), "float64")), *one(lambda x: gd.zeros((2, 1), "float64") + x)],
    "sum_of_two": [*one(lambda x: gd.add_n(x, gd.exp(x))), Instance(gd.add_n, M, M)],
    "minus": [*one(lambda x: 0 - x), *one(lambda x: x * -1, M), *one(lambda x: x / -1, M)],
    "minus_minus": one(lambda x: -(-x)),
    "plus_minus": two(lambda x, y: x + -y),
    "minus_of_minus": two(lambda x, y: x - -y),
    "product_of_minuses": two(lambda x, y: -x * -y),
    "second_power": one(lambda x: gd.power(x, 2)),
    "half_power": one(lambda x: gd.power(x, 0.5)),
    "first_power": one(lambda x: gd.power(x, 1)),
    "inverse_power": one(lambda x: gd.power(x, -1)),
    "times_reciprocal": [*two(lambda x, y: x * (1 / y)), *two(lambda x, y: (1 / y) * x)],
    "relu_of_relu": one(lambda x: gd.relu(gd.relu(x)), low=-1),
    "mask_twice": one(lambda x: _mask(_mask(x, x - 0.7), x - 0.7)),
}

SHAPES: dict[str, list[Instance]] = {
    "reshape_to_same": one(lambda x: build(Reshape(x.shape), x)),
    "reshape_of_reshape": one(lambda x: gd.reshape(gd.reshape(x, (6,)), (3, 2)), M),
    "transpose_of_transpose": [
        *one(lambda x: gd.transpose(gd.transpose(x)), M),
        *one(lambda x: gd.transpose(gd.transpose(x, (1, 2, 0)), (1, 2, 0)), (2, 3, 4)),
    ],
    "transpose_of_nothing": [
        *one(lambda x: build(Transpose((0, 1)), x), M),
        *one(lambda x: build(Transpose((0,)), x), ROW),
    ],
    "copy_of_copy": [
        *one(lambda x: gd.broadcast_to(gd.broadcast_to(x, (2, 3)), (4, 2, 3)), ROW, COLUMN, SCALAR),
    ],
    "reshape_of_copies": one(lambda x: gd.reshape(gd.broadcast_to(x, (2, 3)), (6,)), SCALAR),
    "sum_of_sum": [
        *one(lambda x: build(SumTo(()), build(SumTo((3,)), x)), M, (4, 2, 3)),
        *one(lambda x: build(SumTo((1, 3)), build(SumTo((2, 3)), x)), (4, 2, 3)),
    ],
    "sum_of_copies": [
        *one(lambda x: gd.sum_to(gd.broadcast_to(x, (2, 3)), (3,)), ROW),
        *one(lambda x: gd.sum_to(gd.broadcast_to(x, (2, 3)), (2, 1)), COLUMN),
        *one(lambda x: gd.sum_to(gd.broadcast_to(x, (5, 2, 3)), ()), SCALAR),
    ],
    "cast_there_and_back": one(lambda x: build(Cast("float32"), build(Cast("float64"), build(Cast("float32"), x)))),
    "transpose_of_rows": one(lambda x: gd.transpose(gd.take(x, WORDS), (1, 0, 2)), M),
    "rows_added_in_order": one(
        lambda x: gd.scatter_add(gd.transpose(x, (1, 0, 2)), WORDS, (2, 3)),
        (4, 2, 3),
    ),
    "sum_over_copies": one(lambda x: build(Sum((0, 1)), gd.broadcast_to(x, (2, 3))), SCALAR),
}

IMAGES, POOLED, CHANNELS = (2, 4, 6, 3), (2, 2, 3, 3), (3,)


def _place(g, x, strides=2):
    """Each element of g where x is largest in a window of 2 by 2."""
    return build(MaxPoolPlace((2, 2), (strides, strides), ((0, 0), (0, 0))), g, x)


POOLING: dict[str, list[Instance]] = {
    "relu_after_pool": [
        *one(lambda x: gd.max_pool2d(gd.relu(x)), IMAGES, low=-1),
        *one(lambda x: gd.max_pool2d(gd.relu(x), 3, 2, "same"), IMAGES, low=-1),
    ],
    "bias_after_pool": [
        Instance(lambda x, b: gd.max_pool2d(x + b), IMAGES, CHANNELS),
        Instance(lambda x, b: gd.max_pool2d(b + x, 3, 1, "same"), IMAGES, (2, 1, 1, 3)),
    ],
    "mask_before_place": [
        Instance(lambda g, x: _mask(_place(g, gd.relu(x)), gd.relu(x)), POOLED, IMAGES, low=-1),
        Instance(lambda g, x: _mask(_place(g, gd.relu(x), 1), gd.relu(x)), (2, 3, 5, 3), IMAGES, low=-1),
    ],
    "place_without_bias": [Instance(lambda g, x, b: _place(g, x + b), POOLED, IMAGES, CHANNELS)],
    "sum_before_place": [Instance(lambda g, x: gd.sum_to(_place(g, x), (3,)), POOLED, IMAGES)],
}

FUSE: dict[str, list[Instance]] = {
    "affine": [
        Instance(lambda x, W, b: gd.matmul(x, W) + b, (2, 3), (3, 4), (4,)),
        Instance(lambda x, W, b: b + build(MatMul(), x, W), (1, 3), (3, 1), (1,)),
    ],
}


def _mask(a, b):
    from graphdl.ops.transcendental import mask_positive

    return mask_positive(a, b)


def instances() -> Iterator[tuple[str, int, Instance]]:
    """Every instance of every rule in the tables, with the rule's name and a number."""
    for table in (STABLE, WHERE, ALGEBRA, SHAPES, POOLING, FUSE):
        for name, several in table.items():
            for number, instance in enumerate(several):
                yield name, number, instance
