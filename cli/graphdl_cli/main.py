"""The program `graphdl`: a table of commands, each loaded when it is called, and what becomes of its failures."""

from __future__ import annotations

import importlib
import os
import sys
import warnings
from collections.abc import Sequence
from typing import Any, NoReturn

import click

from graphdl_cli import failures

# In the order of a first afternoon. The modules are imported when called for: `graphdl --help` needs none of them.
_COMMANDS = {
    "demo": "Train, draw and export a digit classifier, and show that the script ends in the same bits.",
    "train": "Train the model of a Python file.",
    "draw": "Draw a graph and its backward pass, step by step: a player, pictures, handouts, animations, text.",
    "derive": "Derive one gradient on paper: every step of the chain rule, with its numbers.",
    "lint": "Find what keeps a network from learning.",
    "explain": "Explain a topic, a finding, or the zeros and NaN of a graph.",
    "export": "Write a model as one training script that needs NumPy alone.",
    "show": "Print a graph at any stage: as written, stabilised, differentiated, optimised, as source.",
    "check": "Compare the gradients with finite differences.",
    "ops": "List the operations, or explain one.",
    "doctor": "Report versions, BLAS, threads, Graphviz, fonts and GPU.",
}

_HELP = """Symbolic computation graphs that a person can read.

FILE.py is a Python file that defines a model, a graph or a loss at its top level; FILE.py:name picks one by name.
"""

_EPILOG = """\b
Examples:
  graphdl demo
  graphdl train mlp.py --epochs 5 --save weights.npz
  graphdl draw mlp.py -o mlp.svg
  graphdl export mlp.py -o train_mlp.py

Exit status: 0 when all went well, 2 for what you can mend (a file, an option, a shape), 1 for a failure,
130 for Ctrl-C.
"""


class Program(click.Group):
    """A group whose commands are modules of this package, and whose failures are one message and an exit status."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """The names, in the order of the help."""
        return list(_COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """The command, imported now."""
        if cmd_name not in _COMMANDS:
            return None
        found: click.Command = getattr(importlib.import_module(f"graphdl_cli.{cmd_name}"), cmd_name)
        return found

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """The command that `args` begin with, and what is left for it."""
        if args[0] not in _COMMANDS and not args[0].startswith("-"):
            raise click.UsageError(f"there is no command {args[0]!r}.{_suggestion(args[0])}", ctx)
        return super().resolve_command(ctx, args)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """The table, without importing what it lists."""
        with formatter.section("Commands"):
            formatter.write_dl(list(_COMMANDS.items()))

    def main(self, args: Sequence[str] | None = None, *rest: Any, **options: Any) -> NoReturn:
        """Run the command line `args` and leave with its exit status."""
        words = list(sys.argv[1:] if args is None else args)
        # Whoever meets an error adds --debug at the end of the line, whichever command it is.
        debug = "--debug" in words
        options |= {"prog_name": "graphdl", "standalone_mode": False}
        with warnings.catch_warnings():
            warnings.showwarning = failures.show_warning
            code = failures.guarded(
                lambda: super(Program, self).main([w for w in words if w != "--debug"], **options), debug
            )
        sys.exit(code)


def _suggestion(word: str) -> str:
    import difflib

    close = difflib.get_close_matches(word, _COMMANDS, n=1)
    return f" Did you mean {close[0]!r}?" if close else ""


def _print_version(ctx: click.Context, option: click.Parameter, asked: bool) -> None:
    if asked and not ctx.resilient_parsing:
        import graphdl

        click.echo(f"graphdl {graphdl.__version__}")
        ctx.exit()


@click.group(
    cls=Program,
    help=_HELP,
    epilog=_EPILOG,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
)
@click.option(
    "--version", is_flag=True, expose_value=False, is_eager=True, callback=_print_version, help="Print the version."
)
@click.option("--debug", is_flag=True, expose_value=False, help="Show the traceback of an error.")
@click.pass_context
def main(ctx: click.Context) -> None:
    """See _HELP."""
    # https://no-color.org: any value that is not empty.
    if os.environ.get("NO_COLOR"):
        ctx.color = False


if __name__ == "__main__":
    main()
