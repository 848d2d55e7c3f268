"""The hand-written parts of a stand-alone script, in the order of its story. `$` marks what is filled in."""

from __future__ import annotations

from string import Template

HEADER = Template('''"""A network and its training, in NumPy alone. Written by graphdl $version.

    python SCRIPT                     trains, and prints the loss of every epoch
    python SCRIPT --epochs 20$rate --seed 7 --batch-size 64
    python SCRIPT --save weights.npz --digest
    python SCRIPT --data FILE.npz     other examples, as arrays called
                                      $feeds
                                      and, for examples that are only scored, $tests
    python SCRIPT --data FILE.csv     or as a table, with the targets in its last columns

The story goes: data, initial values, one step of training, the loop, main. `step` is the code that a session of graphdl
runs, so on the same machine, with the same NumPy and number of threads, the weights end up the same to the last bit.
"""

import argparse
import base64
import hashlib
import io
import os
import sys

import numpy as np
import numpy as xp  # generated code says xp
''')

SETTINGS = Template("""
# The model, layer by layer:
$summary

EPOCHS = $epochs
BATCH_SIZE = $batch_size
# Examples that are scored at once.
AT_ONCE = $at_once
LEARNING_RATE = $learning_rate
# What the learning rate follows instead, if it changes from step to step.
SCHEDULE = $schedule
SEED = $seed
SHUFFLE = $shuffle

# What a step is fed: dtype and shape of one example, where a text is any size; of a class number also how many classes
# there are, and which number beside them marks what does not count.
FEEDS = $feeds
# What a prediction needs of it, and what a score.
INPUTS = $inputs
SCORED = $scored
# What a step reports, and what a prediction gives.
SCORES = $scores
OUTPUTS = $outputs
# Of the scores, those made of sums over the batches of an epoch; and these sums.
RUNNING = $running
SUMS = $sums
# All that training changes and remembers, the weights among it, and the learning rates.
STATE = $state
WEIGHTS = $weights
RATES = $rates
# Weights whose averages take their places when training ends.
AVERAGES = $averages
""")

KERNELS = """

# ---- Array functions that the generated code calls -----------------------------------------------


{kernels}
"""

DATA = '''

# ---- Data ----------------------------------------------------------------------------------------


def unpacked(text):
    """Arrays by name from the text of an .npz."""
    with np.load(io.BytesIO(base64.b64decode(text)), allow_pickle=False) as archive:
        return {name: archive[name] for name in archive.files}


def load_data(path=None):
    """Examples to train on, and examples to score (or None), by name: this script's own, or those of a file."""
    if path is None:
        if not EXAMPLES:
            sys.exit("this script carries no examples: give some with --data FILE.npz or --data FILE.csv")
        arrays = unpacked(EXAMPLES)
    else:
        try:
            arrays = read_table(path) if path.endswith(".csv") else dict(np.load(path, allow_pickle=False))
        except (OSError, ValueError, TypeError) as error:
            sys.exit(f"cannot read {path!r}: {error}")
    found = {name: as_fed(name, arrays, name) for name in FEEDS}
    tests = None
    if any(f"{name}_test" in arrays for name in SCORED):
        tests = {name: as_fed(name, arrays, f"{name}_test") for name in SCORED}
    for examples in filter(None, (found, tests)):
        if len({len(array) for array in examples.values()}) > 1:
            sys.exit(f"arrays differ in length: { {name: len(array) for name, array in examples.items()} }")
    return found, tests


def read_table(path):
    """A table of numbers with a line of names or without; the last columns are the targets."""
    if len(FEEDS) != 2:
        sys.exit(f"a .csv holds one input and one target; this network takes {list(FEEDS)}: use an .npz")
    (x, _), (y, (_, shape, *_)) = FEEDS.items()
    with open(path, encoding="utf-8-sig") as file:
        lines = file.read().splitlines()
    try:
        [float(cell) for cell in lines[0].split(",")]
    except ValueError:
        lines = lines[1:]
    table = np.loadtxt(lines, delimiter=",", ndmin=2)
    columns = int(np.prod(shape, dtype="int64"))
    return {x: table[:, :-columns], y: table[:, -columns:]}


def as_fed(feed, arrays, name):
    """The array called `name` in the dtype and shape that `feed` takes."""
    dtype, shape, classes, ignored = FEEDS[feed]
    if name not in arrays:
        sys.exit(f"the data lack {name!r}; they have {sorted(arrays)}")
    array = arrays[name]
    array = array.reshape(shape_of(name, array, shape))
    if array.dtype.kind not in "biuf" or not np.isfinite(array).all() or not len(array):
        sys.exit(f"{name!r} is {array.dtype} of shape {array.shape}, expected finite numbers")
    if classes:
        counted = array if ignored is None else array[array != ignored]
        if ((counted < 0) | (counted >= classes) | (counted != np.floor(counted))).any():
            sys.exit(f"{name!r} goes from {counted.min()} to {counted.max()}, expected classes from 0 to {classes - 1}")
    return np.ascontiguousarray(array, dtype=dtype)


def shape_of(name, array, shape):
    """The shape of `array` with examples of `shape`, in which a text stands for any size."""
    is_known = all(isinstance(size, int) for size in shape)
    if is_known and array.ndim and array[:1].size == np.prod(shape, dtype="int64"):
        return (len(array), *shape)
    fits = array.ndim == len(shape) + 1
    if not fits or any(isinstance(size, int) and size != own for size, own in zip(shape, array.shape[1:])):
        sys.exit(f"{name!r} has shape {array.shape}, expected (examples, {', '.join(map(str, shape))})")
    return array.shape


def sizes_of(batch):
    """What the arrays of a batch settle: N, the number of examples, and sizes that may be any."""
    sizes = {"N": len(batch[0])}
    for (_, shape, *_), array in zip(FEEDS.values(), batch):
        sizes |= {size: own for size, own in zip(shape, array.shape[1:]) if isinstance(size, str)}
    return sizes
'''

INITIAL = '''

# ---- Initial values: random numbers that depend on the seed and on each variable's name ----------


{initial}

def start(seed, learning_rate):
    """Every variable at its initial value, by name."""
    values, _ = initial_values({{}}, (seed, 0))
    variables = {{name: np.array(value, dtype) for (name, dtype), value in zip(STATE.items(), values)}}
    for name in RATES:
        variables[name][...] = learning_rate
    return variables
'''

STEP = """

# ---- One step of training: forward, backward by the chain rule, update ---------------------------


{step}
"""

READABLE_STEP = '''
def train_step(variables, key, batch):
    """One step on one batch: `step` computes, the variables change; returns loss and metrics."""
    scores, updates = step(variables, key, *batch)
    write(variables, updates)
    return scores
'''

FAST_STEP = '''
def train_step(variables, key, batch):
    """One step on one batch, in a workspace for its size; `step` changes the variables; returns loss and metrics."""
    sizes = sizes_of(batch)
    if train_step.bound != (id(variables), sizes):
        bind(variables, sizes)
        train_step.bound = (id(variables), sizes)
    return step(key, *batch)


train_step.bound = None
'''

PREDICT = """

# ---- Predictions and scores, where nothing is trained --------------------------------------------


{predict}

{score}"""

TRAIN = '''

# ---- Training ------------------------------------------------------------------------------------


def train(variables, examples, epochs, batch_size, seed, show=print):
    """Change `variables` in `epochs` passes over the examples, each in an order of its own; returns the steps."""
    feeds = [examples[name] for name in FEEDS]
    n = len(feeds[0])
    steps = 0
    for epoch in range(epochs):
        order = permutation((seed, epoch), n) if SHUFFLE else np.arange(n)
        totals = [0.0] * len(SCORES)
        for name in SUMS:
            variables[name][...] = 0
        for first in range(0, n, batch_size):
            chosen = order[first : first + batch_size]
            scores = train_step(variables, (seed, steps), [array[chosen] for array in feeds])
            steps += 1
            totals = added(totals, scores, len(chosen))
        means = (f"{name} {mean:.6g}" for name, mean in averaged(totals, n).items())
        show(f"epoch {epoch + 1}/{epochs}", *means, sep="  ")
    if steps:
        for name, average in AVERAGES.items():
            variables[name][...] = variables[average]
    return steps


def added(totals, scores, count):
    """The totals with the scores of a batch; a score that runs over the batches takes the place of the one before."""
    numbers = map(float, scores)
    return [value if name in RUNNING else t + value * count for name, t, value in zip(SCORES, totals, numbers)]


def averaged(totals, n):
    """The scores of all examples by name."""
    return {name: total if name in RUNNING else total / n for name, total in zip(SCORES, totals)}


def batches(feeds, batch_size, key):
    """The arrays in pieces, each with the key of what is drawn for it."""
    seed, step = key
    for i, first in enumerate(range(0, len(feeds[0]), batch_size)):
        yield (seed, step + i), [array[first : first + batch_size] for array in feeds]


def write(variables, changed):
    """Let variables have new values, all of which are known before the first is written."""
    for name, value in {name: np.array(value) for name, value in changed.items()}.items():
        variables[name][...] = value


def outputs(variables, examples, batch_size=AT_ONCE, key=(SEED, 0)):
    """What the network says about the examples: an array for each output."""
    feeds = [examples[name] for name in INPUTS]
    parts = []
    for now, batch in batches(feeds, batch_size, key):
        found, states = predict(variables, now, *batch)
        write(variables, states)
        parts.append(found)
    return {name: np.concatenate(part) for name, part in zip(OUTPUTS, zip(*parts))}


def evaluate(variables, examples, batch_size=AT_ONCE, key=(SEED, 0)):
    """Loss and metrics over the examples; `key` is the seed and the steps done, for a network that draws here, too."""
    feeds = [examples[name] for name in SCORED]
    totals = [0.0] * len(SCORES)
    variables = {**variables, **{name: np.zeros_like(variables[name]) for name in SUMS}}
    for now, batch in batches(feeds, batch_size, key):
        scores, changed = score(variables, now, *batch)
        write(variables, changed)
        totals = added(totals, scores, len(batch[0]))
    return averaged(totals, len(feeds[0]))


def digest(variables):
    """SHA-256 over names, types and bytes of the weights; `model.digest()` gives the same for the same weights."""
    total = hashlib.sha256()
    for name in WEIGHTS:
        array = np.asarray(variables[name], order="C")
        total.update(f"{name} {array.dtype} {array.shape}\\n".encode())
        total.update(array.tobytes())
    return total.hexdigest()


def save(variables, path):
    """Write the weights to an .npz by name, whole or not at all."""
    beside = f"{path}.part"
    try:
        with open(beside, "wb") as file:
            np.savez(file, **{name: variables[name] for name in WEIGHTS})
            file.flush()
            os.fsync(file.fileno())
        os.replace(beside, path)
    except OSError as error:
        if os.path.exists(beside):
            os.remove(beside)
        sys.exit(f"cannot write {path!r}: {error.strerror}")
'''

MAIN = '''

# ---- Main ----------------------------------------------------------------------------------------


def arguments():
    """What the command line says."""
    parser = argparse.ArgumentParser(description="Trains a network in NumPy alone.")
    parser.add_argument("--epochs", type=int, default=EPOCHS, help="passes over the examples (%(default)s)")
    parser.add_argument("--batch-size", type=int, default=BATCH_SIZE, help="examples in a step (%(default)s)")
    rate = f"follows {SCHEDULE}".replace("%", "%%") if SCHEDULE else "%(default)s"
    parser.add_argument("--lr", type=float, default=LEARNING_RATE, help=f"learning rate ({rate})")
    parser.add_argument("--seed", type=int, default=SEED, help="key of all random numbers (%(default)s)")
    parser.add_argument("--data", metavar="FILE", help="an .npz or .csv with other examples")
    parser.add_argument("--save", metavar="FILE.npz", help="write the weights there")
    parser.add_argument("--digest", action="store_true", help="print the SHA-256 of the weights at the end")
    parser.add_argument("--quiet", action="store_true", help="do not print every epoch")
    found = parser.parse_args()
    if SCHEDULE and found.lr is not None:
        parser.error(f"--lr has no place here: the learning rate follows {SCHEDULE}, which is part of the step")
    if found.epochs < 0 or found.batch_size < 1 or not 0 <= found.seed < 2**63 or not (SCHEDULE or found.lr >= 0):
        parser.error("expected --epochs from 0, --batch-size from 1, --lr from 0 and --seed from 0 to 2**63 - 1")
    folder = os.path.dirname(found.save or "") or "."
    if not os.access(folder, os.W_OK):
        sys.exit(f"cannot write {found.save!r}: the folder {folder!r} is not there or not writable")
    return found


def main():
    """Load, train, report, save."""
    asked = arguments()
    examples, tests = load_data(asked.data)
    with np.errstate(all="ignore"):
        variables = start(asked.seed, asked.lr)
        show = (lambda *words, sep: None) if asked.quiet else print
        try:
            steps = train(variables, examples, asked.epochs, asked.batch_size, asked.seed, show)
        except KeyboardInterrupt:
            print("interrupted; nothing is saved", file=sys.stderr)
            sys.exit(130)
        if tests is not None:
            scores = evaluate(variables, tests, key=(asked.seed, steps))
            print("test", *(f"{name} {value:.6g}" for name, value in scores.items()), sep="  ")
    if asked.save:
        save(variables, asked.save)
    if asked.digest:
        print(digest(variables))
'''

END = """

# ---- The examples, as the text of an .npz --------------------------------------------------------

EXAMPLES = {examples}

if __name__ == "__main__":
    main()
"""

CONSTANTS = """

# ---- Large constants, as the text of an .npz -----------------------------------------------------

ARRAYS = {arrays}
constants = unpacked(ARRAYS)
"""
