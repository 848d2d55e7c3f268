"""How values and gradients fare in twenty layers, for each way to start the weights.

A layer should neither shrink nor swell what passes it: forward the values, backward the gradient. The course's table
says how wide the first weights must be for that, and for which activation function.

graphdl draw examples/initialisation_study.py -o deep.svg
python examples/initialisation_study.py
"""

import sys

import numpy as np

import graphdl as gd
from graphdl import keras
from graphdl.keras import initializers

WIDTH = 100
SCHEMES = {
    "zeros": "zeros",
    "too small, N(0, 0.01²)": initializers.RandomNormal(stddev=0.01),
    "too large, N(0, 1)": initializers.RandomNormal(stddev=1.0),
    "lecun_normal": "lecun_normal",
    "glorot_uniform": "glorot_uniform",
    "he_normal": "he_normal",
    "orthogonal": "orthogonal",
}


def deep(activation, scheme, depth):
    """A stack of layers of one width, whose weights start by the scheme."""
    keras.utils.set_random_seed(0)
    values = [keras.Input((WIDTH,))]
    for _ in range(depth):
        values.append(keras.layers.Dense(WIDTH, activation, kernel_initializer=scheme)(values[-1]))
    return keras.Model(values[0], values[-1]), values


model, _ = deep("tanh", "glorot_uniform", 4)


def measured(activation, scheme, depth):
    """The spread of each layer's values on random inputs, and the norm of the gradient for each layer's weights."""
    network, (x, *values) = deep(activation, scheme, depth)
    kernels = [layer.kernel for layer in network.layers if layer.weights]
    slopes = gd.gradients(gd.mean(gd.square(values[-1] - gd.stop_gradient(x))), kernels)
    batch = np.random.default_rng(0).normal(size=(200, WIDTH)).astype("float32")
    spreads, gradients = network.start().run([values, slopes], {x: batch})
    return [float(v.std()) for v in spreads], [float(np.linalg.norm(g.astype(float))) for g in gradients]


def row(numbers, places):
    return "  ".join(f"{numbers[place]:8.1e}" for place in places)


if __name__ == "__main__":
    depth = 4 if "--quick" in sys.argv else 20
    places = sorted({round(share * (depth - 1)) for share in (0, 0.25, 0.5, 0.75, 1)})
    print(initializers.course_table(WIDTH, WIDTH))
    for activation in ("tanh", "sigmoid", "relu"):
        table = initializers.course_table(WIDTH, WIDTH)[activation]
        schemes = {**SCHEMES, f"the course's, r = {table.r:.2f}": table.initializer()}
        print(f"\n{activation}: spread of the values after layer {', '.join(str(p + 1) for p in places)} of {depth};")
        print(f"{'':24}norm of the gradient for the weights of the same layers")
        for name, scheme in schemes.items():
            spreads, slopes = measured(activation, scheme, depth)
            print(f"{name:<26}{row(spreads, places)}\n{'':<26}{row(slopes, places)}")
