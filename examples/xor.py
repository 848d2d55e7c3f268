"""XOR: no straight line parts its four points, one hidden layer does.

graphdl train examples/xor.py
graphdl draw examples/xor.py -o xor.svg
python examples/xor.py
"""

import sys

import numpy as np

from graphdl import keras

x = np.array([[0, 0], [0, 1], [1, 0], [1, 1]])
y = np.array([0, 1, 1, 0])

model = keras.Sequential(
    [
        keras.Input(shape=(2,)),
        keras.layers.Dense(4, activation="tanh"),
        keras.layers.Dense(1, activation="sigmoid"),
    ]
)
model.compile(optimizer=keras.optimizers.Adam(learning_rate=0.05), loss="binary_crossentropy", metrics=["accuracy"])

data = (x, y)
epochs = 400
batch_size = 4

if __name__ == "__main__":
    model.fit(x, y, batch_size=batch_size, epochs=100 if "--quick" in sys.argv else epochs, verbose=0)
    for point, probability in zip(x, model.predict(x, verbose=0)[:, 0], strict=True):
        print(f"{point[0]} xor {point[1]}: {probability:.3f}")
