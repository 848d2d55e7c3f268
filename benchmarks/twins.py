"""The workloads' training steps written by hand with care: preallocated, in place, flat optimizer state."""

from __future__ import annotations

import numpy as np

F = np.float32
CHUNK = 1 << 15


class LinearTwin:
    """W1a: one Dense(1), mean squared error, SGD."""

    def __init__(self, W, b, x, y, rate=0.01):
        self.W, self.b = W.copy(), b.copy()
        self.x, self.xT, self.y = x, x.T, y
        self.h = np.empty((len(x), 1), F)
        self.gW, self.gb = np.empty_like(W), np.empty_like(b)
        self.scale, self.rate = np.array(2 / len(x), F), np.array(rate, F)

    def step(self):
        h, gW, gb = self.h, self.gW, self.gb
        self.x.dot(self.W, h)
        np.add(h, self.b, h)
        np.subtract(h, self.y, h)
        np.multiply(h, self.scale, h)
        self.xT.dot(h, gW)
        np.add.reduce(h, 0, None, gb)
        np.multiply(gW, self.rate, gW)
        np.subtract(self.W, gW, self.W)
        np.multiply(gb, self.rate, gb)
        np.subtract(self.b, gb, self.b)


class FlatAdam:
    """Adam over one flat array, in chunks that stay in the cache."""

    def __init__(self, count, rate=1e-3):
        self.weights, self.grads, self.m, self.v = (np.zeros(count, F) for _ in range(4))
        self.t, self.rate, self.scratch = 0, rate, np.empty(min(count, CHUNK), F)

    def step(self):
        self.t += 1
        alpha = F(self.rate * np.sqrt(1 - 0.999**self.t) / (1 - 0.9**self.t))
        for start in range(0, self.weights.size, CHUNK):
            w, g, m, v = (a[start : start + CHUNK] for a in (self.weights, self.grads, self.m, self.v))
            t = self.scratch[: w.size]
            np.subtract(g, m, t)
            np.multiply(t, F(0.1), t)
            np.add(m, t, m)
            np.multiply(g, g, t)
            np.subtract(t, v, t)
            np.multiply(t, F(0.001), t)
            np.add(v, t, v)
            np.sqrt(v, t)
            np.add(t, F(1e-7), t)
            np.divide(m, t, t)
            np.multiply(t, alpha, t)
            np.subtract(w, t, w)


class DenseTwin:
    """A stack of Dense layers with Adam; subclasses say how it ends."""

    def __init__(self, weights, biases, batch):
        count = sum(w.size for w in weights) + sum(b.size for b in biases)
        self.adam = FlatAdam(count)
        self.W, self.gW, self.b, self.gb, place = [], [], [], [], 0
        for w, b in zip(weights, biases, strict=True):
            for array, values, grads in ((w, self.W, self.gW), (b, self.b, self.gb)):
                flat = slice(place, place + array.size)
                self.adam.weights[flat] = array.ravel()
                values.append(self.adam.weights[flat].reshape(array.shape))
                grads.append(self.adam.grads[flat].reshape(array.shape))
                place += array.size
        self.h = [np.empty((batch, w.shape[1]), F) for w in weights]
        self.d = [np.empty((batch, w.shape[1]), F) for w in weights]
        self.rows = np.arange(batch)

    def step(self, x, y):
        self.forward(x)
        self.loss_gradient(y)
        self.backward(x)
        self.adam.step()

    def forward(self, x):
        for i, (W, b, h) in enumerate(zip(self.W, self.b, self.h, strict=True)):
            x.dot(W, h)
            np.add(h, b, h)
            if i < len(self.W) - 1:
                self.activate(h)
            x = h

    def backward(self, x):
        for i in reversed(range(len(self.W))):
            below = self.h[i - 1] if i else x
            below.T.dot(self.d[i], self.gW[i])
            np.add.reduce(self.d[i], 0, None, self.gb[i])
            if i:
                self.d[i].dot(self.W[i].T, self.d[i - 1])
                self.through(self.d[i - 1], below)


class ClassifierTwin(DenseTwin):
    """W2: ReLU between, softmax and sparse cross-entropy at the end."""

    def activate(self, h):
        np.maximum(h, 0, out=h)

    def through(self, d, h):
        np.multiply(d, h > 0, d)

    def loss_gradient(self, labels):
        z, d = self.h[-1], self.d[-1]
        np.subtract(z, z.max(1, keepdims=True), d)
        np.exp(d, d)
        np.divide(d, d.sum(1, keepdims=True), d)
        d[self.rows, labels] -= 1
        np.multiply(d, F(1 / len(labels)), d)


class XorTwin(DenseTwin):
    """W1b: sigmoid between and at the end, binary cross-entropy."""

    def activate(self, h):
        np.negative(h, h)
        np.exp(h, h)
        np.add(h, F(1), h)
        np.divide(F(1), h, h)

    def through(self, d, h):
        np.multiply(d, h, d)
        np.multiply(d, 1 - h, d)

    def loss_gradient(self, y):
        d = self.d[-1]
        np.negative(self.h[-1], d)
        np.exp(d, d)
        np.add(d, F(1), d)
        np.divide(F(1), d, d)
        np.subtract(d, y, d)
        np.multiply(d, F(1 / len(y)), d)
