"""Two inputs, two outputs: from the sides of a block and its material, its mass and whether it floats.

graphdl train examples/multi_output.py
graphdl draw examples/multi_output.py -o block.svg --view blocks
python examples/multi_output.py
"""

import sys

import numpy as np

from graphdl import keras

MATERIALS = {"cork": 0.24, "oak": 0.75, "glass": 2.5}  # tonnes a cubic metre; water has 1

random = np.random.default_rng(0)
sides = random.uniform(0.3, 1.0, (600, 3))
material = random.integers(0, len(MATERIALS), 600)
density = np.array(list(MATERIALS.values()))[material]
mass = sides.prod(axis=1) * density
floats = density < 1

block = keras.Input(shape=(3,), name="sides")
made_of = keras.Input(shape=(len(MATERIALS),), name="material")
hidden = keras.layers.Dense(24, activation="tanh", name="shape")(block)
matter = keras.layers.Dense(24, activation="tanh", name="matter")(made_of)
both = keras.layers.Dense(32, activation="relu", name="both")(hidden + matter)
model = keras.Model(
    inputs=[block, made_of],
    outputs=[
        keras.layers.Dense(1, name="mass")(both),
        keras.layers.Dense(1, activation="sigmoid", name="floats")(both),
    ],
)
slower = keras.optimizers.schedules.ExponentialDecay(0.01, decay_steps=285, decay_rate=0.7)  # 285 steps: 15 epochs
model.compile(
    optimizer=keras.optimizers.Adam(learning_rate=slower),
    loss={"mass": "mse", "floats": "binary_crossentropy"},
    loss_weights={"mass": 10.0, "floats": 1.0},
    metrics={"floats": ["accuracy"]},
)

data = (
    {"sides": sides, "material": keras.utils.to_categorical(material, len(MATERIALS))},
    {"mass": mass, "floats": floats},
)
epochs = 150

if __name__ == "__main__":
    model.fit(*data, epochs=10 if "--quick" in sys.argv else epochs, verbose=0)
    half = np.full((len(MATERIALS), 3), 0.5)
    masses, chances = model.predict([half, np.eye(len(MATERIALS))], verbose=0)
    for name, value, chance in zip(MATERIALS, masses[:, 0], chances[:, 0], strict=True):
        exact = 0.5**3 * MATERIALS[name]
        print(f"half a metre of {name:5}: {value:.3f} t (exactly {exact:.3f}), floats with probability {chance:.3f}")
