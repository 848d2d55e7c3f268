"""Handwritten digits of 8 x 8 pixels with two hidden layers and Adam.

graphdl train examples/digits_mlp.py
graphdl export examples/digits_mlp.py -o train_digits.py
python examples/digits_mlp.py
"""

import sys

from graphdl import keras

(x_train, y_train), (x_test, y_test) = keras.datasets.digits.load_data()
x_train, x_test = x_train / 16, x_test / 16

model = keras.Sequential(
    [
        keras.Input(shape=(64,)),
        keras.layers.Dense(128, activation="relu"),
        keras.layers.Dense(64, activation="relu"),
        keras.layers.Dense(10, activation="softmax"),
    ]
)
model.compile(optimizer="adam", loss="sparse_categorical_crossentropy", metrics=["accuracy"])

data = (x_train, y_train), (x_test, y_test)
epochs = 20

if __name__ == "__main__":
    model.summary()
    model.fit(x_train, y_train, epochs=5 if "--quick" in sys.argv else epochs, validation_split=0.1)
    loss, accuracy = model.evaluate(x_test, y_test, verbose=0)
    print(f"{accuracy:.1%} of the test digits are right")
