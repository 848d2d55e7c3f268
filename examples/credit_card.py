"""What share of their income people spend by credit card (1,319 applicants), and why it is too easy to predict.

`share` is 12 times the monthly `expenditure` by `income`: whoever is given both has been told the answer. Without
`expenditure` the network has to find out from age, reports, months at one address and the like; then it does not know
much more than a linear regression, and neither knows much. The table is read from ../shared/data beside this
repository, or downloaded once.

graphdl train examples/credit_card.py --epochs 5
graphdl train examples/credit_card.py --epochs 5 --optimizer rmsprop --lr 0.003
graphdl draw examples/credit_card.py -o credit_card.svg --view blocks
graphdl export examples/credit_card.py -o train_credit_card.py
python examples/credit_card.py
"""

import sys
from pathlib import Path

import numpy as np

from graphdl import keras
from graphdl.keras.preprocessing.numbers import StandardScaler, train_test_split

file = Path(__file__).resolve().parents[2] / "shared" / "data" / "CreditCard.csv"
table = keras.datasets.table.read_table(file) if file.exists() else keras.datasets.rdatasets.load("CreditCard")
CLUES = ["reports", "age", "income", "dependents", "months", "majorcards", "active"]

y = table.column("share")
leaky, clean = table.numbers(["expenditure", *CLUES]), table.numbers(CLUES)
x_train, x_test, c_train, c_test, y_train, y_test = train_test_split(leaky, clean, y, test_size=0.25, seed=1)


def network(x):
    """A hidden layer behind a layer that brings each column to mean 0 and deviation 1, as it is in `x`."""
    small = keras.regularizers.L2(0.01)  # without it, the network learns the noise by heart
    model = keras.Sequential(
        [
            keras.Input(shape=x.shape[1:]),
            StandardScaler().fit(x).layer(name="standardise"),
            keras.layers.Dense(16, activation="relu", kernel_regularizer=small),
            keras.layers.Dense(1, kernel_regularizer=small),
        ]
    )
    model.compile(optimizer=keras.optimizers.Adam(learning_rate=0.003), loss="mse", metrics=["mae"])
    return model


model, without = network(x_train), network(c_train)
data = (x_train, y_train), (x_test, y_test)
epochs = 150


def explained(y_true, y_pred):
    """The part of the variance that is explained, R squared: 1 is all, 0 is what the mean knows."""
    return 1 - np.square(y_true - np.ravel(y_pred)).sum() / np.square(y_true - y_true.mean()).sum()


def linear(x, y, x_new):
    """Least squares, for comparison."""
    with_one = np.column_stack([np.ones(len(x)), x])
    weights, *_ = np.linalg.lstsq(with_one, y, rcond=None)
    return np.column_stack([np.ones(len(x_new)), x_new]) @ weights


if __name__ == "__main__":
    told = 12 * table.column("expenditure") / (10_000 * table.column("income"))
    print(f"share is 12 expenditure / income, but for {np.abs(y - told).max():.4f} at most")
    for name, net, x, new in (("with", model, x_train, x_test), ("without", without, c_train, c_test)):
        stop = keras.callbacks.EarlyStopping(patience=10, restore_best_weights=True)
        tries = 10 if "--quick" in sys.argv else epochs
        net.fit(x, y_train, epochs=tries, validation_split=0.2, callbacks=[stop], verbose=0)
        ours, theirs = explained(y_test, net.predict(new, verbose=0)), explained(y_test, linear(x, y_train, new))
        print(f"{name:7} expenditure: R2 {ours:.3f}, of a linear regression {theirs:.3f}")
