"""Two classifiers, each right about 96 people of 100; cross-entropy tells them apart, and accuracy does not.

The course lets them guess who is a man and who a woman. One meets 50 men and 50 women, and is right about 47 and 49 of
them; the other meets 95 men and 5 women, and is right about 94 and 2. Cross-entropy is the sum of p log(1/p') over the
classes, p being the share of a class and p' that of its people who are recognised: the second p is the predicted one.

Behind it, the same with people who are measured: where 5 of 100 are women, saying "man" is right 95 times.

graphdl draw examples/gender.py -o gender.svg
graphdl draw examples/gender.py:nats -o cross_entropy.svg
graphdl train examples/gender.py --epochs 5
graphdl export examples/gender.py -o train_gender.py
python examples/gender.py
"""

import math
import sys

import numpy as np

import graphdl as gd
from graphdl import keras
from graphdl.keras.preprocessing.numbers import StandardScaler

# Who there is, and how many of them are recognised: men, women.
CASES = {"50/50": ((50, 50), (47, 49)), "95/5": ((95, 5), (94, 2))}
# What the course has for the same two sums.
PRINTED = {
    "50/50": (0.02687, "-log10(47/50), the men alone and not halved", -math.log10(47 / 50)),
    "95/5": (0.17609, "log10(3/2), from the 2 women among 3 called so", math.log10(3 / 2)),
}


def cross_entropy(people, right):
    """In nats, as a graph; who is recognised is a variable, so the picture has the gradient for it."""
    people, right = np.array(people), np.array(right)
    share = gd.constant(people / people.sum(), name="share")
    recognised = gd.Variable(right / people, name="recognised")
    return gd.sum(-share * gd.log(recognised), name="nats")


nats = cross_entropy(*CASES["95/5"])


def measured(men, women, seed):
    """Height in cm and length of the hair in cm; women are class 1."""
    random = np.random.default_rng(seed)
    heights = np.concatenate([random.normal(174, 6, men), random.normal(161, 6, women)])
    hair = np.concatenate([random.gamma(2, 3, men), random.gamma(4, 6, women)])
    order = random.permutation(men + women)
    return np.column_stack([heights, hair])[order], np.repeat([0, 1], [men, women])[order]


x_train, y_train = measured(1900, 100, seed=0)
x_test, y_test = measured(1900, 100, seed=1)


def logistic():
    """Logistic regression on the two measures."""
    keras.utils.set_random_seed(0)
    network = keras.Sequential(
        [
            keras.Input(shape=(2,)),
            StandardScaler().fit(x_train).layer(name="standardise"),
            keras.layers.Dense(1, activation="sigmoid", name="woman"),
        ]
    )
    scores = ["accuracy", keras.metrics.Precision(name="precision"), keras.metrics.Recall(name="recall")]
    network.compile(keras.optimizers.Adam(learning_rate=0.02), loss="binary_crossentropy", metrics=scores)
    return network


model = logistic()
data = (x_train, y_train), (x_test, y_test)
epochs = 20


def scored(network):
    found = network.evaluate(x_test, y_test, verbose=0, return_dict=True)
    return "  ".join(f"{found[name]:>9.1%}" for name in ("accuracy", "precision", "recall"))


if __name__ == "__main__":
    print("right 96 times of 100      nats    bits   log10   the course")
    for name, (people, right) in CASES.items():
        loss = cross_entropy(people, right)
        in_nats, in_bits, in_log10 = gd.Session().run([loss, loss / math.log(2), loss / math.log(10)])
        printed, meaning, exactly = PRINTED[name]
        print(f"  of {name:6} {right[0]} and {right[1]:2}    {in_nats:.4f}  {in_bits:.4f}  {in_log10:.4f}", end="")
        print(f"   {printed:.5f}; {exactly:.5f} is {meaning}")

    quick = "--quick" in sys.argv
    print(f"\n{'1,900 men and 100 women':34} accuracy  precision     recall")
    print(f"{'nobody is a woman':32}  {np.mean(y_test == 0):>9.1%}  {'none':>9}  {0:>9.1%}")
    for name, weights in (("trained", None), ("a woman counts 19 times", {0: 1.0, 1: 19.0})):
        network = logistic()
        network.fit(x_train, y_train, epochs=3 if quick else epochs, class_weight=weights, verbose=0)
        print(f"{name:32}  {scored(network)}")
