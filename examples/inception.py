"""An Inception block: windows of several sizes look at the same images side by side (Szegedy et al. 2015).

graphdl draw examples/inception.py -o inception.svg --view blocks
graphdl train examples/inception.py --epochs 1
python examples/inception.py

The images are the digits of 8 x 8 pixels that come with scikit-learn.
"""

import sys

from graphdl import keras
from graphdl.keras.layers import Conv2D, Dense, GlobalAveragePooling2D, MaxPooling2D, concatenate

(x_train, y_train), (x_test, y_test) = keras.datasets.digits.load_data()
x_train, x_test = (x.reshape(-1, 8, 8, 1) / 16 for x in (x_train, x_test))


def inception(x, filters, name):
    """Four towers over `x`, with so many filters each, and their channels side by side."""
    like = {"padding": "same", "activation": "relu"}
    pixel = Conv2D(filters, 1, name=f"{name}_pixel", **like)(x)
    small = Conv2D(filters, 3, name=f"{name}_small", **like)(Conv2D(filters, 1, name=f"{name}_to_small", **like)(x))
    large = Conv2D(filters, 5, name=f"{name}_large", **like)(Conv2D(filters, 1, name=f"{name}_to_large", **like)(x))
    largest = MaxPooling2D(3, strides=1, padding="same", name=f"{name}_pool")(x)
    pooled = Conv2D(filters, 1, name=f"{name}_after_pool", **like)(largest)
    return concatenate([pixel, small, large, pooled], name=name)


image = keras.Input(shape=(8, 8, 1), name="image")
first = inception(image, 8, "first")
second = inception(MaxPooling2D(name="halve")(first), 12, "second")
digit = Dense(10, activation="softmax", name="digit")(GlobalAveragePooling2D(name="average")(second))
model = keras.Model(inputs=image, outputs=digit)
model.compile(
    optimizer=keras.optimizers.Adam(learning_rate=0.01), loss="sparse_categorical_crossentropy", metrics=["accuracy"]
)

data = (x_train, y_train), (x_test, y_test)
epochs = 15

if __name__ == "__main__":
    model.fit(x_train, y_train, epochs=1 if "--quick" in sys.argv else epochs, verbose=0)
    _, accuracy = model.evaluate(x_test, y_test, verbose=0)
    print(f"{accuracy:.1%} of the digits it has not seen are right; {model.count_params():,} weights")
