"""Infertility after earlier abortions: 248 women, 83 of them cases, from R's data set infert (Trichopoulos 1976).

Two hidden layers, as in the course, against logistic regression. The controls were chosen to match the cases in age,
parity and education, so these alone tell nothing; `spontaneous` and `induced` do. The table is read from ../shared/data
beside this repository, or downloaded once.

graphdl train examples/infert.py --epochs 20 --validation-split 0.2
graphdl draw examples/infert.py -o infert.svg --view rails
graphdl export examples/infert.py -o train_infert.py
python examples/infert.py
"""

import sys
from pathlib import Path

import numpy as np

from graphdl import keras
from graphdl.keras.preprocessing.numbers import StandardScaler, train_test_split

file = Path(__file__).resolve().parents[2] / "shared" / "data" / "infert.csv"
table = keras.datasets.table.read_table(file) if file.exists() else keras.datasets.rdatasets.load("infert")
education, _ = table.classes("education")
x = np.column_stack([table.numbers(["age", "parity", "induced", "spontaneous"]), education])
y = table.column("case")
x_train, x_test, y_train, y_test = train_test_split(x, y, test_size=0.25, seed=4, stratify=y)

model = keras.Sequential(
    [
        keras.Input(shape=(5,)),
        StandardScaler().fit(x_train).layer(name="standardise"),
        keras.layers.Dense(8, activation="tanh"),
        keras.layers.Dense(4, activation="tanh"),
        keras.layers.Dense(1, activation="sigmoid"),
    ]
)
model.compile(keras.optimizers.Adam(learning_rate=0.01), loss="binary_crossentropy", metrics=["accuracy"])

data = (x_train, y_train), (x_test, y_test)
epochs = 60


def logistic(x, y, x_new, steps=25):
    """Logistic regression by Newton's method, for comparison: the probabilities for `x_new`."""
    scaler = StandardScaler().fit(x)
    rows, new = (np.column_stack([np.ones(len(part)), scaler.transform(part)]) for part in (x, x_new))
    weights = np.zeros(rows.shape[1])
    for _ in range(steps):
        p = 1 / (1 + np.exp(-rows @ weights))
        weights += np.linalg.solve(rows.T @ (rows * (p * (1 - p))[:, None]), rows.T @ (y - p))
    return 1 / (1 + np.exp(-new @ weights))


if __name__ == "__main__":
    model.fit(x_train, y_train, epochs=10 if "--quick" in sys.argv else epochs, batch_size=16, verbose=0)
    ours = model.predict(x_test, verbose=0)[:, 0]
    theirs = logistic(x_train, y_train, x_test)
    print(f"always the larger class:  {1 - y_test.mean():.1%} of the women held out are right")
    print(f"logistic regression:      {((theirs > 0.5) == y_test).mean():.1%}")
    print(f"two hidden layers:        {((ours > 0.5) == y_test).mean():.1%}")
