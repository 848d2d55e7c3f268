"""What becomes of a failure: one message on standard error, and an exit status."""

from __future__ import annotations

import errno
import os
import sys
import traceback
from collections.abc import Callable
from typing import IO, Any

import click

FAILURE, USER_ERROR, INTERRUPTED = 1, 2, 130


class UserError(click.ClickException):
    """Something on the command line, or in a file it names, that the user can mend."""

    exit_code = USER_ERROR


class Failed(click.ClickException):
    """The command did its work and the outcome is bad: a wrong gradient, an accuracy that was not reached."""

    exit_code = FAILURE


def guarded(command: Callable[[], Any], debug: bool) -> int:
    """Run `command`; its exit status, after saying on standard error what went wrong."""
    try:
        _open_streams()
        result = command()
        sys.stdout.flush()
        return result if isinstance(result, int) else 0
    except SystemExit as leaving:
        return leaving.code if isinstance(leaving.code, int) else FAILURE
    except click.exceptions.NoArgsIsHelpError as error:
        return _say(error.format_message(), USER_ERROR)
    except (click.Abort, KeyboardInterrupt):
        return _say("graphdl: interrupted", INTERRUPTED)
    except BaseException as error:
        if _is_closed_pipe(error):
            return _leave_quietly()
        if _hides_interrupt(error):
            return _say("graphdl: interrupted", INTERRUPTED)
        if debug:
            traceback.print_exception(error)
        return _say(f"graphdl: error: {explained(error, debug)}", exit_status(error))


def explained(error: BaseException, debug: bool = False) -> str:
    """What to tell the user about `error`."""
    if isinstance(error, click.ClickException):
        return _usage(error) if isinstance(error, click.UsageError) else error.format_message()
    if _is_ours(error):
        return str(error)
    if isinstance(error, MemoryError):
        return "out of memory; try a smaller --batch-size"
    if isinstance(error, OSError) and error.errno == errno.ENOSPC:
        return "no space is left on the device that is written to"
    more = "" if debug else "\n  this should not happen; run it again with --debug to see where"
    return f"unexpected {type(error).__name__}: {error}{more}"


def exit_status(error: BaseException) -> int:
    """2 for what the user can mend, 1 for a failure."""
    if isinstance(error, click.ClickException):
        return error.exit_code
    if not _is_ours(error):
        return FAILURE
    from graphdl.errors import ExecutionError, NonFiniteError

    return FAILURE if isinstance(error, ExecutionError | NonFiniteError) else USER_ERROR


def show_warning(
    message: Warning | str,
    category: type[Warning],
    filename: str,
    lineno: int,
    file: IO[str] | None = None,
    line: Any = None,
) -> None:
    """A warning as one line; whose line of code raised it is of no use here."""
    say_warning(str(message))


def say_warning(text: str) -> None:
    """Something the user should know, on standard error."""
    click.echo(f"graphdl: warning: {text}", err=True)


def _is_ours(error: BaseException) -> bool:
    # Not imported at the top: `graphdl --help` does without graphdl, and so without NumPy.
    if "graphdl" not in sys.modules:
        return False
    from graphdl.errors import GraphdlError

    return isinstance(error, GraphdlError)


def _hides_interrupt(error: BaseException) -> bool:
    """Whether Ctrl-C became another error on its way, as where it comes in the middle of an import."""
    if isinstance(error, click.ClickException) or _is_ours(error):
        return False
    inner: BaseException | None = error
    while inner is not None and not isinstance(inner, KeyboardInterrupt):
        inner = inner.__cause__ or inner.__context__
    return inner is not None


def _usage(error: click.UsageError) -> str:
    """The message in our manner, and where to read on."""
    text = error.format_message()
    text = text[:1].lower() + text[1:]
    if error.ctx is None:
        return text
    return f"{text}\n  try '{error.ctx.command_path} --help'"


def _open_streams() -> None:
    """A program that was started without standard output, such as `>&-`, says nothing and works all the same."""
    sys.stdout = sys.stdout or open(os.devnull, "w", encoding="utf-8")  # noqa: SIM115, for the whole run
    sys.stderr = sys.stderr or open(os.devnull, "w", encoding="utf-8")  # noqa: SIM115


def _is_closed_pipe(error: BaseException) -> bool:
    return isinstance(error, OSError) and error.errno == errno.EPIPE


def _leave_quietly() -> int:
    """Nobody reads on, as behind `| head`: what is still buffered goes nowhere, without a word."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, sys.stdout.fileno())
    return FAILURE


def _say(text: str, code: int) -> int:
    click.echo(text, err=True)
    return code
