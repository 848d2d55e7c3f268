"""An activation of one's own from one formula: mish, with which a network learns a sine.

The formula is built from known operations: it is stabilised (log(1 + exp(a)) does not overflow), differentiated,
drawn and exported like any other.

    graphdl train examples/custom_op.py
    graphdl show examples/custom_op.py --stage passes
    python examples/custom_op.py
"""

import sys

import numpy as np

import graphdl as gd
from graphdl import keras

mish = gd.elementwise("mish", "a * tanh(log(1 + exp(a)))")

x = np.linspace(-np.pi, np.pi, 200)[:, None]
y = np.sin(x)

model = keras.Sequential(
    [
        keras.Input(shape=(1,)),
        keras.layers.Dense(32, activation=mish),
        keras.layers.Dense(32, activation=mish),
        keras.layers.Dense(1),
    ]
)
model.compile(optimizer=keras.optimizers.Adam(learning_rate=0.01), loss="mse")

data = (x, y)
epochs = 200

if __name__ == "__main__":
    print(f"d mish / da = {mish.derivative()}")
    a = gd.placeholder((), "float64", name="a")
    value = mish(a)
    at_1000, slope = gd.Session().run([value, gd.gradients(value, a)], {a: 1000.0})
    print(f"mish(1000) = {at_1000:g} and its slope there {slope:g}, though exp(1000) is no float")
    model.fit(x, y, epochs=30 if "--quick" in sys.argv else epochs, verbose=0)
    print(f"mean squared error {model.evaluate(x, y, verbose=0):.2e}")
