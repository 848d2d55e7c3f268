"""Handwritten digits by convolution: windows of 3 x 3 pixels, the same weights everywhere.

graphdl train examples/cnn.py --epochs 1
graphdl draw examples/cnn.py -o cnn.svg --view blocks
python examples/cnn.py

The digits are the 10,000 test images of MNIST where their files lie in ../shared/data beside this repository (8,000 to
learn from, 2,000 to be asked about), and otherwise the small ones that come with scikit-learn.
"""

import sys
from pathlib import Path

from graphdl import keras

files = Path(__file__).resolve().parents[2] / "shared" / "data"
images, labels = (files / f"mnist-t10k-{name}-ubyte.gz" for name in ("images-idx3", "labels-idx1"))

if images.exists():
    x, y = keras.datasets.idx.load(images, labels)
    (x_train, y_train), (x_test, y_test) = (x[:8000], y[:8000]), (x[8000:], y[8000:])
else:
    (x_train, y_train), (x_test, y_test) = keras.datasets.digits.load_data()
    x_train, x_test = x_train.reshape(-1, 8, 8), x_test.reshape(-1, 8, 8)

largest = x_train.max()
x_train, x_test = (x[..., None].astype("float32") / largest for x in (x_train, x_test))

model = keras.Sequential(
    [
        keras.Input(shape=x_train.shape[1:]),
        keras.layers.Conv2D(16, 3, padding="same", activation="relu"),
        keras.layers.MaxPooling2D(),
        keras.layers.Conv2D(32, 3, padding="same", activation="relu"),
        keras.layers.MaxPooling2D(),
        keras.layers.Flatten(),
        keras.layers.Dropout(0.4),
        keras.layers.Dense(10, activation="softmax"),
    ]
)
model.compile(
    optimizer=keras.optimizers.Adam(learning_rate=0.002), loss="sparse_categorical_crossentropy", metrics=["accuracy"]
)

data = (x_train, y_train), (x_test, y_test)
epochs = 8

if __name__ == "__main__":
    if "--quick" in sys.argv:
        x_train, y_train, x_test, y_test, epochs = x_train[:800], y_train[:800], x_test[:200], y_test[:200], 1
    model.fit(x_train, y_train, epochs=epochs, verbose=0 if "--quick" in sys.argv else 1)
    _, accuracy = model.evaluate(x_test, y_test, verbose=0)
    print(f"{accuracy:.1%} of the digits it has not seen are right")
