"""Recurrent layers: against NumPy written out and torch, folded and unrolled, masked, in both directions."""

from __future__ import annotations

import numpy as np
import pytest

import graphdl as gd
from graphdl import keras
from graphdl.errors import GraphError, ShapeError
from graphdl.ir.traverse import ancestors
from graphdl.keras import layers
from graphdl.ops.scan import Scan
from tests.keras.layers.sequences import COLUMNS, D, H, N, T, layer, normal, run, same, weights_of, written_out

KINDS = ["SimpleRNN", "LSTM", "GRU"]
X = normal(N, T, D, seed=9)
MASK = np.array([[1, 1, 0, 1, 0], [0, 1, 1, 1, 1], [1, 1, 1, 1, 1]], bool)


@pytest.mark.parametrize("backwards", [False, True])
@pytest.mark.parametrize("kind", KINDS)
def test_results_and_states_are_those_of_the_formulas(kind, backwards):
    weights = weights_of(kind)
    made = layer(kind, return_sequences=True, return_state=True, go_backwards=backwards)
    y, *states = run(made, X, weights=weights)
    expected, last = written_out(kind, weights, X, backwards=backwards)
    same([y, *states], [expected[:, ::-1] if backwards else expected, *last])
    (only,) = run(layer(kind, go_backwards=backwards), X, weights=weights)
    same([only], [last[0]])


@pytest.mark.parametrize("kind", KINDS)
def test_gradients_are_those_of_torch(kind):
    torch = pytest.importorskip("torch")
    weights = weights_of(kind)
    found = run(layer(kind, return_sequences=True), X, weights=weights, gradients=True)
    theirs = {"SimpleRNN": torch.nn.RNN, "LSTM": torch.nn.LSTM, "GRU": torch.nn.GRU}[kind]
    network = theirs(D, H, batch_first=True, dtype=torch.float64)
    order = _torch_order(kind)
    bias = weights[2] if kind == "GRU" else np.stack([weights[2], np.zeros_like(weights[2])])
    with torch.no_grad():
        for name, value in (("weight_ih", weights[0].T), ("weight_hh", weights[1].T), ("bias_ih", bias[0]),
                            ("bias_hh", bias[1])):  # fmt: skip
            getattr(network, f"{name}_l0").copy_(torch.tensor(np.ascontiguousarray(value[order])))
    x = torch.tensor(X, requires_grad=True)
    y, _ = network(x)
    (y * torch.tensor(normal(N, T, H, seed=10))).sum().backward()
    back = np.argsort(order)
    of_input, of_state = (getattr(network, f"bias_{n}_l0").grad.numpy()[back] for n in ("ih", "hh"))
    slopes = [getattr(network, f"weight_{n}_l0").grad.numpy()[back].T for n in ("ih", "hh")]
    slopes += [np.stack([of_input, of_state]) if kind == "GRU" else of_input]
    same(found, [y.detach().numpy(), *slopes, x.grad.numpy()])


def _torch_order(kind):
    """Where torch's gates (i f g o for an LSTM; r z n for a GRU) stand in ours."""
    blocks = {"SimpleRNN": [0], "LSTM": [0, 1, 2, 3], "GRU": [1, 0, 2]}[kind]
    return np.concatenate([np.arange(k * H, (k + 1) * H) for k in blocks])


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("options", [{}, {"go_backwards": True}, {"return_sequences": True}, {"use_bias": False}])
def test_unrolled_steps_give_what_the_loop_gives_with_gradients(kind, options):
    weights = weights_of(kind)[: 3 - (options == {"use_bias": False})]
    folded = run(layer(kind, **options), X, weights=weights, gradients=True)
    same(run(layer(kind, unroll=True, **options), X, weights=weights, gradients=True), folded)


@pytest.mark.parametrize("kind", KINDS)
def test_an_unrolled_layer_has_a_scope_for_each_step_and_a_folded_one_a_loop(kind):
    x = keras.Input((3, 2))
    flat = ancestors([layers.__dict__[kind](4, unroll=True, name="flat")(x)])
    folded = ancestors([layers.__dict__[kind](4, name="folded")(x)])
    assert {f"flat/step_{t}" for t in (1, 2, 3)} <= {node.scope for node in flat}
    assert [isinstance(node.op, Scan) for node in folded].count(True) == 1
    assert not any(isinstance(node.op, Scan) for node in flat)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("backwards", [False, True])
def test_masked_steps_keep_the_state_and_repeat_the_result(kind, backwards):
    weights = weights_of(kind)
    call = lambda made, given: made(given[0], mask=given[1])
    made = layer(kind, return_sequences=True, return_state=True, go_backwards=backwards)
    y, *states = run(made, X, MASK, weights=weights, call=call)
    expected, last = written_out(kind, weights, X, mask=MASK, backwards=backwards)
    same([y, *states], [expected[:, ::-1] if backwards else expected, *last])
    zeros = layer(kind, return_sequences=True, zero_output_for_mask=True)
    (y,) = run(zeros, X, MASK, weights=weights, call=call)
    same([y], [written_out(kind, weights, X, mask=MASK)[0] * MASK[:, :, None]])


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("mask", [None, MASK])
def test_a_network_goes_on_from_initial_states(kind, mask):
    weights, count = weights_of(kind), 2 if kind == "LSTM" else 1
    states = [normal(N, H, seed=20 + k) for k in range(count)]
    made = layer(kind, return_sequences=True, return_state=True)

    def call(made, given):
        options = {} if mask is None else {"mask": given[-1]}
        return made(given[0], initial_state=given[1 : 1 + count], **options)

    found = run(made, X, *states, *([] if mask is None else [mask]), weights=weights, call=call)
    expected, last = written_out(kind, weights, X, states, mask)
    same(found, [expected, *last])


@pytest.mark.parametrize("kind", KINDS)
def test_one_step_and_a_thousand_steps(kind):
    weights = weights_of(kind)
    for length in (1, 1000):
        x = normal(2, length, D, seed=length)
        y, *slopes = run(layer(kind), x, weights=weights, gradients=True)
        same([y], [written_out(kind, weights, x)[1][0]])
        assert all(np.isfinite(slope).all() for slope in slopes)


def test_one_model_takes_sequences_of_any_length():
    x = keras.Input((None, D), dtype="float64")
    made = layer("LSTM", return_sequences=True)
    model = keras.Model(x, made(x))
    model.set_weights(weights_of("LSTM"))
    for length in (2, 7):
        given = normal(3, length, D)
        same([model.predict(given, verbose=0)], [written_out("LSTM", weights_of("LSTM"), given)[0]])


def test_the_forget_gate_begins_open_and_other_biases_at_zero():
    made = layers.LSTM(3)
    made(keras.Input((4, 2)))
    assert made.get_weights()[2].tolist() == [0] * 3 + [1] * 3 + [0] * 6
    plain = layers.LSTM(3, unit_forget_bias=False)
    plain(keras.Input((4, 2)))
    assert not plain.get_weights()[2].any()


@pytest.mark.parametrize("kind", KINDS)
def test_weights_have_the_names_shapes_and_starts_of_keras(kind):
    made = getattr(layers, kind)(8, name="r")
    made(keras.Input((4, 5)))
    columns = COLUMNS[kind] * 8
    assert [w.label for w in made.weights] == ["r/kernel", "r/recurrent_kernel", "r/bias"]
    assert [w.shape for w in made.weights] == [
        (5, columns),
        (8, columns),
        (2, columns) if kind == "GRU" else (columns,),
    ]
    recurrent = made.get_weights()[1]
    np.testing.assert_allclose(recurrent @ recurrent.T, np.eye(8), atol=1e-5)


def test_dropout_draws_one_mask_for_all_steps_in_training_only():
    x = gd.placeholder((2, 50, 3), "float64", name="x")
    made = layers.SimpleRNN(
        4, "linear", dropout=0.5, dtype="float64", return_sequences=True, use_bias=False,
        kernel_initializer="ones", recurrent_initializer="zeros",
    )  # fmt: skip
    trained, quiet = made(x, training=True), made(x)
    ones = np.ones((2, 50, 3))
    y, plain = gd.Session(seed=2).run([trained, quiet], {x: ones})
    assert (y == y[:, :1]).all(), "the mask is the same in every step"
    assert set(np.unique(y)) <= {0.0, 2.0, 4.0, 6.0}
    assert (plain == 3).all()


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(
    "options", [{"dropout": 0.5}, {"recurrent_dropout": 0.5}, {"dropout": 0.2, "recurrent_dropout": 0.2}]
)
def test_dropout_of_a_loop_is_that_of_its_steps_written_out(kind, options):
    x = gd.placeholder((N, 4, D), "float64", name="x")
    found = []
    for unroll in (False, True):
        made = layer(kind, unroll=unroll, name="r", kernel_initializer="ones", recurrent_initializer="ones", **options)
        y = made(x, training=True)
        found.append(gd.Session(seed=5).run([y, gd.gradients(gd.sum(y), x)], {x: X[:, :4]}))
        assert not np.allclose(found[0][0], gd.Session(seed=6).run(y, {x: X[:, :4]}))
    same(found[1], found[0])


def test_a_layer_of_cells_and_stacked_cells_are_layers_one_above_the_other():
    weights = [*weights_of("LSTM"), *weights_of("GRU", H, 3)]
    stacked = layers.RNN([layers.LSTMCell(H, dtype="float64"), layers.GRUCell(3, dtype="float64")], dtype="float64",
                         return_sequences=True, return_state=True)  # fmt: skip
    y, h, c, top = run(stacked, X, weights=weights, call=lambda made, x: _flat(made(x[0])))
    below, states = written_out("LSTM", weights[:3], X)
    expected, (last,) = written_out("GRU", weights[3:], below)
    same([y, h, c, top], [expected, *states, last])


def _flat(results):
    return [node for part in results for node in (part if isinstance(part, list) else [part])]


def test_a_users_cell_is_run_by_rnn():
    class Leaky(keras.layers.Layer):
        state_size = 3

        def build(self, input_shape):
            self.kernel = self.add_weight((input_shape[-1], 3), "ones", name="kernel")

        def call(self, x, states):
            new = states[0] * 0.5 + x @ self.kernel
            return new, [new]

    (y,) = run(layers.RNN(Leaky(dtype="float64"), return_sequences=True, dtype="float64"), X)
    total, expected = np.zeros((N, 3)), []
    for t in range(T):
        total = total * 0.5 + X[:, t].sum(axis=1, keepdims=True)
        expected.append(total)
    same([y], [np.stack(expected, axis=1)])


def test_results_of_a_loop_are_differentiable_twice():
    x = gd.placeholder((N, 3, D), "float64", name="x")
    made = layer("GRU", 2)
    first = gd.gradients(gd.sum(gd.square(made(x))), x)
    checks = gd.check_gradients(gd.sum(gd.square(first)), [x, *made.trainable_weights], {x: X[:, :3]})
    assert all(check.ok for check in checks), checks


@pytest.mark.parametrize(
    ("make", "kind", "text"),
    [
        (lambda: layers.LSTM(0), GraphError, "LSTMCell: units is 0, expected an integer from 1"),
        (lambda: layers.GRU(2, dropout=1), GraphError, "GRUCell: dropout is 1, expected at least 0 and below 1"),
        (lambda: layers.GRU(2, seed="a"), GraphError, "seed is 'a', expected an integer from 0"),
        (lambda: layers.LSTM(2, retrun_sequences=True), TypeError, "takes no 'retrun_sequences'"),
        (lambda: layers.RNN("lstm"), GraphError, "a cell is 'lstm', expected a layer with `state_size`"),
        (lambda: layers.RNN([]), GraphError, "there are no cells"),
        (lambda: layers.LSTM(2)(keras.Input((4,))), ShapeError, r"expected sequences \[N, T, D\]"),
        (
            lambda: layers.LSTM(2)(keras.Input((4, 3)), initial_state=keras.Input((2,))),
            GraphError,
            "initial_state has 1 parts, expected 2",
        ),
        (lambda: layers.GRU(2, unroll=True)(keras.Input((None, 3))), ShapeError, "so they cannot be unrolled"),
    ],
)
def test_what_does_not_fit_is_refused(make, kind, text):
    with pytest.raises(kind, match=text):
        make()
