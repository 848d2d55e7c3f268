"""Errors a user can do something about. Each names the thing, what was found, what was expected, what to try."""

from __future__ import annotations

import difflib
import unicodedata
from collections.abc import Iterable


class GraphdlError(Exception):
    """Anything graphdl refuses; the message is complete without the traceback."""


class ShapeError(GraphdlError, ValueError):
    """Shapes that do not fit together."""


class DTypeError(GraphdlError, TypeError):
    """A dtype an op does not take, or two dtypes that do not mix."""


class GraphError(GraphdlError, ValueError):
    """A node used in a way a static graph does not allow."""


class FeedError(GraphdlError, ValueError):
    """A feed that is missing, unknown, or of the wrong dtype or shape."""


class FetchError(GraphdlError, TypeError):
    """Something asked of `run` that is no node, list, dict or update."""


class GradientError(GraphdlError, ValueError):
    """A derivative that cannot be asked for."""


class FormulaError(GraphdlError, ValueError):
    """A formula the safe parser does not accept."""


class FormatError(GraphdlError, ValueError):
    """A file that is damaged, of an unknown version, or not of the kind expected."""


class WriteError(GraphdlError, OSError):
    """A file that cannot be written; names the path and the reason."""


class DataError(GraphdlError, ValueError):
    """Training data that cannot be used as it is."""


class ExtraMissing(GraphdlError, ImportError):  # noqa: N818 (the extra is missing; nothing is in error)
    """A feature whose optional dependency is not installed."""


class DrawError(GraphdlError, RuntimeError):
    """A picture that could not be drawn."""


class ExecutionError(GraphdlError, RuntimeError):
    """A generated program failed; quotes the generated line, the node and the user's line."""


class NonFiniteError(GraphdlError, ArithmeticError):
    """NaN or infinity where `nan_guard` watches; names the first bad node in causal order."""


class ZeroGradientWarning(UserWarning):
    """A gradient is zero everywhere, and why."""


class LintWarning(UserWarning):
    """A model that cannot learn what it is given, as it stands: the linter's errors, said by compile and fit."""


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """The sentence " Did you mean 'x'?" for the closest known name, or nothing.

    >>> did_you_mean("label", ["labels", "x"])
    " Did you mean 'labels'?"
    """
    # Taken apart, Korean syllables that differ in one letter are near each other.
    typed, names = _letters(word), {_letters(name): name for name in known}
    close = [name for name in names if name.lower() == typed.lower()] or difflib.get_close_matches(typed, names, n=1)
    return f" Did you mean {names[close[0]]!r}?" if close else ""


def _letters(text: str) -> str:
    return unicodedata.normalize("NFD", text)


def listed(names: Iterable[str]) -> str:
    """Names quoted and joined for a message, at most ten of them."""
    quoted = [repr(name) for name in names]
    if not quoted:
        return "nothing"
    more = f" and {len(quoted) - 10} more" if len(quoted) > 10 else ""
    return ", ".join(quoted[:10]) + more
