"""`graphdl train`: fit the model of a file."""

from __future__ import annotations

import math
import os
from typing import TYPE_CHECKING, Any

import click

from graphdl_cli.command import command, target_argument, training_options
from graphdl_cli.failures import Failed, UserError, say_warning

if TYPE_CHECKING:
    from graphdl.keras import Recorder
    from graphdl.keras.models import Model
    from graphdl_cli.data import Data
    from graphdl_cli.loading import Loaded


@command(
    "train mlp.py",
    "train mlp.py:model --epochs 20 --batch-size 64 --lr 0.001 --seed 7 --save weights.npz",
    "train xor.py --record run.html",
    "train credit.py --data credit.csv --target share --features age,income,active --validation-split 0.2",
    "train cnn.py --checkpoint run1 --save cnn.graphdl --plot loss.svg       # later, after an interruption:",
    "train cnn.py --checkpoint run1 --save cnn.graphdl --plot loss.svg --resume",
)
@target_argument("FILE.py[:model]")
@training_options
@click.option(
    "--validation-split",
    type=click.FloatRange(0, 1, max_open=True),
    default=0.0,
    metavar="SHARE",
    help="The last part of the examples, held out and scored after each epoch.",
)
@click.option(
    "--save",
    metavar="FILE",
    help="Write the weights there as .npz, or the whole model as .graphdl; after Ctrl-C, too.",
)
@click.option(
    "--checkpoint",
    metavar="FOLDER",
    help="Keep the state of training there after each epoch, and after Ctrl-C; a name in .graphdl is the file itself.",
)
@click.option(
    "--checkpoint-every", type=click.IntRange(1), metavar="STEPS", help="Keep it every so many steps instead."
)
@click.option("--resume", is_flag=True, help="Go on from the checkpoint, if there is one, to the same bits.")
@click.option("--tensorboard", metavar="FOLDER", help="Write event files there, which TensorBoard shows.")
@click.option("--plot", metavar="FILE", help="Draw the loss over the steps there, as .svg, .png or .pdf.")
@click.option(
    "--record",
    metavar="FILE.html",
    help="Write a page of the run there, with a slider over its snapshots: loss, gradients of each layer, predictions "
    "over the plane of two features; as .json, the numbers behind it. After Ctrl-C, what there is of it.",
)
@click.option("--nan-guard", is_flag=True, help="Stop at the first NaN or infinity, and name the node it comes from.")
@click.option("--digest", is_flag=True, help="Print the SHA-256 of the weights.")
@click.option("--quiet", is_flag=True, help="No progress.")
def train(target: str, file: str | None, column: str | None, features: str | None, **options: Any) -> None:
    """Train the model of a Python file.

    The file defines `model`, compiled, and `data`: a pair (x, y), two such pairs to train and to test on, or a
    function that returns them. It may also define `epochs`, `batch_size` and `callbacks`. With --data the examples
    come from a file.
    """
    from graphdl_cli.data import find_data, names_of
    from graphdl_cli.loading import load_model

    loaded = load_model(target)
    data = find_data(loaded, file, column, names_of(features))
    _check_outputs(options)
    for note in () if options["quiet"] else data.notes:
        click.echo(note)
    prepare(loaded.value, options["seed"], options["lr"], options["optimizer"])
    loaded.value.session.nan_guard = options["nan_guard"]
    recorder = _recorder(loaded) if options["record"] or options["plot"] else None
    try:
        losses = _fit(loaded, data, recorder, **options)
    except KeyboardInterrupt:
        _after_interrupt(loaded.value, options)
        raise
    finally:
        # A run that failed is worth looking at most of all.
        if recorder is not None:
            _write_record(recorder, options["record"], options["plot"])
    _judge(losses, options["save"])
    _save(loaded.value, options["save"])
    _report(loaded.value, data, options["quiet"], options["digest"])


def prepare(model: Model, seed: int | None, rate: float | None, optimizer: str | None = None) -> None:
    """Begin anew from `seed`, and train with `optimizer` at `rate`, where they are given."""
    if seed is not None:
        model.reset(seed)
    if (rate is not None or optimizer is not None) and not model.is_compiled:
        raise UserError(f"{model.name} is not compiled; call model.compile(optimizer=..., loss=...) in the file")
    if optimizer is not None:
        from graphdl.keras.saving.model import compile_arguments

        model.compile(**{**compile_arguments(model), "optimizer": optimizer})
    if rate is not None:
        _set_rate(model, rate)


def _set_rate(model: Model, rate: float) -> None:
    """Train at `rate`, in place of the optimizer's own or its schedule's."""
    from graphdl.keras.saving.model import compile_arguments

    optimizer = model.optimizer
    if optimizer.schedule is None:
        optimizer.learning_rate = rate
        return
    config = {**optimizer.get_config(), "learning_rate": rate}
    model.compile(**{**compile_arguments(model), "optimizer": type(optimizer).from_config(config)})


def _recorder(loaded: Loaded) -> Recorder:
    from graphdl.keras import Recorder

    return Recorder(title=loaded.path.stem if loaded.name == "model" else loaded.name)


def _write_record(recorder: Recorder, page: str | None, plot: str | None) -> None:
    if not recorder.has_begun:
        return
    if page is not None:
        recorder.recording.save(page)
        click.echo(f"wrote {page}", err=True)
    if plot is not None:
        recorder.figure("loss").save(plot)
        click.echo(f"wrote {plot}", err=True)


def _fit(loaded: Loaded, data: Data, recorder: Recorder | None, **options: Any) -> list[float]:
    """The loss after each epoch."""
    history = loaded.value.fit(
        data.x,
        data.y,
        epochs=options["epochs"] or loaded.positive("epochs", 1),
        batch_size=options["batch_size"] or loaded.positive("batch_size", 32),
        validation_split=options["validation_split"],
        verbose=0 if options["quiet"] else 1,
        callbacks=[*_own(loaded), *([] if recorder is None else [recorder]), *_callbacks(options)],
    )
    found: list[float] = history.history.get("loss", [])
    return found


def _own(loaded: Loaded) -> list[Any]:
    """The file's own `callbacks`."""
    found = loaded.get("callbacks")
    return [] if found is None else list(found) if isinstance(found, list | tuple) else [found]


def _callbacks(options: dict[str, Any]) -> list[Any]:
    """What keeps checkpoints and writes events, as asked."""
    from graphdl.keras.callbacks import BackupAndRestore, TensorBoard

    found: list[Any] = []
    if options["tensorboard"] is not None:
        found.append(TensorBoard(options["tensorboard"], histogram_freq=1))
    if options["checkpoint"] is not None:
        every = options["checkpoint_every"] or "epoch"
        backup = BackupAndRestore(options["checkpoint"], every, delete_checkpoint=False)
        if backup.path.exists() and not options["resume"]:
            raise UserError(f"there is a checkpoint already, {backup.path}; say --resume to go on, or remove it")
        if options["resume"] and not backup.path.exists() and not options["quiet"]:
            click.echo(f"{backup.path}: there is no checkpoint yet, training begins anew", err=True)
        found += [backup, *_rate_check(options["lr"])]
    return found


def _rate_check(rate: float | None) -> list[Any]:
    """What says so where training goes on at another rate than the one on the command line."""
    from graphdl.keras.callbacks import Callback

    class RateCheck(Callback):
        watches_only = True
        is_done = False

        def on_epoch_begin(self, epoch: int, logs: Any = None) -> None:
            found, has_begun = self.model.optimizer.learning_rate, self.model.session.state.step > 0
            if has_begun and not self.is_done and found != rate:
                say_warning(f"--lr {rate:g} is not used: the checkpoint goes on at {found:g}")
            self.is_done = True

        def remembered(self) -> dict[str, Any]:
            return {}

    return [] if rate is None else [RateCheck()]


def _after_interrupt(model: Model, options: dict[str, Any]) -> None:
    """Say what is kept."""
    if options["checkpoint"]:
        click.echo("the same command with --resume goes on from here", err=True)
    has_none = not options["save"] and not options["checkpoint"]
    _save(model, options["save"], "nothing is written, since --save was not given" if has_none else "")


def _judge(losses: list[float], path: str | None) -> None:
    """A loss that is no number has spoilt the weights too: they are not worth keeping."""
    bad = [epoch for epoch, loss in enumerate(losses, start=1) if not math.isfinite(loss)]
    if bad:
        kept = f"; {path} is not written" if path else ""
        raise Failed(
            f"the loss is {losses[bad[0] - 1]} in epoch {bad[0]}{kept}. "
            "Try a smaller --lr, or see with --nan-guard which node is the first"
        )


def _save(model: Model, path: str | None, otherwise: str = "") -> None:
    if path:
        if path.endswith(".graphdl"):
            model.save(path)
        else:
            model.save_weights(path)
        click.echo(f"wrote {path}", err=True)
    elif otherwise:
        click.echo(otherwise, err=True)


def _report(model: Model, data: Data, quiet: bool, digest: bool) -> None:
    if data.test is not None and not quiet:
        scores = model.evaluate(*data.test, verbose=0, return_dict=True)
        click.echo("test: " + " - ".join(f"{name}: {value:.4f}" for name, value in scores.items()))
    if digest:
        click.echo(model.digest())


def _check_outputs(options: dict[str, Any]) -> None:
    """Refuse before training what could not be done after it."""
    expected = "weights are kept in .npz files, whole models in .graphdl files"
    _check_writable("--save", options["save"], (".npz", ".graphdl"), expected)
    _check_writable("--record", options["record"], (".html", ".json"), "a run is a page, .html, or its numbers, .json")
    _check_writable("--plot", options["plot"], (".svg", ".png", ".pdf"), "a curve is a picture, .svg, .png or .pdf")
    for option in ("resume", "checkpoint_every"):
        if options[option] and not options["checkpoint"]:
            raise UserError(f"--{option.replace('_', '-')} needs --checkpoint, which says where the state is kept")


def _check_writable(option: str, path: str | None, suffixes: tuple[str, ...], expected: str) -> None:
    """Refuse before training what could not be written after it."""
    if path is None:
        return
    if not path.endswith(suffixes):
        raise UserError(f"{option} {path!r}: {expected}")
    folder = os.path.dirname(path) or "."
    if os.path.isdir(path) or not os.access(folder, os.W_OK):
        reason = "it is a directory" if os.path.isdir(path) else f"the folder {folder!r} is not there or not writable"
        raise UserError(f"cannot write {path!r}: {reason}")
