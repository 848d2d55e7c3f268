"""y = x + 6 from six points: one neuron, mean squared error, gradient descent.

graphdl train examples/linear_regression.py
graphdl draw examples/linear_regression.py -o line.svg
python examples/linear_regression.py
"""

import sys

import numpy as np

from graphdl import keras

x = np.arange(-1.0, 5.0)
y = x + 6

model = keras.Sequential([keras.Input(shape=(1,)), keras.layers.Dense(1)])
model.compile(optimizer="sgd", loss="mse")

data = (x, y)
epochs = 1200

if __name__ == "__main__":
    model.fit(x, y, epochs=50 if "--quick" in sys.argv else epochs, verbose=0)
    print(f"the line at 10: {model.predict([10.0], verbose=0).item()}")
    kernel, bias = model.get_weights()
    print(f"slope {kernel.item():.6f}, offset {bias.item():.6f}")
