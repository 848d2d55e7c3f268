"""`graphdl export`: a model as one training script that needs NumPy alone."""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from graphdl_cli.command import command, target_argument, training_options
from graphdl_cli.failures import UserError

if TYPE_CHECKING:
    from graphdl.keras.models import Model
    from graphdl_cli.data import Data
    from graphdl_cli.loading import Loaded


@command(
    "export mlp.py -o train_mlp.py",
    "export mlp.py:model -o train_mlp.py --style fast --epochs 20 --seed 7",
    "export credit.py -o train_credit.py --data credit.csv --target share",
)
@target_argument("FILE.py[:model]")
@click.option("-o", "--output", metavar="SCRIPT.py", help="[default: train_FILE.py; - prints it]")
@click.option(
    "--style", type=click.Choice(["readable", "fast"]), default="readable", show_default=True, help="Same bits."
)
@training_options
def export(
    target: str,
    output: str | None,
    file: str | None,
    column: str | None,
    features: str | None,
    lr: float | None,
    optimizer: str | None,
    **options: Any,
) -> None:
    """Write a model as one training script.

    The script imports NumPy and the standard library only. It holds the source that sessions run, so on the same
    machine, with the same NumPy and number of threads, it ends in the same weights as `graphdl train`, bit for bit;
    --digest shows it in both. Small data are written into the script.
    """
    from graphdl_cli.data import find_data, names_of
    from graphdl_cli.loading import load_model
    from graphdl_cli.train import prepare

    loaded = load_model(target)
    data = None
    if file is not None or column or features or "data" in loaded.names or "load_data" in loaded.names:
        data = find_data(loaded, file, column, names_of(features))
    prepare(loaded.value, options["seed"], lr, optimizer)
    path = None if output == "-" else _checked(loaded, output or f"train_{loaded.path.stem}.py")
    text = _script(loaded, data, **options)
    if path is None:
        click.echo(text, nl=False)
    else:
        _write(path, text, loaded.value, data)


def _checked(loaded: Loaded, output: str) -> Path:
    path = Path(output)
    if path.suffix not in (".py", ""):
        raise UserError(f"-o {output!r}: a script is a Python file, expected a name in .py")
    if path.resolve() == loaded.path.resolve():
        raise UserError(f"the script would overwrite {loaded.path}, which it is made from; choose another name with -o")
    return path


def _script(loaded: Loaded, data: Data | None, **options: Any) -> str:
    from graphdl.export import script

    return script(
        loaded.value,
        (data.x, data.y) if data else None,
        options["style"],
        epochs=options["epochs"] or loaded.positive("epochs", 1),
        batch_size=options["batch_size"] or loaded.positive("batch_size", 32),
        seed=options["seed"],
        test_data=data.test if data else None,
    )


def _write(path: Path, text: str, model: Model, data: Data | None) -> None:
    """The script, and beside it the examples where they are too large to be part of it; says how to run it."""
    from graphdl.files import write_atomically

    write_atomically(path, text)
    click.echo(f"wrote {path}")
    if not carries_examples(text):
        if data is None:
            click.echo(f"it carries no examples; run it with: python {_typed(path)} --data FILE.npz")
            return
        beside = path.with_suffix(".npz")
        _write_examples(beside, model, data)
        click.echo(f"wrote {beside}, the examples, which are too large to be part of it")
        click.echo(f"run it with: python {_typed(path)} --data {_typed(beside)}")
        return
    click.echo(f"run it with: python {_typed(path)}")


def _typed(path: Path) -> str:
    """`path` as one would type it: in quotes where it has spaces or marks that a shell reads."""
    plain = all(letter.isalnum() or letter in "_-./\\:~" for letter in str(path))
    return str(path) if plain else shlex.quote(str(path))


def carries_examples(text: str) -> bool:
    """Whether examples are written into the script `text`."""
    return '\nEXAMPLES = ""\n' not in text


def _write_examples(path: Path, model: Model, data: Data) -> None:
    from graphdl.keras.fitting import read_examples
    from graphdl.runtime.saving import write_arrays

    examples, _ = read_examples(model, data.x, data.y)
    arrays = {node.label: array for node, array in examples.items()}
    if data.test is not None:
        held_out, _ = read_examples(model, *data.test)
        arrays |= {f"{node.label}_test": array for node, array in held_out.items()}
    write_arrays(path, arrays)
