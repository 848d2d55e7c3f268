"""Two spirals in the plane, as in TensorFlow's playground: three small layers of ReLUs wind a border between them.

graphdl train examples/playground.py --epochs 20 --record spiral.html
graphdl draw examples/playground.py -o playground.svg
python examples/playground.py
"""

import sys

from graphdl import keras

x, y = keras.datasets.toy("spiral", n=500, noise=0.05)

model = keras.Sequential(
    [
        keras.Input(shape=(2,)),
        keras.layers.Dense(16, activation="relu"),
        keras.layers.Dense(16, activation="relu"),
        keras.layers.Dense(8, activation="relu"),
        keras.layers.Dense(1, activation="sigmoid"),
    ]
)
model.compile(optimizer=keras.optimizers.Adam(learning_rate=0.01), loss="binary_crossentropy", metrics=["accuracy"])

data = (x, y)
epochs = 150

if __name__ == "__main__":
    recorder = keras.Recorder(title="two spirals")
    model.fit(x, y, epochs=20 if "--quick" in sys.argv else epochs, verbose=0, callbacks=[recorder])
    snapshots = recorder.recording.snapshots
    for snapshot in snapshots[:: len(snapshots) // 6]:
        print(f"step {snapshot.step:4}: {snapshot.scores['accuracy']:.0%} of the points on the right side")
    if "--quick" not in sys.argv:
        print(f"move the slider in {recorder.recording.save('playground.html')}")
