"""The digits with dropout: masks are drawn in training, and not when the network is asked.

graphdl train examples/digits_dropout.py
graphdl show examples/digits_dropout.py              the training graph, with its noise
graphdl show examples/digits_dropout.py --predict    the same layers as they predict
python examples/digits_dropout.py
"""

import sys

from graphdl import keras

(x_train, y_train), (x_test, y_test) = keras.datasets.digits.load_data()
x_train, x_test = x_train / 16, x_test / 16

model = keras.Sequential(
    [
        keras.Input(shape=(64,)),
        keras.layers.Dense(256, activation="relu"),
        keras.layers.Dropout(0.3),
        keras.layers.Dense(10, activation="softmax"),
    ]
)
model.compile(optimizer="adam", loss="sparse_categorical_crossentropy", metrics=["accuracy"])

data = (x_train, y_train), (x_test, y_test)
epochs = 25

if __name__ == "__main__":
    history = model.fit(
        x_train, y_train, epochs=5 if "--quick" in sys.argv else epochs, validation_data=(x_test, y_test), verbose=0
    ).history
    print(f"with masks, on the training digits:  {history['accuracy'][-1]:.1%}")
    print(f"without, on digits it has not seen:  {history['val_accuracy'][-1]:.1%}")
