"""Ten optimizers on one loss surface: a valley, a bent one, plains between walls, and a pass.

`loss` is Beale's function of two numbers, as the optimizers see it.

graphdl draw examples/optimizer_race.py -o beale.svg
python examples/optimizer_race.py
"""

import sys

import graphdl as gd
from graphdl.keras import optimizers
from graphdl.keras.optimizers import SURFACES, trajectories

x, y = (gd.Variable(start, "float64", name=name) for start, name in zip(SURFACES["beale"].start, "xy", strict=True))
loss = SURFACES["beale"].loss(x, y)


def racers(scale):
    """One of each kind, at a rate that suits it; steps of the first three are as long as the slope is steep."""
    return {
        "SGD": optimizers.SGD(0.4 * scale),
        "Momentum": optimizers.SGD(0.1 * scale, momentum=0.9),
        "Nesterov": optimizers.SGD(0.1 * scale, momentum=0.9, nesterov=True),
        "Adagrad": optimizers.Adagrad(0.5),
        "RMSprop": optimizers.RMSprop(0.1),
        "Adadelta": optimizers.Adadelta(30.0),
        "Adam": optimizers.Adam(0.2),
        "Adamax": optimizers.Adamax(0.3),
        "Nadam": optimizers.Nadam(0.2),
        "Lion": optimizers.Lion(0.05),
    }


# By how much the slopes of a surface are steeper than the valley's.
SCALES = {"valley": 1.0, "saddle": 0.05, "beale": 0.02, "rosenbrock": 0.001}

if __name__ == "__main__":
    quick = "--quick" in sys.argv
    for name in ("valley", "saddle") if quick else SURFACES:
        race = trajectories(name, optimizers=racers(SCALES[name]), steps=40 if quick else 150)
        print(race)
        steps = {path.name: path.first_below(0.1) for path in race.paths}
        there = sorted((step, racer) for racer, step in steps.items() if step is not None)
        print(f"first below 0.1: {there[0][1]}, after {there[0][0]} steps\n" if there else "none is below 0.1 yet\n")
        if not quick:
            print(f"the paths are in {race.figure().save(f'race_{name}.svg')}\n")
