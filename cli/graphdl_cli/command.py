"""How a command is declared: its help ends in examples, and the file it reads is written FILE.py[:name]."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

import click

F = TypeVar("F", bound=Callable[..., Any])


def command(*examples: str, cls: type[click.Command] = click.Command) -> Callable[[Callable[..., Any]], click.Command]:
    """Make a function a command named like it; its docstring is the help, `examples` are shown below the options."""
    epilog = "\n".join(["\b", "Examples:", *(f"  graphdl {example}" for example in examples)])
    return click.command(cls=cls, epilog=epilog)


def target_argument(metavar: str) -> Callable[[F], F]:
    """The file to read, and what in it."""
    return click.argument("target", metavar=metavar)


_EXAMPLES = (
    click.option(
        "--data",
        "file",
        metavar="FILE",
        help="Examples: .npz with x and y, .csv with a header, IDX images, or a set: digits, iris, mnist ...",
    ),
    click.option(
        "--target",
        "column",
        metavar="NAME",
        help="The column, or array, to be predicted; of IDX images, the file of labels.",
    ),
    click.option("--features", metavar="A,B,C", help="Columns to predict it from. [default: all others]"),
)
_TRAINING = (
    click.option(
        "--epochs", type=click.IntRange(1), metavar="N", help="Passes over the examples. [default: FILE's, or 1]"
    ),
    click.option("--batch-size", type=click.IntRange(1), metavar="N", help="Examples a step. [default: FILE's, or 32]"),
    click.option("--optimizer", metavar="NAME", help="In place of FILE's, such as adam, with Keras' defaults."),
    click.option("--lr", type=click.FloatRange(0, min_open=True), metavar="RATE", help="In place of the optimizer's."),
    click.option("--seed", type=click.IntRange(0), metavar="N", help="Of first weights, masks, and order of examples."),
)


def examples_options(function: F) -> F:
    """Where the examples come from, if not from the model's own file."""
    for option in reversed(_EXAMPLES):
        function = option(function)
    return function


def training_options(function: F) -> F:
    """What to train on, and how: the same words for training here and in a script."""
    for option in reversed(_TRAINING):
        function = option(function)
    return examples_options(function)
