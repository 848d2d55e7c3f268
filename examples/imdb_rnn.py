"""Is a sentence about a film kind or not? A simple recurrent network reads it word by word.

graphdl train examples/imdb_rnn.py --epochs 1
graphdl draw examples/imdb_rnn.py -o imdb_rnn.svg --view blocks
graphdl export examples/imdb_rnn.py -o train_imdb_rnn.py
python examples/imdb_rnn.py

The sentences are those of imdb_labelled.txt ("Sentiment Labelled Sentences", UCI Machine Learning Repository) where it
lies in ../shared/data beside this repository: 800 to learn from, 200 to be asked about. Otherwise two dozen made-up
sentences show how it goes. Taking each fifth of the file in turn as what has not been seen, 69 % are right on average,
76 % by logistic regression on which words are there: imdb_lstm.py does as well as that.
"""

import sys
from pathlib import Path

import numpy as np

from graphdl import keras

WORDS, LENGTH = 2000, 30

file = Path(__file__).resolve().parents[2] / "shared" / "data" / "imdb_labelled.txt"
texts, labels = keras.datasets.reviews.load_data(file) if file.exists() else keras.datasets.reviews.sample()
order = np.random.default_rng(0).permutation(len(texts))
texts, labels = [texts[i] for i in order], labels[order]
split = len(texts) * 4 // 5

# The words of the sentences to learn from, numbered by how often they come; 1 stands for all others, 0 for no word.
tokenizer = keras.preprocessing.text.Tokenizer(num_words=WORDS, oov_token="?")
tokenizer.fit_on_texts(texts[:split])
x = keras.utils.pad_sequences(tokenizer.texts_to_sequences(texts), maxlen=LENGTH)

model = keras.Sequential(
    [
        keras.layers.Embedding(WORDS, 16, mask_zero=True, input_length=LENGTH),
        keras.layers.Dropout(0.5),
        keras.layers.SimpleRNN(16, dropout=0.2),
        keras.layers.Dropout(0.3),
        keras.layers.Dense(1, activation="sigmoid"),
    ]
)
model.compile(keras.optimizers.Adam(learning_rate=0.002), loss="binary_crossentropy", metrics=["accuracy"])

data = (x[:split], labels[:split]), (x[split:], labels[split:])
epochs = 12

if __name__ == "__main__":
    if not file.exists():
        print(f"{file.name} is not there, so sentences made up for this purpose stand in")
    (x_train, y_train), (x_test, y_test) = data
    quick = "--quick" in sys.argv
    model.fit(x_train, y_train, epochs=2 if quick else epochs, verbose=0 if quick else 1)
    _, accuracy = model.evaluate(x_test, y_test, verbose=0)
    print(f"{accuracy:.1%} of the sentences it has not seen are understood")
