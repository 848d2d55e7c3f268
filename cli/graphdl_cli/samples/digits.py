"""Handwritten digits of 8 x 8 pixels: a network with one hidden layer, trained with Adam.

graphdl train digits.py
graphdl draw digits.py --view blocks
graphdl export digits.py -o train_digits.py
"""

from graphdl import keras

(x_train, y_train), (x_test, y_test) = keras.datasets.digits.load_data()

model = keras.Sequential(
    [
        keras.Input(shape=(64,), name="pixels"),
        keras.layers.Dense(128, activation="relu", name="hidden"),
        keras.layers.Dense(10, activation="softmax", name="digit"),
    ]
)
model.compile(
    optimizer=keras.optimizers.Adam(learning_rate=0.002),
    loss="sparse_categorical_crossentropy",
    metrics=["accuracy"],
)

data = (x_train / 16, y_train), (x_test / 16, y_test)
epochs = 20
