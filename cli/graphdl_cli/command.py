"""How a command is declared: its help ends in examples, and the file it reads is written FILE.py[:name]."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

import click

F = TypeVar("F", bound=Callable[..., Any])


def command(*examples: str) -> Callable[[Callable[..., Any]], click.Command]:
    """Make a function a command named like it; its docstring is the help, `examples` are shown below the options."""
    epilog = "\n".join(["\b", "Examples:", *(f"  graphdl {example}" for example in examples)])
    return click.command(epilog=epilog)


def target_argument(metavar: str) -> Callable[[F], F]:
    """The file to read, and what in it."""
    return click.argument("target", metavar=metavar)
