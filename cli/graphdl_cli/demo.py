"""`graphdl demo`: the whole way on real data, from a model file to the same bits in NumPy alone."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path
from time import perf_counter
from typing import TYPE_CHECKING, Any

import click

from graphdl_cli.command import command
from graphdl_cli.failures import Failed, say_warning

if TYPE_CHECKING:
    from collections.abc import Mapping

    from graphdl_cli.loading import Loaded

# What the classifier must reach on the digits it has not seen.
ACCURACY = 0.97
QUICK_EPOCHS = 12
# The exported script trains in a second; whatever needs so long has gone wrong.
_MOST_SECONDS = 300


@command("demo", "demo --out pictures", "demo --quick")
@click.option("--out", metavar="DIR", default="graphdl-demo", show_default=True, help="Where everything is put.")
@click.option("--quick", is_flag=True, help="Fewer epochs, and no PNG.")
def demo(out: str, quick: bool) -> None:
    """Train, draw and export a classifier of handwritten digits, and check the outcome.

    It must reach 97 % on digits it has not seen, and the exported script, run without graphdl, must end in the same
    weights as the session, bit for bit. Exit status 1 says that one of them did not come out.
    """
    from graphdl.keras.datasets import digits

    digits.load_data()  # says what to install before anything is written
    start = perf_counter()
    folder = _folder(out)
    apple_shop, model_file = (_sample(folder, name) for name in ("apple_shop.py", "digits.py"))

    _say(1, f"a graph and its backward pass, from {apple_shop}")
    pictures = _draw_first(apple_shop, quick)
    _say(2, f"training the model of {model_file} on scikit-learn's handwritten digits")
    loaded, scores = _train(model_file, quick)
    _say(3, "the network and its backward pass")
    pictures += _draw_network(loaded, folder, quick)
    _say(4, "one training script, in NumPy alone")
    script, theirs = _run_script(loaded, folder)
    ours = loaded.value.digest()
    click.echo(f"  session  {ours}\n  script   {theirs}")
    _show_files(folder, model_file, pictures, script)
    _judge(scores, ours, theirs, perf_counter() - start)


def _say(number: int, text: str) -> None:
    click.secho(f"\n{number}. {text}", bold=True)


def _folder(out: str) -> Path:
    from graphdl.errors import WriteError

    folder = Path(out)
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise WriteError(f"cannot make the folder {out!r}: {error.strerror or error}") from None
    return folder


def _sample(folder: Path, name: str) -> Path:
    """The file `name` that comes with the command line, for the user to read and change."""
    from graphdl.files import write_atomically

    return write_atomically(folder / name, Path(__file__).with_name("samples").joinpath(name).read_text("utf-8"))


def _draw_first(file: Path, quick: bool) -> list[Path]:
    from graphdl_cli.loading import load_subject
    from graphdl_cli.subject import subject

    found = subject(load_subject(str(file)))
    feeds = found.feeds() or {}
    total, *slopes = found.session.run(list(found.with_gradients().outputs.values()), feeds)
    click.echo(f"  total = {total:.6g}")
    for w, slope in zip(found.wrt, slopes, strict=True):
        click.echo(f"  d total / d {w.label} = {slope:.6g}")
    return _draw(found.story(feeds), file.with_suffix(""), [".html", ".svg", ".txt", *_png(quick)], "auto")


def _train(file: Path, quick: bool) -> tuple[Loaded, Mapping[str, float]]:
    from graphdl_cli.data import find_data
    from graphdl_cli.loading import load_model

    loaded = load_model(str(file))
    data = find_data(loaded, None, None)
    loaded.value.fit(data.x, data.y, epochs=QUICK_EPOCHS if quick else loaded.positive("epochs", 1))
    assert data.test is not None
    scores: Mapping[str, float] = loaded.value.evaluate(*data.test, verbose=0, return_dict=True)
    click.echo("  test " + " - ".join(f"{name}: {value:.4f}" for name, value in scores.items()))
    return loaded, scores


def _draw_network(loaded: Loaded, folder: Path, quick: bool) -> list[Path]:
    from graphdl_cli.subject import subject

    found = subject(loaded)
    story = found.story(found.feeds())
    return [
        *_draw(story, folder / "digits_forward", [".svg"], "forward"),
        *_draw(story, folder / "digits_backward", [".html", ".svg", *_png(quick)], "blocks"),
    ]


def _png(quick: bool) -> list[str]:
    return [] if quick else [".png"]


def _draw(story: Any, base: Path, suffixes: list[str], view: str) -> list[Path]:
    """The pictures that could be drawn; what is in the way of the others is said."""
    from graphdl.draw.render import draw
    from graphdl.errors import DrawError

    drawn: list[Path] = []
    for suffix in suffixes:
        try:
            made = draw(story, base.with_suffix(suffix), view=view)
            drawn += made if isinstance(made, list) else [made]
        except DrawError as error:
            say_warning(f"{base.with_suffix(suffix)} is not drawn: {error}")
    return drawn


def _run_script(loaded: Loaded, folder: Path) -> tuple[Path, str]:
    """The exported script, and the digest it prints when it is run apart, where only NumPy can be imported."""
    from graphdl.export import write_script
    from graphdl_cli.data import find_data

    data = find_data(loaded, None, None)
    path = write_script(folder / "train_digits.py", loaded.value, (data.x, data.y), test_data=data.test)
    words = [sys.executable, "-I", str(path), "--quiet", "--digest"]
    done = subprocess.run(words, capture_output=True, text=True, timeout=_MOST_SECONDS, check=False)
    if done.returncode:
        raise Failed(f"{path} failed: {done.stderr.strip() or 'it said nothing'}")
    return path, done.stdout.split()[-1]


def _show_files(folder: Path, model_file: Path, pictures: list[Path], script: Path) -> None:
    from graphdl_cli.columns import columns

    click.secho(f"\nEverything lies in {folder.resolve()}", bold=True)
    rows = [(model_file.name, f"the model, to be changed: {_program('graphdl')} train {model_file}")]
    for picture in pictures:
        rows.append((picture.name, _SAME.get(picture.suffix) or _WHAT[picture.name.partition(".")[0]]))
    rows += [(script.name, f"the same training without graphdl: {_program('python')} {script}")]
    click.echo(columns(rows, indent=2))


def _program(name: str) -> str:
    """How to call `name`, which lies beside the running program: with its folder, unless that is on the path."""
    folder = os.path.dirname(sys.argv[0])
    beside = os.path.join(folder, name)
    found = shutil.which(name)
    on_path = found is not None and os.path.realpath(os.path.dirname(found)) == os.path.realpath(folder)
    return beside if folder and not on_path and os.path.exists(beside) else name


_SAME = {
    ".html": "forward and backward pass to step through: open it in a browser",
    ".txt": "the same as steps, in words",
}
_WHAT = {
    "apple_shop": "values above the wires, gradients below",
    "digits_forward": "the network and its loss, node by node",
    "digits_backward": "forward and backward pass, a card a layer, with the norms of its gradients",
}


def _judge(scores: Mapping[str, float], ours: str, theirs: str, seconds: float) -> None:
    accuracy = scores["accuracy"]
    if accuracy < ACCURACY:
        raise Failed(f"the accuracy on the test digits is {accuracy:.1%}, expected at least {ACCURACY:.0%}")
    if ours != theirs:
        raise Failed("the session and the script end in different weights, expected the same bits")
    click.secho(f"\n{accuracy:.1%} of the test digits are right; session and script end in the same bits. ", nl=False)
    click.echo(f"({seconds:.1f} s)")
