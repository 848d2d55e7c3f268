"""The gradient of a small graph as one formula of what is given: ``2 · (x + y)``."""

from __future__ import annotations

from typing import Any

from graphdl.errors import GraphdlError
from graphdl.ir.node import Node
from graphdl.ir.traverse import ancestors, substitute
from graphdl.sheet.reverse import Reverse
from graphdl.sheet.scalars import Scalars

# A closed form that does not fit in a line is none; looking for one takes time beyond so many operations.
_MOST_EQUATIONS = 16
_MOST_OPERATIONS = 40
_MOST_SYMBOLS = 6
_HIGHEST_POWER = 6
_LONGEST = 14


def closed_form(reverse: Reverse, w: Node) -> str:
    """The gradient for `w` without intermediate quantities, simplified by SymPy; nothing where that is long."""
    made = reverse.made
    if len(made.equations) > _MOST_EQUATIONS:
        return ""
    try:
        return _simplified(_written_out(made), w, made)
    except GraphdlError:
        return ""


def _written_out(made: Scalars) -> Node:
    """The loss over what is given alone."""
    became: dict[Node, Node] = {}
    for equation in made.equations:
        (became[equation.target],) = substitute([equation.formula], became)
    return became[made.loss]


def _simplified(whole: Node, w: Node, made: Scalars) -> str:
    import sympy

    from graphdl.symbolic.closed_form import symbol_labels, to_sympy

    value, symbol = to_sympy([whole, w])
    if sympy.count_ops(value) > _MOST_OPERATIONS or not _is_plain(value):
        return ""
    found = value.diff(symbol)
    candidates = [found, sympy.factor_terms(found), *([sympy.factor(found)] if _is_rational(found) else [])]
    shortest = min(candidates, key=sympy.count_ops)
    if sympy.count_ops(shortest) > _LONGEST or not _is_plain(shortest):
        return ""
    names = {node.label: made.symbols[node] for node in ancestors([whole, w]) if node in made.symbols}
    return _Printer({name: names.get(label, label) for name, label in symbol_labels([whole, w]).items()}).text(shortest)


def _is_rational(expression: Any) -> bool:
    """Whether factors are found in a moment: SymPy may search for hours among exponentials or high powers."""
    import sympy

    powers = [part.exp for part in expression.atoms(sympy.Pow)]
    small = len(expression.free_symbols) <= _MOST_SYMBOLS
    return (
        small
        and not expression.atoms(sympy.Function)
        and all(power.is_Integer and abs(power) <= _HIGHEST_POWER for power in powers)
    )


def _is_plain(expression: Any) -> bool:
    import sympy

    plain = (sympy.exp, sympy.log, sympy.sin, sympy.cos, sympy.tanh, sympy.Abs)
    kinds = (sympy.Add, sympy.Mul, sympy.Pow, sympy.Symbol, sympy.Number, sympy.NumberSymbol, *plain)
    return all(isinstance(part, kinds) for part in sympy.preorder_traversal(expression))


class _Printer:
    """SymPy's expressions in the language of our formulas."""

    def __init__(self, names: dict[str, str]) -> None:
        self.names = names

    def text(self, e: Any) -> str:
        """The whole expression."""
        if e.is_Add:
            return self._sum(e)
        if e.is_Mul:
            return self._product(e)
        if e.is_Pow:
            return self._power(e)
        if e.is_Symbol:
            return self.names[e.name]
        if e.is_Number or e.is_NumberSymbol:
            return _number(e)
        name = {"Abs": "abs"}.get(type(e).__name__, type(e).__name__)
        return f"{name}({self.text(e.args[0])})"

    def _sum(self, e: Any) -> str:
        terms = [self.text(term) for term in e.as_ordered_terms()]
        terms.sort(key=lambda term: term.startswith("−"))
        return terms[0] + "".join(f" − {t[1:]}" if t.startswith("−") else f" + {t}" for t in terms[1:])

    def _product(self, e: Any) -> str:
        above, below = e.as_numer_denom()
        if below != 1:
            return f"{self._inside(above)} / {self._inside(below, tight=True)}"
        number, rest = e.as_coeff_Mul()
        factors = [self._inside(factor) for factor in rest.as_ordered_factors()]
        factors.sort(key=lambda text: text.startswith("("))
        if number == -1:
            return "−" + " · ".join(factors)
        return " · ".join([*([_number(number)] if number != 1 else []), *factors])

    def _power(self, e: Any) -> str:
        base, exponent = e.args
        if exponent.is_negative:
            return f"1 / {self._inside(e**-1, tight=True)}"
        if exponent == 2:
            return f"{self._tight(base)}²"
        return f"√({self.text(base)})" if 2 * exponent == 1 else f"{self._tight(base)}^{self._tight(exponent)}"

    def _inside(self, e: Any, tight: bool = False) -> str:
        text = self.text(e)
        return f"({text})" if e.is_Add or (tight and (e.is_Mul or text.startswith("−"))) else text

    def _tight(self, e: Any) -> str:
        text = self.text(e)
        return text if e.is_Symbol or (e.is_Integer and e >= 0) or e.is_Function else f"({text})"


def _number(value: Any) -> str:
    from graphdl.draw.digits import number

    return number(value)
