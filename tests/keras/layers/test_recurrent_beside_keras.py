"""Recurrent layers and attention give Keras' numbers and gradients, over generated configurations.

Keras' torch backend computes parts of its loops in float32 whatever it is given, so agreement ends at about 1e-6.
On the NumPy backend results are compared, and gradients are not.

Known differences: layers with ``stateful=True`` are not compared here, since the torch backend of Keras 3.15 cannot
train them (it writes states in place that its gradients need); ours are checked against NumPy in test_stateful. The
`weights` of Bidirectional, which Keras 3 takes and ignores, are what weights begin with, as in Keras 2.
"""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np
import pytest

from graphdl.keras import layers as ours
from tests.keras.beside import BACKEND, HAS_GRADIENTS, original, results_and_slopes
from tests.keras.layers.sequences import N, T, normal, run

theirs = original.layers

KINDS = ["SimpleRNN", "LSTM", "GRU"]
X = normal(N, T, 4, seed=9)
MASK = np.array([[1, 1, 0, 1, 0], [0, 1, 1, 1, 1], [1, 1, 1, 1, 1]], bool)


def agree(make: Any, call: Any, *given: Any) -> None:
    """Results of the layer that `make` makes, of ours and theirs, and its gradients where theirs are to be had."""
    original.config.set_floatx("float64")
    layer = make(theirs)
    call(layer, given)
    weights = [normal(*w.shape, seed=k) for k, w in enumerate(layer.get_weights())]
    layer.set_weights(weights)
    expected, slopes = results_and_slopes(
        lambda x: call(layer, x), given, layer.trainable_weights, lambda k, shape: normal(*shape, seed=10 + k)
    )
    found = run(make(ours), *given, weights=weights, call=call, gradients=HAS_GRADIENTS)
    for a, b in zip(found, [*expected, *slopes], strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-4, atol=2e-5)


def configurations(**options: list[Any]) -> list[dict[str, Any]]:
    """Every combination of the options."""
    return [dict(zip(options, values, strict=True)) for values in itertools.product(*options.values())]


def text_of(options: Any) -> str:
    return "-".join(f"{k}={v}" for k, v in options.items()) if isinstance(options, dict) else str(options)


def plain(layer: Any, x: Any) -> Any:
    return layer(x[0])


FLAGS = [False, True]


@pytest.mark.parametrize(
    "options",
    configurations(return_sequences=FLAGS, return_state=FLAGS, go_backwards=FLAGS, use_bias=FLAGS, dtype=["float64"]),
    ids=text_of,
)
@pytest.mark.parametrize("kind", KINDS)
def test_recurrent_layers(kind, options):
    agree(lambda package: getattr(package, kind)(6, **options), plain, X)


@pytest.mark.parametrize("activation", ["relu", "sigmoid", "linear", "elu", "softplus"])
@pytest.mark.parametrize("kind", KINDS)
def test_activations(kind, activation):
    agree(lambda package: getattr(package, kind)(6, activation=activation, dtype="float64"), plain, X)


@pytest.mark.parametrize(
    "options", configurations(reset_after=FLAGS, use_bias=FLAGS, return_sequences=FLAGS), ids=text_of
)
def test_units_that_reset_before_or_after_the_product(options):
    agree(lambda package: package.GRU(6, dtype="float64", **options), plain, X)


@pytest.mark.parametrize(
    "options",
    configurations(return_sequences=FLAGS, return_state=FLAGS, go_backwards=FLAGS, zero_output_for_mask=FLAGS),
    ids=text_of,
)
@pytest.mark.parametrize("kind", KINDS)
def test_masks(kind, options):
    def call(layer: Any, x: Any) -> Any:
        return layer(x[0], mask=x[1])

    agree(lambda package: getattr(package, kind)(6, dtype="float64", **options), call, X, MASK)


@pytest.mark.parametrize("options", configurations(return_sequences=FLAGS, go_backwards=FLAGS), ids=text_of)
@pytest.mark.parametrize("kind", KINDS)
def test_initial_states(kind, options):
    states = [normal(N, 6, seed=30 + k) for k in range(2 if kind == "LSTM" else 1)]

    def call(layer: Any, x: Any) -> Any:
        return layer(x[0], initial_state=list(x[1:]))

    agree(lambda package: getattr(package, kind)(6, dtype="float64", return_state=True, **options), call, X, *states)


@pytest.mark.parametrize("mode", ["concat", "sum", "mul", "ave", None])
@pytest.mark.parametrize("options", configurations(return_sequences=FLAGS, return_state=FLAGS), ids=text_of)
@pytest.mark.parametrize("kind", KINDS)
def test_both_directions(kind, options, mode):
    def make(package: Any) -> Any:
        inner = getattr(package, kind)(6, dtype="float64", **options)
        return package.Bidirectional(inner, merge_mode=mode, dtype="float64")

    agree(make, plain, X)
    agree(make, lambda layer, x: layer(x[0], mask=x[1]), X, MASK)


@pytest.mark.parametrize("names", [["LSTM"], ["GRU", "SimpleRNN"], ["SimpleRNN", "LSTM", "GRU"]], ids="-".join)
def test_cells_one_above_the_other(names):
    def make(package: Any) -> Any:
        cells = [getattr(package, f"{name}Cell")(6 - k, dtype="float64") for k, name in enumerate(names)]
        return package.RNN(cells if len(cells) > 1 else cells[0], return_sequences=True, dtype="float64")

    agree(make, plain, X)


def skip_other_widths(options: dict[str, Any], scores: bool = False) -> None:
    if BACKEND == "jax" and options.get("value_dim") and not scores:
        pytest.skip("on jax Keras 3.15 attends to no values of another width than the keys")


@pytest.mark.parametrize(
    "options", configurations(num_heads=[1, 3], key_dim=[4], value_dim=[None, 5], use_bias=FLAGS), ids=text_of
)
@pytest.mark.parametrize("causal", FLAGS)
@pytest.mark.parametrize("has_key", FLAGS)
def test_heads(options, causal, has_key):
    skip_other_widths(options)

    def call(layer: Any, x: Any) -> Any:
        return layer(x[0], x[1], **({"key": x[2]} if has_key else {}), use_causal_mask=causal)

    xs = [normal(N, T, 8), normal(N, 7, 10, seed=1), normal(N, 7, 9, seed=2)]
    agree(lambda package: package.MultiHeadAttention(dtype="float64", **options), call, *xs[: 2 + has_key])


@pytest.mark.parametrize("scores", FLAGS)
@pytest.mark.parametrize(
    "options",
    [
        {"attention_axes": 2},
        {"attention_axes": (1,)},
        {"attention_axes": (1, 2)},
        {"attention_axes": -2, "output_shape": (2, 3)},
        {"use_gate": True, "value_dim": 3},
        {"sliding_window": 2},
    ],
    ids=text_of,
)
def test_heads_over_several_axes(options, scores):
    skip_other_widths(options, scores)

    def call(layer: Any, x: Any) -> Any:
        return layer(x[0], x[1], return_attention_scores=scores)

    shapes = [(4, 3, 5), (4, 3, 6)] if "attention_axes" in options else [(4, 5), (6, 6)]
    xs = [normal(N, *shape, seed=k) for k, shape in enumerate(shapes)]
    agree(lambda package: package.MultiHeadAttention(2, 4, dtype="float64", **options), call, *xs)


@pytest.mark.parametrize("options", [{}, {"use_scale": True}, {"score_mode": "concat"}], ids=text_of)
@pytest.mark.parametrize("causal", FLAGS)
def test_attention(options, causal):
    def call(layer: Any, x: Any) -> Any:
        return layer(list(x), use_causal_mask=causal)

    xs = [normal(N, T, 8), normal(N, 7, 8, seed=1)]
    agree(lambda package: package.Attention(dtype="float64", **options), call, *xs)
    if "score_mode" not in options:
        agree(lambda package: package.AdditiveAttention(dtype="float64", **options), call, *xs)
