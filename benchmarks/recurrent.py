"""W4: Embedding(10000, 64), SimpleRNN(64) or LSTM(64) over 80 steps, Dense(1): graphdl's layers and steps by hand.

Both train with Adam and binary cross-entropy on batches of 64.
"""

from __future__ import annotations

import numpy as np

from benchmarks.twins import FlatAdam
from graphdl import keras

T, BATCH, WORDS, WIDTH = 80, 64, 10_000, 64
F = np.float32


class RecurrentTwin:
    """What the networks share: the table of words, the product before the loop and those behind it, the end."""

    gates = 1

    def __init__(self, weights):
        shapes = [w.shape for w in weights]
        self.adam = FlatAdam(sum(w.size for w in weights))
        self.values, self.grads, place = [], [], 0
        for array, shape in zip(weights, shapes, strict=True):
            flat = slice(place, place + array.size)
            self.adam.weights[flat] = array.ravel()
            self.values.append(self.adam.weights[flat].reshape(shape))
            self.grads.append(self.adam.grads[flat].reshape(shape))
            place += array.size
        columns = self.gates * WIDTH
        self.x = np.empty((T, BATCH, WIDTH), F)
        self.z = np.empty((T, BATCH, columns), F)
        self.dz = np.empty((T, BATCH, columns), F)
        self.dx = np.empty((T, BATCH, WIDTH), F)
        self.h = np.zeros((T + 1, BATCH, WIDTH), F)
        self.d, self.dh = np.empty((BATCH, 1), F), np.empty((BATCH, WIDTH), F)

    def step(self, ids, y):
        table, W, U, b, V, c = self.values
        gTable, gW, gU, gb, gV, gc = self.grads
        ids = np.ascontiguousarray(ids.T)
        np.take(table, ids, 0, self.x, "clip")
        rows, deltas = self.x.reshape(-1, WIDTH), self.dz.reshape(-1, self.gates * WIDTH)
        rows.dot(W, self.z.reshape(deltas.shape))
        np.add(self.z, b, self.z)
        self.forward(U)
        last, d = self.h[T], self.d
        last.dot(V, d)
        np.add(d, c, d)
        np.negative(d, d)
        np.exp(d, d)
        np.add(d, F(1), d)
        np.divide(F(1), d, d)
        np.subtract(d, y, d)
        np.multiply(d, F(1 / BATCH), d)
        last.T.dot(d, gV)
        np.add.reduce(d, 0, None, gc)
        d.dot(V.T, self.dh)
        self.backward(U)
        self.h[:-1].reshape(-1, WIDTH).T.dot(deltas, gU)
        rows.T.dot(deltas, gW)
        np.add.reduce(deltas, 0, None, gb)
        deltas.dot(W.T, self.dx.reshape(-1, WIDTH))
        self.add_rows(gTable, ids.reshape(-1))
        self.adam.step()

    def add_rows(self, table, ids):
        """The gradient of the table: whole rows where a word comes once or twice, the rest element by element."""
        table.fill(0)
        parts = self.dx.reshape(-1, WIDTH)
        order = np.argsort(ids, kind="stable")
        ids = ids[order]
        again, third = ids[1:] == ids[:-1], ids[2:] == ids[:-2]
        first = np.flatnonzero(np.concatenate(([True], ~again)))
        second = np.flatnonzero(np.concatenate((again[:1], again[1:] & ~third))) + 1
        table[ids[first]] = parts[order[first]]
        table[ids[second]] += parts[order[second]]
        rest = np.flatnonzero(third) + 2
        places = ids[rest].astype(np.int64)[:, None] * WIDTH + np.arange(WIDTH)
        np.add.at(table.reshape(-1), places.reshape(-1), parts[order[rest]].reshape(-1))


class SimpleRNNTwin(RecurrentTwin):
    """``h' = tanh(x W + h U + b)``."""

    def __init__(self, weights):
        super().__init__(weights)
        self.local = np.empty((T, BATCH, WIDTH), F)

    def forward(self, U):
        for t in range(T):
            new = self.h[t + 1]
            self.h[t].dot(U, new)
            np.add(new, self.z[t], new)
            np.tanh(new, new)

    def backward(self, U):
        local, dh, back = self.local, self.dh, np.ascontiguousarray(U.T)
        np.multiply(self.h[1:], self.h[1:], local)
        np.subtract(F(1), local, local)
        for t in range(T - 1, -1, -1):
            np.multiply(dh, local[t], self.dz[t])
            self.dz[t].dot(back, dh)


class LSTMTwin(RecurrentTwin):
    """Gates in the order i, f, c, o; one tanh a step for all of them, slopes for all steps at once."""

    gates = 4

    def __init__(self, weights):
        super().__init__(weights)
        self.c, self.tc = np.zeros((T + 1, BATCH, WIDTH), F), np.empty((T, BATCH, WIDTH), F)
        self.y = np.empty((4, T, BATCH, WIDTH), F)
        self.slopes = np.empty((5, T, BATCH, WIDTH), F)
        self.half = np.repeat(np.array([0.5, 0.5, 1, 0.5], F), WIDTH)
        self.buffer, self.t1, self.t2 = np.empty((BATCH, 4 * WIDTH), F), *np.empty((2, BATCH, WIDTH), F)

    def forward(self, U):
        # sigmoid(z) = (1 + tanh(z / 2)) / 2
        np.multiply(self.z, self.half, self.z)
        U, buffer, y = U * self.half, self.buffer, self.y
        blocks = buffer.reshape(BATCH, 4, WIDTH).transpose(1, 0, 2)
        for t in range(T):
            self.h[t].dot(U, buffer)
            np.add(buffer, self.z[t], buffer)
            gates = y[:, t]
            np.tanh(blocks, gates)
            for k in (0, 1, 3):
                np.multiply(gates[k], F(0.5), gates[k])
                np.add(gates[k], F(0.5), gates[k])
            np.multiply(gates[1], self.c[t], self.t1)
            np.multiply(gates[0], gates[2], self.t2)
            np.add(self.t1, self.t2, self.c[t + 1])
            np.tanh(self.c[t + 1], self.tc[t])
            np.multiply(gates[3], self.tc[t], self.h[t + 1])

    def backward(self, U):
        (i, f, g, o), tc, s = self.y, self.tc, self.slopes
        for k, (gate, other) in enumerate(((i, g), (f, self.c[:-1]), (None, None), (o, tc))):
            if gate is not None:
                np.subtract(F(1), gate, s[k])
                np.multiply(s[k], gate, s[k])
                np.multiply(s[k], other, s[k])
        for k, inner, outer in ((2, g, i), (4, tc, o)):
            np.multiply(inner, inner, s[k])
            np.subtract(F(1), s[k], s[k])
            np.multiply(s[k], outer, s[k])
        dh, dc, back = self.dh, np.zeros((BATCH, WIDTH), F), np.ascontiguousarray(U.T)
        for t in range(T - 1, -1, -1):
            blocks = self.dz[t].reshape(BATCH, 4, WIDTH)
            np.multiply(dh, s[3, t], blocks[:, 3])
            np.multiply(dh, s[4, t], self.t1)
            np.add(dc, self.t1, dc)
            np.multiply(dc, s[:3, t], blocks[:, :3].transpose(1, 0, 2))
            np.multiply(dc, f[t], dc)
            self.dz[t].dot(back, dh)


def network(layer: str) -> keras.Model:
    """The network of W4, compiled."""
    made = keras.Sequential(
        [
            keras.Input((T,), dtype="int32", name="ids"),
            keras.layers.Embedding(WORDS, WIDTH),
            getattr(keras.layers, layer)(WIDTH),
            keras.layers.Dense(1, activation="sigmoid"),
        ]
    )
    made.compile("adam", "binary_crossentropy")
    return made


def batch() -> tuple[np.ndarray, np.ndarray]:
    """Sentences and truths at random."""
    rng = np.random.default_rng(1)
    return rng.integers(0, WORDS, (BATCH, T)), rng.integers(0, 2, (BATCH, 1)).astype("f")
