"""How often will a headline be shared? Two inputs, a recurrent branch, two outputs with a loss each.

graphdl train examples/headline.py --epochs 1
graphdl draw examples/headline.py -o headline.svg --view blocks
graphdl export examples/headline.py -o train_headline.py
python examples/headline.py

The network of the Keras guide to functional models: the words of a headline are read by an LSTM, whose result is asked
at once (aux_output) and, beside five other numbers such as the hour of day, after three more layers (main_output).
The data are made up, so that the answer is known: some words are liked, and more so by night.
"""

import sys

import numpy as np

from graphdl import keras

quick = "--quick" in sys.argv
words, length, width, units, hidden = (200, 20, 16, 8, 16) if quick else (10_000, 100, 512, 32, 64)

main_input = keras.Input(shape=(length,), dtype="int32", name="main_input")
x = keras.layers.Embedding(words, width)(main_input)
read = keras.layers.LSTM(units)(x)
aux_output = keras.layers.Dense(1, activation="sigmoid", name="aux_output")(read)

aux_input = keras.Input(shape=(5,), name="aux_input")
x = keras.layers.concatenate([read, aux_input])
x = keras.layers.Dense(hidden, activation="relu")(x)
x = keras.layers.Dense(hidden, activation="relu")(x)
x = keras.layers.Dense(hidden, activation="relu")(x)
main_output = keras.layers.Dense(1, activation="sigmoid", name="main_output")(x)

model = keras.Model(inputs=[main_input, aux_input], outputs=[main_output, aux_output], name="headline")
model.compile(
    optimizer="rmsprop",
    loss={"main_output": "binary_crossentropy", "aux_output": "binary_crossentropy"},
    loss_weights={"main_output": 1.0, "aux_output": 0.2},
    metrics={"main_output": ["accuracy"]},
)

random = np.random.default_rng(0)
count = 256 if quick else 320
headlines = random.integers(1, words, (count, length)).astype("int32")
liked = (headlines < words // 2).mean(axis=1)
others = random.uniform(0, 1, (count, 5)).astype("float32")
shared = (liked + 0.5 * others[:, 0] > 0.75).astype("float32")[:, None]

data = (
    {"main_input": headlines, "aux_input": others},
    {"main_output": shared, "aux_output": shared},
)
epochs = 5

if __name__ == "__main__":
    model.fit(*data, epochs=1 if quick else epochs, batch_size=32, verbose=0 if quick else 1)
    guesses, first = model.predict(data[0], verbose=0)
    right = ((guesses > 0.5) == shared).mean()
    print(
        f"{model.count_params():,} weights, two losses; {right:.1%} of the headlines it learnt from are judged rightly"
    )
