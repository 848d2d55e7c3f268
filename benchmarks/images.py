"""W3: two convolutions with pooling and two Dense layers on images of 28 x 28: graphdl's layers, and the step by hand.

The step by hand does everything for four images at a time: what a convolution gives is pooled while it is in the cache.
"""

from __future__ import annotations

import numpy as np

from benchmarks.twins import ClassifierTwin, FlatAdam
from graphdl import keras

BATCH, SIDE, CLASSES = 128, 28, 10
FILTERS = (32, 64)
F = np.float32
BLOCK = 4
CORNERS = [(i, j) for i in (0, 1) for j in (0, 1)]


def network() -> keras.Model:
    """The network of W3, compiled."""
    layers = keras.layers
    stack = [keras.Input((SIDE, SIDE, 1), name="images")]
    for filters in FILTERS:
        stack += [layers.Conv2D(filters, 3, padding="same", activation="relu"), layers.MaxPooling2D(2)]
    stack += [layers.Flatten(), layers.Dense(128, activation="relu"), layers.Dense(CLASSES, activation="softmax")]
    made = keras.Sequential(stack)
    made.compile("adam", "sparse_categorical_crossentropy")
    return made


def batch() -> tuple[np.ndarray, np.ndarray]:
    """Images and labels at random."""
    rng = np.random.default_rng(1)
    return rng.random((BATCH, SIDE, SIDE, 1), "f"), rng.integers(0, CLASSES, BATCH)


class PooledConvolution:
    """Convolution 3 x 3, pooling 2 x 2, bias and ReLU, over images [N, side + 2, side + 2, channels] with zeros around.

    `out` has zeros around as well, so that it can be read by the next one.
    """

    def __init__(self, side: int, kernel, bias, grads) -> None:
        self.side, self.kernel, self.bias, (self.gkernel, self.gbias) = side, kernel, bias, grads
        half, filters = side // 2, kernel.shape[3]
        self.out = np.zeros((BATCH, half + 2, half + 2, filters), F)
        self.inside = self.out[:, 1:-1, 1:-1]
        self.largest = np.empty((4, BATCH, half, half, filters), bool)
        self.dz = np.zeros((BATCH, side + 2, side + 2, filters), F)
        self.z = np.empty((BLOCK, side, side, filters), F)
        self.left = np.empty((BLOCK, half, half, filters), bool)

    def seen(self, x, start: int):
        """What the windows of a few images see, a row each; of one channel, put together as columns."""
        _, height, width, channels = x.shape
        i, j, k, c = x.strides
        steps = (i, j, k, j, k, c)
        shape = (BLOCK, height - 2, width - 2, 3, 3, channels)
        view = np.lib.stride_tricks.as_strided(x[start:], shape, steps)
        if channels == 1:
            return view.transpose(3, 4, 5, 0, 1, 2).reshape(9, -1).T
        return view.reshape(-1, 9 * channels)

    def forward(self, x) -> None:
        matrix, z, left = self.kernel.reshape(-1, self.kernel.shape[3]), self.z, self.left
        parts = [z[:, i::2, j::2] for i, j in CORNERS]
        for start in range(0, BATCH, BLOCK):
            self.seen(x, start).dot(matrix, z.reshape(-1, z.shape[3]))
            top = np.maximum(parts[0], parts[1])
            np.maximum(top, parts[2], out=top)
            np.maximum(top, parts[3], out=top)
            left.fill(True)
            for here, part in zip(self.largest[:, start : start + BLOCK], parts, strict=True):
                np.equal(part, top, here)
                np.logical_and(here, left, here)
                np.logical_xor(left, here, left)
            np.add(top, self.bias, top)
            np.maximum(top, 0, out=self.inside[start : start + BLOCK])

    def backward(self, x, d) -> None:
        """The gradients of kernel and bias, and in `dz` that of what the convolution gave, where d is that of `out`."""
        np.multiply(d, self.inside > 0, d)
        np.add.reduce(d, (0, 1, 2), None, self.gbias)
        total = self.gkernel.reshape(-1, self.kernel.shape[3])
        total.fill(0)
        for start in range(0, BATCH, BLOCK):
            dz = self.dz[start : start + BLOCK, 1:-1, 1:-1]
            for (i, j), here in zip(CORNERS, self.largest[:, start : start + BLOCK], strict=True):
                np.multiply(d[start : start + BLOCK], here, dz[:, i::2, j::2])
            np.add(total, self.seen(x, start).T.dot(dz.reshape(-1, dz.shape[3])), total)

    def before(self, out):
        """The gradient of the images the convolution read: a convolution with the kernel turned around."""
        matrix = self.kernel[::-1, ::-1].transpose(0, 1, 3, 2).reshape(-1, self.kernel.shape[2])
        for start in range(0, BATCH, BLOCK):
            self.seen(self.dz, start).dot(matrix, out[start : start + BLOCK].reshape(-1, out.shape[3]))
        return out


class ConvolutionTwin:
    """W3 by hand."""

    def __init__(self, weights) -> None:
        self.adam = FlatAdam(sum(w.size for w in weights))
        self.values, self.grads, place = [], [], 0
        for array in weights:
            flat = slice(place, place + array.size)
            self.adam.weights[flat] = array.ravel()
            self.values.append(self.adam.weights[flat].reshape(array.shape))
            self.grads.append(self.adam.grads[flat].reshape(array.shape))
            place += array.size
        self.first = PooledConvolution(SIDE, *self.values[:2], self.grads[:2])
        self.second = PooledConvolution(SIDE // 2, *self.values[2:4], self.grads[2:4])
        self.x = np.zeros((BATCH, SIDE + 2, SIDE + 2, 1), F)
        self.flat = np.empty((BATCH, 49 * FILTERS[1]), F)
        self.dflat = np.empty_like(self.flat)
        self.d = np.empty((BATCH, SIDE // 2, SIDE // 2, FILTERS[0]), F)
        self.dense = Head(self.values[4:], self.grads[4:])

    def step(self, images, labels) -> None:
        self.x[:, 1:-1, 1:-1] = images
        self.first.forward(self.x)
        self.second.forward(self.first.out)
        pooled = self.second.inside
        self.flat.reshape(pooled.shape)[...] = pooled
        self.dense.forward(self.flat)
        self.dense.loss_gradient(labels)
        self.dense.backward(self.flat)
        self.dense.d[0].dot(self.dense.W[0].T, self.dflat)
        self.second.backward(self.first.out, self.dflat.reshape(pooled.shape))
        self.first.backward(self.x, self.second.before(self.d))
        self.adam.step()


class Head(ClassifierTwin):
    """The Dense layers at the end, whose parameters and gradients lie in arrays of somebody else."""

    def __init__(self, values, grads) -> None:
        self.W, self.b, self.gW, self.gb = values[::2], values[1::2], grads[::2], grads[1::2]
        self.h = [np.empty((BATCH, w.shape[1]), F) for w in self.W]
        self.d = [np.empty((BATCH, w.shape[1]), F) for w in self.W]
        self.rows = np.arange(BATCH)
