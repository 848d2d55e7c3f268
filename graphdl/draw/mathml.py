"""Formulas as MathML: a reader for the formula texts that pictures use, and the chain rule with its factors named.

Everything that comes from a graph is escaped. A text that cannot be read as a formula is set as it stands.
Brackets, bars and sums are set so that they look right without a mathematical font: nothing stretches.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from html import escape

from graphdl.draw.digits import on_the_line
from graphdl.draw.model import LaneRule

# What each factor of the chain rule is called below it.
FACTORS = {
    "downstream": {"en": "downstream", "ko": "하류"},
    "upstream": {"en": "upstream", "ko": "상류"},
    "local": {"en": "local", "ko": "국소"},
}

# Texts beyond this length are set as they stand; so is what is nested more deeply.
_LONGEST = 2000
_DEEPEST = 40
# Stands for MathML that is there already; names have no characters of private use.
_GIVEN = "\ue000"

_TOKEN = re.compile(
    r"""(?P<space>\s+)
    | (?P<number>\d+(?:\.\d+)?(?:e[−-]?\d+)?|∞|NaN)
    | (?P<layered>[^\W\d_]⁽[⁰¹²³⁴-⁹]+⁾[₀-₉]*)
    | (?P<primed>[^\W\d_]′)
    | (?P<name>(?![²³ᵀ])[^\W\d_](?:(?![²³ᵀ])[\w.])*)
    | (?P<open>[(\[])
    | (?P<close>[)\]])
    | (?P<bar>\|)
    | (?P<post>[²³ᵀ])
    | (?P<root>√)
    | (?P<given>\ue000)
    | (?P<operator>[→←=≈+−·⊙×/^<>≤≥≠:,;…])
    | (?P<other>.)""",
    re.VERBOSE,
)
# t₁ as graphs are named, and w11 as a user names weights.
_SUBSCRIPT = re.compile(r"[₀-₉]+$|(?<=^[^\W\d_])\d+$")
_ROW_TAG = re.compile("</?mrow>")
_SUPERSCRIPTS = {"²": "<mn>2</mn>", "³": "<mn>3</mn>", "ᵀ": '<mi mathvariant="normal">T</mi>'}

# How tightly operators between two operands bind.
_BINDS = {",": 1, ";": 1, ":": 1, "…": 1, "←": 1, "→": 2, "=": 3, "≈": 3, "≠": 3, "<": 3, ">": 3, "≤": 3, "≥": 3}
_BINDS |= {"+": 4, "−": 4, "·": 5, "⊙": 5, "×": 5, "/": 6, "^": 8}
_SIGN_BINDS = 5

Token = tuple[str, str]


class _UnreadableError(Exception):
    """The text is no formula of ours."""


def mathml(text: str) -> str:
    """`text`, such as ``∂L/∂x = −2 · (y − t)²``, as one MathML element."""
    return _math(set_text(text))


def chain_mathml(lane: LaneRule, language: str) -> str:
    """The chain rule of `lane`, each factor coloured by its class and named below in `language` ("en" or "ko")."""
    down = _factor(lane.downstream, "downstream", language)
    if not lane.local:
        return _math(f"{down}{_operator('=')}{_with_upstream(lane, language)}")
    up, local = _factor(lane.upstream, "upstream", language), _factor(lane.local, "local", language)
    return _math(f"{down}{_operator('=')}{up}{_operator(lane.times)}{local}")


def set_text(text: str, given: str = "") -> str:
    """The inside of a MathML element for `text`; `given` is set where it has the mark for it."""
    if len(text) > _LONGEST:
        return f"<mtext>{escape(text.replace(_GIVEN, '…'))}</mtext>"
    tokens = [(match.lastgroup or "other", match.group()) for match in _TOKEN.finditer(text)]
    tokens = [token for token in tokens if token[0] != "space"]
    try:
        return _Reader(tokens, given).whole()
    except _UnreadableError:
        return "".join(given if token[0] == "given" else _plain(token) for token in tokens)


def _math(inside: str) -> str:
    return f'<math xmlns="http://www.w3.org/1998/Math/MathML" displaystyle="true">{inside}</math>'


def _factor(text: str, role: str, language: str) -> str:
    name = FACTORS[role][language]
    return f'<munder class="{role}"><mrow>{set_text(text)}</mrow><mtext class="role">{name}</mtext></munder>'


def _with_upstream(lane: LaneRule, language: str) -> str:
    """An array expression, in which the upstream gradient is a factor like any other: ``Xᵀ · ∂L/∂z``."""
    return set_text(lane.derivative.replace(lane.upstream, _GIVEN), _factor(lane.upstream, "upstream", language))


class _Reader:
    """Reads tokens by how tightly operators bind (Pratt 1973); each method returns MathML."""

    def __init__(self, tokens: Iterable[Token], given: str = "") -> None:
        self.given = given
        self.tokens = [*tokens, ("end", "")]
        self.at = 0
        self.depth = 0

    def whole(self) -> str:
        """All tokens as one expression."""
        if self.kind == "end":
            return "<mrow></mrow>"
        found = self.expression(0)
        if self.kind != "end":
            raise _UnreadableError
        return found

    @property
    def kind(self) -> str:
        """What stands next."""
        return self.tokens[self.at][0]

    @property
    def text(self) -> str:
        """The next token itself."""
        return self.tokens[self.at][1]

    def take(self) -> str:
        """The next token, which is passed."""
        self.at += 1
        return self.tokens[self.at - 1][1]

    def expression(self, binds: int) -> str:
        """An operand and all operators behind it that bind more tightly than `binds`."""
        self.depth += 1
        if self.depth > _DEEPEST:
            raise _UnreadableError
        left = self.operand()
        while self.kind == "operator" and _BINDS.get(self.text, 0) > binds:
            sign = self.take()
            if sign in ",:;" and self.kind in ("close", "end"):
                left = f"{left}{_operator(sign)}"
            else:
                left = _joined(sign, left, self.expression(_BINDS[sign]))
        self.depth -= 1
        return left

    def operand(self) -> str:
        """One thing with what is written behind it."""
        if self.kind == "operator" and self.text in ("−", "+"):
            return f"{_operator(self.take(), 'prefix')}{self.expression(_SIGN_BINDS)}"
        if self.kind == "operator" and self.text == "⊙":
            return f"{_operator(self.take())}{self.expression(_SIGN_BINDS)}"
        found = self.atom()
        while True:
            if self.kind == "post":
                found = f"<msup>{_one(found)}{_SUPERSCRIPTS[self.take()]}</msup>"
            elif self.kind == "open" and self.text == "[":
                found = f"{found}{self.brackets()}"
            else:
                return found

    def atom(self) -> str:
        """A number, a name or call, a derivative's name, a root, or something in brackets."""
        if self.kind == "number":
            return f"<mn>{escape(self.take())}</mn>"
        if self.kind == "name":
            return self.name()
        if self.kind in _NAMES:
            return _NAMES[self.kind](self.take())
        if self.kind == "given":
            self.take()
            return self.given
        if self.kind == "open":
            return self.brackets()
        if self.kind == "bar":
            return self.bars()
        if self.kind == "root":
            self.take()
            return f"<msqrt>{self.expression(_BINDS['/'])}</msqrt>"
        if self.kind == "other" and self.text == "∂":
            self.take()
            return f"<mrow><mo>∂</mo>{self.atom()}</mrow>"
        if self.kind == "operator" and self.text in ("…", ":"):
            return f"<mo>{self.take()}</mo>"
        raise _UnreadableError

    def name(self) -> str:
        """A symbol, or a function with its arguments."""
        word = self.take()
        if self.kind != "open" or self.text != "(":
            return _symbol(word)
        return f"<mrow>{_symbol(word)}{self.brackets()}</mrow>"

    def brackets(self) -> str:
        """Whatever stands between brackets, with them."""
        opening = self.take()
        inside = "" if self.kind == "close" else self.expression(0)
        if self.kind != "close":
            raise _UnreadableError
        closing = self.take()
        return f"<mrow>{_fence(opening)}{inside}{_fence(closing)}</mrow>"

    def bars(self) -> str:
        """An absolute value."""
        self.take()
        inside = self.expression(0)
        if self.kind != "bar":
            raise _UnreadableError
        self.take()
        return f"<mrow>{_fence('|')}{inside}{_fence('|')}</mrow>"


def _joined(sign: str, left: str, right: str) -> str:
    """Two operands with the operator between them; a division is a fraction."""
    if sign == "/":
        return f"<mfrac><mrow>{_bare(left)}</mrow><mrow>{_bare(right)}</mrow></mfrac>"
    if sign == "^":
        return f"<msup>{_one(left)}<mrow>{_bare(right)}</mrow></msup>"
    return f"{left}{_operator(sign)}{right}"


def _one(inside: str) -> str:
    return f"<mrow>{inside}</mrow>"


def _bare(inside: str) -> str:
    """Without the round brackets around all of it, which a fraction or an exponent does not need."""
    opening, closing = f"<mrow>{_fence('(')}", f"{_fence(')')}</mrow>"
    if inside.startswith(opening) and inside.endswith(closing) and _is_one_row(inside):
        return inside[len(opening) : -len(closing)]
    return inside


def _is_one_row(inside: str) -> bool:
    """Whether the row that begins first ends last."""
    depth = 0
    for tag in _ROW_TAG.finditer(inside):
        depth += -1 if tag.group().startswith("</") else 1
        if depth == 0:
            return tag.end() == len(inside)
    return False


def _symbol(word: str) -> str:
    """A name: single letters slanted, words upright, digits below the line where they are written so."""
    found = _SUBSCRIPT.search(word)
    if found:
        below = on_the_line(found.group())
        return f"<msub>{_symbol(word[: found.start()])}<mn>{below}</mn></msub>"
    upright = ' mathvariant="normal"' if len(word) == 1 and not word.isalpha() else ""
    return f"<mi{upright}>{escape(word)}</mi>"


def _layered(name: str) -> str:
    """z⁽¹⁾₂: the element 2 of what belongs to layer 1, with the layer above and the index below."""
    letter, layer, index = name[0], *name[2:].split("⁾")
    above = f"<mrow>{_fence('(')}<mn>{on_the_line(layer)}</mn>{_fence(')')}</mrow>"
    if not index:
        return f"<msup><mi>{letter}</mi>{above}</msup>"
    return f"<msubsup><mi>{letter}</mi><mn>{on_the_line(index)}</mn>{above}</msubsup>"


def _primed(name: str) -> str:
    return f"<msup><mi>{name[0]}</mi>{_operator('′')}</msup>"


_NAMES = {"layered": _layered, "primed": _primed}


def _operator(sign: str, form: str = "") -> str:
    shown = f' form="{form}"' if form else ""
    return f"<mo{shown}>{escape(sign)}</mo>"


def _fence(sign: str) -> str:
    return f'<mo stretchy="false">{escape(sign)}</mo>'


def _plain(token: Token) -> str:
    kind, text = token
    if kind in _NAMES:
        return _NAMES[kind](text)
    tag = {"number": "mn", "name": "mi"}.get(kind, "mo")
    return f"<{tag}>{escape(text)}</{tag}>"
