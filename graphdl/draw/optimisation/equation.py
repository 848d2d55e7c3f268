"""The equation in the first line of a rule's docstring, and the words behind it.

Docstrings are written as mathematicians write: ``exp x`` is a call and ``x y`` a product. Formulas for setting say so.
"""

from __future__ import annotations

import re
from html import escape

from graphdl.draw.mathml import mathml

_FUNCTIONS = frozenset(
    (
        *("log", "exp", "sigmoid", "softplus", "softmax", "log_softmax", "logsumexp", "sum", "sqrt", "tanh", "expm1"),
        *("log1p", "relu", "xlogy", "where", "onehot", "cross_entropy", "f"),
    )
)
# A line with one of these says its equation in words.
_WORDS = re.compile(r"\b(of|the|is|are|or|in|copies)\b", re.IGNORECASE)
_ENDS = re.compile(r"[,:;](?=\s)|\s+(?=\(the )|\s+(?=for )|\.$")
_TOKEN = re.compile(r"\d+(?:\.\d+)?|[A-Za-z]\w*|[()\[\]|]|[-+*/^=,]")

Token = str


def equation_of(why: str) -> tuple[str, str]:
    """The formula at the beginning of `why`, as formulas are written for setting, and the rest of the line.

    >>> equation_of("log(exp x) = x, also where exp x overflows.")
    ('log(exp(x)) = x', 'also where exp x overflows.')
    """
    end = _end_of_equation(why)
    formula, rest = why[:end], why[end:].lstrip(",:; ")
    if " = " not in formula or _WORDS.search(formula):
        return "", why
    return _spelt_out(formula.replace("cross-entropy", "cross_entropy")), _sentence(rest)


def equation_html(why: str) -> str:
    """The line as HTML: the formula in MathML, the words below it."""
    formula, rest = equation_of(why)
    shown = f'<div class="equation">{mathml(formula)}</div>' if formula else ""
    return shown + (f'<p class="why">{escape(rest)}</p>' if rest else "")


def _end_of_equation(why: str) -> int:
    """Where the formula ends: at the first comma, colon or word that stands in no brackets."""
    for found in _ENDS.finditer(why):
        before = why[: found.start()]
        if all(before.count(a) == before.count(b) for a, b in ("()", "[]")):
            return found.start()
    return len(why)


def _sentence(text: str) -> str:
    """Without brackets around all of it; nothing where only the full stop is left."""
    if text.startswith("(") and text.endswith(")."):
        return f"{text[1:-2]}."
    return "" if text == "." else text


def _spelt_out(formula: str) -> str:
    """Every call with its brackets, every product with its dot, minus signs as such."""
    tokens = _with_products(_with_calls(_TOKEN.findall(formula)))
    return _joined(tokens)


def _with_calls(tokens: list[Token]) -> list[Token]:
    """``log softmax z`` becomes ``log(softmax(z))``: from the right, since arguments are calls themselves."""
    done: list[list[Token]] = []
    for token in reversed(tokens):
        if token in _FUNCTIONS and done and not _opens(done[-1]):
            done.append([token, "(", *done.pop(), ")"])
        elif token in _FUNCTIONS and done and done[-1] == ["("]:
            done.append([token, *_bracketed(done)])
        else:
            done.append([token])
    return [token for group in reversed(done) for token in group]


def _opens(group: list[Token]) -> bool:
    return group[0] in ("(", "=", "+", "-", "/", ",", ")")


def _bracketed(done: list[list[Token]]) -> list[Token]:
    """The bracket that opens last in `done`, taken from there with all that is in it."""
    taken: list[Token] = []
    depth = 0
    while True:
        group = done.pop()
        taken += group
        depth += group.count("(") - group.count(")")
        if depth == 0:
            return taken


def _with_products(tokens: list[Token]) -> list[Token]:
    found: list[Token] = []
    for token in tokens:
        before = found[-1] if found else ""
        ends = before[:1].isalnum() or before in (")", "]")
        begins = token[:1].isalnum() or token == "("
        is_call = before in _FUNCTIONS and token == "("
        if ends and begins and not is_call:
            found.append("·")
        found.append(token)
    return found


def _joined(tokens: list[Token]) -> str:
    text = ""
    for i, token in enumerate(tokens):
        before = tokens[i - 1] if i else "="
        is_sign = token == "-" and not (before[:1].isalnum() or before in (")", "]", "|"))
        shown = "−" if token == "-" else token
        if is_sign or token in "()[]|^" or token[:1].isalnum():
            text += shown
        else:
            text += ", " if token == "," else f" {shown} "
    return text
