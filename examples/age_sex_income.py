"""Three heads on one body: from four answers of a person, the age (a number), the income (a class) and the sex.

Each head has a loss of its own, and their sizes differ by far: squares of years are in the hundreds, nats near one.
Without weights the largest loss gets nearly all of the training.

python examples/age_sex_income.py
graphdl train examples/age_sex_income.py
graphdl draw examples/age_sex_income.py -o heads.svg --view blocks
"""

import sys

import numpy as np

from graphdl import keras

# People that are made up: what they answer depends on who they are, with some noise.
random = np.random.default_rng(0)
n = 2000
age = random.uniform(18, 80, n)
sex = random.integers(0, 2, n)
income = np.clip((age - 18) / 20 + random.normal(0, 0.5, n), 0, 2.99).astype(int)  # of three classes
answers = np.stack(
    [
        age / 40 - 1 + random.normal(0, 0.1, n),
        income - 1 + random.normal(0, 0.3, n),
        2 * sex - 1 + random.normal(0, 0.6, n),
        random.normal(0, 1, n),  # one that tells nothing
    ],
    axis=1,
)

person = keras.Input(shape=(4,), name="answers")
body = keras.layers.Dense(32, activation="relu")(person)
body = keras.layers.Dense(32, activation="relu")(body)
model = keras.Model(
    inputs=person,
    outputs=[
        keras.layers.Dense(1, name="age")(body),
        keras.layers.Dense(3, activation="softmax", name="income")(body),
        keras.layers.Dense(1, activation="sigmoid", name="sex")(body),
    ],
)
model.compile(
    optimizer="adam",
    loss={"age": "mse", "income": "sparse_categorical_crossentropy", "sex": "binary_crossentropy"},
    loss_weights={"age": 0.01, "income": 1.0, "sex": 1.0},
    metrics={"age": ["mae"], "income": ["accuracy"], "sex": ["accuracy"]},
)

data = answers, {"age": age, "income": income, "sex": sex}
epochs = 60

if __name__ == "__main__":
    model.summary()
    history = model.fit(
        *data, epochs=8 if "--quick" in sys.argv else epochs, batch_size=50, validation_split=0.2, verbose=0
    ).history
    print(f"age    : {history['val_age_mae'][-1]:.1f} years off on average")
    print(f"income : {history['val_income_accuracy'][-1]:.0%} of the classes are right")
    print(f"sex    : {history['val_sex_accuracy'][-1]:.0%} are right")
