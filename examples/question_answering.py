"""Answers to questions about a story: two branches read the story and the question, and meet.

graphdl train examples/question_answering.py --epochs 1
graphdl draw examples/question_answering.py -o question.svg --view rails
graphdl export examples/question_answering.py -o train_question.py
python examples/question_answering.py

"mary went to the kitchen . john went to the garden . where is mary" has one right answer among five places. The stories
are made up on the spot, in the manner of the bAbI tasks (Weston et al. 2015). The question, read by one network, is set
beside every word of the story, which another network reads in both directions.
"""

import sys

import numpy as np

from graphdl import keras

PEOPLE, PLACES = ["mary", "john", "sandra"], ["kitchen", "garden", "hall", "office", "bathroom"]
quick = "--quick" in sys.argv
count, sentences = (200, 2) if quick else (2000, 2)

random = np.random.default_rng(0)


def story() -> tuple[str, str, str]:
    """A story, a question about it, and the answer."""
    names = random.choice(PEOPLE, sentences, replace=False)
    places = random.choice(PLACES, sentences)
    told = " . ".join(f"{name} went to the {place}" for name, place in zip(names, places, strict=True))
    asked = random.integers(sentences)
    return told, f"where is {names[asked]}", places[asked]


stories, questions, answers = zip(*(story() for _ in range(count)), strict=True)
tokenizer = keras.preprocessing.text.Tokenizer()
tokenizer.fit_on_texts([*stories, *questions])
told = keras.utils.pad_sequences(tokenizer.texts_to_sequences(stories))
asked = keras.utils.pad_sequences(tokenizer.texts_to_sequences(questions))
labels = np.array([PLACES.index(answer) for answer in answers])
words = len(tokenizer.word_index) + 1

told_input = keras.Input(shape=told.shape[1:], dtype="int32", name="story")
asked_input = keras.Input(shape=asked.shape[1:], dtype="int32", name="question")
told_words = keras.layers.Embedding(words, 24, name="words_of_story")(told_input)
question = keras.layers.LSTM(24, name="read_question")(
    keras.layers.Embedding(words, 24, name="words_of_question")(asked_input)
)
# The question beside every word of the story, read together.
beside = keras.layers.RepeatVector(told.shape[1], name="beside_each_word")(question)
both = keras.layers.concatenate([told_words, beside], name="both")
read = keras.layers.Bidirectional(keras.layers.LSTM(24, name="reader"), name="read_both")(both)
answer = keras.layers.Dense(len(PLACES), activation="softmax", name="answer")(read)

model = keras.Model(inputs=[told_input, asked_input], outputs=answer, name="question_answering")
model.compile(keras.optimizers.Adam(learning_rate=0.01), loss="sparse_categorical_crossentropy", metrics=["accuracy"])

split = count * 9 // 10
data = ({"story": told[:split], "question": asked[:split]}, labels[:split])
epochs = 10

if __name__ == "__main__":
    model.fit(*data, epochs=1 if quick else epochs, verbose=0 if quick else 1)
    chances = model.predict([told[split:], asked[split:]], verbose=0)
    right = (chances.argmax(axis=1) == labels[split:]).mean()
    print(f"{stories[-1]} . {questions[-1]} ? {PLACES[chances[-1].argmax()]} (it is {answers[-1]})")
    print(f"{right:.1%} of the questions answered rightly; one in {len(PLACES)} would be chance")
