"""Masks, embeddings, both directions, steps by themselves, and attention."""

from __future__ import annotations

import numpy as np
import pytest

import graphdl as gd
from graphdl import keras
from graphdl.errors import GraphError, ShapeError
from graphdl.keras import layers
from tests.keras.layers.sequences import H, N, T, layer, normal, run, same, weights_of, written_out

X = normal(N, T, 4, seed=9)
IDS = np.array([[1, 2, 0, 3, 0], [0, 0, 4, 1, 1], [2, 2, 2, 2, 4]], "int32")
TABLE = normal(5, 4, seed=8)


def embedding(**options):
    return layers.Embedding(5, 4, weights=[TABLE], dtype="float64", **options)


def test_an_embedding_is_rows_of_a_table_and_its_gradient_adds_up_where_words_repeat():
    y, slope = run(embedding(), IDS, gradients=True)
    same([y], [TABLE[IDS]])
    expected, given = np.zeros((5, 4)), normal(N, T, 4, seed=10)
    np.add.at(expected, IDS, given)
    same([slope], [expected])


def test_an_embedding_begins_uniform_between_minus_and_plus_a_twentieth():
    made = layers.Embedding(1000, 20)
    made(keras.Input((3,), dtype="int32"))
    (table,) = made.get_weights()
    assert abs(table).max() <= 0.05
    assert abs(table.std() - 0.1 / np.sqrt(12)) < 1e-3


def test_a_sequential_model_that_begins_with_an_embedding_takes_word_numbers():
    model = keras.Sequential([layers.Embedding(5, 4, input_length=T), layers.SimpleRNN(2), layers.Dense(1)])
    assert model.inputs[0].shape[1] == T
    assert model.predict(IDS, verbose=0).shape == (N, 1)
    model = keras.Sequential([layers.Embedding(5, 4), layers.LSTM(2)])
    assert model.predict(IDS, verbose=0).shape == (N, 2)


@pytest.mark.parametrize("kind", ["SimpleRNN", "LSTM", "GRU"])
def test_the_mask_of_an_embedding_reaches_the_recurrent_layers_behind_it(kind):
    weights = weights_of(kind)
    first, between, last = embedding(mask_zero=True), layers.Dropout(0.5), layer(kind, return_sequences=True)
    top = layer(kind)
    call = lambda made, given: made(last(between(first(given[0]))))
    run(top, IDS, call=call)
    last.set_weights(weights)
    top_weights = [normal(H, *w.shape[1:], seed=4) if k < 2 else w for k, w in enumerate(weights)]
    (y,) = run(top, IDS, weights=top_weights, call=call)
    below, _ = written_out(kind, weights, TABLE[IDS], mask=IDS != 0)
    same([y], [written_out(kind, top_weights, below, mask=IDS != 0)[1][0]])


def test_masking_leaves_out_steps_that_hold_one_value_throughout():
    x = X.copy()
    x[0, 2:] = 7
    x[1, 0] = 7
    x[2, 3, :2] = 7
    made = layer("GRU")
    mask = layers.Masking(7.0, dtype="float64")
    (y,) = run(made, x, weights=weights_of("GRU"), call=lambda made, given: made(mask(given[0])))
    there = ~(x == 7).all(axis=2)
    same([y], [written_out("GRU", weights_of("GRU"), x, mask=there)[1][0]])
    (kept,) = run(layers.Masking(7.0, dtype="float64"), x)
    same([kept], [x * there[:, :, None]])


def test_pooling_over_time_leaves_masked_steps_out():
    pool = layers.GlobalAveragePooling1D()
    table = embedding(mask_zero=True)
    (y,) = run(pool, IDS, call=lambda made, given: made(table(given[0])))
    there = (IDS != 0)[:, :, None]
    same([y], [(TABLE[IDS] * there).sum(1) / there.sum(1)])


@pytest.mark.parametrize("mode", ["concat", "sum", "mul", "ave", None])
@pytest.mark.parametrize("sequences", [False, True])
def test_both_directions_are_merged(mode, sequences):
    ahead, back = weights_of("LSTM"), [w * 0.5 for w in weights_of("LSTM")]
    made = layers.Bidirectional(layer("LSTM", return_sequences=sequences, return_state=True), mode, dtype="float64")
    found = run(made, X, weights=[*ahead, *back])
    results, states = [], []
    for weights, backwards in ((ahead, False), (back, True)):
        y, last = written_out("LSTM", weights, X, backwards=backwards)
        results.append(y if sequences else last[0])
        states += last
    a, b = results
    merged = {"concat": np.concatenate([a, b], -1), "sum": a + b, "mul": a * b, "ave": (a + b) / 2}
    same(found, [*([a, b] if mode is None else [merged[mode]]), *states])


def test_the_way_back_may_be_another_layer_and_weights_are_not_shared():
    made = layers.Bidirectional(layers.LSTM(3), backward_layer=layers.GRU(2, go_backwards=True))
    y = made(keras.Input((4, 5)))
    assert y.shape[1] == 5
    names = [w.label for w in made.weights]
    assert names[0] == "bidirectional/forward_lstm/kernel"
    assert names[3] == "bidirectional/gru/kernel"
    with pytest.raises(GraphError, match="both layers go the same way"):
        layers.Bidirectional(layers.LSTM(3), backward_layer=layers.LSTM(3))
    with pytest.raises(GraphError, match="takes a recurrent layer such as LSTM"):
        layers.Bidirectional(layers.Dense(3))


def test_a_layer_for_each_step_is_the_layer_on_every_step():
    made = layers.TimeDistributed(layers.Dense(2, activation="tanh"), dtype="float64")
    W, b = normal(4, 2), normal(2)
    same(run(made, X, weights=[W, b]), [np.tanh(X @ W + b)])
    images = normal(2, 3, 6, 6, 1).astype("float32")
    made = layers.TimeDistributed(layers.Conv2D(2, 3))
    conv = layers.Conv2D(2, 3)
    (y,) = run(made, images)
    (each,) = run(conv, images[:, 1], weights=made.get_weights())
    np.testing.assert_allclose(y[:, 1], each, rtol=1e-5)
    with pytest.raises(ShapeError, match=r"expected sequences \[N, T, \.\.\.\]"):
        layers.TimeDistributed(layers.Dense(2))(keras.Input((4,)))


def _softmax(x):
    e = np.exp(x - x.max(-1, keepdims=True))
    return e / e.sum(-1, keepdims=True)


@pytest.mark.parametrize("causal", [False, True])
def test_heads_attend_as_the_formula_says(causal):
    query, value = normal(2, 5, 6), normal(2, 5, 7, seed=1)
    made = layers.MultiHeadAttention(3, 4, value_dim=2, dtype="float64")
    mask = np.random.default_rng(2).integers(0, 2, (2, 5, 5)).astype(bool) | np.eye(5, dtype=bool)

    def call(made, given):
        return made(given[0], given[1], attention_mask=given[2], use_causal_mask=causal, return_attention_scores=True)

    shapes = [(6, 3, 4), (3, 4), (7, 3, 4), (3, 4), (7, 3, 2), (3, 2), (3, 2, 6), (6,)]
    weights = [normal(*shape, seed=k) for k, shape in enumerate(shapes)]
    y, scores = run(made, query, value, mask, weights=weights, call=call)
    q, k, v = (
        np.einsum("ntd,dhk->nhtk", x, weights[i]) + weights[i + 1][:, None]
        for x, i in ((query, 0), (value, 2), (value, 4))
    )
    allowed = mask & np.tril(np.ones((5, 5), bool)) if causal else mask
    expected = _softmax(np.where(allowed[:, None], q @ k.swapaxes(2, 3) / 2, -1e9))
    same([scores, y], [expected, np.einsum("nhtk,hkd->ntd", expected @ v, weights[6]) + weights[7]])


def test_torch_gives_the_same_attention_with_gradients():
    torch = pytest.importorskip("torch")
    x, heads, dim = normal(2, 5, 6), 2, 3
    made = layers.MultiHeadAttention(heads, dim, dtype="float64")
    weights = [normal(*s, seed=k) for k, s in enumerate([*[(6, 2, 3), (2, 3)] * 3, (2, 3, 6), (6,)])]
    found = run(made, x, weights=weights, call=lambda made, given: made(given[0], given[0]), gradients=True)
    theirs = torch.nn.MultiheadAttention(6, heads, batch_first=True, dtype=torch.float64)
    with torch.no_grad():
        theirs.in_proj_weight.copy_(torch.tensor(np.concatenate([w.reshape(6, 6).T for w in weights[:6:2]])))
        theirs.in_proj_bias.copy_(torch.tensor(np.concatenate([b.reshape(6) for b in weights[1:6:2]])))
        theirs.out_proj.weight.copy_(torch.tensor(weights[6].reshape(6, 6).T))
        theirs.out_proj.bias.copy_(torch.tensor(weights[7]))
    given = torch.tensor(x, requires_grad=True)
    y, _ = theirs(given, given, given)
    (y * torch.tensor(normal(2, 5, 6, seed=10))).sum().backward()
    slopes = theirs.in_proj_weight.grad.numpy().reshape(3, 6, 6)
    kernels = [slope.T.reshape(6, 2, 3) for slope in slopes]
    same([found[0], *found[1:7:2], found[-1]], [y.detach().numpy(), *kernels, given.grad.numpy()])


@pytest.mark.parametrize("options", [{}, {"use_scale": True}, {"score_mode": "concat"}])
def test_attention_without_heads(options):
    query, value, key = normal(2, 4, 3), normal(2, 5, 3, seed=1), normal(2, 5, 3, seed=2)
    made = layers.Attention(dtype="float64", **options)
    mask = np.array([[1, 1, 0, 1, 0], [1, 0, 0, 0, 0]], bool)
    call = lambda made, given: made(given[:3], mask=[None, given[3]])
    weights = [np.array(0.7)] if options else []
    (y,) = run(made, query, value, key, mask, weights=weights, call=call)
    scores = query @ key.swapaxes(1, 2) * (0.7 if "use_scale" in options else 1)
    if "score_mode" in options:
        scores = 0.7 * np.tanh(query[:, :, None] + key[:, None]).sum(-1)
    same([y], [_softmax(np.where(mask[:, None], scores, -1e9)) @ value])


def test_additive_attention_weighs_every_entry():
    query, value, w = normal(2, 4, 3), normal(2, 5, 3, seed=1), normal(3)
    made = layers.AdditiveAttention(dtype="float64")
    (y,) = run(made, query, value, weights=[w], call=lambda made, given: made(given))
    same([y], [_softmax((w * np.tanh(query[:, :, None] + value[:, None])).sum(-1)) @ value])


def test_masks_of_embeddings_reach_attention():
    made, table = layers.MultiHeadAttention(1, 2, dtype="float64"), embedding(mask_zero=True)
    x = keras.Input((T,), dtype="int32")
    rows = table(x)
    y, scores = made(rows, rows, return_attention_scores=True)
    found = keras.Model(x, [y, scores]).predict(IDS, verbose=0)[1]
    there = (IDS != 0)[:, None, None, :] & (IDS != 0)[:, None, :, None]
    assert (found[np.broadcast_to(there, found.shape)] > 0).all()
    some = there.any(-1, keepdims=True)
    assert (found[np.broadcast_to(~there & some, found.shape)] == 0).all()


@pytest.mark.parametrize(
    ("make", "kind", "text"),
    [
        (lambda: layers.Embedding(0, 3), GraphError, "input_dim is 0, expected an integer from 1"),
        (lambda: layers.Embedding(4, 3, weights=np.ones((3, 4))), ShapeError, r"weights have shape \(3, 4\), expected"),
        (lambda: layers.MultiHeadAttention(0, 2), GraphError, "num_heads is 0, expected an integer from 1"),
        (lambda: layers.Attention()(keras.Input((3, 2))), GraphError, r"called on a list \[query, value\]"),
        (lambda: layers.Bidirectional(layers.GRU(2), "add"), GraphError, "there is no merge mode 'add'"),
        (lambda: layers.Attention(score_mode="cos"), GraphError, "there is no score mode 'cos'"),
    ],
)
def test_what_does_not_fit_is_refused(make, kind, text):
    with pytest.raises(kind, match=text):
        make()


def test_a_word_beyond_the_table_is_an_error_that_names_the_layer():
    model = keras.Sequential([layers.Embedding(5, 2, input_length=2, name="words"), layers.Flatten()])
    with pytest.raises(gd.ExecutionError, match="words"):
        model.predict(np.array([[1, 5]]), verbose=0)
