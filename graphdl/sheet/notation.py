"""Formulas typeset: as MathML, as LaTeX, or as they stand. All from the one reader of formula texts in draw/mathml."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable
from functools import lru_cache
from xml.etree import ElementTree

from graphdl.draw.mathml import set_text

Element = ElementTree.Element

_NUMBER = re.compile(r"(.+)e(−?\d+)")
_CONTROL = re.compile(r"[^\u0009\u000a\u000d\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


@lru_cache(maxsize=4096)
def tree(text: str) -> Element:
    """`text` as a tree of MathML elements."""
    return ElementTree.fromstring(f"<mrow>{set_text(_CONTROL.sub('?', text))}</mrow>")


def to_mathml(text: str, display: bool = False) -> str:
    """`text` as one MathML element, escaped."""
    inside = "".join(ElementTree.tostring(child, encoding="unicode") for child in tree(text))
    shown = ' displaystyle="true"' if display else ""
    return f'<math xmlns="http://www.w3.org/1998/Math/MathML"{shown}>{inside}</math>'


def to_latex(text: str) -> str:
    """`text` in LaTeX for math mode; it is also safe inside Markdown, where ``*``, ``|`` and ``\\_`` are not.

    >>> to_latex("∂L/∂w⁽¹⁾₁₂ = −2 · (y − t₁)²")
    '\\\\frac{\\\\partial L}{\\\\partial w_{12}^{(1)}} = -2 \\\\cdot (y - t_{1})^{2}'
    """
    return _spaced(_set(tree(text)))


def _set(found: Element) -> str:
    children = list(found)
    write = _WRITERS.get(found.tag)
    if write is not None:
        return write(found)
    parts = [_set(child) for child in children]
    pattern = _PATTERNS.get(found.tag)
    if pattern is None:
        return "".join(parts)
    # Markdown takes an underscore behind a bracket for the beginning of emphasis.
    if found.tag == "msub" and parts[0].startswith(r"\mathrm{"):
        return f"{parts[0][:-1]}_{{{parts[1]}}}}}"
    if found.tag == "msub" and parts[0].endswith("}"):
        return rf"{parts[0]}\sb{{{parts[1]}}}"
    return pattern.format(*parts)


_PATTERNS = {
    "mfrac": r"\frac{{{0}}}{{{1}}}",
    "msub": "{0}_{{{1}}}",
    "msup": "{0}^{{{1}}}",
    "msubsup": "{0}_{{{1}}}^{{{2}}}",
    "msqrt": r"\sqrt{{{0}}}",
}

_FUNCTIONS = frozenset(("exp", "log", "tanh", "sin", "cos", "max", "min"))
_OPERATORS = {
    "−": "-",
    "·": r"\cdot ",
    "⊙": r"\odot ",
    "×": r"\times ",
    "≈": r"\approx ",
    "→": r"\to ",
    "←": r"\leftarrow ",
    "≤": r"\leq ",
    "≥": r"\geq ",
    "≠": r"\neq ",
    "<": r"\lt ",
    ">": r"\gt ",
    "∂": r"\partial ",
    "…": r"\ldots ",
    "|": r"\vert ",
    "√": r"\surd ",
    "′": r"\prime ",
    "∞": r"\infty ",
    "ᵀ": r"^{\top}",
    "‖": r"\Vert ",
    "—": r"\text{--}",
    "Σ": r"\Sigma ",
}
_RELATIONS = frozenset("=+−·⊙×≈→←≤≥≠<>…")
_LETTERS = (
    *("ALPHA", "BETA", "GAMMA", "DELTA", "EPSILON", "ZETA", "ETA", "THETA", "KAPPA", "LAMDA", "MU", "NU"),
    *("XI", "PI", "RHO", "SIGMA", "TAU", "PHI", "CHI", "PSI", "OMEGA"),
)
_GREEK = {
    unicodedata.lookup(f"GREEK SMALL LETTER {name}"): rf"\{name.lower().replace('lamda', 'lambda')} "
    for name in _LETTERS
} | {"Σ": r"\Sigma ", "Δ": r"\Delta ", "Ω": r"\Omega ", "Φ": r"\Phi ", "Θ": r"\Theta ", "Λ": r"\Lambda "}


def _number(found: Element) -> str:
    text = found.text or ""
    power = _NUMBER.fullmatch(text)
    if power:
        return rf"{power[1]} \times 10^{{{power[2].replace('−', '-')}}}"
    return _OPERATORS.get(text, rf"\mathrm{{{text}}}" if text.isalpha() else text.replace("−", "-"))


def _name(found: Element) -> str:
    """A letter slanted, a word upright; what follows an underscore stands below the line."""
    word = found.text or ""
    if word in _GREEK:
        return _GREEK[word]
    if word in _FUNCTIONS:
        return rf"\{word} "
    if word == "T" and found.get("mathvariant") == "normal":
        return r"\top "
    if not word.isascii():
        return rf"\text{{{prose(word)}}}"
    if len(word) == 1:
        return word if word.isalpha() else letters(word)
    first, *rest = word.split("_")
    below = "".join(f"_{{{letters(part)}" for part in rest if part) + "}" * sum(map(bool, rest))
    return rf"\mathrm{{{letters(first or 'x')}{below}}}"


def _operator(found: Element) -> str:
    sign = found.text or ""
    if sign in "([":
        return sign
    shown = _OPERATORS.get(sign, sign if sign in "=+-/)],:;." else letters(sign))
    is_prefix = found.get("form") == "prefix"
    return f" {shown} " if sign in _RELATIONS and not is_prefix else f"{shown} " if sign in ",:;" else shown


def _words(found: Element) -> str:
    return rf"\text{{{prose(found.text or '')}}}"


_WRITERS: dict[str, Callable[[Element], str]] = {"mn": _number, "mi": _name, "mo": _operator, "mtext": _words}

_SPECIAL = {
    "\\": r"\backslash ",
    "{": r"\lbrace ",
    "}": r"\rbrace ",
    "$": r"\text{(dollar)}",
    "%": r"\text{(percent)}",
    "&": r"\text{(and)}",
    "#": r"\text{(hash)}",
    "_": "-",
    "~": r"\sim ",
    "^": r"\wedge ",
    "`": "'",
    "*": r"\ast ",
    "|": r"\vert ",
    "<": r"\lt ",
    ">": r"\gt ",
}


def letters(text: str) -> str:
    """`text` for math mode, nothing of it a command: specials as symbols, letters without a glyph by their number."""
    return "".join(map(_letter, text))


def _letter(letter: str) -> str:
    known = _SPECIAL.get(letter) or _GREEK.get(letter) or _OPERATORS.get(letter)
    if known or letter.isascii():
        return known or letter
    return rf"\text{{{prose(letter)}}}"


def prose(text: str) -> str:
    """`text` for text mode inside a formula, where neither LaTeX nor Markdown finds anything to do."""
    return "".join(_SAFE.get(letter) or glyph(letter) for letter in text)


# In text mode a command would be needed for each of these, and Markdown would take its backslash away.
_SAFE = dict.fromkeys("\\{}$%&#_~^`*|<>", "-")


def glyph(letter: str) -> str:
    """The letter, or its number where LaTeX has no glyph for it without further fonts; Korean ones come with kotex."""
    is_known = " " <= letter <= "~" or "À" <= letter <= "ž" or is_hangul(letter)
    return letter if is_known else f"U+{ord(letter):04X}"


def is_hangul(letter: str) -> bool:
    """Whether it is a Korean letter."""
    return "가" <= letter <= "힣" or "ᄀ" <= letter <= "ᇿ" or "㄰" <= letter <= "㆏"


def _spaced(text: str) -> str:
    """Single spaces, none where LaTeX needs none."""
    text = re.sub(r" +", " ", text).strip()
    return re.sub(r" (?=[)\],}^_])", "", re.sub(r"(?<=[({\[]) ", "", text))
