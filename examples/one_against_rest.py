"""Three classes by three yes-or-no classifiers, and by one matrix whose columns these are; then by softmax.

`separate` is the loss of the three, each with weights of its own: is it class 0, is it class 1, is it class 2?
`together` has their weights as columns of one matrix: the same predictions, the same loss, the same gradients, in
one product. `model` is softmax, which has the same matrix too, but lets the classes bid against each other.

The classes lie side by side, and there the two differ: no straight line has class 1 on one side and the others on the
other, so the classifier "1 or not" says no to everybody. Taking the largest of the three still helps, since 0 and 2 say
so even louder in the middle; but what they say are no probabilities of one thing among three. Those of softmax are.

graphdl draw examples/one_against_rest.py:separate -o separate.svg
graphdl draw examples/one_against_rest.py:together -o together.svg
graphdl draw examples/one_against_rest.py:model -o softmax.svg
graphdl train examples/one_against_rest.py --epochs 5
graphdl export examples/one_against_rest.py -o train_softmax.py
python examples/one_against_rest.py
"""

import sys

import numpy as np

import graphdl as gd
from graphdl import keras

CLASSES, EACH = 3, 100

random = np.random.default_rng(0)
labels = np.repeat(np.arange(CLASSES), EACH)
points = np.column_stack([3.0 * (labels - 1), 0.0 * labels]) + random.normal(0, 0.6, (len(labels), 2))
answers = np.eye(CLASSES)[labels]
columns = random.normal(0, 0.5, (2, CLASSES))

x = gd.constant(points, name="x")
y = gd.constant(answers, name="y")

# One against the rest, three times.
ws = [gd.Variable(columns[:, [k]], name=f"w{k}") for k in range(CLASSES)]
bs = [gd.Variable(np.zeros(1), name=f"b{k}") for k in range(CLASSES)]
bids = [gd.add(x @ w, b, name=f"z{k}") for k, (w, b) in enumerate(zip(ws, bs, strict=True))]
wrong = [gd.mean(gd.sigmoid_cross_entropy(z, y[:, k : k + 1]), name=f"L{k}") for k, z in enumerate(bids)]
separate = gd.add_n(*wrong, name="L")

# The same with one matrix.
W = gd.Variable(columns, name="W")
b = gd.Variable(np.zeros(CLASSES), name="b")
z = gd.add(x @ W, b, name="z")
together = gd.sum(gd.mean(gd.sigmoid_cross_entropy(z, y), axis=0), name="L")


def network(activation, loss):
    keras.utils.set_random_seed(0)
    made = keras.Sequential([keras.Input((2,)), keras.layers.Dense(CLASSES, activation=activation, name="bids")])
    made.compile(keras.optimizers.Adam(learning_rate=0.05), loss=loss, metrics=["categorical_accuracy"])
    return made


model = network("softmax", "categorical_crossentropy")
data = (points, answers)
epochs = 60


def difference(session):
    """By how much predictions, losses and gradients differ at most between the three and the matrix."""
    slopes = gd.gradients(separate, [*ws, *bs])
    one = [gd.concat(bids, axis=1), separate, gd.concat(slopes[:CLASSES], axis=1), gd.concat(slopes[CLASSES:], axis=0)]
    other = [z, together, *gd.gradients(together, [W, b])]
    return [np.abs(ours - theirs).max() for ours, theirs in zip(*session.run([one, other]), strict=True)]


if __name__ == "__main__":
    found = dict(zip(("bids", "losses", "weights", "biases"), difference(gd.Session()), strict=True))
    print("three classifiers and one matrix agree: bids, loss and gradients differ by less than 1e-12:", end=" ")
    print(all(each < 1e-12 for each in found.values()))

    print("\n             sure of class 0, 1, 2   largest is right   sum of the three")
    for name, trained in (("3 sigmoids", network("sigmoid", "binary_crossentropy")), ("softmax", model)):
        trained.fit(points, answers, epochs=20 if "--quick" in sys.argv else epochs, verbose=0)
        chances = trained.predict(points, verbose=0)
        sure = "  ".join(f"{np.mean(chances[labels == k, k] > 0.5):5.0%}" for k in range(CLASSES))
        right, sums = np.mean(chances.argmax(axis=1) == labels), chances.sum(axis=1)
        print(f"{name:11}  {sure}     {right:15.1%}    {sums.min():.2f} to {sums.max():.2f}")
