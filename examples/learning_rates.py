"""Learning rates from too small to too large: what crawls, what arrives, what leaps from side to side, what diverges.

First a valley of two numbers, x squared / 20 + y squared, where it can be foretold: a step of gradient descent
multiplies x by 1 - 0.1 rate and y by 1 - 2 rate. Small rates wait for x, large ones fail on y: no rate above 1 arrives,
and the larger the difference of the slopes, the less lies between. Then a network, where it has to be tried.

graphdl draw examples/learning_rates.py -o learning_rates.svg
graphdl train examples/learning_rates.py --epochs 5 --lr 0.001
graphdl train examples/learning_rates.py --epochs 5 --lr 0.1
graphdl export examples/learning_rates.py -o train_learning_rates.py
python examples/learning_rates.py
"""

import sys

import numpy as np

from graphdl import keras
from graphdl.keras.optimizers import SGD, SURFACES, trajectories

VALLEY_RATES = (0.01, 0.1, 0.45, 0.95, 1.02)
NETWORK_RATES = (0.0003, 0.01, 0.1, 0.5, 2.0)
CURVATURES = np.array([0.1, 2.0])  # second derivatives along x and y

x = np.random.default_rng(0).uniform(-1, 1, (256, 1))
y = np.sin(3 * x)


def network(rate):
    """A hidden layer for a wave, and gradient descent on the mean squared error; always the same first weights."""
    keras.utils.set_random_seed(0)
    made = keras.Sequential(
        [
            keras.Input(shape=(1,)),
            keras.layers.Dense(16, activation="tanh", name="hidden"),
            keras.layers.Dense(1, name="height"),
        ]
    )
    made.compile(optimizer=SGD(learning_rate=rate), loss="mse")
    return made


model = network(0.1)
data = (x, y)
epochs = 100


def foretold(factors):
    """What a step does to x and to y, in words."""
    if (abs(factors) > 1).any():
        return "diverges: each leap is longer than the last"
    if max(abs(factors)) > 0.98:
        return "crawls along x"
    return "leaps from side to side along y, and arrives" if (factors < 0).any() else "arrives"


def seen(losses):
    """What became of the loss, in words; `losses` begins with that of the first weights."""
    if not np.isfinite(losses).all() or losses[-1] > losses[0]:
        return "diverges"
    if losses[-1] > losses[0] / 3:
        return "crawls"
    ups = np.mean(np.diff(losses) > 0)
    return f"arrives, though the loss rises in {ups:.0%} of the epochs" if ups > 0.1 else "falls steadily"


def trained(rate, times):
    """The loss on all examples at first and after each epoch, and a recording."""
    made, recorder = network(rate), keras.Recorder(title=f"rate {rate:g}")
    found = [made.evaluate(x, y, verbose=0)]
    made.fit(
        x,
        y,
        epochs=times,
        verbose=0,
        callbacks=[
            recorder,
            keras.callbacks.LambdaCallback(
                on_epoch_end=lambda epoch, logs: found.append(made.evaluate(x, y, verbose=0))
            ),
        ],
    )
    return np.array(found), recorder.recording


if __name__ == "__main__":
    quick = "--quick" in sys.argv
    steps = 50 if quick else 100
    paths = trajectories("valley", optimizers={f"rate {rate:g}": SGD(rate) for rate in VALLEY_RATES}, steps=steps)
    print(f"{SURFACES['valley'].formula}, {steps} steps from {SURFACES['valley'].start}")
    print("  rate   x times  y times      loss")
    for rate, path in zip(VALLEY_RATES, paths.paths, strict=True):
        factors = 1 - rate * CURVATURES
        print(f"  {rate:<5}  {factors[0]:7.3f}  {factors[1]:7.2f}  {path.losses[-1]:8.2g}  {foretold(factors)}")

    times = 20 if quick else epochs
    print(f"\na wave learnt by 16 units, {times} epochs of {len(x) // 32} steps\n  rate        loss")
    arrived = []
    for rate in NETWORK_RATES:
        losses, recording = trained(rate, times)
        arrived += [recording] if np.isfinite(losses).all() else []
        print(f"  {rate:<7} {losses[-1]:8.2g}  {seen(losses)}")
    if not quick:
        print(f"the paths are in {paths.figure(step=40).save('learning_rates_valley.svg')}")
        print(f"the losses are in {arrived[0].figure('loss', *arrived[1:]).save('learning_rates_network.svg')}")
